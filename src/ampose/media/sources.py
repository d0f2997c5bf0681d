"""Files by the name that a result tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ampose.data import DEMO_CLIP


def find_source(name: str, folders: Iterable[Path]) -> Path | None:
    """A file or folder of that name in the first of the folders that has one.

    Results hold the name of what they were made from, not the place. The bundled clip is where
    it always is.
    """
    name = Path(name).name
    if not name:
        return None
    places = (*(folder / name for folder in folders), DEMO_CLIP)
    return next((path for path in places if path.name == name and path.exists()), None)
