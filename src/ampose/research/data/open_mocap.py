"""Packs of open motion: 17 Human3.6M joints at 25 frames/s, as one ``.npz`` per source.

Arrays of a pack: ``positions`` int16 (N, 17, 3), unit 0.1 mm, root-relative, axes x right, y
forward, z up; ``clip_start`` int32 (C + 1), clip c is rows ``clip_start[c]`` to
``clip_start[c + 1]``; and one string per clip in ``subject``, ``trial``, ``skeleton``,
``description`` and ``split``. Windows in time also need ``root`` float32 (N, 3), metres, the same
axes: where joint 0 is.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import bone_vectors, joints_from_bones, rotation_about
from ampose.skeletons import H36M_17, H36M_17_TYPICAL_MM

Array = NDArray[np.floating]

UNIT_METRES = 1e-4

FRAMES_PER_SECOND = 25

FASTEST = 18.0
"""Metres per second. Where a joint is faster than this from one frame to the next, the capture has
jumped: so in six clips of CMU's training subjects, 19 to 62 m/s; an acrobat's ankle reaches 16."""

PACK_TO_CAMERA = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Pack axes to the axes of a level camera that looks along the pack's y axis."""

OWN_SKELETONS = ("asf-own", "bvh-own", "fbx")
"""Clips on the subject's own skeleton. The others were retargeted: fit to train, not to test."""

FOLD = "fold"
"""Split: training subjects to hold out while options are chosen; put back for the final run."""

REST = "rest"
"""Split: training subjects without the fold."""

FOLD_SUBJECTS = ("49", "64", "69", "139", "140")
"""Acrobatics, balancing and getting up from the ground: the fold has floor and seated poses, of
which the validation subjects have none."""

TEMPLATE_BONES = np.array(H36M_17_TYPICAL_MM) / 1000
"""Bone lengths in metres of a typical Human3.6M subject, for joints 1 to 16 (protocol v1)."""

_CLIP_COLUMNS = ("subject", "trial", "skeleton", "description", "split")


class PackError(ValueError):
    """A file is not an open-mocap pack; the message names the file and what is wrong."""


@dataclass(frozen=True)
class Track:
    """How poses follow each other in time.

    Attributes:
        root: (N, 3) float32 metres, where each pose's joint 0 is, pack axes.
        starts: (S + 1,) stretch s of unbroken motion is poses ``starts[s]`` to ``starts[s + 1]``.
    """

    root: Array
    starts: NDArray[np.int64]

    @classmethod
    def none(cls, poses: int) -> Track:
        """The track of poses that each stand alone."""
        return cls(np.zeros((poses, 3), np.float32), np.arange(poses + 1))

    @classmethod
    def joined(cls, tracks: Sequence[Track]) -> Track:
        """The track of poses joined end to end."""
        starts = [np.zeros(1, np.int64)]
        for track in tracks:
            starts.append(starts[-1][-1] + track.starts[1:])
        return cls(np.concatenate([track.root for track in tracks]), np.concatenate(starts))


@dataclass(frozen=True)
class Pack:
    """One pack in memory.

    Attributes:
        name: file name without its ending, such as ``"cmu"``.
        positions: (N, 17, 3) float32 metres, root-relative, axes x right, y forward, z up.
        root: (N, 3) float32 metres, where joint 0 is; None if the file does not say.
        clips: (N,) index of each frame's clip.
        subject, trial, skeleton, description, split: (C,) strings.
    """

    name: str
    positions: Array
    root: Array | None
    clips: NDArray[np.int64]
    subject: NDArray[np.str_]
    trial: NDArray[np.str_]
    skeleton: NDArray[np.str_]
    description: NDArray[np.str_]
    split: NDArray[np.str_]

    def frames(self, *, split: str, own_skeleton: bool = False) -> NDArray[np.int64]:
        """Indices of the frames of one split, optionally only of clips on their own skeleton.

        Beside the splits that the file names there are `FOLD` and `REST`, into which its ``train``
        falls.
        """
        if split in (FOLD, REST):
            in_fold = np.isin(self.subject, FOLD_SUBJECTS)
            chosen = (self.split == "train") & (in_fold if split == FOLD else ~in_fold)
        else:
            chosen = self.split == split
        if own_skeleton:
            chosen &= np.isin(self.skeleton, OWN_SKELETONS)
        return np.flatnonzero(chosen[self.clips])

    def track(self, frames: NDArray[np.int64]) -> Track:
        """How frames follow each other; they must be all of some clips, such as those of a split.

        A stretch ends with its clip, and where the capture has jumped (`FASTEST`).

        Raises:
            PackError: the pack has no root.
        """
        if self.root is None:
            raise PackError(f"{self.name}: lacks root, without which there are no windows in time")
        root = self.root[frames]
        joints = self.positions[frames] + root[:, None]
        moved = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(-1, initial=0)
        broken = moved * FRAMES_PER_SECOND > FASTEST
        broken |= np.diff(self.clips[frames]) != 0
        return Track(root, np.r_[0, np.flatnonzero(broken) + 1, len(frames)])


