from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from ampose.geometry import (
    angle_between,
    bone_lengths,
    bone_vectors,
    box_of_seen,
    joints_from_bones,
    larger_side,
    random_rotations,
    rotate,
    rotate_deviations,
    rotation_about,
    rotation_to_forward,
    similarity_align,
    smallest_rotation,
)
from ampose.skeletons import COCO_17, H36M_17, MPI_3DHP_17, Skeleton

seeds = st.integers(0, 2**32 - 1)
unit_floats = st.floats(-1, 1, width=32)


def assert_proper(rotation, tolerance=1e-12):
    identity = rotation @ np.swapaxes(rotation, -1, -2)
    np.testing.assert_allclose(
        identity, np.broadcast_to(np.eye(3), identity.shape), atol=tolerance
    )
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=tolerance)


# --- rotations -------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rotation_about_is_scipys(axis):
    angles = np.array([[-4.0, -1.0, 0.0], [0.3, np.pi, 7.0]])
    expected = Rotation.from_euler("xyz"[axis], angles.reshape(-1, 1)).as_matrix()
    np.testing.assert_allclose(
        rotation_about(axis, angles), expected.reshape(2, 3, 3, 3), atol=1e-15
    )


def test_rotation_about_takes_an_integer_angle():
    np.testing.assert_allclose(rotation_about(2, 1)[0, 0], np.cos(1.0))


def test_a_quarter_turn_about_z_takes_x_to_y():
    turned = rotate(np.array([[1.0, 0.0, 0.0]]), rotation_about(2, np.pi / 2))
    np.testing.assert_allclose(turned, [[0, 1, 0]], atol=1e-15)


def test_rotate_treats_rows_as_scipy_does(rng):
    rotations = Rotation.random(4, rng=rng)
    points = rng.normal(size=(4, 5, 3))
    expected = np.stack([r.apply(p) for r, p in zip(rotations, points, strict=True)])
    np.testing.assert_allclose(rotate(points, rotations.as_matrix()), expected, atol=1e-14)


def test_random_rotations_are_proper_and_uniform(rng):
    rotations = random_rotations(4000, rng)
    assert_proper(rotations)
    # Uniform: every column is uniform on the sphere, so mean 0 and covariance I / 3; the rotation
    # angle a has density (1 - cos a) / pi, so its mean is pi / 2 + 2 / pi.
    for column in np.moveaxis(rotations, -1, 0):
        np.testing.assert_allclose(column.mean(0), 0, atol=0.04)
        np.testing.assert_allclose(column.T @ column / len(column), np.eye(3) / 3, atol=0.03)
    angles = Rotation.from_matrix(rotations).magnitude()
    assert angles.mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.04)


def test_random_rotations_are_scipys_for_the_same_quaternions():
    quaternions = np.random.default_rng(3).standard_normal((50, 4))
    expected = Rotation.from_quat(quaternions, scalar_first=True).as_matrix()
    np.testing.assert_allclose(
        random_rotations(50, np.random.default_rng(3)), expected, atol=1e-14
    )


@given(arrays(np.float64, 3, elements=st.floats(-10, 10)))
def test_forward_rotation_is_proper_and_smallest(direction):
    length = np.linalg.norm(direction)
    if length < 1e-3:
        direction, length = np.array([0.0, 0.0, 1.0]), 1.0
    rotation = rotation_to_forward(direction)
    assert_proper(rotation)
    np.testing.assert_allclose(rotation @ direction, [0, 0, length], atol=1e-11)
    # The smallest: its angle is the angle between the direction and z.
    angle = np.arctan2(np.linalg.norm(direction[:2]), direction[2])
    assert Rotation.from_matrix(rotation).magnitude() == pytest.approx(angle, abs=1e-7)


@given(
    st.integers(0, 300).map(lambda e: 10.0 ** (-e)),
    st.floats(0, 2 * np.pi),
    st.sampled_from([(np.float64, 1e-14), (np.float32, 1e-6)]),
)
def test_forward_rotation_keeps_its_precision_near_opposite(offset, azimuth, kind):
    dtype, tolerance = kind
    direction = np.array([offset * np.cos(azimuth), offset * np.sin(azimuth), -1], dtype)
    rotation = rotation_to_forward(direction)
    assert rotation.dtype == dtype
    assert_proper(rotation.astype(np.float64), tolerance)
    np.testing.assert_allclose(
        rotation @ direction / np.linalg.norm(direction), [0, 0, 1], atol=tolerance
    )


