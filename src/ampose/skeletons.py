"""Joint sets, by name.

A joint set is never guessed from a count: Human3.6M and COCO both have 17 joints. Every array of
keypoints or joints in this package travels with the `Skeleton` that names its second-to-last axis.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ampose.errors import InputError


@dataclass(frozen=True)
class Skeleton:
    """An ordered, named set of joints and the tree that connects them.

    Attributes:
        name: the name users type, such as ``"h36m_17"``.
        joints: joint names in array order. Sided names start with ``left_`` or ``right_``.
        parents: index of each joint's parent; -1 for a root. A set may have several roots
            (COCO's face points hang on the nose, which hangs on nothing).
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.joints) != len(self.parents):
            raise ValueError(
                f"{self.name}: {len(self.joints)} joints but {len(self.parents)} parents"
            )
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"{self.name}: a joint name appears twice")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Position of `joint` in the arrays; raises ValueError that lists the joints."""
        try:
            return self.joints.index(joint)
        except ValueError:
            raise ValueError(
                f"skeleton {self.name} has no joint {joint!r}; it has {', '.join(self.joints)}"
            ) from None

    def indices(self, joints: Iterable[str]) -> list[int]:
        """Positions of several joints, in the order asked."""
        return [self.index(joint) for joint in joints]

    @cached_property
    def root(self) -> int:
        """Index of the first joint that has no parent."""
        return self.parents.index(-1)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) pairs in joint order."""
        return tuple((p, j) for j, p in enumerate(self.parents) if p >= 0)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) index pairs."""
        return tuple(
            (j, self.joints.index("right_" + name.removeprefix("left_")))
            for j, name in enumerate(self.joints)
            if name.startswith("left_")
        )

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """Permutation of the joints that exchanges left and right."""
        order = list(range(len(self)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return tuple(order)

    @cached_property
    def limbs(self) -> dict[int, list[int]]:
        """Arms and legs: each joint next to the trunk, with all joints of its limb."""
        found: dict[int, list[int]] = {}
        for joint in range(len(self)):
            side, first = self.side(joint), joint
            while (parent := self.parents[first]) >= 0 and self.side(parent) == side:
                first = parent
            if side != "centre":
                found.setdefault(first, []).append(joint)
        return found

    def side(self, joint: int) -> str:
        """``"left"``, ``"right"`` or ``"centre"``."""
        prefix = self.joints[joint].partition("_")[0]
        return prefix if prefix in ("left", "right") else "centre"


def _skeleton(name: str, *links: tuple[str, str | None]) -> Skeleton:
    joints = tuple(joint for joint, _ in links)
    parents = tuple(-1 if parent is None else joints.index(parent) for _, parent in links)
    return Skeleton(name, joints, parents)


_H36M_LINKS: tuple[tuple[str, str | None], ...] = (
    ("pelvis", None),
    ("right_hip", "pelvis"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("left_hip", "pelvis"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("spine", "pelvis"),
    ("thorax", "spine"),
    ("neck_nose", "thorax"),
    ("head_top", "neck_nose"),
    ("left_shoulder", "thorax"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_shoulder", "thorax"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
)

H36M_17 = _skeleton("h36m_17", *_H36M_LINKS)
"""Human3.6M, 17 joints, the order of VideoPose3D; ``neck_nose`` is its joint 9."""

H36M_17_TYPICAL_MM: tuple[float, ...] = (
    *(132.9, 442.9, 454.2),  # right leg
    *(132.9, 442.9, 454.2),
    *(233.4, 257.1, 121.1, 115.0),  # trunk, neck and head
    *(151.0, 278.9, 251.7),  # left arm, from the thorax
    *(151.0, 278.9, 251.7),
)
"""Millimetres of a typical Human3.6M subject, for the bones that end in joints 1 to 16."""

H36M_16 = _skeleton(
    "h36m_16",
    *(
        (joint, "thorax" if joint == "head_top" else parent)
        for joint, parent in _H36M_LINKS
        if joint != "neck_nose"
    ),
)
"""Human3.6M without ``neck_nose``; the head hangs on the thorax."""

_COCO_LINKS: tuple[tuple[str, str | None], ...] = (
    ("nose", None),
    ("left_eye", "nose"),
    ("right_eye", "nose"),
    ("left_ear", "left_eye"),
    ("right_ear", "right_eye"),
    ("left_shoulder", None),
    ("right_shoulder", "left_shoulder"),
    ("left_elbow", "left_shoulder"),
    ("right_elbow", "right_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_wrist", "right_elbow"),
    ("left_hip", "left_shoulder"),
    ("right_hip", "right_shoulder"),
    ("left_knee", "left_hip"),
    ("right_knee", "right_hip"),
    ("left_ankle", "left_knee"),
    ("right_ankle", "right_knee"),
)

COCO_17 = _skeleton("coco_17", *_COCO_LINKS)
"""COCO keypoints; what MoveNet, YOLO and most 2D detectors give."""

HALPE_26 = _skeleton(
    "halpe_26",
    *_COCO_LINKS[:5],
    ("left_shoulder", "neck"),
    ("right_shoulder", "neck"),
    ("left_elbow", "left_shoulder"),
    ("right_elbow", "right_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_wrist", "right_elbow"),
    ("left_hip", "pelvis"),
    ("right_hip", "pelvis"),
    ("left_knee", "left_hip"),
    ("right_knee", "right_hip"),
    ("left_ankle", "left_knee"),
    ("right_ankle", "right_knee"),
    ("head_top", "neck"),
    ("neck", "pelvis"),
    ("pelvis", None),
    ("left_big_toe", "left_ankle"),
    ("right_big_toe", "right_ankle"),
    ("left_small_toe", "left_ankle"),
    ("right_small_toe", "right_ankle"),
    ("left_heel", "left_ankle"),
    ("right_heel", "right_ankle"),
)
"""Halpe full body, 26 keypoints; AlphaPose and RTMPose ``body_with_feet``."""

BODY_25 = _skeleton(
    "body_25",
    ("nose", "mid_shoulder"),
    ("mid_shoulder", "mid_hip"),
    ("right_shoulder", "mid_shoulder"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
    ("left_shoulder", "mid_shoulder"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("mid_hip", None),
    ("right_hip", "mid_hip"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("left_hip", "mid_hip"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("right_eye", "nose"),
    ("left_eye", "nose"),
    ("right_ear", "right_eye"),
    ("left_ear", "left_eye"),
    ("left_big_toe", "left_ankle"),
    ("left_small_toe", "left_ankle"),
    ("left_heel", "left_ankle"),
    ("right_big_toe", "right_ankle"),
    ("right_small_toe", "right_ankle"),
    ("right_heel", "right_ankle"),
)
"""OpenPose BODY_25; what it calls neck and mid-hip are the middles of the shoulders
and of the hips, and so named here."""

BLAZEPOSE_33 = _skeleton(
    "blazepose_33",
    ("nose", None),
    ("left_eye_inner", "nose"),
    ("left_eye", "left_eye_inner"),
    ("left_eye_outer", "left_eye"),
    ("right_eye_inner", "nose"),
    ("right_eye", "right_eye_inner"),
    ("right_eye_outer", "right_eye"),
    ("left_ear", "left_eye_outer"),
    ("right_ear", "right_eye_outer"),
    ("left_mouth", "nose"),
    ("right_mouth", "nose"),
    ("left_shoulder", None),
    ("right_shoulder", "left_shoulder"),
    ("left_elbow", "left_shoulder"),
    ("right_elbow", "right_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_wrist", "right_elbow"),
    ("left_pinky", "left_wrist"),
    ("right_pinky", "right_wrist"),
    ("left_index", "left_wrist"),
    ("right_index", "right_wrist"),
    ("left_thumb", "left_wrist"),
    ("right_thumb", "right_wrist"),
    ("left_hip", "left_shoulder"),
    ("right_hip", "right_shoulder"),
    ("left_knee", "left_hip"),
    ("right_knee", "right_hip"),
    ("left_ankle", "left_knee"),
    ("right_ankle", "right_knee"),
    ("left_heel", "left_ankle"),
    ("right_heel", "right_ankle"),
    ("left_big_toe", "left_heel"),
    ("right_big_toe", "right_heel"),
)
"""MediaPipe / BlazePose landmarks."""

MPI_3DHP_17 = _skeleton(
    "mpi_3dhp_17",
    ("head_top", "head"),
    ("neck", "spine"),
    ("right_shoulder", "neck"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
    ("left_shoulder", "neck"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_hip", "pelvis"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("left_hip", "pelvis"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("pelvis", None),
    ("spine", "pelvis"),
    ("head", "neck"),
)
"""MPI-INF-3DHP, the 17 joints of the P-STMO files; the root is joint 14."""

HUMANEVA_15 = _skeleton(
    "humaneva_15",
    ("pelvis", None),
    ("thorax", "pelvis"),
    ("left_shoulder", "thorax"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_shoulder", "thorax"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
    ("left_hip", "pelvis"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("right_hip", "pelvis"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("head", "thorax"),
)
"""HumanEva-I, 15 joints, the order of VideoPose3D."""

SKELETONS: dict[str, Skeleton] = {
    skeleton.name: skeleton
    for skeleton in (
        H36M_17,
        H36M_16,
        COCO_17,
        HALPE_26,
        BODY_25,
        BLAZEPOSE_33,
        MPI_3DHP_17,
        HUMANEVA_15,
    )
}
"""Every joint set that a user can name."""


def get_skeleton(name: str | Skeleton) -> Skeleton:
    """The skeleton of that name, ``-`` and ``_`` and case aside; InputError lists the names."""
    if isinstance(name, Skeleton):
        return name
    wanted = str(name).lower().replace("-", "").replace("_", "")
    for skeleton in SKELETONS.values():
        if skeleton.name.replace("_", "") == wanted:
            return skeleton
    raise InputError(f"unknown skeleton {name!r}; known are {', '.join(SKELETONS)}")
