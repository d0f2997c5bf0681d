"""Foot strikes and toe-offs of walking, from how far the ankles are before and behind the pelvis.

Zeni, Richards and Higginson, Gait & Posture 2008, doi 10.1016/j.gaitpost.2007.07.007 (their
coordinate-based method): the heel strikes when it is farthest in front of the sacrum along the
direction of walking, and the toes leave the ground when they are farthest behind it. That holds
on a treadmill and over ground alike. Human3.6M's 17 joints have no heel, no toe and no sacrum, so
here it is the ankle and the pelvis.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ampose.analysis.cycles import peaks_of
from ampose.analysis.moving import Array, Found, Mark, Moving
from ampose.analysis.views import views_of

CUTOFF = 6.0
"""Hz, as usual for gait."""

FACING_SECONDS = 1.0
"""Over which the direction in which the pelvis faces is averaged: about a stride."""

STEP = 0.2
"""Share of the leg's length, 18 cm: an ankle that moves by less along the direction of walking has
not taken a step."""

SHORTEST_STRIDE = 0.4
"""Seconds between two strikes of the same foot; sprinters have about that."""

LONGEST_STEP = 2.0
"""Seconds: foot strikes farther apart are no step; somebody stood, or a strike was missed."""

LONGEST_STRIDE = 2 * LONGEST_STEP
"""Seconds: strikes of one foot farther apart are no stride, a strike and a toe-off no stance."""

EDGE_SECONDS = 0.1
"""Nearer than this to an end of what was seen, nobody knows whether an ankle has turned."""

BACKWARD = 0.3
"""Metres per second against where the pelvis faces, on average, that are walking backward."""

RULES = {
    "foot_strike": "the ankle is farthest in front of the pelvis along where the pelvis faces "
    "(after Zeni et al. 2008)",
    "toe_off": "the ankle is farthest behind the pelvis along where the pelvis faces (after Zeni "
    "et al. 2008)",
}


def gait(person: Moving) -> Found:
    """Foot strikes and toe-offs of both feet, those at the ends of a recording left out."""
    forward = person.facing(FACING_SECONDS)
    marks: list[Mark] = []
    for side in ("left", "right"):
        ankle = person.smoothed(person.at(f"{side}_ankle"), CUTOFF)
        ahead = (ankle * forward).sum(-1)
        for part in person.parts():
            for name, sign in (("foot_strike", 1), ("toe_off", -1)):
                frames = _farthest(sign * ahead[part], person.times[part], STEP * person.leg)
                marks += [Mark(f"{name}_{side[0]}", part.start + frame) for frame in frames]
    marks.sort(key=lambda mark: mark.frame)
    return Found(tuple(marks), tuple(_warnings(person, forward, marks)))


def _farthest(values: Array, times: Array, least: float) -> list[int]:
    """Maxima that are `SHORTEST_STRIDE` apart, of nearer ones the highest.

    None at an end, where nobody knows what comes.
    """
    inner = [
        frame
        for frame in peaks_of(values, least)
        if min(times[frame] - times[0], times[-1] - times[frame]) > EDGE_SECONDS
    ]
    kept: list[int] = []
    for frame in sorted(inner, key=lambda each: -values[each]):
        if all(abs(times[frame] - times[other]) >= SHORTEST_STRIDE for other in kept):
            kept.append(frame)
    return kept


def _warnings(person: Moving, forward: Array, marks: list[Mark]) -> list[str]:
    strikes = [mark for mark in marks if mark.name.startswith("foot_strike")]
    if not strikes:
        return [f"no step of {100 * STEP:.0f} % of the leg's length or more was found."]
    warnings = []
    twice = sum(a.name == b.name for a, b in pairwise(strikes))
    if twice:
        warnings.append(
            f"{twice} time{'' if twice == 1 else 's'} the same foot strikes twice in a row: a "
            "step may be missed or too many; check them."
        )
    if _has_flight(marks):
        warnings.append("both feet are off the ground at times: the rule is for walking.")
    (view,) = views_of(person.joints[:, None], person.root[:, None], person.gravity.up)
    if view.side == "frontal":
        warnings.append(
            "seen from the front or from behind, so that steps lie in depth and their events are "
            "less sure; film walking from the side."
        )
    along = (np.gradient(person.root, person.times, axis=0) * forward).sum(-1)
    along = along[np.isfinite(along)]
    if len(along) and along.mean() < -BACKWARD:
        warnings.append("walking backward: foot strikes and toe-offs are exchanged.")
    return warnings


def _has_flight(marks: list[Mark]) -> bool:
    """Whether one foot leaves before the other has struck, more often than not."""
    flights = doubles = 0
    for before, after in pairwise(marks):
        if before.name[-1] != after.name[-1] and before.frame < after.frame:
            flights += before.name.startswith("toe_off") and after.name.startswith("foot_strike")
            doubles += before.name.startswith("foot_strike") and after.name.startswith("toe_off")
    return flights > doubles
