"""What every change gains: which runs make a row, and what the numbers are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from ampose.research.data.open_mocap import FOLD_SUBJECTS
from ampose.research.evaluation.open_protocol import Score, evaluate, load_set
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.semgcn import SemGCNConfig
from ampose.research.recipes import OpenMotion, Recipe
from ampose.research.recipes.improvements import BODIES, CHANGES, way
from ampose.research.reproduction import open_gains
from ampose.research.reproduction.kept_scores import Scores
from ampose.research.reproduction.open_gains import reproduce_gains
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.runs import Training
from ampose.research.training.checkpoint import load_weights
from ampose.research.training.inference import torch_lifter
from tests.research.packs import write_data, write_pack
from tests.research.reproduction.runs import silent, write_run
from tests.research.reproduction.test_tables import Rows, read

FOLD = OpenMotion(held_out="fold")

OURS = way(
    Recipe("gain-ampose", AMPoseConfig(depth=1, width=16, channels=3), FOLD, poses=80),
    [*CHANGES, BODIES],
)
OTHERS = way(
    Recipe("gain-martinez", MartinezConfig(width=8, channels=3), FOLD, poses=80), CHANGES[2:]
)
LAST = len(OURS)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_gains, "WAYS", (OURS, OTHERS))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "runs", tmp_path / "log.csv", silent)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Recipe to the error on exact template bones; everything else is a little worse."""
    given: dict[str, float] = {}

    def score(runs: Iterable[Path], name: str, bench: Bench) -> dict[Path, Scores]:
        del bench
        out = {}
        for run in runs:
            rows = [
                Score(name, "all", bones, kind, "known", 9, given[run.name] + more, *[1.0] * 5)
                for bones, kind, more in (
                    ("template", "exact", 0),
                    ("template", "detector", 10),
                    ("native", "exact", 20 + given[run.name]),  # twice the gain
                    ("native", "detector", 30 + given[run.name]),
                )
            ]
            out[run] = Scores([asdict(row) for row in rows], "0" * 64, "abc", "it", "today")
        return out

    monkeypatch.setattr(open_gains, "score_runs", score)
    return given


def table(bench: Bench, tmp_path: Path) -> Rows:
    written = reproduce_gains(bench, tmp_path / "out")
    assert [path.name for path in written.paths] == ["open_gains.csv", "open_gains.md"]
    assert written.summary in written.paths[1].read_text()
    return read(written.paths[0])[1]


def test_gains_are_of_the_step_before(
    bench: Bench, errors: dict[str, float], tmp_path: Path
) -> None:
    for (recipe, _), error in zip(OURS, (50.0, 48.0, 49.0), strict=False):
        write_run(bench.runs, recipe)
        errors[recipe.name] = error
    write_run(bench.runs, OTHERS[0].recipe)
    errors[OTHERS[0].recipe.name] = 7.0
    rows = table(bench, tmp_path)
    assert [row["recipe"] for row in rows] == [step.recipe.name for step in (*OURS, *OTHERS)]
    rest = [""] * (LAST - 3 + len(OTHERS))
    assert [row["gain"] for row in rows] == ["", "2.0", "-1.0", *rest]
    assert [row["gain, own bones"] for row in rows] == ["", "4.0", "-2.0", *rest]
    assert rows[1]["cmu-fold template detector"] == "58.0"
    assert rows[1]["cmu-val native exact"] == "116.0"
    assert {row["cmu-val template exact"] for row in rows[3:LAST]} == {"not run"}
    assert (rows[0]["system"], rows[LAST]["system"]) == ("AMPose", "Martinez et al.")
    assert (rows[1]["trained on"], rows[4]["trained on"]) == ("an abacus", "")


def test_a_gap_has_no_gain_and_neither_has_what_follows_it(
    bench: Bench, errors: dict[str, float], tmp_path: Path
) -> None:
    for number in (0, 2):
        write_run(bench.runs, OURS[number].recipe)
        errors[OURS[number].recipe.name] = 50.0
    assert {row["gain"] for row in table(bench, tmp_path)} == {""}


def test_every_row_says_what_changed(
    bench: Bench, errors: dict[str, float], tmp_path: Path
) -> None:
    rows = table(bench, tmp_path)
    assert rows[0]["change"] == rows[LAST]["change"] == "as in the open benchmark"
    assert "learnt matrix" in rows[1]["change"]
    assert int(rows[1]["parameters"]) > int(rows[0]["parameters"])
    assert [row["batch"] for row in rows[:LAST]] == [*["256"] * 5, *["125"] * 3]
    # A network without AMPose's graph layers takes what can be taken by any.
    changes = [row["change"] for row in rows]
    assert changes[LAST + 1 :] == changes[3 : LAST - 1]


def test_what_is_missing_is_trained(
    bench: Bench, errors: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(self: Training, recipe: Recipe, runs: Path, folder: Path | None = None) -> Path:
        errors[recipe.name] = 5.0
        return write_run(runs, recipe)

    monkeypatch.setattr(Training, "__call__", train)
    training = replace(bench, training=Training(tmp_path, silent))
    rows = table(training, tmp_path)
    assert {row["cmu-val template exact"] for row in rows} == {"5.0"}
    assert table(bench, tmp_path) == rows  # they are there now


def test_scores_are_those_of_the_protocol(bench: Bench, tmp_path: Path) -> None:
    data = write_data(tmp_path / "packs")
    subjects = np.array([FOLD_SUBJECTS[0], "8", "9", "2"])
    split = np.array(["train", "val", "train", "test"])
    write_pack(data / "cmu.npz", subject=subjects, split=split)
    run = write_run(bench.runs, OURS[0].recipe)
    ours = table(replace(bench, data=data), tmp_path)[0]
    lift = torch_lifter(load_weights(run / "model.safetensors"))
    for name in ("cmu-val", "cmu-fold"):
        for score in evaluate(lift, load_set(name, data), groups=False):
            if score.focal == "known":
                column = f"{name} {score.bones} {score.input}"
                assert float(ours[column]) == round(score.mpjpe, 2)
    assert not bench.log.exists()  # nothing is a test set
    assert table(bench, tmp_path)[0] == ours  # without the data: the scores were kept


def test_a_model_of_another_run(bench: Bench, tmp_path: Path) -> None:
    write_run(bench.runs, replace(OURS[0].recipe, model=SemGCNConfig(channels=3)))
    with pytest.raises(ValueError, match="holds a run of another recipe than gain-ampose"):
        table(bench, tmp_path)
