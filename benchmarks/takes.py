"""Takes for the benchmarks of `ampose.motion`: open motion over time, seen by one static camera.

Motion is that of whole stretches of an open-mocap pack, cut into at most `LONGEST` seconds, on the
subject's own bones, or on the protocol's template with the root's path scaled as the legs are.
Cameras are drawn as the protocol draws them (`ampose.research.evaluation.open_protocol`), but look
at the middle of the motion and stand as far back as it takes to see all of it. Detector-like 2D
has the protocol's noise with its correlation over time, and its missing joints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.geometry import bone_lengths
from ampose.research.data.open_mocap import (
    FRAMES_PER_SECOND,
    TEMPLATE_BONES,
    PackError,
    bone_directions,
    load_pack,
    view_rotation,
    with_bone_lengths,
)
from ampose.research.data.sampling import lasting
from ampose.research.evaluation.open_protocol import (
    IMAGE_SIZE,
    MISSING,
    NEAREST,
    PERSISTENCE,
    SETS,
    detector_like,
)
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]

SHORTEST, LONGEST = 2.0, 10.0
"""Seconds of a motion."""

PACK_TO_WORLD = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Pack axes (z up) to world axes: right-handed, y up."""

INSIDE = 0.9
"""Share of the picture's half width and height that the whole motion may fill."""

_STEP_BACK = 1.1
_LEGS = [H36M_17.edges.index(edge) for edge in ((1, 2), (2, 3), (4, 5), (5, 6))]


@dataclass(frozen=True)
class Motion:
    """One person's unbroken motion.

    Attributes:
        name: pack, subject, trial and first frame.
        description: of the clip, as the pack has it.
        joints: (T, 17, 3) metres, world axes: y up, the floor about 0.
    """

    name: str
    description: str
    joints: Array

    @property
    def times(self) -> Array:
        """(T,) seconds."""
        return np.arange(len(self.joints)) / FRAMES_PER_SECOND


@dataclass(frozen=True)
class Take:
    """A motion as a camera sees it.

    Attributes:
        motion: what is seen.
        camera: its rotation and translation lead from the motion's world to camera axes.
    """

    motion: Motion
    camera: Camera

    @property
    def joints(self) -> Array:
        """(T, 17, 3) metres, camera axes, from the camera: not relative to the root."""
        return self.camera.to_camera(self.motion.joints)

    @property
    def keypoints(self) -> Array:
        """(T, 17, 2) pixels, exact."""
        return self.camera.project(self.joints)

    def detected(self, rng: np.random.Generator) -> Array:
        """(T, 17, 2) pixels as a detector may give them, NaN where missing."""
        exact = self.keypoints
        odd = len(exact) | 1  # as `lasting` needs, which starts in the middle
        noise = lasting(rng.standard_normal((1, odd, *exact.shape[1:])), PERSISTENCE)
        noise = noise[0, : len(exact)]
        return detector_like(exact, noise, rng.random(exact.shape[:2]) < MISSING)


def arguments_of(description: str, out: Path) -> argparse.ArgumentParser:
    """The command line of a benchmark on takes: data, sets and out."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the open-mocap packs")
    parser.add_argument("--sets", nargs="+", default=["cmu-val"], choices=list(SETS))
    parser.add_argument("-o", "--out", type=Path, default=out)
    return parser


def write_results(out: Path, *tables: Iterable[dict[str, str]], **notes: str) -> None:
    """Prints rows as they come, and writes them at the end, with notes and circumstances above.

    Raises:
        InputError: there are no rows, or the file cannot be written.
    """
    kept = []
    for row in chain(*tables):
        print(*row.values(), flush=True)
        kept.append(row)
    if not kept:
        raise InputError(f"nothing to measure: no motion of {SHORTEST:g} s or more")
    write_table(out, kept, {**notes, **circumstances()})


def run(main: Callable[[], None]) -> None:
    """Ends the program with one line on bad input."""
    try:
        main()
    except InputError as error:
        sys.exit(str(error))


def motions(
    name: str, data: Path, *, bones: str = "native", shortest: float = SHORTEST
) -> Iterator[Motion]:
    """The motions of a named set, such as ``cmu-val`` for choices and ``cmu-test`` for results.

    Args:
        name: one of the protocol's `SETS`.
        data: folder of the packs.
        bones: "native" or "template".
        shortest: seconds; what is shorter is left out.

    Raises:
        InputError: the pack cannot be read.
    """
    stem, split = SETS[name]
    try:
        pack = load_pack(data / f"{stem}.npz")
    except PackError as error:
        raise InputError(str(error)) from error
    frames = pack.frames(split=split, own_skeleton=True)
    track = pack.track(frames)
    most = round(LONGEST * FRAMES_PER_SECOND)
    for start, end in zip(track.starts[:-1], track.starts[1:], strict=True):
        for first in range(start, end, most):
            part = slice(first, min(first + most, end))
            if part.stop - part.start < shortest * FRAMES_PER_SECOND:
                continue
            pose, root = pack.positions[frames[part]].astype(np.float64), track.root[part]
            if bones == "template":
                own = bone_lengths(pose[0], H36M_17)
                root = root * (TEMPLATE_BONES[_LEGS].sum() / own[_LEGS].sum())
                pose = with_bone_lengths(bone_directions(pose), TEMPLATE_BONES)
            clip = pack.clips[frames[first]]
            yield Motion(
                f"{stem}/{pack.subject[clip]}_{pack.trial[clip]}/{first - start}",
                str(pack.description[clip]),
                (pose + root[:, None]) @ PACK_TO_WORLD.T,
            )


def filmed(motion: Motion, rng: np.random.Generator) -> Take:
    """A motion with a camera drawn for it."""
    return Take(motion, camera_for(motion.joints, rng))


def camera_for(points: Array, rng: np.random.Generator) -> Camera:
    """A camera that sees all points (..., 3) of a world, however many people they belong to."""
    fov = rng.uniform(40, 75)
    distance = rng.uniform(2.5, 7)
    azimuth = rng.uniform(0, 2 * np.pi)
    elevation = np.radians(np.clip(rng.normal(8, 12), -20, 45))
    roll = np.radians(rng.normal(0, 3))
    turn = view_rotation(*map(np.asarray, (azimuth, elevation, roll))) @ PACK_TO_WORLD.T
    camera = Camera.from_fov(IMAGE_SIZE, fov)
    flat = points.reshape(-1, 3)
    middle = (flat.min(0) + flat.max(0)) / 2
    seen = (flat - middle) @ turn.T
    half = INSIDE * np.divide(IMAGE_SIZE, 2) / camera.focal
    while True:
        depth = seen[:, 2:] + distance
        if depth.min() > NEAREST and (np.abs(seen[:, :2]) <= half * depth).all():
            break
        distance *= _STEP_BACK
    return replace(camera, rotation=turn, translation=[0, 0, distance] - turn @ middle)
