"""How fast and how evenly somebody walks, from foot strikes and toe-offs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ampose.analysis.events import Event
from ampose.analysis.frame_rate import frames_per_second
from ampose.analysis.gait import LONGEST_STEP, LONGEST_STRIDE
from ampose.poses import PoseSequence


@dataclass(frozen=True)
class Durations:
    """Of one kind, in seconds.

    Attributes:
        count: how many there are.
        mean: NaN if there are none.
        deviation: standard deviation between them; NaN if there are fewer than two.
    """

    count: int
    mean: float
    deviation: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Durations:
        """The durations of a list."""
        mean = float(np.mean(seconds)) if seconds else np.nan
        deviation = float(np.std(seconds, ddof=1)) if len(seconds) > 1 else np.nan
        return cls(len(seconds), mean, deviation)


@dataclass(frozen=True)
class GaitTimes:
    """One person's walking.

    Attributes:
        person: identity.
        step: by side, from the other foot's strike to this foot's.
        stride: by side, from strike to strike of the same foot.
        stance: by side, from strike to toe-off of the same foot.
        resolution: seconds between two frames: no single duration is more certain.
    """

    person: int
    step: dict[str, Durations]
    stride: dict[str, Durations]
    stance: dict[str, Durations]
    resolution: float

    @property
    def cadence(self) -> float:
        """Steps per minute over all steps; NaN without any."""
        steps = [each for each in self.step.values() if each.count]
        seconds = sum(each.count * each.mean for each in steps)
        return 60 * sum(each.count for each in steps) / seconds if steps else float("nan")

    def as_dict(self) -> dict[str, object]:
        """For JSON: seconds to the hundredth, absent is null."""
        parts = {"step": self.step, "stride": self.stride, "stance": self.stance}
        return {
            "person": self.person,
            "cadence_steps_per_minute": _rounded(self.cadence, 0),
            "resolution_seconds": _rounded(self.resolution, 3),
            **{
                f"{name}_seconds": {
                    side: {
                        "count": each.count,
                        "mean": _rounded(each.mean, 2),
                        "deviation": _rounded(each.deviation, 2),
                    }
                    for side, each in sides.items()
                }
                for name, sides in parts.items()
            },
        }


def gait_times_of(sequence: PoseSequence, events: Iterable[Event]) -> tuple[GaitTimes, ...]:
    """Durations between foot strikes and toe-offs of everybody.

    Args:
        sequence: that the events are of.
        events: of the gait preset, found or set by hand, in any order.
    """
    ordered = sorted(events, key=lambda event: event.frame)
    resolution = 1 / frames_per_second(sequence.times)
    return tuple(
        _of_person([event for event in ordered if event.person == identity], identity, resolution)
        for identity in sequence.ids.tolist()
    )


def _of_person(events: Sequence[Event], person: int, resolution: float) -> GaitTimes:
    step: dict[str, list[float]] = {side: [] for side in _SIDES}
    strikes = [event for event in events if _is_strike(event)]
    for before, after in pairwise(strikes):
        if before.name != after.name and after.time - before.time <= LONGEST_STEP:
            step[_side(after)].append(after.time - before.time)
    stride, stance = {}, {}
    for side in _SIDES:
        own = [event for event in events if _side(event) == side]
        stride[side] = _lasting(pairwise([event for event in own if _is_strike(event)]))
        pairs = pairwise(own)
        stance[side] = _lasting((a, b) for a, b in pairs if _is_strike(a) and not _is_strike(b))
    steps = {side: Durations.of(each) for side, each in step.items()}
    return GaitTimes(person, steps, stride, stance, resolution)


def _lasting(pairs: Iterable[tuple[Event, Event]]) -> Durations:
    """From the first event of each pair to the second, those too far apart left out."""
    lasted = [after.time - before.time for before, after in pairs]
    return Durations.of([each for each in lasted if each <= LONGEST_STRIDE])


_SIDES = ("left", "right")


def _is_strike(event: Event) -> bool:
    return event.name.startswith("foot_strike")


def _side(event: Event) -> str:
    return "left" if event.name.endswith("_l") else "right"


def _rounded(value: float, decimals: int) -> float | int | None:
    if np.isnan(value):
        return None
    return round(value, decimals) if decimals else round(value)
