from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import norm

from ampose import InputError
from ampose.analysis import angles_of
from ampose.analysis.alignment import Method
from ampose.analysis.comparison import CHANCE, Comparison, compare
from ampose.poses import CHANGES, PoseSequence
from tests.analysis.squatting import squat

KNEE = ("knee_flexion_l",)
PER_FRAME = ("joints", "root", "sigma", "keypoints", "scores", "valid", "world", *CHANGES)


def compared(
    a: PoseSequence, b: PoseSequence, names: tuple[str, ...] = KNEE, method: Method = "dtw"
) -> Comparison:
    return compare(angles_of(a, names), angles_of(b, names), method=method)


def turned(degrees: np.ndarray) -> PoseSequence:
    """A squat of 121 frames, turned so far to the left from facing the camera."""
    made = squat(tilt_sigma=3, sigma=0.02)
    turns = Rotation.from_euler("y", -degrees[:, None], degrees=True).as_matrix()
    made.joints[:] = np.einsum("tpjc,tdc->tpjd", made.joints, turns)
    return made


@pytest.mark.parametrize("method", ["dtw", "linear", "none"])
def test_a_clip_against_itself_has_no_difference(method: Method) -> None:
    clip = squat(sigma=0.02, tilt_sigma=3)
    found = compared(clip, clip, ("knee_flexion", "trunk_lean", "thigh_inclination"), method)
    np.testing.assert_allclose(found.difference, 0, atol=1e-6)
    assert found.frames_a.tolist() == found.frames_b.tolist() == list(range(121))
    for row in found.rows:
        assert (row.range.value, row.mean.value) == pytest.approx((0, 0), abs=1e-6)
        assert row.largest.value == pytest.approx(0, abs=1e-6)
        for difference in (row.range, row.mean, row.largest):
            assert difference.sigma > 0
            assert difference.distinguishable is False
        assert row.moments == 121


def test_a_deeper_squat_in_numbers() -> None:
    found = compared(squat(60, 60, sigma=0.001), squat(60, 90, sigma=0.001))
    (row,) = found.rows
    assert (row.low_a, row.high_a) == pytest.approx((8, 68), abs=0.05)
    assert (row.low_b, row.high_b) == pytest.approx((8, 98), abs=0.05)
    assert row.range.value == pytest.approx(30, abs=0.1)
    assert row.largest.value == pytest.approx(30, abs=0.5)
    assert row.time_a == pytest.approx(1.8, abs=0.05)
    assert row.time_b == pytest.approx(1.8, abs=0.05)
    assert row.mean.value == pytest.approx(30 / 4, abs=0.5)  # mean of sin^2, half of the time
    assert row.range.distinguishable
    assert row.mean.distinguishable
    assert row.largest.distinguishable
    back = compared(squat(60, 90, sigma=0.001), squat(60, 60, sigma=0.001)).rows[0]
    assert back.largest.value == pytest.approx(-row.largest.value, abs=0.5)
    assert back.range.distinguishable
    assert back.largest.distinguishable


def test_ranges_are_of_what_both_show() -> None:
    """The first somebody is there only from frame 5 on, the second ends before they bend."""
    late, whole = squat(sigma=0.001), squat(sigma=0.001)
    late.valid[:5] = False
    frames = 30
    short = replace(
        whole, times=whole.times[:frames],
        **{name: getattr(whole, name)[:frames] for name in PER_FRAME},
    )  # fmt: skip
    found = compared(late, short, method="none")
    assert found.frames_a.tolist() == list(range(5, 5 + frames))
    assert found.frames_b.tolist() == list(range(frames))
    (row,) = found.rows
    knee = angles_of(late, KNEE)["knee_flexion_l"][5 : 5 + frames, 0]
    assert (row.low_a, row.high_a) == pytest.approx((knee.min(), knee.max()))
    assert row.high_a < np.nanmax(angles_of(late, KNEE).values) - 10


def test_sigma_is_that_of_both() -> None:
    found = compared(squat(sigma=0.03), squat(sigma=0.04), method="none")
    ratio = found.sigma_b / found.sigma_a
    np.testing.assert_allclose(np.median(ratio), 4 / 3, rtol=0.1)
    np.testing.assert_allclose(found.sigma, np.hypot(found.sigma_a, found.sigma_b))
    row = found.rows[0]
    assert row.mean.sigma == pytest.approx(float(np.sqrt(np.mean(found.sigma**2))))
    assert row.mean.limit == pytest.approx(norm.isf(CHANCE / 2) * row.mean.sigma)
    assert row.largest.limit == pytest.approx(norm.isf(CHANCE / 2 / 121) * row.largest.sigma)


@pytest.mark.parametrize("method", ["dtw", "none"])
def test_noise_within_the_error_bars_is_not_distinguishable(
    method: Method, rng: np.random.Generator
) -> None:
    plain = squat(sigma=0.03)
    bars = np.nanmedian(angles_of(plain, KNEE).sigma)
    names = ("knee_flexion", "trunk_thigh_angle", "shank_inclination")
    for _ in range(5):
        first, second = (
            squat(sigma=0.03, noise=rng.normal(0, 0.6 * bars, 121) + rng.normal(0, 0.6 * bars))
            for _ in range(2)
        )
        for row in compared(first, second, names, method).rows:
            assert not row.mean.distinguishable
            assert not row.largest.distinguishable
            assert not row.range.distinguishable


