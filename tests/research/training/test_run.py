from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ampose.cameras import look_at_person
from ampose.geometry import rotate
from ampose.metrics import mpjpe, p_mpjpe
from ampose.research.data.human36m import load_human36m
from ampose.research.evaluation.licensed import predict as predict_set
from ampose.research.evaluation.open_protocol import load_set
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.videopose3d import VideoPose3DConfig
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, Licensed
from ampose.research.training import run
from ampose.research.training.checkpoint import load_weights
from tests.research.human36m_files import write_human36m
from tests.research.humaneva_files import write_humaneva
from tests.research.packs import walking, write_data, write_pack
from tests.research.training.runs import REFINED, TINY, WINDOWS, names, same

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
    assert names(folder) == [
        *("log.jsonl", "model.safetensors", "recipe.json", "run.json", "tensorboard")
    ]
    assert told == [(24, 24)]  # whole batches of 8
    recipe = json.loads((folder / "recipe.json").read_text())
    assert (recipe["poses"], recipe["seed"]) == (20, 3)
    circumstances = json.loads((folder / "run.json").read_text())
    assert circumstances.keys() == {
        *("ampose", "commit", "hardware", "day", "torch", "device", "processes", "data"),
        "packs_sha256",
    }
    assert circumstances["packs_sha256"] == {
        name: hashlib.sha256((data / f"{name}.npz").read_bytes()).hexdigest()
        for name in ("cmu", "mesh2motion")
    }
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
    for name in TINY.data.packs:
        write_pack(data / f"{name}.npz", split=np.array(["val"] * 4))
    with pytest.raises(ValueError, match="no frame of split 'train' in cmu, mesh2motion of"):
        run.load_sampler(TINY.data, data, TINY.model)


def test_every_pack_must_have_been_trained_on(data: Path) -> None:
    write_pack(data / "mesh2motion.npz", split=np.array(["val"] * 4))
    with pytest.raises(ValueError, match="no frame of split 'train' in mesh2motion of"):
        run.load_sampler(TINY.data, data, TINY.model)


class TestFewerPacks:
    def test_are_trained_on_and_named_in_the_run_folder(self, data: Path, tmp_path: Path) -> None:
        prepared = run.prepare(run.resolved("tiny", packs=["cmu"]), data, "cpu")
        assert prepared.source.poses == 80
        folder = tmp_path / "run"
        run.train_recipe("tiny", data, folder, packs=["cmu"], progress=nothing)
        recipe = json.loads((folder / "recipe.json").read_text())
        assert recipe["data"]["packs"] == ["cmu"]
        with pytest.raises(ValueError, match="another recipe"):
            run.train_recipe("tiny", data, folder, progress=nothing)

    def test_all_of_them_are_the_recipe_itself(self) -> None:
        assert run.resolved("tiny", packs=["mesh2motion", "cmu", "cmu"]) == TINY
        assert run.resolved("tiny", packs=[]) == TINY

    def test_other_options_stay(self) -> None:
        held = run.resolved("tiny", held_out="fold", packs=["mesh2motion"])
        expected = replace(TINY.data, held_out="fold", packs=("mesh2motion",))
        assert held == replace(TINY, data=expected)

    def test_a_pack_that_is_missing(self, data: Path) -> None:
        (data / "mesh2motion.npz").unlink()
        with pytest.raises(
            ValueError, match=r"mesh2motion\.npz: no such file.*ampose train --pack cmu"
        ):
            run.prepare(TINY, data, "cpu")
        (data / "cmu.npz").unlink()  # every run is validated on it
        with pytest.raises(ValueError, match=r"cmu\.npz: no such file.*--data$"):
            run.prepare(TINY, data, "cpu")


def test_the_sampler_draws_training_poses_of_every_pack(data: Path) -> None:
    """The packs are equal here, so every direction comes twice, and only from the first clip."""
    one, both = (
        run.load_sampler(replace(TINY.data, packs=packs), data, TINY.model)
        for packs in (("cmu",), TINY.data.packs)
    )
    assert len(one._directions) == 80
    np.testing.assert_array_equal(both._directions, np.tile(one._directions, (2, 1, 1)))


