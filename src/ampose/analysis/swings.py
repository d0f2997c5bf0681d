"""Swings with both hands at something that is not seen: a golf club, a bat.

What is seen are the wrists: their middle, relative to the middle of the ankles, is called the
hands. Only the fastest swing of a recording is looked for.
"""

from __future__ import annotations

import numpy as np

from ampose.analysis.bursts import STILL, Burst, Notes, burst_of, stride_end
from ampose.analysis.formulas import line
from ampose.analysis.moving import Array, Found, Moving

GOLF_RULES = {
    "address": "last frame before the backswing in which the hands are slower than "
    f"{STILL:.0%} of their fastest in it",
    "top": "the hands are slowest between backswing and downswing",
    "impact": "estimate: after the top the hands are nearest to where they were at address; club "
    "and ball are not seen",
    "finish": f"first frame after impact in which the hands are slower than {STILL:.0%} of their "
    "fastest",
}

BAT_RULES = {
    "load": "the hands are slowest before they swing",
    "foot_down": "the ankles have come apart to within 5 % of the stride",
    "contact": "estimate: the hands are fastest; bat and ball are not seen",
    "finish": f"first frame after contact in which the hands are slower than {STILL:.0%} of their "
    "fastest",
}

DOWNSWING_SECONDS = 1.0
"""Time before the fastest moment in which the top or the load is looked for; a golfer's downswing
takes 0.3 s."""

BACKSWING_SECONDS = 2.0
"""Time before the top in which the backswing is looked for; it takes 0.8 s."""

IMPACT_SECONDS = 1.0
"""Time after the top in which impact is looked for."""

STRIDE_SECONDS = 1.0
"""Time before contact in which a batter strides."""

ASIDE = 0.05
"""Metres to the side by which the hands must go back to tell left from right."""


def golf_swing(person: Moving) -> Found:
    """Address, top, impact and finish of the fastest swing."""
    burst = burst_of(person, hands_of(person))
    if burst is None:
        return Found(warnings=(_SLOW,))
    notes = Notes(*burst.repeated("swing"))
    top = burst.turned_before(DOWNSWING_SECONDS)
    notes.mark("top", top, "the recording may begin in the downswing")
    if top is None:
        return notes.found
    notes.warn(handed_warnings(person, top))
    address = _address(burst, top)
    notes.mark("address", address, "the hands are not still before the backswing")
    impact = None if address is None else _impact(burst, address, top)
    why = "it is told by the address" if address is None else "the hands do not come back"
    notes.mark("impact", impact, why)
    finish = burst.still_after(max(impact or top, burst.fastest))
    notes.mark("finish", finish, _RESTLESS)
    return notes.found


def bat_swing(person: Moving) -> Found:
    """Load, foot down, contact and finish of the fastest swing."""
    burst = burst_of(person, hands_of(person))
    if burst is None:
        return Found(warnings=(_SLOW,))
    notes = Notes(*burst.repeated("swing"))
    load = burst.turned_before(DOWNSWING_SECONDS)
    notes.mark("load", load, "the recording may begin in the swing")
    if load is not None:
        notes.warn(handed_warnings(person, load))
    first = burst.at(person.times[burst.fastest] - STRIDE_SECONDS)
    down = stride_end(person, first, burst.fastest)
    notes.mark("foot_down", down, "the ankles do not come apart before contact")
    notes.mark("contact", burst.fastest)
    notes.mark("finish", burst.still_after(burst.fastest), _RESTLESS)
    return notes.found


def hands_of(person: Moving) -> Array:
    """(T, 3) metres, the middle of the wrists from the middle of the ankles."""
    hands = person.at("left_wrist") + person.at("right_wrist")
    feet = person.at("left_ankle") + person.at("right_ankle")
    return np.asarray((hands - feet) / 2)


def handed_warnings(person: Moving, back: int) -> list[str]:
    """From which side somebody swings: where the hands are when they are farthest back."""
    joints = person.joints[back]
    hands = (person.at("left_wrist") + person.at("right_wrist"))[back] / 2
    left = line(joints, "hip")
    aside = float(hands @ left / np.linalg.norm(left))
    if abs(aside) < ASIDE:
        return ["from which side the swing comes cannot be told from the hands."]
    seen = "left" if aside > 0 else "right"
    told = person.handed
    if told is not None and told != seen:
        return [f"the hands go back to the {seen}, but the swing is said to be {told}-handed."]
    by = "as told" if told else f"as the hands go back to the {seen}"
    return [f"swings {seen}-handed, {by}."]


def _address(burst: Burst, top: int) -> int | None:
    first = burst.at(burst.times[top] - BACKSWING_SECONDS)
    if first >= top:
        return None
    quickest = first + int(burst.speed[first:top].argmax())
    still = np.flatnonzero(burst.speed[:quickest] < STILL * burst.speed[quickest])
    return int(still[-1]) if len(still) else None


def _impact(burst: Burst, address: int, top: int) -> int | None:
    last = burst.at(burst.times[top] + IMPACT_SECONDS)
    away = np.linalg.norm(burst.places[top : last + 1] - burst.places[address], axis=-1)
    return top + int(away.argmin()) if away.argmin() > 0 else None


_SLOW = "no swing was found: the hands are never fast."

_RESTLESS = "the hands are not still before the recording ends"
