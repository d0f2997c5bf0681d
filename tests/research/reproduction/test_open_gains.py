"""What every change gains: which runs make a row, and what the numbers are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.semgcn import SemGCNConfig
from ampose.research.recipes import OpenMotion, Recipe
from ampose.research.recipes.improvements import way
from ampose.research.reproduction import open_gains
from ampose.research.reproduction.open_gains import reproduce_gains
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.runs import Training
from tests.research.reproduction.runs import silent, write_run
from tests.research.reproduction.test_tables import Rows, read

FOLD = OpenMotion(held_out="fold")

OURS = way(Recipe("gain-ampose", AMPoseConfig(depth=1, width=16, channels=3), FOLD, poses=80))
OTHERS = way(Recipe("gain-martinez", MartinezConfig(width=8, channels=3), FOLD, poses=80))

KEYS = ("exact_mpjpe", "detector_mpjpe", "fold_exact_mpjpe", "fold_detector_mpjpe")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_gains, "WAYS", (OURS, OTHERS))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "runs", tmp_path / "log.csv", silent)


def write_step(bench: Bench, recipe: Recipe, *errors: float) -> Path:
    folder = write_run(bench.runs, recipe)
    record: Mapping[str, float] = dict(zip(KEYS, errors, strict=True))
    (folder / "log.jsonl").write_text(json.dumps({"poses": 80, "loss": 1.0, **record}) + "\n")
    return folder


def table(bench: Bench, tmp_path: Path) -> Rows:
    written = reproduce_gains(bench, tmp_path / "out")
    assert [path.name for path in written.paths] == ["open_gains.csv", "open_gains.md"]
    assert written.summary in written.paths[1].read_text()
    return read(written.paths[0])[1]


def test_gains_are_of_the_step_before(bench: Bench, tmp_path: Path) -> None:
    write_step(bench, OURS[0], 10, 20, 30, 40)
    write_step(bench, OURS[1], 9, 18, 28, 37)  # 1, 2, 2 and 3 less
    write_step(bench, OURS[2], 9, 18, 28, 41)
    write_step(bench, OTHERS[0], 1, 2, 3, 4)
    rows = table(bench, tmp_path)
    assert [row["recipe"] for row in rows] == [step.name for step in (*OURS, *OTHERS)]
    assert [row["gain"] for row in rows] == [
        "",
        "2.0",
        "-1.0",
        *[""] * (len(OURS) - 3 + len(OTHERS)),
    ]
    assert [rows[1][name] for name in open_gains.ERRORS] == ["9.0", "18.0", "28.0", "37.0"]
    assert {row["cmu-val exact"] for row in rows[3 : len(OURS)]} == {"not run"}
    assert (rows[0]["system"], rows[len(OURS)]["system"]) == ("AMPose", "Martinez et al.")
    assert (rows[1]["trained on"], rows[4]["trained on"]) == ("an abacus", "")


def test_a_gap_has_no_gain_and_neither_what_follows_it(bench: Bench, tmp_path: Path) -> None:
    write_step(bench, OURS[0], 10, 20, 30, 40)
    write_step(bench, OURS[2], 9, 18, 28, 37)
    assert {row["gain"] for row in table(bench, tmp_path)} == {""}


def test_every_row_says_what_changed(bench: Bench, tmp_path: Path) -> None:
    rows = table(bench, tmp_path)
    assert rows[0]["change"] == rows[len(OURS)]["change"] == "as in the open benchmark"
    assert "learnt matrix" in rows[1]["change"]
    assert int(rows[1]["parameters"]) > int(rows[0]["parameters"])
    assert [row["batch"] for row in rows[: len(OURS)]] == [*["256"] * 5, "125", "125"]
    # A network without AMPose's graph layers takes the rest.
    assert [row["change"] for row in rows[len(OURS) + 1 :]] == [
        row["change"] for row in rows[3 : len(OURS)]
    ]


def test_what_is_missing_is_trained(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(self: Training, recipe: Recipe, runs: Path, folder: Path | None = None) -> Path:
        return write_step(bench, recipe, 1, 2, 3, 4)

    monkeypatch.setattr(Training, "__call__", train)
    training = replace(bench, training=Training(tmp_path, silent))
    rows = table(training, tmp_path)
    assert {row["fold detector"] for row in rows} == {"4.0"}
    assert table(bench, tmp_path) == rows  # they are there now


def test_a_model_of_another_run(bench: Bench, tmp_path: Path) -> None:
    write_step(bench, replace(OURS[0], model=SemGCNConfig(channels=3)), 1, 2, 3, 4)
    with pytest.raises(ValueError, match="holds a run of another recipe than gain-ampose"):
        table(bench, tmp_path)
