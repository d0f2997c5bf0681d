from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis.frame_rate import frames_per_second, rate_warnings


def test_a_pause_does_not_slow_a_recording_down():
    assert frames_per_second(np.array([5, 5.1, 5.2, 5.3, 9])) == pytest.approx(10)


@pytest.mark.parametrize("times", [[], [3.0], [0.0, 0, 0], [0.0, 1, 1]])
def test_photos_have_no_rate(times):
    assert np.isnan(frames_per_second(np.array(times)))


def test_what_is_said_of_a_rate():
    assert rate_warnings(240) == rate_warnings(float("nan")) == ()
    (few,), (fewer,) = rate_warnings(239), rate_warnings(119)
    assert few.startswith("239 frames/s: peak velocities of fast movements may be too low")
    assert fewer.endswith("peak velocities are refused below 120 frames/s.")
    assert rate_warnings(120)[0].startswith("120 frames/s: peak velocities of fast")
