"""Foot strikes and toe-offs of walking, from where the ankles are before and behind the pelvis.

Zeni, Richards and Higginson, Gait & Posture 2008 (their coordinate-based method): a heel strikes
when it is farthest in front of the sacrum along the direction of walking, and toes leave the
ground when they are farthest behind it. It is the same on a treadmill and over ground. Human3.6M's
17 joints have no heel and no toe, so here both are the ankle, and the sacrum is the pelvis.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import find_peaks

from ampose.analysis.moving import Array, Found, Mark, Moving

CUTOFF = 6.0
"""Hz, as usual for gait."""

FACING_SECONDS = 1.0
"""Over which the direction of walking is averaged: about a stride."""

SWING = 0.25
"""Of the leg's length: an ankle that swings forward by less has not taken a step."""

RULES = {
    "foot_strike": "the ankle is farthest in front of the pelvis (Zeni et al. 2008)",
    "toe_off": "the ankle is farthest behind the pelvis (Zeni et al. 2008)",
}


def gait(person: Moving) -> Found:
    """Foot strikes and toe-offs of both feet."""
    marks = [
        mark
        for side in ("left", "right")
        for part in person.stretches
        for mark in _of_ankle(person, side, part)
    ]
    return Found(tuple(sorted(marks, key=lambda mark: mark.frame)))


def ahead(person: Moving, side: str) -> Array:
    """(T,) metres by which an ankle is in front of the pelvis, along the direction of walking."""
    ankle = person.smoothed(person.at(f"{side}_ankle"), CUTOFF)
    return np.asarray((ankle * person.facing(FACING_SECONDS)).sum(-1))


def _of_ankle(person: Moving, side: str, part: slice) -> list[Mark]:
    values = ahead(person, side)[part]
    least = SWING * person.leg
    marks = []
    for name, sign in (("foot_strike", 1), ("toe_off", -1)):
        floor = (sign * values).min() - least
        padded = np.r_[floor, sign * values, floor]
        frames = find_peaks(padded, prominence=least)[0] - 1
        inside = frames[(frames > 0) & (frames < len(values) - 1)]
        marks += [
            Mark(f"{name}_{side[0]}", part.start + int(frame), RULES[name]) for frame in inside
        ]
    return marks
