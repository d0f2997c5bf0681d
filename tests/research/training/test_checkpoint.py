from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ampose.research.models.zoo import build
from ampose.research.training.checkpoint import (
    CHECKPOINT,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)
from tests.research.training.runs import TINY, names, same


def state(seed: int):
    """A model, its average and its optimiser after one step."""
    torch.manual_seed(seed)
    model, average = build(TINY.model), build(TINY.model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=seed / 100)
    model(torch.randn(2, 1, 17, 3)).sum().backward()
    optimiser.step()
    return model, average, optimiser


class TestCheckpoint:
    def test_restores_everything(self, tmp_path: Path) -> None:
        one, other = state(1), state(2)
        losses = [torch.tensor(0.1), torch.tensor(0.2)]
        save_checkpoint(tmp_path, 7, losses, *one)
        assert names(tmp_path) == [CHECKPOINT]
        assert load_checkpoint(tmp_path, *other) == (7, losses)
        assert same(one[0], other[0])
        assert same(one[1], other[1])
        first, second = one[2].state_dict(), other[2].state_dict()
        assert first["param_groups"] == second["param_groups"]
        for key, value in first["state"].items():
            assert all(torch.equal(value[k], second["state"][key][k]) for k in value)

    def test_without_one_nothing_is_done(self, tmp_path: Path) -> None:
        one, other = state(1), state(1)
        (tmp_path / f"{CHECKPOINT}.partial").write_bytes(b"half")
        assert load_checkpoint(tmp_path, *one) == (0, [])
        assert same(one[0], other[0])

    def test_a_failed_write_keeps_the_one_before(self, tmp_path: Path, monkeypatch) -> None:
        save_checkpoint(tmp_path, 7, [], *state(1))
        before = (tmp_path / CHECKPOINT).read_bytes()

        def full_disk(_state: object, path: Path) -> None:
            path.write_bytes(b"half")
            raise OSError("no space left")

        monkeypatch.setattr(torch, "save", full_disk)
        with pytest.raises(OSError, match="no space left"):
            save_checkpoint(tmp_path, 8, [], *state(2))
        assert (tmp_path / CHECKPOINT).read_bytes() == before

    @pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
    def test_a_truncated_one_is_named(self, tmp_path: Path, kept: float) -> None:
        path = tmp_path / CHECKPOINT
        save_checkpoint(tmp_path, 7, [], *state(1))
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content)) if 0 < kept < 1 else int(kept)])
        with pytest.raises(ValueError, match="damaged, or not of this run; remove it") as caught:
            load_checkpoint(tmp_path, *state(1))
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize("content", [{"step": 1}, [1, 2], 3])
    def test_another_file_is_named(self, tmp_path: Path, content: object) -> None:
        torch.save(content, tmp_path / CHECKPOINT)
        with pytest.raises(ValueError, match=r"checkpoint\.pt: damaged"):
            load_checkpoint(tmp_path, *state(1))


class TestWeights:
    def test_survive_a_file(self, tmp_path: Path) -> None:
        model = build(TINY.model)
        save_weights(model, tmp_path / "m.safetensors")
        assert names(tmp_path) == ["m.safetensors"]
        loaded = load_weights(tmp_path / "m.safetensors")
        assert same(model, loaded)
        assert loaded.config == TINY.model
        assert not loaded.training

    @pytest.mark.parametrize("content", [None, b"", b"no safetensors", b"\xff" * 100])
    def test_unreadable_files_are_refused(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "m.safetensors"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match="not a readable safetensors file") as caught:
            load_weights(path)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize(
        "metadata",
        [
            None,
            {"model": "bert", "config": "{}"},
            {"model": "ampose"},
            {"model": "ampose", "config": "{"},
            {"model": "ampose", "config": json.dumps({"colour": "blue"})},
            {"model": "ampose", "config": json.dumps({"width": 30})},
            {"model": "ampose", "config": "{}"},  # another size than the tensors
        ],
    )
    def test_weights_of_something_else_are_refused(self, tmp_path: Path, metadata) -> None:
        path = tmp_path / "m.safetensors"
        save_file({"a": torch.zeros(2)}, path, metadata)
        with pytest.raises(ValueError, match="not weights of a lifter of this package"):
            load_weights(path)

    def test_a_truncated_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "m.safetensors"
        save_weights(build(TINY.model), path)
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(ValueError, match="not a readable safetensors file"):
            load_weights(path)
