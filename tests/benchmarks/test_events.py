from __future__ import annotations

import sys
from dataclasses import replace

import events
import numpy as np
import pytest
import takes

from ampose.errors import InputError
from ampose.motion.cleaning import Repairs
from ampose.research.evaluation.provenance import read_table
from ampose.skeletons import H36M_17
from tests.analysis.figure import figure
from tests.analysis.movements import hump, knees, throw, walking
from tests.research.packs import walking as walking_pack
from tests.research.packs import write_data

RATE = events.FRAMES_PER_SECOND


def motion(joints: np.ndarray, description: str, name: str = "cmu/1_1/0") -> takes.Motion:
    """Of camera axes, y down, made a world whose floor is about 0."""
    world = joints * [1, -1, -1]
    return takes.Motion(name, description, world - [0, world[..., 1].min(), 0])


def filmed(joints: np.ndarray, description: str, **options: str) -> takes.Take:
    return takes.filmed(motion(joints, description, **options), np.random.default_rng(0))


class Mirror:
    """Stands for the whole chain: gives back the true motion, so many frames late."""

    def __init__(self, late: int = 0) -> None:
        self.late = late

    def __call__(self, take, keypoints, lifter, chain):
        assert keypoints.shape == (len(take.joints), 17, 2)
        assert chain == Repairs()
        last = len(take.joints) - 1
        moved = take.motion.joints[np.clip(np.arange(last + 1) - self.late, 0, last)]
        return events.true_sequence(replace(take, motion=replace(take.motion, joints=moved)))


def rows_of(take: takes.Take) -> dict[tuple[str, ...], dict[str, str]]:
    tallies: dict[tuple[str, ...], events.Tally] = {}
    for key, wanted, found in events.compared(take, np.random.default_rng(0), None):
        tallies.setdefault(key, events.Tally()).add(wanted, found, len(take.joints))
    return {key: tally.row() for key, tally in tallies.items()}


def test_matching_uses_each_once_and_the_nearest_first():
    assert events.matched([10, 14], [12, 15], 5) == [1, 2]
    assert events.matched([10], [12, 9, 30], 5) == [-1]
    assert sorted(events.matched([10, 20], [21], 5)) == [1]
    assert events.matched([10], [16], 5) == []


def test_a_row_by_hand():
    tally = events.Tally()
    tally.add([10, 20, 30], [11, 22, 45], 60)
    tally.add([1, 59], [25], 60)  # what is at an edge does not count
    assert tally.row() == {
        "events": "3",
        "found_percent": "66.7",
        "extra": "2",
        "offset_ms": "60",
        "spread_ms": "20",
        "one_frame_percent": "50.0",
    }
    assert events.Tally().row()["found_percent"] == ""


def test_walking_that_is_lifted_late(monkeypatch):
    take = filmed(walking(np.arange(150) / RATE, 1.2), "slow walk")
    monkeypatch.setattr(events, "moved", Mirror(late=1))
    rows = rows_of(take)
    lifted = rows["walk", "foot_strike", "exact", "true", "all"]
    assert (lifted["found_percent"], lifted["extra"]) == ("100.0", "0")
    assert float(lifted["offset_ms"]) == pytest.approx(40, abs=5)
    assert float(rows["walk", "toe_off", "detector", "true", "all"]["offset_ms"]) > 30
    views = {key[4] for key in rows}
    assert len(views) == 2
    assert "all" in views


def test_the_ankles_say_when_they_descend_and_rest():
    """An ankle that is lifted, lowered to the floor by 1 s, and slides on until 1.4 s."""
    times = np.arange(75) / RATE
    joints = np.repeat(motion(figure()[None], "").joints, 75, 0)
    ankle = H36M_17.index("left_ankle")
    joints[:, ankle, 1] += 0.15 * hump(times, 0.4, 0.7, 1.0)
    joints[:, ankle, 0] += np.clip(1.4 - times, 0, None)
    references = events.ankle_references(takes.Motion("", "walk", joints))
    (ended,) = references["ankle's height"]["foot_strike_l"]
    (rested,) = references["ankle at rest"]["foot_strike_l"]
    (risen,) = references["ankle's height"]["toe_off_l"]
    assert ended == pytest.approx(1.0 * RATE, abs=1)
    assert rested == pytest.approx(1.4 * RATE, abs=1)
    assert risen == pytest.approx(0.55 * RATE, abs=1)
    assert references["ankle at rest"]["foot_strike_r"] == []


@pytest.mark.parametrize(("named", "right"), [("squat1Reps", "100.0"), ("squat3Reps", "0.0")])
def test_squats_are_counted(monkeypatch, named, right):
    monkeypatch.setattr(events, "moved", Mirror())
    bend = 5 + 90 * hump(np.arange(75) / RATE, 0.4, 1.4, 2.4)
    rows = rows_of(filmed(knees(bend), named, name="hdm05/bd_1/0"))
    key = ("squat", "clips with as many as named", "true", "class", "all")
    assert rows[key]["found_percent"] == right
    still = rows_of(filmed(knees(bend / 5), "sneak2StepsLStart", name="hdm05/bd_1/0"))
    ((key, row), *_) = still.items()
    assert (key[1], row["found_percent"]) == ("clips of other classes with none", "100.0")


def test_blows(monkeypatch):
    monkeypatch.setattr(events, "moved", Mirror(late=-1))
    rows = rows_of(filmed(throw(np.arange(100) / RATE, 2.5), "punch/strike"))
    row = rows["blow", "release", "exact", "true", "all"]
    assert (row["found_percent"], row["offset_ms"]) == ("100.0", "-40")
    whole = motion(throw(np.arange(200) / RATE, 2.5), "punch/strike")
    part = events.around_fastest(whole)
    assert len(part.joints) == 2 * round(events.AROUND * RATE) + 1


def test_what_is_nothing_of_that_is_passed_over(monkeypatch):
    monkeypatch.setattr(events, "moved", None)
    assert rows_of(filmed(knees(np.zeros(50)), "Walk to Run")) == {}


def test_the_table(tmp_path, monkeypatch):
    data = write_data(tmp_path / "packs", **walking_pack((80, 60, 40, 40)))
    out = tmp_path / "out.csv"
    monkeypatch.setattr(sys, "argv", ["events.py", str(data), "-o", str(out)])
    events.main()
    columns = ("set", "movement", "event", "of", "against", "view", "events", "offset_ms")
    notes, rows = read_table(out, columns)
    assert {row["of"] for row in rows} == {"true", "exact", "detector"}
    assert {row["movement"] for row in rows} == {"walk"}
    assert {"lifter_sha256", "seed", "commit"} <= notes.keys()


def test_counted_clips_have_no_times(tmp_path, monkeypatch):
    squat = motion(knees(5 + 90 * hump(np.arange(75) / RATE, 0.4, 1.4, 2.4)), "squat1Reps")
    named = replace(squat, name="hdm05/bd_1/0")
    monkeypatch.setattr(events, "moved", Mirror())
    monkeypatch.setattr(takes, "motions", lambda *_, **__: [named])
    for row in events.rows_of("hdm05", tmp_path, None):
        assert (row["events"], row["found_percent"]) == ("1", "100.0")
        assert {row[column] for column in events.UNTIMED} == {""}


def test_a_folder_without_packs_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["events.py", str(tmp_path)])
    with pytest.raises(InputError, match="no such file"):
        events.main()
