"""The photos of a folder, in the order a person would put them."""

from __future__ import annotations

import re
from pathlib import Path

from ampose.errors import InputError

PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""What counts as a photo in a folder, upper or lower case."""


def photo_paths(folder: Path | str) -> list[Path]:
    """The photos directly in `folder`, 2.jpg before 10.jpg; hidden files are left out.

    Raises:
        InputError: the folder is missing, unreadable, no folder, or holds no photo.
    """
    folder = Path(folder)
    try:
        paths = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in PHOTO_ENDINGS
            and not path.name.startswith(".")
            and path.is_file()
        ]
    except OSError as error:
        raise InputError(f"folder {folder} cannot be read: {error.strerror}") from None
    if not paths:
        raise InputError(
            f"folder {folder} holds no photo; looked for names ending in {' '.join(PHOTO_ENDINGS)}"
        )
    return sorted(paths, key=lambda path: (natural_key(path.name.casefold()), path.name))


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key under which ``"9.jpg"`` comes before ``"10.jpg"``."""
    parts = re.split(r"([0-9]+)", name)  # text at even places, digits at odd ones
    stripped = [part.lstrip("0") if place % 2 else part for place, part in enumerate(parts)]
    key = [(len(part) if place % 2 else 0, part) for place, part in enumerate(stripped)]
    return key, name  # "01" and "1" have one key: the name settles their order
