"""``events.csv``, which a user may edit and give back, ``repetitions.csv`` and ``events.json``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ampose.analysis import (
    EVENTS_NOTICE,
    NOTICE,
    Corrections,
    Event,
    GaitTimes,
    Preset,
    Repetition,
)
from ampose.analysis.events import BY_HAND
from ampose.analysis.frame_rate import frames_per_second
from ampose.errors import InputError
from ampose.export.numbers import cell, number
from ampose.export.writing import replacing, write_json_object
from ampose.poses import PoseSequence

SCHEMA_VERSION = "1.0"
"""Version of columns and keys: they may be added, never changed."""

EVENT_COLUMNS = ("name", "person", "frame", "time", "rule")

REPETITION_COLUMNS = (
    *("person", "repetition", "start", "turn", "end", "start_time", "end_time"),
    *("angle", "low", "high", "range", "sigma"),
)

_NEEDED = ("name", "person", "frame")

_LARGEST = 16 * 2**20
"""Largest events.csv that is read, in bytes; hours of walking take about 1 MiB."""


def write_events(
    folder: Path,
    sequence: PoseSequence,
    preset: Preset,
    events: Sequence[Event],
    repetitions: Sequence[Repetition],
    *,
    warnings: Iterable[str] = (),
    gait: Sequence[GaitTimes] = (),
) -> None:
    """Writes the three files: frames count from 0, times are seconds, angles degrees.

    Raises:
        InputError: a file cannot be written. None is left half-written.
    """
    with replacing(folder / "events.csv") as file:
        file.write(_table(EVENT_COLUMNS, map(_event_row, events)))
    with replacing(folder / "repetitions.csv") as file:
        rows = _repetition_rows(repetitions, sequence)
        file.write(_table(REPETITION_COLUMNS, rows))
    known = header(sequence, preset, warnings=warnings, gait=gait)
    write_json_object(folder / "events.json", known)


def header(
    sequence: PoseSequence,
    preset: Preset,
    *,
    warnings: Iterable[str] = (),
    gait: Sequence[GaitTimes] = (),
) -> dict[str, Any]:
    """What ``events.json`` holds: rules, what a repetition is, warnings, provenance."""
    return {
        "schema_version": SCHEMA_VERSION,
        "notice": f"{EVENTS_NOTICE} {NOTICE}",
        "preset": preset.name,
        "title": preset.title,
        "rules": dict(preset.rules),
        "repetition": [
            dict(zip(("start", "turn", "end"), names, strict=True)) for names in preset.repetition
        ],
        "range": "degrees, largest less smallest value between start and end; sigma from the "
        "error bars of both, taken as independent",
        "frames": sequence.frame_count,
        "frames_per_second": number(frames_per_second(sequence.times), 2),
        "gait": [each.as_dict() for each in gait],
        "warnings": list(warnings),
        "recording_warnings": list(sequence.warnings),
        "provenance": dict(sequence.provenance),
    }


def read_events(path: Path, sequence: PoseSequence, preset: Preset) -> Corrections:
    """The corrections in an ``events.csv`` that somebody has edited or written.

    Only the columns ``name``, ``person`` and ``frame`` are used, in any order; times follow from
    the frames. For a person and a name that the file mentions, its rows replace all events found;
    a row without a frame says that there are none. Events that it does not mention stay as found.

    Raises:
        InputError: not such a file, or a row with an unknown name, an unknown person, a frame that
            is not in the recording or does not show the person, or the same as another row.
    """
    rows = _rows(path)
    ids = sequence.ids.tolist()
    events: dict[tuple[str, int, int], Event] = {}
    complete = set()
    for line, row in rows:
        where = f"{path}, line {line}"
        name = row["name"].strip()
        if name not in preset.rules:
            raise InputError(
                f"{where}: unknown event {name!r}; of a {preset.title} there are "
                f"{', '.join(preset.rules)}"
            )
        person = _whole(row["person"])
        if person is None or person not in ids:
            raise InputError(
                f"{where}: there is no person {row['person'].strip()!r}; ids are "
                f"{', '.join(map(str, ids)) or 'none'}"
            )
        complete.add((person, name))
        if not row["frame"].strip():
            continue
        frame = _whole(row["frame"])
        if frame is None or frame >= sequence.frame_count:
            raise InputError(
                f"{where}: there is no frame {row['frame'].strip()!r}; the recording has 0 to "
                f"{sequence.frame_count - 1}"
            )
        if not sequence.valid[frame, ids.index(person)].any():
            raise InputError(f"{where}: person {person} is not seen in frame {frame}")
        key = (name, person, frame)
        if key in events:
            raise InputError(f"{where}: {name} of person {person} in frame {frame} stands twice")
        events[key] = Event(name, person, frame, float(sequence.times[frame]), BY_HAND)
    return Corrections(tuple(events.values()), frozenset(complete))


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line numbers and cells of a table, which must have the columns that are needed."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: too large for an events.csv ({_LARGEST:,} bytes at most)")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a table of text (CSV, UTF-8)") from error
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",", restval="")
    try:
        columns = [column.strip().lower() for column in reader.fieldnames or ()]
        reader.fieldnames = columns
        if missing := [name for name in _NEEDED if name not in columns]:
            raise InputError(
                f"{path}: lacks the column {', '.join(missing)}; an events.csv begins with "
                f"{','.join(EVENT_COLUMNS)}"
            )
        return [(reader.line_num, row) for row in reader if any(map(str.strip, _cells(row)))]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not a table ({error})") from error


def _cells(row: dict[str, str]) -> list[str]:
    return [row[name] for name in _NEEDED]


def _whole(text: str) -> int | None:
    """A number such as 12 or 12.0, as spreadsheets write it; None if it is none."""
    text = text.strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()


def _event_row(event: Event) -> tuple[object, ...]:
    return event.name, event.person, event.frame, f"{event.time:.6f}", event.rule


def _repetition_rows(
    repetitions: Sequence[Repetition], sequence: PoseSequence
) -> Iterable[tuple[object, ...]]:
    """Repetitions of a person are numbered from 1."""
    numbers: dict[int, dict[tuple[int, int, int], int]] = {}
    for row in repetitions:
        own = numbers.setdefault(row.person, {})
        frames = (row.start, row.turn, row.end)
        place = own.setdefault(frames, len(own) + 1)
        times = (f"{sequence.times[frame]:.6f}" for frame in (row.start, row.end))
        values = (cell(each, 1) for each in (row.low, row.high, row.range, row.sigma))
        yield row.person, place, *frames, *times, row.angle, *values