def test_the_fold_is_scored_and_not_trained_on(data: Path, tmp_path: Path) -> None:
    splits, subjects = (
        np.array(["train", "train", "val", "train"]),
        np.array(["1", "49", "8", "139"]),
    )
    write_pack(data / "cmu.npz", split=splits, subject=subjects)
    recipe = run.resolved("tiny", held_out="fold")
    prepared = run.prepare(recipe, data, "cpu")
    assert prepared.source.poses == 80 + 80  # clip 0, and the other pack's
    torch.manual_seed(0)
    model = build(TINY.model).eval()
    scores = prepared.validate(model)
    assert scores.keys() == ERRORS | {f"fold_{name}" for name in ERRORS}
    fold = run.validation_errors(model, load_set("cmu-fold", data), "cpu")
    assert {name: scores[f"fold_{name}"] for name in ERRORS} == fold
    assert scores["exact_mpjpe"] != scores["fold_exact_mpjpe"]
    trained = run.train_recipe(
        "tiny", data, tmp_path / "run", poses=20, held_out="fold", progress=nothing
    )
    assert trained.keys() == scores.keys()


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


class TestSeveralFrames:
    """Temporal lifters on open motion, from the recipe to the scores."""

    @pytest.fixture
    def walks(self, tmp_path: Path) -> Path:
        return write_data(tmp_path / "walks", **walking())

    @pytest.mark.parametrize(
        "model",
        [
            AMPoseConfig(depth=1, width=16, frames=9, channels=3),
            VideoPose3DConfig(width=16, filters=(3, 3), frames=9, channels=3),
        ],
        ids=["ampose", "videopose3d"],
    )
    def test_are_trained_and_scored(
        self, walks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model
    ) -> None:
        monkeypatch.setitem(RECIPES, "tiny", replace(TINY, model=model))
        scores = run.train_recipe("tiny", walks, tmp_path / "run", progress=nothing)
        assert scores.keys() == ERRORS
        assert all(0 < error < 1e6 for error in scores.values())
        trained = load_weights(tmp_path / "run" / "model.safetensors")
        assert run.validation_errors(trained, load_set("cmu-val", walks), "cpu") == scores

    def test_the_sampler_draws_windows_of_the_training_clips(self, walks: Path) -> None:
        """Two packs, each with one training clip of 80 frames; their tracks lie end to end."""
        sampler = run.load_sampler(TINY.data, walks, replace(TINY.model, frames=9))
        assert (sampler.frames, sampler.poses) == (9, 160)
        track, root = sampler._track, walking()["root"][:80]
        assert track.starts.tolist() == [0, 80, 160]
        np.testing.assert_array_equal(track.root, np.concatenate([root, root]))
        prepared = run.prepare(replace(TINY, model=replace(TINY.model, frames=9)), walks, "cpu")
        plan = TINY.plan(prepared.source.poses)
        assert prepared.source.step(plan, 0, 0).inputs.shape == (8, 9, 17, 3)

    def test_validation_is_on_the_windows_of_the_protocol(self, walks: Path) -> None:
        torch.manual_seed(0)
        model = build(replace(TINY.model, frames=9)).eval()
        chosen = load_set("cmu-val", walks)
        scores = run.validation_errors(model, chosen, "cpu")
        for kind in ("exact", "detector"):
            pixels = chosen.windows("template", kind, 9, slice(0, 40))
            rays = np.concatenate([pixels - (640, 480), np.ones_like(pixels[..., :1])], axis=-1)
            rays[..., :2] /= chosen.focal[:, None, None, None]
            inputs, turn = look_at_person(rays, view=4)
            with torch.no_grad():
                joints = model(torch.from_numpy(inputs)).numpy().astype(float)
            camera = rotate(joints - joints[:, :1], np.swapaxes(turn, -1, -2))
            target = chosen.joints["template"]
            assert scores[f"{kind}_mpjpe"] == pytest.approx(mpjpe(camera, target), abs=0.02)

    def test_packs_without_root_are_refused(self, walks: Path) -> None:
        write_pack(walks / "mesh2motion.npz", **walking() | {"root": None})
        run.load_sampler(TINY.data, walks, TINY.model)
        with pytest.raises(ValueError, match="mesh2motion: lacks root"):
            run.load_sampler(TINY.data, walks, replace(TINY.model, frames=9))


@pytest.fixture(scope="module")
def human36m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_human36m(tmp_path_factory.mktemp("human36m"), frames=1)


