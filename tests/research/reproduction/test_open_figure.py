"""The benchmark's figure: what is drawn can be read back, and labels cover nothing."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from ampose.research.evaluation.provenance import write_table
from ampose.research.reproduction.open_figure import (
    COLUMNS,
    ERROR,
    STYLES,
    Point,
    accuracy_figure,
    draw_benchmark,
    points,
)
from ampose.research.reproduction.open_speed import LATENCY


def invented(count: int, seed: int) -> list[Point]:
    """As crowded as the real thing: many are about as fast as others and about as good."""
    rng = np.random.default_rng(seed)
    return [
        Point(
            f"Network number {number}" + ", 27 frames" * (number % 3 == 2),
            float(np.exp(rng.normal(0, 1))),
            float(rng.normal(60, 5)),
            0.5 * (number < 4),
            int(rng.uniform(4e5, 5e6)),
            number % 3 == 2,
            number == 0,
        )
        for number in range(count)
    ]


def row(**changes: object) -> dict[str, object]:
    values = ("CPU", "LCN", "benchmark-lcn", 1, 4_000_000, 1.5, 60.25, "")
    return dict(zip(COLUMNS, values, strict=True)) | changes


def labels(figure: Figure) -> list[Annotation]:
    return [text for text in figure.axes[0].texts if isinstance(text, Annotation)]


def boxes(figure: Figure) -> tuple[list[Bbox], list[Bbox]]:
    """Of the labels and of the markers, as they are drawn."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    # Of the text alone: an annotation would add its line, which may touch.
    of_labels = [Text.get_window_extent(label, renderer) for label in labels(figure)]
    of_markers = []
    for line in figure.axes[0].lines:
        if line.get_marker() in {marker for marker, _ in STYLES.values()}:
            x, y = line.get_transform().transform(line.get_xydata())[0]
            half = line.get_markersize() / 2
            of_markers.append(Bbox.from_extents(x - half, y - half, x + half, y + half))
    return of_labels, of_markers


class TestLabels:
    @pytest.mark.parametrize("seed", range(4))
    def test_cover_no_marker_and_no_label_and_stay_inside(self, seed: int) -> None:
        figure = accuracy_figure(invented(20, seed))
        of_labels, of_markers = boxes(figure)
        assert (len(of_labels), len(of_markers)) == (20, 20)
        for one, other in itertools.combinations(of_labels, 2):
            assert not one.overlaps(other)
        assert not any(label.count_overlaps(of_markers) for label in of_labels)
        whole = figure.axes[0].bbox.padded(1)
        for box in of_labels:
            assert whole.contains(*box.p0)
            assert whole.contains(*box.p1)

    def test_stand_beside_their_markers_where_there_is_room(self) -> None:
        far = [Point(name, x, x * 10, 0, 10**6, False, False) for name, x in (("a", 1), ("b", 9))]
        figure = accuracy_figure(far)
        for label, box, marker in zip(labels(figure), *boxes(figure), strict=True):
            assert label.arrowprops is None
            assert 0 < box.x0 - marker.x1 < 6
            assert abs(box.y0 + box.y1 - marker.y0 - marker.y1) < 4

    def test_far_ones_have_a_line(self) -> None:
        """Twelve names of one point do not fit around it."""
        crowd = [Point(f"name {n}", 1, 50, 0, 10**6, False, False) for n in range(12)]
        figure = accuracy_figure([*crowd, Point("away", 9, 60, 0, 10**6, False, False)])
        led = [label.arrowprops is not None for label in labels(figure)]
        assert not led[0]
        assert any(led)
        assert not led[-1]


class TestMarkers:
    def test_say_what_they_are(self) -> None:
        found = invented(6, 0)
        figure = accuracy_figure(found)
        (axes,) = figure.axes
        markers = [line for line in axes.lines if line.get_marker() != "None"]
        for point, line in zip(found, markers, strict=True):
            assert line.get_xydata().tolist() == [[point.latency, point.error]]
            style = STYLES["several frames" if point.several else "one frame"]
            assert (line.get_marker(), line.get_color()) == style
        sizes = [line.get_markersize() for line in markers]
        counts = [point.parameters for point in found]
        assert np.argsort(sizes).tolist() == np.argsort(counts).tolist()
        assert axes.get_xscale() == "log"
        edges = {line.get_markeredgecolor() for line in markers[1:]}
        assert markers[0].get_markeredgecolor() not in edges
        weights = [label.get_fontproperties().get_weight() for label in labels(figure)]
        assert weights == ["bold", *["normal"] * 5]

    def test_the_two_kinds_differ_in_shape_and_in_colour(self) -> None:
        (marker, colour), (other_marker, other_colour) = STYLES.values()
        assert marker != other_marker
        assert colour != other_colour

    def test_the_legend_names_what_is_there(self) -> None:
        def legend(found: list[Point]) -> list[str]:
            return [text.get_text() for text in accuracy_figure(found).legends[0].get_texts()]

        single = [point for point in invented(6, 0) if not point.several]
        assert "several frames" not in legend(single)
        assert {"one frame", "several frames"} < set(legend(invented(6, 0)))


class TestTable:
    def test_systems_with_both_numbers(self, tmp_path: Path) -> None:
        rows = [
            row(),
            row(system="a", **{LATENCY: "not measured"}),
            row(system="b", **{ERROR: "not run", f"{ERROR} sd": ""}),
            row(system="c", tier="GPU"),
            row(system="AMPose, 9 frames", recipe="benchmark-ampose-9", frames=9),
            row(system="AMPose", recipe="benchmark-ampose", **{f"{ERROR} sd": 0.25}),
        ]
        write_table(tmp_path / "t.csv", rows, {})
        assert list(points(tmp_path / "t.csv")) == [
            Point("LCN", 1.5, 60.25, 0, 4_000_000, False, False),
            Point("AMPose, 9 frames", 1.5, 60.25, 0, 4_000_000, True, False),
            Point("AMPose", 1.5, 60.25, 0.25, 4_000_000, False, True),
        ]

    def test_the_same_file_every_time(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t.csv", [row(), row(system="SRNet", **{LATENCY: 2})], {})
        found = [draw_benchmark(tmp_path / "t.csv", tmp_path / name) for name in ("a", "b")]
        assert found == [(tmp_path / name / "open_benchmark.svg",) for name in ("a", "b")]
        first, second = (paths[0].read_bytes() for paths in found)
        assert first == second
        assert first.startswith(b"<?xml")
        assert b"<dc:date>" not in first

    def test_nothing_to_draw(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t.csv", [row(**{LATENCY: "not measured"})], {})
        with pytest.raises(ValueError, match=r"t\.csv: no system has both .* open-speed and"):
            draw_benchmark(tmp_path / "t.csv", tmp_path)
        with pytest.raises(ValueError, match=r"none\.csv: cannot be read"):
            draw_benchmark(tmp_path / "none.csv", tmp_path)
