"""The one fast movement of a recording, such as a swing or a throw, by the speed of a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ampose.analysis.moving import Array, Moving
from ampose.skeletons import H36M_17

CUTOFF = 10.0
"""Hz, for places of which the speed is taken; hands turn around within a tenth of a second."""

SLOWEST = 2.5
"""Metres per second: what never is as fast is no full swing and no throw."""

TURNED = 0.35
"""Of the fastest: a movement begins or turns around where it is slowest, and slower than that."""

STILL = 0.15
"""Of the fastest: slower than that is still."""

AGAIN, APART_SECONDS = 0.8, 1.5
"""A second movement is that fast, as a share of the fastest, and that far away from it in time."""

STRIDE = 0.15
"""Of the leg's length: ankles that come apart by less make no stride."""

STRIDE_LEFT = 0.05
"""Of a stride, that may be left when the foot comes down."""


@dataclass(frozen=True, eq=False)
class Burst:
    """A fast movement within an unbroken stretch of frames.

    Attributes:
        first: frame of the recording with which the stretch begins.
        times: (n,) seconds.
        places: (n, 3) metres, smoothed.
        speed: (n,) metres per second.
        fastest: place in the stretch.
    """

    first: int
    times: Array
    places: Array
    speed: Array
    fastest: int

    @property
    def peak(self) -> float:
        """Metres per second."""
        return float(self.speed[self.fastest])

    def within(self, before: float, after: float) -> slice:
        """Places in the stretch from seconds before the fastest moment to seconds after it."""
        moment = self.times[self.fastest]
        return slice(
            int(np.searchsorted(self.times, moment - before)),
            int(np.searchsorted(self.times, moment + after, "right")),
        )

    def turned_before(self, seconds: float) -> int | None:
        """Where the movement began, at most so long before its fastest moment.

        Going back from there, the first place that is slower than `TURNED` and than the one before
        it; None if there is none.
        """
        first = self.within(seconds, 0).start
        for place in range(self.fastest - 1, max(first, 1) - 1, -1):
            slow = self.speed[place] < TURNED * self.peak
            if slow and self.speed[place] <= self.speed[place - 1]:
                return place
        return None

    def still_after(self, place: int) -> int | None:
        """First place after another one at which it is still; None if it never is."""
        still = np.flatnonzero(self.speed[place + 1 :] < STILL * self.peak)
        return place + 1 + int(still[0]) if len(still) else None

    def warnings(self, what: str) -> list[str]:
        """Whether there is another one."""
        away = np.abs(self.times - self.times[self.fastest]) > APART_SECONDS
        if not (self.speed[away] > AGAIN * self.peak).any():
            return []
        return [f"there is more than one fast {what}; only the fastest is looked at."]


def burst_of(person: Moving, places: Array) -> Burst | None:
    """The stretch with the fastest moment of places (T, 3) metres; None if nothing is fast."""
    smooth = person.smoothed(places, CUTOFF)
    best: Burst | None = None
    for part in person.parts():
        times = person.times[part]
        speed = np.linalg.norm(np.gradient(smooth[part], times, axis=0), axis=-1)
        found = Burst(part.start, times, smooth[part], speed, int(speed.argmax()))
        if found.peak >= max(SLOWEST, best.peak if best else 0):
            best = found
    return best


def stride_end(person: Moving, first: int, last: int) -> int | None:
    """Frame in which the ankles have come apart between two frames; None without a stride.

    The foot that stands holds the other end, so this needs neither the floor nor the root.
    """
    left, right = (person.joints[first : last + 1, joint] for joint in _ANKLES)
    apart = np.linalg.norm(left - right, axis=-1)
    if not np.isfinite(apart).all() or len(apart) < 2:
        return None
    widest = int(apart.argmax())
    closest = int(apart[: widest + 1].argmin())
    way = apart[widest] - apart[closest]
    if way < STRIDE * person.leg:
        return None
    near = np.flatnonzero(apart[closest : widest + 1] >= apart[widest] - STRIDE_LEFT * way)
    return first + closest + int(near[0])


_ANKLES = H36M_17.indices(("left_ankle", "right_ankle"))
