"""How the joints of the rig turn, from where the body's joints are.

A bone's direction is seen; how it is turned about itself, its twist, is not. It comes from what
hangs on it:

* The pelvis has its x axis along the line of the hips, and its y axis as near to the spine as
  that allows.
* The chest has its y axis along its bone, and its x axis as near to the line of the shoulders.
* Thigh and upper arm are turned so that knee and elbow bend about one axis, like hinges. That is
  the average over about `HINGE_SECONDS`, in which a frame counts by the square of the sine of the
  bend; where the average is below that of `BENT_DEGREES`, the twist goes evenly from where
  it was known last to where it is known next, by the shorter way.
* All others have no twist of their own: they take the smallest turn from the bone before.

Between frames a bone is carried from one direction to the next by the smallest turn, and the twist
counted from there. So nothing flips, wherever a limb points.
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ampose.export.rig import RIG, X, Y
from ampose.geometry import rotation_about, smallest_rotation
from ampose.motion.bones import unit_bones
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

HINGE_SECONDS = 0.1
"""Standard deviation of the window over which the axis of a knee or an elbow is averaged."""

BENT_DEGREES = 20.0
"""Degrees. A knee or an elbow that bends less does not show how the bone before it is twisted; nor
does a line of hips or shoulders within this angle of the spine."""

_HINGES = {
    "LeftUpLeg": ("left_ankle", X),
    "RightUpLeg": ("right_ankle", X),
    "LeftArm": ("left_wrist", -Y),
    "RightArm": ("right_wrist", Y),
}
"""The joint where the next bone ends, and the axis about which it bends in the rest pose: heels go
back, hands go forward."""


def joint_turns(joints: Array, times: Array) -> Array:
    """Rotations (T, len(RIG), 3, 3) of each joint of the rig in the axes of its parent.

    Args:
        joints: (T, 17, 3) Human3.6M, y up, all finite and no bone without length; T > 0.
        times: (T,) seconds, rising.
    """
    bones = unit_bones(joints)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0

    def bone(end: str) -> Array:
        return np.asarray(bones[:, H36M_17.index(end) - 1])

    def line(side: str) -> Array:
        left, right = H36M_17.indices((f"left_{side}", f"right_{side}"))
        return np.asarray(_unit(joints[:, left] - joints[:, right]))

    in_world = np.empty((len(joints), len(RIG), 3, 3))
    turns = np.empty_like(in_world)
    in_world[:, 0] = turns[:, 0] = _aimed(X, line("hip"), Y, bone("spine"))
    for index, joint in enumerate(RIG[1:], 1):
        parent = in_world[:, joint.parent]
        if joint.to is None:
            turn: Array = np.broadcast_to(np.eye(3), parent.shape)
        elif joint.name == "Spine1":
            chest = _seen_from(parent, bone(joint.to)), X, _seen_from(parent, line("shoulder"))
            turn = _aimed(joint.rest, *chest)
        elif joint.name in _HINGES:
            end, axis = _HINGES[joint.name]
            bend = np.cross(bone(joint.to), bone(end))
            limb = _seen_from(parent, bone(joint.to)), axis, _seen_from(parent, bend)
            turn = _aimed(joint.rest, *limb, window=HINGE_SECONDS / step)
        else:
            turn = smallest_rotation(joint.rest, _seen_from(parent, bone(joint.to)))
        turns[:, index] = turn
        in_world[:, index] = parent @ turn
    return turns


def _aimed(rest: Array, aim: Array, axis: Array, hint: Array, *, window: float = 0) -> Array:
    """Turns (T, 3, 3) that take `rest` exactly to `aim`, and `axis` towards `hint`.

    Args:
        rest: (3,) plus or minus a coordinate axis.
        aim: (T, 3) unit vectors.
        axis: (3,) unit vector across `rest`.
        hint: (T, 3), of which the part across `aim` counts, by the square of its length.
        window: standard deviation in frames of the average of the hints.
    """
    steps = smallest_rotation(aim[:-1], aim[1:])
    start = smallest_rotation(rest, aim[0])
    carried = np.stack(list(accumulate(steps, lambda turn, next_: next_ @ turn, initial=start)))
    seen = _seen_from(carried, hint)
    twist = seen @ axis + 1j * (seen @ np.cross(rest, axis))
    twist *= np.abs(twist)
    if window:
        twist = gaussian_filter1d(twist, window, mode="nearest")
    known = np.flatnonzero(np.abs(twist) > np.sin(np.radians(BENT_DEGREES)) ** 2)
    if not len(known):
        return carried
    angle = np.interp(np.arange(len(aim)), known, np.unwrap(np.angle(twist[known])))
    about = int(np.abs(rest).argmax())
    return np.asarray(carried @ rotation_about(about, rest[about] * angle))


def _seen_from(axes: Array, vectors: Array) -> Array:
    """Vectors (T, 3) in axes that are the columns of (T, 3, 3)."""
    return np.asarray(np.einsum("tij,ti->tj", axes, vectors))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
