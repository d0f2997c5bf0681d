from __future__ import annotations

import tracemalloc
from typing import get_args

import numpy as np
import pytest
from scipy.signal import savgol_filter

from ampose.motion.filters import (
    Filter,
    OneEuro,
    butterworth,
    filter_of,
    one_euro,
    savitzky_golay,
    smooth,
)

LAGLESS = [butterworth, savitzky_golay]
RATES = [25, 60, 240]


def wave(hertz: float, times: np.ndarray) -> np.ndarray:
    """(T, 1, 2) of amplitude 1."""
    return np.stack([np.sin(2 * np.pi * hertz * times), np.cos(2 * np.pi * hertz * times)], -1)[
        :, None
    ]


def gain(values: np.ndarray, hertz: float, times: np.ndarray) -> complex:
    """Amplitude and phase of a filtered `wave` in the middle half, relative to the wave."""
    middle = slice(len(times) // 4, -len(times) // 4)
    turning = np.exp(-2j * np.pi * hertz * times[middle])
    return complex(((values[middle, 0, 1] + 1j * values[middle, 0, 0]) * turning).mean())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("cutoff", [2.0, 4.0, 6.0])
def test_the_cut_off_is_that_of_both_passes(rate, cutoff):
    times = np.arange(20 * rate) / rate
    out, changed = butterworth(wave(cutoff, times), times, cutoff)
    assert gain(out, cutoff, times) == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert changed.all()


def test_fourth_order():
    """An octave above the cut-off 1 / (1 + 2^4 (sqrt(2) - 1)): two passes of second order."""
    times = np.arange(4800) / 240
    out, _ = butterworth(wave(8, times), times, 4)
    assert gain(out, 8, times) == pytest.approx(1 / (1 + 16 * (np.sqrt(2) - 1)), abs=5e-3)


@pytest.mark.parametrize("rate", RATES)
def test_savitzky_golays_cut_off(rate):
    times = np.arange(20 * rate) / rate
    out, _ = savitzky_golay(wave(4, times), times, 4)
    assert gain(out, 4, times) == pytest.approx(np.sqrt(0.5), abs=0.06)


def test_savitzky_golay_is_scipys(rng):
    values = rng.normal(size=(40, 3, 2))
    out, _ = savitzky_golay(values, np.arange(40) / 25, 4)
    np.testing.assert_allclose(out, savgol_filter(values, 7, 3, axis=0))


@pytest.mark.parametrize("low_pass", LAGLESS)
@pytest.mark.parametrize("rate", RATES)
def test_no_lag_and_steady_motion_unchanged(low_pass, rate):
    times = np.arange(2 * rate) / rate
    line = 3 + times[:, None, None] * np.array([1.0, -2, 0.5])
    np.testing.assert_allclose(low_pass(line, times)[0], line, atol=1e-5)
    bump = np.exp(-(((times - 1) / 0.2) ** 2))[:, None, None].repeat(3, -1)
    out = low_pass(bump, times)[0]
    assert np.argmax(out[:, 0, 0]) == rate
    assert out.max() == pytest.approx(1, abs=0.1)
    assert out.min() > -0.05  # no ringing to speak of


@pytest.mark.parametrize("low_pass", LAGLESS)
def test_stretches_between_gaps_by_themselves(low_pass, rng):
    values = rng.normal(size=(80, 2, 3))
    times = np.arange(80) / 25
    values[[30, 34], 0] = np.nan  # 31 to 33 are too few to filter
    out, changed = low_pass(values, times)
    for part in (slice(0, 30), slice(35, 80)):
        alone, _ = low_pass(values[part, :1], times[part])
        np.testing.assert_allclose(out[part, :1], alone)
    np.testing.assert_array_equal(out[30:35, 0], values[30:35, 0])
    np.testing.assert_array_equal(np.flatnonzero(~changed[:, 0]), [30, 31, 32, 33, 34])
    whole, _ = low_pass(values[:, 1:], times)
    np.testing.assert_allclose(out[:, 1:], whole)
    assert changed[:, 1].all()


@pytest.mark.parametrize("low_pass", LAGLESS)
@pytest.mark.parametrize(("rate", "cutoff"), [(10, 6), (12, 6), (7.9, 4)])
def test_nothing_to_cut_at_low_frame_rates(low_pass, rate, cutoff, rng):
    values = rng.normal(size=(100, 17, 3))
    out, changed = low_pass(values, np.arange(100) / rate, cutoff)
    np.testing.assert_array_equal(out, values)
    assert not changed.any()


def test_a_stretch_of_one_period_is_left(rng):
    values = rng.normal(size=(8, 1, 3))  # 28 frames/s: 7 frames are a period of 4 Hz
    for frames, filtered in ((7, False), (8, True)):
        _, changed = butterworth(values[:frames], np.arange(frames) / 28, 4)
        assert changed.all() == changed.any() == filtered


def test_just_enough_frames_per_second(rng):
    values = rng.normal(size=(100, 1, 3))
    out, changed = butterworth(values, np.arange(100) / 8.1, 4)
    assert changed.all()
    assert np.isfinite(out).all()


@pytest.mark.parametrize("low_pass", LAGLESS)
def test_uneven_times(low_pass, rng):
    """A third of the frames dropped, the others late by up to a fifth of a frame."""
    kept = np.sort(rng.choice(np.arange(1, 599), 400, replace=False))
    times = (kept + rng.uniform(0, 0.2, 400)) / 60
    truth = wave(1, times)
    noise = 0.1 * rng.normal(size=truth.shape)
    out, changed = low_pass(truth + noise, times)
    assert (out - truth).std() < 0.6 * noise.std()
    assert changed.all()
    clean, _ = low_pass(truth, times)
    assert np.abs(clean - truth).max() < 0.03


@pytest.mark.parametrize("low_pass", LAGLESS)
def test_a_steady_motion_stays_so_when_times_are_a_little_uneven(low_pass, rng):
    times = (np.arange(100) + rng.uniform(-0.2, 0.2, 100)) / 30
    line = times[:, None, None] * np.array([1.0, -2, 0.5])
    np.testing.assert_allclose(low_pass(line, times)[0], line, atol=1e-6)


def test_times_rounded_to_milliseconds_are_even(rng):
    values = rng.normal(size=(300, 17, 3))
    times = np.arange(300) / 30
    np.testing.assert_allclose(
        butterworth(values, times.round(3))[0], butterworth(values, times)[0], atol=1e-3
    )


def test_a_long_step_parts_what_is_filtered():
    times = np.arange(60) / 25
    times[30:] += 10
    values = np.where(np.arange(60) < 30, 0.0, 1.0)[:, None]
    np.testing.assert_allclose(butterworth(values, times)[0], values, atol=1e-12)


class TestOneEuro:
    def test_by_hand(self):
        """Two steps of algorithm 1, in numbers small enough to follow."""
        live = OneEuro(min_cutoff=1, beta=2, derivative_cutoff=1)
        assert live.update(np.array([[1.0, 0.0]]), 0).tolist() == [[1, 0]]

        def share(cutoff):
            return 1 / (1 + 1 / (2 * np.pi * cutoff * 0.1))

        velocity = share(1) * np.array([3.0, 4.0]) / 0.1
        speed = share(1) * 50  # of 3 and 4 in a tenth of a second
        expected = np.array([1.0, 0.0]) + share(1 + 2 * speed) * np.array([3.0, 4.0])
        got = live.update(np.array([[4.0, 4.0]]), 0.1)
        np.testing.assert_allclose(got, [expected])
        change = (np.array([4.0, 4.0]) - expected) / 0.1
        velocity = velocity + share(1) * (change - velocity)
        cutoff = 1 + 2 * np.linalg.norm(velocity)
        expected = expected + share(cutoff) * (np.array([4.0, 4.0]) - expected)
        np.testing.assert_allclose(live.update(np.array([[4.0, 4.0]]), 0.2), [expected])

    def test_turning_the_axes_turns_the_answer(self, rng):
        values, times = rng.normal(size=(50, 5, 2)), np.arange(50) / 25
        turn = np.array([[0.6, -0.8], [0.8, 0.6]])
        np.testing.assert_allclose(
            one_euro(values @ turn, times)[0], one_euro(values, times)[0] @ turn
        )

    def test_pixels_like_metres(self, rng):
        values, times = rng.normal(size=(50, 5, 2)), np.arange(50) / 25
        pixels, _ = smooth(300 * values, times, "one-euro", per_metre=300)
        np.testing.assert_allclose(pixels, 300 * smooth(values, times, "one-euro")[0])

    def test_a_joint_that_comes_back_starts_anew(self, rng):
        values, times = rng.normal(size=(30, 2, 3)), np.arange(30) / 25
        values[10:13, 0] = np.nan
        out, changed = one_euro(values, times)
        alone, _ = one_euro(values[13:, :1], times[13:])
        np.testing.assert_array_equal(out[13:, :1], alone)
        assert np.isnan(out[10:13, 0]).all()
        np.testing.assert_array_equal(np.flatnonzero(~changed[:, 0]), [0, 10, 11, 12, 13])
        np.testing.assert_array_equal(out[:, 1:], one_euro(values[:, 1:], times)[0])
        assert np.flatnonzero(~changed[:, 1]).tolist() == [0]

    def test_after_a_long_time_all_start_anew(self):
        times = np.array([0, 0.04, 5, 5.04])
        values = np.arange(8.0).reshape(4, 1, 2)
        out, changed = one_euro(values, times)
        np.testing.assert_array_equal(out[2], values[2])
        assert changed[:, 0].tolist() == [False, True, False, True]

    def test_calm_at_rest_and_quick_in_motion(self, rng):
        times = np.arange(250) / 25
        noise = 0.01 * rng.normal(size=(250, 1, 3))
        rest, _ = one_euro(noise, times)
        assert rest[50:].std() < 0.6 * noise[50:].std()
        line = times[:, None, None] * np.array([4.0, 0, 0])
        lag = (line - one_euro(line, times)[0])[-1, 0, 0] / 4
        assert 0 < lag < 0.005  # seconds; at its cut-off for rest it would be 0.16

    def test_keeps_the_type(self):
        live = OneEuro()
        for frame in range(3):
            assert live.update(np.ones((17, 3), np.float32), frame / 25).dtype == np.float32

    def test_what_does_not_fit(self):
        live = OneEuro()
        live.update(np.zeros((17, 3)), 1)
        with pytest.raises(ValueError, match="increase"):
            live.update(np.zeros((17, 3)), 1)
        with pytest.raises(ValueError, match=r"\(17, 3\)"):
            live.update(np.zeros((17, 2)), 1.1)
        for wrong in ({"min_cutoff": 0}, {"beta": -1}, {"per_metre": 0}, {"min_cutoff": np.nan}):
            with pytest.raises(ValueError, match="zero"):
                OneEuro(**wrong)


@pytest.mark.parametrize("method", get_args(Filter))
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 40])
def test_every_filter_keeps_shape_type_and_absence(method, frames, rng):
    times = np.arange(frames) / 25
    for shape in ((frames, 17, 2), (frames, 3), (frames, 2, 17, 3), (frames, 0, 3)):
        values = rng.normal(size=shape).astype(np.float32)
        values[1:3] = np.nan
        before = values.copy()
        out, changed = smooth(values, times, method)
        np.testing.assert_array_equal(values, before)
        assert (out.shape, out.dtype, changed.shape) == (shape, np.float32, shape[:-1])
        np.testing.assert_array_equal(np.isnan(out), np.isnan(values))
        np.testing.assert_array_equal(out[~changed], values[~changed])
        empty, changed = smooth(np.full(shape, np.nan), times, method)
        assert np.isnan(empty).all()
        assert not changed.any()


