"""Movements that go there and back again, counted on one angle over time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

Array = NDArray[np.floating]

EDGE = 0.1
"""Share of a way: a movement begins where this much is done and ends where this much is left."""


MOST = 0.7
"""Share of a way after which a turn counts as its end."""


@dataclass(frozen=True)
class Arch:
    """A maximum between two minima, all frames of one series.

    Attributes:
        before: the minimum before it, or the first frame.
        turn: the maximum; the first or last frame if that is the highest around.
        after: the minimum after it, or the last frame.
    """

    before: int
    turn: int
    after: int


def arches_of(values: Array, least: float) -> list[Arch]:
    """Every maximum of values (T,), all finite, from which they fall by `least` or more.

    They must fall that much to both sides before they rise above it again (prominence, by
    scipy.signal.find_peaks), or to one side up to the end of the series. Between two maxima lies
    one minimum.
    """
    turns = peaks_of(values, least)
    if not turns:
        return []
    lows = [a + int(values[a : b + 1].argmin()) for a, b in pairwise([0, *turns, len(values) - 1])]
    return [Arch(*frames) for frames in zip(lows[:-1], turns, lows[1:], strict=True)]


def peaks_of(values: Array, least: float) -> list[int]:
    """Frames of the maxima of values (T,) with a prominence of `least`, those at the ends too.

    Beyond the ends values are taken to fall. Of equal maxima without such a fall between them the
    first is taken.
    """
    if not len(values) or np.ptp(values) < least:
        return []
    beyond = values.min() - least
    padded = np.concatenate([[beyond], values, [beyond]])
    kept: list[int] = []
    for frame in (find_peaks(padded, prominence=least)[0] - 1).tolist():
        if not kept or values[kept[-1]] - values[kept[-1] : frame].min() >= least:
            kept.append(frame)
    return kept


def departure(values: Array, start: int, end: int) -> int:
    """Last frame before values leave from about `start` for `end`; both are extremes.

    Where they rest at `start`, or wander about it, that is the frame in which they leave for
    good: no more than `EDGE` of the way is done from the last turn within `MOST` of it.
    """
    backward = values[start : end + 1][::-1]
    return end - arrival(backward, 0, end - start)


def arrival(values: Array, start: int, end: int) -> int:
    """First frame in which values have come from `start` to about `end`; both are extremes.

    The first turn after `MOST` of the way counts as the end, so that what they do there later does
    not, and no more than `EDGE` of the way to it is left.
    """
    way = (values[start : end + 1] - values[start]) * np.sign(values[end] - values[start])
    turns = np.flatnonzero((way[1:-1] >= way[:-2]) & (way[1:-1] >= way[2:])) + 1
    turns = turns[way[turns] >= MOST * way[-1]]
    there = way[turns[0]] if len(turns) else way[-1]
    return start + int(np.flatnonzero(way >= (1 - EDGE) * there)[0])
