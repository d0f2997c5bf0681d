"""The training benchmark on a small network, its numbers by hand where they can be."""

from __future__ import annotations

import csv
import importlib.util
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ampose.research.data.batches import Batch, Plan, WindowSource
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.cost import cost
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES
from ampose.research.training.distributed import World
from tests.research.packs import write_data

_PATH = Path(__file__).parents[2] / "benchmarks" / "training.py"
_SPEC = importlib.util.spec_from_file_location("training_benchmark", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
benchmark = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = benchmark  # dataclasses look their module up
_SPEC.loader.exec_module(benchmark)

POSES = 8
RECIPE = replace(RECIPES["open"], model=AMPoseConfig(depth=2, width=16, channels=3), batch=POSES)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "SQUARE", {"cpu": 32})
    monkeypatch.setattr(benchmark, "LEAST_SECONDS", 1e-4)
    monkeypatch.setattr(benchmark, "EVALUATED", 64)


@pytest.fixture
def batch() -> Batch:
    source = WindowSource(benchmark.invented(30, 3), mirrored=True)
    return source.step(Plan(source.poses, 1, POSES), 0, 0)


class TestProducts:
    def test_by_hand(self) -> None:
        left, right = torch.ones(4, 6), torch.ones(5, 6)
        many = torch.ones(3, 4, 6), torch.ones(3, 6, 2)
        counts = benchmark.products_of(
            lambda: [left @ right.T, left @ right.T, torch.bmm(*many), left + 1]
        )
        assert {str(product): count for product, count in counts.items()} == {
            "4 x 6 by 6 x 5": 2,
            "3 x 4 x 6 by 3 x 6 x 2": 1,
        }
        assert [p.operations for p in counts] == [2 * 4 * 6 * 5, 2 * 3 * 4 * 6 * 2]
        one = next(iter(counts))
        assert one.right == ((6, 5), (1, 6))  # transposed in memory
        assert one.seconds("cpu") > 0

    def test_forward_is_what_cost_counts(self, batch: Batch) -> None:
        model = build(RECIPE.model)
        counts = benchmark.products_of(lambda: model(torch.from_numpy(batch.inputs)))
        operations = sum(count * product.operations for product, count in counts.items())
        assert operations == 2 * POSES * cost(model).all_macs

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_training_is_three_forwards_less_what_needs_no_gradient(
        self, batch: Batch, precision: str
    ) -> None:
        trainer = benchmark.Trainer(replace(RECIPE, precision=precision), World())
        counts = benchmark.products_of(lambda: trainer.step(0, batch))
        counted = cost(build(RECIPE.model))
        # The input and the adjacency (51 x 17 for each of 16 channels, 4 times) have no gradient.
        spared = 17 * 3 * 16 + 4 * 17 * 51 * 16
        operations = sum(count * product.operations for product, count in counts.items())
        assert operations == 2 * POSES * (3 * counted.all_macs - spared)
        assert {product.precision for product in counts} == {getattr(torch, precision)}


class TestClock:
    def test_waiting_is_the_time_in_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Five seconds for each batch, twenty for each step; the warm-up takes longer."""
        now = 0.0

        def slow_batches(
            source: object, plan: Plan, seed: int, first: int, workers: int
        ) -> Iterator[Batch]:
            nonlocal now
            assert (seed, first, workers) == (RECIPE.seed, 0, 3)
            for step in range(first, plan.steps):
                now += 1000 if step < 2 else 5
                yield Batch(np.zeros((POSES, 1, 17, 3)), np.zeros((POSES, 17, 3)))

        def work(number: int, batch: Batch) -> None:
            nonlocal now
            now += 100 if number < 2 else 20
            seen.append((number, len(batch)))

        seen: list[tuple[int, int]] = []
        monkeypatch.setattr(benchmark, "prefetched", slow_batches)
        monkeypatch.setattr(benchmark, "perf_counter", lambda: now)
        source = WindowSource(benchmark.invented(30, 3))
        timing = benchmark.Clock(2, 4, 3, "cpu").time(RECIPE, source, work)
        assert timing == benchmark.Timing(4 * POSES, 4 * 25.0, 4 * 5.0)
        assert timing.speed == pytest.approx(POSES / 25)
        assert seen == [(number, POSES) for number in range(6)]

    def test_a_source_that_sleeps(self) -> None:
        class Sleeping:
            poses = 100

            def step(self, plan: Plan, seed: int, step: int) -> Batch:
                del plan, seed, step
                time.sleep(0.02)
                return Batch(np.zeros((POSES, 1, 17, 3)), np.zeros((POSES, 17, 3)))

        timing = benchmark.Clock(1, 3, 1, "cpu").time(RECIPE, Sleeping(), lambda *_: None)
        assert timing.waited > 0.5 * timing.seconds
        assert timing.speed <= POSES / 0.02


def test_a_step_is_one_of_the_loop(batch: Batch) -> None:
    """Weights and their averages move, at the loop's learning rate."""
    trainer = benchmark.Trainer(RECIPE, World())
    models = trainer.state.model, trainer.state.average
    before = [[p.clone() for p in model.parameters()] for model in models]
    trainer.step(0, batch)
    moved, averaged = (
        [not torch.equal(was, now) for was, now in zip(old, model.parameters(), strict=True)]
        for old, model in zip(before, models, strict=True)
    )
    assert all(moved)
    assert any(averaged)  # some by less than float32 can tell
    rates = [group["lr"] for group in trainer.state.optimiser.param_groups]
    assert rates == [benchmark.learning_rate(RECIPE, RECIPE.plan(1), 0)] * 2


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("packs") / "data")


