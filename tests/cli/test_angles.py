from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ampose.analysis import NOTICE, columns_of
from ampose.export import write_npz
from tests.analysis.figure import BACK, DOWN, figure, sequence, tilted
from tests.research.training.commands import Command, assert_one_line


@pytest.fixture
def poses(tmp_path: Path) -> Path:
    """A folder as ``ampose run`` leaves it."""
    joints = [figure(left_ankle=tilted(DOWN, BACK, each)) for each in (10, 20, 40, 80)]
    folder = tmp_path / "result"
    folder.mkdir()
    recording = sequence(np.stack(joints)[:, None], sigma=0.01, tilt_sigma=5, rate=60)
    write_npz(recording, folder / "poses.npz")
    return folder


def columns(out: str = "out") -> list[str]:
    with Path(out, "angles.csv").open(encoding="utf-8") as file:
        return list(dict.fromkeys(row["angle"] for row in csv.DictReader(file)))


def test_class_a_of_a_file_and_of_its_folder(ampose: Command, poses: Path) -> None:
    for number, source in enumerate((poses, poses / "poses.npz")):
        said = ampose("angles", source, "-o", f"out{number}")
        assert (said.code, said.err) == (0, "")
        assert columns(f"out{number}") == [column.name for column in columns_of()]
    lines = said.out.splitlines()
    assert lines[0] == f"{len(columns_of())} angles of 1 person in 4 frame(s)"
    assert lines[-2:] == [NOTICE, "Results in out1: angles.csv, angles.json"]
    header = json.loads(Path("out0/angles.json").read_text())
    assert [f"note: {warning}" for warning in header["warnings"]] == lines[1:-2]
    assert {path.name for path in Path("out0").iterdir()} == {"angles.csv", "angles.json"}


def test_names_and_class_b(ampose: Command, poses: Path) -> None:
    words = ("--angles", "knee_flexion_l, x-factor", "--reference-frame", 1)
    assert ampose("angles", poses, "-o", "out", *words).code == 0
    assert columns() == ["knee_flexion_l", "x_factor_joint_angle"]
    assert json.loads(Path("out/angles.json").read_text())["reference_frame"] == 1
    assert ampose("angles", poses, "-o", "all", "--class-b").code == 0
    assert columns("all") == [column.name for column in columns_of(class_b=True)]


def test_one_of_several(ampose: Command, tmp_path: Path) -> None:
    crowd = np.stack([np.stack([figure(), figure() + 1])] * 3)
    write_npz(sequence(crowd, ids=(0, 4)), tmp_path / "poses.npz")
    said = ampose("angles", tmp_path, "-o", "out", "--person", "4")
    assert "of 1 person in 3 frame(s)" in said.out
    with Path("out/angles.csv").open(encoding="utf-8") as file:
        assert {row["person"] for row in csv.DictReader(file)} == {"4"}
    assert_one_line(ampose("angles", tmp_path, "-o", "no", "--person", "1"), "no person 1")
    assert_one_line(ampose("angles", tmp_path, "-o", "no", "--person", "me"), "--person must be")


def test_names_from_a_file(ampose: Command, poses: Path) -> None:
    Path("a.toml").write_text('angles = "knee_flexion_l"\nreference-frame = 1')
    assert ampose("angles", poses, "-o", "out", "--config", "a.toml").code == 0
    assert columns() == ["knee_flexion_l"]


def test_into_the_folder_of_the_poses(ampose: Command, poses: Path) -> None:
    assert_one_line(ampose("angles", poses, "-o", poses), "holds files already")
    assert ampose("angles", poses, "-o", poses, "--force").code == 0
    assert {path.name for path in poses.iterdir()} == {"poses.npz", "angles.csv", "angles.json"}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--angles", "pelvic_tilt"), "pelvic_tilt is refused: "),
        (("--angles", "knees"), "unknown angle 'knees'; known are knee_flexion"),
        (("--angles", ""), "unknown angle ''"),
        (("--peak-velocities",), "peak velocities are refused below 120 frames/s"),
        (("--reference-frame", "9"), "no frame 9"),
    ],
)
def test_what_cannot_be_asked(
    ampose: Command, poses: Path, words: tuple[str, ...], part: str
) -> None:
    assert_one_line(ampose("angles", poses, "-o", "out", *words), part)
    assert not Path("out").exists()


def test_peaks(ampose: Command, poses: Path) -> None:
    joints = [figure(left_ankle=tilted(DOWN, BACK, each)) for each in (10, 20, 40, 80)]
    write_npz(sequence(np.stack(joints)[:, None], rate=200), poses / "poses.npz")
    said = ampose("angles", poses, "-o", "out", "--peak-velocities", "--angles", "knee_flexion")
    assert said.code == 0
    assert "note: 200 frames/s are few for peak velocities" in said.out
    header = json.loads(Path("out/angles.json").read_text())
    assert header["peak_velocities"]["people"][0]["peaks"]["knee_flexion_l"]["value"] > 5000


def test_what_is_no_recording(ampose: Command, tmp_path: Path) -> None:
    Path("poses.npz").write_bytes(b"no archive")
    assert_one_line(ampose("angles", "poses.npz", "-o", "out"), "poses.npz")
    assert_one_line(ampose("angles", "nosuch", "-o", "out"), "nosuch")
    Path("empty").mkdir()
    assert_one_line(ampose("angles", "empty", "-o", "out"), "empty/poses.npz")