def test_forward_rotations_by_hand():
    directions = np.array([[0, 0, 2], [0, 0, -2], [3, 0, 0], [0, 1, 0]], float)
    expected = [
        np.eye(3),
        np.diag([1, -1, -1]),
        [[0, 0, -1], [0, 1, 0], [1, 0, 0]],
        [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    ]
    np.testing.assert_array_equal(rotation_to_forward(directions), expected)
    np.testing.assert_array_equal(
        rotation_to_forward(directions.reshape(2, 2, 3)), np.reshape(expected, (2, 2, 3, 3))
    )


# --- similarity alignment --------------------------------------------------------------------


@given(seeds, st.floats(0.01, 100), arrays(np.float64, 3, elements=st.floats(-20, 20)))
def test_alignment_undoes_any_similarity(seed, factor, shift):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(2, 3, 17, 3))
    rotations = random_rotations(6, rng).reshape(2, 3, 3, 3)
    source = factor * rotate(target, rotations) + shift
    np.testing.assert_allclose(similarity_align(source, target), target, atol=1e-9)


@given(seeds, st.booleans(), st.booleans())
def test_alignment_is_the_best_proper_one(seed, mirrored, scale):
    rng = np.random.default_rng(seed)
    source, target = rng.normal(size=(2, 17, 3)) + rng.normal(size=(2, 1, 3))
    if mirrored:
        source = target * [-1, 1, 1] + 0.01 * source
    x, y = source - source.mean(0), target - target.mean(0)
    turned = Rotation.align_vectors(y, x)[0].apply(x)
    factor = (turned * y).sum() / (x * x).sum() if scale else 1
    expected = factor * turned + target.mean(0)
    np.testing.assert_allclose(similarity_align(source, target, scale=scale), expected, atol=1e-9)


def test_alignment_leaves_what_procrustes_leaves(rng):
    target = rng.normal(size=(17, 3))
    source = 3 * rotate(target + 0.1 * rng.normal(size=(17, 3)), random_rotations(1, rng)[0]) - 2
    residual = ((similarity_align(source, target) - target) ** 2).sum()
    spread = ((target - target.mean(0)) ** 2).sum()
    assert residual / spread == pytest.approx(procrustes(target, source)[2], rel=1e-9)


def test_a_mirrored_body_is_not_reflected_back(standing):
    mirrored = standing * [-1, 1, 1]
    error = np.linalg.norm(similarity_align(mirrored, standing) - standing, axis=-1)
    assert error.mean() > 0.02
    # A flat figure's mirror image is a half turn away, so there nothing is left over.
    flat = standing * [1, 1, 0]
    np.testing.assert_allclose(similarity_align(flat * [-1, 1, 1], flat), flat, atol=1e-9)


def test_alignment_of_points_on_a_line(rng):
    line = np.linspace(-1, 1, 5)[:, None] * [0.0, 0.0, 1.0]
    aligned = similarity_align(4 * rotate(line, random_rotations(1, rng)[0]) + 1, line)
    np.testing.assert_allclose(aligned, line, atol=1e-9)


def test_alignment_refuses_what_has_no_answer(rng):
    good = rng.normal(size=(2, 4, 3))
    collapsed = good.copy()
    collapsed[1] = 0.5
    with pytest.raises(ValueError, match="distinct"):
        similarity_align(collapsed, good)
    with pytest.raises(ValueError, match="distinct"):
        similarity_align(good, collapsed)
    with pytest.raises(ValueError, match="finite"):
        similarity_align(np.where(good > 1, np.nan, good) * np.nan, good)
    with pytest.raises(ValueError, match="arrays needed"):
        similarity_align(good[..., :2], good[..., :2])
    with pytest.raises(ValueError, match="arrays needed"):
        similarity_align(good, good[0])


# --- smallest rotations ----------------------------------------------------------------------


