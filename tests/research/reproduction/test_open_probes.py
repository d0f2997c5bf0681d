"""Probes: which rate they choose, when they do, and what a recipe with another one is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ampose.research.recipes import Recipe
from ampose.research.reproduction import open_probes
from ampose.research.reproduction.open_probes import (
    Probed,
    probed,
    require_chosen,
    validation_error,
    write_probes,
)
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.runs import Training
from tests.research.reproduction.benchmark_runs import (
    RATES,
    SMALL,
    write_benchmark_run,
    write_log,
    write_probe,
)
from tests.research.reproduction.runs import silent
from tests.research.reproduction.test_tables import read

AMPOSE = SMALL[0]
POSES = 30


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_probes, "PROBE", POSES)
    monkeypatch.setattr(open_probes, "PROBED_RATES", RATES)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "runs", tmp_path / "log.csv", silent)


class TestChoice:
    @pytest.mark.parametrize(
        ("errors", "chosen", "at_edge"),
        [
            ((3.0, 1.0, 2.0), 2e-3, False),
            ((1.0, 2.0, 3.0), 1e-3, True),
            ((3.0, 2.0, 1.0), 4e-3, True),
            ((3.0, 1.0, 1.0), 2e-3, False),  # the lower one of two that are alike
            ((3.0, 1.0, math.inf), 2e-3, False),
            ((3.0, 1.0, None), None, False),
            ((None, None, None), None, False),
        ],
    )
    def test_is_the_least_error_of_all(
        self, errors: tuple[float | None, ...], chosen: float | None, at_edge: bool
    ) -> None:
        probes = Probed(AMPOSE, dict(zip(RATES, errors, strict=True)))
        assert (probes.chosen, probes.at_edge) == (chosen, at_edge)

    def test_order_of_the_rates_does_not_matter(self) -> None:
        probes = Probed(AMPOSE, {4e-3: 1.0, 1e-3: 1.0, 2e-3: 3.0})
        assert (probes.chosen, probes.at_edge) == (1e-3, True)

    def test_a_recipe_with_another_rate_is_told_in_one_line(self) -> None:
        def of(recipe: Recipe, *errors: float | None) -> Probed:
            return Probed(recipe, dict(zip(RATES, errors, strict=True)))

        right, unknown = of(AMPOSE, 3.0, 1.0, 2.0), of(SMALL[1], 1.0, None, 3.0)
        require_chosen([right, unknown])
        with pytest.raises(ValueError, match="learning rates") as caught:
            require_chosen([right, of(SMALL[1], 1.0, 2.0, 3.0), of(SMALL[2], 3.0, 2.0, 1.0)])
        assert str(caught.value) == (
            "the probes chose other learning rates: benchmark-martinez 0.001 (has 0.002), "
            "benchmark-semgcn 0.004 (has 0.002); set them in recipes/benchmark.py, or "
            "improvements.py for extras"
        )


class TestScore:
    def test_is_the_mean_of_both_inputs_at_the_end(self, tmp_path: Path) -> None:
        run = write_benchmark_run(tmp_path, AMPOSE, exact=50.0, detector=71.0)
        assert validation_error(run) == 60.5

    def test_a_run_that_diverged_is_the_worst(self, tmp_path: Path) -> None:
        run = write_benchmark_run(tmp_path, AMPOSE)
        write_log(run, {40: (1.0, 1.0), 80: (math.nan, 3.0)})
        assert validation_error(run) == math.inf


class TestRuns:
    def test_lie_beside_the_recipes_own(self, bench: Bench) -> None:
        for rate, error in zip(RATES, (61.0, 59.5, 60.0), strict=True):
            write_probe(bench.runs, AMPOSE, rate, error, poses=POSES)
        assert sorted(path.name for path in bench.runs.glob("benchmark*")) == [
            "benchmark-ampose-probe-0.001",
            "benchmark-ampose-probe-0.002",
            "benchmark-ampose-probe-0.004",
        ]
        first, second = probed(SMALL[:2], bench)
        assert first.errors == {1e-3: 61.0, 2e-3: 59.5, 4e-3: 60.0}
        assert second.errors == dict.fromkeys(RATES)

    def test_of_another_recipe_are_refused(self, bench: Bench) -> None:
        write_probe(bench.runs, replace(AMPOSE, batch=5), 1e-3, 60.0, poses=POSES)
        with pytest.raises(ValueError, match=r"probe-0\.001 holds a run of another recipe"):
            list(probed([AMPOSE], bench))

    def test_missing_ones_are_trained(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        write_probe(bench.runs, AMPOSE, 2e-3, 60.0, poses=POSES)
        trained: list[tuple[str, int | None, float]] = []

        def train(self: Training, recipe: Recipe, runs: Path, folder: Path) -> Path:
            trained.append((folder.name, recipe.poses, recipe.learning_rate))
            return write_probe(runs, AMPOSE, recipe.learning_rate, 70.0, poses=POSES)

        monkeypatch.setattr(Training, "__call__", train)
        (found,) = probed([AMPOSE], replace(bench, training=Training(Path(), silent)))
        assert trained == [
            ("benchmark-ampose-probe-0.001", POSES, 1e-3),
            ("benchmark-ampose-probe-0.004", POSES, 4e-3),
        ]
        assert found.chosen == 2e-3


def test_table(tmp_path: Path) -> None:
    def cells(recipe: Recipe, errors: Mapping[float, float | None]) -> Probed:
        return Probed(recipe, errors)

    done = cells(AMPOSE, {1e-3: 61.239, 2e-3: 60.0, 4e-3: math.inf})
    edge = cells(SMALL[1], {1e-3: 61.0, 2e-3: 62.0, 4e-3: 63.0})
    partly = cells(SMALL[2], {1e-3: 61.0, 2e-3: None, 4e-3: None})
    notes, rows = read(write_probes([done, edge, partly], tmp_path))
    assert [list(row.values()) for row in rows] == [
        ["benchmark-ampose", "61.24", "60.0", "inf", "0.002", "no"],
        ["benchmark-martinez", "61.0", "62.0", "63.0", "0.001", "yes"],
        ["benchmark-semgcn", "61.0", "not run", "not run", "not run", ""],
    ]
    assert list(rows[0]) == ["recipe", "0.001", "0.002", "0.004", "chosen", "at the edge"]
    assert notes["probe"].startswith("30 poses, seed 0")
