from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ampose.detection.similarity import box_iou, distinct, oks, prominence
from ampose.poses import Pose2D
from ampose.skeletons import BODY_25, COCO_17

from .conftest import standing


def test_oks_of_a_pose_with_itself_is_one_and_far_away_is_zero():
    pose = standing(100, 100)
    assert oks(pose, pose) == 1
    assert oks(pose, standing(900, 100)) == pytest.approx(0, abs=1e-9)


def test_oks_by_hand():
    pose = _pose(np.array([[0, 0], [100, 0], [100, 100]]), ("nose", "left_hip", "left_ankle"))
    moved = _pose(np.array([[0, 0], [110, 0], [100, 100]]), ("nose", "left_hip", "left_ankle"))
    # Areas 100 x 100 and 110 x 100; the hip, sigma 0.107, moved by 10.
    expected = (2 + np.exp(-100 / (2 * 10500 * (2 * 0.107) ** 2))) / 3
    assert oks(pose, moved) == pytest.approx(expected, rel=1e-5)


def test_oks_is_symmetric():
    a, b = standing(100, 100), standing(110, 95, size=1.2)
    assert oks(a, b) == oks(b, a)
    assert 0 < oks(a, b) < 1


def test_oks_needs_three_shared_joints():
    a = _pose(np.array([[0, 0], [1, 9]]), ("nose", "left_hip"))
    assert oks(a, a) == 0


def test_oks_of_other_sets_uses_one_sigma():
    points = np.arange(50, dtype=np.float32).reshape(25, 2) ** 1.5
    box = np.concatenate([points.min(0), points.max(0)])
    pose = Pose2D(points, np.ones(25, np.float32), box, BODY_25)
    moved = replace(pose, keypoints=points + np.float32([3, 4]))
    area = np.prod(box[2:] - box[:2])
    assert oks(pose, moved) == pytest.approx(np.exp(-25 / (2 * area * 0.16**2)), rel=1e-4)
    with pytest.raises(ValueError, match="body_25 with coco_17"):
        oks(pose, standing(0, 0))


def test_box_iou():
    a, b = _boxed(0, 0, 10, 10), _boxed(5, 0, 15, 10)
    assert box_iou(a, b) == pytest.approx(50 / 150)
    assert box_iou(a, _boxed(20, 20, 30, 30)) == 0
    assert box_iou(_boxed(5, 5, 5, 5), _boxed(5, 5, 5, 5)) == 0


def test_distinct_keeps_the_first_of_each_person():
    a, again, b = standing(100, 100), standing(101, 100), standing(400, 100)
    assert distinct([a, again, b], 0.5) == [a, b]


def test_prominence_is_score_times_area():
    assert prominence(_boxed(0, 0, 10, 20)) == pytest.approx(200)
    assert prominence(_boxed(0, 0, 1, 20)) == pytest.approx(20 * 5)  # seen from the side
    assert prominence(standing(0, 0, size=2)) == pytest.approx(4 * prominence(standing(0, 0)))


def _boxed(*box: float) -> Pose2D:
    return replace(standing(0, 0, score=1), box=np.array(box, np.float32))


def _pose(points: np.ndarray, joints: tuple[str, ...]) -> Pose2D:
    keypoints = np.full((17, 2), np.nan, np.float32)
    keypoints[COCO_17.indices(joints)] = points
    box = np.concatenate([points.min(0), points.max(0)]).astype(np.float32)
    scores = np.isfinite(keypoints[:, 0]).astype(np.float32)
    return Pose2D(keypoints, scores, box, COCO_17)


def test_slack_forgives():
    pose = _pose(np.array([[0, 0], [100, 0], [100, 100]]), ("nose", "left_hip", "left_ankle"))
    moved = replace(pose, keypoints=pose.keypoints + np.float32(10))
    spreads = np.array([0.026, 0.107, 0.089]) * 2
    expected = np.exp(-200 / (2 * (100**2 * spreads**2 + 30**2))).mean()
    assert oks(pose, moved, 30) == pytest.approx(expected, rel=1e-5)
    a, b = _boxed(0, 0, 10, 10), _boxed(15, 0, 25, 10)
    assert box_iou(a, b) == 0
    assert box_iou(a, b, 5) == pytest.approx(5 * 20 / (2 * 400 - 100))
