from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ampose.cli.common import FormatNames
from ampose.export import read_npz, write_npz
from ampose.formats import ALWAYS, FORMATS
from tests.export.recordings import recording, walking
from tests.research.training.commands import Command, assert_one_line


@pytest.fixture
def poses(tmp_path: Path) -> Path:
    """A folder as ``ampose run`` leaves it, of two people."""
    folder = tmp_path / "result"
    folder.mkdir()
    write_npz(recording(walking(), walking(seed=1)), folder / "poses.npz")
    return folder


def names(folder: str = "out") -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def test_of_a_file_and_of_its_folder(ampose: Command, poses: Path) -> None:
    for number, source in enumerate((poses, poses / "poses.npz")):
        said = ampose("export", source, "--format", "bvh,GLB,csv", "-o", f"out{number}")
        assert (said.code, said.err) == (0, "")
        assert names(f"out{number}") == {"person_3.bvh", "person_4.bvh", "poses.glb", "poses.csv"}
    lines = said.out.splitlines()
    assert lines[0] == "20 frame(s), 2 people"
    assert lines[-1] == "Results in out1: person_<id>.bvh, poses.glb, poses.csv"


def test_into_the_result_itself(ampose: Command, poses: Path) -> None:
    """Formats go beside ``poses.npz``, which a part of the people must not replace."""
    before = (poses / "poses.npz").read_bytes()
    words = ("export", poses, "-o", poses, "--force", "--person", "largest")
    assert ampose(*words, "--format", "csv").code == 0
    said = ampose(*words, "--format", "json,npz")
    assert_one_line(said, "poses.npz would be replaced by its own result; take another -o")
    assert (poses / "poses.npz").read_bytes() == before
    assert not (poses / "poses.json").exists()


def test_notes_are_printed(ampose: Command, poses: Path) -> None:
    said = ampose("export", poses, "--format", "c3d,trc,mot", "-o", "out")
    notes = [line for line in said.out.splitlines() if line.startswith("note: ")]
    for part in ("not markers on the skin", "not coordinates of an OpenSim model"):
        assert sum(part in note for note in notes) == 1


def test_one_person(ampose: Command, poses: Path) -> None:
    words = ("export", poses, "--format", "npz,trc", "--person")
    assert ampose(*words, 4, "-o", "out").out.startswith("20 frame(s), 1 person\n")
    assert names() == {"poses.npz", "person_4.trc"}
    assert read_npz(Path("out/poses.npz")).ids.tolist() == [4]
    assert_one_line(ampose(*words, 9, "-o", "other"), "9")
    assert_one_line(ampose(*words, "me", "-o", "other"), "--person must be all, largest")
    assert not Path("other").exists()


def test_beside_the_poses(ampose: Command, poses: Path) -> None:
    words = ("export", poses, "--format", "glb", "-o", poses)
    assert_one_line(ampose(*words), "holds files already")
    assert ampose(*words, "--force").code == 0
    assert names("result") == {"poses.npz", "poses.glb"}


def test_files_of_an_earlier_export_are_not_told_as_written(ampose: Command, poses: Path) -> None:
    words = ("export", poses, "--format", "bvh", "-o", "out", "--force")
    assert ampose(*words).out.endswith("Results in out: person_<id>.bvh\n")
    write_npz(recording(walking()).only([]), poses / "poses.npz")
    assert ampose(*words).out.endswith(
        "Results in out: no files, as nobody is there to be written\n"
    )
    assert names() == {"person_3.bvh", "person_4.bvh"}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--format", "fbx"), "unknown format 'fbx'; known are npz, json, csv, csv-wide, bvh"),
        (("--format", ""), "unknown format ''"),
        ((), "--format"),
    ],
)
def test_what_is_unknown(ampose: Command, poses: Path, words: tuple[str, ...], part: str) -> None:
    assert_one_line(ampose("export", poses, "-o", "out", *words), part)
    assert not Path("out").exists()


def test_a_format_that_cannot_hold_it_leaves_nothing(ampose: Command) -> None:
    write_npz(recording(walking(4), times=np.array([0, 1, 2, 1e6])), Path("poses.npz"))
    said = ampose("export", "poses.npz", "--format", "glb,bvh", "-o", "out")
    assert_one_line(said, "BVH has a constant frame time")
    assert not Path("out").exists()


def test_without_rerun(ampose: Command, poses: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    said = ampose("export", poses, "--format", "rrd", "-o", "out")
    assert_one_line(said, 'pip install "ampose[rerun]"')


def test_lift_writes_them_beside_its_own(ampose: Command) -> None:
    keypoints = np.random.default_rng(0).uniform(100, 400, (3, 17, 2))
    np.savez("k.npz", keypoints=keypoints)
    words = ("lift", "k.npz", "--skeleton", "coco_17", "--image-size", "640x480", "--fps", 10)
    said = ampose(*words, "-o", "out", "--format", "c3d,json,glb")
    assert (said.code, said.err) == (0, "")
    assert names() == {"poses.npz", "poses.json", "person_0.c3d", "poses.glb", "overlay.mp4"}
    assert "Results in out: poses.npz, poses.json, person_<id>.c3d, poses.glb\n" in said.out
    assert "not markers on the skin" in said.out
    Path("run.toml").write_text('format = "csv"')
    assert ampose(*words, "-o", "by-file", "--config", "run.toml").code == 0
    assert "poses.csv" in names("by-file")


def test_a_file_without_frames(ampose: Command) -> None:
    np.savez("k.npz", keypoints=np.zeros((0, 1, 17, 2)))
    words = ("lift", "k.npz", "--skeleton", "coco_17", "--image-size", "640x480")
    said = ampose(*words, "-o", "out", "--format", "csv,csv-wide,bvh,glb,c3d,trc,mot")
    assert (said.code, said.err) == (0, "")
    for table in ("poses.csv", "poses_wide.csv"):
        assert len(Path("out", table).read_text().splitlines()) == 1
    names = {path.name for path in Path("out").iterdir()}
    assert names == {"poses.npz", "poses.json", "poses.csv", "poses_wide.csv", "poses.glb"}
    assert said.out.rstrip().endswith(
        "poses.npz, poses.json, poses.csv, poses_wide.csv, poses.glb"
    )


@pytest.mark.parametrize("command", ["run", "lift"])
def test_an_unknown_format_is_refused_first(ampose: Command, command: str) -> None:
    said = ampose(command, "nosuch.mp4", "-o", "out", "--format", "bhv")
    assert_one_line(said, "unknown format 'bhv'; known are npz")


def test_live_without_a_folder(ampose: Command) -> None:
    assert_one_line(ampose("run", "camera:0", "--format", "csv"), "--format needs a folder")


def test_help_names_them_all(ampose: Command) -> None:
    told = FormatNames.__metadata__[0].help
    assert {word.strip(" .") for word in told.partition(":")[2].split(",")} == set(FORMATS) - set(
        ALWAYS
    )
    helped = " ".join(ampose("export", "--help").out.replace("│", " ").split())
    assert f"With commas: {', '.join(FORMATS)}." in helped


def test_json_is_json(ampose: Command, poses: Path) -> None:
    assert ampose("export", poses, "--format", "json", "-o", "out").code == 0
    assert json.loads(Path("out/poses.json").read_text())["ids"] == [3, 4]