def test_without_error_bars_nothing_is_known() -> None:
    row = compared(squat(depth=60), squat(depth=90)).rows[0]
    assert row.mean.value > 5
    assert row.mean.distinguishable is row.largest.distinguishable is None
    assert row.range.distinguishable is None


def test_frames_without_error_bars_do_not_hide_those_of_the_rest() -> None:
    """Frames that were bridged have none; half have 0.01 m, half 0.02 m."""
    bars = np.repeat([0.01, 0.02], [61, 60]).reshape(-1, 1, 1, 1) * np.ones((121, 1, 17, 3))
    bars[50:54] = np.nan
    (row,) = compared(squat(depth=60), squat(depth=60, sigma=bars), method="none").rows
    assert np.isnan(row.mean.sigma)  # the first has none at all
    steady = squat(depth=0, sigma=bars)
    found = compared(steady, steady, method="none")
    (row,) = found.rows
    assert np.isnan(found.sigma[50:54]).all()
    first, second = found.sigma[0, 0], found.sigma[-1, 0]
    wanted = np.sqrt((57 * first**2 + 60 * second**2) / 117)
    assert row.mean.sigma == pytest.approx(wanted, rel=1e-3)
    assert row.mean.distinguishable is False
    assert row.moments == 121


def test_absent_angles_are_left_out() -> None:
    gone = squat(sigma=0.02)
    gone.valid[50:60, 0, 6] = False  # the left ankle
    found = compared(squat(sigma=0.02), gone, ("knee_flexion",), "none")
    left, right = found.rows
    assert (left.moments, right.moments) == (111, 121)
    assert np.isnan(found.difference[50:60, 0]).all()
    never = squat(sigma=0.02)
    never.valid[:, 0, 6] = False
    left = compared(squat(sigma=0.02), never, ("knee_flexion",)).rows[0]
    assert left.moments == 0
    assert np.isnan([left.low_b, left.mean.value, left.largest.value, left.time_a]).all()
    assert left.mean.distinguishable is None
    with pytest.raises(InputError, match="in 0 frame"):
        compared(squat(), never)


def test_whole_turns_are_no_difference() -> None:
    """Facing away from the camera, rotation jumps from 180 to -180."""
    away = turned(np.where(np.arange(121) % 2, 179.5, -179.5))
    found = compared(away, away, ("pelvis_rotation",), "none")
    assert np.abs(found.difference).max() < 1e-6
    assert found.rows[0].high_a - found.rows[0].low_a < 2


@pytest.mark.parametrize("from_a", [178, 181])
def test_turns_of_both_are_told_in_the_same_whole_turn(from_a: int) -> None:
    """One begins before -180 to 180 wraps, the other after it."""
    from_b = 359 - from_a
    first, second = (turned(start + np.linspace(0, 20, 121)) for start in (from_a, from_b))
    found = compared(first, second, ("pelvis_rotation",), "none")
    (row,) = found.rows
    assert row.mean.value == pytest.approx(from_b - from_a, abs=0.01)
    assert row.low_b - row.low_a == pytest.approx(from_b - from_a, abs=0.01)
    assert row.high_b - row.high_a == pytest.approx(from_b - from_a, abs=0.01)
    np.testing.assert_allclose(found.b - found.a, found.difference, atol=1e-6)


def test_frames_of_the_second_are_the_nearest() -> None:
    found = compared(squat(60), squat(20), method="none")
    times = np.arange(81) / 20
    nearest = np.abs(times[found.frames_b] - found.alignment.times_b)
    assert nearest.max() <= 0.5 / 20 + 1e-9
    assert np.isfinite(found.difference).all()


def test_warnings() -> None:
    first = squat(sigma=0.02, provenance={"options": {"filter": "none"}, "lifter_sha256": "1"})
    second = squat(sigma=0.02, tilt_sigma=3)
    names = ("knee_flexion", "pelvis_rotation")
    told = "\n".join(compared(first, second, names).warnings)
    assert "dynamic time warping" in told
    assert "Relative to each camera" in told
    assert "place: pelvis rotation." in told
    both = [angles_of(each, names, reference=0) for each in (first, second)]
    assert "Relative to each camera" not in "\n".join(compare(*both).warnings)
    one = compare(both[0], angles_of(second, names))
    assert "Relative to each camera" in "\n".join(one.warnings)
    assert "lifted by different weights" in told
    plain = "\n".join(compared(second, second, ("knee_flexion",), "none").warnings)
    assert "warping" not in plain
    assert "each camera" not in plain
    assert "taken as independent" in plain


def test_a_pause_of_one_is_told() -> None:
    plain, halting = squat(), squat(pace=lambda time: np.maximum(time - 1, np.minimum(time, 1.8)))
    told = "\n".join(compared(plain, halting).warnings)
    assert "s of the second recording, from 1." in told
    assert "belong to one moment of the first" in told
    assert "belong to one moment" not in "\n".join(compared(plain, plain).warnings)


def test_long_recordings_say_how_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ampose.analysis.alignment.MOST_STEPS", 40)
    told = compared(squat(60), squat(60)).warnings
    assert any("aligned in steps of 0.10 s" in line for line in told)


def test_other_angles_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="angles differ"):
        compare(angles_of(squat(), KNEE), angles_of(squat(), ("elbow_flexion",)))
