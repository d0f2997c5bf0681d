from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.motion.prediction import SPEED, STEADY_SECONDS, Course

SIZE = 100.0
TIMES = st.floats(0, 20)


def walked(speed: float, step: float, count: int = 50) -> Course:
    """Somebody who has walked along x at that speed, seen every `step` seconds."""
    course = Course.starting(np.zeros(2), 1.0, SIZE)
    for number in range(1, count):
        place = np.array([speed * step * number, 0])
        course = course.after(step, SIZE).corrected(place, 1.0)
    return course


@given(TIMES, TIMES)
def test_two_steps_are_one_as_long_as_both(first: float, second: float):
    course = walked(120, 0.04)
    twice = course.after(first, SIZE).after(second, SIZE)
    once = course.after(first + second, SIZE)
    np.testing.assert_allclose(twice.place, once.place, rtol=1e-9)
    np.testing.assert_allclose(twice.velocity, once.velocity, rtol=1e-9)
    np.testing.assert_allclose(twice.covariance, once.covariance, rtol=1e-6, atol=1e-6)


@given(st.floats(0, 100))
def test_the_covariance_is_one(seconds: float):
    covariance = Course.starting(np.zeros(2), 1.0, SIZE).after(seconds, SIZE).covariance
    assert (np.linalg.eigvalsh(covariance) >= 0).all()
    assert covariance[1, 1] == pytest.approx((SPEED * SIZE) ** 2)  # its spread stays


def test_no_time_changes_nothing():
    course = walked(120, 0.04)
    same = course.after(0, SIZE)
    np.testing.assert_array_equal(same.place, course.place)
    np.testing.assert_allclose(same.covariance, course.covariance)


@pytest.mark.parametrize("step", [1 / 240, 0.04, 0.2])
def test_a_walker_is_known_by_the_velocity(step: float):
    course = walked(150, step, count=round(2 / step))
    assert course.velocity == pytest.approx([150, 0], rel=0.1)
    soon = course.after(0.1, SIZE)
    assert soon.place[0] - course.place[0] == pytest.approx(15, rel=0.1)


def test_velocity_dies_away():
    course = walked(150, 0.04)
    later = course.after(STEADY_SECONDS, SIZE)
    assert later.velocity == pytest.approx(course.velocity / np.e)
    # The integral of v exp(-t / S) from 0 to S.
    moved = course.velocity * STEADY_SECONDS * (1 - 1 / np.e)
    assert later.place - course.place == pytest.approx(moved)


def test_a_correction_by_hand():
    """Places 0 +- 1 and 3 +- 1 are equally good: 1.5, with half the variance."""
    course = Course.starting(np.zeros(2), 1.0, SIZE).corrected(np.array([3.0, 0]), 1.0)
    assert course.place == pytest.approx([1.5, 0])
    assert course.spread**2 == pytest.approx(0.5)
    assert course.velocity == pytest.approx([0, 0])  # no time has passed


def test_what_is_read_counts_by_its_variance():
    """Known to 3, read to 4: 9 / (9 + 16) of the way, and 9 * 16 / 25 of the variance is left."""
    course = Course.starting(np.zeros(2), 3, 100)
    corrected = course.corrected(np.array([10.0, -5]), 4)
    np.testing.assert_allclose(corrected.place, [3.6, -1.8])
    assert corrected.spread == pytest.approx(np.sqrt(9 * 16 / 25))
    np.testing.assert_array_equal(corrected.velocity, 0)  # nothing is known to go together yet
