from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis.bursts import Burst, burst_of, stride_end
from ampose.analysis.gravity import Gravity
from ampose.analysis.moving import Moving
from ampose.skeletons import H36M_17
from tests.analysis.figure import figure

UP = Gravity(np.array([0.0, -1, 0]), np.zeros((2, 3)), "told")
ANKLES = H36M_17.indices(("left_ankle", "right_ankle"))


def person(joints: np.ndarray, rate: float = 100) -> Moving:
    root, times = np.zeros((len(joints), 3)), np.arange(len(joints)) / rate
    return Moving(joints, np.zeros_like(joints), root, times, UP)


def burst(speed: list[float], rate: float = 10) -> Burst:
    """Of frames of a part that begins and ends two frames within the recording."""
    whole = np.array([np.nan, np.nan, *speed, np.nan, np.nan])
    times = np.arange(len(whole)) / rate
    part = slice(2, 2 + len(speed))
    return Burst(part, times, np.zeros((len(whole), 3)), whole, int(np.nanargmax(whole)))


def test_moments_stay_within_the_part():
    found = burst([1, 2, 10, 3])
    assert [found.at(seconds) for seconds in (-1, 0.1, 0.3, 0.35, 9)] == [2, 2, 3, 4, 5]


@pytest.mark.parametrize(("slowest", "turn"), [(3.4, 3), (3.6, None)])
def test_a_turn_is_slow_and_near(slowest: float, turn: int | None):
    found = burst([6, slowest, 5, 9, 10])
    assert found.turned_before(1) == turn
    assert found.turned_before(0.3) is None


def test_still_is_slower_than_a_share_of_the_fastest():
    found = burst([1, 10, 5, 1.6, 1.4, 1])
    assert found.still_after(found.fastest) == 6
    assert found.still_after(6) == 7
    assert found.still_after(7) is None


@pytest.mark.parametrize(
    ("speed", "frames", "told"), [(8.1, 16, True), (7.9, 16, False), (8.1, 14, False)]
)
def test_another_that_is_nearly_as_fast_a_while_away(speed: float, frames: int, told: bool):
    assert bool(burst([10, *[1] * (frames - 1), speed]).repeated("throw")) == told


def swinging(*fastest: float) -> Moving:
    """Three seconds each, nobody between them; the left wrist swings once a second."""
    times = np.arange(300) / 100
    parts = []
    for speed in fastest:
        joints = np.tile(figure(), (300, 1, 1))
        joints[:, 13, 0] += speed / (2 * np.pi) * np.sin(2 * np.pi * times)
        parts += [joints, np.full((20, 17, 3), np.nan)]
    return person(np.concatenate(parts))


def test_the_fastest_of_all_parts():
    for speeds, part in (((3.0, 5.0, 4.0), slice(320, 620)), ((5.0, 3.0), slice(0, 300))):
        moving = swinging(*speeds)
        found = burst_of(moving, moving.at("left_wrist"))
        assert found.part == part
        assert found.peak == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize(("speed", "fast"), [(2.4, False), (2.6, True)])
def test_what_is_slow_is_no_burst(speed: float, fast: bool):
    moving = swinging(speed)
    assert (burst_of(moving, moving.at("left_wrist")) is not None) == fast


def striding(*apart: float) -> Moving:
    joints = np.tile(figure(), (len(apart), 1, 1))
    joints[:, ANKLES[0], 0] = joints[:, ANKLES[1], 0] + apart
    return person(joints)


def test_a_stride_by_hand():
    """From 0.1 to 1 m; but for 5 % of that, 0.955, at 0.96. Later the feet come together."""
    moving = striding(9, 0.2, 0.1, 0.3, 0.6, 0.92, 0.96, 1, 0.05)
    assert stride_end(moving, 1, 8) == 6


def test_no_stride():
    small = striding(0.1, 0.12, 0.3)  # 0.2 m, and legs are 0.9 m long
    assert stride_end(small, 0, 2) == 2
    assert stride_end(striding(0.1, 0.12, 0.22), 0, 2) is None
    assert stride_end(small, 1, 1) is None
    small.joints[1, ANKLES[0]] = np.nan
    assert stride_end(small, 0, 2) is None
