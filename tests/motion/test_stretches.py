from __future__ import annotations

import numpy as np
import pytest

from ampose.motion.stretches import LONGEST_STEP, change_stretches, check, patterns, stretches


def test_a_stretch_ends_at_an_absent_frame_and_at_a_long_step():
    times = np.arange(10) / 10
    there = np.array([1, 1, 0, 1, 1, 1, 1, 1, 0, 1], bool)
    assert stretches(there, times) == [slice(0, 2), slice(3, 8), slice(9, 10)]
    times[5:] += LONGEST_STEP
    assert stretches(there, times) == [slice(0, 2), slice(3, 5), slice(5, 8), slice(9, 10)]
    steps = np.arange(3) * 0.5  # seconds
    assert stretches(np.ones(3, bool), steps) == [slice(0, 3)]
    assert len(stretches(np.ones(3, bool), 1.01 * steps)) == 3
    assert stretches(np.zeros(10, bool), times) == []
    assert stretches(np.zeros(0, bool), times[:0]) == []


def test_points_present_together_go_together():
    there = np.array([[1, 1, 0, 1], [0, 0, 0, 1], [1, 1, 0, 1]], bool)
    found = {tuple(points): when.tolist() for when, points in patterns(there)}
    assert found == {(0, 1): [True, False, True], (3,): [True, True, True]}


def test_each_stretch_is_changed_by_itself_and_the_rest_kept():
    values = np.arange(24, dtype=np.float32).reshape(6, 2, 2)
    values[2, 0, 1] = np.nan  # a point without one coordinate is absent
    times = np.arange(6.0) / 25
    seen = []

    def change(part, when):
        assert part.dtype == np.float64
        seen.append((part.shape, when.tolist()))
        return None if len(part) == 2 else part + 100

    out, changed = change_stretches(values, times, change)
    expected = values.copy()
    expected[3:, 0] += 100
    expected[:, 1] += 100
    np.testing.assert_array_equal(out, expected)
    assert out.dtype == np.float32
    assert changed.T.tolist() == [[False] * 3 + [True] * 3, [True] * 6]
    shapes = sorted(shape for shape, _ in seen)
    assert shapes == [(2, 1, 2), (3, 1, 2), (6, 1, 2)]


@pytest.mark.parametrize(
    ("values", "times", "what"),
    [
        (np.zeros((3, 2)), np.zeros(3), "increase"),
        (np.zeros((3, 2)), np.array([0, 1, np.nan]), "finite"),
        (np.zeros((3, 2)), np.array([0, 1, np.inf]), "finite"),
        (np.zeros((1, 2)), np.array([np.nan]), "finite"),
        (np.zeros((3, 2)), np.arange(4.0), r"\(3, 2\) and \(4,\)"),
        (np.zeros(3), np.arange(3.0), "needed"),
    ],
)
def test_what_does_not_fit(values, times, what):
    with pytest.raises(ValueError, match=what):
        check(values, times)
