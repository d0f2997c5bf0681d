from __future__ import annotations

import numpy as np
import pytest

from ampose.geometry import rotate, rotation_about
from ampose.motion.bones import ANKLE_SHARE, TYPICAL_BONES, stature
from ampose.motion.floor import find_world
from ampose.motion.stance import ANKLES, SEGMENTS, centre_of_mass, stance_of
from ampose.skeletons import H36M_17
from tests.motion.people import filmed, stepping


def of(joints: np.ndarray, times: np.ndarray):
    return stance_of(joints - joints[:, :1], joints[:, 0], times, TYPICAL_BONES)


@pytest.mark.parametrize("rate", [25, 60, 240])
def test_footfalls_of_a_walk(rate):
    """Twelve steps in six seconds; each is found once, where it was, whatever the rate."""
    world, times = stepping(6, rate)
    joints, world_of = filmed(world)
    stance = of(joints, times)
    found = world_of(stance.footfalls)
    assert 11 <= len(found) <= 14  # the clip begins and ends within steps
    ankle = ANKLE_SHARE * stature(TYPICAL_BONES)
    assert np.abs(found[:, 1] - ankle).max() < 0.02
    assert stance.ankle_height == pytest.approx(ankle)
    high = world[:, ANKLES, 1] > ankle + 0.1
    assert not stance.contacts[high].any()
    assert stance.contacts.mean() == pytest.approx(0.5, abs=0.1)


def test_a_raised_foot_that_is_still_is_no_footfall():
    world, times = stepping(6)
    world = np.repeat(world[:1], len(times), axis=0)
    world[:, ANKLES[1], 1] += 0.3
    stance = of(filmed(world)[0], times)
    assert stance.contacts[:, 0].all()
    assert not stance.contacts[:, 1].any()
    assert len(stance.footfalls) == 1


def test_up_of_somebody_who_walks():
    world, times = stepping()
    joints, _ = filmed(world, pitch=20, roll=10)
    stance = of(joints, times)
    level, _ = filmed(np.array([[0, 0, 0], [0, 1.0, 0]]), pitch=20, roll=10)
    assert stance.up @ (level[1] - level[0]) > np.cos(np.radians(2))


def test_balancing_on_one_foot_goes_by_the_centre_of_mass():
    """The trunk leans to one side, and the free leg to the other as far as it takes."""
    world, times = stepping(4)
    world = np.repeat(world[:1], len(times), axis=0)
    world[:, :, [0, 2]] -= world[:, :1, [0, 2]]
    world[:, ANKLES] = [[0, 0.07, 0], [0.1, 0.4, 0]]
    lean = 0.5 + 0.5 * np.sin(2 * np.pi * times / 4)
    upper = [joint for joint in range(17) if joint not in (2, 3, 5, 6)]
    world[:, upper, 0] += 0.3 * lean[:, None] * (world[:, upper, 1] - 0.9)
    free = np.isin(np.arange(17), H36M_17.indices(("right_knee", "right_ankle")))
    share = centre_of_mass(free[:, None] * np.ones(3))[0]
    world[:, free, 0] -= (centre_of_mass(world)[:, :1] / share) * [0.5, 1] / 0.75
    off = np.degrees(np.arctan2(*centre_of_mass(world)[:, :2].T))
    assert np.abs(off).max() < 4
    trunk = world[:, 8] - world[:, ANKLES].mean(1)
    assert np.degrees(np.arctan2(trunk[:, 0], trunk[:, 1])).mean() > 8
    stance = of(filmed(world, pitch=0, roll=0)[0], times)
    assert np.degrees(np.arccos(stance.up @ [0, -1, 0])) < 3


def test_axes_that_contradict_each_other():
    """A foot far to the side and lower than the one that stands: the trunk is believed."""
    world, times = stepping(2)
    world = np.repeat(world[:1], len(times), axis=0)
    world[:, ANKLES] = [[0, 0.07, 0], [1.5, 0.05, 0]]
    world[:, 8, 2] += 0.1 * np.sin(5 * times)  # so that the other axis is the steadier one
    stance = of(filmed(world, pitch=0, roll=0)[0], times)
    trunk = world[0, 8] - world[0, ANKLES].mean(0)
    assert stance.up @ (trunk * [1, -1, -1]) > 0.99 * np.linalg.norm(trunk)


def test_centre_of_mass():
    assert sum(mass for _, _, mass, _ in SEGMENTS) == pytest.approx(1, abs=1e-9)
    point = np.tile([1.0, 2, 3], (5, 17, 1))
    np.testing.assert_allclose(centre_of_mass(point), point[:, 0])


def test_centre_of_mass_by_hand():
    """What each joint counts: of a segment, 1 less where its centre lies, and so on."""
    counts = {
        "pelvis": 0.497 / 2, "thorax": 0.497 / 2, "neck_nose": 0.081 / 2, "head_top": 0.081 / 2,
        "spine": 0,
    }  # fmt: skip
    for side in ("left", "right"):
        counts |= {
            f"{side}_hip": 0.1 * 0.567,
            f"{side}_knee": 0.1 * 0.433 + 0.061 * 0.394,
            f"{side}_ankle": 0.061 * 0.606,
            f"{side}_shoulder": 0.028 * 0.564,
            f"{side}_elbow": 0.028 * 0.436 + 0.022 * 0.318,
            f"{side}_wrist": 0.022 * 0.682,
        }
    apart = np.eye(17)[..., None] * np.ones(3)
    expected = [counts[joint] for joint in H36M_17.joints]
    np.testing.assert_allclose(centre_of_mass(apart)[:, 0], expected)


