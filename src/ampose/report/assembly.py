"""A report's contents from a sequence, its angles, and what a preset found in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.analysis import EVENTS_NOTICE, NOTICE, Angles, Corrections, Event, Preset, angles_of
from ampose.analysis.frame_rate import frames_per_second
from ampose.analysis.moving import Hand
from ampose.export.takes import has_times
from ampose.poses import PoseSequence
from ampose.report.contents import Part, Report, Table
from ampose.report.curves import BUCKETS, MOST_MARKS, is_thinned, plots_of
from ampose.report.motion import motion_of
from ampose.report.movement import Movement, movement_of
from ampose.report.pictures import Hide, key_frames
from ampose.report.tables import (
    definitions_table,
    event_table,
    gait_table,
    provenance_table,
    quality_table,
    range_table,
    recording_table,
    repetition_tables,
    values_table,
)

Array = NDArray[np.floating]

MOST_PEOPLE = 6
"""People who get curves and tables of their own: those present in the most frames."""

MOST_PHOTOS = 12
"""With a table of their own."""

ESTIMATED = "Poses, places and sizes are estimated."


def report_of(
    sequence: PoseSequence,
    *,
    title: str,
    angles: Sequence[str] | None = None,
    preset: Preset | None = None,
    handed: Hand | None = None,
    corrections: Corrections | None = None,
    source: Path | None = None,
    source_guessed: bool = False,
    made: Mapping[str, str] | None = None,
    hide: Hide | None = None,
) -> Report:
    """What a report of a sequence says.

    Args:
        sequence: of Human3.6M's 17 joints; recording or photos.
        title: what was recorded.
        angles: names, with or without side; else those of the preset, or all of class A.
        preset: movement whose events and repetitions are looked for.
        handed: side that somebody throws or swings from; from the motion if None.
        corrections: to the events, see `ampose.event_files.read_events`.
        source: the video, photo or folder that the sequence came from, for pictures.
        source_guessed: `source` only has the right name, and is not used if it does not fit.
        made: what the report was made from and how, for its provenance.
        hide: covers faces in pictures.

    Raises:
        InputError: an unknown or refused angle, another joint set, a preset for photos, or a
            given source that the sequence did not come from.
    """
    timed = has_times(sequence.times)
    shown = sequence.only(_most_seen(sequence))
    movement = Movement()
    if preset:
        movement = movement_of(shown, preset, handed=handed, corrections=corrections)
    names = angles or (preset.angles if preset else None)
    found = angles_of(shown, names, reference=movement.reference)
    groups = preset.plots if preset and not angles else _by_angle(found)
    somebody = shown.person_count > 0
    if timed:
        parts = tuple(
            _person(shown, found, person, groups, movement) for person in range(shown.person_count)
        )
    else:
        parts = _photos(shown, found)
    pictures, pictures_note = key_frames(
        sequence, shown, movement.events, source, guessed=source_guessed, hide=hide
    )
    motion = motion_of(sequence, movement.events)
    warnings = (
        *_limits(sequence, shown, found, movement.events, motion, timed=timed),
        *sequence.warnings,
        *(found.warnings if somebody else ()),
        *movement.warnings,
        *(hide.warnings if hide and source else ()),
    )
    people = "1 person" if sequence.person_count == 1 else f"{sequence.person_count} people"
    kind = f", {preset.title}" if preset else ""
    return Report(
        title,
        f"{_extent(sequence, timed)}, {people}{kind}",
        (ESTIMATED, *((EVENTS_NOTICE,) if movement.events else ()), NOTICE),
        pictures,
        pictures_note,
        tuple(shown.ids.tolist()),
        parts,
        (event_table(movement.events),) if movement.events else (),
        _quality(shown, found, timed=timed),
        tuple(dict.fromkeys(warnings)),
        definitions_table(found) if somebody else None,
        provenance_table(sequence, made or {}),
        motion,
    )


def _most_seen(sequence: PoseSequence) -> list[int]:
    """Places of the people who are there in the most frames, in the sequence's order."""
    frames = sequence.valid.any(-1).sum(0)
    order = np.argsort(-frames, kind="stable")[:MOST_PEOPLE]
    return sorted(int(place) for place in order if frames[place])


def _by_angle(angles: Angles) -> list[list[str]]:
    """Both sides of an angle together."""
    groups: dict[str, list[str]] = {}
    for column in angles.columns:
        groups.setdefault(column.angle.name, []).append(column.name)
    return list(groups.values())


def _person(
    sequence: PoseSequence,
    angles: Angles,
    person: int,
    groups: Sequence[Sequence[str]],
    movement: Movement,
) -> Part:
    """What is said of the person in that place."""
    identity = int(sequence.ids[person])
    view = angles.views[person]
    events = [event for event in movement.events if event.person == identity]
    repetitions = [each for each in movement.repetitions if each.person == identity]
    tables = [range_table(angles, person)]
    if repetitions:
        referred = angles.reference is not None
        tables += repetition_tables(repetitions, sequence.times, referred=referred)
    tables += [gait_table(each) for each in movement.gait if each.person == identity]
    return Part(
        f"Person {identity}",
        f"View: {view.badge}. {view.meaning[0].upper()}{view.meaning[1:]}.",
        plots_of(angles, person, groups, events),
        tuple(tables),
    )


def _photos(sequence: PoseSequence, angles: Angles) -> tuple[Part, ...]:
    several = sequence.frame_count > 1
    present = np.flatnonzero(sequence.valid.any((1, 2)))[:MOST_PHOTOS]
    return tuple(
        Part(f"Photo {frame}" if several else "Picture", "", (), (values_table(angles, frame),))
        for frame in present.tolist()
    )


def _quality(sequence: PoseSequence, angles: Angles, *, timed: bool) -> tuple[Table, ...]:
    recording = recording_table(sequence, angles.gravity, timed=timed)
    return (recording, quality_table(sequence, angles)) if sequence.person_count else (recording,)


def _extent(sequence: PoseSequence, timed: bool) -> str:
    count = sequence.frame_count
    if not timed:
        return "1 picture" if count == 1 else f"{count:,} photos"
    times = sequence.times
    rate = frames_per_second(times)
    return f"{times[-1] - times[0]:.2f} s, {count:,} frames, {rate:.3g} frames/s"


def _limits(
    sequence: PoseSequence,
    shown: PoseSequence,
    angles: Angles,
    events: Sequence[Event],
    motion: Mapping[str, object] | None,
    *,
    timed: bool,
) -> list[str]:
    """What this report leaves out."""
    said = []
    if not shown.person_count:
        said.append("Nobody was found, so there are no angles.")
    elif left := sequence.person_count - shown.person_count:
        said.append(
            f"Of {sequence.person_count} people the {shown.person_count} are shown who are "
            f"there in the most frames; {left} are left out. --person ID shows another."
        )
    if not timed and int(sequence.valid.any((1, 2)).sum()) > MOST_PHOTOS:
        said.append(
            f"The first {MOST_PHOTOS} photos with people are shown; ampose angles writes all."
        )
    if timed and is_thinned(angles):
        said.append(
            f"Curves are drawn as smallest and largest value in {BUCKETS} stretches of time; "
            "tables are computed from every frame."
        )
    if motion and motion["every"] != 1:
        said.append(f"The 3D view plays one frame of {motion['every']}.")
    counts = [sum(e.person == identity for e in events) for identity in shown.ids.tolist()]
    if max(counts, default=0) > MOST_MARKS:
        said.append(f"Events are not marked in curves: there are more than {MOST_MARKS}.")
    return said
