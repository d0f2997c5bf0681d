from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ampose.research.recipes import RECIPES
from ampose.research.reproduction import runs
from ampose.research.reproduction.runs import (
    Progress,
    Training,
    first_of,
    is_finished,
    last_validation,
    require_official,
    run_facts,
    run_folder,
    validations,
)
from ampose.research.training.checkpoint import load_weights
from tests.research.packs import write_data
from tests.research.reproduction.runs import silent, write_run

OPEN = replace(RECIPES["open"], poses=8, batch=8)


def test_folders_are_named_after_recipe_and_seed() -> None:
    assert run_folder(Path("r"), OPEN) == Path("r/open")
    assert run_folder(Path("r"), replace(OPEN, seed=2)) == Path("r/open-seed2")


class TestFinished:
    def test_with_weights_and_the_same_recipe(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path, OPEN)
        assert is_finished(folder, OPEN)
        (folder / "model.safetensors").unlink()
        assert not is_finished(folder, OPEN)
        assert not is_finished(tmp_path / "nothing", OPEN)

    @pytest.mark.parametrize(
        "other",
        [
            {"seed": 1},
            {"poses": 9},
            {"learning_rate": 1e-3},
            {"model": replace(OPEN.model, heads=2)},
            {"data": replace(OPEN.data, packs=("cmu",))},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_another_recipe_is_refused(self, tmp_path: Path, other: dict[str, object]) -> None:
        folder = write_run(tmp_path, OPEN)
        with pytest.raises(ValueError, match=r"open holds a run of another recipe .*--runs"):
            is_finished(folder, replace(OPEN, **other))

    def test_a_run_on_fewer_packs_is_not_the_recipes(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path, replace(OPEN, data=replace(OPEN.data, packs=("cmu",))))
        with pytest.raises(ValueError, match="open holds a run of another recipe"):
            is_finished(folder, OPEN)

    def test_a_recipe_from_before_an_option_existed(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path, OPEN)
        stored = json.loads((folder / "recipe.json").read_text())
        del stored["start_from"], stored["model"]["toes"]
        (folder / "recipe.json").write_text(json.dumps(stored))
        assert is_finished(folder, OPEN)
        with pytest.raises(ValueError, match="another recipe"):
            is_finished(folder, replace(OPEN, start_from="open"))
        del stored["poses"]  # None by default, and not None here
        (folder / "recipe.json").write_text(json.dumps(stored))
        with pytest.raises(ValueError, match="another recipe"):
            is_finished(folder, OPEN)

    def test_a_recipe_with_an_option_that_is_gone(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path, OPEN)
        stored = json.loads((folder / "recipe.json").read_text())
        (folder / "recipe.json").write_text(json.dumps(stored | {"magic": True}))
        with pytest.raises(ValueError, match="another recipe"):
            is_finished(folder, OPEN)

    @pytest.mark.parametrize("content", ["{", "[1]", ""])
    def test_an_unreadable_recipe(self, tmp_path: Path, content: str) -> None:
        folder = write_run(tmp_path, OPEN)
        (folder / "recipe.json").write_text(content)
        with pytest.raises(ValueError, match=r"recipe\.json: "):
            is_finished(folder, OPEN)


class TestOfficial:
    recipe = replace(RECIPES["h36m-gt-17"], model=replace(OPEN.model, channels=2), epochs=1)

    @pytest.mark.parametrize("data", ["generated or partial", None])
    def test_weights_of_a_trial_are_no_measurement(self, tmp_path: Path, data: str | None) -> None:
        folder = write_run(tmp_path, self.recipe, data=data)
        with pytest.raises(ValueError, match="not trained on the complete published data"):
            require_official(folder, self.recipe)
        (folder / "run.json").unlink()
        with pytest.raises(ValueError, match="not trained on the complete published data"):
            require_official(folder, self.recipe)

    def test_published_and_open_data(self, tmp_path: Path) -> None:
        require_official(write_run(tmp_path, self.recipe), self.recipe)
        require_official(write_run(tmp_path, OPEN, data=None), OPEN)

    def test_facts(self, tmp_path: Path) -> None:
        assert run_facts(write_run(tmp_path, OPEN))["hardware"] == "an abacus"
        assert run_facts(tmp_path) == {}


class TestValidation:
    def test_is_the_last_of_the_log(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path, OPEN, error=41.5)
        assert last_validation(folder)["detector_mpjpe"] == 41.5

    def test_on_the_way(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path, OPEN, error=41.5)
        with (folder / "log.jsonl").open("a") as file:
            file.write('{"poses": 16, "loss": 1.0, "exact_mpjpe": 2.0, "detector_mpjpe": 3}\n')
        course = validations(folder)
        assert list(course) == [8, 16]  # nothing was validated at 4
        assert [each["detector_mpjpe"] for each in course.values()] == [41.5, 3.0]

    @pytest.mark.parametrize("content", ["", "{", "[1]", '{"poses": 4, "loss": 2.0}', None])
    def test_a_damaged_log(self, tmp_path: Path, content: str | None) -> None:
        folder = write_run(tmp_path, OPEN)
        (folder / "log.jsonl").unlink()
        if content is not None:
            (folder / "log.jsonl").write_text(content)
        with pytest.raises(ValueError, match=r"log\.jsonl: no readable log"):
            last_validation(folder)


class TestTraining:
    def test_to_the_end_and_only_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(RECIPES, "open", OPEN)
        told: list[tuple[str, int, int | None]] = []

        @contextmanager
        def bar(label: str) -> Iterator[Progress]:
            yield lambda done, total: told.append((label, done, total))

        training = Training(write_data(tmp_path / "data"), bar, threads=1)
        again = replace(OPEN, seed=1)
        folder = training(again, tmp_path / "runs")
        assert folder == tmp_path / "runs" / "open-seed1"
        assert is_finished(folder, again)
        assert load_weights(folder / "model.safetensors").config == OPEN.model
        assert told == [("train open-seed1", 8, 8)]
        monkeypatch.setattr(runs, "train_recipe", None)
        assert training(again, tmp_path / "runs") == folder

    def test_another_learning_rate_in_another_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(RECIPES, "open", OPEN)
        training = Training(write_data(tmp_path / "data"), silent, threads=1)
        probe = replace(OPEN, learning_rate=1e-4, poses=16)
        assert training(probe, tmp_path / "runs", tmp_path / "runs" / "p") == tmp_path / "runs/p"
        assert [path.name for path in (tmp_path / "runs").iterdir()] == ["p"]
        assert is_finished(tmp_path / "runs" / "p", probe)

    def test_what_a_recipe_starts_from_comes_first(
        self, tmp_path: Path, licensed_data: Path, small_recipes: None, temporary: Path
    ) -> None:
        recipe = replace(RECIPES["h36m-cpn-17-refined"], epochs=1)
        Training(licensed_data, silent, threads=1)(recipe, temporary)
        assert sorted(path.name for path in temporary.iterdir()) == [
            "h36m-cpn-17",
            "h36m-cpn-17-refined",
        ]
        first = json.loads((temporary / "h36m-cpn-17" / "recipe.json").read_text())
        assert first["epochs"] == 1

    def test_a_shortened_recipe_starts_from_a_shortened_one(self) -> None:
        refined = RECIPES["h36m-cpn-17-refined"]
        assert first_of(refined) == RECIPES["h36m-cpn-17"]
        assert first_of(replace(refined, epochs=1)).epochs == 1
