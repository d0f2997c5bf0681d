"""MOT, read back by a small parser of OpenSim's storage files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.export import write_mot
from ampose.export.mot import whole_rows


def read(path: Path) -> tuple[str, dict[str, str], list[str], np.ndarray]:
    """Title, values, column names, and the table."""
    lines = path.read_text().splitlines()
    end = lines.index("endheader")
    values = dict(line.split("=") for line in lines[1:end] if line.count("=") == 1)
    names = lines[end + 1].split("\t")
    table = np.array([[float(cell) for cell in line.split()] for line in lines[end + 2 :]])
    table = table.reshape(-1, len(names))
    assert table.shape == (int(values["nRows"]), int(values["nColumns"]))
    return lines[0], values, names, table


def test_header_and_numbers(tmp_path: Path):
    path = tmp_path / "a.mot"
    columns = {"knee_flexion_l": np.array([1.5, 2]), "trunk": np.array([-1e-9, 170])}
    write_mot(np.array([2.0, 2.25]), columns, path, notes=["one\nline", "two"])
    title, values, names, table = read(path)
    assert title == "Coordinates"
    assert (values["version"], values["inDegrees"]) == ("1", "yes")
    assert names == ["time", "knee_flexion_l", "trunk"]
    np.testing.assert_array_equal(table, [[2, 1.5, 0], [2.25, 2, 170]])
    text = path.read_text()
    assert "\none line\ntwo\n" in text
    assert "-0.0" not in text


@given(st.lists(st.tuples(st.floats(-1000, 1000), st.floats(-180, 180)), max_size=9))
def test_any_numbers_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
):
    path = tmp_path_factory.mktemp("mot") / "a.mot"
    table = np.array(rows).reshape(-1, 2)
    write_mot(table[:, 0], {"angle": table[:, 1]}, path)
    np.testing.assert_allclose(read(path)[3], table, atol=1e-6)


def test_names_have_no_white_space(tmp_path: Path):
    with pytest.raises(ValueError, match="'knee flexion' is no name of a column"):
        write_mot(np.zeros(1), {"knee flexion": np.zeros(1)}, tmp_path / "a.mot")
    with pytest.raises(ValueError, match="no word for what is absent"):
        write_mot(np.zeros(1), {"knee": np.array([np.nan])}, tmp_path / "a.mot")


def test_whole_rows():
    nan = np.nan
    columns = {
        "often": np.array([1, 2, nan, 4, nan]),
        "always": np.array([1.0, 2, 3, 4, nan]),
        "half": np.array([nan, 2, nan, 4, nan]),
        "rarely": np.array([1, nan, nan, nan, nan]),
    }
    times, kept, notes = whole_rows(np.arange(5.0), columns)
    assert times.tolist() == [1, 3]
    assert {name: list(values) for name, values in kept.items()} == {
        "often": [2, 4],
        "always": [2, 4],
        "half": [2, 4],
    }
    assert notes == (
        "Mostly absent and left out: rarely.",
        "3 of 5 frames lack an angle and are left out.",
    )
    times, kept, notes = whole_rows(np.arange(2.0), {"never": np.full(2, nan)})
    assert (len(times), kept) == (0, {})
    assert notes[0] == "Mostly absent and left out: never."
