from __future__ import annotations

import numpy as np
import pytest

from ampose.geometry import rotate, rotation_about
from ampose.motion import body
from ampose.motion.body import measured_body, reprojection_residual
from ampose.motion.body_fit import BodyFit, fit_to_bones
from ampose.motion.bones import DEFAULT_STATURE, TYPICAL_BONES, stature, with_lengths
from tests.motion.people import CAMERA, RATE, moving, other_body, seen

FRAMES = 60
TIMES = np.arange(FRAMES) / RATE
UNKNOWN = np.full((FRAMES, 17, 3), np.nan)


def turning(lengths: np.ndarray) -> np.ndarray:
    joints = moving(FRAMES, lengths)
    turned = rotate(joints - joints[:, :1], rotation_about(1, 0.3 * np.arange(FRAMES)))
    return turned + np.array([0, 0, 4.0])


def test_lengths_height_and_joints():
    truth = turning(other_body())
    keypoints, _, scores = seen(truth)
    lifted = with_lengths(truth, TYPICAL_BONES)
    found = measured_body(lifted, UNKNOWN, keypoints, scores, TIMES, CAMERA, height=1.8)
    assert found.stature == pytest.approx(1.8)
    right = other_body() * 1.8 / stature(other_body())
    assert np.abs(found.lengths / right - 1).max() < 0.05
    np.testing.assert_array_equal(found.joints, lifted)
    default = measured_body(lifted, UNKNOWN, keypoints, scores, TIMES, CAMERA)
    assert default.stature == pytest.approx(DEFAULT_STATURE)


def test_what_is_relifted_is_a_typical_body():
    """A lifter that is asked again sees the same pose on typical bones, ever more exactly."""
    truth = turning(other_body())
    keypoints, _, scores = seen(truth)
    keypoints[5, 3] = np.nan
    pose = with_lengths(truth, TYPICAL_BONES)
    expected = CAMERA.project(pose + truth[:, :1])
    off = []

    def relift(moved, confidence):
        assert np.isnan(moved[5, 3]).all()
        assert confidence[5, 3] == 0
        off.append(np.nanmean(np.linalg.norm(moved - expected, axis=-1)))
        return pose, np.zeros_like(pose) + 0.01

    wrong = pose + np.random.default_rng(0).normal(0, 0.02, pose.shape)
    found = measured_body(wrong, UNKNOWN, keypoints, scores, TIMES, CAMERA, relift=relift)
    assert len(off) == body.ROUNDS
    assert off[0] < 0.5 * np.nanmean(np.linalg.norm(keypoints - expected, axis=-1))
    assert off[-1] < off[0]
    np.testing.assert_array_equal(found.joints, pose)
    assert (found.sigma == 0.01).all()


def test_frames_that_cannot_be_relifted_stay():
    truth = turning(TYPICAL_BONES)
    keypoints, _, scores = seen(truth)
    lifted = with_lengths(truth, TYPICAL_BONES)
    lifted[7] = np.nan
    keypoints[11] = np.nan  # lifted, but nothing says where

    def relift(moved, confidence):
        answer = lifted + 0.001
        answer[9] = np.nan
        return answer, UNKNOWN

    found = measured_body(lifted, UNKNOWN, keypoints, scores, TIMES, CAMERA, relift=relift)
    assert np.isnan(found.joints[7]).all()
    np.testing.assert_array_equal(found.joints[[9, 11]], lifted[[9, 11]])
    np.testing.assert_array_equal(found.joints[8], lifted[8] + 0.001)


def test_a_long_clip_is_measured_from_its_first_to_its_last_frame(monkeypatch):
    truth = turning(TYPICAL_BONES)
    keypoints, _, scores = seen(truth)
    measured = []

    def noted(joints, rays, scores, times, lengths, *, sigma):
        measured.append(times)
        return lengths

    monkeypatch.setattr(body, "MEASURED_FRAMES", 5)
    monkeypatch.setattr(body, "fitted_lengths", noted)
    measured_body(truth - truth[:, :1], UNKNOWN, keypoints, scores, TIMES, CAMERA)
    np.testing.assert_array_equal(measured, [TIMES[[0, 15, 30, 44, 59]]])


@pytest.mark.parametrize("frames", [0, 3])
def test_nobody(frames):
    absent = np.full((frames, 17, 3), np.nan)
    keypoints, scores = absent[..., :2], np.zeros((frames, 17))
    times = np.arange(frames) / RATE
    assert measured_body(absent, absent, keypoints, scores, times, CAMERA) is None


@pytest.mark.parametrize("present", [1, 3])
def test_somebody_in_a_few_frames_of_many(present):
    truth = turning(other_body())
    keypoints, _, scores = seen(truth)
    lifted = with_lengths(truth, TYPICAL_BONES)
    for array in (keypoints, lifted):
        array[present:] = np.nan
    scores[present:] = 0
    found = measured_body(lifted, UNKNOWN, keypoints, scores, TIMES, CAMERA)
    assert np.isfinite(found.lengths).all()
    assert np.isnan(found.joints[present:]).all()


class TestResidual:
    def test_by_hand(self):
        """All joints 3 pixels off to the side and 4 down, in a box of 500 pixels."""
        truth = moving(4)
        keypoints, _, scores = seen(truth)
        side = np.ptp(keypoints, axis=1).max(-1)
        off = keypoints + np.array([3, 4])
        found = reprojection_residual(truth - truth[:, :1], truth[:, 0], off, scores, CAMERA)
        assert found.pixels == pytest.approx(5)
        assert found.of_box == pytest.approx(np.median(np.repeat(5 / side, 17)))

    def test_joints_not_seen_do_not_count(self):
        truth = moving(4)
        keypoints, _, scores = seen(truth)
        keypoints[:, :9] += 50
        scores[:, :9] = 0
        found = reprojection_residual(truth - truth[:, :1], truth[:, 0], keypoints, scores, CAMERA)
        assert found.pixels == pytest.approx(0, abs=1e-9)

    def test_one_joint_without_an_extent(self):
        """And others with a score but no place, in the picture or in space."""
        truth = moving(1)
        keypoints, _, scores = seen(truth)
        scores[:, 3:] = 0
        keypoints[:, 0, 0] += 5
        keypoints[:, 1] = np.nan
        joints = truth - truth[:, :1]
        joints[:, 2] = np.nan
        keypoints[:, 2] = keypoints[:, 0]
        found = reprojection_residual(joints, truth[:, 0], keypoints, scores, CAMERA)
        assert (found.pixels, found.of_box) == pytest.approx((5, 5))

    @pytest.mark.parametrize("frames", [0, 2])
    def test_nobody(self, frames):
        absent = np.full((frames, 17, 3), np.nan)
        scores = np.zeros((frames, 17))
        found = reprojection_residual(absent, absent[:, 0], absent[..., :2], scores, CAMERA)
        assert np.isnan([found.pixels, found.of_box]).all()


def test_a_fit_nowhere_leaves_its_keypoints():
    truth = moving(2)
    keypoints, rays, scores = seen(truth)
    fit = fit_to_bones(truth - truth[:, :1], rays, scores, TYPICAL_BONES)
    nowhere = BodyFit(fit.joints, np.where([[True], [False]], np.nan, fit.root))
    moved = body.as_typical_body(keypoints, nowhere, 1.1 * TYPICAL_BONES, CAMERA)
    np.testing.assert_array_equal(moved[0], keypoints[0])
    assert np.abs(moved[1] - keypoints[1]).max() > 5
