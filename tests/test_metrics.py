from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ampose import metrics
from ampose.geometry import random_rotations, rotate
from ampose.skeletons import H36M_17, Skeleton

seeds = st.integers(0, 2**32 - 1)


def pair(seed: int, shape: tuple[int, ...] = (5, 17, 3)):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=shape)
    return target + 0.1 * rng.normal(size=shape), target, rng


def test_mpjpe_by_hand():
    target = np.zeros((2, 2, 3), np.float32)
    predicted = target.copy()
    predicted[0, 1] = 0.003, 0.004, 0  # 5 mm
    predicted[1, 0] = 0, 0, -0.007  # 7 mm
    np.testing.assert_allclose(
        metrics.joint_errors(predicted, target), [[0, 5], [7, 0]], rtol=1e-6
    )
    assert metrics.mpjpe(predicted, target) == pytest.approx(3)


@given(seeds)
def test_every_error_is_zero_only_for_the_truth(seed):
    predicted, target, _ = pair(seed)
    for metric in (metrics.mpjpe, metrics.n_mpjpe, metrics.p_mpjpe, metrics.mpjve):
        assert metric(target, target) == pytest.approx(0, abs=1e-9)
        assert metric(predicted, target) > 1


@given(seeds)
def test_a_common_motion_changes_nothing(seed):
    predicted, target, rng = pair(seed)
    rotation = random_rotations(1, rng)[0]
    shift = rng.normal(size=3)
    moved = [rotate(pose, rotation) + shift for pose in (predicted, target)]
    for metric in (metrics.mpjpe, metrics.p_mpjpe, metrics.mpjve):
        assert metric(*moved) == pytest.approx(metric(predicted, target), rel=1e-9)
    turned = [rotate(pose, rotation) for pose in (predicted, target)]
    assert metrics.n_mpjpe(*turned) == pytest.approx(metrics.n_mpjpe(predicted, target), rel=1e-9)


@given(seeds, st.floats(0.01, 100))
def test_what_each_metric_forgives(seed, factor):
    predicted, target, rng = pair(seed)
    n_error = metrics.n_mpjpe(predicted, target)
    p_error = metrics.p_mpjpe(predicted, target)
    assert metrics.n_mpjpe(predicted * factor, target) == pytest.approx(n_error, rel=1e-9)
    moved = factor * rotate(predicted, random_rotations(5, rng)) + rng.normal(size=(5, 1, 3))
    assert metrics.p_mpjpe(moved, target) == pytest.approx(p_error, rel=1e-8)
    shifted = predicted + rng.normal(size=3)
    assert metrics.mpjve(shifted, target) == pytest.approx(
        metrics.mpjve(predicted, target), rel=1e-9
    )
    assert metrics.mpjpe(shifted, target) != pytest.approx(
        metrics.mpjpe(predicted, target), rel=0.1
    )


@given(seeds)
def test_n_mpjpe_takes_the_least_squares_scale(seed):
    predicted, target, _ = pair(seed, (17, 3))
    scale = np.linalg.lstsq(predicted.reshape(-1, 1), target.ravel())[0]
    assert metrics.n_mpjpe(predicted, target) == pytest.approx(
        metrics.mpjpe(predicted * scale, target), rel=1e-9
    )


def test_p_mpjpe_is_scipys_alignment_pose_by_pose():
    predicted, target, _ = pair(1)
    errors = []
    for p, t in zip(predicted, target, strict=True):
        x, y = p - p.mean(0), t - t.mean(0)
        turned = Rotation.align_vectors(y, x)[0].apply(x)
        aligned = turned * (turned * y).sum() / (x * x).sum()
        errors.append(np.linalg.norm(aligned - y, axis=-1) * 1000)
    np.testing.assert_allclose(metrics.aligned_joint_errors(predicted, target), errors, rtol=1e-9)
    assert metrics.p_mpjpe(predicted, target) == pytest.approx(np.mean(errors), rel=1e-9)


def test_p_mpjpe_does_not_forgive_a_mirror_image(standing):
    assert metrics.p_mpjpe(standing * [-1, 1, 1], standing) > 20


def test_velocity_by_hand():
    still = np.zeros((4, 1, 3))
    moving = still.copy()
    moving[:, 0, 0] = 0, 0.001, 0.003, 0.006  # 1, 2 and 3 mm per frame
    assert metrics.mpjve(moving, still) == pytest.approx(2)
    for one in (moving[:1], moving[:, 0]):  # a frame; a pose
        with pytest.raises(ValueError, match="two frames"):
            metrics.mpjve(one, one)


