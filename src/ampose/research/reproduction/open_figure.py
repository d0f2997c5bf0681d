"""Accuracy of the open benchmark's lifters against their latency, drawn from its table.

Needs matplotlib; like `figures` it uses no pyplot. Every label is put where it covers no marker
and no other label, as near to its point as that allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from matplotlib.transforms import Bbox

from ampose.research.evaluation.provenance import read_table
from ampose.research.reproduction.figures import COLOURS, save_figure
from ampose.research.reproduction.open_benchmark import CPU, STEM
from ampose.research.reproduction.open_speed import LATENCY
from ampose.research.reproduction.open_systems import AMPOSE

ERROR = "hdm05 exact MPJPE"

COLUMNS = ("tier", "system", "recipe", "frames", "parameters", LATENCY, ERROR, f"{ERROR} sd")

STYLES = {"one frame": ("o", COLOURS["left"]), "several frames": ("^", COLOURS["right"])}
"""Marker and colour."""

_INCHES = (7.5, 5.0)
_FONT = 8
_DOTS = 72
"""Points per inch, as in SVG: lengths below are in points."""

_SHOWN_SIZES = (0.5, 1, 4)
"""Millions of parameters in the legend."""

_DISTANCES = (4, 8, 14, 22, 32, 44, 58, 74, 92)
_DIRECTIONS = (0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240)
_NEAR = 8
"""A label farther from its marker gets a line to it."""
_LINE = {"arrowstyle": "-", "color": "#888888", "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3}


@dataclass(frozen=True)
class Point:
    """A system of the figure.

    Attributes:
        name: beside its marker.
        latency: milliseconds.
        error: millimetres.
        spread: standard deviation of the error; 0 for a single run.
        parameters: their number.
        several: whether it sees several frames.
        ours: whether it is AMPose.
    """

    name: str
    latency: float
    error: float
    spread: float
    parameters: int
    several: bool
    ours: bool


def draw_benchmark(table: Path, folder: Path) -> tuple[Path, ...]:
    """Draws the table of `reproduce_benchmark` as SVG.

    Raises:
        ValueError: the table cannot be read, or no system has both an error and a latency.
        OSError: the file cannot be written.
    """
    found = list(points(table))
    if not found:
        raise ValueError(
            f"{table}: no system has both an error and a latency; run ampose reproduce open-speed "
            "and ampose reproduce open first"
        )
    return save_figure(accuracy_figure(found), folder, STEM, ("svg",))


def points(table: Path) -> Iterator[Point]:
    """The systems of the CPU tier that have an error and a latency."""
    _, rows = read_table(table, COLUMNS)
    for row in rows:
        try:
            latency, error = float(row[LATENCY]), float(row[ERROR])
        except ValueError:  # words in the place of a number
            continue
        if row["tier"] == CPU:
            yield Point(
                row["system"],
                latency,
                error,
                float(row[f"{ERROR} sd"] or 0),
                int(row["parameters"]),
                row["frames"] != "1",
                row["recipe"] == AMPOSE,
            )


def accuracy_figure(found: Sequence[Point]) -> Figure:
    """One marker per system: its shape says how many frames, its area how many parameters."""
    figure = Figure(figsize=_INCHES, dpi=_DOTS, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.margins(0.12)
    axes.grid(color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("latency of one pose on one CPU thread, ms (log scale)")
    axes.set_ylabel("MPJPE on HDM05, exact 2D, mm")
    for point in found:
        marker, colour = _style(several=point.several)
        axes.errorbar(
            point.latency,
            point.error,
            yerr=point.spread or None,
            marker=marker,
            markersize=_side(point.parameters),
            color=colour,
            markeredgecolor="black" if point.ours else "white",
            markeredgewidth=1.2 if point.ours else 0.6,
            elinewidth=1,
        )
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _legend(figure, several=any(point.several for point in found))
    _label(figure, axes, found)
    return figure


def _style(*, several: bool) -> tuple[str, str]:
    return STYLES["several frames" if several else "one frame"]


def _side(parameters: int) -> float:
    """Of a marker, points: its area grows with the parameters."""
    return 2 + 5 * math.sqrt(parameters / 1e6)


def _legend(figure: Figure, *, several: bool) -> None:
    kinds = [
        Line2D([], [], linestyle="", marker=marker, color=colour, markersize=7, label=label)
        for label, (marker, colour) in STYLES.items()
        if several or label == "one frame"
    ]
    sizes = [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markerfacecolor="none",
            color=COLOURS["centre"],
            markersize=_side(round(size * 1e6)),
            label=f"{size:g} M parameters",
        )
        for size in _SHOWN_SIZES
    ]
    figure.legend(
        handles=[*kinds, *sizes],
        loc="outside upper center",
        ncols=len(kinds) + len(sizes),
        frameon=False,
        fontsize=_FONT,
    )


def _label(figure: Figure, axes: Axes, found: Sequence[Point]) -> None:
    """Writes the names, each at the first free place around its marker."""
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw(renderer)  # the layout is known from here on
    taken = []
    for point in found:
        x, y = axes.transData.transform((point.latency, point.error))
        half = _side(point.parameters) / 2
        taken.append(Bbox.from_extents(x - half, y - half, x + half, y + half))
    for point, marker in zip(found, tuple(taken), strict=True):
        font = FontProperties(size=_FONT, weight="bold" if point.ours else "normal")
        size = Text(text=point.name, fontproperties=font, figure=figure).get_window_extent(
            renderer
        )
        box, distance = _free_box(marker, size.width, size.height, taken, axes.bbox)
        taken.append(box)
        middle = (marker.p0 + marker.p1) / 2
        label = axes.annotate(
            point.name,
            (point.latency, point.error),
            (box.p0 + box.p1) / 2 - middle,
            textcoords="offset points",
            ha="center",
            va="center",
            fontproperties=font,
            arrowprops=_LINE if distance > _NEAR else None,
        )
        label.set_in_layout(False)  # or the axes would shrink, and everything move


def _free_box(
    marker: Bbox, width: float, height: float, taken: Sequence[Bbox], within: Bbox
) -> tuple[Bbox, float]:
    """The nearest box of a size that covers nothing, and its distance from the marker.

    If there is none, the farthest of all that were tried.
    """
    x, y = (marker.p0 + marker.p1) / 2
    for distance in _DISTANCES:
        for degrees in _DIRECTIONS:
            across, up = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            reach = marker.width / 2 + distance
            left = x + across * (reach + width / 2) - width / 2
            bottom = y + up * (reach + height / 2) - height / 2
            box = Bbox.from_bounds(left, bottom, width, height)
            inside = within.containsx(box.x0) and within.containsx(box.x1)
            inside = inside and within.containsy(box.y0) and within.containsy(box.y1)
            if inside and not box.padded(1).count_overlaps(taken):
                return box, distance
    return box, distance
