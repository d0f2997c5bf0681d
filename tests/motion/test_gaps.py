from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import pchip_interpolate

from ampose.motion.gaps import fill_gaps, interpolate

TIMES = np.arange(12) / 10


def ramp(*absent: int) -> np.ndarray:
    """(12, 1, 2): a straight line with absent frames."""
    values = np.stack([TIMES, 5 - 3 * TIMES], -1)[:, None]
    values[list(absent)] = np.nan
    return values


@pytest.mark.parametrize("curve", ["pchip", "linear"])
def test_a_straight_line_is_restored(curve):
    filled, mask = fill_gaps(ramp(2, 5, 6), TIMES, longest=0.3, curve=curve)
    np.testing.assert_allclose(filled, ramp(), atol=1e-12)
    assert np.flatnonzero(mask).tolist() == [2, 5, 6]


def test_a_gap_counts_from_the_frame_before_to_the_frame_after():
    values = ramp(2, 3, 6)
    assert np.flatnonzero(fill_gaps(values, TIMES, longest=0.3)[1]).tolist() == [2, 3, 6]
    filled, mask = fill_gaps(values, TIMES, longest=0.29)
    assert np.flatnonzero(mask).tolist() == [6]
    assert np.isnan(filled[2:4]).all()


def test_ends_stay_absent():
    filled, mask = fill_gaps(ramp(0, 1, 11), TIMES, longest=9)
    assert not mask.any()
    assert np.isnan(filled[[0, 1, 11]]).all()


def test_joints_have_gaps_of_their_own(rng):
    """pchip over all that is known of each joint, as SciPy has it; known points untouched."""
    values = rng.normal(size=(12, 3, 2))
    values[4, 0], values[[4, 5], 1], values[7, 2, 0] = np.nan, np.nan, np.nan
    filled, mask = fill_gaps(values, TIMES, longest=0.5)
    for joint, absent in enumerate(([4], [4, 5], [7])):
        known = np.setdiff1d(np.arange(12), absent)
        expected = pchip_interpolate(TIMES[known], values[known, joint], TIMES[absent])
        np.testing.assert_allclose(filled[absent, joint], expected)
        np.testing.assert_array_equal(filled[known, joint], values[known, joint])
        assert np.flatnonzero(mask[:, joint]).tolist() == absent


def test_uneven_times():
    times = np.array([0, 0.1, 0.4, 0.5])
    values = times[:, None] * [1.0, 2.0, 3.0]  # a root (T, 3)
    holed = values.copy()
    holed[2] = np.nan
    for curve in ("pchip", "linear"):
        filled, _ = fill_gaps(holed, times, longest=0.4, curve=curve)
        np.testing.assert_allclose(filled, values)
    assert not fill_gaps(holed, times, longest=0.39)[1].any()


def test_a_point_without_one_coordinate_is_absent():
    values = ramp(*range(3, 9))
    values[3:9, 0, 1] = 1
    filled, mask = fill_gaps(values, TIMES, longest=0.5)
    assert not mask.any()
    assert np.isnan(filled[3:9]).all()


@given(st.integers(0, 2**32 - 1))
def test_nothing_filled_overshoots(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(30, 4, 3)).astype(np.float32)
    values[rng.random((30, 4)) < 0.4] = np.nan
    filled, mask = fill_gaps(values, np.arange(30) / 25, longest=0.3)
    assert filled.dtype == np.float32
    assert (np.isfinite(filled).all(-1) == (np.isfinite(values).all(-1) | mask)).all()
    for frame, joint in np.argwhere(mask):
        known = np.flatnonzero(np.isfinite(values[:, joint, 0]))
        before, after = known[known < frame][-1], known[known > frame][0]
        assert after - before <= 7.5
        edges = values[[before, after], joint]
        assert (filled[frame, joint] >= edges.min(0) - 1e-5).all()
        assert (filled[frame, joint] <= edges.max(0) + 1e-5).all()


@pytest.mark.parametrize("frames", range(4))
def test_short_and_empty(frames):
    for values in (np.full((frames, 17, 2), np.nan), np.zeros((frames, 17, 2))):
        filled, mask = fill_gaps(values, np.arange(frames) / 25)
        np.testing.assert_array_equal(filled, values)
        assert mask.shape == (frames, 17)
        assert not mask.any()


def test_unknown_curve():
    with pytest.raises(ValueError, match="pchip, linear"):
        fill_gaps(ramp(), TIMES, curve="spline")


def test_times_that_do_not_rise():
    with pytest.raises(ValueError, match="increase"):
        fill_gaps(ramp(2), TIMES[::-1])


@pytest.mark.parametrize("curve", ["pchip", "linear"])
def test_what_is_known_is_met_at_both_ends_too(curve, rng):
    values = rng.normal(size=(12, 2, 3))
    np.testing.assert_allclose(interpolate(TIMES, values, TIMES, curve), values)
