"""Error bars against random draws, and where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ampose.analysis import ANGLES, columns_of, error_bars
from ampose.analysis.error_bars import FACTORS, deviations
from ampose.analysis.formulas import wrapped
from ampose.analysis.gravity import Gravity, gravity_of
from ampose.motion.bones import TYPICAL_BONES
from tests.analysis.figure import (
    DOWN,
    FORWARD,
    LEFT,
    UP,
    figure,
    hips,
    sequence,
    shoulders,
    tilted,
    trunk,
)

COLUMNS = {column.name: column for column in columns_of(ANGLES)}
CERTAIN = Gravity(UP, np.zeros((2, 3)), "")
UNSURE = Gravity(UP, np.radians([[0, 0, 8], [4, 0, 0]]), "")
POSE = figure(
    **trunk(tilted(tilted(UP, FORWARD, 25), LEFT, 10)),
    **hips(tilted(LEFT, FORWARD, 20)),
    **shoulders(tilted(LEFT, FORWARD, 55)),
    left_knee=tilted(tilted(DOWN, FORWARD, 25), LEFT, 15),
    left_elbow=tilted(LEFT, FORWARD, 60),
    left_wrist=tilted(FORWARD, UP, 30),
    right_elbow=tilted(DOWN, FORWARD, 40),
    right_wrist=tilted(FORWARD, LEFT, 40),
    right_knee=tilted(DOWN, LEFT, 20),
    right_ankle=tilted(DOWN, FORWARD, -35),
)


def drawn(column, sigma, gravity, rng, count=20_000):
    """Root mean square change of an angle under random errors."""
    errors = rng.normal(0, 1, (count, 17, 3))
    errors[:, 0] = 0  # joints are relative to the root,
    errors[:, 1] = -errors[:, 4]  # which lies between the hips
    errors *= sigma
    lean = (rng.normal(0, 1, (count, 2, 1)) * gravity.tilts).sum(1)
    ups = Rotation.from_rotvec(np.cross(gravity.up, lean)).apply(gravity.up)
    change = wrapped(column.of(POSE + errors, ups) - column.of(POSE, gravity.up))
    return np.sqrt(np.mean(change**2))


@pytest.fixture
def plain(monkeypatch):
    """No bar is widened."""
    monkeypatch.setattr(error_bars, "FACTORS", {})


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(("size", "within"), [(1, 0.15), (0.2, 0.03)])
@pytest.mark.parametrize("name", COLUMNS)
def test_random_errors_spread_as_far(name, size, within, rng):
    """Of centimetres, where angles are not linear, and of millimetres."""
    sigma = size * rng.uniform(0.005, 0.02, (17, 3)) * [1, 1, 2]
    gravity = Gravity(UP, size * UNSURE.tilts, "")
    expected = drawn(COLUMNS[name], sigma, gravity, rng)
    found = deviations(COLUMNS[name], POSE, sigma, gravity)
    assert found == pytest.approx(expected, rel=within)


def test_a_straight_knee_can_only_be_more_bent(rng):
    """There is no derivative here: half of the draws lie on each side of nothing."""
    straight, sigma = figure(), np.full((17, 3), 0.02)
    knee = COLUMNS["knee_flexion_l"]
    errors = rng.normal(0, 0.02, (20_000, 17, 3))
    expected = np.sqrt(np.mean(knee.of(straight + errors, UP) ** 2))
    assert deviations(knee, straight, sigma, CERTAIN) == pytest.approx(expected, rel=0.05)


@pytest.mark.usefixtures("plain")
def test_by_hand():
    """Only the thorax moves, across the trunk: the lean is off by that over the trunk's length."""
    sigma = np.zeros((17, 3))
    sigma[8, 2] = 0.03
    long = TYPICAL_BONES[6:8].sum()
    lean = COLUMNS["trunk_lean_sagittal"]
    expected = np.degrees(np.arctan(0.03 / long))
    assert deviations(lean, figure(), sigma, CERTAIN) == pytest.approx(expected)
    both = np.hypot(expected, 8)  # the tilt about the line of the hips counts in full
    assert deviations(lean, figure(), sigma, UNSURE) == pytest.approx(both)
    lateral = COLUMNS["trunk_lean_lateral"]
    assert deviations(lateral, figure(), sigma, UNSURE) == pytest.approx(4)
    assert deviations(COLUMNS["knee_flexion_l"], figure(), sigma, UNSURE) == pytest.approx(0)


