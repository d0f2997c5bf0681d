from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ampose.cli.evaluate import load_lifter
from ampose.files import sha256_of
from ampose.lifting import Lifter, load_network
from ampose.research.data.open_mocap import PackError
from ampose.research.evaluation.open_protocol import evaluate, load_set, predict
from ampose.research.evaluation.uncertainty import fitted_calibration
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.uncertain import UncertainConfig
from ampose.research.models.zoo import build
from ampose.research.packaging import package_run
from ampose.research.recipes import RECIPES
from ampose.research.training.checkpoint import load_weights, save_weights
from ampose.research.training.inference import torch_lifter, torch_lifter_with_sigma
from ampose.research.training.run import train_recipe
from tests.research.packs import write_data
from tests.research.training.runs import TINY, names


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, a finished run of it and its package."""
    folder = tmp_path_factory.mktemp("packaging")
    data = write_data(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "tiny", TINY)
        patch.setattr(torch.cuda, "is_available", lambda: False)
        train_recipe("tiny", data, folder / "run", progress=lambda *_: None)
    out = folder / "out" / "my-tiny.onnx"
    difference = package_run(folder / "run", data, out, folder / "log.csv")
    assert 0 <= difference < 1e-4
    return folder


@pytest.fixture(scope="module")
def card(folder: Path) -> dict:
    return json.loads((folder / "out" / "my-tiny.json").read_text())


def test_the_product_takes_the_package(folder: Path) -> None:
    assert names(folder / "out") == ["my-tiny.json", "my-tiny.onnx"]
    network = load_network(folder / "out" / "my-tiny.onnx", threads=1)
    inputs = np.random.default_rng(0).normal(size=(9, 17, 3)).astype(np.float32)
    lift = torch_lifter(load_weights(folder / "run" / "model.safetensors"))
    np.testing.assert_allclose(network.run(inputs)[0], lift(inputs), atol=1e-4)


def test_a_lifter_that_knows_how_sure_it_is(folder: Path) -> None:
    """Trained on top of another, calibrated on the validation subjects, with both in the card."""
    data = folder / "data"
    recipe = replace(
        TINY, name="sure", model=UncertainConfig(TINY.model), loss="likelihood", start_from="run"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "sure", recipe)
        patch.setattr(torch.cuda, "is_available", lambda: False)
        train_recipe("sure", data, folder / "sure", progress=lambda *_: None)
    path = folder / "sure-out" / "sure.onnx"
    assert package_run(folder / "sure", data, path, folder / "sure.csv") < 1e-4
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["starts_from"]["model_sha256"] == sha256_of(folder / "run/model.safetensors")
    assert card["starts_from"]["recipe"]["name"] == "tiny"
    model = load_weights(folder / "sure" / "model.safetensors")
    chosen = load_set("cmu-val", data)
    factors = fitted_calibration(torch_lifter_with_sigma(model), chosen)
    np.testing.assert_allclose(card["sigma"]["factors"], factors, atol=1e-3)
    network = load_network(path, threads=1)
    inputs = np.random.default_rng(0).normal(size=(9, 17, 3)).astype(np.float32)
    joints, sigma = network.run(inputs)
    pose, before = torch_lifter_with_sigma(model)(inputs)
    np.testing.assert_allclose(joints, pose, atol=1e-4)
    np.testing.assert_allclose(sigma, before * factors, rtol=1e-3)
    again = fitted_calibration(network.run, chosen)
    np.testing.assert_allclose(again, 1, atol=0.05)  # few frames: a plateau


def test_the_card_says_what_the_weights_are(folder: Path, card: dict) -> None:
    assert card["name"] == "my-tiny"
    assert card["recipe"] == json.loads((folder / "run" / "recipe.json").read_text())
    assert card["trained"] == json.loads((folder / "run" / "run.json").read_text())
    assert card["model_sha256"] == sha256_of(folder / "run" / "model.safetensors")
    model = load_weights(folder / "run" / "model.safetensors")
    assert card["parameters"] == sum(p.numel() for p in model.parameters())
    assert card["data"]["packs"] == ["cmu", "mesh2motion"]
    assert card["input"] == {
        "skeleton": "h36m_17",
        "frames": 1,
        "channels": 3,
        "normalisation": "look_at_person",
        "missing": "all channels 0",
    }
    assert card["licence"] == "Apache-2.0"
    assert "mocap.cs.cmu.edu" in card["credit"]
    assert "Mesh2Motion" in card["credit"]
    assert all(card[key] for key in ("packaged_by", "protocol"))


@pytest.mark.parametrize("first", ["cmu", "mesh2motion"])
def test_the_card_names_the_packs_that_were_trained_on(
    folder: Path, tmp_path: Path, first: str
) -> None:
    """Those of the run and of the one that it starts from, and credits no other."""
    sure = replace(
        TINY, name="sure", model=UncertainConfig(TINY.model), loss="likelihood", start_from="tiny"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "tiny", TINY)
        patch.setitem(RECIPES, "sure", sure)
        patch.setattr(torch.cuda, "is_available", lambda: False)
        for name, pack in (("tiny", first), ("sure", "cmu")):
            train_recipe(
                *(name, folder / "data", tmp_path / name),
                poses=8,
                packs=[pack],
                progress=lambda *_: None,
            )
    path = tmp_path / "out" / "sure.onnx"
    package_run(tmp_path / "sure", folder / "data", path, tmp_path / "log.csv")
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["data"]["packs"] == list(dict.fromkeys(["cmu", first]))
    assert "mocap.cs.cmu.edu" in card["credit"]
    assert ("Mesh2Motion" in card["credit"]) == (first == "mesh2motion")


def test_the_card_holds_the_scores_as_numbers(folder: Path, card: dict) -> None:
    lift = torch_lifter(load_weights(folder / "run" / "model.safetensors"))
    expected = [
        score.row()
        for name in ("cmu-val", "cmu-test", "hdm05")
        for score in evaluate(lift, load_set(name, folder / "data"), groups=False)
    ]
    assert card["measured_mm"] == expected
    assert all(isinstance(row["mpjpe"], float) for row in expected)


def test_looks_at_test_sets_are_logged(folder: Path) -> None:
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["set"] for row in rows] == ["cmu-test"] * 8 + ["hdm05"] * 8
    assert {row["model"] for row in rows} == {"my-tiny"}


def test_what_cannot_be_packaged_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out" / "m.onnx", tmp_path / "log.csv"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"holds no model\.safetensors; the run is not finished"):
        package_run(tmp_path / "empty", folder / "data", out, log)
    with pytest.raises(PackError, match=r"cmu\.npz: no such file"):
        package_run(folder / "run", tmp_path / "empty", out, log)
    with pytest.raises(ValueError, match=r"m\.json: the file to write must end in \.onnx"):
        package_run(folder / "run", folder / "data", out.with_suffix(".json"), log)
    assert names(tmp_path) == ["empty"]


def test_windows_are_refused(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    model = build(AMPoseConfig(depth=1, width=16, channels=3, frames=3))
    save_weights(model, run / "model.safetensors")
    for name in ("recipe.json", "run.json"):
        (run / name).write_text((folder / "run" / name).read_text())
    with pytest.raises(ValueError, match=r"takes 3 frames; the product lifts single ones"):
        package_run(run, folder / "data", tmp_path / "x.onnx", tmp_path / "log.csv")


def test_a_network_that_sees_how_large_the_person_is(folder: Path, tmp_path: Path) -> None:
    """Trained, packaged and lifted with four channels; scores are those of the trained network."""
    data = folder / "data"
    recipe = replace(TINY, name="sized", model=replace(TINY.model, channels=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "sized", recipe)
        patch.setattr(torch.cuda, "is_available", lambda: False)
        train_recipe("sized", data, tmp_path / "sized", progress=lambda *_: None)
    path = tmp_path / "out" / "sized.onnx"
    package_run(tmp_path / "sized", data, path, tmp_path / "log.csv")
    assert json.loads(path.with_suffix(".json").read_text())["input"]["channels"] == 4
    chosen = load_set("cmu-val", data)
    model = load_weights(tmp_path / "sized" / "model.safetensors")
    _, _, lift = load_lifter(path, 1)
    for one, other in zip(
        evaluate(lift, chosen, groups=False),
        evaluate(torch_lifter(model), chosen, groups=False),
        strict=True,
    ):
        assert one.mpjpe == pytest.approx(other.mpjpe, abs=0.05)
    pixels = chosen.pixels["template", "exact"][:1]
    sequence = Lifter(path, threads=1).lift(pixels, image_size=(1280, 960))
    expected = predict(lift, replace(chosen, focal=chosen.focal[:1]), pixels, focal="unknown")
    np.testing.assert_allclose(sequence.joints[0], expected, atol=1e-4)
