from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampose import formats
from ampose.analysis import NOTICE, angles_of
from ampose.errors import InputError
from ampose.formats import (
    FORMATS,
    format_files,
    known_formats,
    left_from_before,
    parse_formats,
    write_formats,
)
from tests.export.recordings import absent, recording, walking
from tests.export.test_mot import read as read_mot

HERE = [name for name in FORMATS if name != "rrd"]


def test_names():
    assert parse_formats(" BVH,glb,bvh") == ("bvh", "glb")
    for text in ("", "bvh,", "bhv", "bvh glb"):
        with pytest.raises(InputError, match="known are npz, json, csv, csv-wide, bvh, glb, c3d"):
            parse_formats(text)


@pytest.mark.parametrize("name", HERE)
def test_every_format_writes_the_files_that_it_says(tmp_path: Path, name: str):
    nobody = np.full((20, 17, 3), np.nan)
    sequence = recording(walking(), nobody, absent(walking(seed=1), 4))
    write_formats(sequence, tmp_path, [name])
    pattern = FORMATS[name].files
    people = (3, 5) if "<id>" in pattern else (0,)
    expected = {pattern.replace("<id>", str(person)) for person in people}
    assert {path.name for path in tmp_path.iterdir()} == expected
    assert format_files([name], tmp_path) == pattern


def test_files_of_a_result_that_is_no_more(tmp_path: Path):
    """Of people who are gone, and of formats that are not wanted any more."""
    sequence = recording(walking(), walking(seed=1))
    write_formats(sequence, tmp_path, ["npz", "json", "bvh", "trc", "csv"])
    (tmp_path / "person_notes.trc").touch()
    assert left_from_before(tmp_path) == []
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    write_formats(sequence.only([1]), tmp_path, ["npz", "json", "trc"])
    left = left_from_before(tmp_path)
    assert left == ["person_3.bvh", "person_3.trc", "person_4.bvh", "poses.csv"]
    told = format_files(["npz", "json", "bvh", "trc", "csv"], tmp_path, left)
    assert told == "poses.npz, poses.json, person_<id>.trc"


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("frames", [0, 1, 3])
def test_nobody_hardly_anything_and_no_world(tmp_path: Path, name: str, frames: int):
    few = recording(walking(3), world=False)
    nobody = few.only([])
    short = replace(recording(walking(max(frames, 1)), times=np.zeros(max(frames, 1))))
    notes = write_formats(nobody if frames == 0 else short, tmp_path, [name])
    if frames == 0:
        assert not notes  # which would speak of files that are not there
        told = "no files, as nobody" if "<id>" in FORMATS[name].files else FORMATS[name].files
        assert format_files([name], tmp_path).startswith(told)


def test_no_joint_is_lost_between_formats_and_each_note_is_said_once():
    sequence = recording(walking(), world=False)
    notes = formats_notes(sequence)
    assert len(notes) == len(set(notes))
    assert sum("no world in this result" in note for note in notes) == 1
    assert NOTICE in notes


def formats_notes(sequence) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for name in HERE for note in FORMATS[name].notes(sequence)))


def test_angles_of_each_person_alone(tmp_path: Path):
    sequence = recording(walking(), walking(seed=1), times=5 + np.arange(20) / 60)
    write_formats(sequence, tmp_path, ["mot"])
    angles = angles_of(sequence)
    for place, identity in enumerate((3, 4)):
        path = tmp_path / f"person_{identity}.mot"
        _, _, names, table = read_mot(path)
        assert names == ["time", *angles.names]
        np.testing.assert_allclose(table[:, 0], sequence.times, atol=1e-6)
        np.testing.assert_allclose(table[:, 1:], angles.values[:, place], atol=1e-6)
        assert set(re.findall(r"Person (\d+)", path.read_text())) == {str(identity)}
        assert "not coordinates of an OpenSim model" in path.read_text()
        assert NOTICE in path.read_text()


def test_what_a_format_cannot_hold(tmp_path: Path):
    """Costs that format only, where the poses took long to compute."""
    scattered = recording(walking(4), times=np.array([0, 1, 2, 1e6]))
    with pytest.raises(InputError, match="BVH has a constant frame time"):
        write_formats(scattered, tmp_path, ["bvh", "csv"])
    notes = write_formats(scattered, tmp_path, ["bvh", "csv"], partly=True)
    assert notes[0].startswith("bvh is left out: BVH has a constant frame time")
    assert [path.name for path in tmp_path.iterdir()] == ["poses.csv"]
    with pytest.raises(InputError, match="cannot write"):
        write_formats(scattered, tmp_path / "none", ["csv"], partly=True)


def test_rerun_is_asked_for_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(InputError, match=r'rrd needs rerun.*: pip install "ampose\[rerun\]"'):
        known_formats(["csv", "rrd"])
    with pytest.raises(InputError, match="rrd needs rerun"):
        write_formats(recording(walking(2)), tmp_path, ["csv", "rrd"])
    assert not list(tmp_path.iterdir())


def test_what_runs_always_write_is_known():
    assert set(formats.ALWAYS) <= set(FORMATS)
