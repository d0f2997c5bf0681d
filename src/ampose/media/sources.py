"""Recordings by the name that a result tells of them."""

from __future__ import annotations

from pathlib import Path

from ampose.data import DEMO_CLIP
from ampose.errors import InputError
from ampose.media.folders import photo_paths
from ampose.media.kinds import media_kind


def find_source(name: str, poses: Path) -> Path | None:
    """The photo, video or folder of photos of that name: what a result was made from.

    Results hold the name, not the place. It is looked for beside the poses, in the folder above
    and where the user is; the bundled clip is where it always is. Keypoints, which ``ampose lift``
    takes, show nothing.

    Args:
        name: as the result has it.
        poses: the result's ``poses.npz``.
    """
    name = Path(name).name
    if not name:
        return None
    folder = poses.resolve().parent
    places = (folder / name, folder.parent / name, Path(name), DEMO_CLIP)
    return next((path for path in places if path.name == name and _shows(path)), None)


def _shows(path: Path) -> bool:
    """Whether there are pictures at a path."""
    try:
        return media_kind(path) != "folder" or bool(photo_paths(path))
    except InputError:
        return False
