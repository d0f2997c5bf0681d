"""The open benchmark: which runs make a row, who is repeated, and what a cell says."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from ampose.files import sha256_of
from ampose.research.evaluation.open_protocol import Score, evaluate, load_set
from ampose.research.evaluation.provenance import write_table
from ampose.research.models.cost import cost
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, Recipe
from ampose.research.reproduction import open_benchmark, open_probes
from ampose.research.reproduction.kept_scores import Scores
from ampose.research.reproduction.open_benchmark import MEASURES, parts, reproduce_benchmark
from ampose.research.reproduction.open_runs import CONDITIONS, NEEDS_GPU, Bench
from ampose.research.reproduction.open_speed import FILE, LATENCY, THROUGHPUT
from ampose.research.reproduction.runs import Training, run_folder
from ampose.research.training.checkpoint import load_weights
from ampose.research.training.inference import torch_lifter
from tests.research.packs import write_data, write_pack
from tests.research.reproduction.benchmark_runs import (
    EXTRA,
    RATES,
    SMALL,
    WIDE,
    write_benchmark_run,
    write_log,
    write_probe,
)
from tests.research.reproduction.runs import silent
from tests.research.reproduction.test_tables import Rows, read

PROBE = 30
AMPOSE = SMALL[0]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_benchmark, "BENCHMARK", SMALL)
    monkeypatch.setattr(open_benchmark, "EXTRAS", ())
    monkeypatch.setattr(open_benchmark, "WIDE_BENCHMARK", WIDE)
    monkeypatch.setattr(open_probes, "PROBE", PROBE)
    monkeypatch.setattr(open_probes, "PROBED_RATES", RATES)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packs; the test split of HDM05 has clips of two classes."""
    folder = write_data(tmp_path_factory.mktemp("packs"))
    own = np.array(["asf-own", "fbx", "bvh-own", "bvh-own"])
    write_pack(folder / "hdm05.npz", skeleton=own)
    return folder


@pytest.fixture
def bench(tmp_path: Path, data: Path) -> Bench:
    """Nothing is trained."""
    return Bench(tmp_path / "runs", tmp_path / "out" / "test_log.csv", silent, data)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the runs that are trained, in order; the later a recipe stands, the better."""
    names: list[str] = []

    def train(self: Training, recipe: Recipe, runs: Path, folder: Path | None = None) -> Path:
        if folder is not None:
            names.append(folder.name)
            error = {1e-3: 70.0, 2e-3: 60.0, 4e-3: 65.0}[recipe.learning_rate]
            full = replace(recipe, learning_rate=2e-3)
            return write_probe(runs, full, recipe.learning_rate, error, poses=PROBE)
        names.append(run_folder(runs, recipe).name)
        plain = recipe.name.replace("-wide-", "-").replace("extras", "benchmark")
        place = [each.name for each in SMALL].index(plain)
        return write_benchmark_run(runs, recipe, exact=60.0 - place)

    monkeypatch.setattr(Training, "__call__", train)
    return names


@pytest.fixture
def training(bench: Bench, data: Path, trained: list[str]) -> Bench:
    return replace(bench, training=Training(data, silent))


@pytest.fixture
def unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs have the same scores, and no test set is looked at."""

    def score(runs: Iterable[Path], name: str, bench: Bench, *, by_class: bool) -> object:
        rows = [
            asdict(Score(name, group, bones, kind, "known", 9, *[1.0] * 6))
            for bones in ("template", "native")
            for kind in ("exact", "detector")
            for group in ("all", "class walk")
        ]
        return {run: Scores(rows, "0" * 64, "abc", "an abacus", "today") for run in runs}

    monkeypatch.setattr(open_benchmark, "score_runs", score)


def write_all(bench: Bench, recipes: tuple[Recipe, ...] = SMALL) -> None:
    for recipe in recipes:
        write_benchmark_run(bench.runs, recipe)


def table(bench: Bench, tmp_path: Path) -> Rows:
    paths = reproduce_benchmark(bench, tmp_path / "out").paths
    assert [path.name for path in paths] == [
        "open_probes.csv",
        "open_benchmark.csv",
        "open_benchmark_classes.csv",
        "open_benchmark.md",
    ]
    return read(paths[1])[1]


