"""Fonts of the machine, for letters that Pillow's own has not, such as Chinese names of files."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

from PIL import ImageFont

_FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    *("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    *(r"${WINDIR}\Fonts", r"${LOCALAPPDATA}\Microsoft\Windows\Fonts"),
)
"""Of Linux, macOS and Windows."""

_KINDS = {".ttf", ".ttc", ".otf"}
_NOT_PLAIN = ("bold", "black", "italic", "oblique", "light", "thin", "mono", "serif", "emoji")
_AT_MOST = 40
_SIZE = 16
_NO_LETTER = "\U0010ffff"  # of no font; looks like all others that a font has not


@functools.lru_cache(maxsize=256)
def font_with(text: str) -> Path | None:
    """A font of the machine that has all of a text.

    Returns:
        None where Pillow's own has it all, and where no font that was found does.
    """
    own = ImageFont.load_default(_SIZE)
    if text.isascii() or _has(own, text):
        return None
    for path in _files():
        try:
            if _has(ImageFont.truetype(path, _SIZE), text):
                return path
        except OSError:  # damaged, or of pictures in one size only
            continue
    return None


def _has(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> bool:
    """Whether the font has a shape for every letter; Pillow does not list a font's letters."""
    none = _shape(font, _NO_LETTER)
    return all(_shape(font, letter) != none for letter in set(text) if not letter.isspace())


def _shape(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, letter: str) -> tuple[object, ...]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


@functools.cache
def _files() -> tuple[Path, ...]:
    """Plain fonts first, then large ones, which have many letters."""
    found = {path: path.stat().st_size for folder in _folders() for path in _in(folder)}
    order = sorted(found, key=lambda path: (_fancy(path), -found[path], str(path)))
    return tuple(order[:_AT_MOST])


def _folders() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield Path(os.path.expandvars(folder)).expanduser()


def _in(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in _KINDS and path.is_file():
                yield path


def _fancy(path: Path) -> bool:
    return any(word in path.name.lower() for word in _NOT_PLAIN)
