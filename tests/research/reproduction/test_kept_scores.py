from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ampose.files import sha256_of
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES
from ampose.research.reproduction.kept_scores import keep_scores, kept_scores, measured_now
from ampose.research.training.checkpoint import save_weights
from tests.research.reproduction.runs import write_run

ROWS = [{"group": "all", "mpjpe": 51.25}]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    small = replace(RECIPES["open"].model, depth=1, width=16)
    return write_run(tmp_path, replace(RECIPES["open"], model=small))


def test_scores_come_back_with_their_circumstances(run: Path) -> None:
    assert kept_scores(run, "p1") is None
    scores = measured_now(run, ROWS, "data 1")
    assert scores.sha256 == sha256_of(run / "model.safetensors")
    assert scores.commit
    keep_scores(run, "p1", scores)
    keep_scores(run, "p2", replace(scores, rows=[]))
    assert kept_scores(run, "p1") == scores
    assert kept_scores(run, "p1", "data 1") == scores
    assert kept_scores(run, "p2").rows == []
    assert kept_scores(run, "p3") is None
    assert not list(run.glob("*.partial"))


def test_other_weights_or_other_data_have_none(run: Path) -> None:
    keep_scores(run, "p1", measured_now(run, ROWS, "data 1"))
    assert kept_scores(run, "p1", "data 2") is None
    torch.manual_seed(7)
    model = build(replace(RECIPES["open"].model, depth=1, width=16))
    save_weights(model, run / "model.safetensors")
    assert kept_scores(run, "p1") is None


@pytest.mark.parametrize("content", ["{", '{"p1": {"rows": []}}', '{"p1": 3}', "[]"])
def test_a_damaged_file(run: Path, content: str) -> None:
    (run / "scores.json").write_text(content)
    with pytest.raises(ValueError, match=r"scores\.json: "):
        kept_scores(run, "p1")


def test_a_file_that_people_can_read(run: Path) -> None:
    keep_scores(run, "p1", measured_now(run, ROWS))
    stored = json.loads((run / "scores.json").read_text())
    assert stored["p1"]["rows"] == ROWS
    assert stored["p1"].keys() >= {"sha256", "commit", "hardware", "day"}
