from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.export.even_times import EVEN_SECONDS, even, is_even
from ampose.export.writing import UnfitError


@given(st.integers(2, 200), st.floats(1 / 240, 1), st.integers(0, 2**32 - 1))
def test_even_times_are_kept_even_where_a_container_rounded_them(
    count: int, step: float, seed: int
) -> None:
    times = step * np.arange(count)
    slack = min(EVEN_SECONDS, step / 10) / 4
    times[1:-1] += np.random.default_rng(seed).uniform(-slack, slack, count - 2)
    assert is_even(times)
    moments, found = even(times, "BVH")
    assert moments is times
    assert found == pytest.approx(step)


def test_dropped_frames_give_way_to_the_usual_step() -> None:
    times = np.array([0, 0.04, 0.08, 0.2, 0.24])
    assert not is_even(times)
    moments, step = even(times, "BVH")
    assert step == pytest.approx(0.04)
    np.testing.assert_allclose(moments, np.arange(7) * 0.04)


@pytest.mark.parametrize(
    ("step", "off", "wanted"),
    [(0.04, 0.0009, True), (0.04, 0.0011, False), (0.005, 0.00045, True), (0.005, 0.00055, False)],
)
def test_a_millisecond_or_a_tenth_of_a_step_may_be_missing(
    step: float, off: float, wanted: bool
) -> None:
    times = step * np.arange(9)
    times[4] += off
    assert is_even(times) == wanted


def test_moments_go_up_to_the_last_frame_and_not_beyond() -> None:
    moments, _ = even(np.array([0, 0.1, 0.2, 0.3, 0.6, 0.7]), "BVH")
    np.testing.assert_allclose(moments, np.arange(8) / 10)
    moments, _ = even(np.array([0, 0.1, 0.2, 0.3, 0.57]), "BVH")
    np.testing.assert_allclose(moments, np.arange(6) / 10)


@pytest.mark.parametrize("times", [[], [0.0]])
def test_a_still_has_any_step(times: list[float]) -> None:
    moments, step = even(np.array(times), "BVH")
    assert moments.tolist() == times
    assert step == 1
    assert is_even(np.array(times))


def test_moments_far_apart_are_refused() -> None:
    with pytest.raises(UnfitError, match=r"^C3D has a constant frame time, but 4 frames 0.04 s"):
        even(np.array([0, 0.04, 0.08, 1000]), "C3D")
    most = 20 * 4
    assert len(even(np.array([0, 0.04, 0.08, 0.04 * (most - 1)]), "C3D")[0]) == most
    with pytest.raises(UnfitError, match="GLB or CSV, which keep their times"):
        even(np.array([0, 0.04, 0.08, 0.04 * most]), "C3D")
