from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.errors import InputError
from ampose.motion.bones import TYPICAL_BONES
from ampose.motion.floor import find_world
from ampose.motion.stance import Stance, stance_of
from tests.motion.people import filmed, stepping

ANKLE = 0.07


LOW = np.array([0, 1.0, 3.0])


def stance(footfalls=(), up=None, spread=0.0, lowest=LOW) -> Stance:
    return Stance(
        np.reshape(footfalls, (-1, 3)), np.zeros((0, 2), bool), up, spread, lowest, ANKLE
    )


def steps(count: int = 30, seed: int = 0) -> np.ndarray:
    """(F, 3) ankles on the floor of the world, here and there."""
    places = np.random.default_rng(seed).uniform(-2, 2, (count, 3))
    places[:, 1] = ANKLE
    return places


def tilt(world, *, pitch: float, roll: float) -> float:
    ends, _ = filmed(np.array([[0, 0, 0], [0, 1.0, 0]]), pitch=pitch, roll=roll)
    return float(np.degrees(np.arccos(np.clip(world.rotation[1] @ (ends[1] - ends[0]), -1, 1))))


def test_nothing_known_is_level():
    world = find_world([stance()])
    np.testing.assert_allclose(world.rotation, np.diag([1, -1, -1]))
    assert (world.pitch, world.roll) == (0, 0)
    assert world.source == "assumed level"
    assert world.tilt_sigma == pytest.approx(np.hypot(15, 5))
    assert world.translation == pytest.approx([0, 1 + ANKLE, 0])


def test_nobody_has_no_world():
    assert find_world([]) is None
    assert find_world([stance(lowest=None)], pitch=3) is None


@given(pitch=st.floats(-85, 85), roll=st.floats(-75, 75))
def test_given_angles_hold_and_the_world_is_right_handed(pitch, roll):
    world = find_world([stance()], pitch=pitch, roll=roll)
    assert world.pitch == pytest.approx(pitch, abs=1e-6)
    assert world.roll == pytest.approx(roll, abs=1e-6)
    assert tilt(world, pitch=pitch, roll=roll) < 1e-4
    np.testing.assert_allclose(world.rotation @ world.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(world.rotation) == pytest.approx(1)
    assert world.source == "pitch given"
    right = world.rotation @ [1, 0, 0]
    assert right[0] > 0  # x is to the camera's right
    assert right[2] == pytest.approx(0, abs=1e-12)


def test_axes_by_hand():
    """A level camera 1.5 m above the floor: 3 m ahead is z = -3, the axis 1.5 m high."""
    feet = filmed(steps(), pitch=0, roll=0)[0]
    world = find_world([stance(feet)], pitch=0, roll=0)
    np.testing.assert_allclose(world.to_world(np.array([0.5, 0, 3])), [0.5, 1.5, -3], atol=1e-9)
    np.testing.assert_allclose(world.to_world(np.array([0.0, 1.5, 3])), [0, 0, -3], atol=1e-9)
    assert world.translation == pytest.approx([0, 1.5, 0])


@pytest.mark.parametrize("roll", [90, -90])
@pytest.mark.parametrize("seed", range(4))
def test_a_camera_on_its_side(roll, seed):
    """3 m ahead is 3 m ahead, however the footfalls disagree by a degree or two."""
    off = np.random.default_rng(seed).normal(0, 2, 2)
    feet = filmed(steps(), pitch=off[0], roll=roll + off[1])[0]
    world = find_world([stance(feet)], roll=roll)
    ahead = world.to_world(np.array([0.0, 0, 3])) - world.to_world(np.zeros(3))
    np.testing.assert_allclose(ahead[[0, 2]], [0, -3], atol=0.1)
    right_of_upright = np.array([0, np.sign(roll), 0])  # down in the picture, or up
    assert world.rotation @ right_of_upright == pytest.approx([1, 0, 0], abs=0.1)
    assert np.linalg.det(world.rotation) == pytest.approx(1)


def test_there_and_back(rng):
    world = find_world([stance(filmed(steps())[0])], pitch=20)
    points = rng.normal(0, 2, (4, 17, 3))
    np.testing.assert_allclose(world.to_camera(world.to_world(points)), points, atol=1e-12)


@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (25, 3), (-10, -8), (30, 25)])
def test_footfalls_alone_show_the_floor(pitch, roll):
    feet, _ = filmed(steps(200), pitch=pitch, roll=roll)
    world = find_world([stance(feet)])
    assert world.source == "foot contacts"
    assert tilt(world, pitch=pitch, roll=roll) < 1.5
    assert world.translation[1] == pytest.approx(1.5, abs=0.05)
    assert tilt(world, pitch=pitch, roll=roll) < 2 * world.tilt_sigma


