"""``ampose events``: moments and repetitions of a movement in a finished recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ampose.cli.common import PRESETS, Config, Force, Out, ResultSource, read_result
from ampose.cli.motion_options import Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampose.analysis import Event, Repetition

SHOWN = 30
"""The most events that are printed; all of them are in the file."""

PresetName = Annotated[
    str,
    typer.Option(
        "--preset",
        help=f"Movement: {PRESETS}.",
    ),
]
Handed = Annotated[
    Literal["left", "right"] | None,
    typer.Option(help="Side that somebody throws or swings from; else from the motion."),
]
EventsFile = Annotated[
    Path | None,
    typer.Option("--events", help="An events.csv corrected by hand; see docs/movements.md."),
]


def events(
    source: ResultSource,
    preset: PresetName,
    out: Out,
    force: Force = False,
    person: Person = "all",
    handed: Handed = None,
    corrected: EventsFile = None,
    config: Config = None,
) -> None:
    """Events and repetitions of a movement, by stated rules; docs/movements.md has them."""
    del config
    from ampose import analysis
    from ampose.event_files import read_events, write_events
    from ampose.export.folder import ResultFolder

    movement = analysis.preset_named(preset)
    sequence = read_result(source, person)
    corrections = None if corrected is None else read_events(corrected, sequence, movement)
    found, warnings = analysis.events_of(
        sequence, movement, handed=handed, corrections=corrections
    )
    repetitions, more = analysis.repetitions_of(sequence, movement, found)
    gait = analysis.gait_times_of(sequence, found) if movement.name == "gait" else ()
    with ResultFolder(out, force=force) as folder:
        write_events(
            folder,
            sequence,
            movement,
            found,
            repetitions,
            warnings=(*warnings, *more),
            gait=gait,
        )
    _show_events(found)
    _show_repetitions(repetitions)
    for times in gait:
        if times.cadence > 0:
            print(f"Person {times.person}: {times.cadence:.0f} steps per minute")
    for warning in (*warnings, *more):
        print(f"note: {warning}")
    print(analysis.EVENTS_NOTICE)
    print(analysis.NOTICE)
    print(f"Results in {out}: events.csv, repetitions.csv, events.json")


def _show_events(found: Sequence[Event]) -> None:
    print(f"{len(found)} event{'' if len(found) == 1 else 's'}")
    if found:
        print(f"{'person':>6} {'frame':>6} {'time, s':>8}  event")
    for event in found[:SHOWN]:
        print(f"{event.person:>6} {event.frame:>6} {event.time:>8.2f}  {event.name}")
    if len(found) > SHOWN:
        print(f"... and {len(found) - SHOWN} more in events.csv")


def _show_repetitions(rows: Sequence[Repetition]) -> None:
    """Per person how many there are, and per angle the mean range of motion."""
    for person in dict.fromkeys(row.person for row in rows):
        own = [row for row in rows if row.person == person]
        count = len({(row.start, row.end) for row in own})
        print(f"Person {person}: {count} repetition{'' if count == 1 else 's'}")
        for angle in dict.fromkeys(row.angle for row in own):
            ranges = [row.range for row in own if row.angle == angle]
            mean = sum(ranges) / len(ranges)
            spread = f" on average ({min(ranges):.0f} to {max(ranges):.0f})"
            print(f"  {angle:<24} range {mean:4.0f} degrees{spread * (len(ranges) > 1)}")
