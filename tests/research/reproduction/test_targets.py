from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ampose.research.recipes import BENCHMARK, EXTRAS, RECIPES
from ampose.research.reproduction.laboratory import Laboratory
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.targets import TARGETS, outlooks
from tests.research.reproduction.runs import silent, write_run


def test_names() -> None:
    assert list(TARGETS) == [
        *("4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9"),
        *("open-4.6", "open-4.7", "open-4.8", "open-4.9", "open", "open-gains", "open-speed"),
        *("figure-4.3", "figure-4.4", "figure-4.5", "figure-open", "figure-benchmark"),
        "figure-sigma",
    ]


def states(laboratory: Laboratory, bench: Bench) -> dict[str, str]:
    found = {each.target: each.state for each in outlooks(laboratory, bench)}
    assert list(found) == list(TARGETS)
    return found


def test_with_nothing_at_hand(tmp_path: Path) -> None:
    found = states(Laboratory(tmp_path), Bench(tmp_path, tmp_path / "log.csv", silent))
    assert found["4.1"] == "needs Human3.6M"
    assert found["4.4"] == found["figure-4.4"] == "needs Human3.6M and MPI-INF-3DHP"
    assert found["4.6"] == "parameters and MACs now; errors: needs Human3.6M"
    assert found["open-4.7"] == "0 of 4 rows have run; the rest needs the open-mocap packs"
    systems = len(BENCHMARK) + len(EXTRAS)
    assert found["open"] == f"0 of {systems} rows have run; the rest needs the open-mocap packs"
    assert found["open-gains"] == "0 of 16 rows have run; the rest needs the open-mocap packs"
    assert found["open-speed"] == "can be measured"
    assert found["figure-open"] == "needs the open-mocap packs"
    assert found["figure-benchmark"] == "drawn from what open and open-speed wrote"
    assert found["figure-sigma"] == "drawn from what ampose eval-sigma wrote"
    assert not list(tmp_path.glob("*/*"))


def test_with_data_and_a_run(tmp_path: Path, laboratory: Laboratory) -> None:
    write_run(tmp_path / "open", RECIPES["open"])
    write_run(laboratory.runs, RECIPES["h36m-gt-17"])
    bench = Bench(tmp_path / "open", tmp_path / "log.csv", silent, tmp_path)
    found = states(laboratory, bench)
    assert found["4.1"] == "can be tried, not measured"
    assert found["open-4.7"] == "1 of 4 rows have run"
    assert found["open"] == f"0 of {len(BENCHMARK) + len(EXTRAS)} rows have run"
    assert found["figure-4.3"] == "can be tried, not measured"
    assert found["figure-open"] == "can be drawn"
    away = replace(laboratory, data=None)
    assert states(away, bench)["4.1"] == "needs Human3.6M"
