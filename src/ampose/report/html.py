"""A report as one HTML file that needs nothing else: no network, no other file.

The page forbids itself to load anything by its content security policy. Needs matplotlib.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ampose.export.writing import replacing
from ampose.render.words import visible
from ampose.report.contents import KeyFrame, Part, Plot, Report, Table
from ampose.report.plots import SVG_BOX, svg

_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
_QUALITY = 82
_VIEWS = (("oblique", "0.6,0.2"), ("camera", "0,0"), ("side", "1.5708,0"), ("above", "0,1.5708"))
"""A button's text, and the yaw and pitch that it turns the view to, radians."""

_BANDS = (
    "Bands are ± one standard deviation, as the lifter and the vertical give it. Left solid, "
    "right dashed (where a plot has one angle, blue and vermilion); dotted lines are events."
)


def write_html(report: Report, path: Path) -> None:
    """Writes the page.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
    """
    with replacing(path) as file:
        for part in _page(report):
            # Names of files may hold what is no Unicode.
            file.write(part.encode("utf-8", "replace"))


def _page(report: Report) -> Iterator[str]:
    title = _text(report.title)
    yield (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}: motion report</title>\n<style>\n{_own_file('page.css')}</style>\n"
        f'<header>\n<p class="kind">Motion report</p>\n<h1>{title}</h1>\n'
        f'<p class="summary">{_text(report.summary)}</p>\n'
        f'<div class="notice" role="note">{_paragraphs(report.notices)}</div>\n</header>\n<main>\n'
    )
    if report.key_frames:
        yield from _key_frames(report)
    if report.motion:
        yield _viewer(report)
    for number, part in enumerate(report.parts):
        yield from _part(part, f"p{number}")
    yield from _section("Events", report.events)
    yield from _quality(report)
    if report.definitions:
        yield (
            f"<details><summary>{_text(report.definitions.title)}</summary>\n"
            f"{_table(report.definitions, heading=False)}</details>\n"
        )
    yield f"<h2>Provenance</h2>\n{_table(report.provenance, heading=False)}"
    yield f"</main>\n<footer>{_paragraphs(report.notices)}</footer>\n"
    if report.motion:
        data = json.dumps(report.motion, allow_nan=False).replace("<", "\\u003c")
        yield f'<script type="application/json" id="motion">{data}</script>\n'
        yield f"<script>\n{_own_file('viewer.js')}</script>\n"
    yield "</html>\n"


def _key_frames(report: Report) -> Iterator[str]:
    height, width = report.key_frames[0].picture.shape[:2]
    shape = " landscape" * (width > 1.2 * height)
    yield f'<h2>Key frames</h2>\n<div class="frames{shape}">\n'
    for frame in report.key_frames:
        picture = (
            f'<img src="{_jpeg(frame.picture)}" width="{frame.picture.shape[1]}" '
            f'height="{frame.picture.shape[0]}" alt="{_text(_described(frame))}">'
        )
        if report.motion:
            picture = (
                f'<button type="button" data-frame="{frame.frame}" title="Show in the 3D view">'
                f"{picture}</button>"
            )
        yield f"<figure>{picture}<figcaption>{_text(frame.label)}</figcaption></figure>\n"
    yield f'</div>\n<p class="note">{_text(report.key_frames_note)}</p>\n'


def _described(frame: KeyFrame) -> str:
    return f"Skeletons at {frame.label or 'the only moment'}"


def _viewer(report: Report) -> str:
    assert report.motion is not None
    views = "".join(
        f'<button type="button" data-view="{angles}">{name}</button>' for name, angles in _VIEWS
    )
    events = "".join(
        f'<button type="button" data-frame="{event["frame"]}">{_text(event["label"])}</button>'
        for event in report.motion["events"]
    )
    jumps = f'<div class="controls">{events}</div>' if events else ""
    return (
        '<h2>3D view</h2>\n<div class="viewer">\n'
        '<canvas id="view" tabindex="0" role="img" aria-label="3D skeletons; drag to turn, arrow '
        'keys step through the frames, space plays"></canvas>\n'
        '<div class="controls"><button type="button" id="play">Play</button>'
        '<input type="range" id="scrubber" min="0" max="0" value="0" aria-label="frame">'
        '<output id="clock"></output>'
        '<label>speed <select id="speed"><option value="1">1</option>'
        '<option value="0.5">1/2</option><option value="0.25">1/4</option>'
        '<option value="0.1">1/10</option></select></label>'
        f'{views}<label><input type="checkbox" id="follow"> follow</label></div>\n{jumps}</div>\n'
        '<p class="note">Drag to turn, wheel or two fingers to come closer. Places are estimated '
        "from one camera; depth is the weak axis.</p>\n"
        "<noscript><p>The 3D view needs JavaScript; everything else on this page does not."
        "</p></noscript>\n"
    )


def _part(part: Part, prefix: str) -> Iterator[str]:
    yield f"<h2>{_text(part.title)}</h2>\n"
    if part.text:
        yield f"<p>{_text(part.text)}</p>\n"
    if part.plots:
        yield '<div class="plots">\n'
        for number, plot in enumerate(part.plots):
            yield _plot(plot, f"{prefix}-{number}-")
        yield f'</div>\n<p class="note">{_text(_BANDS)}</p>\n'
    for table in part.tables:
        yield _table(table)


def _plot(plot: Plot, prefix: str) -> str:
    place = " ".join(f'data-{name}="{share:g}"' for name, share in SVG_BOX.items())
    return (
        f'<figure class="plot"><div class="area" {place} data-first="{plot.span[0]:g}" '
        f'data-last="{plot.span[1]:g}">{svg(plot, prefix)}<div class="now"></div></div>'
        f"<figcaption>{_text(plot.caption)}</figcaption></figure>\n"
    )


def _section(title: str, tables: Sequence[Table]) -> Iterator[str]:
    if tables:
        yield f"<h2>{_text(title)}</h2>\n"
        for table in tables:
            yield _table(table, heading=False)


def _quality(report: Report) -> Iterator[str]:
    yield '<h2>Data quality</h2>\n<div class="cards">\n'
    for table in report.quality:
        yield f'<div class="card">{_table(table)}</div>\n'
    if report.warnings:
        warnings = "".join(f"<li>{_text(warning)}</li>\n" for warning in report.warnings)
        yield f'<div class="card"><h3>Warnings</h3><ul>{warnings}</ul></div>\n'
    yield "</div>\n"


def _table(table: Table, *, heading: bool = True) -> str:
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{_text(row[0])}</th>'
        f"{''.join(f'<td>{_text(cell)}</td>' for cell in row[1:])}</tr>\n"
        for row in table.rows
    )
    return (
        f"{f'<h3>{_text(table.title)}</h3>' * heading}"
        f'<div class="scroll"><table class="{"numeric" if table.numeric else "wide"}">'
        f"{f'<thead><tr>{head}</tr></thead>' * any(table.columns)}<tbody>\n{rows}</tbody></table>"
        f"</div>\n{f'<p class=note>{_text(table.note)}</p>' * bool(table.note)}\n"
    )


def _paragraphs(texts: Sequence[str]) -> str:
    return "".join(f"<p>{_text(text)}</p>" for text in texts)


def _text(text: str) -> str:
    return escape(visible(text), quote=True)


def _jpeg(picture: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _own_file(name: str) -> str:
    return files("ampose.report").joinpath(name).read_text("utf-8")
