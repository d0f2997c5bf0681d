"""Pages of text and tables that fill from the top, set with matplotlib."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import BinaryIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from ampose.render.figure_style import FAINT, GRID, INK
from ampose.report.contents import Table
from ampose.report.fonts import Fonts

PAGE = 595.0, 842.0
"""A4, points."""

MARGIN = 44.0
WIDTH = PAGE[0] - 2 * MARGIN
GAP = 10.0
"""Between columns of a table, and between pictures."""

_BODY = 8.5
_CELL = 7.5
_LEADING = 1.35
_FOOT = 26.0


class Paper:
    """A PDF filled block by block; a block that does not fit on a page begins the next one.

    Lengths are points, heights count from the foot of the page.

    Attributes:
        top: where the next block begins.

    Args:
        file: to write to.
        fonts: that have the letters of every text.
        title: of the document; also shown at the foot of each page.
        foot: shown beside the title at the foot.
    """

    def __init__(self, file: BinaryIO, fonts: Fonts, title: str, foot: str) -> None:
        self._fonts = fonts
        self._title, self._foot = title, foot
        unstamped = {"CreationDate": None, "Creator": None, "Producer": None}
        self._pdf = PdfPages(file, metadata={"Title": fonts.printable(title), **unstamped})
        self._number = 0
        self._begin()

    def __enter__(self) -> Paper:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._end()
        self._pdf.close()  # type: ignore[no-untyped-call]

    def _begin(self) -> None:
        self._page = Figure(figsize=(PAGE[0] / 72, PAGE[1] / 72))
        self.top = PAGE[1] - MARGIN
        self._number += 1

    def _end(self) -> None:
        foot = f" · {self._foot}"
        title = self.shortened(self._title, WIDTH - 30 - _width(foot, 7, "normal"), size=7)
        self.write(title + foot, MARGIN, _FOOT, size=7, colour=FAINT)
        self.write(str(self._number), PAGE[0] - MARGIN, _FOOT, size=7, colour=FAINT, right=True)
        self._pdf.savefig(self._page)  # type: ignore[no-untyped-call]

    def room(self, height: float) -> None:
        """Begins a new page unless this one has that much room left."""
        if self.top - height < MARGIN and self.top < PAGE[1] - MARGIN:
            self._end()
            self._begin()

    def space(self, height: float) -> None:
        """Moves down by that much: to leave it empty, or because it has been drawn on."""
        self.top -= height

    def heading(self, text: str, *, room: float = 90) -> None:
        """A title, on a page with room for what follows."""
        self.room(room)
        self.space(12)
        self.text(text, size=12, weight="bold")
        self._rule(self.top + 1)
        self.space(4)

    def subheading(self, text: str) -> None:
        """A lesser title."""
        self.room(80)
        self.space(6)
        self.text(text, size=9.5, weight="bold")

    def text(
        self, text: str, *, size: float = _BODY, weight: str = "normal", colour: str = INK
    ) -> None:
        """A paragraph."""
        for line in self._wrapped(text, WIDTH, size, weight):
            self.room(size * _LEADING)
            self.write(line, MARGIN, self.top - size, size=size, colour=colour, weight=weight)
            self.space(size * _LEADING)
        self.space(2)

    def table(self, table: Table) -> None:
        """A table without its title; its headings are repeated on each page that it needs."""
        widths = self._widths([table.columns, *table.rows])
        self.room(60)
        self._heads(table, widths)
        for row in table.rows:
            cells = self._split(row, widths, "normal")
            if self.top - _height(cells) < MARGIN:
                self.room(_height(cells))
                self._heads(table, widths)
            self._row(cells, widths, INK, "normal", numeric=table.numeric)
        self.space(3)
        if table.note:
            self.text(table.note, size=7, colour=FAINT)
        self.space(4)

    def write(
        self,
        text: str,
        left: float,
        base: float,
        *,
        size: float,
        colour: str = INK,
        weight: str = "normal",
        right: bool = False,
    ) -> None:
        """One line of text; `right` says that the place is its right end."""
        self._page.text(
            left / PAGE[0],
            base / PAGE[1],
            self._fonts.printable(text),
            fontsize=size,
            color=colour,
            weight=weight,
            ha="right" if right else "left",
            va="baseline",
        )

    def shortened(self, text: str, width: float, *, size: float) -> str:
        """Cut so that it fits."""
        text = self._fonts.printable(text)
        if _width(text, size, "normal") <= width:
            return text
        while text and _width(f"{text}…", size, "normal") > width:
            text = text[:-1]
        return f"{text}…"

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """To draw on."""
        across, up = PAGE
        return self._page.add_axes((left / across, bottom / up, width / across, height / up))

    def _rule(self, height: float) -> None:
        ends = MARGIN / PAGE[0], 1 - MARGIN / PAGE[0]
        share = height / PAGE[1]
        self._page.add_artist(Line2D(ends, (share, share), color=GRID, linewidth=0.6))

    def _heads(self, table: Table, widths: Sequence[float]) -> None:
        if any(table.columns):
            cells = self._split(table.columns, widths, "bold")
            self._row(cells, widths, FAINT, "bold", numeric=table.numeric)

    def _row(
        self,
        cells: Sequence[Sequence[str]],
        widths: Sequence[float],
        colour: str,
        weight: str,
        *,
        numeric: bool,
    ) -> None:
        left = MARGIN
        for place, (lines, width) in enumerate(zip(cells, widths, strict=True)):
            right = numeric and place > 0
            for number, line in enumerate(lines):
                base = self.top - _CELL - number * _CELL * _LEADING
                at = left + width * right
                self.write(line, at, base, size=_CELL, colour=colour, weight=weight, right=right)
            left += width + GAP
        self.space(_height(cells))
        self._rule(self.top + 1.2)

    def _split(
        self, cells: Sequence[str], widths: Sequence[float], weight: str
    ) -> list[list[str]]:
        """Lines of each cell."""
        return [
            self._wrapped(cell, width + 0.5, _CELL, weight)
            for cell, width in zip(cells, widths, strict=True)
        ]

    def _widths(self, rows: Sequence[Sequence[str]]) -> list[float]:
        """Widths of columns, points: as the longest cells need; the widest give way if need be."""
        natural = [
            max(
                _width(self._fonts.printable(row[place]), _CELL, "normal" if number else "bold")
                for number, row in enumerate(rows)
            )
            for place in range(len(rows[0]))
        ]
        room = WIDTH - GAP * (len(natural) - 1)
        if sum(natural) <= room:
            return natural
        low, widest = 0.0, room
        for _ in range(40):  # halves the range each time, down to far less than a point
            middle = (low + widest) / 2
            if sum(min(width, middle) for width in natural) > room:
                widest = middle
            else:
                low = middle
        return [min(width, widest) for width in natural]

    def _wrapped(self, text: str, width: float, size: float, weight: str) -> list[str]:
        lines = [""]
        for word in self._fonts.printable(text).split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if _width(longer, size, weight) <= width:
                lines[-1] = longer
                continue
            if not lines[-1]:
                lines.pop()
            lines += _pieces(word, size, width, weight)
        return lines


def _height(cells: Sequence[Sequence[str]]) -> float:
    """Height of a row whose cells are lists of lines."""
    return max(map(len, cells)) * _CELL * _LEADING + 3


@functools.lru_cache(maxsize=20_000)
def _width(text: str, size: float, weight: str) -> float:
    font = FontProperties(size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def _pieces(word: str, size: float, width: float, weight: str) -> Iterator[str]:
    """A word, cut wherever it must be to fit."""
    piece = ""
    for letter in word:
        if piece and _width(piece + letter, size, weight) > width:
            yield piece
            piece = ""
        piece += letter
    yield piece
