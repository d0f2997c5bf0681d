"""A baseball pitch, from the joints of the pitcher; the ball is not seen."""

from __future__ import annotations

from ampose.analysis.bursts import STILL, Burst, Notes, burst_of, stride_end
from ampose.analysis.cycles import peaks_of
from ampose.analysis.moving import Found, Hand, Moving

RULES = {
    "leg_lift": "the thigh of the striding leg is highest: its angle with the trunk is largest "
    "before the stride",
    "foot_contact": "the ankles have come apart to within 5 % of the stride",
    "release": "estimate: the wrist of the throwing arm is fastest, relative to the pelvis; the "
    "ball is not seen",
    "finish": f"first frame after release in which that wrist is slower than {STILL:.0%} of its "
    "fastest",
}

DELIVERY_SECONDS = 2.0
"""Time before release in which the leg lift is looked for."""

STRIDE_SECONDS = 1.0
"""Time before release in which the foot comes down, where no leg lift is found."""

LIFT = 20.0
"""Degrees by which the angle of trunk and thigh must rise and fall for a leg lift."""


def pitch(person: Moving) -> Found:
    """Leg lift, foot contact, release and finish of the fastest throw."""
    bursts = {side: burst_of(person, person.at(f"{side}_wrist")) for side in ("left", "right")}
    faster: Hand = "left" if _peak(bursts["left"]) > _peak(bursts["right"]) else "right"
    hand = person.handed or faster
    burst = bursts[hand]
    if burst is None:
        return Found(warnings=(f"no throw was found: the {hand} wrist is never fast.",))
    by = "as told" if person.handed else f"as the {hand} wrist is the faster one"
    notes = Notes(f"throws {hand}-handed, {by}.", *burst.repeated("throw"))
    lift = _leg_lift(person, burst, "right" if hand == "left" else "left")
    notes.mark("leg_lift", lift, "no thigh goes up and down before release")
    stride = burst.at(person.times[burst.fastest] - STRIDE_SECONDS) if lift is None else lift
    contact = stride_end(person, stride, burst.fastest)
    notes.mark("foot_contact", contact, "the ankles do not come apart before release")
    notes.mark("release", burst.fastest)
    finish = burst.still_after(burst.fastest)
    notes.mark("finish", finish, "the arm is not still before the recording ends")
    return notes.found


def _peak(burst: Burst | None) -> float:
    return burst.peak if burst else 0.0


def _leg_lift(person: Moving, burst: Burst, side: Hand) -> int | None:
    """Frame of the highest lift of a leg before release that it comes down from again."""
    first = burst.at(person.times[burst.fastest] - DELIVERY_SECONDS)
    angle = person.angle(f"trunk_thigh_angle_{side[0]}")[first : burst.fastest + 1]
    inner = [place for place in peaks_of(angle, LIFT) if 0 < place < len(angle) - 1]
    return first + max(inner, key=lambda place: float(angle[place])) if inner else None
