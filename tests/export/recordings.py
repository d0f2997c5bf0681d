"""Recordings of invented people, for the tests of files that animation programs read."""

from __future__ import annotations

import numpy as np

from ampose.cameras import Camera
from ampose.export.rig import RIG
from ampose.geometry import joints_from_bones
from ampose.motion.bones import TYPICAL_BONES
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.motion.people import moving

FLIP = np.array([1.0, -1, -1])

AT = {joint.name: H36M_17.index(joint.at) for joint in RIG}
"""Where each joint of the rig sits, by the places of Human3.6M's joints."""


def walking(frames: int = 20, seed: int = 0, lengths: np.ndarray = TYPICAL_BONES) -> np.ndarray:
    """(T, 17, 3) metres, y up, pelvis about a metre above the floor, 4 m from the camera."""
    return moving(frames, lengths, seed=seed) * FLIP + [0, 1, 0]


def pose(directions: dict[str, list[float]] | None = None) -> np.ndarray:
    """(17, 3) metres: the rest pose, but for bones that point elsewhere, by their ends."""
    rest = {joint.to: joint.rest for joint in RIG if joint.to}
    ends = [H36M_17.joints[child] for _, child in H36M_17.edges]
    vectors = np.array([(rest | (directions or {}))[end] for end in ends], float)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return joints_from_bones(vectors * TYPICAL_BONES[:, None], H36M_17)


def recording(
    *people: np.ndarray, times: np.ndarray | None = None, world: bool = True, first_id: int = 3
) -> PoseSequence:
    """A sequence of people (T, 17, 3), y up, NaN where absent, at 25 frames a second."""
    places = np.stack(people, axis=1)
    frames, count = places.shape[:2]
    root = places[:, :, 0] * FLIP
    joints = (places * FLIP - root[:, :, None]).astype(np.float32)
    return PoseSequence(
        joints=joints,
        root=root.astype(np.float32),
        sigma=np.full_like(joints, np.nan),
        keypoints=np.full((*joints.shape[:-1], 2), np.nan, np.float32),
        scores=np.zeros(joints.shape[:-1], np.float32),
        valid=np.isfinite(joints).all(-1),
        ids=np.arange(count) + first_id,
        times=np.arange(frames) / 25 if times is None else times,
        cameras=(Camera.from_fov((640, 480), 60),),
        world=places.astype(np.float32) if world else np.full_like(joints, np.nan),
    )


def absent(person: np.ndarray, *frames: int) -> np.ndarray:
    """The person without these frames."""
    out = person.copy()
    out[list(frames)] = np.nan
    return out