def row_of(rows: Rows, recipe: str) -> dict[str, str]:
    (row,) = (row for row in rows if row["recipe"] == recipe)
    return row


def scores_of(
    run: Path, name: str, data: Path, bones: str = "template"
) -> dict[tuple[str, str], Score]:
    """Group and input to what the protocol says: focal length known."""
    lift = torch_lifter(load_weights(run / "model.safetensors"))
    return {
        (score.group, score.input): score
        for score in evaluate(lift, load_set(name, data))
        if (score.bones, score.focal) == (bones, "known")
    }


class TestRows:
    def test_nothing_has_run(self, bench: Bench, tmp_path: Path) -> None:
        away = replace(bench, data=None)
        rows = table(away, tmp_path)
        assert [row["recipe"] for row in rows] == [each.name for each in (*SMALL, *WIDE)]
        for row, recipe in zip(rows, (*SMALL, *WIDE), strict=True):
            instead = "not run" if recipe in SMALL else NEEDS_GPU
            assert row["tier"] == ("CPU" if recipe in SMALL else "GPU")
            assert row["seeds"] == row["hdm05 detector PCK"] == instead
            assert row["cmu-val exact MPJPE, all poses"] == instead
            assert row["hdm05 exact MPJPE sd"] == row["weights sha256"] == ""
            assert row[LATENCY] == row[THROUGHPUT] == "not measured"
        asked = table(replace(away, wide=True), tmp_path)
        assert {row["seeds"] for row in asked} == {"not run"}
        assert not bench.log.exists()
        assert not bench.runs.exists()

    def test_networks(self, bench: Bench, tmp_path: Path) -> None:
        rows = table(bench, tmp_path)
        ours = rows[0]
        counted = cost(build(AMPOSE.model))
        assert (ours["system"], ours["frames"], ours["poses"]) == ("AMPose", "1", "80")
        assert ours["parameters"] == str(counted.parameters)
        assert ours["MACs"] == str(counted.all_macs)
        assert ours["parameters published, M"] == "18.38"
        assert ours["width"] == "scaled: depth 1 of 5, width 16 of 512"
        assert ours["learning rate"] == "0.002"
        assert row_of(rows, "benchmark-lcn")["parameters published, M"] == "none known"

    def test_scores_are_those_of_the_protocol(
        self, bench: Bench, data: Path, tmp_path: Path
    ) -> None:
        runs = [write_benchmark_run(bench.runs, replace(AMPOSE, seed=k)) for k in (0, 1, 2)]
        ours = table(bench, tmp_path)[0]
        assert ours["seeds"] == "3"
        for name in ("cmu-test", "hdm05"):
            scores = [scores_of(run, name, data) for run in runs]
            for kind in ("exact", "detector"):
                of_seeds = [of_run["all", kind] for of_run in scores]
                for label, metric in {"MPJPE": "mpjpe", "P-MPJPE": "p_mpjpe", **MEASURES}.items():
                    values = [getattr(score, metric) for score in of_seeds]
                    column = f"{name} {kind} {label}"
                    assert float(ours[column]) == round(statistics.mean(values), 2), column
                    if "MPJPE" in label:
                        spread = round(statistics.stdev(values), 2)
                        assert float(ours[f"{column} sd"]) == spread > 0
                    else:
                        assert f"{column} sd" not in ours
            own = [scores_of(run, name, data, "native")["all", "exact"].mpjpe for run in runs]
            assert float(ours[f"{name} exact own bones MPJPE"]) == round(statistics.mean(own), 2)
        assert ours["weights sha256"].split("; ") == [
            sha256_of(run / "model.safetensors")[:12] for run in runs
        ]
        assert ours["trained on"] == "an abacus"

    def test_validation_on_the_way_is_of_seed_0(self, bench: Bench, tmp_path: Path) -> None:
        write_benchmark_run(bench.runs, AMPOSE, exact=50.0, detector=61.0)
        write_benchmark_run(bench.runs, replace(AMPOSE, seed=1), exact=40.0)
        written = reproduce_benchmark(bench, tmp_path / "out")
        ours = read(written.paths[1])[1][0]
        found = [ours[f"cmu-val exact MPJPE, {at} poses"] for at in ("1/4 of the", "1/2 of the")]
        assert [*found, ours["cmu-val exact MPJPE, all poses"]] == ["80.0", "60.0", "50.0"]
        assert ours["cmu-val detector MPJPE, 1/2 of the poses"] == "71.0"
        assert "80.0 / 91.0" in written.paths[3].read_text()

    def test_a_log_without_the_place(self, bench: Bench, tmp_path: Path) -> None:
        run = write_benchmark_run(bench.runs, AMPOSE)
        write_log(run, {20: (3.0, 4.0), 80: (1.0, 2.0)})
        ours = table(bench, tmp_path)[0]
        assert ours["cmu-val exact MPJPE, 1/4 of the poses"] == "3.0"
        assert ours["cmu-val exact MPJPE, 1/2 of the poses"] == "not logged"

    def test_without_seed_0_a_row_has_not_run(self, bench: Bench, tmp_path: Path) -> None:
        write_benchmark_run(bench.runs, replace(AMPOSE, seed=1))
        assert table(bench, tmp_path)[0]["seeds"] == "not run"


