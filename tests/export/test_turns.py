"""The rig, and how its joints turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ampose.export.rig import PARENTS, RIG, TOP, rest_bones, rest_offsets
from ampose.export.turns import BENT_DEGREES, joint_turns
from ampose.geometry import random_rotations, rotation_about
from ampose.motion.bones import TYPICAL_BONES
from ampose.skeletons import H36M_17
from tests.export.recordings import AT, pose, walking

NAMES = [joint.name for joint in RIG]
X, Y, Z = np.eye(3)


def turn(turns: np.ndarray, name: str) -> np.ndarray:
    return turns[:, NAMES.index(name)]


def still(*poses: np.ndarray) -> np.ndarray:
    return joint_turns(np.stack(poses), np.arange(len(poses)) / 25)


def degrees(turns: np.ndarray) -> np.ndarray:
    return np.degrees(Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_rotvec()).reshape(
        turns.shape[:-1]
    )


def steps(turns: np.ndarray) -> np.ndarray:
    """Degrees from frame to frame, (T - 1, N)."""
    change = np.swapaxes(turns[:-1], -1, -2) @ turns[1:]
    return np.linalg.norm(degrees(change), axis=-1)


def bent(side: str, degrees: float, plane: float = 0) -> dict[str, list[float]]:
    """An arm straight aside whose forearm bends so far, forward turned up by `plane` degrees."""
    out = 1 if side == "left" else -1
    bend, up = np.radians([degrees, plane])
    forearm = [out * np.cos(bend), np.sin(bend) * np.sin(up), np.sin(bend) * np.cos(up)]
    return {f"{side}_elbow": [out, 0, 0], f"{side}_wrist": forearm}


def test_names_that_programs_know():
    assert NAMES[:5] == ["Hips", "LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot"]
    assert NAMES[5:9] == ["RHipJoint", "RightUpLeg", "RightLeg", "RightFoot"]
    assert NAMES[9:14] == ["Spine", "Spine1", "Neck", "Head", TOP]
    assert NAMES[14:18] == ["LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand"]
    assert NAMES[18:] == ["RightShoulder", "RightArm", "RightForeArm", "RightHand"]
    assert not any("Toe" in name for name in NAMES)


def test_every_bone_is_there_once():
    bones = sorted((H36M_17.index(joint.at), H36M_17.index(joint.to)) for joint in RIG if joint.to)
    assert bones == sorted(H36M_17.edges)
    for parent, joint in zip(PARENTS[1:], RIG[1:], strict=True):
        assert joint.at in (RIG[parent].at, RIG[parent].to)


def test_rest_pose_by_hand():
    offsets = rest_offsets(TYPICAL_BONES)
    np.testing.assert_allclose(offsets[NAMES.index("RightUpLeg")], [-0.1329, 0, 0])
    np.testing.assert_allclose(offsets[NAMES.index("LeftFoot")], [0, -0.4542, 0])
    np.testing.assert_allclose(offsets[NAMES.index("LeftHand")], [0.2517, 0, 0])
    np.testing.assert_allclose(offsets[NAMES.index("LeftShoulder")], [0, 0.2571, 0])
    for same in ("Hips", "LHipJoint", "RHipJoint", "Spine"):
        assert not offsets[NAMES.index(same)].any()
    assert (np.linalg.norm(rest_bones(TYPICAL_BONES), axis=1) > 0).sum() == 16
    np.testing.assert_allclose(still(pose()), np.tile(np.eye(3), (1, len(RIG), 1, 1)), atol=1e-12)


def test_a_knee_bends_about_x_and_the_thigh_turns_with_it():
    """Thigh down, heel back by 60 degrees in a plane that is 40 degrees further out."""
    out, bend = np.radians([40, 60])
    shin = [-np.sin(out) * np.sin(bend), -np.cos(bend), -np.cos(out) * np.sin(bend)]
    turns = still(pose({"left_ankle": shin}))
    np.testing.assert_allclose(degrees(turn(turns, "LeftUpLeg")), [[0, 40, 0]], atol=1e-6)
    np.testing.assert_allclose(degrees(turn(turns, "LeftLeg")), [[60, 0, 0]], atol=1e-6)


@pytest.mark.parametrize(("side", "sign"), [("left", -1), ("right", 1)])
def test_an_elbow_bends_about_y_and_the_arm_turns_with_it(side, sign):
    name = side.capitalize()
    turns = still(pose(bent(side, 90)))
    np.testing.assert_allclose(turn(turns, f"{name}Arm"), [np.eye(3)], atol=1e-9)
    np.testing.assert_allclose(
        degrees(turn(turns, f"{name}ForeArm")), [[0, sign * 90, 0]], atol=1e-6
    )
    turns = still(pose(bent(side, 90, plane=30)))
    np.testing.assert_allclose(degrees(turn(turns, f"{name}Arm")), [[-30, 0, 0]], atol=1e-6)


def test_a_limb_that_is_nearly_straight_does_not_say_how_it_is_twisted():
    turns = still(pose(bent("left", 0.9 * BENT_DEGREES, plane=70)))
    np.testing.assert_allclose(degrees(turn(turns, "LeftArm")), 0, atol=1e-6)
    turns = still(pose(bent("left", 1.1 * BENT_DEGREES, plane=70)))
    np.testing.assert_allclose(degrees(turn(turns, "LeftArm")), [[-70, 0, 0]], atol=1e-6)


def test_between_two_bends_the_twist_goes_evenly():
    """Bent forward, straight for two seconds, bent down: a quarter turn, all the time."""
    poses = [
        *([pose(bent("left", 60))] * 50),
        *([pose(bent("left", 2))] * 50),
        *([pose(bent("left", 60, plane=-90))] * 50),
    ]
    twist = degrees(turn(still(*poses), "LeftArm"))[:, 0]
    np.testing.assert_allclose(twist[[0, 40, 110, 149]], [0, 0, 90, 90], atol=1)
    assert (np.diff(twist) > -1e-9).all()
    assert np.diff(twist).max() < 3
    assert twist[75] == pytest.approx(45, abs=2)


def test_between_two_bends_the_twist_goes_the_shorter_way():
    """From 150 degrees to -150: over 180, not over 0."""
    poses = [
        *([pose(bent("left", 60, plane=-150))] * 30),
        *([pose(bent("left", 2))] * 30),
        *([pose(bent("left", 60, plane=150))] * 30),
    ]
    twist = degrees(turn(still(*poses), "LeftArm"))[:, 0]
    np.testing.assert_allclose(np.abs(twist[[0, 45, 89]]), [150, 180, 150], atol=2)
    assert (np.abs(twist) > 149).all()


def test_a_frame_that_bends_the_wrong_way_is_passed_over():
    poses = (
        [pose(bent("left", 40))] * 20 + [pose(bent("left", -25))] + [pose(bent("left", 40))] * 20
    )
    twist = degrees(turn(still(*poses), "LeftArm"))[:, 0]
    np.testing.assert_allclose(twist, 0, atol=1e-6)


@pytest.mark.parametrize("tilt", [0.0, 0.01, 0.7])
def test_nothing_flips_wherever_a_limb_points(tilt):
    """A straight arm circles five times, also through where it points opposite to the rest."""
    angle = np.linspace(0, 10 * np.pi, 1000)
    circle = np.stack([np.cos(angle), np.sin(angle), tilt * np.sin(2 * angle)], -1)
    poses = [pose({"left_elbow": way, "left_wrist": way}) for way in circle]
    moved = steps(still(*poses))[:, NAMES.index("LeftArm")]
    unit = circle / np.linalg.norm(circle, axis=-1, keepdims=True)
    seen = np.degrees(np.arccos((unit[1:] * unit[:-1]).sum(-1).clip(-1, 1)))
    np.testing.assert_allclose(moved, seen, atol=1e-6)


def test_pelvis_and_chest():
    turns = joint_turns(walking(), np.arange(20) / 25)
    joints = walking()
    hips = joints[:, AT["LeftUpLeg"]] - joints[:, AT["RightUpLeg"]]
    unit = hips / np.linalg.norm(hips, axis=-1, keepdims=True)
    np.testing.assert_allclose(turns[:, 0] @ X, unit, atol=1e-9)
    spine = joints[:, AT["Spine1"]] - joints[:, 0]
    np.testing.assert_allclose((turns[:, 0] @ Z * spine).sum(-1), 0, atol=1e-9)
    assert ((turns[:, 0] @ Y * spine).sum(-1) > 0).all()
    chest = turns[:, 0] @ turn(turns, "Spine") @ turn(turns, "Spine1")
    shoulders = joints[:, AT["LeftArm"]] - joints[:, AT["RightArm"]]
    np.testing.assert_allclose((chest @ Z * shoulders).sum(-1), 0, atol=1e-9)
    assert ((chest @ X * shoulders).sum(-1) > 0).all()


@given(st.integers(0, 1000))
def test_only_the_hips_know_how_the_world_is_turned(seed):
    joints, times = walking(8, seed), np.arange(8) / 25
    (world,) = random_rotations(1, np.random.default_rng(seed))
    turns, turned = joint_turns(joints, times), joint_turns(joints @ world.T, times)
    np.testing.assert_allclose(turned[:, 1:], turns[:, 1:], atol=1e-7)
    np.testing.assert_allclose(turned[:, 0], world @ turns[:, 0], atol=1e-7)


@given(st.integers(0, 1000))
def test_a_mirror_exchanges_left_and_right(seed):
    joints, times = walking(8, seed), np.arange(8) / 25
    mirror = np.diag([-1.0, 1, 1])
    other = [
        NAMES.index(
            name.replace("Left", "?").replace("Right", "Left").replace("?", "Right")
            if "Left" in name or "Right" in name
            else {"LHipJoint": "RHipJoint", "RHipJoint": "LHipJoint"}.get(name, name)
        )
        for name in NAMES
    ]
    turned = joint_turns((joints @ mirror)[:, list(H36M_17.mirror)], times)
    expected = mirror @ joint_turns(joints, times)[:, other] @ mirror
    np.testing.assert_allclose(turned, expected, atol=1e-7)


@given(st.integers(0, 1000))
def test_turns_are_rotations(seed):
    turns = joint_turns(walking(6, seed), np.arange(6) / 25)
    identity = np.broadcast_to(np.eye(3), turns.shape)
    np.testing.assert_allclose(turns @ np.swapaxes(turns, -1, -2), identity, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(turns), 1)
    assert (steps(turns) < 40).all()


def test_feet_hands_and_crown_never_turn():
    turns = joint_turns(walking(5), np.arange(5) / 25)
    for name in ("LeftFoot", "RightFoot", "LeftHand", "RightHand", TOP):
        np.testing.assert_array_equal(turn(turns, name), np.tile(np.eye(3), (5, 1, 1)))


def test_shoulders_in_line_with_the_chest_do_not_break_it():
    squeezed = pose({"left_shoulder": [0.0, 1, 0.1], "right_shoulder": [0.0, -1, 0.1]})
    turns = still(pose(), squeezed, pose() @ rotation_about(1, 0.1).T)
    assert np.isfinite(turns).all()
    np.testing.assert_allclose(degrees(turn(turns, "Spine1"))[1], 0, atol=1e-6)
