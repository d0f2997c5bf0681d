"""Ablations on open data: which runs make a row, how often test sets are looked at."""

from __future__ import annotations

import csv
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from ampose.files import sha256_of
from ampose.research.evaluation.open_protocol import evaluate, load_set
from ampose.research.recipes import RECIPES, Recipe
from ampose.research.reproduction import open_runs
from ampose.research.reproduction.open_ablations import (
    THESIS,
    finished_runs,
    reproduce_ablation,
    row_recipe,
    rows_of,
)
from ampose.research.reproduction.open_runs import NEEDS_GPU, Bench
from ampose.research.reproduction.published import TABLES
from ampose.research.reproduction.runs import Training, run_folder
from ampose.research.training.checkpoint import load_weights
from ampose.research.training.inference import torch_lifter
from tests.research.packs import poses, write_data, write_pack
from tests.research.reproduction.runs import silent, write_run
from tests.research.reproduction.test_tables import Rows, read

ORDERS = {
    "5 Transformers followed by 5 GCN blocks": "open-order-transformers-then-gcns",
    "5 GCN blocks followed by 5 Transformers": "open-order-gcns-then-transformers",
    "Alternately (GCN blocks first)": "open-order-gcn-first",
    "Alternately (Transformers first)": "open",
}
GROUPS = ("4", "3-symmetry", "2-symmetry", "1", "2")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


@pytest.fixture
def bench(tmp_path: Path, data: Path) -> Bench:
    """Nothing is trained."""
    return Bench(tmp_path / "runs", tmp_path / "out" / "test_log.csv", silent, data)


@pytest.fixture
def small_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of tables 4.6 to 4.8 with the smallest models; sizes, table 4.9, stay."""
    for name, recipe in RECIPES.items():
        if name == "open" or name.startswith(("open-block", "open-order", "open-groups")):
            model = replace(recipe.model, depth=1, width=16)
            monkeypatch.setitem(RECIPES, name, replace(recipe, model=model))


@pytest.fixture
def trained(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that are trained on `bench` with `training`, whose names are these, in order."""
    names: list[str] = []

    def train(self: Training, recipe: Recipe, runs: Path, folder: None) -> Path:
        names.append(run_folder(runs, recipe).name)
        return write_run(runs, recipe)

    monkeypatch.setattr(Training, "__call__", train)
    return names


def table_rows(bench: Bench, number: str, tmp_path: Path) -> Rows:
    return read(reproduce_ablation(TABLES[number], bench, tmp_path / "out").paths[0])[1]


def log(bench: Bench) -> list[dict[str, str]]:
    with bench.log.open(newline="") as file:
        return list(csv.DictReader(file))


class TestRows:
    def test_nothing_has_run(self, bench: Bench, tmp_path: Path) -> None:
        for number in ("4.6", "4.7", "4.8", "4.9"):
            rows = table_rows(bench, number, tmp_path)
            assert [row["system"] for row in rows] == [
                each.name for each in rows_of(TABLES[number])
            ]
            for row in rows:
                wide = RECIPES[row["recipe"]].model.width > 128
                assert row["seeds"] == (NEEDS_GPU if wide else "not run")
                assert row["hdm05 exact MPJPE"] == row["seeds"]
                assert row["hdm05 exact MPJPE sd"] == ""
        assert not bench.log.exists()
        assert not bench.runs.exists()

    def test_the_thesis_stands_in_a_column_of_its_own(self, bench: Bench, tmp_path: Path) -> None:
        rows = table_rows(bench, "4.7", tmp_path)
        assert [row[THESIS] for row in rows] == ["52.0", "57.2", "50.9", "50.5"]
        assert {row["parameters"] for row in rows} == {"1172355"}
        assert [row["recipe"] for row in rows] == list(ORDERS.values())

    @pytest.mark.usefixtures("small_open")
    def test_scores_are_those_of_the_protocol(
        self, bench: Bench, data: Path, tmp_path: Path
    ) -> None:
        runs = [write_run(bench.runs, replace(RECIPES["open"], seed=seed)) for seed in (0, 1, 2)]
        ours = table_rows(bench, "4.7", tmp_path)[-1]
        assert ours["seeds"] == "3"
        for name in ("cmu-test", "hdm05"):
            chosen = load_set(name, data)
            for kind in ("exact", "detector"):
                scores = [
                    score
                    for run in runs
                    for score in evaluate(
                        torch_lifter(load_weights(run / "model.safetensors")), chosen, groups=False
                    )
                    if (score.bones, score.input, score.focal) == ("template", kind, "known")
                ]
                for label, values in (
                    ("MPJPE", [score.mpjpe for score in scores]),
                    ("P-MPJPE", [score.p_mpjpe for score in scores]),
                ):
                    column = f"{name} {kind} {label}"
                    assert float(ours[column]) == round(sum(values) / 3, 2)
                    spread = float(ours[f"{column} sd"])
                    assert spread == round(statistics.stdev(values), 2) > 0

    @pytest.mark.usefixtures("small_open")
    def test_one_run_has_no_spread(self, bench: Bench, tmp_path: Path) -> None:
        write_run(bench.runs, RECIPES["open"], error=47.0)
        written = reproduce_ablation(TABLES["4.6"], bench, tmp_path / "out")
        notes, rows = read(written.paths[0])
        ours = rows[-1]
        assert (ours["seeds"], ours["hdm05 exact MPJPE sd"]) == ("1", "")
        assert ours["cmu-val detector MPJPE of seed 0"] == "47.0"
        assert ours["trained on"] == "an abacus"
        assert notes["best to worst, hdm05 exact MPJPE"] == (
            f"open {float(ours['hdm05 exact MPJPE']):g}"
        )
        assert "±" not in written.summary
        assert f"{ours['hdm05 exact MPJPE']} / {ours['hdm05 exact P-MPJPE']}" in written.summary

    @pytest.mark.usefixtures("small_open")
    def test_ranks(self, bench: Bench, tmp_path: Path) -> None:
        for name in ORDERS.values():
            write_run(bench.runs, RECIPES[name])
        notes, rows = read(reproduce_ablation(TABLES["4.7"], bench, tmp_path).paths[0])
        assert notes[f"best to worst, {THESIS}"] == (
            "open 50.5 < open-order-gcn-first 50.9 < open-order-transformers-then-gcns 52 "
            "< open-order-gcns-then-transformers 57.2"
        )
        ranked = sorted(rows, key=lambda row: (float(row["hdm05 detector MPJPE"]), row["recipe"]))
        listed = notes["best to worst, hdm05 detector MPJPE"].split(" < ")
        assert [each.split()[0] for each in listed] == [row["recipe"] for row in ranked]


