from __future__ import annotations

from pathlib import Path

import pytest

from tests.research.human36m_files import write_human36m
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
