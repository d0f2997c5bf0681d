"""What a preset finds in a recording: events, repetitions, and times of gait."""

from __future__ import annotations

from dataclasses import dataclass

from ampose.analysis import (
    Corrections,
    Event,
    GaitTimes,
    Preset,
    Repetition,
    events_of,
    gait_times_of,
    repetitions_of,
)
from ampose.analysis.moving import Hand
from ampose.poses import PoseSequence


@dataclass(frozen=True)
class Movement:
    """What was found of a movement: nothing, unless a preset says what to look for.

    Attributes:
        events: in the order of time.
        repetitions: one for each repetition and angle.
        gait: the times of steps of people who walk.
        reference: frame in which rotations are zero, if the movement has one.
        warnings: what a user should know of these.
    """

    events: tuple[Event, ...] = ()
    repetitions: tuple[Repetition, ...] = ()
    gait: tuple[GaitTimes, ...] = ()
    reference: int | None = None
    warnings: tuple[str, ...] = ()


def movement_of(
    sequence: PoseSequence,
    preset: Preset,
    *,
    handed: Hand | None = None,
    corrections: Corrections | None = None,
) -> Movement:
    """What the preset finds.

    Raises:
        InputError: frames that do not follow one another in time.
    """
    events, warnings = events_of(sequence, preset, handed=handed, corrections=corrections)
    repetitions, more = repetitions_of(sequence, preset, events)
    gait = gait_times_of(sequence, events) if preset.name == "gait" else ()
    zero = [event.frame for event in events if event.name == preset.reference]
    # Of several people each has an address of their own, and angles have one frame of reference.
    reference = zero[0] if zero and sequence.person_count == 1 else None
    return Movement(events, repetitions, gait, reference, (*warnings, *more))