@given(seeds)
def test_the_smallest_rotation_turns_by_the_angle_between(seed):
    start, end = random_rotations(2, np.random.default_rng(seed))[..., 0]
    rotation = smallest_rotation(start, end)
    assert_proper(rotation)
    np.testing.assert_allclose(rotation @ start, end, atol=1e-9)
    turned = Rotation.from_matrix(rotation).as_rotvec()
    np.testing.assert_allclose(turned @ start, 0, atol=1e-7)  # about an axis across both
    assert np.linalg.norm(turned) == pytest.approx(np.arccos(np.clip(start @ end, -1, 1)))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("off", [0, 1e-13, 1e-8, 1e-5])
def test_the_smallest_rotation_of_opposite_and_of_equal_vectors(axis, off):
    start = np.eye(3)[axis]
    other = start + off * np.eye(3)[axis - 1]
    other /= np.linalg.norm(other)
    for end in (other, -other):
        rotation = smallest_rotation(start, end)
        assert_proper(rotation, 1e-7)
        np.testing.assert_allclose(rotation @ start, end, atol=1e-7)


def test_smallest_rotations_broadcast(rng):
    ends = rotate(np.array([[1.0, 0, 0]]), random_rotations(5, rng))[:, 0]
    rotations = smallest_rotation(np.array([0, 1.0, 0]), ends)
    np.testing.assert_allclose(rotations[:, :, 1], ends, atol=1e-12)


# --- bones -----------------------------------------------------------------------------------

_THREE = Skeleton("three", ("a", "b", "c"), (-1, 0, 0))


def test_bones_by_hand():
    joints = np.array([[1, 1, 1], [1, 4, 5], [3, 1, 1]], float)
    np.testing.assert_array_equal(bone_vectors(joints, _THREE), [[0, 3, 4], [2, 0, 0]])
    np.testing.assert_array_equal(bone_lengths(joints, _THREE), [5, 2])


@given(arrays(np.float64, (2, 17, 3), elements=unit_floats))
def test_bones_and_joints_are_inverse(joints):
    back = joints_from_bones(bone_vectors(joints, H36M_17), H36M_17)
    np.testing.assert_allclose(back, joints - joints[:, :1], atol=1e-6)


def test_bones_of_flat_keypoints(rng):
    keypoints = rng.normal(size=(3, 17, 2))
    assert bone_vectors(keypoints, COCO_17).shape == (3, 15, 2)
    assert bone_lengths(keypoints, COCO_17).shape == (3, 15)


def test_joints_from_bones_needs_parents_first():
    with pytest.raises(ValueError, match="mpi_3dhp_17 lists head_top before its parent"):
        joints_from_bones(np.zeros((16, 3)), MPI_3DHP_17)


@given(st.integers(0, 2**32 - 1))
def test_deviations_are_turned_like_a_covariance(seed):
    rng = np.random.default_rng(seed)
    sigma, turn = rng.uniform(0, 2, (4, 3)), random_rotations(1, rng)[0]
    covariances = [turn @ np.diag(each**2) @ turn.T for each in sigma]
    expected = np.sqrt([np.diag(each) for each in covariances])
    np.testing.assert_allclose(rotate_deviations(sigma, turn), expected, atol=1e-12)


def test_angles_between_vectors():
    """Exact where the arc cosine is not."""
    east, north = np.array([2.0, 0, 0]), np.array([0, 0.5, 0])
    almost = np.array([1, 1e-9, 0])
    ends = np.stack([east, north, -east, almost, 0 * east, [np.nan, 0, 1]])
    expected = [0, np.pi / 2, np.pi, 1e-9, np.nan, np.nan]
    np.testing.assert_allclose(angle_between(east, ends), expected, rtol=1e-12)
    np.testing.assert_allclose(angle_between(ends, east), expected, rtol=1e-12)


def test_boxes_of_what_was_seen():
    nan = np.nan
    points = np.array(
        [
            [[1, 5], [4, 3], [nan, nan]],
            [[1, 5], [99, nan], [nan, -99]],  # half a point is none
            [[nan, nan], [nan, nan], [nan, nan]],
        ],
        np.float32,
    )
    boxes = box_of_seen(points)
    assert boxes.dtype == np.float32
    np.testing.assert_array_equal(boxes, [[1, 3, 4, 5], [1, 5, 1, 5], [nan] * 4])
    np.testing.assert_array_equal(larger_side(boxes), [3, 0, nan])
    np.testing.assert_array_equal(box_of_seen(points[:0]), np.zeros((0, 4)))
