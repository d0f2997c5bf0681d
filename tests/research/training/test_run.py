from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ampose.cameras import look_at_person
from ampose.metrics import mpjpe, p_mpjpe
from ampose.research.evaluation.open_protocol import load_set
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES
from ampose.research.training import run
from ampose.research.training.checkpoint import load_weights
from tests.research.packs import write_data, write_pack
from tests.research.training.runs import TINY, names, same, tiny

ERRORS = {"exact_mpjpe", "exact_p_mpjpe", "detector_mpjpe", "detector_p_mpjpe"}


@pytest.fixture(autouse=True)
def _tiny_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


def nothing(_done: int, _total: int | None) -> None:
    pass


def test_trains_by_name(data: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    folder = tmp_path / "runs" / "a"
    scores = run.train_recipe(
        "tiny", data, folder, poses=20, seed=3, progress=lambda *x: told.append(x)
    )
    assert names(folder) == ["log.jsonl", "model.safetensors", "recipe.json", "run.json"]
    assert told == [(20, 20)]  # three steps of eight poses see a few more than asked
    recipe = json.loads((folder / "recipe.json").read_text())
    assert (recipe["poses"], recipe["seed"]) == (20, 3)
    circumstances = json.loads((folder / "run.json").read_text())
    assert circumstances.keys() == {"ampose", "commit", "hardware", "day", "torch", "device"}
    assert scores.keys() == ERRORS
    last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    assert {key: last[key] for key in ERRORS} == scores
    again = run.train_recipe("tiny", data, folder, poses=20, seed=3, progress=nothing)
    assert again == scores


def test_goes_on_after_ctrl_c(data: Path, tmp_path: Path, monkeypatch) -> None:
    run.train_recipe("tiny", data, tmp_path / "whole", progress=nothing)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.train_recipe("tiny", data, tmp_path / "cut", progress=interrupt)
    first = (tmp_path / "cut" / "run.json").read_text()
    run.train_recipe("tiny", data, tmp_path / "cut", progress=nothing)
    assert (tmp_path / "cut" / "run.json").read_text() == first
    assert same(*(load_weights(tmp_path / x / "model.safetensors") for x in ("whole", "cut")))


def test_unknown_recipes_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown recipe 'big'; known are open-small, open-large"):
        run.train_recipe("big", data, tmp_path / "run", progress=nothing)
    assert not (tmp_path / "run").exists()


def test_data_without_training_poses_is_refused(data: Path) -> None:
    for name in TINY.packs:
        write_pack(data / f"{name}.npz", split=np.array(["val"] * 4))
    with pytest.raises(ValueError, match="no frame of split 'train' in cmu, mesh2motion of"):
        run.load_sampler(TINY, data)


def test_the_sampler_draws_training_poses_of_every_pack(data: Path) -> None:
    """The packs are equal here, so every direction comes twice, and only from the first clip."""
    one, both = (run.load_sampler(tiny(packs=packs), data) for packs in (("cmu",), TINY.packs))
    assert len(one._directions) == 80
    np.testing.assert_array_equal(both._directions, np.tile(one._directions, (2, 1, 1)))


def test_validation_is_the_protocol_with_known_focal_length(data: Path) -> None:
    torch.manual_seed(0)
    model = build(TINY.model).eval()
    chosen = load_set("cmu-val", data)
    scores = run.validation_errors(model, chosen, "cpu")
    for kind in ("exact", "detector"):
        pixels = chosen.pixels["template", kind]
        rays = np.concatenate([pixels - (640, 480), np.ones_like(pixels[..., :1])], axis=-1)
        rays[..., :2] /= chosen.focal[:, None, None]
        inputs, turn = look_at_person(rays)
        with torch.no_grad():
            joints = model(torch.from_numpy(inputs)[:, None]).numpy().astype(float)
        camera = np.einsum("nji,nkj->nki", turn, joints - joints[:, :1])
        target = chosen.joints["template"]
        assert scores[f"{kind}_mpjpe"] == pytest.approx(mpjpe(camera, target), abs=0.02)
        assert scores[f"{kind}_p_mpjpe"] == pytest.approx(p_mpjpe(camera, target), abs=0.02)
