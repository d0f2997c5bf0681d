from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
import torch

from ampose.cli import evaluate as evaluate_command
from ampose.lifting.network import DEFAULT_WEIGHTS
from ampose.research.evaluation.open_protocol import evaluate, load_set
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.zoo import build
from ampose.research.training.checkpoint import load_weights, save_weights
from ampose.research.training.inference import torch_lifter
from tests.research.human36m_files import write_human36m
from tests.research.humaneva_files import write_humaneva
from tests.research.mpi_inf_3dhp_files import write_npz_test
from tests.research.packs import write_data, write_pack
from tests.research.training.commands import (
    Command,
    assert_one_line,
    command,
    steps_shown,
    without_torch,
)
from tests.research.training.runs import TINY

LOG = Path("results/test_log.csv")


@pytest.fixture
def ampose(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    monkeypatch.chdir(tmp_path)
    return command(monkeypatch, capfd)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    folder = tmp_path / "my-run"
    folder.mkdir()
    save_weights(build(TINY.model), folder / "model.safetensors")
    return folder / "model.safetensors"


def log() -> list[dict[str, str]]:
    with LOG.open(newline="") as file:
        return list(csv.DictReader(file))


def test_named_sets_with_the_built_in_weights(ampose: Command, data: Path) -> None:
    said = ampose("eval", "cmu-val", "hdm05", "--data", data, "--threads", 1)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines] == ["cmu-val"] * 8 + ["hdm05"] * 8
    assert all("template bones, exact" in lines[i] for i in (0, 1, 8, 9))
    assert all(line.endswith("mm  (40 frames)") for line in lines)
    digest = hashlib.sha256(DEFAULT_WEIGHTS.read_bytes()).hexdigest()
    assert [row["set"] for row in log()] == ["hdm05"] * 8  # the validation set is free to look at
    assert {row["model"] for row in log()} == {"ampose-open-small"}
    assert {row["sha256"] for row in log()} == {digest[:12]}


