"""Tables of licensed data: what fills a cell, and what never does."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from ampose.files import sha256_of
from ampose.research.data.pose_set import PoseSet
from ampose.research.evaluation import licensed
from ampose.research.recipes import RECIPES
from ampose.research.reproduction.laboratory import Laboratory, options_on, protocol_name
from ampose.research.reproduction.published import TABLES
from ampose.research.reproduction.tables import PUBLISHED_ONLY, TRIAL, reproduce_table
from tests.research.reproduction.runs import quick, write_run

Rows = list[dict[str, str]]


def read(path: Path) -> tuple[dict[str, str], Rows]:
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    return notes, list(csv.DictReader(line for line in lines if not line.startswith("# ")))


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_trial(cell: str) -> bool:
    word, _, number = cell.partition(": ")
    return word == "trial" and is_number(number)


NEEDS = {"4.4": "needs Human3.6M and MPI-INF-3DHP", "4.5": "needs MPI-INF-3DHP"}
"""What the cells of a table say that does not need Human3.6M alone."""


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generated data passes for the published one."""
    load = licensed.load_part

    def pretend(*words: object) -> PoseSet:
        return replace(load(*words), official=True)

    monkeypatch.setattr(licensed, "load_part", pretend)
    monkeypatch.setattr("ampose.research.training.run.licensed.load_part", pretend)


