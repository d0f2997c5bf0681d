"""How often a lifter's errors lie within its sigma, drawn from what ``ampose eval-sigma`` wrote.

Needs matplotlib; like `figures` it uses no pyplot.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ampose.research.evaluation.provenance import read_table
from ampose.research.evaluation.uncertainty import ONE, TWO
from ampose.research.reproduction.figures import COLOURS, save_figure

STEM = "sigma"
COLUMNS = ("set", "input", "group", "nominal", "found")
SIGMAS = (round(100 * ONE, 1), round(100 * TWO, 1))
"""Nominal coverages of one and of two sigma, as the table has them."""

TOLERANCE = 5
"""Half the width of the bands, points."""

SET_COLOURS = (COLOURS["left"], COLOURS["right"], "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours of the sets in turn, from Okabe and Ito's set."""
INPUT_STYLES = {"exact": ("o", "-", True), "detector": ("s", "--", False)}
"""Marker, line, and whether the marker is filled."""

_INCHES = (7.5, 4.8)
_FONT = 8
_GREY = COLOURS["centre"]
_BAND: dict[str, Any] = {"color": _GREY, "alpha": 0.18, "linewidth": 0}
_SPREAD = 0.56
"""Share of the distance between rows that the markers of one row take."""


@dataclass(frozen=True)
class Series:
    """What one set and input show.

    Attributes:
        set, input: which poses, seen how.
        curve: nominal to found coverage, percent, over everything.
        groups: each joint, axis and view to its found coverage of one and of two sigma.
    """

    set: str
    input: str
    curve: Mapping[float, float]
    groups: Mapping[str, tuple[float, float]]


def draw_sigma(table: Path, folder: Path) -> tuple[Path, ...]:
    """Draws the table of ``ampose eval-sigma`` as SVG.

    Raises:
        ValueError: the table cannot be read.
        OSError: the file cannot be written.
    """
    return save_figure(sigma_figure(series(table)), folder, STEM, ("svg",))


def series(table: Path) -> list[Series]:
    """What the table says, in its order.

    Raises:
        ValueError: it cannot be read, or lacks rows.
    """
    _, rows = read_table(table, COLUMNS)
    found: dict[tuple[str, str], dict[str, dict[float, float]]] = {}
    try:
        for row in rows:
            if row["input"] not in INPUT_STYLES:
                raise KeyError(row["input"])
            groups = found.setdefault((row["set"], row["input"]), {})
            groups.setdefault(row["group"], {})[float(row["nominal"])] = float(row["found"])
        one, two = SIGMAS
        return [
            Series(*key, groups.pop("all"), {name: (c[one], c[two]) for name, c in groups.items()})
            for key, groups in found.items()
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{table}: not what ampose eval-sigma writes; make it anew") from error


def sigma_figure(found: Sequence[Series]) -> Figure:
    """Left: the reliability curve of each set and input; right: each joint, axis and view."""
    figure = Figure(figsize=_INCHES, layout="constrained")
    curves, rows = figure.subplots(1, 2, width_ratios=(1.25, 1))
    colours = dict(
        zip(dict.fromkeys(each.set for each in found), itertools.cycle(SET_COLOURS), strict=False)
    )
    styles = [_style(each, colours[each.set]) for each in found]
    _draw_curves(curves, found, styles)
    _draw_groups(rows, found, styles)
    figure.legend(
        handles=[
            *(
                Line2D([], [], label=f"{each.set}, {each.input} 2D", **style)
                for each, style in zip(found, styles, strict=True)
            ),
            Patch(label=f"nominal ± {TOLERANCE} points", **_BAND),
        ],
        loc="outside upper center",
        ncols=len(colours) + 1,  # a column for each set
        frameon=False,
        fontsize=_FONT,
    )
    return figure


def _style(each: Series, colour: str) -> dict[str, Any]:
    marker, line, filled = INPUT_STYLES[each.input]
    return {
        "color": colour,
        "marker": marker,
        "markersize": 3.5,
        "markerfacecolor": colour if filled else "white",
        "markeredgewidth": 0.9,
        "linestyle": line,
        "linewidth": 1.2,
    }


def _draw_curves(axes: Axes, found: Sequence[Series], styles: Sequence[dict[str, Any]]) -> None:
    axes.fill_between(
        (0, 100),
        (-TOLERANCE, 100 - TOLERANCE),
        (TOLERANCE, 100 + TOLERANCE),
        **_BAND,
    )
    axes.plot((0, 100), (0, 100), color=_GREY, linewidth=0.8)
    for each, style in zip(found, styles, strict=True):
        axes.plot(list(each.curve), list(each.curve.values()), **style)
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal", anchor="N")
    axes.set_xlabel("nominal coverage, %", fontsize=_FONT)
    axes.set_ylabel("found coverage, %", fontsize=_FONT)
    axes.tick_params(labelsize=_FONT)
    axes.grid(color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_groups(axes: Axes, found: Sequence[Series], styles: Sequence[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for each in found for name in each.groups))
    for sigmas, nominal in enumerate(SIGMAS, start=1):
        axes.axvspan(nominal - TOLERANCE, nominal + TOLERANCE, **_BAND)
        axes.axvline(nominal, color=_GREY, linewidth=0.8)
        axes.annotate(
            f"{sigmas} sigma: {nominal} %",
            (nominal, 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=_FONT,
        )
    for number, (each, style) in enumerate(zip(found, styles, strict=True)):
        aside = _SPREAD * ((number + 0.5) / len(found) - 0.5)
        for sigmas in range(len(SIGMAS)):
            axes.plot(
                [shares[sigmas] for shares in each.groups.values()],
                [names.index(name) + aside for name in each.groups],
                **{**style, "linestyle": "", "markersize": 3},
            )
    axes.set_yticks(range(len(names)), [n.removeprefix("joint ").replace("_", " ") for n in names])
    for row, (above, below) in enumerate(itertools.pairwise(names)):
        if above.split()[0] != below.split()[0]:
            axes.axhline(row + 0.5, color=_GREY, linewidth=0.6)
    axes.set_xlim(right=101)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("found coverage, %", fontsize=_FONT)
    axes.tick_params(labelsize=_FONT)
    axes.tick_params(axis="y", length=0)
    axes.grid(color="#E5E5E5", linewidth=0.6, axis="y")
    axes.set_axisbelow(True)
