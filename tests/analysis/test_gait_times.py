from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis import gait_times_of
from ampose.analysis.events import Event
from tests.analysis.figure import figure, sequence

RATE = 10


def event(name: str, frame: int) -> Event:
    return Event(name, 3, frame, frame / RATE, "by hand")


@pytest.mark.parametrize("seed", range(3))
def test_durations_by_hand(seed: int):
    """In any order. The strike before the last toe-off was missed: no stance ends with it."""
    told = [
        event("foot_strike_l", 0),
        event("foot_strike_r", 6),
        event("toe_off_l", 7),
        event("foot_strike_l", 10),
        event("toe_off_r", 13),
        event("toe_off_l", 18),
        event("toe_off_l", 29),
    ]
    order = np.random.default_rng(seed).permutation(len(told))
    poses = sequence(np.tile(figure(), (30, 1, 1, 1)), rate=RATE)
    (found,) = gait_times_of(poses, [told[place] for place in order])
    assert found.resolution == pytest.approx(0.1)
    assert found.step["right"].mean == pytest.approx(0.6)
    assert found.step["left"].mean == pytest.approx(0.4)
    assert found.stride["left"].mean == pytest.approx(1)
    assert found.stride["right"].count == 0
    assert found.stance["left"].count == 2
    assert found.stance["left"].mean == pytest.approx(0.75)
    assert found.stance["left"].deviation == pytest.approx(np.std([0.7, 0.8], ddof=1))
    assert found.stance["right"].mean == pytest.approx(0.7)
    assert found.cadence == pytest.approx(60 * 2 / 1.0)
