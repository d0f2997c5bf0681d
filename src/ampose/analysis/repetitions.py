"""Repetitions of a movement, and how far the joints go in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ampose.analysis.angles import angles_of
from ampose.analysis.events import Event
from ampose.analysis.presets import Preset
from ampose.poses import PoseSequence


@dataclass(frozen=True)
class Repetition:
    """One angle over one repetition.

    Attributes:
        person: identity.
        start: frame in which it begins.
        turn: frame in which it turns, such as the bottom of a squat.
        end: frame in which it ends.
        angle: name of the column.
        low: smallest value, degrees.
        high: largest value, degrees.
        range: range of motion, `high` less `low`, degrees.
        sigma: standard deviation of `range`, degrees; NaN where the lifter gives none.
    """

    person: int
    start: int
    turn: int
    end: int
    angle: str
    low: float
    high: float
    range: float
    sigma: float


def repetitions_of(
    sequence: PoseSequence, preset: Preset, events: Iterable[Event]
) -> tuple[tuple[Repetition, ...], tuple[str, ...]]:
    """Every repetition between its events, with a row for each angle of the preset, and warnings.

    Args:
        sequence: that the events are of.
        preset: which movement it is.
        events: found or set by hand, in any order.
    """
    ordered = sorted(events, key=lambda event: event.frame)
    angles = angles_of(sequence, preset.angles)
    rows: list[Repetition] = []
    for place, identity in enumerate(sequence.ids.tolist()):
        own = [event for event in ordered if event.person == identity]
        for start, turn, end in _spans(own, preset):
            for name in angles.names:
                column = angles.names.index(name)
                values = angles.values[start : end + 1, place, column]
                if np.isnan(values).all():
                    continue
                low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
                sigma = angles.sigma[start : end + 1, place, column]
                rows.append(
                    Repetition(
                        identity,
                        start,
                        turn,
                        end,
                        name,
                        float(values[low]),
                        float(values[high]),
                        float(values[high] - values[low]),
                        float(np.hypot(sigma[low], sigma[high])),
                    )
                )
    return tuple(rows), ()


def _spans(events: Sequence[Event], preset: Preset) -> list[tuple[int, int, int]]:
    """Frames of start, turn and end of every repetition of one person, in the order of time."""
    spans = []
    for first, middle, last in preset.repetition:
        starts = [event.frame for event in events if event.name == first]
        turns = [event.frame for event in events if event.name == middle]
        ends = [event.frame for event in events if event.name == last]
        for number, start in enumerate(starts):
            until = min((end for end in ends if end > start), default=None)
            turn = min((each for each in turns if each > start), default=None)
            nexts = starts[number + 1 : number + 2]
            if until is None or turn is None or turn >= until or (nexts and nexts[0] < until):
                continue
            spans.append((start, turn, until))
    return sorted(spans)
