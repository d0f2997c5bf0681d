"""Squats, and standing up from a seat: the knees bend and stretch.

Both are told by the mean flexion of the two knees, which needs no vertical.
"""

from __future__ import annotations

import math

import numpy as np

from ampose.analysis.cycles import Arch, arches_of, arrival, departure
from ampose.analysis.moving import Array, Found, Mark, Moving

CUTOFF = 3.0
"""Hz, for the angle that is counted; going down takes half a second or more."""

SQUAT = 40.0
"""Degrees by which the knees must bend, and stretch again, to count as a squat; in walking the
mean of both changes by 25."""

RISE = 40.0
"""Degrees by which the knees must stretch to count as standing up."""

SEATED, STANDING = 60.0, 40.0
"""Degrees: on a seat knees are bent at least by the first, upright at most by the second."""

MATCHING = 0.6
"""Share of the longer of the two ways, down and up: a squat at the edge of what was seen is whole
if the other way is at least that long."""

ERROR_BARS = 2.0
"""How many error bars a movement must be at least, besides the degrees above."""

SQUAT_RULES = {
    "start": "the knees (mean flexion) have done a tenth of their way down",
    "bottom": "mean flexion of the knees is largest",
    "top": "a tenth of the knees' way up is left",
}

SIT_TO_STAND_RULES = {
    "start": "the trunk has done a tenth of its lean towards the thighs; without a lean, seat_off",
    "seat_off": "estimate: the knees (mean flexion) have done a tenth of their way to standing; "
    "the seat is not seen",
    "standing": "a tenth of the knees' way to standing is left",
    "seated": "a tenth of the knees' way to sitting is left",
}

_LEAN_SECONDS = 1.5
"""Time before seat-off in which the trunk may lean forward to stand up."""

_LEAN = 5.0
"""Degrees; less is no lean."""

_MOVING, _MOVING_SECONDS = 10.0, 0.2
"""Degrees within seconds, at the edge of what was seen: somebody is still on their way there."""


def squats(person: Moving) -> Found:
    """Start, bottom and top of every whole squat."""
    bend, least = _bend(person), _least(person, SQUAT)
    marks: list[Mark] = []
    cut_off = 0
    for part in person.parts():
        values = bend[part]
        arches = arches_of(values, least)
        for number, arch in enumerate(arches):
            if not _is_whole(values, arch, number == 0, number == len(arches) - 1, least):
                cut_off += 1
                continue
            frames = {
                "start": departure(values, arch.before, arch.turn),
                "bottom": arch.turn,
                "top": arrival(values, arch.turn, arch.after),
            }
            marks += [Mark(name, part.start + frame) for name, frame in frames.items()]
    return Found(tuple(marks), _said(marks, cut_off, "squat", least))


def sit_to_stand(person: Moving) -> Found:
    """Start, seat-off and standing of everybody who stands up, and when they sit again."""
    bend, least = _bend(person), _least(person, RISE)
    lean = _mean_of(person, "trunk_thigh_angle")
    marks: list[Mark] = []
    cut_off = 0
    for part in person.parts():
        values = bend[part]
        for arch in arches_of(values, least):
            if values[arch.turn] < SEATED:
                continue
            begun = _is_moving(values, person.times[part], arch.turn)
            ended = _is_moving(values, person.times[part], arch.after)
            if values[arch.before] <= STANDING:
                marks.append(Mark("seated", part.start + arrival(values, arch.before, arch.turn)))
            if begun or ended or values[arch.after] > STANDING:
                cut_off += begun or ended
                continue
            off = departure(values, arch.turn, arch.after)
            frames = {
                "start": _start_of_lean(lean[part], person.times[part], off),
                "seat_off": off,
                "standing": arrival(values, arch.turn, arch.after),
            }
            marks += [Mark(name, part.start + frame) for name, frame in frames.items()]
    return Found(tuple(marks), _said(marks, cut_off, "rise", least))


def _bend(person: Moving) -> Array:
    return _mean_of(person, "knee_flexion")


def _mean_of(person: Moving, angle: str) -> Array:
    """(T,) degrees, smoothed, of both sides; NaN where they are not known."""
    both = person.angle(f"{angle}_l"), person.angle(f"{angle}_r")
    return person.smoothed(np.mean(both, axis=0)[:, None], CUTOFF)[:, 0]


def _least(person: Moving, degrees: float) -> float:
    """How large a movement must be: a number of degrees, and of error bars of the mean."""
    left, right = (person.angle_sigma(f"knee_flexion_{side}") for side in "lr")
    return max(degrees, ERROR_BARS * math.hypot(left, right) / 2)


def _is_whole(values: Array, arch: Arch, first: bool, last: bool, least: float) -> bool:
    down, up = (values[arch.turn] - values[end] for end in (arch.before, arch.after))
    enough_down = down >= (max(least, MATCHING * up) if first else least)
    return bool(enough_down and up >= (max(least, MATCHING * down) if last else least))


def _is_moving(values: Array, times: Array, frame: int) -> bool:
    """Whether a frame is the first or last one, and the angle changes there."""
    if frame not in (0, len(values) - 1):
        return False
    near = values[np.abs(times - times[frame]) <= _MOVING_SECONDS]
    return bool(np.ptp(near) > _MOVING)


def _start_of_lean(lean: Array, times: Array, off: int) -> int:
    """Frame in which the trunk begins to lean towards the thighs before seat-off."""
    first = int(np.searchsorted(times, times[off] - _LEAN_SECONDS))
    upright = first + int(lean[first : off + 1].argmin())
    if lean[off] - lean[upright] < _LEAN:
        return off
    return departure(lean, upright, off)


def _said(marks: list[Mark], cut_off: int, what: str, least: float) -> tuple[str, ...]:
    said = []
    if not marks:
        said.append(f"no {what} of {least:.0f} degrees or more at the knees was found.")
    if cut_off:
        said.append(
            f"{cut_off} {what} that the recording does not hold from beginning to end is left out."
            if cut_off == 1
            else f"{cut_off} {what}s that the recording does not hold from beginning to end are "
            "left out."
        )
    return tuple(said)
