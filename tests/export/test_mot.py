"""MOT, read back by a small parser of OpenSim's storage files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.export import write_mot


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
    columns = {"knee_flexion_l": np.array([1.5, np.nan]), "trunk": np.array([-1e-9, 170])}
    write_mot(np.array([2.0, 2.25]), columns, path, notes=["one\nline", "two"])
    title, values, names, table = read(path)
    assert title == "Coordinates"
    assert (values["version"], values["inDegrees"]) == ("1", "yes")
    assert names == ["time", "knee_flexion_l", "trunk"]
    np.testing.assert_array_equal(table, [[2, 1.5, 0], [2.25, np.nan, 170]])
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