def test_every_set_shows_its_progress(
    ampose: Command, data: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = steps_shown(monkeypatch, evaluate_command)
    assert ampose("eval", "cmu-val", "hdm05", "--data", data, "--weights", weights).code == 0
    # 40 poses, with two kinds of bones, two of 2D and two focal lengths.
    steps = [(done, 320) for done in range(40, 321, 40)]
    assert told == {"score on cmu-val": steps, "score on hdm05": steps}


def test_the_validation_set_alone_is_not_logged(ampose: Command, data: Path) -> None:
    assert ampose("eval", "cmu-val", "--data", data).code == 0
    assert not LOG.exists()


def test_a_pack_by_its_path_needs_no_data_folder(ampose: Command, tmp_path: Path) -> None:
    said = ampose("eval", write_pack(tmp_path / "mine.npz"), "--log", "my_log.csv")
    assert said.code == 0
    assert said.out.startswith("mine       template bones, exact    2D, focal known  : MPJPE ")
    assert Path("my_log.csv").read_text().count("mine,all") == 8
    assert not LOG.exists()


def test_every_row_goes_into_the_table(ampose: Command, data: Path, weights: Path) -> None:
    said = ampose("eval", "hdm05", "--data", data, "--weights", weights, "--out", "t/scores.csv")
    assert said.code == 0
    assert said.out.endswith("All rows in t/scores.csv\n")
    lines = Path("t/scores.csv").read_text().splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    expected = {"model": "my-run", "sha256": digest, "protocol": "open-mocap v1", "seed": "0"}
    assert notes.items() >= expected.items()
    assert notes.keys() >= {"conventions", "ampose", "commit", "hardware", "day"}

    scores = evaluate(torch_lifter(load_weights(weights)), load_set("hdm05", data))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert rows == [{k: str(v) for k, v in score.row().items()} for score in scores]
    assert {row["group"] for row in rows} == {"all", "class squat", "source hdm05/bvh-own"}
    assert len(log()) == 8


def test_weights_in_the_working_folder_have_its_name(
    ampose: Command, data: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(weights.parent)
    assert ampose("eval", "hdm05", "--data", data, "--weights", weights.name).code == 0
    assert {row["model"] for row in log()} == {"my-run"}


@pytest.mark.parametrize("name", ["w.onnx", "w.safetensors", "w.pth"])
@pytest.mark.parametrize("content", [None, b"no weights"])
def test_bad_weights(ampose: Command, data: Path, name: str, content: bytes | None) -> None:
    if content:
        Path(name).write_bytes(content)
    assert_one_line(ampose("eval", "hdm05", "--data", data, "--weights", name), name)
    assert not LOG.exists()


def test_unknown_sets_and_missing_data(ampose: Command, data: Path) -> None:
    assert_one_line(ampose("eval", "h36m", "--data", data), "unknown set 'h36m'", "cmu-val")
    assert_one_line(ampose("eval", "cmu-val"), "cmu.npz: no such file", "--data")
    assert_one_line(ampose("eval", "mine.npz"), "mine.npz: no such file")


def test_a_table_that_cannot_be_written(ampose: Command, data: Path) -> None:
    Path("file").touch()
    said = ampose("eval", "cmu-val", "--data", data, "--out", "file/scores.csv")
    assert said.code == 2
    assert said.err.startswith("ampose: ")
    assert said.err.count("\n") == 1
    folder = ampose("eval", "cmu-val", "--data", data, "--out", ".")
    assert (folder.code, folder.out) == (2, "")


def test_without_scipy(data: Path) -> None:
    said = without_torch("eval", "cmu-val", "--data", data, missing="scipy")
    assert_one_line(said, "needs scipy", "install it with: pip install torch, then")


def test_onnx_needs_no_torch(ampose: Command, data: Path, weights: Path) -> None:
    assert without_torch("eval", "cmu-val", "--data", data).code == 0
    said = without_torch("eval", "cmu-val", "--data", data, "--weights", weights)
    assert_one_line(said, "needs torch; install it with: pip install torch")


def test_a_model_of_licensed_data_is_refused_on_open_data(
    ampose: Command, data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(build(AMPoseConfig(depth=1, width=16)), path)
    said = ampose("eval", "cmu-val", "--data", data, "--weights", path)
    assert_one_line(said, "takes 17 joints of 2 channels; open data has 17 of 3 or 4")


class TestLicensed:
    @pytest.fixture
    def trained(self, tmp_path: Path) -> Path:
        torch.manual_seed(0)
        path = tmp_path / "tiny-run" / "model.safetensors"
        path.parent.mkdir()
        save_weights(build(AMPoseConfig(depth=1, width=16, skeleton="humaneva_15")), path)
        return path

    def test_rows_and_what_they_need_beside_them(
        self, ampose: Command, trained: Path, tmp_path: Path
    ) -> None:
        data = write_humaneva(tmp_path / "humaneva")
        said = ampose("eval", "humaneva", "--data", data, "--weights", trained, "-o", "out.csv")
        assert (said.code, said.err) == (0, "")
        lines = Path("out.csv").read_text().splitlines()
        notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
        assert notes["model"] == "tiny-run"
        assert notes["data"].endswith(
            "frames, not checked: no frame counts of this dataset were published"
        )
        assert notes["mirrored test average"] == "True"
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        assert rows[-1]["action"] == rows[-1]["subject"] == "average"
        assert f"p_mpjpe {rows[-1]['p_mpjpe']}" in said.out.splitlines()[-2]
        assert not LOG.exists()

    def test_a_model_in_other_coordinates_is_refused(
        self, ampose: Command, weights: Path, tmp_path: Path
    ) -> None:
        said = ampose("eval", "human3.6m", "--data", tmp_path)
        assert_one_line(said, "human3.6m needs --weights RUN/model.safetensors")
        write_human36m(tmp_path, frames=1, keypoints=("gt",))
        said = ampose("eval", "human3.6m", "--data", tmp_path, "--weights", weights)
        assert_one_line(said, "takes 3 channels", "has 2")

    def test_one_dataset_at_a_time(self, ampose: Command, trained: Path) -> None:
        said = ampose("eval", "humaneva", "hdm05", "--weights", trained)
        assert_one_line(said, "humaneva hdm05: a licensed dataset is scored alone")

    def test_an_unknown_convention(self, ampose: Command, tmp_path: Path) -> None:
        torch.manual_seed(0)
        path = tmp_path / "model.safetensors"
        save_weights(build(AMPoseConfig(depth=1, width=16, skeleton="mpi_3dhp_17")), path)
        write_npz_test(tmp_path)
        words = ("eval", "mpi-inf-3dhp", "--data", tmp_path, "--weights", path)
        assert_one_line(ampose(*words, "--convention", "mine"), "unknown convention 'mine'")
        assert ampose(*words, "--convention", "d3dp", "--no-mirror").code == 0
