"""Moments of a movement, found by stated rules; who knows better can set them by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ampose.analysis.moving import Hand, moving_people
from ampose.analysis.presets import Preset
from ampose.poses import PoseSequence

BY_HAND = "set by hand"


@dataclass(frozen=True)
class Event:
    """A moment of one person's movement.

    Attributes:
        name: such as ``top`` or ``foot_strike_l``.
        person: identity.
        frame: index into the recording.
        time: seconds.
        rule: by which it was found, or `BY_HAND`.
    """

    name: str
    person: int
    frame: int
    time: float
    rule: str


def events_of(
    sequence: PoseSequence,
    preset: Preset,
    *,
    handed: Hand | None = None,
    given: Iterable[Event] = (),
) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """Events of everybody in a recording, in the order of time, and warnings.

    Args:
        sequence: poses of Human3.6M's 17 joints, frames of one recording.
        preset: which movement it is.
        handed: the side that somebody throws or swings from; from the motion if None.
        given: set by hand; they replace what was found of the same name and person.

    Raises:
        InputError: another joint set, or frames that do not follow one another in time.
    """
    events: list[Event] = []
    warnings: list[str] = []
    by_hand = tuple(given)
    replaced = {(event.person, event.name) for event in by_hand}
    people = moving_people(sequence, handed)
    for identity, person in zip(sequence.ids.tolist(), people, strict=True):
        found = preset.find(person)
        warnings += [f"Person {identity}: {warning}" for warning in found.warnings]
        events += [
            Event(mark.name, identity, mark.frame, float(sequence.times[mark.frame]), mark.rule)
            for mark in found.marks
            if (identity, mark.name) not in replaced
        ]
    events += by_hand
    return tuple(sorted(events, key=lambda each: (each.frame, each.person))), tuple(warnings)