def test_acceleration_by_hand():
    still = np.zeros((4, 1, 3), np.float32)
    moving = still.copy()
    moving[:, 0, 0] = 0, 0.001, 0.003, 0.009  # steps of 1, 2 and 6 mm: they grow by 1 and 4 mm
    assert metrics.acceleration_error(moving, still, 1) == pytest.approx(2.5)
    assert metrics.acceleration_error(moving, still, 10) == pytest.approx(250)
    steady = moving + np.arange(4)[:, None, None] * [0.1, 0.2, 0.3] + [1, 2, 3]
    assert metrics.acceleration_error(moving, steady, 25) == pytest.approx(0, abs=0.1)
    for short in (moving[:2], moving[:, 0]):  # two frames; a pose
        with pytest.raises(ValueError, match="three frames"):
            metrics.acceleration_error(short, short, 25)


def test_acceleration_of_free_fall():
    seconds = np.arange(50) / 240
    fallen = np.zeros((50, 17, 3))
    fallen[..., 1] = (9.81 * seconds**2 / 2)[:, None]
    error = metrics.acceleration_error(fallen, np.zeros_like(fallen), 240)
    assert error == pytest.approx(9810, rel=1e-6)


def test_pck_is_strict_and_in_percent():
    errors = np.array([0.0, 149.999, 150.0, 151.0])
    assert metrics.pck(errors) == 50
    assert metrics.pck(errors, 150.5) == 75
    assert metrics.pck(errors.reshape(2, 2), 1e9) == 100


def test_auc_by_hand():
    # Strictly below: a perfect joint counts at 30 of the 31 thresholds (not at 0), one of 72 mm
    # at 75, 80, ... 150, which are 16.
    assert metrics.auc(np.array([0.0])) == pytest.approx(100 * 30 / 31)
    assert metrics.auc(np.array([72.0])) == pytest.approx(100 * 16 / 31)
    assert metrics.auc(np.array([0.0, 72.0, 999.0])) == pytest.approx(100 * (30 + 16) / 31 / 3)
    assert metrics.auc(np.array([5.0]), np.array([4.0, 6.0])) == 50


@given(st.lists(st.floats(0, 500), min_size=1), st.floats(0, 400), st.floats(0, 100))
def test_pck_grows_with_the_threshold(errors, threshold, more):
    errors_mm = np.array(errors)
    low, high = metrics.pck(errors_mm, threshold), metrics.pck(errors_mm, threshold + more)
    assert 0 <= low <= high <= 100


def test_bone_length_variation_by_hand():
    arm = Skeleton("arm", ("a", "b", "c"), (-1, 0, 1))
    joints = np.zeros((2, 3, 3))
    joints[:, 1, 0] = 1, 3  # mean 2, standard deviation 1: 50 %
    joints[:, 2] = joints[:, 1] + [0, 0, 0.4]  # never changes: 0 %
    assert metrics.bone_length_variation(joints, arm) == pytest.approx(25)
    with pytest.raises(ValueError, match="no length"):
        metrics.bone_length_variation(np.zeros((2, 3, 3)), arm)


CHAIN = Skeleton("chain", ("a", "b", "c", "d"), (-1, 0, 1, 2))


def test_joint_angles_by_hand():
    """A straight limb; and one with a right angle at b, straight at c."""
    straight = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 0, 0]])
    bent = np.array([[0.0, 0, 0], [1, 0, 0], [1, 2, 0], [1, 3, 0]])
    assert metrics.joint_angle_error(straight, straight, CHAIN) == 0
    assert metrics.joint_angle_error(bent, straight, CHAIN) == pytest.approx((90 + 0) / 2)
    both = np.stack([bent, straight])
    assert metrics.joint_angle_error(both, both[::-1], CHAIN) == pytest.approx(45)


def test_joint_angles_are_those_of_the_arc_cosine():
    rng = np.random.default_rng(4)
    predicted, target = rng.normal(size=(2, 5, 17, 3))
    found = []
    for first, middle in H36M_17.edges:
        for start, last in H36M_17.edges:
            if start == middle:
                angles = []
                for pose in (predicted, target):
                    one, two = pose[:, first] - pose[:, middle], pose[:, last] - pose[:, middle]
                    cosine = [
                        a @ b / np.sqrt(a @ a * (b @ b)) for a, b in zip(one, two, strict=True)
                    ]
                    angles.append(np.degrees(np.arccos(cosine)))
                found.append(np.abs(angles[0] - angles[1]))
    assert np.shape(found) == (13, 5)
    error = metrics.joint_angle_error(predicted, target, H36M_17)
    assert error == pytest.approx(np.mean(found))


