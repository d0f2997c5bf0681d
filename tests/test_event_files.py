from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ampose.analysis import (
    NOTICE,
    PRESETS,
    Repetition,
    events_of,
    gait_times_of,
    repetitions_of,
)
from ampose.analysis.events import BY_HAND, EVENTS_NOTICE
from ampose.errors import InputError
from ampose.event_files import EVENT_COLUMNS, REPETITION_COLUMNS, read_events, write_events
from tests.analysis.movements import hump, knees, recording, walking

SQUAT = PRESETS["squat"]
RATE = 30


def squat(sigma: float = 0.01):
    times = np.arange(3 * RATE) / RATE
    joints = knees(5 + 90 * hump(times, 0.5, 1.5, 2.5))
    joints[80:] = np.nan
    return recording(joints, RATE, sigma=sigma)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(folder: Path, sequence=None, preset=SQUAT, **options):
    sequence = sequence or squat()
    events, warnings = events_of(sequence, preset)
    repetitions, _ = repetitions_of(sequence, preset, events)
    write_events(folder, sequence, preset, events, repetitions, warnings=warnings, **options)
    return events, repetitions


def test_tables(tmp_path):
    events, repetitions = written(tmp_path)
    table = rows(tmp_path / "events.csv")
    assert tuple(table[0]) == EVENT_COLUMNS
    for row, event in zip(table, events, strict=True):
        assert (row["name"], int(row["person"]), int(row["frame"]), row["rule"]) == (
            *(event.name, event.person, event.frame, event.rule),
        )
        assert float(row["time"]) == pytest.approx(event.time, abs=1e-6)
    table = rows(tmp_path / "repetitions.csv")
    assert tuple(table[0]) == REPETITION_COLUMNS
    for row, repetition in zip(table, repetitions, strict=True):
        assert (row["angle"], row["repetition"]) == (repetition.angle, "1")
        assert float(row["range"]) == pytest.approx(repetition.range, abs=0.051)
        assert float(row["sigma"]) == pytest.approx(repetition.sigma, abs=0.051)
        assert float(row["start_time"]) == pytest.approx(repetition.start / RATE, abs=1e-6)


def test_no_negative_zero(tmp_path):
    flat = Repetition(3, 0, 1, 2, "trunk_lean", -0.01, 0.0, 0.01, np.nan)
    write_events(tmp_path, squat(), PRESETS["squat"], (), [flat])
    (row,) = rows(tmp_path / "repetitions.csv")
    assert [row[key] for key in ("low", "high", "range", "sigma")] == ["0.0", "0.0", "0.0", ""]


def test_absent_error_bars_are_empty(tmp_path):
    written(tmp_path, squat(np.nan))
    assert {row["sigma"] for row in rows(tmp_path / "repetitions.csv")} == {""}


def test_repetitions_are_numbered(tmp_path):
    sequence = recording(walking(np.arange(200) / 50, 1.0), 50)
    events, _ = events_of(sequence, PRESETS["gait"])
    written(tmp_path, sequence, PRESETS["gait"], gait=gait_times_of(sequence, events))
    table = rows(tmp_path / "repetitions.csv")
    spans = list(dict.fromkeys((row["start"], row["end"]) for row in table))
    assert [row["repetition"] for row in table] == [
        str(spans.index((row["start"], row["end"])) + 1) for row in table
    ]
    (told,) = json.loads((tmp_path / "events.json").read_text())["gait"]
    assert told["cadence_steps_per_minute"] == 120


def test_header(tmp_path):
    written(tmp_path, gait=())
    header = json.loads((tmp_path / "events.json").read_text("utf-8"))
    assert header["notice"] == f"{EVENTS_NOTICE} {NOTICE}"
    assert header["rules"] == dict(SQUAT.rules)
    assert header["repetition"] == [{"start": "start", "turn": "bottom", "end": "top"}]
    assert (header["preset"], header["frames"], header["frames_per_second"]) == ("squat", 90, 30)
    assert header["recording_warnings"] == ["careful"]
    assert header["warnings"] == list(events_of(squat(), SQUAT)[1])


def test_what_was_written_comes_back(tmp_path):
    events, _ = written(tmp_path)
    corrections = read_events(tmp_path / "events.csv", squat(), SQUAT)
    assert events_of(squat(), SQUAT, corrections=corrections)[0] == events


def given(tmp_path: Path, text: str | bytes):
    path = tmp_path / "events.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_events(path, squat(), SQUAT)


def test_edited_by_hand(tmp_path):
    corrections = given(
        tmp_path,
        "\ufeffFrame;name;person;remark\r\n44.0;bottom;3;deepest\r\n;top;3;not seen\r\n;;;\r\n",
    )
    (event,) = corrections.events
    assert (event.name, event.person, event.frame, event.rule) == ("bottom", 3, 44, BY_HAND)
    assert event.time == pytest.approx(44 / RATE)
    assert corrections.complete == {(3, "bottom"), (3, "top")}


HEAD = "name,person,frame\n"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (HEAD + "botom,3,44\n", "line 2: unknown event 'botom'; of a squat there are start, bot"),
        (HEAD + "bottom,3,44\nbottom,7,44\n", "line 3: there is no person '7'; ids are 3"),
        (HEAD + "bottom,x,44\n", "no person 'x'"),
        (HEAD + "bottom,3,90\n", "there is no frame '90'; the recording has 0 to 89"),
        (HEAD + "bottom,3,-1\n", "no frame '-1'"),
        (HEAD + "bottom,3,4.5\n", "no frame '4.5'"),
        (HEAD + "bottom,3,1e3\n", "no frame '1e3'"),
        (HEAD + "bottom,3,85\n", "person 3 is not seen in frame 85"),
        (HEAD + "bottom,3,44\nbottom,3,44\n", "line 3: bottom of person 3 in frame 44 stands twi"),
        (HEAD + "bottom\n", "no person ''"),
        ("name,frame\nbottom,44\n", "lacks the column person; an events.csv begins with name,per"),
        ("", "lacks the column name, person, frame"),
        (b"\xff\xfe\x00", "not a table of text"),
        (HEAD.encode() + b'"' + 200_000 * b"x", "not a table"),
    ],
)
def test_what_cannot_be_an_event(tmp_path, text, part):
    with pytest.raises(InputError) as error:
        given(tmp_path, text)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file_and_no_end_of_it(tmp_path):
    with pytest.raises(InputError, match=r"nosuch.csv: cannot be read"):
        read_events(tmp_path / "nosuch.csv", squat(), SQUAT)
    with pytest.raises(InputError, match=r"cannot be read"):
        read_events(tmp_path, squat(), SQUAT)
    (tmp_path / "large.csv").write_bytes(bytes(17 * 2**20))
    with pytest.raises(InputError, match="too large"):
        read_events(tmp_path / "large.csv", squat(), SQUAT)
