"""Moments of a movement, found by stated rules; who knows better can set them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ampose.analysis.frame_rate import frames_per_second
from ampose.analysis.gravity import gravity_of
from ampose.analysis.moving import Hand, moving_people
from ampose.analysis.presets import Preset
from ampose.motion.filters import filter_of
from ampose.poses import PoseSequence

BY_HAND = "set by hand"

EVENTS_NOTICE = "Events are estimates by stated rules: look at them, and correct what is wrong."


_NEARLY = 0.01
"""Cameras of 60 frames/s make 59.94."""


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


@dataclass(frozen=True)
class Corrections:
    """What a user says of the events, person by person and name by name.

    Attributes:
        events: that there are.
        complete: ids and names of which there are no others, also if there are none in `events`.
    """

    events: tuple[Event, ...] = ()
    complete: frozenset[tuple[int, str]] = field(default_factory=frozenset)


def events_of(
    sequence: PoseSequence,
    preset: Preset,
    *,
    handed: Hand | None = None,
    corrections: Corrections | None = None,
) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """Events of everybody in a recording, in the order of time, and warnings.

    Args:
        sequence: poses of Human3.6M's 17 joints, frames of one recording.
        preset: which movement it is.
        handed: the side that somebody throws or swings from; from the motion if None.
        corrections: by hand, see `ampose.event_files.read_events`. They replace what was found of
            the same person and name.

    Raises:
        InputError: another joint set, or frames that do not follow one another in time.
    """
    corrected = corrections or Corrections()
    warnings = list(_warnings(sequence, preset))
    found: list[Event] = []
    people = moving_people(sequence, handed)
    for identity, person in zip(sequence.ids.tolist(), people, strict=True):
        seen = preset.find(person)
        warnings += [f"Person {identity}: {warning}" for warning in seen.warnings]
        for mark in seen.marks:
            time = float(sequence.times[mark.frame])
            found.append(Event(mark.name, identity, mark.frame, time, preset.rules[mark.name]))
    same = {_key(event): event for event in found}
    events = [same.get(_key(event), event) for event in corrected.events]
    events += [event for event in found if (event.person, event.name) not in corrected.complete]
    order = list(preset.rules)
    events.sort(key=lambda event: (event.frame, event.person, order.index(event.name)))
    return tuple(events), tuple(warnings)


def _key(event: Event) -> tuple[str, int, int]:
    return event.name, event.person, event.frame


def _warnings(sequence: PoseSequence, preset: Preset) -> Iterator[str]:
    yield from preset.limits
    rate = frames_per_second(sequence.times)
    if rate < (1 - _NEARLY) * preset.least_rate:
        yield (
            f"{rate:.3g} frames/s: no event is more certain than the {1000 / rate:.0f} ms between "
            f"two frames; film this movement ({preset.title}) at {preset.least_rate:g} frames/s "
            "or more."
        )
    if preset.needs_gravity and not sequence.world_frame:
        yield f"{gravity_of(sequence).source} {preset.needs_gravity}"
    filtered = filter_of(sequence.provenance)
    if preset.fast and filtered != "none":
        yield (
            f"The recording was filtered along time ({filtered}), which flattens fast movements; "
            "ampose run --cutoff 10 keeps more of them."
        )
