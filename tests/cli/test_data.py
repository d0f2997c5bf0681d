from __future__ import annotations

from pathlib import Path

import pytest

from ampose.research.data.open_mocap import load_pack
from tests.research.human36m_files import write_human36m
from tests.research.open_mocap_files import motion, write_amc, write_asf
from tests.research.training.commands import Command, assert_one_line, command, without_torch


@pytest.fixture
def ampose(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return command(monkeypatch, capfd)


def test_check_says_what_is_there_and_what_tables_need(ampose: Command, tmp_path: Path) -> None:
    write_human36m(tmp_path, frames=1, keypoints=("cpn_ft_h36m_dbb",))
    said = ampose("data", "check", tmp_path)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("there    Human3.6M, keypoints cpn_ft_h36m_dbb: human3.6m")
    assert lines[1].startswith("missing  Human3.6M, keypoints gt: ")
    tables = dict(line.split(": ", 1) for line in lines if line.startswith("table"))
    assert tables["table 4.1"] == "needs Human3.6M, keypoints gt"
    assert tables["table 4.2"].startswith("can be tried, not measured")
    assert "MPI-INF-3DHP, training set and" in tables["table 4.5"]


def test_check_of_no_folder(ampose: Command, tmp_path: Path) -> None:
    assert_one_line(ampose("data", "check", tmp_path / "x"), "x: no such folder")


def test_converter_of_an_empty_folder(ampose: Command, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    out = tmp_path / "out"
    assert_one_line(ampose("data", "human36m", tmp_path / "source", "-o", out), "source")
    assert not out.exists()


def test_the_check_needs_no_torch(tmp_path: Path) -> None:
    said = without_torch("data", "check", tmp_path)
    assert (said.code, said.err) == (0, "")


def test_open_mocap(ampose: Command, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    write_asf(tmp_path / "source" / "13.asf")
    write_amc(tmp_path / "source" / "13_20.amc", motion(48, 0))
    (tmp_path / "source" / "13_21.amc").touch()
    words = ("data", "open-mocap", tmp_path / "source", "-o", tmp_path / "out")
    said = ampose(*words)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "new      cmu 13: 20"
    assert "missing  cmu 127: 1-38" in lines
    assert "missing  hdm05: all 287 clips" in lines
    assert lines[-3].startswith("refused  cmu 13: 21 (")
    assert lines[-2].endswith(
        "cmu.npz, 10 frames (train 10); clips: 1 new, 325 missing, 1 refused"
    )
    assert lines[-1].startswith("note: cmu's test clips are not all ours")
    assert load_pack(tmp_path / "out" / "cmu.npz").trial.tolist() == ["20"]
    assert_one_line(ampose(*words), "cmu.npz exists already")
    assert ampose(*words, "--force").code == 0
    assert_one_line(
        ampose(*words, "--force", "--known-only"), "none of its 2 clips is one of ours"
    )


def test_open_mocap_of_an_empty_folder_needs_no_torch(tmp_path: Path) -> None:
    said = without_torch("data", "open-mocap", tmp_path, "-o", tmp_path / "out")
    assert_one_line(said, "no clip of CMU or HDM05 below it", "mocap.cs.cmu.edu")