@pytest.fixture
def perfect(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every lifter is right; the names of the sets that were predicted."""
    seen: list[str] = []

    def predict(model: nn.Module, poses: PoseSet, *, mirror: bool, device: str) -> np.ndarray:
        assert mirror
        seen.append(poses.name)
        return np.array(poses.targets)

    monkeypatch.setattr(licensed, "predict", predict)
    return seen


class TestWithoutData:
    @pytest.mark.parametrize("number", TABLES)
    def test_no_error_is_a_number(self, tmp_path: Path, number: str) -> None:
        table = TABLES[number]
        written = reproduce_table(table, Laboratory(tmp_path / "runs"), tmp_path / "out")
        assert [path.name for path in written.paths] == [
            f"table_4_{number[2]}.csv",
            f"table_4_{number[2]}.md",
        ]
        notes, rows = read(written.paths[0])
        assert len(rows) == len(table.systems)
        for row, system in zip(rows, table.systems, strict=True):
            assert (row["system"], row["setting"]) == (system.name, system.setting)
            assert (row["oracle"] != "") == system.name.endswith("*")
            for quantity, place in table.quantities.items():
                cell = row[f"{quantity} measured"]
                if system.recipe is None:
                    assert cell == PUBLISHED_ONLY
                elif place.startswith("cost."):
                    assert float(cell) > 0
                else:
                    assert cell == NEEDS.get(number, "needs Human3.6M")
                    assert row.get(f"{quantity} difference", "") == ""
        assert notes.keys() >= {"conventions", "commit", "seed", "hardware", "published"}
        assert not (tmp_path / "runs").exists()
        assert written.remarks == ("no data was given; --data says in which folder it is",)

    def test_published_numbers_and_differences_of_costs(self, tmp_path: Path) -> None:
        path, _ = reproduce_table(TABLES["4.9"], Laboratory(tmp_path), tmp_path).paths
        first = read(path)[1][0]
        assert first["MPJPE published"] == "51.3"
        assert first["parameters (M, all) published"] == "0.67"
        assert first["parameters (M, all) measured"] == "0.670035"
        assert float(first["parameters (M, all) difference"]) == pytest.approx(3.5e-5)
        assert first["MACs (M, thop) measured"] == "10.501056"
        assert float(first["MACs (M, with attention and adjacency) measured"]) > 10.501056

    def test_what_cannot_be_read_says_so(self, tmp_path: Path) -> None:
        path, document = reproduce_table(TABLES["4.3"], Laboratory(tmp_path), tmp_path).paths
        ours = read(path)[1][-1]
        assert ours["average published"] == "34.1"
        assert ours["Walking published"] == "unreadable"
        assert "unreadable" in document.read_text()

    def test_the_readable_table(self, tmp_path: Path) -> None:
        written = reproduce_table(TABLES["4.1"], Laboratory(tmp_path), tmp_path)
        text = written.paths[1].read_text()
        assert written.summary in text
        assert "| CPN: Ours * (oracle)            |              48.5 | needs Human3.6M" in text
        assert "true depth of the root" in text
        assert "| CPN: Ours                       | measured: needs Human3.6M |" in text
        assert "SittingDown" in text
        assert "SittingDown" not in written.summary

    def test_a_folder_that_lacks_the_files(self, tmp_path: Path) -> None:
        written = reproduce_table(
            TABLES["4.7"], Laboratory(tmp_path / "runs", tmp_path), tmp_path / "out"
        )
        assert {row["MPJPE measured"] for row in read(written.paths[0])[1]} == {"needs Human3.6M"}
        (remark,) = written.remarks
        assert "data_3d_h36m.npz" in remark


def test_says_which_poses_are_mirrored(tmp_path: Path) -> None:
    both = "mean of a pose and its mirror image lifted"
    said = {
        number: read(
            reproduce_table(quick(TABLES[number], *others), Laboratory(tmp_path), tmp_path).paths[
                0
            ]
        )[0]["at test"]
        for number, others in {"4.1": (), "4.3": ("h36m-gt-16-graformer",)}.items()
    }
    plain = "poses lifted as they are for h36m-gt-16-graformer"
    assert said == {"4.1": both, "4.3": f"{both}; {plain}"}


class TestTrial:
    def test_everything_runs_and_nothing_is_measured(
        self, tmp_path: Path, laboratory: Laboratory, temporary: Path
    ) -> None:
        table = quick(TABLES["4.1"], "h36m-cpn-17-lcn")
        written = reproduce_table(table, laboratory, tmp_path / "results")
        assert not (tmp_path / "results").exists()
        assert not (tmp_path / "runs").exists()
        assert written.remarks == (TRIAL,)
        for path in written.paths:
            assert path.is_relative_to(temporary)
            assert TRIAL in path.read_text()
        notes, rows = read(written.paths[0])
        assert notes["trial"] == TRIAL
        tried = [row for row in rows if row["recipe"]]
        assert [row["recipe"] for row in tried] == [
            "h36m-cpn-17-lcn",
            "h36m-cpn-17",
            "h36m-cpn-17-refined",
            "h36m-gt-17",
        ]
        for row in tried:
            assert is_trial(row["average measured"])
            assert is_trial(row["Walking measured"])
            assert row["average difference"] == ""
            assert (row["seed"], row["trained on"]) == ("0", "cpu")
            assert len(row["weights sha256"]) == 12
        runs = written.paths[0].parent / "runs"
        assert not list(runs.glob("*/scores.json"))

    def test_toes(self, laboratory: Laboratory) -> None:
        specimen = laboratory.specimen(RECIPES["h36m-cpn-16-toes"], "human3.6m")
        assert specimen.is_trial
        assert specimen.poses.inputs.shape[1:] == (16, 4)
        assert specimen.predict(specimen.poses).shape == specimen.poses.targets.shape

    @pytest.mark.parametrize("number", ["4.4", "4.5"])
    def test_across_datasets_and_several_frames(
        self, tmp_path: Path, laboratory: Laboratory, number: str
    ) -> None:
        table = quick(TABLES[number], "h36m-gt-17-lcn", "3dhp-9-mhformer")
        written = reproduce_table(table, laboratory, tmp_path / "results")
        assert written.remarks == (TRIAL,)
        assert not (tmp_path / "results").exists()
        tried = [row for row in read(written.paths[0])[1] if row["recipe"]]
        assert len(tried) == {"4.4": 2, "4.5": 4}[number]
        for quantity, place in table.quantities.items():
            fits = is_number if place.startswith("cost.") else is_trial
            assert all(fits(row[f"{quantity} measured"]) for row in tried)

    @pytest.mark.usefixtures("official", "perfect")
    def test_other_epochs_are_a_trial_even_on_published_data(
        self, tmp_path: Path, laboratory: Laboratory
    ) -> None:
        write_run(laboratory.runs, RECIPES["h36m-cpn-17"])
        short = replace(laboratory, epochs=1)
        written = reproduce_table(quick(TABLES["4.2"]), short, tmp_path / "results")
        assert written.remarks == (TRIAL,)
        assert not (tmp_path / "results").exists()
        assert not (laboratory.runs / "h36m-cpn-17" / "scores.json").exists()

    @pytest.mark.usefixtures("perfect")
    def test_good_weights_on_a_partial_test_set(
        self, tmp_path: Path, laboratory: Laboratory
    ) -> None:
        run = write_run(laboratory.runs, RECIPES["h36m-cpn-17"])
        written = reproduce_table(quick(TABLES["4.2"]), laboratory, tmp_path / "results")
        assert written.remarks == (TRIAL,)
        assert not (tmp_path / "results").exists()
        assert not (run / "scores.json").exists()


@pytest.mark.usefixtures("official")
class TestMeasured:
    def test_loads_what_was_trained_and_keeps_what_it_scored(
        self, tmp_path: Path, laboratory: Laboratory, perfect: list[str]
    ) -> None:
        run = write_run(laboratory.runs, RECIPES["h36m-cpn-17"])
        written = reproduce_table(quick(TABLES["4.2"]), laboratory, tmp_path / "results")
        assert written.remarks == ()
        assert perfect == ["human3.6m test"]
        ours = read(tmp_path / "results" / "table_4_2.csv")[1][-1]
        assert (ours["average measured"], ours["average difference"]) == ("0.0", "-39.0")
        assert ours["Photo difference"] == "-44.7"
        assert ours["weights sha256"] == sha256_of(run / "model.safetensors")[:12]
        assert "-39" in written.summary

        # Made again, also where the data is not at hand, it looks at nothing.
        away = Laboratory(laboratory.runs)
        assert (
            reproduce_table(quick(TABLES["4.2"]), away, tmp_path / "again").summary
            == written.summary
        )
        assert perfect == ["human3.6m test"]
        # MPJPE of the same weights on the same set is known too.
        path, _ = reproduce_table(quick(TABLES["4.1"]), away, tmp_path / "again").paths
        cells = {row["recipe"]: row["average measured"] for row in read(path)[1]}
        assert cells["h36m-cpn-17"] == "0.0"
        assert cells["h36m-gt-17"] == "needs Human3.6M"

    def test_other_weights_are_measured_anew(
        self, tmp_path: Path, laboratory: Laboratory, perfect: list[str]
    ) -> None:
        run = write_run(laboratory.runs, RECIPES["h36m-cpn-17"])
        reproduce_table(quick(TABLES["4.2"]), laboratory, tmp_path)
        other = write_run(tmp_path / "other", replace(RECIPES["h36m-cpn-17"], seed=1))
        (other / "model.safetensors").replace(run / "model.safetensors")
        reproduce_table(quick(TABLES["4.2"]), laboratory, tmp_path)
        assert len(perfect) == 2

    def test_trains_what_is_missing(self, tmp_path: Path, laboratory: Laboratory) -> None:
        written = reproduce_table(quick(TABLES["4.2"]), laboratory, tmp_path / "results")
        assert written.remarks == ()
        assert is_number(read(written.paths[0])[1][-1]["average measured"])
        assert (laboratory.runs / "h36m-cpn-17" / "scores.json").exists()

    def test_trains_nothing_if_it_may_not(self, tmp_path: Path, laboratory: Laboratory) -> None:
        written = reproduce_table(
            quick(TABLES["4.2"]), replace(laboratory, training=None), tmp_path
        )
        assert read(written.paths[0])[1][-1]["average measured"] == "not run"
        assert not laboratory.runs.exists()

    def test_weights_of_a_trial_are_refused(self, tmp_path: Path, laboratory: Laboratory) -> None:
        write_run(laboratory.runs, RECIPES["h36m-cpn-17"], data="generated or partial")
        for number in ("4.2", "4.1"):
            with pytest.raises(ValueError, match="not trained on the complete published data"):
                reproduce_table(quick(TABLES[number]), laboratory, tmp_path / "results")
        assert not (tmp_path / "results").exists()

    def test_nothing_starts_from_weights_of_a_trial(self, laboratory: Laboratory) -> None:
        write_run(laboratory.runs, RECIPES["h36m-cpn-17"], data="generated or partial")
        with pytest.raises(ValueError, match="not trained on the complete published data"):
            laboratory.specimen(RECIPES["h36m-cpn-17-refined"], "human3.6m")

    def test_across_datasets_trained_weights_need_the_test_set_only(
        self,
        tmp_path: Path,
        laboratory: Laboratory,
        perfect: list[str],
        licensed_data: Path,
    ) -> None:
        write_run(laboratory.runs, RECIPES["h36m-gt-16"])
        (tmp_path / "3dhp").mkdir()
        test = licensed_data / "data_test_3dhp.npz"
        (tmp_path / "3dhp" / test.name).write_bytes(test.read_bytes())
        there = replace(laboratory, data=tmp_path / "3dhp")
        path, _ = reproduce_table(quick(TABLES["4.4"]), there, tmp_path).paths
        ours = read(path)[1][-1]
        assert (ours["PCK measured"], ours["PCK outdoor difference"]) == ("100.0", "12.6")
        # 30 of 31 thresholds: strictly less than 0 mm is nobody.
        assert float(ours["AUC measured"]) == round(100 * 30 / 31, 1)
        assert perfect == ["mpi-inf-3dhp test"]

    def test_trained_on_3dhp(
        self, tmp_path: Path, laboratory: Laboratory, perfect: list[str]
    ) -> None:
        for frames in (1, 9, 27):
            write_run(laboratory.runs, RECIPES[f"3dhp-{frames}"])
        path, _ = reproduce_table(quick(TABLES["4.5"]), laboratory, tmp_path).paths
        ours = [row for row in read(path)[1] if row["recipe"]]
        assert [row["MPJPE difference"] for row in ours] == ["-30.8", "-28.0", "-27.9"]
        assert {row["PCK measured"] for row in ours} == {"100.0"}
        assert perfect == ["mpi-inf-3dhp test"] * 3


def test_protocols_tell_apart_what_differs() -> None:
    options = RECIPES["h36m-cpn-17"].data
    names = {
        protocol_name(options, "official"),
        protocol_name(replace(options, keypoints="gt"), "official"),
        protocol_name(replace(options, mirror_test=False), "official"),
        protocol_name(replace(options, dataset="mpi-inf-3dhp"), "official"),
        protocol_name(options, "p-stmo"),
    }
    assert len(names) == 5


def test_another_dataset_is_seen_by_its_true_keypoints() -> None:
    recipe = RECIPES["h36m-cpn-16"]
    assert options_on(recipe, "human3.6m") == recipe.data
    across = options_on(recipe, "mpi-inf-3dhp")
    assert (across.dataset, across.keypoints) == ("mpi-inf-3dhp", "gt")
    assert across.mirror_test == recipe.data.mirror_test


class TestOutlook:
    def test_of_trials_and_measurements(
        self, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recipe = RECIPES["h36m-cpn-17"]
        outlook: Callable[[], str] = lambda: laboratory.outlook(recipe, "human3.6m")  # noqa: E731
        assert outlook() == "can be tried, not measured"
        load = licensed.load_part
        monkeypatch.setattr(
            licensed, "load_part", lambda *words: replace(load(*words), official=True)
        )
        assert outlook() == "can be trained and measured"
        write_run(laboratory.runs, recipe)
        assert outlook() == "can be measured"
        assert replace(laboratory, data=None).outlook(recipe, "human3.6m") == "needs Human3.6M"
