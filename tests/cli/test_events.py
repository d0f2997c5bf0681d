from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ampose.analysis import NOTICE, PRESETS
from ampose.analysis.events import EVENTS_NOTICE
from ampose.cli.events import PresetName
from ampose.export import write_npz
from tests.analysis.figure import sequence
from tests.analysis.movements import golf, hump, knees, recording, walking
from tests.research.training.commands import Command, assert_one_line

FILES = ["events.csv", "events.json", "repetitions.csv"]


@pytest.fixture
def squats(tmp_path: Path) -> Path:
    """A folder as ``ampose run`` leaves it: persons 3 and 4 squat once."""
    times = np.arange(90) / 30
    bend = knees(5 + 90 * hump(times, 0.5, 1.5, 2.5))
    folder = tmp_path / "result"
    folder.mkdir()
    joints = np.stack([bend, bend], axis=1)
    write_npz(sequence(joints, sigma=0.01, tilt_sigma=5, rate=30), folder / "poses.npz")
    return folder


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_file_and_its_folder(ampose: Command, squats: Path) -> None:
    for number, source in enumerate((squats, squats / "poses.npz")):
        said = ampose("events", source, "--preset", "squat", "-o", f"out{number}")
        assert (said.code, said.err) == (0, "")
        assert sorted(path.name for path in Path(f"out{number}").iterdir()) == FILES
    lines = said.out.splitlines()
    assert lines[0] == "6 events"
    assert lines[1].split() == ["person", "frame", "time,", "s", "event"]
    assert lines[4].split() == ["3", "45", "1.50", "bottom"]
    assert "Person 4: 1 repetition" in lines
    assert lines[-3:] == [
        EVENTS_NOTICE,
        NOTICE,
        "Results in out1: events.csv, repetitions.csv, events.json",
    ]
    assert {row["person"] for row in rows("out0/repetitions.csv")} == {"3", "4"}


def test_ranges_of_one_repetition_and_of_several(ampose: Command, tmp_path: Path) -> None:
    bend = 5 + 90 * hump(np.arange(90) / 30, 0.5, 1.5, 2.5)
    deeper = 5 + 110 * hump(np.arange(90) / 30, 0.5, 1.5, 2.5)
    for name, angles in (("one", bend), ("two", np.concatenate([bend, deeper]))):
        write_npz(sequence(knees(angles)[:, None], rate=30), tmp_path / f"{name}.npz")
        said = ampose("events", f"{name}.npz", "--preset", "squat", "-o", name).out.splitlines()
        (line,) = (line for line in said if line.startswith("  knee_flexion_l "))
        assert line.endswith({"one": "degrees", "two": ")"}[name])
        assert ("on average (" in line) == (name == "two")


def test_one_person(ampose: Command, squats: Path) -> None:
    words = ("events", squats, "--preset", "squat", "-o", "out")
    assert ampose(*words, "--person", 4).code == 0
    assert {row["person"] for row in rows("out/events.csv")} == {"4"}
    assert_one_line(ampose(*words, "--person", 9, "--force"), "there is no person 9")


def test_corrected_by_hand(ampose: Command, squats: Path) -> None:
    words = ("events", squats, "--preset", "squat", "-o", "out")
    assert ampose(*words).code == 0
    edited = Path("out/events.csv").read_text().replace("bottom,3,45", "bottom,3,40")
    Path("mine.csv").write_text(edited)
    assert ampose(*words, "--events", "mine.csv", "--force").code == 0
    (moved,) = (row for row in rows("out/events.csv") if row["rule"] == "set by hand")
    assert (moved["name"], moved["person"], moved["frame"]) == ("bottom", "3", "40")
    assert {r["turn"] for r in rows("out/repetitions.csv") if r["person"] == "3"} == {"40"}
    Path("mine.csv").write_text("name,person,frame\nimpact,3,40\n")
    said = ampose(*words, "--events", "mine.csv", "--force")
    assert_one_line(said, "mine.csv, line 2: unknown event 'impact'")
    assert said.code == 2


def test_gait_has_a_cadence(ampose: Command) -> None:
    write_npz(recording(walking(np.arange(200) / 50, 1.0), 50), Path("poses.npz"))
    said = ampose("events", "poses.npz", "--preset", "gait", "-o", "out")
    assert "Person 3: 120 steps per minute" in said.out
    assert json.loads(Path("out/events.json").read_text())["gait"][0]["person"] == 3


def test_long_tables_are_cut_short(ampose: Command) -> None:
    write_npz(recording(walking(np.arange(600) / 50, 1.0), 50), Path("poses.npz"))
    said = ampose("events", "poses.npz", "--preset", "gait", "-o", "out")
    assert "more in events.csv" in said.out
    assert len(said.out.splitlines()) < 60


def test_handed(ampose: Command) -> None:
    write_npz(recording(golf(np.arange(400) / 100), 100), Path("poses.npz"))
    words = ("events", "poses.npz", "--preset", "golf-swing", "-o", "out", "--force")
    assert "note: Person 3: swings right-handed, as the hands go back" in ampose(*words).out
    assert "swings right-handed, as told" in ampose(*words, "--handed", "right").out
    assert_one_line(ampose(*words, "--handed", "both"), "'--handed'")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--preset", "golf"), "unknown preset 'golf'; known are squat"),
        ((), "Missing option '--preset'"),
        (("--preset", "squat", "--events", "nosuch.csv"), "nosuch.csv: cannot be read"),
    ],
)
def test_what_cannot_be_asked(
    ampose: Command, squats: Path, words: tuple[str, ...], part: str
) -> None:
    assert_one_line(ampose("events", squats, "-o", "out", *words), part)
    assert not Path("out").exists()


def test_photos_have_no_events(ampose: Command) -> None:
    photos = sequence(knees(np.zeros(3))[:, None], times=np.zeros(3))
    write_npz(photos, Path("poses.npz"))
    said = ampose("events", "poses.npz", "--preset", "squat", "-o", "out")
    assert_one_line(said, "here times do not rise, as in photos")


def test_the_help_names_every_preset() -> None:
    (option,) = PresetName.__metadata__
    assert all(name in str(option.help) for name in PRESETS)
