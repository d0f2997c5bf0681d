"""Views of one movement by lifters that are right, or wrong in a known way."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import real_video
import same_movement

from ampose.analysis import angles_of
from ampose.research.evaluation.provenance import read_table
from tests.analysis.squatting import squat
from tests.benchmarks.scene import recording


def test_the_same_from_two_sides() -> None:
    found = same_movement.score(*[angles_of(squat(sigma=0.02), ["knee_flexion"])] * 2)
    assert (found["angles"], found["means"], found["ranges"], found["largest"]) == (2, 0, 0, 0)
    assert (found["apart"], found["timing_ms"], found["timing_largest_ms"]) == pytest.approx(
        (0, 0, 0), abs=1e-6
    )


def test_a_difference_that_is_surely_none() -> None:
    """Half as deep with small error bars; half a second late."""
    deep, late = squat(60, sigma=1e-4), squat(60, 45, sigma=1e-4, pace=lambda time: time - 0.5)
    found = same_movement.score(*(angles_of(each, ["knee_flexion"]) for each in (deep, late)))
    assert found["ranges"] == found["largest"] == 2
    assert found["apart"] > 10
    assert 100 < found["timing_ms"] < found["timing_largest_ms"] < 700


def test_the_table(tmp_path: Path, monkeypatch) -> None:
    made = recording()
    monkeypatch.setattr(real_video.Recording, "detected", lambda media: made)
    shown = []

    def moved(lifter, xy, scores, camera, times):
        shown.append(camera)
        return squat(20)

    monkeypatch.setattr(same_movement, "sequence_in_motion", moved)
    out = tmp_path / "out.csv"
    monkeypatch.setattr(sys, "argv", ["same_movement.py", "clips", "-o", str(out)])
    same_movement.main()
    notes, rows = read_table(out, ("lifter", "views", "angles", "means", "ranges", "largest"))
    assert shown == list(made.cameras.values())
    assert [row["views"] for row in rows[:2]] == ["cam01 and cam02", "cam01 and cam03"]
    assert rows[-1]["views"] == "all pairs"
    assert int(rows[-1]["angles"]) == 6 * int(rows[0]["angles"])
    assert {"what", "commit", "hardware", "day"} <= notes.keys()
    assert {row["means"] for row in rows} == {"0"}
