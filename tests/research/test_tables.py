"""The block of sigma that scripts/tables fills from results/."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from ampose.research.evaluation.provenance import write_table
from ampose.research.evaluation.uncertainty import ONE, TWO, Coverage, Hiding

_LOADER = SourceFileLoader("tables", str(Path(__file__).parents[2] / "scripts" / "tables"))
_SPEC = importlib.util.spec_from_loader("tables", _LOADER)
assert _SPEC is not None
tables = importlib.util.module_from_spec(_SPEC)
_LOADER.exec_module(tables)

NOTES = {"commit": "abc", "hardware": "a computer", "day": "2026-01-01"}

FOUND = {
    "all": (70.0, 95.0),
    "joint left_knee": (63.3, 100.0),  # five points off, which still counts
    "joint head_top": (73.4, 95.4),  # a tenth more
    "axis x": (68.3, 90.3),
    "view front": (68.3, 95.4),
}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sets, the second in exact 2D only and a point lower."""
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    (tmp_path / "docs" / "images").mkdir(parents=True)
    rows = [
        Coverage(name, kind, group, nominal, share - lower).row()
        for name, kind, lower in (("hdm05", "detector", 0), ("mine", "exact", 1))
        for group, shares in FOUND.items()
        for nominal, share in zip((100 * ONE, 100 * TWO), shares, strict=True)
    ]
    rows.append(Coverage("mine", "exact", "all", 50.0, 12.3).row())
    write_table(tmp_path / "results" / "sigma.csv", rows, NOTES)
    hidden = [
        Hiding("hdm05", "left_knee", 40, 80, 90),
        Hiding("hdm05", "head_top", 20, 100, 100),
        Hiding("hdm05", "left_hip", 10, 30, 95),
        Hiding("mine", "left_knee", 1, 2, 50),
    ]
    write_table(
        tmp_path / "results" / "sigma_hidden.csv",
        [row.row() for row in hidden],
        {**NOTES, "day": "2026-01-02"},
    )
    return tmp_path


def cells(text: str, start: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return line.strip("| ").split(" | ")[1:]


def test_coverage_of_one_and_of_two_sigma(results: Path) -> None:
    text = tables.sigma()
    assert cells(text, "HDM05, another data set, detector-like 2D") == [
        *("70.0", "63.3 to 73.4", "68.3 to 68.3", "68.3 to 68.3"),
        *("95.0", "95.4 to 100.0", "90.3 to 90.3", "95.4 to 95.4"),
        "2 of 4",
    ]
    assert cells(text, "mine, exact 2D") == [
        *("69.0", "62.3 to 72.4", "67.3 to 67.3", "67.3 to 67.3"),
        *("94.0", "94.4 to 99.0", "89.3 to 89.3", "94.4 to 94.4"),
        "2 of 4",
    ]
    assert len(cells(text, "errors within, %")) == 9


def test_hiding(results: Path) -> None:
    text = tables.sigma()
    assert cells(text, "HDM05, another data set") == [
        "20.0 (10.0 to 40.0)",
        "80.0 (30.0 to 100.0)",
        "95.0 (90.0 to 100.0)",
    ]
    assert cells(text, "mine")[-1] == "50.0 (50.0 to 50.0)"


def test_where_it_comes_from_and_the_figure_if_there(results: Path) -> None:
    text = tables.sigma()
    assert "`results/sigma.csv`: commit abc, a computer, 2026-01-01." in text
    assert "`results/sigma_hidden.csv`: commit abc, a computer, 2026-01-02." in text
    assert "images/sigma.svg" not in text
    (results / "docs" / "images" / "sigma.svg").touch()
    assert "(images/sigma.svg)" in tables.sigma()


def test_the_block_is_filled(results: Path) -> None:
    marked = "before <!-- results:sigma -->old<!-- /results:sigma --> after"
    full = tables.filled(marked)
    assert full.startswith("before <!-- results:sigma -->\n| errors within")
    assert "old" not in full
    assert tables.filled(full) == full
