"""Runs on open data; what tables make of them is tested with the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ampose.research.reproduction.open_runs import (
    Bench,
    main_row,
    ranking,
    readable_errors,
    score_runs,
    seeded_runs,
)
from tests.research.packs import write_data
from tests.research.reproduction.benchmark_runs import SMALL
from tests.research.reproduction.runs import silent, write_run


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(
        tmp_path / "runs", tmp_path / "log.csv", silent, write_data(tmp_path / "data"), seeds=4
    )


class TestSeeds:
    def find(self, bench: Bench) -> dict[str, list[str]]:
        def nothing(first: Mapping[str, Path | None]) -> tuple[str, ...]:
            asked.append({name: run and run.name for name, run in first.items()})
            return ("b",)

        asked: list[dict[str, str | None]] = []
        runs, several = seeded_runs(
            {"a": SMALL[0], "b": SMALL[1]}, bench, may_train=lambda _: True, repeated=nothing
        )
        assert several == ("b",)
        assert asked == [{name: found[0].name if found else None for name, found in runs.items()}]
        return {name: [run.name for run in found] for name, found in runs.items()}

    def test_those_that_are_there_count(self, bench: Bench) -> None:
        for seed in (0, 2, 3, 4):
            write_run(bench.runs, replace(SMALL[0], seed=seed))
        assert self.find(bench) == {
            "a": [f"benchmark-ampose{suffix}" for suffix in ("", "-seed2", "-seed3")],
            "b": [],
        }

    def test_but_not_without_the_first(self, bench: Bench) -> None:
        write_run(bench.runs, replace(SMALL[0], seed=1))
        assert self.find(bench) == {"a": [], "b": []}


class TestScores:
    def test_by_class_is_another_look(self, bench: Bench) -> None:
        run = write_run(bench.runs, SMALL[0])
        whole = score_runs([run], "hdm05", bench)[run]
        assert {row["group"] for row in whole.rows} == {"all"}
        lines = bench.log.read_text().count("\n")
        parts = score_runs([run], "hdm05", bench, by_class=True)[run]
        assert {row["group"] for row in parts.rows} > {"all", "class squat"}
        assert bench.log.read_text().count("\n") == 2 * lines - 1
        away = replace(bench, data=None)
        assert score_runs([run], "hdm05", away)[run] == whole
        assert score_runs([run], "hdm05", away, by_class=True)[run] == parts
        with pytest.raises(ValueError, match=r"1 run\(s\) are not scored on cmu-test"):
            score_runs([run], "cmu-test", away)

    def test_the_row_of_tables(self, bench: Bench) -> None:
        run = write_run(bench.runs, SMALL[0])
        scores = score_runs([run], "hdm05", bench, by_class=True)[run]
        for group in ("all", "class squat"):
            row = main_row(scores, "detector", group)
            found = (row["group"], row["bones"], row["input"], row["focal"])
            assert found == (group, "template", "detector", "known")


ROW = {"recipe": "a", "seeds": 1, "s MPJPE": 50.126, "s MPJPE sd": "", "s P-MPJPE": 40.0}


class TestReadable:
    def test_errors(self) -> None:
        assert readable_errors(ROW, "s") == "50.13 / 40.00"
        assert readable_errors({**ROW, "s MPJPE sd": 0.5}, "s") == "50.13 ± 0.50 / 40.00"
        assert readable_errors({**ROW, "seeds": "not run"}, "s") == "not run"

    def test_ranking(self) -> None:
        better = {**ROW, "recipe": "b", "s MPJPE": 49.0}
        missing = {**ROW, "recipe": "c", "seeds": "not run"}
        assert ranking([ROW, better, missing], "s MPJPE") == "b 49 < a 50.126"
        assert ranking([missing], "s MPJPE") == "not run"
