"""Repetitions of a movement, and how far the joints go in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ampose.analysis.angles import Angles, angles_of
from ampose.analysis.events import Event
from ampose.analysis.formulas import wrapped
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
        low: smallest value, degrees; of an angle that counts from the camera, such as the
            pelvis's turn, it and `high` count from the start of the repetition.
        high: largest value, degrees.
        range: range of motion, `high` less `low`, degrees.
        sigma: standard deviation of `range` in degrees, from the error bars of both, taken as
            independent; NaN where the lifter gives none.
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
    """A row for each repetition between events and each angle of the preset, and warnings.

    An angle that is absent throughout a repetition has no row.

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
        for frames in _spans(own, preset):
            rows += _rows(angles, place, frames)
    return tuple(rows), tuple(_warnings(rows))


def _spans(events: Sequence[Event], preset: Preset) -> list[tuple[int, int, int]]:
    """Frames of start, turn and end of every repetition of one person, in the order of time."""
    spans = []
    for first, middle, last in preset.repetition:
        starts = [event for event in events if event.name == first]
        ends = [event for event in events if event.name == last]
        for number, start in enumerate(starts):
            end = next((each for each in ends if each.frame > start.frame), None)
            if end is None or end.time - start.time > preset.longest:
                continue
            within = range(start.frame, end.frame + 1)
            turns = [e.frame for e in events if e.name == middle and e.frame in within]
            begun_anew = number + 1 < len(starts) and starts[number + 1].frame < end.frame
            if turns and not begun_anew:
                spans.append((start.frame, turns[0], end.frame))
    return sorted(spans)


def _rows(angles: Angles, place: int, frames: tuple[int, int, int]) -> list[Repetition]:
    start, turn, end = frames
    rows = []
    for column, name in enumerate(angles.names):
        values = angles.values[start : end + 1, place, column]
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            continue
        if angles.columns[column].angle.towards_camera:  # else it may jump from 180 to -180
            values = wrapped(values - values[known[0]])
        low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
        sigma = angles.sigma[start : end + 1, place, column]
        rows.append(
            Repetition(
                int(angles.ids[place]),
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
    return rows


def _warnings(rows: Sequence[Repetition]) -> list[str]:
    drowned = dict.fromkeys(row.angle for row in rows if row.range < row.sigma)
    if not drowned:
        return []
    return [f"Ranges smaller than their own error bars: {', '.join(drowned)}."]
