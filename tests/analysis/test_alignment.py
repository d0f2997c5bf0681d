from __future__ import annotations

import sys

import numpy as np
import pytest

from ampose import InputError
from ampose.analysis import alignment as module
from ampose.analysis import angles_of
from ampose.analysis.alignment import Alignment, Curves, Method, align
from ampose.poses import PoseSequence
from tests.analysis.squatting import squat

NAMES = ("knee_flexion", "trunk_thigh_angle", "shoulder_elevation")
METHODS: tuple[Method, ...] = ("dtw", "linear", "none")


def curves(sequence: PoseSequence) -> Curves:
    return Curves.of(angles_of(sequence, NAMES), 0, "it")


def aligned(a: PoseSequence, b: PoseSequence, method: Method = "dtw") -> Alignment:
    return align(curves(a), curves(b), method)


def wave(time: np.ndarray) -> np.ndarray:
    """Late by up to 0.4 s, then early again."""
    return time + 0.4 * np.sin(np.pi * time / 4)


def moving(times: np.ndarray) -> np.ndarray:
    return np.asarray((times > 1) & (times < 2.6))


@pytest.mark.parametrize("method", METHODS)
def test_a_clip_against_itself_is_the_diagonal(method: Method) -> None:
    clip = squat(sigma=0.02)
    found = aligned(clip, clip, method)
    np.testing.assert_allclose(found.times_a, clip.times)
    np.testing.assert_allclose(found.times_b, clip.times, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_later_start_does_not_matter(method: Method) -> None:
    found = aligned(squat(start=2), squat(start=7), method)
    np.testing.assert_allclose(found.times_b - found.times_a, 5, atol=1e-9)


@pytest.mark.parametrize("rate", [24, 30, 60])
@pytest.mark.parametrize("depth", [90, 45])
def test_a_known_warp_is_recovered_within_a_frame_or_two(rate: float, depth: float) -> None:
    found = aligned(squat(30), squat(rate, depth, pace=wave))
    error = wave(found.times_b) - found.times_a
    assert np.abs(error[moving(found.times_a)]).max() < 2 / 24
    assert np.abs(error[moving(found.times_a)]).mean() < 1 / 30
    assert (np.diff(found.times_b) >= 0).all()
    assert found.times_b[[0, -1]].tolist() == pytest.approx([0, 4])


def test_so_it_is_with_noise_and_absences(rng: np.random.Generator) -> None:
    a = squat(30, noise=rng.normal(0, 2, 121), sigma=0.01)
    b = squat(30, pace=wave, noise=rng.normal(0, 2, 121), sigma=0.01)
    b.joints[40:50] = np.nan
    b.valid[40:50] = False
    found = aligned(a, b)
    error = wave(found.times_b) - found.times_a
    assert np.abs(error[moving(found.times_a)]).mean() < 2 / 30


def test_twice_as_fast_by_stretching() -> None:
    fast = squat(60, pace=lambda time: 2 * time)
    half = fast.times[fast.times <= 2]
    short = squat(60, pace=lambda time: 2 * time, times=fast.times)
    cut = type(short)(
        **{
            name: (value[: len(half)] if name not in ("ids", "cameras") else value)
            for name, value in vars(short).items()
            if isinstance(value, np.ndarray) or name == "cameras"
        }
    )
    for method in ("linear", "dtw"):
        found = aligned(squat(30), cut, method)
        where = moving(found.times_a)
        np.testing.assert_allclose(found.times_b[where], found.times_a[where] / 2, atol=0.05)


def test_without_alignment_the_shorter_one_ends_it() -> None:
    long, short = squat(30), squat(30)
    for field in ("joints", "valid"):
        getattr(short, field)[60:] = 0
    short.joints[60:] = np.nan
    for a, b in ((long, short), (short, long)):
        found = aligned(a, b, "none")
        assert len(found.times_a) == 60
        np.testing.assert_allclose(found.times_a, found.times_b)


def test_long_clips_are_looked_at_more_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 40)
    found = aligned(squat(60), squat(60, pace=wave))
    assert found.step == pytest.approx(0.1)
    assert len(found.times_a) == 241
    error = wave(found.times_b) - found.times_a
    assert np.abs(error[moving(found.times_a)]).max() < 0.2


def test_the_person_s_own_frames_count() -> None:
    late = squat(30)
    late.joints[:20] = np.nan
    late.valid[:20] = False
    found = curves(late)
    assert found.frames[[0, -1]].tolist() == [20, 120]
    assert found.times[0] == pytest.approx(20 / 30)


def test_between_frames() -> None:
    known = Curves(
        np.array([0.0, 1, 3]), np.arange(3), np.array([[0.0], [10], [np.nan]]), np.ones((3, 1))
    )
    values, sigma = known.at(np.array([-1, 0, 0.25, 1, 2, 3, 4]))
    np.testing.assert_array_equal(values[:, 0], [np.nan, 0, 2.5, 10, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(sigma[1:6, 0], np.ones(5))


@pytest.mark.parametrize("method", ["none", "linear"])
def test_an_absent_frame_costs_no_moment_of_its_neighbours(
    method: Method, rng: np.random.Generator
) -> None:
    """Whatever the clocks began with: the times of equal frames differ by rounding alone."""
    frames = np.arange(121)
    values = np.ones((121, 1))
    values[50] = np.nan
    for start_a, start_b in rng.uniform(0, 1000, (50, 2)):
        a, b = (
            Curves(start + frames / 30, frames, values, values) for start in (start_a, start_b)
        )
        found = align(a, b, method)
        for known in b.at(found.times_b):
            assert np.flatnonzero(np.isnan(known[:, 0])).tolist() == [50]


def test_halts_of_either_recording() -> None:
    times_a = np.array([1, 2, 3, 4, 5, 6.0])
    times_b = np.array([0, 0.05, 0.1, 3, 3, 6.0])
    found = Alignment("dtw", times_a, times_b)
    assert found.longest_halt(of_a=False) == (1, 2)
    assert found.longest_halt(of_a=True)[1] == 0
    assert Alignment("dtw", times_b, times_a).longest_halt(of_a=True) == (1, 2)
    assert Alignment("none", times_a[:1], times_b[:1]).longest_halt(of_a=True) == (0, 0)


def test_what_cannot_be_aligned() -> None:
    once = squat(30)
    once.valid[1:] = False
    with pytest.raises(InputError, match=r"it shows its person in 1 frame\(s\)"):
        curves(once)
    photos = squat(30, times=np.zeros(121))
    with pytest.raises(InputError, match="the times of it do not rise; photos"):
        curves(photos)
    rare = squat(30)
    rare.valid[10:110] = False
    rare.joints[10:110] = np.nan
    with pytest.raises(InputError, match="nothing shows what belongs together"):
        aligned(squat(30), rare)
    assert len(aligned(squat(30), rare, "linear").times_a) == 121
    with pytest.raises(ValueError, match="known are dtw, linear, none"):
        aligned(squat(30), rare, "magic")  # type: ignore[arg-type]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dtaidistance", None)
    with pytest.raises(InputError, match=r'pip install "ampose\[compare\]", or --align linear'):
        aligned(squat(30), squat(30))
    assert aligned(squat(30), squat(30), "linear").method == "linear"
