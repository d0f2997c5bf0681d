"""The rig of BVH and GLB: joints that turn, and bones that keep their length.

Names are those of MotionBuilder and Mixamo, without a prefix. To hold 17 joints exactly:

* ``LHipJoint`` and ``RHipJoint``, as in CMU's recordings, sit at the pelvis and end in the hips.
  An estimated pelvis is not rigid: its hips are not on one line with its middle in every frame.
* ``Spine`` also sits at the pelvis. It ends in Human3.6M's ``spine``, where ``Spine1`` begins,
  the chest, which ends in ``thorax`` and carries neck and shoulders.
* ``LeftFoot``, ``LeftHand`` and their like sit at ankle and wrist, and never turn: nothing is
  known of feet and hands. Nor does ``HeadTop_End``, where the head ends.

The rest pose is a T-pose with all axes parallel: y up, z to where the person looks, x to the
person's left; trunk, neck and head upright on one line, arms along x, legs straight down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

X, Y = np.eye(3)[:2]

TOP = "HeadTop_End"
"""The one joint at which no bone begins."""


@dataclass(frozen=True, eq=False)
class RigJoint:
    """One joint of the rig.

    Attributes:
        name: MotionBuilder's.
        parent: place in `RIG`; -1 for the first.
        at: the Human3.6M joint where it sits.
        to: the Human3.6M joint in which its bone ends; None if it has none.
        rest: (3,) unit vector, where its bone points in the rest pose, or would point.
    """

    name: str
    parent: int
    at: str
    to: str | None
    rest: Array


def _rig() -> tuple[RigJoint, ...]:
    rig: list[RigJoint] = []

    def add(name: str, parent: str | None, at: str, to: str | None, rest: Array) -> None:
        names = [joint.name for joint in rig]
        rig.append(RigJoint(name, -1 if parent is None else names.index(parent), at, to, rest))

    add("Hips", None, "pelvis", None, Y)
    for side in ("left", "right"):
        big, aside = side.capitalize(), X if side == "left" else -X
        add(f"{big[0]}HipJoint", "Hips", "pelvis", f"{side}_hip", aside)
        add(f"{big}UpLeg", f"{big[0]}HipJoint", f"{side}_hip", f"{side}_knee", -Y)
        add(f"{big}Leg", f"{big}UpLeg", f"{side}_knee", f"{side}_ankle", -Y)
        add(f"{big}Foot", f"{big}Leg", f"{side}_ankle", None, -Y)
    add("Spine", "Hips", "pelvis", "spine", Y)
    add("Spine1", "Spine", "spine", "thorax", Y)
    add("Neck", "Spine1", "thorax", "neck_nose", Y)
    add("Head", "Neck", "neck_nose", "head_top", Y)
    add(TOP, "Head", "head_top", None, Y)
    for side in ("left", "right"):
        big, aside = side.capitalize(), X if side == "left" else -X
        add(f"{big}Shoulder", "Spine1", "thorax", f"{side}_shoulder", aside)
        add(f"{big}Arm", f"{big}Shoulder", f"{side}_shoulder", f"{side}_elbow", aside)
        add(f"{big}ForeArm", f"{big}Arm", f"{side}_elbow", f"{side}_wrist", aside)
        add(f"{big}Hand", f"{big}ForeArm", f"{side}_wrist", None, aside)
    return tuple(rig)


RIG = _rig()
"""Parents before children, each followed by all that hangs on it."""


PARENTS = tuple(joint.parent for joint in RIG)


def rest_bones(lengths: Array) -> Array:
    """(len(RIG), 3) metres: each joint's bone in the rest pose; zero for one without.

    Args:
        lengths: (16,) metres of the bones that end in Human3.6M's joints 1 to 16.
    """
    bones = [
        np.zeros(3) if joint.to is None else joint.rest * lengths[H36M_17.index(joint.to) - 1]
        for joint in RIG
    ]
    return np.array(bones)


def rest_offsets(lengths: Array) -> Array:
    """(len(RIG), 3) metres: each joint's place in the axes of its parent; the first's is zero.

    Args:
        lengths: as in `rest_bones`.
    """
    offsets = rest_bones(lengths)[list(PARENTS)]  # at the ends of their parents' bones
    offsets[0] = 0
    return offsets