class TestLicensed:
    """On generated files, whose run folders must be temporary, as pytest's are."""

    @pytest.fixture(autouse=True)
    def _recipes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        short = replace(WINDOWS, epochs=1, batch=512)
        monkeypatch.setitem(RECIPES, "windows", short)
        monkeypatch.setitem(RECIPES, "refined", replace(REFINED, epochs=1, batch=512))

    def train(self, name: str, data: Path, folder: Path, **options: object) -> object:
        return run.train_recipe(name, data, folder, progress=nothing, **options)

    def test_a_table_run_trains_on_all_five_subjects_and_validates_on_none(
        self, human36m: Path, tmp_path: Path
    ) -> None:
        assert self.train("windows", human36m, tmp_path / "windows") == {}
        record = json.loads((tmp_path / "windows" / "run.json").read_text())
        assert (record["data"], record["packs_sha256"]) == ("generated or partial", {})
        source = run.prepare(RECIPES["windows"], human36m, "cpu").source
        train = load_human36m(human36m)
        assert set(train.subjects) == {"S1", "S5", "S6", "S7", "S8"}
        assert source.poses == 2 * len(train)

    def test_a_held_out_subject_is_validated_on_instead(
        self, human36m: Path, tmp_path: Path
    ) -> None:
        held = self.train("windows", human36m, tmp_path / "windows", held_out="S8")
        assert held.keys() == {"mpjpe", "p_mpjpe"}
        recipe = run.resolved("windows", held_out="S8")
        prepared = run.prepare(recipe, human36m, "cpu")
        train = load_human36m(human36m)
        rest = train.only(train.subjects != "S8")
        assert prepared.source.poses == 2 * len(rest)
        model = load_weights(tmp_path / "windows" / "model.safetensors")
        s8 = train.only(train.subjects == "S8")
        predicted = predict_set(model, s8, mirror=True)
        assert held["mpjpe"] == pytest.approx(mpjpe(predicted, s8.targets), abs=0.01)

    def test_a_subject_that_is_not_there_cannot_be_held_out(self, human36m: Path, tmp_path: Path):
        with pytest.raises(ValueError, match=r"cannot hold out S9; .* S1, S5, S6, S7, S8"):
            self.train("windows", human36m, tmp_path / "windows", held_out="S9")
        with pytest.raises(ValueError, match=r"tiny can hold out 'fold', .* not S8"):
            self.train("tiny", human36m, tmp_path / "tiny", held_out="S8")

    def test_the_refiner_starts_from_the_trained_network(
        self, human36m: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(ValueError, match="refined starts from windows, which is not in"):
            self.train("refined", human36m, tmp_path / "refined")
        self.train("windows", human36m, tmp_path / "windows")
        self.train("refined", human36m, tmp_path / "refined", learning_rate=0.0)
        base = load_weights(tmp_path / "windows" / "model.safetensors")
        refined = load_weights(tmp_path / "refined" / "model.safetensors")
        assert same(refined.base, base)  # with learning rate 0 nothing moved

    def test_runs_on_unofficial_data_stay_in_temporary_folders(
        self, human36m: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
        with pytest.raises(ValueError, match=r"not the complete published one .* under"):
            self.train("windows", human36m, tmp_path / "runs")
        assert not (tmp_path / "runs").exists()

    def test_humaneva_has_no_published_counts_and_may_go_anywhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
        model = AMPoseConfig(depth=1, width=16, skeleton="humaneva_15")
        recipe = replace(WINDOWS, model=model, data=Licensed("humaneva"), epochs=1, batch=512)
        monkeypatch.setitem(RECIPES, "windows", recipe)
        data = write_humaneva(tmp_path / "humaneva")
        assert self.train("windows", data, tmp_path / "runs") == {}
        record = json.loads((tmp_path / "runs" / "run.json").read_text())
        assert record["data"].startswith("not checked")

    def test_lengths_of_the_wrong_kind_are_refused(self, human36m: Path, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="windows counts epochs; give --epochs instead"):
            self.train("windows", human36m, tmp_path / "run", poses=5)
        with pytest.raises(ValueError, match="tiny counts poses; give --poses instead"):
            self.train("tiny", human36m, tmp_path / "run", epochs=5)
