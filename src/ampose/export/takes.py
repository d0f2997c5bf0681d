"""Each person's motion as animation programs have it: bones of constant length that turn.

What a `PoseSequence` leaves open is settled here, for BVH and GLB alike:

* Axes: y up. The world's if the sequence has one, with the floor at 0; otherwise the camera's with
  y and z reversed, so that up is up in the picture and the origin is the camera.
* Bones: the median length of each over the frames in which the person is there. After
  `ampose.motion` that is their constant length; of poses made frame by frame only the directions
  are kept.
* Presence: a person is there in frames that have all joints and a place, and absent from others.
* Time: seconds since the first frame of the recording, the same for all people. Photos, which
  have no times, follow one another by the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ampose.cameras import TO_Y_UP
from ampose.errors import InputError
from ampose.export.turns import joint_turns
from ampose.geometry import bone_lengths
from ampose.motion.bones import unit_bones
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

CONSTANT = 0.001
"""Metres by which a bone may differ from its median and still count as constant."""

_HIPS = H36M_17.indices(("left_hip", "right_hip"))


@dataclass(frozen=True, eq=False)
class Take:
    """One person's motion.

    Attributes:
        id: the person's.
        lengths: (16,) metres of the bones that end in Human3.6M's joints 1 to 16.
        times: (T,) seconds since the recording's first frame, of all its frames.
        frames: (K,) in which the person is there; at least one.
        hips: (K, 3) metres, place of the pelvis, y up.
        turns: (K, N, 3, 3) rotation of each joint of `RIG` in the axes of its parent.
        bone_change: metres, the largest difference of a bone from its constant length.
    """

    id: int
    lengths: Array
    times: Array
    frames: NDArray[np.int64]
    hips: Array
    turns: Array
    bone_change: float

    @property
    def seconds(self) -> Array:
        """(K,) seconds of the frames in which the person is there."""
        return np.asarray(self.times[self.frames])

    def at(self, moments: Array) -> tuple[Array, Array]:
        """Hips (M, 3) and turns (M, N, 3, 3) at moments (M,), seconds.

        They are interpolated between two frames. While the person is absent they stay as they were
        last or, before the person comes, as they will be first.
        """
        own = self.seconds
        before = (np.searchsorted(own, moments, "right") - 1).clip(0)
        after = np.minimum(before + 1, len(own) - 1)
        lasting = np.where(self.frames[after] - self.frames[before] == 1, own[after], np.inf)
        share = ((moments - own[before]) / (lasting - own[before])).clip(0, 1)
        hips = self.hips[before]
        hips = hips + share[:, None] * (self.hips[after] - hips)
        first, last = self.turns[before], self.turns[after]
        change = Rotation.from_matrix((np.swapaxes(first, -1, -2) @ last).reshape(-1, 3, 3))
        part = np.repeat(share, first.shape[1])[:, None] * change.as_rotvec()
        return hips, first @ Rotation.from_rotvec(part).as_matrix().reshape(first.shape)


def takes(sequence: PoseSequence) -> list[Take]:
    """The motion of everybody who is there in at least one frame, in the sequence's order.

    Raises:
        InputError: the joints are not Human3.6M's 17.
    """
    if sequence.skeleton != H36M_17:
        raise InputError(
            f"BVH and GLB need the joints of {H36M_17.name}, got {sequence.skeleton.name}"
        )
    times = clock(sequence.times)
    places = upright(sequence)
    people = zip(sequence.ids.tolist(), np.moveaxis(places, 1, 0), strict=True)
    found = (_take(identity, places, times) for identity, places in people)
    return [take for take in found if take]


def clock(times: Array) -> Array:
    """(T,) seconds since the first frame; of photos, whose times do not rise, 0, 1, 2 ..."""
    return np.asarray(times - times[0]) if has_times(times) else np.arange(float(len(times)))


def has_times(times: Array) -> bool:
    """Whether times (T,) are those of a recording: several, and rising."""
    return len(times) > 1 and bool((np.diff(times) > 0).all())


def notes(sequence: PoseSequence, found: Sequence[Take] | None = None) -> tuple[str, ...]:
    """What a user of BVH and GLB should know of how a sequence became a rig's motion.

    Args:
        sequence: what is written.
        found: its `takes`, if they are there already.
    """
    said = [*frame_notes(sequence)]
    there = {take.id: take for take in (takes(sequence) if found is None else found)}
    for identity in sequence.ids.tolist():
        if identity not in there:
            said.append(f"Person {identity} has no whole pose with a place, and is left out.")
            continue
        take = there[identity]
        if absent := sequence.frame_count - len(take.frames):
            said.append(
                f"Person {identity} is absent from {absent} of {sequence.frame_count} frames: "
                "still in BVH, hidden in GLB."
            )
        if take.bone_change > CONSTANT:
            said.append(
                f"Person {identity}'s bones differ by up to {100 * take.bone_change:.1f} cm from "
                "their medians, which the rig has: it keeps directions, not places."
            )
    return tuple(said)


def frame_notes(sequence: PoseSequence) -> tuple[str, ...]:
    """What a user of any file with places should know of its axes and times."""
    said = []
    if not np.isfinite(sequence.world).any():
        said.append(
            "There is no world in this result: up is up in the picture, and the origin is the "
            "camera, not the floor."
        )
    if not has_times(sequence.times) and sequence.frame_count > 1:
        said.append("Photos have no times: they follow one another by the second.")
    return tuple(said)


def upright(sequence: PoseSequence) -> Array:
    """(T, P, J, 3) metres, y up: in the world's axes, or the camera's with y and z reversed."""
    if np.isfinite(sequence.world).any():
        return sequence.world.astype(np.float64)
    return np.asarray((sequence.joints.astype(np.float64) + sequence.root[:, :, None]) * TO_Y_UP)


def _take(identity: int, places: Array, times: Array) -> Take | None:
    """The take of places (T, 17, 3), NaN where absent."""
    whole = np.isfinite(unit_bones(places)).all((-2, -1))
    whole &= (places[:, _HIPS[0]] != places[:, _HIPS[1]]).any(-1)  # else nothing says left
    frames = np.flatnonzero(whole)
    if not len(frames):
        return None
    joints = places[frames]
    each = bone_lengths(joints, H36M_17)
    lengths = np.median(each, axis=0)
    return Take(
        identity,
        lengths,
        times,
        frames,
        joints[:, H36M_17.root],
        joint_turns(joints, times[frames]),
        float(np.abs(each - lengths).max()),
    )