@pytest.mark.usefixtures("small_open")
class TestLooks:
    def test_each_is_logged_and_taken_once(self, bench: Bench, tmp_path: Path) -> None:
        run = write_run(bench.runs, RECIPES["open"])
        first = table_rows(bench, "4.6", tmp_path)
        rows = log(bench)
        assert len(rows) == 16
        assert {row["set"] for row in rows} == {"cmu-test", "hdm05"}
        assert {row["model"] for row in rows} == {"open"}
        assert {row["sha256"] for row in rows} == {sha256_of(run / "model.safetensors")[:12]}
        # The same again, in another table that has the row, and without the data.
        assert table_rows(bench, "4.6", tmp_path) == first
        assert table_rows(bench, "4.8", tmp_path)[4]["seeds"] == "1"
        away = replace(bench, data=None)
        assert table_rows(away, "4.6", tmp_path) == first
        assert log(bench) == rows

    def test_the_logged_numbers_are_those_of_the_table(self, bench: Bench, tmp_path: Path) -> None:
        write_run(bench.runs, RECIPES["open"])
        ours = table_rows(bench, "4.6", tmp_path)[-1]
        (row,) = (
            row
            for row in log(bench)
            if (row["set"], row["bones"], row["input"], row["focal"])
            == ("hdm05", "template", "detector", "known")
        )
        assert float(row["mpjpe"]) == round(float(ours["hdm05 detector MPJPE"]), 1)

    def test_other_weights_are_looked_at_again(self, bench: Bench, tmp_path: Path) -> None:
        run = write_run(bench.runs, RECIPES["open"])
        table_rows(bench, "4.6", tmp_path)
        other = write_run(tmp_path / "other", replace(RECIPES["open"], seed=1))
        (other / "model.safetensors").replace(run / "model.safetensors")
        table_rows(bench, "4.6", tmp_path)
        assert len({row["sha256"] for row in log(bench)}) == 2

    def test_another_test_set_is_looked_at_anew(
        self, bench: Bench, data: Path, tmp_path: Path
    ) -> None:
        write_run(bench.runs, RECIPES["open"])
        before = table_rows(bench, "4.6", tmp_path)[-1]
        moved = (poses(200, 9) * 1e4).round().astype("int16")
        write_pack(data / "hdm05.npz", positions=moved)
        after = table_rows(bench, "4.6", tmp_path)[-1]
        assert after["hdm05 exact MPJPE"] != before["hdm05 exact MPJPE"]
        assert after["cmu-test exact MPJPE"] == before["cmu-test exact MPJPE"]
        assert len(log(bench)) == 16 + 8

    def test_without_data_a_run_that_is_not_scored_is_an_error(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        write_run(bench.runs, RECIPES["open"])
        with pytest.raises(ValueError, match=r"1 run\(s\) are not scored on cmu-test .*--data"):
            table_rows(replace(bench, data=None), "4.6", tmp_path)


class TestSeeds:
    """Runs are faked: which are asked for, and in which order, is what counts."""

    def find(self, bench: Bench, number: str) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
        table = TABLES[number]
        recipes = {each.name: row_recipe(table, each, bench) for each in rows_of(table)}
        return finished_runs(table, recipes, bench)

    @pytest.fixture
    def training(self, bench: Bench, data: Path, trained: list[str]) -> Bench:
        return replace(bench, training=Training(data, silent))

    @pytest.mark.usefixtures("small_open")
    def test_the_orders_are_trained_from_every_seed(
        self, training: Bench, trained: list[str]
    ) -> None:
        runs, repeated = self.find(training, "4.7")
        assert repeated == tuple(ORDERS)
        firsts = list(ORDERS.values())
        assert trained == [*firsts, *(f"{n}-seed{k}" for k in (1, 2) for n in firsts)]
        assert {name: [run.name for run in found] for name, found in runs.items()} == {
            label: [name, f"{name}-seed1", f"{name}-seed2"] for label, name in ORDERS.items()
        }

    @pytest.mark.usefixtures("small_open")
    def test_fewer_seeds(self, training: Bench, trained: list[str]) -> None:
        self.find(replace(training, seeds=1), "4.7")
        assert trained == list(ORDERS.values())

    @pytest.mark.usefixtures("small_open")
    def test_other_tables_are_trained_once(self, training: Bench, trained: list[str]) -> None:
        runs, repeated = self.find(training, "4.6")
        assert repeated == ()
        assert len(trained) == 4
        assert all(len(found) == 1 for found in runs.values())

    @pytest.mark.usefixtures("small_open")
    def test_the_best_and_the_worst_grouping_by_validation(
        self, training: Bench, trained: list[str]
    ) -> None:
        write_run(training.runs, RECIPES["open"], error=40.0)
        for error, groups in zip((41, 39, 42, 45, 44), GROUPS, strict=True):
            write_run(training.runs, RECIPES[f"open-groups-{groups}"], error=error)
        runs, repeated = self.find(training, "4.8")
        best, worst = "open-groups-3-symmetry", "open-groups-1"
        names = {label: [run.name for run in found] for label, found in runs.items()}
        assert [names[label][0] for label in repeated] == [best, worst]
        assert sorted(trained) == sorted(f"{n}-seed{k}" for n in (best, worst) for k in (1, 2))
        assert sorted(len(found) for found in runs.values()) == [1, 1, 1, 1, 3, 3]

    @pytest.mark.usefixtures("small_open")
    def test_runs_of_more_seeds_that_are_there_count(
        self, training: Bench, trained: list[str]
    ) -> None:
        write_run(training.runs, RECIPES["open"])
        write_run(training.runs, replace(RECIPES["open"], seed=2))
        write_run(training.runs, replace(RECIPES["open"], seed=3))  # beyond --seeds 3
        runs, _ = self.find(training, "4.6")
        assert [run.name for run in runs["Ours"]] == ["open", "open-seed2"]
        assert "open-seed1" not in trained

    @pytest.mark.usefixtures("small_open")
    def test_before_all_groupings_have_run_none_is_best(self, bench: Bench) -> None:
        write_run(bench.runs, RECIPES["open"])
        runs, repeated = self.find(bench, "4.8")
        assert repeated == ()
        assert sum(map(len, runs.values())) == 1

    def test_wide_models_are_trained_when_asked_for(
        self, training: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def train(self: Training, recipe: Recipe, runs: Path, folder: None) -> Path:
            asked.append(recipe.name)
            return runs / recipe.name

        monkeypatch.setattr(Training, "__call__", train)
        self.find(training, "4.9")
        assert asked == ["open-4x108", "open-4x128", "open"]
        asked.clear()
        self.find(replace(training, wide=True), "4.9")
        assert len(asked) == 7

    def test_a_wide_model_that_has_run_counts(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            open_runs, "is_finished", lambda folder, recipe: recipe.name == "open-6x512"
        )
        runs, _ = self.find(replace(bench, seeds=1), "4.9")
        assert [run.name for run in runs["depth 6, channel 512"]] == ["open-6x512"]


@pytest.mark.usefixtures("small_open")
class TestBudget:
    def test_other_poses_are_another_table(self, bench: Bench, tmp_path: Path) -> None:
        write_run(bench.runs, replace(RECIPES["open"], poses=64))
        short = replace(bench, poses=64)
        written = reproduce_ablation(TABLES["4.6"], short, tmp_path)
        assert [path.name for path in written.paths] == [
            "open_ablation_4_6_64_poses.csv",
            "open_ablation_4_6_64_poses.md",
        ]
        assert "every row 64 poses" in read(written.paths[0])[0]["training"]
        with pytest.raises(ValueError, match="another recipe"):
            reproduce_ablation(TABLES["4.6"], bench, tmp_path)

    def test_trains_really(
        self, bench: Bench, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ORDERS.values():
            monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], poses=8, batch=8))
        training = replace(bench, training=Training(data, silent, 1), seeds=1)
        rows = table_rows(training, "4.7", tmp_path)
        assert {row["seeds"] for row in rows} == {"1"}
        assert len(log(bench)) == 4 * 16
