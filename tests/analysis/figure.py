"""A figure whose angles can be told by hand: bones point where they are told, camera axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ampose.cameras import Camera
from ampose.geometry import joints_from_bones
from ampose.motion.bones import TYPICAL_BONES
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17

UP, DOWN = np.array([0.0, -1, 0]), np.array([0.0, 1, 0])
LEFT, RIGHT = np.array([1.0, 0, 0]), np.array([-1.0, 0, 0])
"""Of somebody who faces the camera."""
FORWARD, BACK = np.array([0.0, 0, -1]), np.array([0.0, 0, 1])

_STANDING = {
    **dict.fromkeys(("spine", "thorax", "neck_nose", "head_top"), UP),
    **{f"left_{part}": LEFT for part in ("hip", "shoulder")},
    **{f"right_{part}": RIGHT for part in ("hip", "shoulder")},
    **{f"{s}_{p}": DOWN for s in ("left", "right") for p in ("knee", "ankle", "elbow", "wrist")},
}


def figure(**bones: np.ndarray) -> np.ndarray:
    """(17, 3) metres: stands upright, facing the camera, but for the bones that are named.

    A bone goes by the joint in which it ends.
    """
    told = _STANDING | bones
    directions = [told[H36M_17.joints[child]] for _, child in H36M_17.edges]
    return joints_from_bones(np.array(directions) * TYPICAL_BONES[:, None], H36M_17)


def tilted(direction: np.ndarray, towards: np.ndarray, degrees: float) -> np.ndarray:
    """A direction turned by so much towards another one, across it."""
    angle = np.radians(degrees)
    return np.cos(angle) * direction + np.sin(angle) * towards


def trunk(direction: np.ndarray) -> dict[str, np.ndarray]:
    """Bones of a straight trunk."""
    return {"spine": direction, "thorax": direction}


def hips(left: np.ndarray) -> dict[str, np.ndarray]:
    return {"left_hip": left, "right_hip": -left}


def shoulders(left: np.ndarray) -> dict[str, np.ndarray]:
    return {"left_shoulder": left, "right_shoulder": -left}


def sequence(
    joints: np.ndarray,
    *,
    sigma: float | np.ndarray = np.nan,
    rate: float = 30,
    tilt_sigma: float | None = None,
    **changes: object,
) -> PoseSequence:
    """Poses (T, P, 17, 3) four metres in front of a camera, level if `tilt_sigma` is given."""
    joints = joints.astype(np.float32)
    shape = joints.shape[:3]
    level = replace(Camera.from_fov((640, 480), 60), rotation=np.diag([1.0, -1, -1]))
    world_frame = {"tilt_sigma_degrees": tilt_sigma, "rests_on": "foot contacts"}
    made = PoseSequence(
        joints,
        np.broadcast_to(np.float32([0, 0, 4]), (*shape[:2], 3)),
        np.broadcast_to(np.float32(sigma), joints.shape),
        np.full((*shape, 2), np.nan, np.float32),
        np.zeros(shape, np.float32),
        np.isfinite(joints).all(-1),
        np.arange(shape[1]) + 3,
        np.arange(shape[0]) / rate,
        (level,),
        world_frame={} if tilt_sigma is None else world_frame,
        warnings=("careful",),
    )
    return replace(made, **changes)
