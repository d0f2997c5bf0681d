"""One HTML file that needs nothing else: the video, the table, the curves and the warnings."""

from __future__ import annotations

import base64
import math
from html import escape
from pathlib import Path

from ampose.analysis import NOTICE
from ampose.analysis.comparison import CHANCE, AngleDifference, Difference
from ampose.comparing.pair import Pair
from ampose.comparing.tables import verdict
from ampose.export.writing import replacing

LARGEST_VIDEO = 30_000_000
"""Largest video, in bytes, that is put into the page; a larger one is linked."""

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1d22; background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #d9dce2; }
th:first-child, td:first-child { text-align: left; }
td.no { color: #5c6470; }
video { width: 100%; } svg { width: 100%; height: auto; }
small, footer { color: #5c6470; }
"""


def write_page(pair: Pair, folder: Path, figure: bytes) -> None:
    """Writes ``compare.html`` beside ``compare.mp4``.

    Raises:
        InputError: it cannot be written.
    """
    a, b = (escape(each.name) for each in pair.recordings)
    rows = "\n".join(_row(row) for row in pair.comparison.rows)
    warnings = "\n".join(f"<li>{escape(warning)}</li>" for warning in pair.warnings)
    svg = figure[figure.index(b"<svg") :].decode()
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{a} and {b}</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>{a} and {b}</h1>
{_video(folder / "compare.mp4")}
<h2>Differences, {b} less {a}</h2>
<table><thead><tr><th>angle, degrees</th><th>{a}</th><th>{b}</th><th>range</th><th>mean</th>
<th>largest</th><th>at</th></tr></thead><tbody>
{rows}
</tbody></table>
<p><small>Smallest to largest; differences with their standard deviation. <b>Bold</b>: more than
error explains, with a chance of {CHANCE:.0%} that any in a column of this table is error after
all. ≈: not distinguishable from none. Neither: it is not known how sure it is.</small></p>
<h2>Curves</h2>
{svg}
<h2>To be kept in mind</h2>
<ul>{warnings}</ul>
<footer>{escape(NOTICE)}</footer>
</body></html>
"""
    with replacing(folder / "compare.html") as file:
        file.write(page.encode("utf-8", "replace"))  # names of files may hold what is no Unicode


def _video(path: Path) -> str:
    if path.stat().st_size > LARGEST_VIDEO:
        return f'<p>The video is in <a href="{path.name}">{path.name}</a>.</p>'
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<video controls loop muted src="data:video/mp4;base64,{data}"></video>'


def _row(row: AngleDifference) -> str:
    cells = [
        f"<td>{escape(row.column.title)}</td>",
        f"<td>{_span(row.low_a, row.high_a)}</td>",
        f"<td>{_span(row.low_b, row.high_b)}</td>",
        *(_difference(each) for each in (row.range, row.mean, row.largest)),
        f"<td>{'' if math.isnan(row.time_a) else f'{row.time_a:.2f} s'}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _span(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.0f} to {high:.0f}"


def _difference(difference: Difference) -> str:
    if math.isnan(difference.value):
        return "<td></td>"
    told = f"{difference.value:+.0f}"
    if not math.isnan(difference.sigma):
        told += f" ± {math.ceil(difference.sigma - 1e-9):.0f}"
    match verdict(difference):
        case "yes":
            return f"<td><b>{told}</b></td>"
        case "no":
            return f'<td class="no">≈ {told}</td>'
    return f"<td>{told}</td>"
