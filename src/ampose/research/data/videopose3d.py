"""Files in the layout of VideoPose3D: poses and keypoints by subject and action.

``data_3d_<dataset>.npz`` holds ``positions_3d``: subject to action to (F, J, 3) metres, world
axes. ``data_2d_<dataset>_<keypoints>.npz`` holds ``positions_2d``: subject to action to one
(F, J, 2) array of pixels per camera, and ``metadata``, whose ``keypoints_symmetry`` lists the left
and the right joints. Cameras are tables of a unit quaternion (w, x, y, z) that turns camera axes
to world axes, and the camera's place in the world. Source: Pavllo et al., CVPR 2019, and their
repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.research.data.pickled_npz import load_pickled
from ampose.research.data.pose_set import DatasetError
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

Positions = dict[str, dict[str, Array]]
Keypoints = dict[str, dict[str, list[Array]]]


def load_positions(path: Path, subjects: Iterable[str], joints: int, where: str) -> Positions:
    """Poses in metres, world axes: subject to action to (F, joints, 3).

    Args:
        path: ``data_3d_<dataset>.npz``.
        subjects: those to read; the file may hold more.
        joints: how many each pose must have.
        where: where to get the file, for the error.

    Raises:
        DatasetError: a subject is missing, an array has another shape or a number is not finite.
    """
    content = load_pickled(path, ["positions_3d"], where)["positions_3d"]
    return {
        subject: {
            str(action): _checked(path, f"{subject} {action}", world, (joints, 3), where)
            for action, world in takes.items()
        }
        for subject, takes in _takes(path, "positions_3d", content, subjects, where).items()
    }


def load_keypoints(
    path: Path,
    subjects: Iterable[str],
    cameras: Sequence[str],
    layouts: Iterable[Skeleton],
    where: str,
    *,
    unnamed: Skeleton | None = None,
) -> tuple[Keypoints, Skeleton]:
    """Keypoints in pixels, subject to action to one (F, J, 2) per camera, and their joint set.

    Args:
        path: ``data_2d_<dataset>_<keypoints>.npz``.
        subjects: those to read; the file may hold more.
        cameras: their names, in the order of each action's list.
        layouts: the joint sets that the file may have.
        where: where to get the file, for the error.
        unnamed: the joint set of a file without metadata, which is an error without it.

    Raises:
        DatasetError: another joint set, a subject or a camera is missing, an array has another
            shape or a number is not finite.
    """
    needed = ["positions_2d", "metadata"] if unnamed is None else ["positions_2d"]
    content = load_pickled(path, needed, where, optional=["metadata"])
    if unnamed is not None and "metadata" not in content:
        skeleton = unnamed
    else:
        skeleton = _layout(path, content["metadata"], list(layouts), where)
    out: Keypoints = {}
    takes = _takes(path, "positions_2d", content["positions_2d"], subjects, where)
    for subject, actions in takes.items():
        out[subject] = {}
        for action, views in actions.items():
            count = len(views) if isinstance(views, list) else "no list of"
            if count != len(cameras):
                raise DatasetError(
                    f"{path}: {subject} {action} has {count} cameras, not {len(cameras)} "
                    f"({', '.join(cameras)}); {where}"
                )
            out[subject][str(action)] = [
                _checked(path, f"{subject} {action} {camera}", view, (len(skeleton), 2), where)
                for camera, view in zip(cameras, views, strict=True)
            ]
    return out, skeleton


def action_name(take: str) -> str:
    """The action of a take: ``"Walking 1"`` and ``"Walking 1 chunk0"`` are of ``"Walking"``."""
    return take.partition(" ")[0]


def camera_pose(orientation: Sequence[float], position: Sequence[float]) -> tuple[Array, Array]:
    """`Camera.rotation` and `Camera.translation` from a row of a camera table.

    Args:
        orientation: (4,) quaternion w, x, y, z, camera axes to world axes.
        position: (3,) metres, of the camera in the world.
    """
    w, *axis = np.asarray(orientation) / np.linalg.norm(orientation)
    cross = np.cross(axis, np.eye(3)).T  # cross @ v is the cross product of axis and v
    to_camera = (np.eye(3) + 2 * w * cross + 2 * cross @ cross).T
    return to_camera, -to_camera @ np.asarray(position)


def _layout(path: Path, metadata: Any, layouts: list[Skeleton], where: str) -> Skeleton:
    """The joint set whose left and right joints the metadata names.

    Not by ``layout_name``: not every published file has one.
    """
    try:
        left, right = metadata["keypoints_symmetry"]
        found = [set(left), set(right)]
    except (TypeError, KeyError, IndexError, ValueError):
        found = []
    for skeleton in layouts:
        if found == [set(side) for side in zip(*skeleton.pairs, strict=True)]:
            return skeleton
    names = " or ".join(skeleton.name for skeleton in layouts)
    raise DatasetError(f"{path}: keypoints_symmetry of metadata is not that of {names}; {where}")


def _takes(
    path: Path, key: str, content: Any, subjects: Iterable[str], where: str
) -> dict[str, dict[str, Any]]:
    """The dictionary of each subject asked for."""
    held = content if isinstance(content, dict) else {}
    out = {}
    for subject in subjects:
        if not isinstance(held.get(subject), dict):
            names = ", ".join(map(str, held)) or "no subject"
            raise DatasetError(f"{path}: {key} lacks {subject}; it holds {names}; {where}")
        out[subject] = held[subject]
    return out


def _checked(path: Path, what: str, array: Any, tail: tuple[int, int], where: str) -> Array:
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        found: object = getattr(array, "dtype", type(array).__name__)
    elif array.ndim != 3 or array.shape[1:] != tail or not len(array):
        found = array.shape
    elif not np.isfinite(array).all():
        found = "a number that is not finite"
    else:
        return array
    shape = f"(F, {tail[0]}, {tail[1]})"
    raise DatasetError(f"{path}: {what} must be floating-point {shape}, got {found}; {where}")
