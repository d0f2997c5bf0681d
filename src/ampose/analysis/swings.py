"""Swings with both hands at something that is not seen: a golf club, a bat.

What is seen are the wrists. Everything is told by their middle, the hands.
"""

from __future__ import annotations

import numpy as np

from ampose.analysis.moving import Array, Found, Mark, Moving

GOLF_RULES = {
    "address": "last frame before the backswing in which the hands are still",
    "top": "the hands are highest between address and the fastest moment of the downswing",
    "impact": "estimate: after the top, the hands are nearest to where they were at address; "
    "club and ball are not seen",
    "finish": "after impact, first frame in which the hands are still again",
}

BAT_RULES = {
    "load": "the hands are farthest back before the fastest moment of the swing",
    "foot_down": "the ankles have come as far apart as they do before contact, all but 5 %",
    "contact": "estimate: the hands are fastest; bat and ball are not seen",
    "finish": "after contact, first frame in which the hands are still again",
}


def golf_swing(person: Moving) -> Found:
    """Address, top, impact and finish of the fastest swing."""
    return _swing(person, GOLF_RULES)


def bat_swing(person: Moving) -> Found:
    """Load, foot down, contact and finish of the fastest swing."""
    return _swing(person, BAT_RULES)


def hands_of(person: Moving) -> Array:
    """(T, 3) metres, the middle of the wrists from the middle of the ankles."""
    wrists = person.at("left_wrist") + person.at("right_wrist")
    return (wrists - person.at("left_ankle") - person.at("right_ankle")) / 2


def _swing(person: Moving, rules: dict[str, str]) -> Found:
    hands = hands_of(person)
    if not person.there.any():
        return Found()
    speed = person.speed(hands)
    fastest = int(np.nanargmax(speed))
    name = "contact" if "contact" in rules else "impact"
    return Found((Mark(name, fastest, rules[name]),))
