"""Each person's joints as the markers that motion laboratories' programs have: for C3D and TRC.

Names are those of Pose2Sim's marker sets (``RHip``, ``LKnee``, ``Neck`` ...), by which OpenSim
finds a model's markers. Human3.6M's spine and its joint between neck and nose have no name there:
they are called ``Spine`` and ``NeckNose``, and a program that does not know them passes them over.

Axes are those of `takes`. Frames are evenly spaced: the recording's where its times are even, else
places are interpolated at the usual step between frames, between neighbouring frames only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.export.even_times import even, is_even
from ampose.export.takes import clock, frame_notes, has_times, upright
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

MARKERS = {
    "pelvis": "Hip",
    "right_hip": "RHip",
    "right_knee": "RKnee",
    "right_ankle": "RAnkle",
    "left_hip": "LHip",
    "left_knee": "LKnee",
    "left_ankle": "LAnkle",
    "spine": "Spine",
    "thorax": "Neck",
    "neck_nose": "NeckNose",
    "head_top": "Head",
    "left_shoulder": "LShoulder",
    "left_elbow": "LElbow",
    "left_wrist": "LWrist",
    "right_shoulder": "RShoulder",
    "right_elbow": "RElbow",
    "right_wrist": "RWrist",
}
"""Names of joints to names of markers, in the order of Human3.6M's 17 joints."""


@dataclass(frozen=True, eq=False)
class Markers:
    """One person's markers over the whole recording.

    Attributes:
        id: the person's.
        places: (M, 17, 3) metres, y up; a marker is there or NaN as a whole.
        start: seconds, the recording's time of the first frame; 0 for photos.
        rate: frames per second.
    """

    id: int
    places: Array
    start: float
    rate: float

    @property
    def times(self) -> Array:
        """(M,) seconds on the recording's clock."""
        return np.asarray(self.start + np.arange(len(self.places)) / self.rate)


def markers(sequence: PoseSequence, kind: str) -> list[Markers]:
    """The markers of everybody who has one in at least one frame, in the sequence's order.

    Args:
        sequence: poses of Human3.6M's 17 joints.
        kind: the format, for messages.

    Raises:
        InputError: other joints, or times too scattered for a constant rate.
    """
    if sequence.skeleton != H36M_17:
        raise InputError(
            f"{kind} needs the joints of {H36M_17.name}, got {sequence.skeleton.name}"
        )
    times = clock(sequence.times)
    moments, step = even(times, kind)
    places = _whole(upright(sequence))
    if not is_even(times):
        places = _resampled(places, times, moments)
    start = float(sequence.times[0]) if has_times(sequence.times) else 0.0
    return [
        Markers(identity, person, start, 1 / step)
        for identity, person in zip(sequence.ids.tolist(), np.moveaxis(places, 1, 0), strict=True)
        if np.isfinite(person).any()
    ]


def marker_notes(sequence: PoseSequence) -> tuple[str, ...]:
    """What a user of C3D and TRC should know of how poses became markers."""
    said = [*frame_notes(sequence)]
    if not is_even(clock(sequence.times)):
        said.append("Times are uneven: C3D and TRC are interpolated to a constant rate.")
    said.append(
        "Markers are estimated joint centres from one camera, not markers on the skin: give them "
        "little weight in inverse kinematics, and scale models by them with care."
    )
    nowhere = ~np.isfinite(_whole(upright(sequence))).any((0, 2, 3))
    said += [
        f"Person {identity} has no joint with a place, and is left out of C3D and TRC."
        for identity in sequence.ids[nowhere].tolist()
    ]
    return tuple(said)


def _whole(places: Array) -> Array:
    """The places; a point that lacks a coordinate becomes NaN as a whole."""
    return np.asarray(np.where(np.isfinite(places).all(-1, keepdims=True), places, np.nan))


def _resampled(places: Array, times: Array, moments: Array) -> Array:
    """Places (T, ...) at times (T,), interpolated at moments (M,) between present neighbours."""
    before = (np.searchsorted(times, moments + 1e-9, "right") - 1).clip(0)
    after = np.minimum(before + 1, len(times) - 1)
    gap = np.where(after > before, times[after] - times[before], 1.0)
    share = ((moments - times[before]) / gap).clip(0, 1)
    share[share < 1e-6] = 0
    share = share.reshape(-1, *(1,) * (places.ndim - 1))
    between = (1 - share) * places[before] + share * places[after]
    return np.asarray(np.where(share == 0, places[before], between))
