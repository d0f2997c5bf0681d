from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from ampose.cli import evaluate_sigma
from ampose.research.evaluation.open_protocol import load_set
from ampose.research.evaluation.uncertainty import coverages, hiding
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.uncertain import Uncertain, UncertainConfig
from ampose.research.models.zoo import build
from ampose.research.training.checkpoint import save_weights
from ampose.research.training.inference import torch_lifter_with_sigma
from tests.lifting.networks import echo
from tests.research.packs import write_data, write_pack
from tests.research.training.commands import (
    Command,
    assert_one_line,
    steps_shown,
    without_torch,
)
from tests.research.training.runs import TINY, names

LOG = Path("results/test_log.csv")

Table = tuple[dict[str, str], list[dict[str, str]]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


@pytest.fixture
def onnx(tmp_path: Path) -> Path:
    return echo(tmp_path / "sure.onnx", outputs=("joints", "sigma"))


def trained(folder: Path, **changes: int) -> tuple[Path, Uncertain]:
    torch.manual_seed(0)
    base = AMPoseConfig(**{"depth": 1, "width": 16, "channels": 3, **changes})
    model = build(UncertainConfig(base, hidden=8))
    assert isinstance(model, Uncertain)
    folder.mkdir()
    save_weights(model, folder / "model.safetensors")
    return folder / "model.safetensors", model


def answered(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the network of `echo` says."""
    return inputs[..., -3:], np.abs(inputs[..., -3:])


def table(path: Path) -> Table:
    lines = path.read_text().splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    return notes, list(csv.DictReader(line for line in lines if not line.startswith("#")))


def texts(rows: list) -> list[dict[str, str]]:
    return [{key: str(value) for key, value in row.row().items()} for row in rows]


def test_shows_its_progress(
    ampose: Command, data: Path, onnx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = steps_shown(monkeypatch, evaluate_sigma)
    words = ("eval-sigma", "cmu-val", "hdm05", "--data", data, "--weights", onnx)
    assert ampose(*words).code == 0
    # 40 poses: both kinds of 2D, all joints seen, each of 16 hidden; a test set is also scored.
    for name, passes in (("cmu-val", 19), ("hdm05", 27)):
        total = 40 * passes
        assert told[f"sigma on {name}"] == [(done, total) for done in range(40, total + 1, 40)]


@pytest.mark.parametrize("channels", [3, 4])
def test_every_row_of_onnx_weights(ampose: Command, data: Path, channels: int) -> None:
    weights = echo(Path("sure.onnx"), outputs=("joints", "sigma"), channels=str(channels))
    words = ("eval-sigma", "cmu-val", "hdm05", "--data", data, "--weights", weights)
    said = ampose(*words, "-o", "t/sigma.csv", "--threads", 1)
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("All rows in t/sigma.csv, t/sigma_hidden.csv\n")
    sets = [load_set(name, data) for name in ("cmu-val", "hdm05")]
    notes, rows = table(Path("t/sigma.csv"))
    expected = [row for each in sets for row in coverages(answered, each, channels=channels)]
    assert rows == texts(expected)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    found = {"model": "sure", "sha256": digest, "protocol": "open-mocap v1", "seed": "0"}
    assert notes.items() >= found.items()
    assert notes.keys() >= {"conventions", "ampose", "commit", "hardware", "day"}

    hidden_notes, hidden = table(Path("t/sigma_hidden.csv"))
    expected_hidden = [row for each in sets for row in hiding(answered, each, channels=channels)]
    assert hidden == texts(expected_hidden)
    assert len(hidden) == 2 * 16
    assert hidden_notes.items() >= found.items()
    assert hidden_notes["conventions"] != notes["conventions"]
    assert names(Path("t")) == ["sigma.csv", "sigma_hidden.csv"]


def test_a_trained_model(ampose: Command, data: Path) -> None:
    weights, model = trained(Path("my-run"))
    said = ampose("eval-sigma", "cmu-val", "--data", data, "--weights", weights, "-o", "s.csv")
    assert (said.code, said.err) == (0, "")
    notes, rows = table(Path("s.csv"))
    lift = torch_lifter_with_sigma(model)
    assert rows == texts(list(coverages(lift, load_set("cmu-val", data))))
    assert notes["model"] == "my-run"


def test_a_trained_model_of_four_channels(ampose: Command, data: Path) -> None:
    weights, _ = trained(Path("my-run"), channels=4)
    assert ampose("eval-sigma", "cmu-val", "--data", data, "--weights", weights).code == 0


def test_the_summary_is_what_the_table_says(ampose: Command, data: Path, onnx: Path) -> None:
    words = ("eval-sigma", "cmu-val", "hdm05", "--data", data, "--weights", onnx)
    said = ampose(*words, "-o", "sigma.csv")
    rows, hidden = (table(Path(name))[1] for name in ("sigma.csv", "sigma_hidden.csv"))
    lines = said.out.splitlines()
    assert len(lines) == 2 * 3 + 1
    for line, chosen in zip(lines[:6], ["cmu-val"] * 3 + ["hdm05"] * 3, strict=True):
        of_set = [row for row in rows if row["set"] == chosen and row["group"] == "all"]
        if "hiding" in line:
            grows = [float(row["grows"]) for row in hidden if row["set"] == chosen]
            assert float(line.split()[-4]) == pytest.approx(np.mean(grows), abs=0.1)
            continue
        kind = line.split()[1]
        found = {row["nominal"]: row["found"] for row in of_set if row["input"] == kind}
        assert (
            line.split()
            == (
                f"{chosen} {kind} 2D: {found['68.3']} % within 1 sigma (68.3), "
                f"{found['95.4']} % within 2 sigma (95.4)"
            ).split()
        )


def test_looks_at_test_sets_are_logged_as_errors(ampose: Command, data: Path, onnx: Path) -> None:
    words = ("--data", data, "--weights", onnx)
    assert ampose("eval-sigma", "cmu-val", *words).code == 0
    assert not LOG.exists()
    assert ampose("eval-sigma", "cmu-val", "hdm05", *words).code == 0
    looks = LOG.read_text()
    assert looks.count("\n") == 1 + 8
    assert looks.count(",sure,") == looks.count(",hdm05,all,") == 8
    assert ampose("eval", "hdm05", *words, "--log", "scores.csv").code == 0
    assert Path("scores.csv").read_text() == looks


def test_a_pack_by_its_path_and_a_log_by_its_name(ampose: Command, onnx: Path) -> None:
    pack = write_pack(Path("mine.npz"))
    said = ampose("eval-sigma", pack, "--weights", onnx, "--log", "my_log.csv")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("mine ")
    assert Path("my_log.csv").read_text().count("mine,all") == 8
    assert not LOG.exists()
    assert names(Path()) == ["mine.npz", "my_log.csv", "sure.onnx"]


def test_weights_without_sigma(ampose: Command, data: Path) -> None:
    plain = Path("plain")
    plain.mkdir()
    save_weights(build(TINY.model), plain / "model.safetensors")
    for weights in (echo(Path("a.onnx")), plain / "model.safetensors"):
        words = ("eval-sigma", "hdm05", "--data", data, "--weights", weights, "-o", "sigma.csv")
        assert_one_line(ampose(*words), f"{weights}: gives no sigma")
    assert not LOG.exists()
    assert not Path("sigma.csv").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": 3}, "takes 3 frames; sigma is measured on single ones"),
        ({"channels": 2}, "takes 17 joints of 2 channels; open data has 17 of 3 or 4"),
    ],
)
def test_models_that_open_data_does_not_suit(
    ampose: Command, data: Path, changes: dict[str, int], message: str
) -> None:
    weights, _ = trained(Path("run"), **changes)
    said = ampose("eval-sigma", "cmu-val", "--data", data, "--weights", weights)
    assert_one_line(said, "run/model.safetensors", message)


def test_unknown_sets_and_bad_weights(ampose: Command, data: Path, onnx: Path) -> None:
    said = ampose("eval-sigma", "humaneva", "--data", data, "--weights", onnx)
    assert_one_line(said, "unknown set 'humaneva'", "cmu-val")
    assert_one_line(ampose("eval-sigma", "cmu-val", "--weights", onnx), "cmu.npz: no such file")
    for name in ("w.onnx", "w.safetensors"):
        Path(name).write_bytes(b"no weights")
        said = ampose("eval-sigma", "cmu-val", "--data", data, "--weights", name)
        assert_one_line(said, name)


def test_a_table_that_cannot_be_written(ampose: Command, data: Path, onnx: Path) -> None:
    Path("file").touch()
    said = ampose(
        "eval-sigma", "cmu-val", "--data", data, "--weights", onnx, "-o", "file/sigma.csv"
    )
    assert said.code == 2
    assert said.err.startswith("ampose: file/sigma.csv: cannot write the table")
    assert said.err.count("\n") == 1
    said = ampose("eval-sigma", "cmu-val", "--data", data, "--weights", onnx, "-o", ".")
    assert_one_line(said, "is a directory")


def test_onnx_needs_no_torch(data: Path, onnx: Path, tmp_path: Path) -> None:
    words = ("eval-sigma", "cmu-val", "--data", data, "--weights")
    assert without_torch(*words, onnx).code == 0
    weights, _ = trained(tmp_path / "run")
    said = without_torch(*words, weights)
    assert_one_line(said, "needs torch; install it with: pip install torch")
