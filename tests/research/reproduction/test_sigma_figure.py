"""The figure of sigma's coverage: what is drawn can be read back."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ampose.research.evaluation.open_protocol import INPUTS
from ampose.research.evaluation.provenance import write_table
from ampose.research.evaluation.uncertainty import Coverage
from ampose.research.reproduction.sigma_figure import (
    INPUT_STYLES,
    SET_COLOURS,
    SIGMAS,
    Series,
    draw_sigma,
    series,
    sigma_figure,
)

GROUPS = ("joint left_knee", "joint head_top", "axis x", "view side")


def rows(*sets: str, off: float = 0.0) -> list[dict[str, str | float]]:
    """As ``ampose eval-sigma`` writes them; groups and inputs differ by a point each."""
    return [
        Coverage(name, kind, group, nominal, nominal + off - number - place).row()
        for name in sets
        for number, kind in enumerate(INPUTS)
        for place, group in enumerate(("all", *GROUPS))
        for nominal in ((20.0, *SIGMAS) if group == "all" else SIGMAS)
    ]


def drawn(tmp_path: Path, *sets: str) -> tuple[list[Series], Figure]:
    write_table(tmp_path / "sigma.csv", rows(*sets), {"model": "m"})
    found = series(tmp_path / "sigma.csv")
    return found, sigma_figure(found)


def marked(axes: Axes) -> list[Line2D]:
    return [line for line in axes.lines if line.get_marker() != "None"]


def test_the_table_as_series(tmp_path: Path) -> None:
    found, _ = drawn(tmp_path, "cmu-val", "mine")
    keys = [(each.set, each.input) for each in found]
    assert keys == [(name, kind) for name in ("cmu-val", "mine") for kind in INPUTS]
    assert found[1].curve == {20: 19, 68.3: 67.3, 95.4: 94.4}
    assert found[1].groups == {
        "joint left_knee": (66.3, 93.4),
        "joint head_top": (65.3, 92.4),
        "axis x": (64.3, 91.4),
        "view side": (63.3, 90.4),
    }


def test_curves_beside_the_diagonal(tmp_path: Path) -> None:
    found, figure = drawn(tmp_path, "a", "b")
    axes = figure.axes[0]
    diagonal, *curves = axes.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [100, 100]]
    for each, line in zip(found, curves, strict=True):
        assert line.get_xydata().tolist() == [list(point) for point in each.curve.items()]
    assert axes.get_xlim() == axes.get_ylim() == (0, 100)


def test_every_group_has_its_row(tmp_path: Path) -> None:
    found, figure = drawn(tmp_path, "a", "b")
    axes = figure.axes[1]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["left knee", "head top", "axis x", "view side"]
    lines = marked(axes)
    assert len(lines) == len(found) * len(SIGMAS)
    for number, line in enumerate(lines):
        each = found[number // 2]
        assert list(line.get_xdata()) == [shares[number % 2] for shares in each.groups.values()]
        # Aside of the middle of their row, but never in the next.
        assert [round(float(y)) for y in line.get_ydata()] == [0, 1, 2, 3]
    assert len({float(line.get_ydata()[0]) for line in lines}) == len(found)
    top, bottom = axes.get_ylim()
    assert top > bottom  # the first row is on top


def test_a_view_that_only_one_set_has(tmp_path: Path) -> None:
    fewer = [row for row in rows("a") if row["group"] != "view side"]
    write_table(tmp_path / "sigma.csv", [*fewer, *rows("b")], {})
    axes = sigma_figure(series(tmp_path / "sigma.csv")).axes[1]
    assert [len(line.get_xdata()) for line in marked(axes)] == [3, 3, 3, 3, 4, 4, 4, 4]


def test_bands_of_five_points_around_nominal(tmp_path: Path) -> None:
    _, figure = drawn(tmp_path, "a")
    curves, groups = figure.axes
    to_data = groups.transData.inverted()
    spans = [patch.get_extents().transformed(to_data) for patch in groups.patches]
    ends = [(round(span.x0, 6), round(span.x1, 6)) for span in spans]
    assert ends == [(63.3, 73.3), (90.4, 100.4)]
    corners = curves.collections[0].get_paths()[0].vertices.tolist()
    for corner in ([0, 5], [0, -5], [100, 105], [100, 95]):
        assert corner in corners


def test_sets_by_colour_and_inputs_by_marker(tmp_path: Path) -> None:
    found, figure = drawn(tmp_path, "a", "b", "c")
    for axes in figure.axes:
        for number, line in enumerate(marked(axes)):
            each = found[number // (len(marked(axes)) // len(found))]
            assert line.get_color() == SET_COLOURS["abc".index(each.set)]
            assert line.get_marker() == INPUT_STYLES[each.input][0]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        *(f"{each.set}, {each.input} 2D" for each in found),
        "nominal ± 5 points",
    ]
    assert len({to_hex(colour) for colour in SET_COLOURS}) == len(SET_COLOURS)
    assert list(INPUT_STYLES) == list(INPUTS)


def test_markers_outside_the_bands_are_inside_the_picture(tmp_path: Path) -> None:
    write_table(tmp_path / "sigma.csv", rows("a", off=-40), {})
    figure = sigma_figure(series(tmp_path / "sigma.csv"))
    figure.draw_without_rendering()
    axes = figure.axes[1]
    left, right = axes.get_xlim()
    for line in marked(axes):
        assert left < min(line.get_xdata()) <= max(line.get_xdata()) < right


def test_the_same_file_every_time(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", rows("a"), {})
    found = [draw_sigma(tmp_path / "t.csv", tmp_path / name) for name in ("x", "y")]
    assert found == [(tmp_path / name / "sigma.svg",) for name in ("x", "y")]
    first, second = (paths[0].read_bytes() for paths in found)
    assert first == second
    assert first.startswith(b"<?xml")


@pytest.mark.parametrize(
    "changes",
    [
        {"found": "much"},
        {"input": "blurred"},
        {"group": "other"},  # a group without its two sigmas
    ],
)
def test_what_is_not_such_a_table(tmp_path: Path, changes: dict[str, str]) -> None:
    first, *rest = rows("a")
    write_table(tmp_path / "t.csv", [{**first, **changes}, *rest], {})
    with pytest.raises(ValueError, match=r"t\.csv: not what ampose eval-sigma writes"):
        draw_sigma(tmp_path / "t.csv", tmp_path)


def test_a_table_without_rows_over_everything(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", [row for row in rows("a") if row["group"] != "all"], {})
    with pytest.raises(ValueError, match=r"t\.csv: not what"):
        draw_sigma(tmp_path / "t.csv", tmp_path)
    with pytest.raises(ValueError, match=r"none\.csv: cannot be read"):
        draw_sigma(tmp_path / "none.csv", tmp_path)
