"""Keypoints of an upright person whose head is where one can work out."""

from __future__ import annotations

import numpy as np

from ampose.skeletons import COCO_17, Skeleton

# An upright adult, facing the camera, 200 pixels a metre: eyes 1.6 m, shoulders 1.4 m, hips 0.9 m.
UPRIGHT = {
    "nose": (300, 90),
    "left_eye": (306, 82),
    "right_eye": (294, 82),
    "left_ear": (315, 84),
    "right_ear": (285, 84),
    "left_shoulder": (334, 125),
    "right_shoulder": (266, 125),
    "left_elbow": (345, 180),
    "right_elbow": (255, 180),
    "left_wrist": (350, 230),
    "right_wrist": (250, 230),
    "left_hip": (325, 225),
    "right_hip": (275, 225),
    "left_knee": (325, 310),
    "right_knee": (275, 310),
    "left_ankle": (325, 395),
    "right_ankle": (275, 395),
}
TOP, CHIN, MIDDLE = (300, 58), (300, 104), (300, 82)


def points(*unseen: str, skeleton: Skeleton = COCO_17) -> np.ndarray:
    out = np.array([UPRIGHT.get(name, (np.nan, np.nan)) for name in skeleton.joints], float)
    for place, name in enumerate(skeleton.joints):
        if name.endswith(unseen) and unseen:
            out[place] = np.nan
    return out


def within(circle: np.ndarray, *places: tuple[float, float]) -> bool:
    return bool((np.linalg.norm(np.array(places) - circle[:2], axis=-1) <= circle[2]).all())


FACE = ("nose", "eye", "ear")