class TestClasses:
    def test_of_seed_0_by_class(self, bench: Bench, data: Path, tmp_path: Path) -> None:
        run = write_benchmark_run(bench.runs, AMPOSE)
        write_benchmark_run(bench.runs, replace(AMPOSE, seed=1))
        _, rows = read(reproduce_benchmark(bench, tmp_path / "out").paths[2])
        ours = [row for row in rows if row["recipe"] == AMPOSE.name]
        scores = scores_of(run, "hdm05", data)
        groups = [group for group, kind in scores if "class" in group and kind == "exact"]
        assert [f"class {row['class']}" for row in ours] == groups
        assert groups == ["class dance", "class squat"]
        for row in ours:
            for kind in ("exact", "detector"):
                score = scores[f"class {row['class']}", kind]
                assert row["poses"] == str(score.frames)
                for label, metric in (
                    ("MPJPE", "mpjpe"),
                    ("P-MPJPE", "p_mpjpe"),
                    ("PCK", "pck"),
                    ("AUC", "auc"),
                ):
                    assert float(row[f"{kind} {label}"]) == round(getattr(score, metric), 2)
        rest = [row for row in rows if row["recipe"] != AMPOSE.name]
        assert [row["recipe"] for row in rest] == [each.name for each in SMALL[1:]]
        assert {row["class"] for row in rest} == {row["exact PCK"] for row in rest} == {"not run"}


