"""Runs shared by processes; also the program of the two processes that the last test starts."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from ampose.research.recipes import Recipe
from ampose.research.training import loop
from ampose.research.training.checkpoint import CHECKPOINT, load_weights
from ampose.research.training.distributed import World, joined
from ampose.research.training.loop import train, train_step
from tests.research.training.runs import REFINED, WINDOWS, names, source, tiny

UNEVEN = tiny(batch=7, poses=12 * 7)
"""Shares of four and three samples."""

EPOCHS = replace(WINDOWS, batch=9)
"""46 samples: in the last step of an epoch, shares of one and none."""

ORACLE = replace(REFINED, model=replace(REFINED.model, dropout=0.0))

FINISHED = ["log.jsonl", "model.safetensors", "recipe.json", "tensorboard"]


class TestAlone:
    def test_without_torchrun_a_process_is_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with joined() as world:
            assert world == World(rank=0, size=1, device="cpu")
            assert not distributed.is_initialized()

    def test_one_process_of_torchrun_is_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WORLD_SIZE", "1")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        with joined() as world:
            assert world == World(rank=0, size=1, device="cuda")
            assert not distributed.is_initialized()

    def test_a_world_that_is_not_torchruns_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.delenv("LOCAL_RANK", raising=False)
        with pytest.raises(ValueError, match="LOCAL_RANK is not set; start with torchrun"):
            joined().__enter__()

    def test_has_nobody_to_wait_for(self) -> None:
        world, model, value = World(), nn.Linear(1, 1), torch.tensor(3.0)
        assert world.first
        assert world.wrap(model) is model
        assert world.summed(value) is value
        world.wait()

    def test_the_first_is_number_0(self) -> None:
        assert [World(rank, 3).first for rank in range(3)] == [True, False, False]


def test_two_processes_train_what_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With uneven shares, over epochs, refined, interrupted, and begun by one process."""
    monkeypatch.setattr(loop, "RECORD_STEPS", 5)
    expected = tmp_path / "one"
    for recipe in (UNEVEN, EPOCHS, ORACLE):
        run(recipe, expected / recipe.name, World())
    shared = tmp_path / "two"
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", interrupted(5))
        with pytest.raises(KeyboardInterrupt):
            run(UNEVEN, shared / "begun-by-one", World())
    assert torch.load(shared / "begun-by-one" / CHECKPOINT)["step"] == 6

    launch = "-m torch.distributed.run --standalone --local-addr 127.0.0.1 --nproc-per-node 2 -m"
    done = subprocess.run(
        [sys.executable, *launch.split(), __name__, shared],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert names(shared) == ["begun-by-one", "interrupted", "refined", "tiny", "windows"]
    for folder, recipe in (
        *((shared / recipe.name, recipe) for recipe in (UNEVEN, EPOCHS, ORACLE)),
        *((shared / name, UNEVEN) for name in ("interrupted", "begun-by-one")),
    ):
        assert names(folder) == FINISHED
        assert_same_run(folder, expected / recipe.name)


def assert_same_run(one: Path, other: Path) -> None:
    """Equal up to the order of sums: every record, and every weight that has a gradient."""
    text = [(folder / "recipe.json").read_text() for folder in (one, other)]
    assert text[0] == text[1]
    logs = [
        [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        for folder in (one, other)
    ]
    for record, wanted in zip(*logs, strict=True):
        assert record.keys() == wanted.keys()
        # The log rounds to three decimals; the rounding may fall to either side.
        assert record == pytest.approx(wanted, rel=1e-6, abs=0.0011)
    models = [load_weights(folder / "model.safetensors") for folder in (one, other)]
    states = [seen_by_the_loss(model) for model in models]
    assert states[0].keys() == states[1].keys()
    for name, weights in states[0].items():
        torch.testing.assert_close(weights, states[1][name], rtol=0, atol=1e-6, msg=name)


def seen_by_the_loss(model: nn.Module) -> dict[str, torch.Tensor]:
    """The weights that have a gradient; that of others is rounding, which Adam makes large.

    Softmax does not see the keys' bias, and a loss of root-relative poses no common offset.
    """
    seen = {}
    for name, weights in model.state_dict().items():
        if name.endswith("qkv.bias"):
            queries, _, values = weights.chunk(3)
            seen[name] = torch.cat([queries, values])
        elif name not in ("base.norm.bias", "base.head.bias"):
            seen[name] = weights
    return seen


def run(recipe: Recipe, folder: Path, world: World) -> nn.Module:
    head = "base.head.weight" if recipe is ORACLE else "head.weight"
    return train(
        recipe,
        source(recipe),
        folder,
        validate=lambda model: {"head": float(model.get_parameter(head).norm())},
        report=lambda *_: None,
        world=world,
    )


def interrupted(at: int):
    """`train_step`, but Ctrl-C comes to every process in the middle of one step, from 0."""
    steps = itertools.count()

    def step(*arguments):
        if next(steps) == at:
            signal.raise_signal(signal.SIGINT)
        return train_step(*arguments)

    return step


def refuse(*_: object) -> None:
    raise AssertionError("only the first process writes, validates and reports")


def main(folder: Path) -> None:
    """One of two processes."""
    loop.RECORD_STEPS = 5
    with joined() as world:
        assert world == World(int(os.environ["RANK"]), 2, "cpu")
        if not world.first:
            for name in ("claim_folder", "Records", "save_checkpoint", "save_weights"):
                setattr(loop, name, refuse)
        for recipe in (UNEVEN, EPOCHS, ORACLE):
            model = run(recipe, folder / recipe.name, world)
            mine = nn.utils.parameters_to_vector(model.parameters())
            first = mine.clone()
            distributed.broadcast(first, 0)
            assert torch.equal(mine, first)
        loop.train_step = interrupted(5)
        try:
            run(UNEVEN, folder / "interrupted", world)
        except KeyboardInterrupt:
            world.wait()  # as a new start does: the first process writes the checkpoint
        else:
            raise AssertionError("not interrupted")
        assert torch.load(folder / "interrupted" / CHECKPOINT)["step"] == 6
        world.wait()
        for name in ("interrupted", "begun-by-one"):
            run(UNEVEN, folder / name, world)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