OPTIONS = ("--depth", "1", "--width", "16", "--batch", "8", "--warmup", "1", "--steps", "2")


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["training.py", *map(str, words)])
    benchmark.main()


def test_whole_run(tmp_path: Path, packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "speed.csv"
    run(monkeypatch, packs, "-o", out, *OPTIONS, "--repeats", "3", "--frames", "40")
    lines = out.read_text().splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    assert notes["network"].startswith("AMPose 1/16, ")
    assert notes["steps"] == "2 of 8 poses after 1, 3 repeats"
    assert notes["data"] == "open motion 160 poses, windows 40 frames twice, 1 thread(s)"
    assert {"torch", "device", "hardware", "commit", "day"} <= notes.keys()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    value = {}
    for row in rows:
        numbers = [float(row[column]) for column in ("lowest", "median", "highest")]
        assert 0 <= numbers[0] <= numbers[1] <= numbers[2]
        key = tuple(row[column] for column in ("task", "case", "precision", "quantity"))
        assert key not in value
        value[key] = numbers[1]
    speeds = {key[:3] for key in value if key[3] == "speed"}
    sources = ("open motion", "windows", "one batch again")
    assert speeds == {
        *(("data", source, "") for source in sources),
        *(("training", source, p) for source in sources for p in ("float32", "bfloat16")),
        ("evaluation", "arrays", "float32"),
    }
    for task, case, precision in speeds - {("data", source, "") for source in sources}:
        own = value[task, case, precision, "utilisation of products"]
        square = value[task, case, precision, "utilisation of square"]
        assert own > 0 < square
    assert ("product", "square: 32 x 32 by 32 x 32", "bfloat16", "rate") in value
    assert ("product", "training: 136 x 16 by 16 x 48", "float32", "rate") in value
    assert ("training", "windows", "bfloat16", "of one batch again") in value


def test_ratios_belong_to_one_round(packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Utilisation = poses/s x operations of a pose / operations/s, of the same round."""
    source = WindowSource(benchmark.invented(40, 3))
    measured = benchmark.Benchmark(RECIPE, {"windows": source}, benchmark.Clock(0, 1, 1, "cpu"))
    precisions = {name: trainer.recipe.precision for name, trainer in measured.trainers.items()}
    assert precisions == {"float32": "float32", "bfloat16": "bfloat16"}
    for _ in range(2):
        measured.repeat()
    macs = measured.cost.all_macs
    for task, case, factor in (("training", "windows", 6), ("evaluation", "arrays", 2)):
        speed = measured.values[task, case, "float32", "speed", "poses/s"]
        rate = measured.values["products", task, "float32", "rate", "GFLOP/s"]
        share = measured.values[task, case, "float32", "utilisation of products", "share"]
        by_hand = np.array(speed) * factor * macs / (np.array(rate) * 1e9)
        np.testing.assert_allclose(share, by_hand)
    windows, alone = (
        np.array(measured.values["training", name, "bfloat16", "speed", "poses/s"])
        for name in ("windows", "one batch again")
    )
    key = "training", "windows", "bfloat16", "of one batch again", "share"
    np.testing.assert_allclose(measured.values[key], windows / alone)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--width", "10"), "width 10 does not divide into 4 heads"),
        (("--steps", "0"), "--frames must be at least 1"),
    ],
)
def test_bad_options_end_in_one_line(
    words: tuple[str, ...],
    message: str,
    packs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, packs, *words)
    assert capsys.readouterr().err.splitlines()[-1].endswith(message)


def test_missing_packs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path)
    assert "cmu.npz: no such file" in capsys.readouterr().err.splitlines()[-1]
