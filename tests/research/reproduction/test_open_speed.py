"""Speed: whose turn it is when, and what becomes of the times; no time is judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ampose.lifting.network import DEFAULT_WEIGHTS
from ampose.research.models.cost import count_parameters
from ampose.research.models.zoo import build
from ampose.research.reproduction import open_speed
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.open_speed import (
    FILE,
    LATENCY,
    NOT_MEASURED,
    THROUGHPUT,
    Speeds,
    interleaved,
    measure_speeds,
    read_speeds,
    seconds_of,
    speed_cells,
)
from tests.research.reproduction.benchmark_runs import SMALL
from tests.research.reproduction.runs import silent, write_run
from tests.research.reproduction.test_tables import read


def test_turns_go_round() -> None:
    called: list[str] = []
    timed: list[str] = []
    calls: dict[tuple[str, str], Callable[[], object]] = {
        (name, "1"): lambda name=name: called.append(name) for name in "abc"
    }

    def clock(call: Callable[[], object]) -> float:
        call()
        timed.append(called[-1])
        return float(len(timed))

    progress: list[tuple[int, int | None]] = []
    found = interleaved(calls, 4, clock, lambda *now: progress.append(now))
    assert called[:3] == ["a", "b", "c"]  # once before, and not timed
    assert timed == [*"abc", *"bca", *"cab", *"abc"]
    assert found == {
        ("a", "1"): [1, 6, 8, 10],
        ("b", "1"): [2, 4, 9, 11],
        ("c", "1"): [3, 5, 7, 12],
    }
    assert progress == [(0, 4), (1, 4), (2, 4), (3, 4)]


class TestTurn:
    @pytest.fixture
    def ticks(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """What the clock says before and after each call."""
        readings: list[float] = []
        monkeypatch.setattr(open_speed, "perf_counter", lambda: readings.pop(0))
        return readings

    def test_is_the_median_of_its_calls(
        self, ticks: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(open_speed, "LEAST_SECONDS", 6.0)
        ticks += [0, 1, 10, 14, 20, 20.5, 30, 31, 40, 42]  # 1, 4, 0.5 and 1 are enough
        assert seconds_of(lambda: None) == 1.0
        assert ticks == [40, 42]

    def test_has_some_calls_however_long_they_are(self, ticks: list[float]) -> None:
        ticks += [0, 100, 100, 300, 300, 600]
        assert seconds_of(lambda: None) == 200
        assert not ticks


class TestCells:
    def test_latency(self) -> None:
        seconds, ampose = [0.002, 0.004, 0.0123], [0.001, 0.004, 0.003]
        assert speed_cells(LATENCY, seconds, ampose) == {
            LATENCY: "4",
            f"{LATENCY}, lowest": "2",
            f"{LATENCY}, highest": "12.3",
            f"{LATENCY}, times AMPose's": "2",  # of 2, 1 and 4.1
        }

    def test_throughput(self) -> None:
        seconds, ampose = [0.064, 0.128, 0.032], [0.032, 0.032, 0.032]
        assert speed_cells(THROUGHPUT, seconds, ampose) == {
            THROUGHPUT: "1000",
            f"{THROUGHPUT}, lowest": "500",
            f"{THROUGHPUT}, highest": "2000",
            f"{THROUGHPUT}, times AMPose's": "0.5",
        }


class TestMeasuring:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_speed, "ROUNDS", 2)
        monkeypatch.setattr(open_speed, "LEAST_SECONDS", 0.0)

    def test_writes_what_is_read_again(self, tmp_path: Path) -> None:
        pair = SMALL[:2]
        bench = Bench(tmp_path / "runs", tmp_path / "log.csv", silent)
        write_run(bench.runs, pair[1])
        written = measure_speeds(pair, bench, tmp_path / "out", (DEFAULT_WEIGHTS,))
        assert written.paths == (tmp_path / "out" / FILE,)
        notes, rows = read(written.paths[0])
        assert {"how", "onnxruntime", "commit", "hardware", "day"} < notes.keys()
        shipped = DEFAULT_WEIGHTS.stem
        assert [row["recipe"] for row in rows] == [*(each.name for each in pair), shipped]
        assert [row["system"] for row in rows] == [
            "AMPose",
            "Martinez et al.",
            f"{shipped}, which ships",
        ]
        for row in rows:
            for heading in (LATENCY, THROUGHPUT):
                low, middle, high = (
                    float(row[f"{heading}{suffix}"]) for suffix in (", lowest", "", ", highest")
                )
                assert 0 < low <= middle <= high
        assert rows[0][f"{LATENCY}, times AMPose's"] == "1"
        assert rows[0][LATENCY] in written.summary

        speeds = read_speeds(tmp_path / "out")
        parameters = count_parameters(build(pair[0].model))
        assert speeds.of(pair[0].name, LATENCY, parameters) == float(rows[0][LATENCY])
        assert speeds.of(pair[0].name, LATENCY, parameters + 1) == NOT_MEASURED
        assert speeds.of("benchmark-lcn", LATENCY, parameters) == NOT_MEASURED
        assert speeds.origin.startswith(f"{FILE}: {notes['commit']}, {notes['hardware']}")

    def test_a_trained_network_is_the_one_that_is_timed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = Bench(tmp_path / "runs", tmp_path / "log.csv", silent)
        write_run(bench.runs, SMALL[0])
        built: list[object] = []
        turns = {(SMALL[0].name, heading): [1.0] for heading in (LATENCY, THROUGHPUT)}
        monkeypatch.setattr(open_speed, "build", built.append)
        monkeypatch.setattr(open_speed, "export_plain", lambda model, path: None)
        monkeypatch.setattr(open_speed, "calls_of", lambda path, shape: {})
        monkeypatch.setattr(open_speed, "interleaved", lambda *_: turns)
        measure_speeds(SMALL[:1], bench, tmp_path / "out")
        assert built == []


def test_nothing_was_measured(tmp_path: Path) -> None:
    assert read_speeds(tmp_path) == Speeds()
    assert Speeds().origin == Speeds().of("benchmark-lcn", LATENCY, 1) == NOT_MEASURED