def load_pack(path: Path | str) -> Pack:
    """Reads and checks a pack.

    Raises:
        PackError: the file is missing, is no ``.npz``, or an array is absent or of the wrong
        shape.
    """
    path = Path(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise PackError(
            f"{path}: no such file; give the folder of the open-mocap packs with --data"
        ) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise PackError(f"{path}: not a readable .npz file ({error})") from error
    missing = {"positions", "clip_start", *_CLIP_COLUMNS} - arrays.keys()
    if missing:
        raise PackError(f"{path}: lacks {', '.join(sorted(missing))}; it has {', '.join(arrays)}")
    _check(path, arrays)
    positions, start, root = arrays["positions"], arrays["clip_start"], arrays.get("root")
    return Pack(
        path.stem,
        positions.astype(np.float32) * np.float32(UNIT_METRES),
        None if root is None else root.astype(np.float32),
        np.repeat(np.arange(len(start) - 1), np.diff(start)),
        **{key: arrays[key] for key in _CLIP_COLUMNS},
    )


def _check(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    positions, start = arrays["positions"], arrays["clip_start"]
    if positions.ndim != 3 or positions.shape[1:] != (17, 3) or positions.dtype != np.int16:
        raise PackError(
            f"{path}: positions must be int16 (N, 17, 3), got {positions.dtype} {positions.shape}"
        )
    if (
        start.ndim != 1
        or not len(start)
        or start[0] != 0
        or start[-1] != len(positions)
        or (np.diff(start) < 1).any()
    ):
        raise PackError(f"{path}: clip_start must rise from 0 to {len(positions)}")
    for key in _CLIP_COLUMNS:
        if arrays[key].shape != (len(start) - 1,):
            raise PackError(f"{path}: {key} must hold one string per clip ({len(start) - 1})")
    if positions[:, 0].any():
        raise PackError(f"{path}: positions must be relative to joint 0")
    root = arrays.get("root")
    if root is not None and not (
        root.shape == (len(positions), 3)
        and np.issubdtype(root.dtype, np.floating)
        and np.isfinite(root).all()
    ):
        raise PackError(
            f"{path}: root must be finite numbers ({len(positions)}, 3), "
            f"got {root.dtype} {root.shape}"
        )


def view_rotation(azimuth: Array, elevation: Array, roll: Array) -> Array:
    """Pack axes to the axes of cameras, (N, 3, 3), from angles (N,) in radians.

    The body turns by the azimuth; the camera looks down by the elevation and rolls about its axis.
    """
    return np.asarray(
        rotation_about(2, roll)
        @ rotation_about(0, elevation)
        @ PACK_TO_CAMERA
        @ rotation_about(2, azimuth)
    )


def bone_directions(positions: Array) -> Array:
    """Unit vectors of the 16 bones: (..., 17, 3) to (..., 16, 3).

    Raises:
        ValueError: a bone has no length.
    """
    bones = bone_vectors(positions, H36M_17)
    lengths = np.linalg.norm(bones, axis=-1, keepdims=True)
    if not (lengths > 0).all():
        raise ValueError("a bone has no length, so no direction")
    return np.asarray(bones / lengths)


def with_bone_lengths(directions: Array, lengths: Array) -> Array:
    """Joints (..., 17, 3) in metres from bone directions (..., 16, 3) and lengths (..., 16)."""
    return joints_from_bones(directions * lengths[..., None], H36M_17)
