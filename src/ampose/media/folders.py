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
    return sorted(paths, key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    # The odd places of a split with a group hold the numbers, so like meets like in a comparison.
    parts: list[str | int] = list(re.split(r"([0-9]+)", path.name.casefold()))
    parts[1::2] = [int(part) for part in parts[1::2]]
    return parts, path.name
