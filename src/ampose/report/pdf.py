"""A report on paper: A4 pages, vectors, the same bytes every time. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ampose.export.writing import replacing
from ampose.media import reduced_size
from ampose.render.figure_style import FAINT, drawing
from ampose.report.contents import KeyFrame, Part, Plot, Report
from ampose.report.fonts import Fonts
from ampose.report.paper import GAP, MARGIN, WIDTH, Paper
from ampose.report.plots import draw_plot, draw_still
from ampose.skeletons import H36M_17

_PICTURE_HEIGHT = 175.0
_PICTURE_PIXELS = 440
_STILL_HEIGHT = 92.0
_PLOT_HEIGHT = 138.0

_CAMERA_VIEW = np.array([1.0, 0, 0])
_SIDE_VIEW = np.array([0.0, 0, -1])  # along the camera's -x, the camera at the left

_STILLS = (
    "Below each, the 3D pose as the camera sees it (left) and from the side, the camera at the "
    "left (right); depth is the weak axis."
)
_BANDS = (
    "Bands are ± one standard deviation. Left solid, right dashed (where a plot has one angle, "
    "blue and vermilion); dotted lines are events."
)
_FOOT = "estimated from one camera, not a medical device"


def write_pdf(report: Report, path: Path) -> None:
    """Writes the pages.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
    """
    fonts = Fonts(_texts(report))
    with (
        replacing(path) as file,
        drawing(fonts.families, {"pdf.fonttype": fonts.pdf_fonts}),
        Paper(file, fonts, report.title, _FOOT) as paper,
    ):
        paper.text("Motion report", size=9, colour=FAINT)
        paper.text(report.title, size=16, weight="bold")
        paper.text(report.summary, size=9, colour=FAINT)
        paper.space(4)
        paper.text(" ".join(report.notices), weight="bold")
        if report.key_frames:
            paper.heading("Key frames")
            _set_key_frames(paper, report.key_frames, report.ids)
            paper.text(f"{report.key_frames_note} {_STILLS}", size=7, colour=FAINT)
        for part in report.parts:
            _set_part(paper, part, fonts)
        for table in report.events:
            paper.heading(table.title)
            paper.table(table)
        paper.heading("Data quality")
        for table in report.quality:
            paper.subheading(table.title)
            paper.table(table)
        if report.warnings:
            paper.subheading("Warnings")
            for warning in report.warnings:
                paper.text(f"• {warning}", size=8)
        for known in (report.definitions, report.provenance):
            if known:
                paper.heading(known.title)
                paper.table(known)


def _set_part(paper: Paper, part: Part, fonts: Fonts) -> None:
    paper.heading(part.title, room=90 + _PLOT_HEIGHT * bool(part.plots))
    if part.text:
        paper.text(part.text)
    if part.plots:
        _set_plots(paper, part.plots, fonts)
        paper.text(_BANDS, size=7, colour=FAINT)
    for table in part.tables:
        paper.subheading(table.title)
        paper.table(table)


def _set_key_frames(paper: Paper, frames: Sequence[KeyFrame], ids: Sequence[int]) -> None:
    """Pictures in rows, under each its moment and the 3D poses from two sides."""
    count = 3 if len(frames) in (3, 5, 6) else 4
    width = (WIDTH - GAP * (count - 1)) / count
    shape = frames[0].picture.shape
    tall = min(_PICTURE_HEIGHT, width * shape[0] / shape[1])
    limits = _limits(frames, width / 2 / _STILL_HEIGHT)
    for start in range(0, len(frames), count):
        paper.room(tall + _STILL_HEIGHT + 24)
        for place, frame in enumerate(frames[start : start + count]):
            left, bottom = MARGIN + place * (width + GAP), paper.top - tall
            axes = paper.axes(left, bottom, width, tall)
            axes.imshow(_reduced(frame.picture), interpolation="none")
            axes.set_axis_off()
            label = paper.shortened(frame.label, width, size=7.5)
            paper.write(label, left, bottom - 10, size=7.5)
            for half, across in enumerate((_CAMERA_VIEW, _SIDE_VIEW)):
                still = paper.axes(
                    left + half * width / 2, bottom - 14 - _STILL_HEIGHT, width / 2, _STILL_HEIGHT
                )
                draw_still(still, frame.joints, across, H36M_17, ids)
                still.set_xlim(limits[0])
                still.set_ylim(limits[1])
        paper.space(tall + _STILL_HEIGHT + 22)


def _set_plots(paper: Paper, plots: Sequence[Plot], fonts: Fonts) -> None:
    """Curves, two beside each other."""
    width = (WIDTH - GAP) / 2
    for start in range(0, len(plots), 2):
        paper.room(_PLOT_HEIGHT)
        for place, plot in enumerate(plots[start : start + 2]):
            left = MARGIN + place * (width + GAP) + 26
            axes = paper.axes(left, paper.top - _PLOT_HEIGHT + 30, width - 32, _PLOT_HEIGHT - 48)
            marks = tuple(replace(m, label=fonts.printable(m.label)) for m in plot.marks)
            draw_plot(axes, replace(plot, marks=marks), size=7.5)
        paper.space(_PLOT_HEIGHT)


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture, no sharper than paper needs it."""
    size = reduced_size((picture.shape[1], picture.shape[0]), _PICTURE_PIXELS)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _limits(
    frames: Sequence[KeyFrame], shape: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Metres across and up that every still shows, in a box `shape` times as wide as high."""
    known = np.concatenate([frame.joints.reshape(-1, 3) for frame in frames])
    known = known[np.isfinite(known).all(-1)]
    low, high = known[:, 1].min(initial=-0.9), known[:, 1].max(initial=0.8)
    tall = max((high - low) / 2, np.abs(known[:, ::2]).max(initial=0.3) / shape) * 1.05
    middle = (low + high) / 2
    return (-shape * tall, shape * tall), (middle - tall, middle + tall)


def _texts(report: Report) -> Iterator[str]:
    """All text that may hold letters from outside, such as names of files, to choose fonts by."""
    yield from (report.title, report.summary, report.key_frames_note, *report.warnings)
    yield from (frame.label for frame in report.key_frames)
    tables = [*report.events, *report.quality, report.provenance]
    for part in report.parts:
        tables += part.tables
        yield from (mark.label for plot in part.plots for mark in plot.marks)
    for table in tables:
        yield from (table.note, *table.columns)
        yield from (cell for row in table.rows for cell in row)
