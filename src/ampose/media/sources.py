"""Finds the recording that a result was made from by the name that the result holds."""

from __future__ import annotations

from pathlib import Path

from ampose.data import DEMO_CLIP
from ampose.errors import InputError
from ampose.media.folders import photo_paths
from ampose.media.kinds import media_kind


def find_source(name: str, poses: Path) -> Path | None:
    """The photo, video or folder of photos that a result was made from; None if not found.

    Results hold its name, not its path. It is looked for beside the poses, in the folder above and
    in the current folder; the bundled clip has its fixed place. Files of keypoints, which
    ``ampose lift`` takes, have no pictures.

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
