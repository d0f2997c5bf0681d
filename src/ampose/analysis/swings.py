"""Swings with both hands at something that is not seen: a golf club, a bat.

What is seen are the wrists: their middle, relative to the middle of the ankles, is called the
hands. Only the fastest swing of a recording is looked for.
"""

from __future__ import annotations

import numpy as np

from ampose.analysis.bursts import STILL, Burst, burst_of, stride_end
from ampose.analysis.formulas import line
from ampose.analysis.moving import Array, Found, Mark, Moving

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
    "foot_down": "the ankles have come apart but for 5 % of the stride",
    "contact": "estimate: the hands are fastest; bat and ball are not seen",
    "finish": f"first frame after contact in which the hands are slower than {STILL:.0%} of their "
    "fastest",
}

DOWNSWING_SECONDS = 1.0
"""Before the fastest moment, in which the top or the load is looked for; a golfer's downswing
takes 0.3."""

BACKSWING_SECONDS = 2.0
"""Before the top, in which the backswing is looked for; it takes 0.8."""

IMPACT_SECONDS = 1.0
"""After the top, in which impact is looked for."""

STRIDE_SECONDS = 1.0
"""Before contact, in which a batter strides."""

ASIDE = 0.05
"""Metres to the side by which the hands must go back to tell left from right."""


def golf_swing(person: Moving) -> Found:
    """Address, top, impact and finish of the fastest swing."""
    burst = burst_of(person, hands_of(person))
    if burst is None:
        return Found(warnings=("no swing was found: the hands are never fast.",))
    warnings = burst.warnings("swing")
    top = burst.turned_before(DOWNSWING_SECONDS)
    if top is None:
        warnings.append("no top was found: the recording may begin in the downswing.")
        return Found((), tuple(warnings))
    warnings += handed_warnings(person, burst.first + top)
    places = {"top": top}
    address = _address(burst, top)
    if address is None:
        warnings.append(
            "no address was found: the hands are not still before the backswing, so that there is "
            "no impact either."
        )
    else:
        places["address"] = address
        last = int(np.searchsorted(burst.times, burst.times[top] + IMPACT_SECONDS, "right"))
        away = np.linalg.norm(burst.places[top:last] - burst.places[address], axis=-1)
        places["impact"] = top + int(away.argmin())
    finish = burst.still_after(max(places.get("impact", 0), burst.fastest))
    if finish is None:
        warnings.append("no finish was found: the hands are not still before the recording ends.")
    else:
        places["finish"] = finish
    return Found(_marks(burst, places), tuple(warnings))


def bat_swing(person: Moving) -> Found:
    """Load, foot down, contact and finish of the fastest swing."""
    burst = burst_of(person, hands_of(person))
    if burst is None:
        return Found(warnings=("no swing was found: the hands are never fast.",))
    warnings = burst.warnings("swing")
    places = {"contact": burst.fastest}
    load = burst.turned_before(DOWNSWING_SECONDS)
    if load is None:
        warnings.append("no load was found: the recording may begin in the swing.")
    else:
        places["load"] = load
        warnings += handed_warnings(person, burst.first + load)
    first = burst.within(STRIDE_SECONDS, 0).start
    down = stride_end(person, burst.first + first, burst.first + burst.fastest)
    if down is None:
        warnings.append("no stride was found: the ankles do not come apart before contact.")
    else:
        places["foot_down"] = down - burst.first
    finish = burst.still_after(burst.fastest)
    if finish is None:
        warnings.append("no finish was found: the hands are not still before the recording ends.")
    else:
        places["finish"] = finish
    return Found(_marks(burst, places), tuple(warnings))


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
    first = int(np.searchsorted(burst.times, burst.times[top] - BACKSWING_SECONDS))
    if top - first < 1:
        return None
    quickest = first + int(burst.speed[first:top].argmax())
    still = np.flatnonzero(burst.speed[:quickest] < STILL * burst.speed[quickest])
    return int(still[-1]) if len(still) else None


def _marks(burst: Burst, places: dict[str, int]) -> tuple[Mark, ...]:
    return tuple(Mark(name, burst.first + place) for name, place in places.items())
