"""The one fast movement of a recording, such as a swing or a throw, by the speed of a point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ampose.analysis.moving import Array, Found, Mark, Moving
from ampose.skeletons import H36M_17

CUTOFF = 10.0
"""Hz, for the places whose speed is taken; hands turn round within a tenth of a second."""

SLOWEST = 2.5
"""Metres per second: what never gets this fast is no full swing and no throw."""

TURNED = 0.35
"""Share of the peak speed, below which a movement begins or turns round where it is slowest."""

STILL = 0.15
"""Share of the peak speed: slower than this is still."""

AGAIN, APART_SECONDS = 0.8, 1.5
"""A second movement is that fast, as a share of the fastest, and that far away from it in time."""

STRIDE = 0.15
"""Share of the leg's length: ankles that come apart by less make no stride."""

STRIDE_LEFT = 0.05
"""Share of a stride that may be left when the foot comes down."""


@dataclass(frozen=True, eq=False)
class Burst:
    """A fast movement within an unbroken stretch of frames.

    Attributes:
        part: frames of the recording that make the stretch.
        times: (T,) seconds, of the recording.
        places: (T, 3) metres, smoothed.
        speed: (T,) metres per second; NaN outside the stretch.
        fastest: frame of the recording.
    """

    part: slice
    times: Array
    places: Array
    speed: Array
    fastest: int

    @property
    def peak(self) -> float:
        """Metres per second."""
        return float(self.speed[self.fastest])

    def at(self, seconds: float) -> int:
        """First frame of the stretch that is no earlier than a time; the last one if none is."""
        frame = int(np.searchsorted(self.times, seconds))
        return int(np.clip(frame, self.part.start, self.part.stop - 1))

    def turned_before(self, seconds: float) -> int | None:
        """Frame in which the movement began, at most so long before its fastest moment.

        Going back from there, the first one in which it is slower than `TURNED` and no faster than
        in the one before; None if there is none.
        """
        first = self.at(self.times[self.fastest] - seconds)
        for frame in range(self.fastest - 1, first, -1):
            slow = self.speed[frame] < TURNED * self.peak
            if slow and self.speed[frame] <= self.speed[frame - 1]:
                return frame
        return None

    def still_after(self, frame: int) -> int | None:
        """First frame after another one in which it is still; None if it never is."""
        still = np.flatnonzero(self.speed[frame + 1 :] < STILL * self.peak)
        return frame + 1 + int(still[0]) if len(still) else None

    def repeated(self, what: str) -> list[str]:
        """A warning if there is another movement that is nearly as fast."""
        away = np.abs(self.times - self.times[self.fastest]) > APART_SECONDS
        if not (self.speed[away] > AGAIN * self.peak).any():
            return []
        return [f"there is more than one fast {what}; only the fastest is looked at."]


class Notes:
    """Collects what the rules find, frame by frame, and says what they do not find."""

    def __init__(self, *warnings: str) -> None:
        self._marks: list[Mark] = []
        self._warnings = list(warnings)

    def mark(self, name: str, frame: int | None, missing: str = "") -> None:
        """An event, or the reason why there is none."""
        if frame is None:
            self._warnings.append(f"no {name} was found: {missing}.")
        else:
            self._marks.append(Mark(name, frame))

    def warn(self, warnings: Iterable[str]) -> None:
        """Further warnings."""
        self._warnings += warnings

    @property
    def found(self) -> Found:
        """All of it."""
        return Found(tuple(self._marks), tuple(self._warnings))


def burst_of(person: Moving, places: Array) -> Burst | None:
    """The stretch with the fastest moment of places (T, 3) metres; None if nothing is fast."""
    smooth = person.smoothed(places, CUTOFF)
    best: Burst | None = None
    for part in person.parts():
        speed = np.full(len(places), np.nan)
        velocity = np.gradient(smooth[part], person.times[part], axis=0)
        speed[part] = np.linalg.norm(velocity, axis=-1)
        found = Burst(part, person.times, smooth, speed, int(np.nanargmax(speed)))
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
