"""Curves and still skeletons, drawn with matplotlib: vectors, the same bytes every time.

Needs matplotlib, the extra ``report``. Figures are made without pyplot, so that nothing global is
touched and no display is needed; the user's own settings do not reach them. Colours are Okabe and
Ito's, which colour-blind people can tell apart; left and right also differ in line style.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ampose.render.figure_style import FAINT, GRID, INK, OWN_FONT, drawing
from ampose.render.style import hexadecimal, person_colour
from ampose.report.contents import Curve, Mark, Plot
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

LEFT, RIGHT, NO_SIDE = "#0072b2", "#d55e00", "#009e73"
KINDS = (LEFT, RIGHT, NO_SIDE, "#cc79a7", "#e69f00", "#56b4e9")
"""Colours of the angles in a plot of several; in a plot of one, colours tell the sides apart."""

ON_A_PAGE = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    GRID: "var(--line)",
    **{colour: f"var(--c{place})" for place, colour in enumerate(KINDS)},
}
"""Variables of the page's style sheet in place of colours, which differ in dark mode."""

DASHED = (0, (4, 1.6))
SVG_INCHES = 5.2, 2.3
SVG_BOX = {"left": 0.095, "right": 0.985, "top": 0.86, "bottom": 0.175}
"""Where the axes are in the picture, as shares of it."""

_MOST_LABELS = 12
_NEEDLESS = re.compile(r"(\.\d\d)\d+")  # digits under a hundredth of a point
_SMALLEST_SPAN = 30.0
"""The axis of angles spans at least as many degrees, so that noise does not look like motion."""


def draw_plot(axes: Axes, plot: Plot, *, size: float = 8.0) -> None:
    """Curves with their bands, the events, and the key."""
    several = max(curve.kind for curve in plot.curves) > 0
    for curve in plot.curves:
        colour = _colour(curve, several=several)
        style = DASHED if curve.side == "right" else "-"
        axes.fill_between(curve.times, curve.low, curve.high, color=colour, alpha=0.18, lw=0)
        alone = np.isfinite(curve.values).sum() == 1  # a single frame has no line
        axes.plot(
            curve.times,
            curve.values,
            color=colour,
            linewidth=1.4,
            linestyle=style,
            marker="o" if alone else "",
            label=curve.label or "_",  # matplotlib leaves these out of the key
        )
    _set_limits(axes, plot)
    axes.set_xlabel("seconds", fontsize=size - 0.5, labelpad=1)
    axes.set_ylabel("degrees", fontsize=size - 0.5, labelpad=2)
    axes.tick_params(labelsize=size - 1, length=2.5)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if not several:
        axes.set_title(plot.title, loc="left", fontsize=size, color=INK, weight="bold", pad=4)
    if any(curve.label for curve in plot.curves):
        axes.legend(
            loc="lower left" if several else "lower right",
            bbox_to_anchor=(0.0, 0.98) if several else (1.0, 0.98),
            ncols=2,
            frameon=False,
            fontsize=size - 1,
            handlelength=2.6,
            borderaxespad=0.1,
        )
    _draw_marks(axes, plot, size)


def svg(plot: Plot, prefix: str) -> str:
    """The plot as an SVG element to stand in a page.

    Args:
        plot: what to draw.
        prefix: put before every id in it, so that ids are unique in a page.
    """
    with drawing():
        figure = Figure(figsize=SVG_INCHES)
        axes = figure.subplots()
        figure.subplots_adjust(**SVG_BOX)
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)
        draw_plot(axes, plot, size=9)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"', "", text)  # known to pages, and no address in them
    text = re.sub(r' d="[^"]*"', lambda path: _NEEDLESS.sub(r"\1", path[0]), text)
    text = text.replace('id="', f'id="{prefix}').replace("url(#", f"url(#{prefix}")
    text = text.replace('xlink:href="#', f'href="#{prefix}')
    for colour, name in ON_A_PAGE.items():
        text = text.replace(colour, name)
    text = text.replace(f"'{OWN_FONT}'", "inherit").replace(f'"{OWN_FONT}"', "inherit")
    label = escape(f"{plot.title}: curves over time, degrees", quote=True)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def draw_still(
    axes: Axes, joints: Array, across: Array, skeleton: Skeleton, ids: Sequence[int]
) -> None:
    """3D skeletons flat on axes, without perspective.

    The sides of a single person differ in colour; of several, each person has a colour.

    Args:
        axes: to draw on; both its scales are metres.
        joints: (P, 17, 3) metres, y up; NaN where absent.
        across: (3,) what points right.
        skeleton: names the joints.
        ids: (P,) of the people, for their colours.
    """
    flat = np.stack([joints @ across, joints[..., 1]], axis=-1)
    single = len(joints) == 1
    for identity, places in zip(ids, flat, strict=True):
        for side, colour in (("centre", FAINT), ("right", RIGHT), ("left", LEFT)):
            lines = [
                places[list(edge)]
                for edge in skeleton.edges
                if skeleton.side(edge[1]) == side and np.isfinite(places[list(edge)]).all()
            ]
            if not single:
                colour = hexadecimal(person_colour(identity))
            dashes = (0, (2.2, 0.9)) if side == "right" else "solid"
            axes.add_collection(
                LineCollection(lines, colors=colour, linewidths=1.5, linestyles=[dashes])
            )
    axes.set_aspect("equal")
    axes.set_axis_off()


def _colour(curve: Curve, *, several: bool) -> str:
    if several:
        return KINDS[curve.kind % len(KINDS)]
    return {"left": LEFT, "right": RIGHT}.get(curve.side, NO_SIDE)


def _set_limits(axes: Axes, plot: Plot) -> None:
    everything = np.concatenate([part for c in plot.curves for part in (c.values, c.low, c.high)])
    low, high = float(np.nanmin(everything)), float(np.nanmax(everything))
    missing = max(0.0, _SMALLEST_SPAN - (high - low)) / 2
    margin = 0.05 * (high - low)
    axes.set_ylim(low - missing - margin, high + missing + margin)
    axes.set_xlim(*plot.span)


def _draw_marks(axes: Axes, plot: Plot, size: float) -> None:
    for mark in plot.marks:
        axes.axvline(mark.time, color=FAINT, linewidth=0.9, linestyle=":")
    if len(plot.marks) > _MOST_LABELS:
        return
    start, end = plot.span
    points = axes.bbox.width * 72 / axes.figure.dpi
    wide = 1.6 * (size - 2) / points * (end - start)  # seconds that a label, turned up, takes
    for mark in joined(plot.marks, wide, end):
        last = mark.time + wide > end
        axes.annotate(
            mark.label,
            (mark.time, 1),
            (-2 if last else 2, -2),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            rotation=90,
            va="top",
            ha="right" if last else "left",
            fontsize=size - 2,
            color=FAINT,
            annotation_clip=True,
        )


def joined(marks: Sequence[Mark], wide: float, end: float) -> list[Mark]:
    """Marks whose labels would lie on one another as one, at the time of the first.

    Args:
        marks: in any order.
        wide: seconds that a label takes, after its mark or, where the plot ends, before it.
        end: seconds, of the plot.
    """
    out: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.time):
        room = wide if mark.time + wide <= end else 2 * wide
        if out and mark.time - out[-1].time < room:
            out[-1] = Mark(f"{out[-1].label}, {mark.label}", out[-1].time)
        else:
            out.append(mark)
    return out
