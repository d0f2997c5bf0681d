"""One person's motion, as the rules that find events see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.analysis.error_bars import deviations
from ampose.analysis.formulas import facing
from ampose.analysis.frame_rate import frames_per_second
from ampose.analysis.gravity import Gravity, gravity_of
from ampose.analysis.registry import columns_of
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
    """

    name: str
    frame: int


@dataclass(frozen=True)
class Found:
    """What a movement's rules find for one person.

    Attributes:
        marks: in any order.
        warnings: what a careful user should know of them, sentences that do not name the person.
    """

    marks: tuple[Mark, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Moving:
    """Joints of one person over time, in camera axes, relative to the pelvis.

    Attributes:
        joints: (T, 17, 3) metres; NaN where there is no estimate.
        sigma: (T, 17, 3) metres, standard deviation of `joints`; NaN where nothing says it.
        root: (T, 3) metres, the pelvis, camera axes; an estimate.
        times: (T,) seconds, rising.
        gravity: which way is up; rules that need it do with a level camera if it is not known.
        handed: side that somebody throws or swings from, if the user gave it.
    """

    joints: Array
    sigma: Array
    root: Array
    times: Array
    gravity: Gravity
    handed: Hand | None = None

    def at(self, name: str) -> Array:
        """(T, 3) one joint; NaN in frames in which any joint is not known."""
        return np.where(self.there[:, None], self.joints[:, H36M_17.index(name)], np.nan)

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """(T,) frames in which all joints are known."""
        return np.asarray(np.isfinite(self.joints).all((-2, -1)))

    def parts(self) -> Iterator[slice]:
        """Unbroken stretches of three frames or more in which all joints are known."""
        for part in stretches(self.there, self.times):
            if part.stop - part.start >= 3:
                yield slice(int(part.start), int(part.stop))

    @cached_property
    def leg(self) -> float:
        """Metres of thigh and shank end to end, median over frames, mean of both sides."""
        lengths = [
            np.linalg.norm(self.at(f"{side}_{end}") - self.at(f"{side}_{start}"), axis=-1)
            for side in ("left", "right")
            for start, end in (("hip", "knee"), ("knee", "ankle"))
        ]
        return float(np.nanmedian(lengths, axis=1).sum() / 2) if self.there.any() else np.nan

    def angle(self, name: str) -> Array:
        """(T,) degrees of one angle with its side; NaN in frames in which any joint is missing."""
        (column,) = columns_of([name])
        return np.where(self.there, column.of(self.joints, self.gravity.up), np.nan)

    def angle_sigma(self, name: str) -> float:
        """Degrees, median error bar of an angle; 0 where nothing says it."""
        (column,) = columns_of([name])
        bars = deviations(column, self.joints, self.sigma, self.gravity)
        known = bars[np.isfinite(bars)]
        return float(np.median(known)) if len(known) else 0.0

    def facing(self, seconds: float) -> Array:
        """(T, 3) horizontal unit vector to where the pelvis faces, the mean over a time.

        Over the frames that are no farther away than half of `seconds`; NaN where the person is
        not known.
        """
        forward = np.where(self.there[:, None], facing(self.joints, self.gravity.up), np.nan)
        known = present(forward)[:, None]
        sums = np.vstack([np.zeros(3), np.cumsum(np.where(known, forward, 0), axis=0)])
        first = np.searchsorted(self.times, self.times - seconds / 2, "left")
        last = np.searchsorted(self.times, self.times + seconds / 2, "right")
        mean = sums[last] - sums[first]
        length = np.linalg.norm(mean, axis=-1, keepdims=True)
        return np.where(known & (length > 0), mean / np.where(length > 0, length, 1), np.nan)

    def smoothed(self, values: Array, cutoff: float) -> Array:
        """Values (T, D) without what is faster than `cutoff`, Hz; without lag."""
        return butterworth(values, self.times, cutoff)[0]


def moving_people(sequence: PoseSequence, handed: Hand | None = None) -> tuple[Moving, ...]:
    """Everybody in a recording, in the order of `ids`.

    Raises:
        InputError: another joint set, or frames that do not follow one another in time.
    """
    if sequence.skeleton != H36M_17:
        raise InputError(
            f"events need the joints of {H36M_17.name}, these poses are {sequence.skeleton.name}"
        )
    if np.isnan(frames_per_second(sequence.times)):
        raise InputError(
            "events need two or more frames of one recording; here times do not rise, as in photos"
        )
    joints = np.where(sequence.valid[..., None], sequence.joints, np.nan).astype(np.float64)
    gravity = gravity_of(sequence)
    return tuple(
        Moving(
            joints[:, person],
            sequence.sigma[:, person],
            sequence.root[:, person].astype(np.float64),
            sequence.times,
            gravity,
            handed,
        )
        for person in range(sequence.person_count)
    )
