"""Made-up movements whose events are known: camera axes, facing the camera, one person."""

from __future__ import annotations

import numpy as np

from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.analysis.figure import BACK, DOWN, FORWARD, LEFT, RIGHT, UP, figure, sequence, tilted

Array = np.ndarray


def recording(joints: Array, rate: float, **changes: object) -> PoseSequence:
    """Joints (T, 17, 3) of one person, whose id is 3, as a result."""
    return sequence(joints[:, None], rate=rate, **{"tilt_sigma": 3.0} | changes)


def knees(left: Array, right: Array | None = None, lean: Array | None = None) -> Array:
    """(T, 17, 3) with knees bent by so many degrees (T,), and the trunk leant forward."""
    right = left if right is None else right
    lean = np.zeros_like(left) if lean is None else lean
    frames = []
    for bend_left, bend_right, forward in zip(left, right, lean, strict=True):
        trunk = tilted(UP, FORWARD, forward)
        frames.append(
            figure(
                left_knee=tilted(DOWN, FORWARD, bend_left / 2),
                left_ankle=tilted(DOWN, BACK, bend_left / 2),
                right_knee=tilted(DOWN, FORWARD, bend_right / 2),
                right_ankle=tilted(DOWN, BACK, bend_right / 2),
                spine=trunk,
                thorax=trunk,
            )
        )
    return np.array(frames)


def ramp(times: Array, start: float, end: float) -> Array:
    """0 before `start`, 1 after `end`, half a cosine between."""
    share = np.clip((times - start) / (end - start), 0, 1)
    return (1 - np.cos(np.pi * share)) / 2


def hump(times: Array, start: float, turn: float, end: float) -> Array:
    """0, up to 1 at `turn`, and back to 0."""
    return ramp(times, start, turn) - ramp(times, turn, end)


def walking(times: Array, stride: float, *, swing: float = 25.0, stance: float = 0.6) -> Array:
    """(T, 17, 3), straight legs that swing by so many degrees to the front and to the back.

    The left one is in front at 0, and at the back after the share `stance` of a stride; the right
    one half a stride later.
    """
    frames = []
    for time in times:
        legs = {}
        for side, begun in (("left", 0.0), ("right", 0.5)):
            share = (time / stride - begun) % 1
            phase = share / stance / 2 if share < stance else 1 - (1 - share) / (1 - stance) / 2
            leg = tilted(DOWN, FORWARD, swing * np.cos(2 * np.pi * phase))
            legs |= {f"{side}_knee": leg, f"{side}_ankle": leg}
        frames.append(figure(**legs))
    return np.array(frames)


ADDRESS, TOP, IMPACT, FINISH = 1.0, 1.8, 2.1, 2.42
"""Seconds of `golf`: the backswing begins, the hands turn, are back, and stop."""

_BACK, _THROUGH = -170.0, 190.0
"""Degrees of the hands about the shoulders from address, to the top and to the end."""


def golf(times: Array, *, handed: str = "right") -> Array:
    """(T, 17, 3): the hands go round in an inclined plane, back by 170 degrees, then by 360."""
    share = np.arccos(1 - 2 * _BACK / (_BACK - _THROUGH)) / np.pi
    length = (IMPACT - TOP) / share
    angle = _BACK * ramp(times, ADDRESS, TOP)
    angle += (_THROUGH - _BACK) * ramp(times, TOP, TOP + length)
    sideways = LEFT if handed == "right" else RIGHT
    out = tilted(DOWN, FORWARD, 40)
    radians = np.radians(angle)[:, None]
    hands = 0.6 * (np.cos(radians) * out + np.sin(radians) * sideways)
    return _with_hands(np.repeat(figure()[None], len(times), 0), hands, ("left", "right"))


def throw(times: Array, release: float, *, handed: str = "right") -> Array:
    """(T, 17, 3): a leg is lifted and put forward, then an arm comes round; fastest at release.

    The knee is highest 1.0 s and the stride over 0.3 s before release.
    """
    other = "left" if handed == "right" else "right"
    lift = 80 * hump(times, release - 1.6, release - 1.0, release - 0.5)
    stride = 35 * ramp(times, release - 0.7, release - 0.3)
    frames = [
        figure(
            **{
                f"{other}_knee": tilted(DOWN, FORWARD, up + out),
                f"{other}_ankle": tilted(DOWN, FORWARD, out - up / 4),
                f"{handed}_knee": tilted(DOWN, BACK, out),
                f"{handed}_ankle": tilted(DOWN, BACK, out),
            }
        )
        for up, out in zip(lift, stride, strict=True)
    ]
    angle = np.radians(180 * ramp(times, release - 0.15, release + 0.15))[:, None]
    side = RIGHT if handed == "right" else LEFT
    hand = 0.5 * (np.cos(angle) * tilted(side, UP, 45) + np.sin(angle) * FORWARD)
    return _with_hands(np.array(frames), hand, (handed,))


def _with_hands(joints: Array, hands: Array, sides: tuple[str, ...]) -> Array:
    """The wrists of some sides put at `hands` (T, 3) from the thorax, the elbows half-way."""
    joints = joints.copy()
    thorax = joints[:, H36M_17.index("thorax")]
    for side in sides:
        shoulder, elbow, wrist = H36M_17.indices(
            f"{side}_{part}" for part in ("shoulder", "elbow", "wrist")
        )
        joints[:, wrist] = thorax + hands
        joints[:, elbow] = (joints[:, shoulder] + joints[:, wrist]) / 2
    return joints
