from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ampose.research.recipes import RECIPES
from ampose.research.training import run
from ampose.research.training.checkpoint import load_weights
from tests.research.packs import write_data
from tests.research.training.commands import Command, assert_one_line, command, without_torch
from tests.research.training.runs import TINY, names, same


@pytest.fixture(autouse=True)
def _tiny_recipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ampose(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return command(monkeypatch, capfd)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


def test_trains_a_recipe(ampose: Command, data: Path) -> None:
    said = ampose("train", "tiny", "--data", data, "--poses", 16, "--seed", 5, "--threads", 1)
    assert (said.code, said.err) == (0, "")
    folder = Path("runs") / "tiny"
    assert {"log.jsonl", "model.safetensors", "recipe.json", "run.json"} <= set(names(folder))
    last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    errors = f"exact_mpjpe {last['exact_mpjpe']} mm"
    assert said.out.startswith(f"Done: runs/tiny/model.safetensors; validation: {errors}, exact_p")
    assert said.out.count("\n") == 1
    recipe = json.loads((folder / "recipe.json").read_text())
    assert (recipe["poses"], recipe["seed"]) == (16, 5)


def test_ctrl_c_saves_and_the_same_command_goes_on(
    ampose: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ampose("train", "tiny", "--data", data, "--out", "whole").code == 0

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    words = ("train", "tiny", "--data", data, "--out", "cut")
    with monkeypatch.context() as patch:
        patch.setattr(run, "validation_errors", interrupt)
        said = ampose(*words)
    assert said.code == 130
    assert said.out == "Saved in cut; the same command goes on from there.\n"
    assert "checkpoint.pt" in names(Path("cut"))
    assert ampose(*words).code == 0
    assert same(*(load_weights(Path(f) / "model.safetensors") for f in ("whole", "cut")))
    assert Path("cut/log.jsonl").read_text() == Path("whole/log.jsonl").read_text()


def test_ctrl_c_before_the_start_claims_nothing(
    ampose: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "load_sampler", interrupt)
    said = ampose("train", "tiny", "--data", data, "--out", "cut")
    assert said.code == 130
    assert "Saved" not in said.out
    assert not Path("cut").exists()


def test_unknown_recipes(ampose: Command, data: Path) -> None:
    said = ampose("train", "huge", "--data", data)
    assert_one_line(said, "unknown recipe 'huge'; known are open-small, open-large, martinez")
    assert not Path("runs").exists()


def test_missing_data(ampose: Command, tmp_path: Path) -> None:
    said = ampose("train", "tiny", "--data", tmp_path / "nowhere")
    assert_one_line(said, f"{tmp_path}/nowhere/cmu.npz: no such file", "--data")


def test_fewer_packs(ampose: Command, data: Path) -> None:
    (data / "mesh2motion.npz").unlink()
    words = ("train", "tiny", "--data", data, "--poses", 8)
    assert_one_line(ampose(*words), "mesh2motion.npz: no such file", "ampose train --pack cmu")
    assert not Path("runs").exists()
    assert ampose(*words, "--pack", "cmu").code == 0
    recipe = json.loads(Path("runs/tiny/recipe.json").read_text())
    assert recipe["data"]["packs"] == ["cmu"]


def test_packs_that_a_recipe_does_not_have(ampose: Command, data: Path) -> None:
    words = ("--data", data, "--pack", "cmu", "--pack", "hdm05")
    known = "tiny trains on no pack 'hdm05'; --pack takes cmu, mesh2motion"
    assert_one_line(ampose("train", "tiny", *words), known)
    licensed = "h36m-cpn-17 trains on human3.6m, not on packs; leave out --pack"
    assert_one_line(ampose("train", "h36m-cpn-17", *words), licensed)
    assert not Path("runs").exists()


def test_a_folder_of_another_run(ampose: Command, data: Path) -> None:
    words = ("train", "tiny", "--data", data, "--out", "run", "--poses", 8)
    assert ampose(*words).code == 0
    assert_one_line(ampose(*words, "--seed", 1), "run holds a run of another recipe; give --out")


def test_a_damaged_checkpoint(ampose: Command, data: Path) -> None:
    Path("run").mkdir()
    Path("run/checkpoint.pt").write_bytes(b"PK\x03\x04cut")
    said = ampose("train", "tiny", "--data", data, "--out", "run")
    assert_one_line(said, "run/checkpoint.pt: damaged, or not of this run; remove it")


def test_a_run_folder_that_is_a_file(ampose: Command, data: Path) -> None:
    Path("run").touch()
    assert_one_line(ampose("train", "tiny", "--data", data, "--out", "run"), "run")


@pytest.mark.parametrize("flag", ["--poses=0", "--seed=-1", "--workers=0"])
def test_numbers_out_of_range(ampose: Command, data: Path, flag: str) -> None:
    said = ampose("train", "tiny", "--data", data, flag)
    assert said.code == 2
    assert flag.partition("=")[0] in said.err
    assert not Path("runs").exists()


def test_list_needs_nothing_else(ampose: Command) -> None:
    said = ampose("train", "--list")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines] == list(RECIPES)
    assert lines[0].endswith(
        "AMPose of width 104: 8,000,000 poses of open motion, batch 128, learning rate 0.004"
    )
    (thesis,) = (line for line in lines if line.startswith("h36m-cpn-17 "))
    assert thesis.endswith(
        "AMPose of width 512: 60 epochs of human3.6m, cpn_ft_h36m_dbb, batch 128, "
        "learning rate 2.5e-05"
    )


@pytest.mark.parametrize(
    "words", [("train", "open-small", "--data", "x"), ("package", "run", "--data=x", "--out=y")]
)
def test_without_torch_it_says_how_to_install_it(words: tuple[str, ...]) -> None:
    install = 'needs torch; install it with: pip install torch, then pip install "ampose[train]"'
    assert_one_line(without_torch(*words), install)