@pytest.mark.parametrize("name", FACTORS)
def test_the_share_of_the_joints_is_widened(name, monkeypatch):
    """And that of the vertical is not."""
    sigma = np.full((17, 3), 0.01)
    (column, *_) = columns_of([name])

    def bars():
        return np.array([deviations(column, POSE, sigma, each) for each in (CERTAIN, UNSURE)])

    wide = bars()
    monkeypatch.setattr(error_bars, "FACTORS", {})
    certain, unsure = bars()
    tilt = unsure**2 - certain**2
    wider = FACTORS[name] * certain
    np.testing.assert_allclose(wide, [wider, np.sqrt(wider**2 + tilt)])


def test_turns_through_half_a_circle():
    """Seen from behind, the angle jumps from 180 to -180; its error bar does not."""
    sigma = np.full((17, 3), 0.01)
    bars = [
        deviations(COLUMNS["pelvis_rotation"], figure(**hips(left)), sigma, CERTAIN)
        for left in (LEFT, -LEFT)
    ]
    assert bars[0] == pytest.approx(bars[1])
    assert bars[0] < 10


def test_no_error_bar_is_larger_than_an_angle():
    bars = deviations(COLUMNS["x_factor_joint_angle"], POSE, np.full((17, 3), 1e3), CERTAIN)
    assert bars <= 180 * np.sqrt(17 * 3)


def test_what_is_not_known():
    joints = np.stack([POSE] * 4)
    sigma = np.full((4, 17, 3), 0.01)
    sigma[1, 1] = np.nan  # right hip
    sigma[2, 0] = np.nan  # the root, which has no error
    joints[3, 3] = np.nan  # right ankle

    def known(name):
        return np.isfinite(deviations(COLUMNS[name], joints, sigma, CERTAIN)).tolist()

    assert known("knee_flexion_r") == [True, False, True, False]
    assert known("trunk_lean") == [True, True, True, True]
    unsure = Gravity(UP, np.full((2, 3), np.nan), "")
    assert np.isnan(deviations(COLUMNS["trunk_lean"], joints, sigma, unsure)).all()


def test_up_comes_from_the_world():
    found = gravity_of(sequence(figure()[None, None], tilt_sigma=6))
    np.testing.assert_allclose(found.up, UP, atol=1e-12)
    assert found.sigma_degrees == pytest.approx(6)
    np.testing.assert_allclose(found.tilts @ found.up, 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found.tilts, axis=-1), np.radians(6) / np.sqrt(2))
    assert found.source == "Up is estimated from foot contacts."


def test_without_a_world_the_camera_is_taken_to_be_level():
    found = gravity_of(sequence(figure()[None, None]))
    np.testing.assert_array_equal(found.up, UP)
    assert found.sigma_degrees == pytest.approx(np.hypot(15, 5))
    np.testing.assert_allclose(found.tilts[0], np.radians(15) * -FORWARD)  # nods more than rolls
    assert "assumed to be held level" in found.source


def test_a_world_that_does_not_say_how_sure_it_is():
    poses = sequence(figure()[None, None], tilt_sigma=1, world_frame={"estimated": True})
    found = gravity_of(poses)
    assert np.isnan(found.sigma_degrees)
    assert np.isnan(deviations(COLUMNS["trunk_lean"], poses.joints, poses.sigma, found)).all()