def test_a_foot_on_a_chair_counts_little():
    places = steps(40)
    places[:3, 1] += 0.5
    world = find_world([stance(filmed(places, pitch=10, roll=0)[0])])
    assert tilt(world, pitch=10, roll=0) < 1
    assert world.translation[1] == pytest.approx(1.5, abs=0.03)


@pytest.mark.parametrize(("pitch", "roll"), [(20, 0), (-10, 20), (35, -30)])
def test_upright_bodies(pitch, roll):
    ends, _ = filmed(np.array([[0, 0, 0], [0, 1.0, 0]]), pitch=pitch, roll=roll)
    up = ends[1] - ends[0]
    one, four = (find_world([stance(up=up)] * people) for people in (1, 4))
    assert one.source == four.source == "upright body"
    assert tilt(four, pitch=pitch, roll=roll) < tilt(one, pitch=pitch, roll=roll) < 5
    assert four.tilt_sigma < one.tilt_sigma < 7
    unsteady = find_world([stance(up=up, spread=12)])
    assert unsteady.tilt_sigma > one.tilt_sigma


def test_how_sure_a_body_is_by_hand():
    """Upright within 4 degrees, and 3 that it sways: 5, beside how level cameras are held."""
    world = find_world([stance(up=np.array([0, -1.0, 0]), spread=3)])
    pitch, roll = (1 / 5**2 + 1 / usual**2 for usual in (15, 5))
    assert world.tilt_sigma == pytest.approx(np.sqrt(1 / pitch + 1 / roll))


@pytest.mark.parametrize("height", [1.0, 3.0])
def test_how_sure_footfalls_are_by_hand(height):
    """Four at the corners of a square, a metre from its middle to either side."""
    feet = [[x, height, z] for x in (-1.0, 1) for z in (3.0, 5)]
    world = find_world([stance(feet)])
    sigma = np.degrees(np.hypot(0.05, 0.03 * height))
    pitch, roll = (4 / sigma**2 + 1 / usual**2 for usual in (15, 5))
    assert world.tilt_sigma == pytest.approx(np.sqrt(1 / pitch + 1 / roll))


def test_a_given_pitch_holds_against_a_body_that_leans():
    """Half a degree against four: the mean by weight, not less for being far off."""
    lean = np.radians(20)
    world = find_world([stance(up=np.array([0, -np.cos(lean), -np.sin(lean)]))], pitch=0, roll=0)
    assert world.pitch == pytest.approx(20 * 0.5**2 / (0.5**2 + 4**2), abs=0.02)


def test_the_distance_that_is_wrong_everywhere_does_not_tilt():
    feet, _ = filmed(steps(200), pitch=15, roll=0)
    right, far = (find_world([stance(f)]) for f in (feet, 1.1 * feet))
    assert np.abs(far.pitch - right.pitch) < 0.5
    assert far.translation[1] > right.translation[1]


def test_a_given_pitch_leaves_the_roll_to_be_found():
    feet, _ = filmed(steps(200), pitch=15, roll=8)
    world = find_world([stance(feet)], pitch=15)
    assert world.source == "pitch given"
    assert world.roll == pytest.approx(8, abs=1)
    assert world.pitch == pytest.approx(15, abs=0.5)


def test_without_footfalls_the_lowest_ankle_stands():
    low, lower = filmed(np.array([[0, 0.5, 0], [0, 0.2 + ANKLE, 1]]), pitch=0, roll=0)[0]
    world = find_world([stance(lowest=low), stance(lowest=lower)], pitch=0, roll=0)
    assert world.translation[1] == pytest.approx(1.3)
    assert any("lowest ankle" in said for said in world.assumptions)


@pytest.mark.parametrize("angle", [91, -120, np.nan])
def test_angles_out_of_range(angle):
    with pytest.raises(InputError, match="camera pitch must be -90 to 90 degrees"):
        find_world([], pitch=angle)
    with pytest.raises(InputError, match="camera roll"):
        find_world([], roll=angle)


def test_a_walk_from_end_to_end():
    joints, times = stepping()
    camera, _ = filmed(joints, pitch=18, roll=6)
    seen = stance_of(camera - camera[:, :1], camera[:, 0], times, TYPICAL_BONES)
    world = find_world([seen])
    assert tilt(world, pitch=18, roll=6) < 2
    placed = world.to_world(camera)
    assert np.abs(placed[..., 1] - joints[..., 1]).max() < 0.1
    assert len(world.assumptions) >= 3
