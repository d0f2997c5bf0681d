from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis.formulas import facing
from ampose.analysis.moving import moving_people
from ampose.geometry import rotate, rotation_about
from tests.analysis.figure import UP, figure, sequence


def still(frames: int) -> np.ndarray:
    return np.tile(figure(), (frames, 1, 1, 1))


def test_a_leg_is_thigh_and_shank():
    (person,) = moving_people(sequence(still(2)))
    assert person.leg == pytest.approx(0.4429 + 0.4542, abs=1e-4)


def test_parts_have_three_frames_and_all_joints():
    joints = still(12)
    joints[3, 0, 16] = np.nan
    joints[6] = np.nan
    (person,) = moving_people(sequence(joints))
    assert list(person.parts()) == [slice(0, 3), slice(7, 12)]  # 4 and 5 are but two
    assert np.isnan(person.at("left_hip")[[3, 6]]).all()


def test_joints_that_are_not_valid_are_not_there():
    poses = sequence(still(3))
    poses.valid[1, 0, 5] = False
    (person,) = moving_people(poses)
    assert person.there.tolist() == [True, False, True]


def test_facing_is_the_mean_of_before_and_after():
    """Of somebody who turns round at a steady rate that is where they face now."""
    turn = rotation_about(1, 0.1 * np.arange(41))
    joints = rotate(figure()[None], turn)[:, None]
    (person,) = moving_people(sequence(joints))
    np.testing.assert_allclose(person.facing(0.5)[10:30], facing(joints[10:30, 0], UP), atol=1e-5)
