"""Invented people in front of a camera, exactly seen, for the tests of motion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ampose.cameras import Camera
from ampose.geometry import bone_vectors, joints_from_bones, rotation_about
from ampose.lifting.lifter import LiftedPeople
from ampose.motion.bones import ANKLE_SHARE, TYPICAL_BONES, stature
from ampose.motion.stance import ANKLES
from ampose.research.data.open_mocap import PACK_TO_CAMERA
from ampose.skeletons import H36M_17
from tests.research.packs import walk

CAMERA = Camera.from_fov((1280, 960), 60)
RATE = 25


def moving(frames: int, lengths: np.ndarray = TYPICAL_BONES, *, seed: int = 0) -> np.ndarray:
    """(T, 17, 3) metres, camera axes, from the camera: sways and walks, 4 m away."""
    pose, root = walk(frames, seed)
    bones = bone_vectors(pose, H36M_17)
    directions = bones / np.linalg.norm(bones, axis=-1, keepdims=True)
    pose = joints_from_bones(directions * lengths[:, None], H36M_17)
    path = root - root.mean(0)
    return (pose + path[:, None]) @ PACK_TO_CAMERA.T + np.array([0, 0, 4.0])


def seen(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keypoints (T, 17, 2), rays and scores of joints that the camera sees exactly."""
    keypoints = CAMERA.project(joints)
    return keypoints, CAMERA.rays(keypoints), np.ones(keypoints.shape[:2])


def other_body() -> np.ndarray:
    """(16,) short thighs, long shins, broad shoulders; as tall as the typical body."""
    lengths = TYPICAL_BONES.copy()
    for bone, factor in ((1, 0.85), (2, 1.1), (10, 1.2), (11, 0.9), (12, 1.1)):
        for joint in (bone + 1, H36M_17.mirror[bone + 1]):
            lengths[joint - 1] *= factor
    return lengths * stature(TYPICAL_BONES) / stature(lengths)


def stepping(seconds: float = 6.0, rate: int = RATE) -> tuple[np.ndarray, np.ndarray]:
    """World joints (T, 17, 3), y up, floor 0, and times: walks a quarter circle at 1 m/s.

    Each foot stands for half a second while the other swings 15 cm above the floor.
    """
    times = np.arange(round(seconds * rate)) / rate
    ankle = ANKLE_SHARE * stature(TYPICAL_BONES)

    def on_path(when: np.ndarray) -> np.ndarray:
        angle = when / 3  # a circle of 3 m, 1 m/s
        return np.stack([3 * np.sin(angle), 0 * when, -3 + 3 * np.cos(angle)], -1)

    standing = np.zeros((17, 3))
    up = {"pelvis": 0.9, "spine": 1.13, "thorax": 1.39, "neck_nose": 1.51, "head_top": 1.62}
    for joint, name in enumerate(H36M_17.joints):
        side = {"left": -0.1, "right": 0.1}.get(name.partition("_")[0], 0.0)
        part = name.partition("_")[2] if side else name
        heights = {"hip": 0.9, "knee": 0.5, "shoulder": 1.39, "elbow": 1.1, "wrist": 0.85}
        standing[joint] = (side, up.get(name, heights.get(part, 0.0)), 0)
    joints = standing + on_path(times)[:, None]
    for side, joint in enumerate(ANKLES):
        phase = times + 0.5 * side  # a step of one second: stands, then swings
        step, share = np.floor(phase), phase % 1
        swing = np.clip(2 * share - 1, 0, 1)
        when = step + swing - 0.5 * side + 0.25
        joints[:, joint] = on_path(when)
        joints[:, joint, 1] = ankle + 0.15 * np.sin(np.pi * swing)
    return joints, times


def filmed(
    world: np.ndarray, *, pitch: float = 12, roll: float = -4, height: float = 1.5
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """World points, y up, in the axes of a camera; and the way back.

    The camera stands at the given height, 5 m in front of the origin, looks down by `pitch`
    degrees, and sees up lean to the right by `roll` degrees.
    """
    level = np.diag([1.0, -1, -1])
    turn = rotation_about(2, np.radians(roll)) @ rotation_about(0, np.radians(pitch)) @ level
    place = np.array([0, height, 5.0])
    return (world - place) @ turn.T, lambda points: points @ turn + place


class Knowing:
    """Lifts to the pose that it was told, on typical bones, whatever it is shown."""

    mapping = "hybrid"

    def __init__(self, truth: np.ndarray) -> None:
        self.pose = truth - truth[:, :1]
        self.root = (0.0, 0.0, 4.0)
        self.cameras: list[Camera] = []

    def lift_people(self, keypoints, scores, skeleton, camera):
        self.cameras.append(camera)
        unknown = np.full_like(self.pose, np.nan)
        return LiftedPeople(
            self.pose, np.tile(self.root, (len(self.pose), 1)), unknown, keypoints, scores
        )
