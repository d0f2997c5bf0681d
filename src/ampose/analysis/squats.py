"""Squats, and standing up from a seat: movements of the knees there and back."""

from __future__ import annotations

import numpy as np

from ampose.analysis.cycles import Cycle, Cycles, cycles_of
from ampose.analysis.formulas import knee_flexion
from ampose.analysis.moving import Array, Found, Mark, Moving

CUTOFF = 3.0
"""Hz, for the angle that is counted; a squat takes a second or more."""

SQUAT = 35.0
"""Degrees by which the knees must bend and stretch again to count as a squat."""

RISE = 40.0
"""Degrees by which the knees must stretch for somebody to have stood up."""

SEATED = 60.0
"""Degrees that knees are bent at least on a seat."""

SQUAT_RULES = {
    "start": "last frame before the knees have bent by a tenth of this squat",
    "bottom": "mean of both knees' flexion is largest",
    "top": "first frame in which all but a tenth of the bend is gone again",
}

SIT_TO_STAND_RULES = {
    "seat_off": "the knees have stretched by a tenth of this rise; the seat is not seen",
    "standing": "first frame in which nine tenths of the knees' stretch are done",
    "seated": "after standing, first frame in which nine tenths of the knees' bend are done",
}


def squats(person: Moving) -> Found:
    """Start, bottom and top of every whole squat."""
    marks: list[Mark] = []
    cut_off = 0
    for first, found in _cycles(person, 1.0, SQUAT):
        cut_off += found.cut_off
        for cycle in found.whole:
            marks += _marks(first, cycle, SQUAT_RULES)
    return Found(tuple(marks), _partial(cut_off, "squat"))


def sit_to_stand(person: Moving) -> Found:
    """Seat-off, standing, and sitting down again, of everybody who stands up from a seat."""
    marks: list[Mark] = []
    cut_off = 0
    for first, found in _cycles(person, -1.0, RISE):
        cut_off += found.cut_off
        for cycle in found.whole:
            marks += _marks(first, cycle, SIT_TO_STAND_RULES)
    return Found(tuple(marks), _partial(cut_off, "rise"))


def _cycles(person: Moving, sign: float, least: float) -> list[tuple[int, Cycles]]:
    """First frame of each stretch, and what there is in it."""
    bend = bend_of(person)
    return [(part.start, cycles_of(sign * bend[part], least)) for part in person.stretches]


def bend_of(person: Moving) -> Array:
    """(T,) degrees, mean flexion of both knees, smoothed; NaN where it is not known."""
    both = [knee_flexion(person.joints, side) for side in ("left", "right")]
    mean = np.where(person.there, np.mean(both, axis=0), np.nan)
    return person.smoothed(mean[:, None], CUTOFF)[:, 0]


def _marks(first: int, cycle: Cycle, rules: dict[str, str]) -> list[Mark]:
    frames = (cycle.start, cycle.turn, cycle.end)
    return [
        Mark(name, first + frame, rule)
        for (name, rule), frame in zip(rules.items(), frames, strict=True)
    ]


def _partial(count: int, what: str) -> tuple[str, ...]:
    if not count:
        return ()
    return (f"{count} {what}(s) at an edge of what was seen are not whole and do not count.",)
