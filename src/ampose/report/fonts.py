"""Fonts for the letters of any script that file names and warnings are written in.

Needs matplotlib, whose own font has Latin, Greek and Cyrillic letters. For others the fonts of the
machine are searched; what none of them has is written as its code point, ``<U+8A66>``.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager, get_font

from ampose.render.figure_style import OWN_FONT, drawing
from ampose.render.words import code_point, visible

_AT_MOST = 3
_LAST_RESORT = "Last Resort"  # comes with matplotlib; has a box for every letter


class Fonts:
    """Fonts that have the letters of some texts.

    Attributes:
        families: names for matplotlib, in the order in which they are asked.
        pdf_fonts: kind in which a PDF must hold them: 42, or 3 for those with PostScript outlines.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.families = [OWN_FONT]
        self.pdf_fonts = 42
        self._known = _own_letters()
        missing = {ord(letter) for text in texts for letter in visible(text)} - self._known
        for family, truetype, letters in _others() if missing else ():
            kind = min(self.pdf_fonts, 42 if truetype else 3)
            if not letters & missing or not _can_be_used(
                family, kind, chr(min(letters & missing))
            ):
                continue
            self.families.append(family)
            self.pdf_fonts = kind
            self._known |= letters & missing
            missing -= letters
            if not missing or len(self.families) > _AT_MOST:
                break

    def printable(self, text: str) -> str:
        """The text in letters that there are."""
        return "".join(c if ord(c) in self._known else code_point(c) for c in visible(text))


def _own_letters() -> set[int]:
    return _letters(next(entry for entry in fontManager.ttflist if entry.name == OWN_FONT))


def _letters(entry: FontEntry) -> set[int]:
    return set(get_font(entry.fname).get_charmap())


@functools.cache
def _others() -> list[tuple[str, bool, set[int]]]:
    """Upright fonts: name, whether outlines are TrueType, letters.

    TrueType first, then those with the most letters.
    """
    found = {}
    for entry in fontManager.ttflist:
        if entry.style == "normal" and entry.name not in found and _LAST_RESORT not in entry.name:
            try:
                found[entry.name] = (_is_truetype(entry.fname), _letters(entry))
            except (OSError, RuntimeError):  # listed, but gone or of a kind that is not read
                continue
    order = sorted(found, key=lambda name: (not found[name][0], -len(found[name][1]), name))
    return [(name, *found[name]) for name in order]


def _is_truetype(path: str) -> bool:
    """Whether a font, or the first of a collection, has TrueType outlines, not PostScript ones."""
    with Path(path).open("rb") as file:
        kind = file.read(4)
        if kind == b"ttcf":
            file.seek(12)
            file.seek(int.from_bytes(file.read(4), "big"))
            kind = file.read(4)
    return kind in (b"\x00\x01\x00\x00", b"true")


@functools.cache
def _can_be_used(family: str, kind: int, letter: str) -> bool:
    """Whether matplotlib can put the font into a PDF, which it cannot with all of them."""
    with drawing([OWN_FONT, family], {"pdf.fonttype": kind}):
        figure = Figure(figsize=(1, 1))
        figure.text(0.5, 0.5, letter)
        try:
            figure.savefig(io.BytesIO(), format="pdf")
        except Exception:  # noqa: BLE001 - a damaged font raises a dozen kinds
            return False
    return True
