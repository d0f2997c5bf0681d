from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from ampose.detection.movenet import (
    FIND_SCORE,
    ROUGH_JOINT_SCORE,
    Finder,
    MoveNetRefiner,
    letterbox_size,
)
from ampose.onnx_models import open_session
from ampose.skeletons import COCO_17

from .conftest import MakeModel


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ((1920, 1080), (256, 160)),
        ((1080, 1920), (160, 256)),
        ((256, 256), (256, 256)),
        ((100, 100), (256, 256)),
        ((10000, 1), (256, 32)),
        ((1, 1), (256, 256)),
    ],
)
def test_letterbox_size(image: tuple[int, int], expected: tuple[int, int]):
    assert letterbox_size(image) == expected


def _row(x: float, score: float) -> np.ndarray:
    """What MultiPose says of one person: joints on a slanted line from x, y = 0.5."""
    joints = np.zeros((17, 3), np.float32)
    joints[:, 0] = 0.5 + np.arange(17) / 100
    joints[:, 1] = x + np.arange(17) / 200
    joints[:, 2] = 0.9
    return np.concatenate([joints.ravel(), [0.4, x, 0.7, x + 0.1, score]])


def _finder(make_model: MakeModel, *rows: np.ndarray) -> Finder:
    output = np.zeros((1, 6, 56), np.float32)
    output[0, : len(rows)] = rows
    path = make_model(TensorProto.UINT8, [1, "height", "width", 3], {"people": output})
    return Finder(open_session(path, 1))


# 1600 x 900 goes to 256 x 160 = 1600 x 1000 image pixels: 50 rows of black above and below.
PICTURE = np.zeros((900, 1600, 3), np.uint8)


def test_found_people_come_back_to_image_pixels_best_first(make_model: MakeModel):
    finder = _finder(make_model, _row(0.1, 0.5), _row(0.6, 0.8), _row(0.3, FIND_SCORE - 0.01))
    best, second = finder.find(PICTURE)
    joints = np.arange(17)
    np.testing.assert_allclose(best.keypoints[:, 0], 1600 * (0.6 + joints / 200), rtol=1e-5)
    np.testing.assert_allclose(best.keypoints[:, 1], 1000 * (0.5 + joints / 100) - 50, rtol=1e-5)
    np.testing.assert_allclose(best.box, [960, 350, 1120, 650], rtol=1e-5)
    np.testing.assert_allclose(second.box, [160, 350, 320, 650], rtol=1e-5)


def test_one_person_found_twice_is_one(make_model: MakeModel):
    finder = _finder(make_model, _row(0.1, 0.5), _row(0.101, 0.7))
    (pose,) = finder.find(PICTURE)
    assert pose.box[0] == pytest.approx(161.6)


def test_weak_joints_have_no_place(make_model: MakeModel):
    weak = _row(0.1, 0.5)
    weak[2] = ROUGH_JOINT_SCORE - 0.01
    (pose,) = _finder(make_model, weak).find(PICTURE)
    assert pose.seen.tolist() == [False] + [True] * 16
    assert pose.scores[0] == 0


def test_a_refined_joint_is_y_x_and_score(make_model: MakeModel):
    output = np.zeros((1, 1, 17, 3), np.float32)
    output[0, 0, 4] = 0.25, 0.75, 1.2
    path = make_model(TensorProto.INT32, [1, 64, 64, 3], {"joints": output})
    refiner = MoveNetRefiner(open_session(path, 1), COCO_17)
    assert refiner.size == (64, 64)
    keypoints, scores = refiner.refine(np.zeros((64, 64, 3), np.uint8))
    assert keypoints[4].tolist() == [0.75, 0.25]
    assert (scores[4], scores.min()) == (1, 0)
