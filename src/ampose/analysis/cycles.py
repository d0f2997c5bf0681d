"""Movements that go there and back again, counted on one angle over time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

Array = NDArray[np.floating]

MATCHING = 0.6
"""Of the larger of the two ways, there and back, that the smaller one must have to be whole."""

LEFT_BY = 0.1
"""Of the way: where a movement begins and where it has ended."""


@dataclass(frozen=True)
class Cycle:
    """From low to high and back.

    Attributes:
        start: last frame before the rise.
        turn: frame of the maximum.
        end: first frame after the fall.
    """

    start: int
    turn: int
    end: int


@dataclass(frozen=True)
class Cycles:
    """What was counted.

    Attributes:
        whole: in the order of time.
        cut_off: how many at the beginning and at the end that the recording does not hold wholly.
    """

    whole: tuple[Cycle, ...]
    cut_off: int


def cycles_of(values: Array, least: float) -> Cycles:
    """Finds every rise and fall of at least `least` in values (T,), all finite.

    A maximum counts if values fall by `least` or more to both of its sides before they rise above
    it again: its prominence (scipy.signal.find_peaks). Between two maxima, the minimum belongs to
    both. A movement that begins before the recording or ends after it is cut off: the way that
    reaches the recording's edge is less than `MATCHING` of the other.
    """
    if not len(values):
        return Cycles((), 0)
    floor = values.min() - least  # beyond the edges, so that a maximum at one is found as cut off
    padded = np.r_[floor, values, floor]
    turns = (find_peaks(padded, prominence=least)[0] - 1).tolist()
    edges = [0, *turns, len(values) - 1]
    valleys = [a + int(values[a : b + 1].argmin()) for a, b in pairwise(edges)]
    whole, cut_off = [], 0
    for number, turn in enumerate(turns):
        before, after = valleys[number], valleys[number + 1]
        rise, fall = values[turn] - values[before], values[turn] - values[after]
        if max(rise, fall) < least:
            continue
        at_start, at_end = number == 0, number == len(turns) - 1
        if (at_start and rise < max(least, MATCHING * fall)) or (
            at_end and fall < max(least, MATCHING * rise)
        ):
            cut_off += 1
            continue
        low = np.flatnonzero(values[before : turn + 1] <= values[before] + LEFT_BY * rise)
        back = np.flatnonzero(values[turn : after + 1] <= values[after] + LEFT_BY * fall)
        whole.append(Cycle(before + int(low[-1]), turn, turn + int(back[0])))
    return Cycles(tuple(whole), cut_off)
