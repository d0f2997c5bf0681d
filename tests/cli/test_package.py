from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ampose.research.recipes import RECIPES
from tests.research.packs import write_data
from tests.research.training.commands import Command, assert_one_line, command
from tests.research.training.runs import TINY, names


@pytest.fixture
def ampose(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "data")
    return command(monkeypatch, capfd)


def test_from_training_to_lifting(ampose: Command) -> None:
    assert ampose("train", "tiny", "--data", "data", "--out", "run").code == 0
    said = ampose("package", "run", "--data", "data", "--out", "new/tiny.onnx")
    assert said.code == 0
    assert said.out.startswith("new/tiny.onnx: differs from torch by at most ")
    assert said.out.endswith(" m; card in new/tiny.json\n")
    assert names(Path("new")) == ["tiny.json", "tiny.onnx"]
    assert json.loads(Path("new/tiny.json").read_text())["recipe"]["name"] == "tiny"
    assert Path("results/test_log.csv").read_text().count(",all,") == 16
    said = ampose("eval", "cmu-val", "--data", "data", "--weights", "new/tiny.onnx")
    assert said.code == 0


def test_bad_input(ampose: Command) -> None:
    Path("run").mkdir()
    unfinished = ampose("package", "run", "--data", "data", "--out", "tiny.onnx")
    assert_one_line(unfinished, "run holds no model.safetensors; the run is not finished")
    other = ampose("package", "run", "--data", "data", "--out", "tiny.json")
    assert_one_line(other, "tiny.json: the file to write must end in .onnx")
    Path("run/model.safetensors").write_bytes(b"no weights")
    damaged = ampose("package", "run", "--data", "data", "--out", "tiny.onnx")
    assert_one_line(damaged, "run/model.safetensors: not a readable safetensors file")
    assert names(Path()) == ["data", "run"]
