from __future__ import annotations

import numpy as np
import pytest

from ampose.motion.bones import TYPICAL_BONES
from ampose.motion.place import root_path
from ampose.skeletons import H36M_17
from tests.motion.people import CAMERA, moving, seen


def relative(joints: np.ndarray) -> np.ndarray:
    return joints - joints[:, :1]


@pytest.mark.parametrize("rate", [25, 240])
def test_exact_keypoints_give_the_root(rate):
    truth = moving(80)
    _, rays, scores = seen(truth)
    found = root_path(relative(truth), rays, scores, np.arange(80) / rate, cutoff=None)
    np.testing.assert_allclose(found, truth[:, 0], atol=1e-6)


def test_uneven_times_and_a_steady_path_are_kept():
    """Straight away from the camera by the same share of the distance in every second."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.08, 100))
    pose = relative(moving(100))
    root = np.exp(0.1 * times)[:, None] * np.array([0.5, 0.2, 3.0])
    _, rays, scores = seen(pose + root[:, None])
    found = root_path(pose, rays, scores, times)
    np.testing.assert_allclose(found, root, atol=1e-5)


def test_distance_is_steadied_and_the_ray_is_not(rng):
    truth = moving(200, TYPICAL_BONES)[::2]
    times = np.arange(100) / 25
    size = np.exp(rng.normal(0, 0.05, (100, 1, 1)))  # the lifted size breathes
    _, rays, scores = seen(truth)
    plain = root_path(relative(truth) * size, rays, scores, times, cutoff=None)
    steady = root_path(relative(truth) * size, rays, scores, times)
    away = [np.linalg.norm(p - truth[:, 0], axis=-1).mean() for p in (plain, steady)]
    assert away[1] < 0.4 * away[0]
    off = [
        np.linalg.norm(CAMERA.project(p) - CAMERA.project(truth[:, 0]), axis=-1).max()
        for p in (plain, steady)
    ]
    assert off[1] < off[0] + 5  # pixels


def test_the_cutoff_halves_an_oscillation():
    """And delays it in no way: the filter looks both ways."""
    times = np.arange(500) / 50
    pose = np.repeat(relative(moving(1)), 500, axis=0)
    for hertz, low, high in ((0.25, 0.95, 1.01), (1.0, 0.4, 0.6), (4.0, 0.0, 0.02)):
        swing = 0.05 * np.sin(2 * np.pi * hertz * times)
        root = 4 * np.exp(swing)[:, None] * np.array([0, 0, 1.0])
        _, rays, scores = seen(pose + root[:, None])
        found = np.log(root_path(pose, rays, scores, times, cutoff=1.0)[:, 2] / 4)
        inner = slice(100, 400)  # a whole number of periods, away from the ends
        gain = found[inner] @ swing[inner] / (swing[inner] @ swing[inner])
        lag = found[inner] @ np.cos(2 * np.pi * hertz * times)[inner]
        assert low < gain < high
        assert abs(lag) < 0.1


def test_an_outlier_joint_counts_little():
    truth = moving(30)
    keypoints, _, scores = seen(truth)
    keypoints[:, H36M_17.index("left_wrist")] += 200
    found = root_path(
        relative(truth), CAMERA.rays(keypoints), scores, np.arange(30) / 25, cutoff=None
    )
    assert np.linalg.norm(found - truth[:, 0], axis=-1).max() < 0.02


def test_what_is_seen_less_exactly_counts_less():
    """A hip has the weight of 1 / 1.5^2 shoulders."""
    truth = moving(20)
    keypoints, _, scores = seen(truth)
    aside = {}
    for joint in ("left_hip", "left_shoulder"):
        moved = keypoints.copy()
        moved[:, H36M_17.index(joint), 0] += 3
        rays, times = CAMERA.rays(moved), np.arange(20) / 25
        found = root_path(relative(truth), rays, scores, times, cutoff=None)
        aside[joint] = np.abs(found - truth[:, 0])[:, 0].mean()
    assert aside["left_hip"] / aside["left_shoulder"] == pytest.approx(1 / 1.5**2, abs=0.05)


def test_a_frame_of_a_wrong_size_pulls_no_others(rng):
    pose, root = np.repeat(relative(moving(1)), 100, axis=0), np.array([[0.3, 0.1, 4.0]])
    _, rays, scores = seen(pose + root[:, None])
    size = np.exp(rng.normal(0, 0.005, (100, 1, 1)))
    size[50] *= 1.3  # 1.2 m
    found = root_path(pose * size, rays, scores, np.arange(100) / 25)
    assert np.linalg.norm(found - root, axis=-1).max() < 0.04


def test_gaps_stay_gaps_and_ends_are_not_bent():
    truth = moving(80)
    _, rays, scores = seen(truth)
    times = np.r_[np.arange(40), np.arange(40) + 5000] / 25  # away for minutes
    pose = relative(truth)
    pose[10:20] = np.nan
    found = root_path(pose, rays, scores, times)
    assert np.isnan(found[10:20]).all()
    rest = np.r_[0:10, 20:80]
    away = np.linalg.norm(found - truth[:, 0], axis=-1)[rest]
    assert away.max() < 0.1


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 5])
def test_few_frames(frames):
    truth = moving(5)[:frames]
    _, rays, scores = seen(truth)
    found = root_path(relative(truth), rays, scores, np.arange(frames) / 25)
    assert found.shape == (frames, 3)
    np.testing.assert_allclose(found, truth[:, 0], atol=0.05)


def test_nobody_and_times_that_stand_still():
    absent = np.full((9, 17, 3), np.nan)
    assert np.isnan(root_path(absent, absent, np.zeros((9, 17)), np.arange(9.0))).all()
    truth = moving(9)
    _, rays, scores = seen(truth)
    found = root_path(relative(truth), rays, scores, np.zeros(9))  # photos have no times
    np.testing.assert_allclose(found, truth[:, 0], atol=1e-6)
