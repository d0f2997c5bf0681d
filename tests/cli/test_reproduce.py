from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ampose.lifting.network import DEFAULT_WEIGHTS
from ampose.research.evaluation.provenance import write_table
from ampose.research.models.cost import count_parameters
from ampose.research.models.zoo import build
from ampose.research.recipes import BENCHMARK, EXTRAS, RECIPES, WIDE_BENCHMARK, Recipe
from ampose.research.reproduction import open_benchmark, open_probes, open_speed
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.open_speed import FILE, LATENCY, THROUGHPUT
from ampose.research.reproduction.tables import Written
from ampose.research.training import run
from tests.lifting.networks import echo
from tests.research.human36m_files import write_human36m
from tests.research.packs import write_data
from tests.research.reproduction.benchmark_runs import (
    RATES,
    SMALL,
    WIDE,
    write_benchmark_run,
    write_probe,
)
from tests.research.reproduction.runs import write_run
from tests.research.reproduction.test_tables import read
from tests.research.training.commands import Command, assert_one_line, without_torch
from tests.research.training.runs import names

RESULTS = Path("results")


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return folder


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return write_data(tmp_path / "packs")


@pytest.fixture
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes of tables 4.2 and open-4.7 that are done at once."""
    for name, recipe in RECIPES.items():
        if name == "open" or name.startswith("open-order"):
            model = replace(recipe.model, depth=1, width=16)
            monkeypatch.setitem(RECIPES, name, replace(recipe, model=model, poses=16, batch=8))
    small = {"h36m-cpn-17": {"depth": 1}, "h36m-cpn-17-lcn": {}, "h36m-cpn-17-videopose3d": {}}
    for name, changes in small.items():
        recipe = RECIPES[name]
        model = replace(recipe.model, width=16, **changes)
        monkeypatch.setitem(RECIPES, name, replace(recipe, model=model, epochs=2, batch=512))


def test_list_says_what_could_run(ampose: Command, packs: Path) -> None:
    said = ampose("reproduce", "--list")
    assert (said.code, said.err) == (0, "")
    gap = " " * 17
    assert f"4.1{gap[3:]}MPJPE on Human3.6M, 17 joints, mm\n{gap}needs Human3.6M\n" in said.out
    assert "open-4.9" in said.out
    assert "needs the open-mocap packs" in said.out
    said = ampose("reproduce", "--list", "--data", packs)
    assert f"figure-open{gap[11:]}Poses of HDM05" in said.out
    assert f"{gap}can be drawn\n" in said.out
    assert not RESULTS.exists()


@pytest.mark.parametrize("table", ["4.6", "4.9"])
def test_costs_need_no_data(ampose: Command, table: str) -> None:
    said = ampose("reproduce", table)
    assert (said.code, said.err) == (0, "")
    assert "| needs Human3.6M |" in said.out
    assert "parameters (M, all)" in said.out
    csv, document = f"results/table_4_{table[2]}.csv", f"results/table_4_{table[2]}.md"
    assert said.out.endswith(f"Written: {csv}, {document}\n")
    assert names(RESULTS) == [Path(csv).name, Path(document).name]
    _, rows = read(Path(csv))
    assert all(float(row["MACs (M, thop) measured"]) > 0 for row in rows)
    assert not Path("runs").exists()


def test_generated_data_is_a_trial(
    ampose: Command, tmp_path: Path, temporary: Path, short_runs: None
) -> None:
    data = write_human36m(tmp_path / "h36m", frames=1, keypoints=["cpn_ft_h36m_dbb"])
    said = ampose("reproduce", "4.2", "--data", data, "--threads", 1)
    assert (said.code, said.err) == (0, "")
    assert "note: TRIAL, NO MEASUREMENT" in said.out
    assert f"Written: {temporary}/ampose-trial-" in said.out
    assert not RESULTS.exists()
    assert not Path("runs").exists()


def test_open_tables_train_and_resume(
    ampose: Command, packs: Path, short_runs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("reproduce", "open-4.7", "--data", packs, "--seeds", 2, "--threads", 1)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "validation_errors", interrupt)
        said = ampose(*words)
    assert (said.code, said.out) == (130, "Saved in runs; the same command goes on from there.\n")
    assert not RESULTS.exists()

    said = ampose(*words)
    assert (said.code, said.err) == (0, "")
    assert said.out.count("±") == 4 * 4
    assert names(RESULTS) == ["open_ablation_4_7.csv", "open_ablation_4_7.md", "test_log.csv"]
    looks = (RESULTS / "test_log.csv").read_text()
    assert looks.count("\n") == 1 + 4 * 2 * 16
    assert len(names(Path("runs"))) == 8

    again = ampose("reproduce", "open-4.7", "--no-train", "--seeds", 2)
    assert again.out == said.out
    assert (RESULTS / "test_log.csv").read_text() == looks


def test_without_training_what_is_missing_has_not_run(
    ampose: Command, packs: Path, short_runs: None
) -> None:
    write_run(Path("elsewhere"), RECIPES["open"])
    words = ("--data", packs, "--runs", "elsewhere", "--no-train", "--out", "tables")
    assert ampose("reproduce", "open-4.7", *words).code == 0
    _, rows = read(Path("tables/open_ablation_4_7.csv"))
    assert [row["seeds"] for row in rows] == ["not run", "not run", "not run", "1"]
    assert names(Path("elsewhere")) == ["open"]


class TestBenchmark:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_benchmark, "BENCHMARK", SMALL)
        monkeypatch.setattr(open_benchmark, "EXTRAS", ())
        monkeypatch.setattr(open_benchmark, "WIDE_BENCHMARK", WIDE)

    def test_what_is_missing_has_not_run(self, ampose: Command, packs: Path) -> None:
        write_benchmark_run(Path("elsewhere"), SMALL[0])
        words = ("--data", packs, "--runs", "elsewhere", "--no-train", "--out", "tables")
        said = ampose("reproduce", "open", *words)
        assert (said.code, said.err) == (0, "")
        assert said.out.count("| not run") == 5 * 5  # systems, and seeds with four errors
        tables = ("open_benchmark.csv", "open_benchmark.md", "open_benchmark_classes.csv")
        assert names(Path("tables")) == [*tables, "open_probes.csv", "test_log.csv"]
        assert names(Path("elsewhere")) == ["benchmark-ampose"]

    def test_another_learning_rate_than_the_probes_chose(
        self, ampose: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(open_probes, "PROBE", 30)
        monkeypatch.setattr(open_probes, "PROBED_RATES", RATES)
        for rate, error in zip(RATES, (3.0, 2.0, 1.0), strict=True):
            write_probe(Path("runs"), SMALL[1], rate, error, poses=30)
        said = ampose("reproduce", "open", "--no-train")
        assert_one_line(said, "benchmark-martinez 0.004 (has 0.002); set them in recipes/bench")

    @pytest.mark.parametrize("wide", [False, True])
    def test_speed(self, ampose: Command, wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[str, ...]] = []

        def measure(
            recipes: tuple[Recipe, ...], bench: Bench, out: Path, shipped: tuple[Path, ...]
        ) -> Written:
            assert shipped == (DEFAULT_WEIGHTS,)
            asked.append(tuple(recipe.name for recipe in recipes))
            return Written((out / "speed.csv", bench.runs), "fast")

        monkeypatch.setattr(open_speed, "measure_speeds", measure)
        said = ampose("reproduce", "open-speed", "--runs", "r", *["--wide"] * wide)
        assert said.out == "fast\nWritten: results/speed.csv, r\n"
        recipes = (*BENCHMARK, *EXTRAS, *(WIDE_BENCHMARK if wide else ()))
        assert asked == [tuple(recipe.name for recipe in recipes)]

    def test_figure(self, ampose: Command, packs: Path) -> None:
        pytest.importorskip("matplotlib")
        said = ampose("reproduce", "figure-benchmark")
        assert_one_line(said, "results/open_benchmark.csv: cannot be read")
        write_benchmark_run(Path("runs"), SMALL[0])
        parameters = count_parameters(build(SMALL[0].model))
        speed = {"recipe": SMALL[0].name, "parameters": parameters, LATENCY: 1, THROUGHPUT: 2}
        write_table(RESULTS / FILE, [speed], {})
        assert ampose("reproduce", "open", "--data", packs, "--no-train").code == 0
        said = ampose("reproduce", "figure-benchmark", "--out", "images")
        assert said.out == "Written: images/open_benchmark.svg\n"
        table = (RESULTS / "open_benchmark.csv").replace("moved.csv")
        first = Path("images/open_benchmark.svg").read_bytes()
        assert ampose("reproduce", "figure-benchmark", "--table", table).code == 0
        assert (RESULTS / "open_benchmark.svg").read_bytes() == first


class TestFigures:
    def test_of_open_data(self, ampose: Command, packs: Path) -> None:
        pytest.importorskip("matplotlib")
        said = ampose("reproduce", "figure-open", "--data", packs, "--out", "f", "--threads", 1)
        assert (said.code, said.err) == (0, "")
        assert said.out == "Written: f/figure_open.png, f/figure_open.pdf\n"
        assert names(Path("f")) == ["figure_open.pdf", "figure_open.png"]

    def test_of_a_trained_run(self, ampose: Command, packs: Path, short_runs: None) -> None:
        pytest.importorskip("matplotlib")
        weights = write_run(Path("runs"), RECIPES["open"]) / "model.safetensors"
        words = ("reproduce", "figure-open", "--data", packs)
        assert ampose(*words).code == 0
        first = (RESULTS / "figure_open.png").read_bytes()
        assert ampose(*words, "--weights", weights).code == 0
        assert (RESULTS / "figure_open.png").read_bytes() != first

    def test_of_licensed_data(
        self, ampose: Command, tmp_path: Path, temporary: Path, short_runs: None
    ) -> None:
        pytest.importorskip("matplotlib")
        said = ampose("reproduce", "figure-4.3")
        assert_one_line(said, "figure-4.3: needs Human3.6M; no data was given; --data says")
        data = write_human36m(tmp_path / "h36m", frames=1, keypoints=["cpn_ft_h36m_dbb"])
        said = ampose("reproduce", "figure-4.3", "--data", data, "--no-train")
        assert_one_line(said, "figure-4.3: not run")
        said = ampose("reproduce", "figure-4.3", "--data", data, "--epochs", 1)
        assert said.code == 0
        assert said.out.startswith("note: TRIAL")
        (png,) = temporary.glob("*/figure_4_3.png")
        assert str(png) in said.out
        assert not RESULTS.exists()

    def test_of_sigma(self, ampose: Command, packs: Path) -> None:
        pytest.importorskip("matplotlib")
        said = ampose("reproduce", "figure-sigma")
        assert_one_line(said, "results/sigma.csv: cannot be read")
        weights = echo(Path("a.onnx"), outputs=("joints", "sigma"))
        words = ("eval-sigma", "cmu-val", "--data", packs, "--weights", weights)
        assert ampose(*words, "-o", RESULTS / "sigma.csv").code == 0
        said = ampose("reproduce", "figure-sigma", "-o", "images")
        assert (said.code, said.out) == (0, "Written: images/sigma.svg\n")
        first = Path("images/sigma.svg").read_bytes()
        table = (RESULTS / "sigma.csv").replace("moved.csv")
        assert ampose("reproduce", "figure-sigma", "--table", table).code == 0
        assert (RESULTS / "sigma.svg").read_bytes() == first

    def test_need_packs(self, ampose: Command) -> None:
        pytest.importorskip("matplotlib")
        assert_one_line(ampose("reproduce", "figure-open"), "figure-open needs --data")
        said = ampose("reproduce", "figure-open", "--data", ".")
        assert_one_line(said, "hdm05.npz: no such file")

    def test_without_matplotlib(self, ampose: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
        monkeypatch.delitem(sys.modules, "ampose.research.reproduction.figures", raising=False)
        said = ampose("reproduce", "figure-open", "--data", ".")
        assert_one_line(said, "figures need matplotlib", 'pip install "ampose[figures]"')


class TestBadInput:
    def test_targets(self, ampose: Command) -> None:
        said = ampose("reproduce", "5.1")
        assert_one_line(said, "unknown target '5.1'; choose from 4.1, 4.2", "figure-open")
        assert_one_line(ampose("reproduce"), "say what to reproduce; choose from 4.1")

    @pytest.mark.parametrize(
        ("target", "option"),
        [
            ("4.1", "--seeds=2"),
            ("4.1", "--poses=8"),
            ("4.9", "--wide"),
            ("4.9", "--weights=x.onnx"),
            ("open-4.7", "--epochs=1"),
            ("open-4.7", "--weights=x.onnx"),
            ("figure-4.3", "--seeds=2"),
            ("open", "--poses=8"),
            ("open", "--table=t.csv"),
            ("open-speed", "--data=d"),
            ("open-speed", "--threads=2"),
            ("open-speed", "--no-train"),
            ("figure-benchmark", "--runs=r"),
            ("figure-benchmark", "--data=d"),
            ("figure-sigma", "--weights=x.onnx"),
            ("figure-open", "--table=t.csv"),
            ("figure-open", "--runs=r"),
            ("figure-open", "--no-train"),
        ],
    )
    def test_options_that_mean_nothing(self, ampose: Command, target: str, option: str) -> None:
        name = option.partition("=")[0]
        assert_one_line(ampose("reproduce", target, option), f"{name} means nothing for {target}")

    def test_a_folder_of_another_run(self, ampose: Command, packs: Path, short_runs: None) -> None:
        write_run(Path("runs"), replace(RECIPES["open"], poses=8))
        said = ampose("reproduce", "open-4.6", "--data", packs, "--no-train")
        assert_one_line(said, "runs/open holds a run of another recipe", "--runs")

    def test_missing_packs(self, ampose: Command) -> None:
        said = ampose("reproduce", "open-4.6", "--data", ".")
        assert_one_line(said, "no such file; give the folder of the open-mocap packs with --data")

    def test_results_that_cannot_be_written(self, ampose: Command) -> None:
        Path("file").touch()
        said = ampose("reproduce", "4.9", "--out", "file/results")
        assert said.code == 2
        assert said.err.count("\n") == 1

    def test_without_torch_it_says_how_to_install_it(self) -> None:
        assert_one_line(without_torch("reproduce", "4.9"), "needs torch; install it with")