def test_smooth_calls_the_filter_it_is_asked_for(rng):
    values, times = rng.normal(size=(60, 17, 3)), np.arange(60) / 25
    for method, function in (
        ("butterworth", butterworth),
        ("savitzky-golay", savitzky_golay),
        ("one-euro", one_euro),
    ):
        np.testing.assert_array_equal(smooth(values, times, method)[0], function(values, times)[0])
    np.testing.assert_array_equal(
        smooth(values, times, cutoff=3)[0], butterworth(values, times, 3)[0]
    )
    np.testing.assert_array_equal(
        smooth(values, times, "one-euro", cutoff=3)[0], one_euro(values, times, min_cutoff=3)[0]
    )
    same, changed = smooth(values, times, "none")
    assert not changed.any()
    assert not np.shares_memory(same, values)


def test_wrong_requests():
    values, times = np.zeros((10, 17, 3)), np.arange(10) / 25
    with pytest.raises(ValueError, match="butterworth, savitzky-golay, one-euro, none"):
        smooth(values, times, "kalman")
    for method in ("butterworth", "savitzky-golay", "one-euro"):
        for cutoff in (0, -1, np.inf, np.nan):
            with pytest.raises(ValueError, match="above zero in Hz"):
                smooth(values, times, method, cutoff=cutoff)


@pytest.mark.parametrize("method", ["butterworth", "savitzky-golay"])
def test_times_in_pairs_are_not_resampled_at_the_step_of_a_pair(method):
    """900 frames over 15 s, 10 us apart in pairs: a million frames at that step."""
    times = (np.arange(900) // 2) / 30 + (np.arange(900) % 2) * 1e-5
    values = np.random.default_rng(0).normal(size=(900, 2, 3))
    tracemalloc.start()
    out, changed = smooth(values, times, method)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 5_000_000
    assert not changed.any()
    np.testing.assert_array_equal(out, values)


def test_results_of_before_say_only_which_filter_was_asked_for():
    assert filter_of({}) == "none"
    assert filter_of({"options": {"filter": "butterworth"}}) == "butterworth"
    assert filter_of({"filter": "none", "options": {"filter": "butterworth"}}) == "none"