@given(seeds, st.floats(0.1, 10))
def test_joint_angles_depend_on_neither_place_size_nor_view(seed, factor):
    rng = np.random.default_rng(seed)
    predicted, target = rng.normal(size=(2, 4, 17, 3))
    moved = factor * rotate(predicted, random_rotations(4, rng)) + rng.normal(size=3)
    assert metrics.joint_angle_error(moved, target, H36M_17) == pytest.approx(
        metrics.joint_angle_error(predicted, target, H36M_17), abs=1e-6
    )


def test_no_bone_no_angle():
    with pytest.raises(ValueError, match="a bone has no length, so no angle"):
        metrics.joint_angle_error(np.zeros((2, 17, 3)), np.ones((2, 17, 3)), H36M_17)
    whole = np.arange(12.0).reshape(4, 3)
    for same in (1, 3):  # the first bone of the chain, which only begins angles, and the last
        broken = whole.copy()
        broken[same] = broken[same - 1]
        with pytest.raises(ValueError, match="a bone has no length, so no angle"):
            metrics.joint_angle_error(broken, whole, CHAIN)


@given(seeds, st.floats(0.1, 10))
def test_rigid_motion_and_size_keep_bones_stiff(seed, factor):
    rng = np.random.default_rng(seed)
    pose = rng.normal(size=(17, 3))
    clip = rotate(np.broadcast_to(pose, (6, 17, 3)), random_rotations(6, rng))
    assert metrics.bone_length_variation(clip, H36M_17) == pytest.approx(0, abs=1e-9)
    rubber = clip + 0.05 * rng.normal(size=clip.shape)
    assert metrics.bone_length_variation(factor * rubber, H36M_17) == pytest.approx(
        metrics.bone_length_variation(rubber, H36M_17)
    )


@pytest.mark.parametrize(
    "metric", [metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe, metrics.mpjve]
)
def test_every_pair_metric_refuses_bad_input(metric):
    good = np.random.default_rng(0).normal(size=(3, 17, 3))
    broken = good.copy()
    broken[1, 2, 0] = np.nan
    for bad in ((broken, good), (good, broken)):
        with pytest.raises(ValueError, match="finite"):
            metric(*bad)
    with pytest.raises(ValueError, match="one shape"):
        metric(good, good[:, :16])
    with pytest.raises(ValueError, match="one shape"):
        metric(good[..., :2], good[..., :2])
    with pytest.raises(ValueError, match="no poses"):
        metric(good[:, :0], good[:, :0])


def test_the_others_refuse_it_too():
    for bad in (np.array([1.0, np.nan]), np.array([])):
        with pytest.raises(ValueError, match="finite"):
            metrics.pck(bad)
        with pytest.raises(ValueError, match="finite"):
            metrics.auc(bad)
    with pytest.raises(ValueError, match="finite"):
        metrics.bone_length_variation(np.full((2, 17, 3), np.nan), H36M_17)


def test_nothing_cannot_be_scaled():
    with pytest.raises(ValueError, match="no extent"):
        metrics.n_mpjpe(np.zeros((17, 3)), np.ones((17, 3)))


def test_inputs_are_left_alone():
    predicted, target, _ = pair(2)
    before = predicted.copy(), target.copy()
    for metric in (metrics.mpjpe, metrics.n_mpjpe, metrics.p_mpjpe, metrics.mpjve):
        metric(predicted, target)
    np.testing.assert_array_equal(predicted, before[0])
    np.testing.assert_array_equal(target, before[1])


def test_single_precision_is_scored_in_double():
    target = np.full((1000, 17, 3), 1000.0, np.float32)
    predicted = target + np.float32(0.125)  # exact in float32
    assert metrics.mpjpe(predicted, target) == pytest.approx(125 * 3**0.5, rel=1e-12)
    there_and_back = np.zeros((3, 1, 3), np.float32)
    there_and_back[:, 0, 0] = 0.1, 1000, 0.1  # single precision cannot hold the step
    error = metrics.acceleration_error(there_and_back, 0 * there_and_back, 1)
    assert error == pytest.approx(2e6 - 2000 * float(np.float32(0.1)), rel=1e-12)
