from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ampose.analysis.cycles import Arch, arches_of, arrival, departure, peaks_of


def test_arches_by_hand():
    values = np.array([0, 5, 50, 60, 55, 8, 2, 3, 40, 45, 9.0])
    assert arches_of(values, 30) == [Arch(0, 3, 6), Arch(6, 9, 10)]
    assert arches_of(values, 50) == [Arch(0, 3, 6)]
    assert arches_of(values, 61) == []


def test_a_dent_is_not_a_turn():
    values = np.array([0, 60, 50, 59, 0.0])
    assert [arch.turn for arch in arches_of(values, 20)] == [1]
    assert [arch.turn for arch in arches_of(values, 5)] == [1, 3]


def test_a_maximum_at_an_end_is_found_as_such():
    falling = np.array([80, 60, 10.0])
    assert arches_of(falling, 30) == [Arch(0, 0, 2)]
    assert arches_of(falling[::-1], 30) == [Arch(0, 2, 2)]
    assert peaks_of(falling, 30) == [0]


@pytest.mark.parametrize("values", [[], [3.0], [7.0] * 5])
def test_what_does_not_move_has_no_arch(values):
    assert arches_of(np.array(values), 30) == []


@given(arrays(float, st.integers(1, 30), elements=st.integers(-90, 90).map(float)))
def test_arches_are_as_large_as_asked(values):
    arches = arches_of(values, 30)
    for arch in arches:
        assert 0 <= arch.before <= arch.turn <= arch.after < len(values)
        down = values[arch.turn] - min(values[arch.before], values[arch.after])
        assert down >= 30
    for first, second in pairwise(arches):
        assert first.after == second.before
        assert values[first.after] <= min(values[first.turn], values[second.turn]) - 30


def test_departure_and_arrival_are_a_tenth_of_the_way():
    values = np.r_[np.zeros(10), np.linspace(0, 100, 101), np.full(10, 100.0)]
    assert departure(values, 0, len(values) - 1) == 10 + 10
    assert arrival(values, 0, len(values) - 1) == 10 + 90
    assert arrival(-values, 0, len(values) - 1) == 10 + 90


def test_what_comes_later_at_the_end_does_not_count():
    """Somebody who has stood up, stands, and stretches a little more."""
    values = np.r_[np.linspace(100, 20, 10), 22, 24, 22, np.linspace(21, 0, 30)]
    assert arrival(values, 0, len(values) - 1) < 10
    assert departure(values[::-1], 0, len(values) - 1) > len(values) - 11


def test_a_rest_on_the_way_is_not_its_end():
    """At 60 % of the way, and at 80 %."""
    for rest, frame in ((60, 7), (80, 2)):
        values = np.array([0, 40, rest, rest - 5, 70, 75, 85, 92, 100.0])
        assert arrival(values, 0, 8) == frame


def test_equal_maxima_are_one_if_no_fall_is_between_them():
    assert peaks_of(np.array([0, 30, 1, 30, 0.0]), 30) == [1]
    assert peaks_of(np.array([0, 30, 0, 30, 0.0]), 30) == [1, 3]
