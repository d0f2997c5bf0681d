"""How alike two 2D poses are, and which of several are one person."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ampose.poses import Pose2D
from ampose.skeletons import COCO_17, Skeleton

Array = NDArray[np.floating]

DEFAULT_SIGMA = 0.08
"""Standard deviation of a joint over the person's size, for joint sets other than COCO's."""

_COCO_SIGMAS = {
    "nose": 0.026,
    "eye": 0.025,
    "ear": 0.035,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
}
_MIN_SHARED_JOINTS = 3
_MIN_ASPECT = 0.25


def oks(a: Pose2D, b: Pose2D, slack: float = 0.0) -> float:
    """Object keypoint similarity of two poses, 0 to 1, over the joints seen in both.

    As COCO defines it, with these differences: the area is the mean of the two boxes', each with
    its shorter side at least a quarter of the longer (people seen edge-on are no lines); with
    fewer than three shared joints it is 0. `slack` is a standard deviation in pixels, for a pose
    whose place is not well known; it is added to every joint's own.

    Raises:
        ValueError: the poses have different skeletons.
    """
    if a.skeleton != b.skeleton:
        raise ValueError(f"cannot compare {a.skeleton.name} with {b.skeleton.name}")
    shared = a.seen & b.seen
    if shared.sum() < _MIN_SHARED_JOINTS:
        return 0.0
    spread = 2 * _sigmas(a.skeleton)[shared]
    area = max((body_area(a) + body_area(b)) / 2, 1.0)
    squared = ((a.keypoints - b.keypoints)[shared] ** 2).sum(-1)
    return float(np.exp(-squared / (2 * (area * spread**2 + slack**2))).mean())


def box_iou(a: Pose2D, b: Pose2D, slack: float = 0.0) -> float:
    """Intersection over union of two boxes, 0 to 1, each first grown by `slack` pixels all round.

    Growing boxes whose places are uncertain is from C-BIoU (Yang et al., WACV 2023).
    """
    low = np.maximum(a.box[:2], b.box[:2]) - slack
    high = np.minimum(a.box[2:], b.box[2:]) + slack
    overlap = float((high - low).clip(0).prod())
    union = sum(float((p.box[2:] - p.box[:2] + 2 * slack).prod()) for p in (a, b)) - overlap
    return overlap / union if union > 0 else 0.0


def body_area(pose: Pose2D) -> float:
    """Area of the box, pixels squared, its shorter side at least a quarter of the longer."""
    shorter, longer = sorted(float(side) for side in pose.box[2:] - pose.box[:2])
    return longer * max(shorter, _MIN_ASPECT * longer)


def prominence(pose: Pose2D) -> float:
    """Mean score times area, by which people are ordered."""
    return float(pose.scores.mean()) * body_area(pose)


def distinct(poses: Iterable[Pose2D], threshold: float) -> list[Pose2D]:
    """The poses without those whose `oks` with an earlier one is above the threshold."""
    kept: list[Pose2D] = []
    for pose in poses:
        if all(oks(pose, other) <= threshold for other in kept):
            kept.append(pose)
    return kept


def _sigmas(skeleton: Skeleton) -> Array:
    if skeleton != COCO_17:
        return np.full(len(skeleton), DEFAULT_SIGMA)
    return np.array([_COCO_SIGMAS[joint.rpartition("_")[2]] for joint in skeleton.joints])