@pytest.mark.usefixtures("unscored")
class TestRepeated:
    def test_ampose_and_the_best_three_others_on_validation(
        self, training: Bench, trained: list[str], tmp_path: Path
    ) -> None:
        rows = table(training, tmp_path)
        probes = [f"{each.name}-probe-{rate:g}" for each in SMALL for rate in RATES]
        firsts = [each.name for each in SMALL]
        best = [f"benchmark-{name}" for name in ("ampose", "lcn", "srnet", "graformer")]
        assert trained == [*probes, *firsts, *(f"{n}-seed{k}" for k in (1, 2) for n in best)]
        assert {row["recipe"]: row["seeds"] for row in rows[: len(SMALL)]} == {
            name: "3" if name in best else "1" for name in firsts
        }
        notes, _ = read(tmp_path / "out" / "open_benchmark.csv")
        assert notes["several seeds"].endswith(
            "benchmark-graformer, benchmark-srnet, benchmark-lcn"  # the best first
        )
        # The same call again: nothing is missing.
        trained.clear()
        assert table(training, tmp_path) == rows
        assert trained == []

    def test_the_error_is_the_mean_of_both_inputs(
        self, training: Bench, trained: list[str], tmp_path: Path
    ) -> None:
        for place, recipe in enumerate(SMALL):
            # On exact 2D the last ones are the best, in the mean the first ones are.
            write_benchmark_run(
                training.runs, recipe, exact=60.0 - place, detector=80.0 + 3 * place
            )
        table(training, tmp_path)
        assert [name for name in trained if name.endswith("seed1")] == [
            f"benchmark-{name}-seed1" for name in ("ampose", "martinez", "semgcn", "lcn")
        ]

    def test_ampose_takes_no_place_of_the_others(
        self, training: Bench, trained: list[str], tmp_path: Path
    ) -> None:
        write_benchmark_run(training.runs, AMPOSE, exact=1.0)
        table(training, tmp_path)
        assert sum(name.endswith("seed1") for name in trained) == 4

    def test_systems_of_several_frames_are_trained_once(
        self, training: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = replace(SMALL[-1].model, frames=3)
        video = replace(SMALL[-1], name="benchmark-video", model=model)
        monkeypatch.setattr(open_benchmark, "BENCHMARK", (*SMALL[:5], video))
        first = {each.name: write_benchmark_run(training.runs, each) for each in SMALL[:5]}
        best = write_benchmark_run(training.runs, video, exact=1.0)
        several = open_benchmark.repeated_systems({**first, video.name: best})
        assert len(several) == 4
        assert video.name not in several
        assert open_benchmark.repeated_systems({**first, video.name: None}) == several

    def test_before_all_have_run_none_is_best(self, bench: Bench, tmp_path: Path) -> None:
        write_all(bench, SMALL[:-1])
        table(bench, tmp_path)
        notes, _ = read(tmp_path / "out" / "open_benchmark.csv")
        assert notes["several seeds"].endswith("not known before all have run")

    def test_fewer_seeds(self, training: Bench, trained: list[str], tmp_path: Path) -> None:
        table(replace(training, seeds=1), tmp_path)
        assert not [name for name in trained if "seed" in name]


class TestExtras:
    @pytest.fixture(autouse=True)
    def _extras(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_benchmark, "EXTRAS", EXTRA)

    @pytest.mark.usefixtures("unscored")
    def test_are_probed_and_trained_once(
        self, training: Bench, trained: list[str], tmp_path: Path
    ) -> None:
        rows = table(training, tmp_path)
        found = [name for name in trained if name.startswith("extras")]
        probes = [f"{each.name}-probe-{rate:g}" for each in EXTRA for rate in RATES]
        assert found == [*probes, "extras-ampose", "extras-graformer"]
        assert [row["seeds"] for row in rows if row["tier"] == "CPU, with extras"] == ["1", "1"]

    def test_are_no_candidates_for_more_seeds(self, bench: Bench) -> None:
        first = {each.name: write_benchmark_run(bench.runs, each) for each in SMALL}
        best = {each.name: write_benchmark_run(bench.runs, each, exact=1.0) for each in EXTRA}
        assert not best.keys() & set(open_benchmark.repeated_systems({**first, **best}))

    def test_stand_in_a_part_of_their_own(self, bench: Bench, tmp_path: Path) -> None:
        write_benchmark_run(bench.runs, EXTRA[1])
        written = reproduce_benchmark(bench, tmp_path / "out")
        notes, rows = read(written.paths[1])
        ours = row_of(rows, "extras-ampose")
        assert (ours["system"], ours["tier"]) == ("AMPose", "CPU, with extras")
        assert ours["width"] == "scaled: depth 6 of 5, width 104 of 512"
        assert ours["seeds"] == "not run"
        assert float(row_of(rows, "extras-graformer")["hdm05 exact MPJPE"]) > 0
        assert "learnt matrix" in notes["CPU, with extras"]
        text = written.paths[3].read_text()
        assert "## One frame, with extras: MPJPE / P-MPJPE in mm" in text
        _, classes = read(written.paths[2])
        assert {"extras-ampose", "extras-graformer"} <= {row["recipe"] for row in classes}


class TestWide:
    @pytest.mark.usefixtures("unscored")
    def test_is_trained_when_asked_for(
        self, training: Bench, trained: list[str], tmp_path: Path
    ) -> None:
        rows = table(replace(training, wide=True, seeds=1), tmp_path)
        # Probes are of networks; only AMPose's is another one at its published width.
        assert [name for name in trained if "wide" in name] == [
            *(f"benchmark-wide-ampose-probe-{rate:g}" for rate in RATES),
            *(each.name for each in WIDE),
        ]
        assert {row["seeds"] for row in rows} == {"1"}

    def test_a_run_that_is_there_counts(self, bench: Bench, tmp_path: Path) -> None:
        write_benchmark_run(bench.runs, WIDE[1])
        rows = table(bench, tmp_path)
        assert [row["seeds"] for row in rows[len(SMALL) :]].count("1") == 1
        ours = row_of(rows, WIDE[1].name)
        assert float(ours["hdm05 exact MPJPE"]) > 0
        assert ours["cmu-val exact MPJPE, 1/4 of the poses"] == "90.0"


class TestProbes:
    def test_another_rate_ends_it_before_anything_is_trained(
        self, training: Bench, trained: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrong = replace(SMALL[1], learning_rate=4e-3)
        monkeypatch.setattr(open_benchmark, "BENCHMARK", (AMPOSE, wrong))
        monkeypatch.setattr(open_benchmark, "WIDE_BENCHMARK", WIDE[:2])
        for rate, error in zip(RATES, (70.0, 60.0, 65.0), strict=True):
            write_probe(training.runs, wrong, rate, error, poses=PROBE)
        with pytest.raises(ValueError, match=r"benchmark-martinez 0\.002 \(has 0\.004\)"):
            reproduce_benchmark(training, tmp_path / "out")
        assert trained == [f"benchmark-ampose-probe-{rate:g}" for rate in RATES]
        # What was found stays to be read.
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["open_probes.csv"]

    def test_the_table_says_who_was_not_probed(self, bench: Bench, tmp_path: Path) -> None:
        for recipe in SMALL[1:]:
            for rate, error in zip(RATES, (70.0, 60.0, 65.0), strict=True):
                write_probe(bench.runs, recipe, rate, error, poses=PROBE)
        table(bench, tmp_path)
        notes, _ = read(tmp_path / "out" / "open_benchmark.csv")
        assert notes["learning rate"].endswith("not probed yet: benchmark-ampose")


class TestSpeed:
    def test_is_taken_from_the_file_beside(self, bench: Bench, tmp_path: Path) -> None:
        parameters = [cost(build(recipe.model)).parameters for recipe in SMALL[:2]]
        rows = [
            {"recipe": AMPOSE.name, "parameters": parameters[0], LATENCY: "1.25", THROUGHPUT: 900},
            # Measured when the network was another.
            {
                "recipe": SMALL[1].name,
                "parameters": parameters[1] + 1,
                LATENCY: 2,
                THROUGHPUT: 5,
            },
        ]
        write_table(tmp_path / "out" / FILE, rows, {"commit": "abc", "hardware": "an abacus"})
        found = table(bench, tmp_path)
        assert [row[LATENCY] for row in found[:3]] == ["1.25", "not measured", "not measured"]
        assert found[0][THROUGHPUT] == "900.0"
        notes, _ = read(tmp_path / "out" / "open_benchmark.csv")
        assert notes["speed"] == f"{FILE}: abc, an abacus, "

    def test_a_damaged_file(self, bench: Bench, tmp_path: Path) -> None:
        write_table(tmp_path / "out" / FILE, [{"recipe": 1}], {})
        with pytest.raises(ValueError, match=r"speed\.csv: has no column parameters, latency"):
            table(bench, tmp_path)


class TestReadable:
    def test_parts_and_their_order(self, bench: Bench, tmp_path: Path) -> None:
        for recipe, exact in zip(SMALL[:3], (62.0, 60.0, 61.0), strict=True):
            write_benchmark_run(bench.runs, recipe, exact=exact)
        written = reproduce_benchmark(bench, tmp_path / "out")
        text = written.paths[3].read_text()
        headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
        assert headings == [
            "One frame: MPJPE / P-MPJPE in mm",
            "One frame: the same, own bones",
            "One frame: networks",
            "One frame: exact / detector MPJPE on cmu-val in mm",
            "One frame: joint angles, bones, PCK, AUC (degrees, percent)",
            "One frame, published widths (GPU): networks",
            "Notes",
        ]
        assert written.summary in text
        systems = [line.split("|")[1].strip() for line in written.summary.splitlines()]
        assert systems[2:] == ["Martinez et al.", "SemGCN", "AMPose", "LCN", "SRNet", "GraFormer"]
        assert f"| {NEEDS_GPU} |" in text

    def test_several_frames_stand_apart(self) -> None:
        last = {f"cmu-val {kind} MPJPE, all poses": 1.0 for kind in ("exact", "detector")}
        rows = [
            {"tier": tier, "frames": frames, "seeds": 1, **last}
            for tier, frames in (("CPU", 27), ("CPU", 1), ("GPU", 27), ("GPU", 1))
        ]
        assert parts(rows) == {
            "One frame": [rows[1]],
            "Several frames": [rows[0]],
            "One frame, published widths (GPU)": [rows[3]],
            "Several frames, published widths (GPU)": [rows[2]],
        }

    def test_one_that_diverged_is_last(self) -> None:
        exact, detector = (f"cmu-val {kind} MPJPE, all poses" for kind in ("exact", "detector"))
        start = {"tier": "CPU", "frames": 1, "seeds": 1}
        diverged, better, worse = (
            {**start, exact: error, detector: 1.0} for error in (math.nan, 2.0, 3.0)
        )
        assert parts([diverged, worse, better])["One frame"] == [better, worse, diverged]

    def test_cells(self, bench: Bench, tmp_path: Path) -> None:
        for seed in (0, 1):
            write_benchmark_run(bench.runs, replace(AMPOSE, seed=seed))
        written = reproduce_benchmark(bench, tmp_path / "out")
        notes, rows = read(written.paths[1])
        ours = rows[0]
        text = written.paths[3].read_text()
        for condition in CONDITIONS:
            error, spread, aligned = (
                float(ours[f"{condition} {name}"]) for name in ("MPJPE", "MPJPE sd", "P-MPJPE")
            )
            assert f"| {error:.2f} ± {spread:.2f} / {aligned:.2f} |" in text
            measures = (float(ours[f"{condition} {name}"]) for name in MEASURES)
            assert f"| {' / '.join(f'{each:.1f}' for each in measures)} |" in text
            assert notes[f"best to worst, One frame, {condition} MPJPE"] == (
                f"benchmark-ampose {error:g}"
            )
        assert f"| {int(ours['parameters']):,} " in text


class TestLooks:
    def test_each_is_logged_and_taken_once(self, bench: Bench, tmp_path: Path) -> None:
        write_all(bench, SMALL[:2])
        first = table(bench, tmp_path)
        with bench.log.open(newline="") as file:
            looks = list(csv.DictReader(file))
        assert len(looks) == 2 * 16
        assert {row["set"] for row in looks} == {"cmu-test", "hdm05"}
        before = bench.log.read_bytes()
        assert table(replace(bench, data=None), tmp_path) == first
        assert bench.log.read_bytes() == before


def test_trains_really(
    bench: Bench, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = SMALL[:2]
    monkeypatch.setattr(open_benchmark, "BENCHMARK", pair)
    monkeypatch.setattr(open_benchmark, "WIDE_BENCHMARK", WIDE[:2])
    monkeypatch.setattr(open_probes, "PROBED_RATES", (2e-3,))
    for recipe in pair:
        monkeypatch.setitem(RECIPES, recipe.name, recipe)
    training = replace(bench, training=Training(data, silent, 1), seeds=2)
    rows = table(training, tmp_path)
    assert [row["seeds"] for row in rows] == ["2", "2", NEEDS_GPU, NEEDS_GPU]
    assert sorted(path.name for path in bench.runs.iterdir()) == [
        f"{each.name}{suffix}" for each in pair for suffix in ("", "-probe-0.002", "-seed1")
    ]
