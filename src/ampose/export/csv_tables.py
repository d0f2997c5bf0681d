"""Tables for spreadsheets and data frames: ``poses.csv``, tidy, and ``poses_wide.csv``.

Tidy: a row per frame, person and joint, with all that a `PoseSequence` holds of it. ``relative``,
``root`` and ``sigma`` are metres in camera axes, ``world`` metres with y up, ``keypoint`` pixels.
Columns are not called x and y alone: `ampose.keypoint_files` reads those as pixels.

Wide: a row per frame; columns ``<id>_<joint>_<axis>`` are metres with y up, in the axes of
`takes.upright`.

Frames count from 0, times are the recording's own, yes and no are 1 and 0, absent is empty.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.export.numbers import cell
from ampose.export.takes import upright
from ampose.export.writing import replacing
from ampose.poses import CHANGES, PoseSequence

Array = NDArray[np.floating]

_AXES = ("x", "y", "z")
_POINTS = {
    "relative": _AXES,
    "root": _AXES,
    "world": _AXES,
    "sigma": _AXES,
    "keypoint": ("x", "y"),
}
_DECIMALS = {"keypoint": 2, "score": 4}
"""Others have a hundredth of a millimetre."""

_MARKS = ("valid", *CHANGES)

COLUMNS = (
    *("frame", "time", "person", "joint"),
    *(f"{name}_{axis}" for name, axes in _POINTS.items() for axis in axes),
    "score",
    *_MARKS,
)
"""Of the tidy table; more may be added at the end."""


def write_csv(sequence: PoseSequence, path: Path | str) -> None:
    """Write the tidy table.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
    """
    with replacing(path) as file:
        file.write((",".join(COLUMNS) + "\n").encode())
        for frame, time in enumerate(sequence.times.tolist()):
            file.writelines(_lines(sequence, frame, time))


def write_wide_csv(sequence: PoseSequence, path: Path | str) -> None:
    """Write the wide table.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
    """
    people = [str(identity) for identity in sequence.ids.tolist()]
    names = list(map("_".join, itertools.product(people, sequence.skeleton.joints, _AXES)))
    places = upright(sequence).reshape(sequence.frame_count, len(names))
    with replacing(path) as file:
        file.write((",".join(["frame", "time", *names]) + "\n").encode())
        for frame, (time, row) in enumerate(
            zip(sequence.times.tolist(), places.tolist(), strict=True)
        ):
            cells = [str(frame), f"{time:.6f}", *(cell(value, 5) for value in row)]
            file.write((",".join(cells) + "\n").encode())


def _lines(sequence: PoseSequence, frame: int, time: float) -> Iterator[bytes]:
    joints = sequence.joints[frame]
    values = {
        "relative": joints,
        "root": np.broadcast_to(sequence.root[frame][:, None], joints.shape),
        "world": sequence.world[frame],
        "sigma": sequence.sigma[frame],
        "keypoint": sequence.keypoints[frame],
        "score": sequence.scores[frame][..., None],
    }
    columns = [(array.tolist(), _DECIMALS.get(name, 5)) for name, array in values.items()]
    marks = np.stack([getattr(sequence, name)[frame] for name in _MARKS], axis=-1)
    for person, identity in enumerate(sequence.ids.tolist()):
        for joint, name in enumerate(sequence.skeleton.joints):
            cells = [f"{frame},{time:.6f},{identity},{name}"]
            for array, decimals in columns:
                cells += [cell(value, decimals) for value in array[person][joint]]
            cells += ["1" if mark else "0" for mark in marks[person, joint]]
            yield (",".join(cells) + "\n").encode()
