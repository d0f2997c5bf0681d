from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import median_filter

from ampose.motion import outliers
from ampose.motion.outliers import remove_outliers

SIZE = 300.0
"""Pixels from head to ankles."""


def walker(rate: float, seconds: float = 4, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (T, 17, 2) of somebody whose joints swing while walking past, and times."""
    rng = np.random.default_rng(0)
    times = np.arange(round(seconds * rate)) / rate
    rest = np.stack([rng.uniform(0, 80, 17), np.linspace(0, SIZE, 17)], -1)
    swing = 25 * np.sin(2 * np.pi * times[:, None] * rng.uniform(0.7, 1.5, 17) + np.arange(17))
    keypoints = rest + np.stack([swing + 100 * times[:, None], 0.3 * swing], -1)
    return keypoints + noise * SIZE * rng.standard_normal(keypoints.shape), times


@pytest.mark.parametrize("rate", [15, 25, 60, 240])
@pytest.mark.parametrize("seconds", [0, 0.1, 0.19])
def test_a_jump_is_removed_and_nothing_else(rate, seconds):
    keypoints, times = walker(rate, noise=0.003)
    length = 1 + int(seconds * rate)
    start = len(times) // 2
    keypoints[start : start + length, 5] += [0.08 * SIZE, -0.08 * SIZE]
    cleaned, removed = remove_outliers(keypoints, times)
    expected = np.zeros(removed.shape, bool)
    expected[start : start + length, 5] = True
    np.testing.assert_array_equal(removed, expected)
    assert np.isnan(cleaned[removed]).all()
    np.testing.assert_array_equal(cleaned[~removed], keypoints[~removed])


@pytest.mark.parametrize("rate", [15, 25, 60, 240])
def test_clean_motion_is_left(rate):
    for noise in (0, 0.003, 0.01):
        assert not remove_outliers(*walker(rate, noise=noise))[1].any()


@pytest.mark.parametrize("rate", [25, 30, 60])
@pytest.mark.parametrize("shift", [0, 0.3, 0.7])
def test_a_kick_survives(rate, shift):
    """The ankle swings up by half the person's height and back within half a second."""
    keypoints, times = walker(rate, noise=0.003)
    phase = (times - 2 - shift / rate) / 0.5
    kick = np.where(np.abs(phase) < 0.5, np.cos(np.pi * phase) ** 2, 0)
    keypoints[:, 16] += kick[:, None] * [0.4 * SIZE, -0.5 * SIZE]
    assert not remove_outliers(keypoints, times)[1].any()


@pytest.mark.parametrize("rate", [25, 30, 60])
def test_a_golf_swing_survives(rate):
    """Hands on a circle of a third of the height: back in 0.8 s, down and through in 0.4 s."""
    keypoints, times = walker(rate, noise=0.003)
    angle = np.interp(times, [1, 1.8, 2.2, 2.6], [0, 3.5, -0.5, -3.8])
    smooth = np.convolve(np.pad(angle, 3, mode="edge"), np.hanning(9)[1:-1] / 4, "valid")
    hands = SIZE / 3 * np.stack([np.sin(smooth), np.cos(smooth)], -1)
    keypoints[:, [12, 15]] = keypoints[:, [8]] + hands[:, None]
    assert not remove_outliers(keypoints, times)[1].any()


def test_a_shaking_camera_hides_and_invents_nothing(rng):
    keypoints, times = walker(25, noise=0.003)
    keypoints += 0.1 * SIZE * rng.standard_normal((len(times), 1, 2))
    keypoints[40, 3] += 0.15 * SIZE
    _, removed = remove_outliers(keypoints, times)
    assert np.argwhere(removed).tolist() == [[40, 3]]


def test_a_camera_jerked_while_the_person_is_unseen():
    keypoints, times = walker(25)
    keypoints[50:53] += 0.2 * SIZE
    keypoints[[49, 53]] = np.nan
    assert not remove_outliers(keypoints, times)[1].any()


def test_a_good_frame_between_two_jumps():
    keypoints, times = walker(25)
    keypoints[50, 7, 0] += 0.3 * SIZE
    keypoints[52, 7, 0] += 0.5 * SIZE
    _, removed = remove_outliers(keypoints, times)
    assert np.argwhere(removed).tolist() == [[50, 7], [52, 7]]


def test_missing_frames_beside_a_jump():
    keypoints, times = walker(25)
    keypoints[[49, 52], 7] = np.nan
    keypoints[50:52, 7] += 0.2 * SIZE
    cleaned, removed = remove_outliers(keypoints, times)
    assert np.argwhere(removed).tolist() == [[50, 7], [51, 7]]
    assert np.isnan(cleaned[49:53, 7]).all()


def test_small_far_and_long_ones_stay():
    keypoints, times = walker(25)
    keypoints[50, 7] += 0.03 * SIZE  # small
    keypoints[65:80, 8] = np.nan
    keypoints[72, 8] = walker(25)[0][72, 8] + 0.2 * SIZE  # nobody knows how fast the joint was
    keypoints[20:27, 9] += 0.2 * SIZE  # 0.24 s from the first to the last
    keypoints[:2, 10] += 0.2 * SIZE  # the ends cannot be judged
    assert not remove_outliers(keypoints, times)[1].any()


def test_least_jumps_by_hand():
    """A twentieth of the body; three times what is usual."""
    times, still = np.arange(100) / 25, np.tile(np.linspace(0, SIZE, 17)[:, None], (100, 1, 2))
    for share, gone in ((0.045, False), (0.055, True)):
        keypoints = still.copy()
        keypoints[51, 5, 0] += share * SIZE
        assert remove_outliers(keypoints, times)[1][51, 5] == gone
    # To and fro by 5, a joint is 10 from where it was heading; a jump to 27 or 33 aside.
    for jump, gone in ((22, False), (28, True)):
        keypoints = still.copy()
        keypoints[1::2, 5, 0] += 5
        keypoints[51, 5, 0] += jump
        assert remove_outliers(keypoints, times)[1][51, 5] == gone


def test_uneven_times():
    keypoints, times = walker(50)
    kept = np.sort(np.random.default_rng(1).choice(len(times), 150, replace=False))
    keypoints, times = keypoints[kept], times[kept]
    assert not remove_outliers(keypoints, times)[1].any()
    keypoints[70, 4] += 0.2 * SIZE
    assert np.argwhere(remove_outliers(keypoints, times)[1]).tolist() == [[70, 4]]


def test_size_is_the_persons():
    """The same picture, larger or farther, gives the same answer."""
    keypoints, times = walker(25, noise=0.01)
    keypoints[30, 5] += 0.3 * SIZE
    mask = remove_outliers(keypoints, times)[1]
    assert mask.any()
    for factor in (0.05, 20):
        np.testing.assert_array_equal(remove_outliers(keypoints * factor, times)[1], mask)


@pytest.mark.parametrize("frames", range(7))
def test_few_frames(frames):
    keypoints, times = walker(25)
    for values in (keypoints[:frames], np.full((frames, 17, 2), np.nan)):
        cleaned, removed = remove_outliers(values, times[:frames])
        np.testing.assert_array_equal(cleaned, values)
        assert removed.shape == (frames, 17)
        assert not removed.any()


def test_present_in_three_frames_of_a_thousand():
    keypoints = np.full((1000, 17, 2), np.nan, np.float32)
    keypoints[[5, 6, 700]] = walker(25)[0][:3]
    cleaned, removed = remove_outliers(keypoints, np.arange(1000) / 25)
    np.testing.assert_array_equal(cleaned, keypoints)
    assert cleaned.dtype == np.float32
    assert not removed.any()


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"\(T, J, 2\)"):
        remove_outliers(np.zeros((5, 2)), np.arange(5.0))
    with pytest.raises(ValueError, match="increase"):
        remove_outliers(np.zeros((5, 17, 2)), np.zeros(5))


def test_an_enormous_frame_rate_costs_no_more(monkeypatch):
    keypoints, _ = walker(60)
    windows = []

    def noted(values, size, **options):
        windows.append(size)
        return median_filter(values, size, **options)

    monkeypatch.setattr(outliers, "median_filter", noted)
    remove_outliers(keypoints, np.arange(len(keypoints)) / 1e6)
    assert windows == [2 * len(keypoints) - 1]


@given(st.lists(st.floats(1, 500), min_size=1, max_size=9), st.integers(0, 20))
def test_a_window_beyond_both_ends_has_the_same_medians(sides, more):
    """Why that window may be cut: further out there are only copies of the first and the last."""
    whole = 2 * len(sides) - 1
    wider = median_filter(sides, whole + 2 * more, mode="nearest")
    np.testing.assert_array_equal(median_filter(sides, whole, mode="nearest"), wider)
