"""Angles told by hand, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ampose.analysis import ANGLES, columns_of
from ampose.analysis.formulas import unwrapped, wrapped
from ampose.geometry import random_rotations
from ampose.skeletons import H36M_17
from tests.analysis.figure import (
    BACK,
    DOWN,
    FORWARD,
    LEFT,
    RIGHT,
    UP,
    figure,
    hips,
    shoulders,
    tilted,
    trunk,
)

COLUMNS = {column.name: column for column in columns_of(ANGLES)}
SIDEWAYS = {
    "trunk_lean_lateral",
    "pelvis_rotation",
    "shoulder_line_rotation",
    "x_factor_joint_angle",
    "x_factor_transverse",
}
"""What has a direction to one side without being of one."""


def angle(name: str, joints: np.ndarray, up: np.ndarray = UP) -> np.ndarray:
    return COLUMNS[name].of(joints, up)


def person(seed: int) -> np.ndarray:
    """(17, 3) any pose: every bone anywhere, so that every angle is far from zero."""
    return np.random.default_rng(seed).normal(0, 0.3, (17, 3))


seeds = st.integers(0, 10_000)


def test_standing_is_zero():
    joints = figure()
    for name, column in COLUMNS.items():
        if "plane" in name:
            assert not column.meant(joints, UP)
        else:
            assert column.meant(joints, UP)
            assert angle(name, joints) == pytest.approx(0, abs=1e-9), name


BENT = tilted(DOWN, BACK, 60)
CASES = [
    ({"left_ankle": BENT}, {"knee_flexion_l": 60, "shank_inclination_l": 60, "knee_flexion_r": 0}),
    ({"right_ankle": tilted(DOWN, FORWARD, 5)}, {"knee_flexion_r": 5}),  # no sign
    ({"left_wrist": FORWARD}, {"elbow_flexion_l": 90, "forearm_inclination_l": 90}),
    (
        {"left_knee": FORWARD, "right_knee": tilted(DOWN, BACK, 20)},
        {
            "trunk_thigh_angle_l": 90,
            "knee_flexion_l": 90,
            "thigh_inclination_l": 90,
            "trunk_thigh_angle_r": 20,
            "hip_abduction_l": 0,
        },
    ),
    (
        trunk(tilted(UP, FORWARD, 30)),
        {
            "trunk_lean": 30,
            "trunk_lean_sagittal": 30,
            "trunk_lean_lateral": 0,
            "trunk_thigh_angle_l": 30,
            "shoulder_elevation_l": 30,
            "upper_arm_inclination_l": 0,
        },
    ),
    (trunk(tilted(UP, LEFT, 20)), {"trunk_lean_lateral": -20, "trunk_lean_sagittal": 0}),
    (trunk(tilted(UP, BACK, 10)), {"trunk_lean_sagittal": -10, "trunk_lean": 10}),
    (
        {"left_elbow": LEFT, "right_elbow": tilted(RIGHT, FORWARD, 45)},
        {
            "shoulder_elevation_l": 90,
            "shoulder_plane_of_elevation_l": 0,
            "shoulder_plane_of_elevation_r": 45,
            "upper_arm_inclination_r": 90,
        },
    ),
    (
        {"left_elbow": tilted(DOWN, BACK, 45), "right_elbow": tilted(UP, FORWARD, 40)},
        {
            "shoulder_plane_of_elevation_l": -90,
            "shoulder_plane_of_elevation_r": 90,
            "shoulder_elevation_r": 140,
        },
    ),
    (
        {"left_knee": tilted(DOWN, LEFT, 25), "right_knee": tilted(DOWN, LEFT, 25)},
        {"hip_abduction_l": 25, "hip_abduction_r": -25},
    ),
    ({"left_knee": tilted(FORWARD, LEFT, 30)}, {"hip_abduction_l": 30}),
    (
        hips(tilted(LEFT, BACK, 40)),  # turned to the left
        {
            "pelvis_rotation": 40,
            "shoulder_line_rotation": 0,
            "x_factor_joint_angle": -40,
            "x_factor_transverse": -40,
        },
    ),
    (
        shoulders(tilted(LEFT, FORWARD, 35)),
        {
            "pelvis_rotation": 0,
            "shoulder_line_rotation": -35,
            "x_factor_joint_angle": -35,
            "x_factor_transverse": -35,
        },
    ),
    (hips(RIGHT), {"pelvis_rotation": -180}),  # seen from behind
    (
        {"left_knee": tilted(DOWN, RIGHT, 10), "left_ankle": tilted(DOWN, LEFT, 10)},
        {"knee_fppa_l": 20, "knee_fppa_r": 0},
    ),
    (
        {"right_knee": tilted(DOWN, RIGHT, 10), "right_ankle": tilted(DOWN, LEFT, 5)},
        {"knee_fppa_r": -15},
    ),
]


@pytest.mark.parametrize(("bones", "expected"), CASES)
def test_by_hand(bones, expected):
    joints = figure(**bones)
    for name, degrees in expected.items():
        assert wrapped(angle(name, joints) - degrees) == pytest.approx(0, abs=1e-6), name


@pytest.mark.parametrize("lean", [0, 50])
def test_x_factor_is_scipys_cardan_angle(lean):
    joints = figure(
        **trunk(tilted(tilted(UP, FORWARD, lean), LEFT, 15)),
        **hips(tilted(LEFT, BACK, 20)),
        **shoulders(tilted(tilted(LEFT, FORWARD, 30), DOWN, 25)),
    )
    axis = joints[H36M_17.index("thorax")]
    frames = []
    for part in ("hip", "shoulder"):
        left, right = (joints[H36M_17.index(f"{side}_{part}")] for side in ("left", "right"))
        x = (left - right) / np.linalg.norm(left - right)
        z = np.cross(x, axis) / np.linalg.norm(np.cross(x, axis))
        frames.append(np.stack([x, np.cross(z, x), z], axis=-1))
    turn = Rotation.from_matrix(frames[0].T @ frames[1])
    expected = turn.as_euler("XZY", degrees=True)[2]
    assert angle("x_factor_joint_angle", joints) == pytest.approx(expected)
    assert abs(angle("x_factor_transverse", joints) - expected) > 1  # another convention


@given(seeds, st.floats(-np.pi, np.pi))
def test_turning_about_gravity(seed, turn):
    up = random_rotations(1, np.random.default_rng(seed))[0, 0]
    joints = person(seed)
    turned = Rotation.from_rotvec(turn * up).apply(joints)
    for name, column in COLUMNS.items():
        expected = column.of(joints, up)
        if column.angle.towards_camera:
            expected = expected + np.degrees(turn)
        change = wrapped(column.of(turned, up) - expected)
        assert change == pytest.approx(0, abs=1e-6), name
        assert column.meant(turned, up) == column.meant(joints, up)


@given(seeds, st.floats(0.1, 10))
def test_place_and_size_do_not_count(seed, size):
    joints = person(seed)
    moved = size * joints + [0.3, -2, 5]
    up = tilted(UP, LEFT, 10)
    for name, column in COLUMNS.items():
        change = wrapped(column.of(moved, size * up) - column.of(joints, up))
        assert change == pytest.approx(0, abs=1e-6), name


@given(seeds)
def test_a_mirror_exchanges_the_sides(seed):
    joints, up = person(seed), tilted(UP, FORWARD, 10)
    mirrored = joints[list(H36M_17.mirror)] * [-1, 1, 1]
    other = {"l": "r", "r": "l"}
    for name, column in COLUMNS.items():
        if column.side:
            expected = angle(name[:-1] + other[name[-1]], joints, up)
        else:
            expected = angle(name, joints, up) * (-1 if name in SIDEWAYS else 1)
        assert wrapped(angle(name, mirrored, up) - expected) == pytest.approx(0, abs=1e-6), name


@given(seeds)
def test_sagittal_and_lateral_lean_are_parts_of_the_whole(seed):
    joints = person(seed)
    parts = [np.tan(np.radians(angle(f"trunk_lean_{p}", joints))) for p in ("sagittal", "lateral")]
    whole = np.tan(np.radians(angle("trunk_lean", joints)))
    assert np.hypot(*parts) == pytest.approx(abs(whole))


@pytest.mark.parametrize("name", COLUMNS)
def test_an_angle_is_of_its_joints_and_of_no_others(name):
    whole = np.stack([person(seed) for seed in range(3)])
    for joint in range(17):
        joints = whole.copy()
        joints[1, joint] = np.nan
        found = angle(name, joints)
        assert np.isnan(found).tolist() == [False, joint in COLUMNS[name].joints, False]
    np.testing.assert_array_equal(angle(name, whole.astype(np.float32)).dtype, np.float64)
    assert angle(name, np.empty((0, 2, 17, 3))).shape == (0, 2)
    assert COLUMNS[name].meant(np.empty((0, 2, 17, 3)), UP).shape == (0, 2)


def test_no_length_is_no_angle():
    nothing = np.zeros((17, 3))
    for name in COLUMNS:
        assert np.isnan(angle(name, nothing)), name


def test_whole_turns_are_no_motion():
    turning = np.array([170, np.nan, -175, -160, 175])
    expected = np.array([170, np.nan, 185, 200, 175])
    np.testing.assert_allclose(unwrapped(turning), expected)
    both = np.asfortranarray(np.stack([turning, np.arange(5)], axis=-1))
    np.testing.assert_allclose(unwrapped(both).T, [expected, np.arange(5)])
    assert unwrapped(turning[:0]).shape == (0,)
    np.testing.assert_array_equal(turning, [170, np.nan, -175, -160, 175])


@pytest.mark.parametrize(("from_down", "meant"), [(15, False), (25, True), (165, False)])
def test_arms_along_the_trunk_have_no_plane(from_down, meant):
    lean = tilted(UP, FORWARD, 40)
    down, aside = -lean, tilted(FORWARD, DOWN, 40)
    joints = figure(**trunk(lean), left_elbow=tilted(down, aside, from_down))
    assert COLUMNS["shoulder_plane_of_elevation_l"].meant(joints, UP) == meant


@pytest.mark.parametrize(("segment", "side"), [("left_knee", "l"), ("right_ankle", "r")])
def test_legs_that_point_forward_are_not_seen_from_the_front(segment, side):
    for lift, meant in ((65, False), (55, True)):
        joints = figure(**{segment: tilted(DOWN, FORWARD, lift)})
        assert COLUMNS[f"knee_fppa_{side}"].meant(joints, UP) == meant
