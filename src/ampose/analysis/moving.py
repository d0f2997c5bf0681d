"""One person's motion as the rules that find events look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.analysis.formulas import facing
from ampose.analysis.frame_rate import frames_per_second
from ampose.analysis.gravity import gravity_of
from ampose.errors import InputError
from ampose.motion.filters import butterworth
from ampose.motion.stretches import present, stretches
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]
Hand = Literal["left", "right"]


@dataclass(frozen=True)
class Mark:
    """A moment that a rule has found.

    Attributes:
        name: of the event.
        frame: index into the recording.
        rule: that found it, a sentence.
    """

    name: str
    frame: int
    rule: str


@dataclass(frozen=True)
class Found:
    """What a movement's rules say of one person.

    Attributes:
        marks: in the order of time.
        warnings: what a careful user should know, sentences without the person's name.
        told: facts that were read from the motion, such as ``handed``.
    """

    marks: tuple[Mark, ...] = ()
    warnings: tuple[str, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Moving:
    """Joints of one person over time, in camera axes, relative to the pelvis.

    Attributes:
        joints: (T, 17, 3) metres; NaN where there is no estimate.
        times: (T,) seconds, rising.
        up: (3,) unit vector against gravity.
        up_is_known: whether `up` is estimated; else the camera is taken to be level.
        travelled: (T, 3) metres, the pelvis in the world; NaN where there is no world.
        handed: what the user says of the side they throw or swing from, if anything.
    """

    joints: Array
    times: Array
    up: Array
    up_is_known: bool
    travelled: Array
    handed: Hand | None = None

    @property
    def rate(self) -> float:
        """Frames per second."""
        return frames_per_second(self.times)

    def at(self, name: str) -> Array:
        """(T, 3) one joint."""
        return self.joints[:, H36M_17.index(name)]

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """(T,) frames in which all joints are known."""
        return np.asarray(np.isfinite(self.joints).all((-2, -1)))

    @property
    def stretches(self) -> list[slice]:
        """Unbroken stretches of frames in which all joints are known."""
        return stretches(self.there, self.times)

    @cached_property
    def leg(self) -> float:
        """Metres of thigh and shank, median over frames and sides; NaN without legs."""
        lengths = [
            np.linalg.norm(self.at(f"{side}_{end}") - self.at(f"{side}_{start}"), axis=-1)
            for side in ("left", "right")
            for start, end in (("hip", "knee"), ("knee", "ankle"))
        ]
        known = np.array(lengths)[:, self.there]
        return float(np.median(known, axis=1).sum() / 2) if known.size else float("nan")

    def facing(self, seconds: float) -> Array:
        """(T, 3) horizontal unit vector to where the pelvis faces, averaged over a time.

        The mean over the frames that are no farther away in time than half of `seconds`.
        """
        forward = np.where(self.there[:, None], facing(self.joints, self.up), np.nan)
        known = present(forward)
        sums = np.cumsum(np.vstack([np.zeros(3), np.where(known[:, None], forward, 0)]), axis=0)
        first = np.searchsorted(self.times, self.times - seconds / 2, "left")
        last = np.searchsorted(self.times, self.times + seconds / 2, "right")
        mean = sums[last] - sums[first]
        length = np.linalg.norm(mean, axis=-1, keepdims=True)
        return np.where(
            known[:, None] & (length > 0), mean / np.where(length > 0, length, 1), np.nan
        )

    def smoothed(self, values: Array, cutoff: float) -> Array:
        """Values (T, D) without what is faster than `cutoff`, Hz, and without lag."""
        return butterworth(values, self.times, cutoff)[0]

    def speed(self, places: Array) -> Array:
        """(T,) metres per second of places (T, 3), from the frame before to the frame after."""
        return np.asarray(np.linalg.norm(np.gradient(places, self.times, axis=0), axis=-1))


def moving_people(sequence: PoseSequence, handed: Hand | None = None) -> tuple[Moving, ...]:
    """Everybody in a recording, in the order of their ids' places.

    Raises:
        InputError: another joint set, or frames that do not follow one another in time.
    """
    if sequence.skeleton != H36M_17:
        raise InputError(
            f"events need the joints of {H36M_17.name}, these poses are {sequence.skeleton.name}"
        )
    if np.isnan(frames_per_second(sequence.times)):
        raise InputError("events need frames of one recording; here times do not rise")
    joints = np.where(sequence.valid[..., None], sequence.joints, np.nan).astype(np.float64)
    up = gravity_of(sequence).up
    pelvis = sequence.world[:, :, H36M_17.root].astype(np.float64)
    return tuple(
        Moving(
            joints[:, person],
            sequence.times,
            up,
            bool(sequence.world_frame),
            pelvis[:, person],
            handed,
        )
        for person in range(sequence.person_count)
    )