def standing(frames: int, size: float = 1.0) -> np.ndarray:
    """(T, 17, 3) camera axes: on both feet, 4 m away."""
    world = np.repeat(stepping(2)[0][:1], frames, axis=0)
    world[:, :, [0, 2]] -= world[:, :1, [0, 2]]
    world[:, ANKLES, 1:] = [0.07, 0]
    return size * world * [1, -1, -1] + [0, 1.5, 4]


@pytest.mark.parametrize("size", [1, 1.5])
@pytest.mark.parametrize(("axis", "limit"), [(0, 0.4), (2, 1.0)])
def test_how_fast_a_foot_may_be(axis, limit, size):
    """Across the ray and along it, of larger bodies more."""
    times = np.arange(25) / 25
    for speed, still in ((0.9 * limit * size, True), (1.1 * limit * size, False)):
        joints = standing(25, size)
        joints[:, :, :2] -= joints[:, ANKLES].mean((0, 1))[:2] * (axis == 2)  # feet on the axis
        joints[..., axis] += speed * (times - 0.5)[:, None]
        pose, root = joints - joints[:, :1], joints[:, 0]
        contacts = stance_of(pose, root, times, size * TYPICAL_BONES).contacts
        assert contacts.all() == contacts.any() == still


@pytest.mark.parametrize(("raised", "low"), [(0.075, True), (0.085, False)])
def test_how_low_a_foot_must_be(raised, low):
    joints = standing(25)
    joints[:, ANKLES[0], 1] -= raised
    contacts = of(joints, np.arange(25) / 25).contacts
    assert contacts[:, 1].all()
    assert contacts[:, 0].all() == contacts[:, 0].any() == low


@pytest.mark.parametrize(("acceleration", "footfalls"), [(10, 0), (6, 2)])
def test_a_footfall_lasts(acceleration, footfalls):
    """A body that turns back is slower than 0.4 m/s for 0.08 or for 0.13 s."""
    times = np.arange(240) / 240
    joints = standing(240)
    joints[..., 0] += (acceleration * (times - 0.5) ** 2 / 2)[:, None]
    assert len(of(joints, times).footfalls) == footfalls


@pytest.mark.parametrize(("degrees", "upright"), [(45, True), (55, False)])
def test_who_leans_far_does_not_stand(degrees, upright):
    joints = rotate(standing(3) - [0, 1.5, 4], rotation_about(2, np.radians(degrees)))
    joints[..., 2] += 4
    assert (of(joints, np.arange(3.0)).up is not None) == upright


@pytest.mark.parametrize(("share", "stands"), [(0.85, True), (0.75, False)])
def test_who_crouches_does_not_stand(share, stands):
    """Thorax over ankles, as a share of legs and trunk end to end."""
    joints = standing(3)
    whole = (442.9 + 454.2 + 233.4 + 257.1) / 1000
    joints[:, 8] = joints[:, ANKLES].mean(1) - [0, share * whole, 0]
    assert (of(joints, np.arange(3.0)).up is not None) == stands


def test_a_longer_clip_is_surer_of_up():
    """Nine sways of a second each: a third of the error of one."""
    joints = standing(225)
    sway = 0.1 * np.sin(2 * np.pi * np.arange(225) / 25)
    joints[:, 8:, 0] += sway[:, None]
    long, short = (of(joints[:n], np.arange(n) / 25).up_spread for n in (225, 25))
    assert long == pytest.approx(short / 3)


def test_the_lowest_ankle_but_for_one_in_twenty():
    joints = standing(40)
    joints[..., 1] += 0.01 * np.random.default_rng(0).permutation(40)[:, None]
    floor = joints[:, ANKLES, 1].max(1)
    lowest = of(joints, np.arange(40) / 25).lowest
    assert lowest[1] == pytest.approx(np.sort(floor)[-3])


def test_lying_is_no_standing():
    world, times = stepping(2)
    lying = world[..., [1, 0, 2]]
    stance = of(filmed(lying + np.array([0, 0.2, 0]))[0], times)
    assert stance.up is None


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_few_frames(frames):
    world, times = stepping()
    joints, _ = filmed(world)
    stance = of(joints[:frames], times[:frames])
    assert not stance.contacts.any()
    assert stance.contacts.shape == (frames, 2)
    assert (stance.up is None) == (frames == 0)
    assert (find_world([stance]) is None) == (frames == 0)


def test_gaps_make_no_footfalls():
    """A foot is not taken to stand still while nobody is seen."""
    world, times = stepping()
    joints, _ = filmed(world)
    whole = of(joints, times)
    joints[40:80] = np.nan
    stance = of(joints, times)
    assert not stance.contacts[40:80].any()
    assert (stance.contacts <= whole.contacts).all()
    assert len(of(np.full_like(joints, np.nan), times).footfalls) == 0


def test_a_step_while_nobody_looked_makes_two_footfalls():
    world, times = stepping()
    joints, back = filmed(np.repeat(world[:1], len(times), axis=0))
    joints[100:] += [0.3, 0, 0]
    joints[50:100] = np.nan
    found = back(of(joints, times).footfalls)
    across = found[:, 0] - found[0, 0]
    assert len(found) == 4
    assert np.ptp(across) > 0.25
