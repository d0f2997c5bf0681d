"""Plots as matplotlib lays them out."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from ampose.analysis import angles_of
from ampose.report.contents import Mark, Plot
from ampose.report.curves import plots_of
from ampose.report.plots import SVG_BOX, SVG_INCHES, draw_plot, joined
from tests.report.recordings import bending


def plot(*marks: Mark) -> Plot:
    """Of 0.32 s."""
    angles = angles_of(bending(), ["knee_flexion"])
    (found,) = plots_of(angles, 0, [["knee_flexion_l", "knee_flexion_r"]], [])
    return replace(found, marks=marks)


def test_labels_that_would_lie_on_one_another_are_one() -> None:
    a, b, c, d = Mark("a", 1.0), Mark("b", 1.0), Mark("c", 1.3), Mark("d", 2.0)
    assert joined((d, a, b, c), 0.5, 9.0) == [Mark("a, b, c", 1.0), d]
    assert joined((a, b, c, d), 0.2, 9.0) == [Mark("a, b", 1.0), c, d]
    # the label of d stands before it, where that of c is
    assert joined((c, d), 0.5, 2.4) == [Mark("c, d", 1.3)]
    assert joined((c, d), 0.3, 2.2) == [c, d]
    assert joined((), 0.5, 9.0) == []


@pytest.mark.parametrize("times", [(0.16, 0.16, 0.17), (0.0, 0.02, 0.3, 0.32), (0.1, 0.32)])
def test_labels_of_events_can_be_read(times: tuple[float, ...]) -> None:
    """None lies on another, and none is cut by the end of the picture."""
    names = ("address", "top", "impact", "finish")
    figure = Figure(figsize=SVG_INCHES)
    axes = figure.subplots()
    figure.subplots_adjust(**SVG_BOX)
    draw_plot(axes, plot(*map(Mark, names, times)), size=9)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    labels = [child for child in axes.get_children() if isinstance(child, Annotation)]
    assert ", ".join(label.get_text() for label in labels) == ", ".join(names[: len(times)])
    boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
