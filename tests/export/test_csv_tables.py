from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.export import write_csv, write_wide_csv
from ampose.export.csv_tables import COLUMNS
from ampose.keypoint_files import load_keypoints
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.export.recordings import absent, recording, walking


@pytest.fixture
def sequence() -> PoseSequence:
    """Two people, one of them there in all frames but 2; every key has numbers of its own."""
    found = recording(walking(4), absent(walking(4, seed=1), 2), times=9 + np.arange(4) / 10)
    rng = np.random.default_rng(0)
    shape = found.valid.shape
    return replace(
        found,
        sigma=rng.random((*shape, 3)).astype(np.float32),
        keypoints=(1000 * rng.random((*shape, 2))).astype(np.float32),
        scores=rng.random(shape).astype(np.float32),
        filled=rng.random(shape) < 0.3,
        repaired=rng.random(shape) < 0.3,
        corrected=rng.random(shape) < 0.3,
    )


def table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, strict=True)
        rows = list(reader)
    assert all(None not in row and None not in row.values() for row in rows)
    return list(reader.fieldnames or ()), rows


def numbers(rows: list[dict[str, str]], *columns: str) -> np.ndarray:
    return np.array([[float(row[column] or "nan") for column in columns] for row in rows])


def test_no_negative_zero(tmp_path: Path, sequence: PoseSequence):
    sequence.joints[0, 0, 4] = -1e-7
    write_csv(sequence, tmp_path / "poses.csv")
    row = table(tmp_path / "poses.csv")[1][4]
    assert [row[f"relative_{axis}"] for axis in "xyz"] == ["0.00000"] * 3


def test_tidy(tmp_path: Path, sequence: PoseSequence):
    write_csv(sequence, tmp_path / "poses.csv")
    columns, rows = table(tmp_path / "poses.csv")
    assert tuple(columns) == COLUMNS
    expected = [(t, p, j) for t in range(4) for p in ("3", "4") for j in H36M_17.joints]
    assert [(int(row["frame"]), row["person"], row["joint"]) for row in rows] == expected
    np.testing.assert_allclose(
        numbers(rows, "time")[:, 0], np.repeat(sequence.times, 34), atol=1e-6
    )
    root = np.broadcast_to(sequence.root[:, :, None], sequence.joints.shape)
    for name, array in {
        "relative": sequence.joints,
        "root": root,
        "world": sequence.world,
        "sigma": sequence.sigma,
    }.items():
        found = numbers(rows, *(f"{name}_{axis}" for axis in "xyz"))
        np.testing.assert_allclose(found, array.reshape(-1, 3), rtol=0, atol=6e-6)
    found = numbers(rows, "keypoint_x", "keypoint_y")
    np.testing.assert_allclose(found, sequence.keypoints.reshape(-1, 2), rtol=0, atol=0.006)
    found = numbers(rows, "score")[:, 0]
    np.testing.assert_allclose(found, sequence.scores.ravel(), rtol=0, atol=6e-5)
    for name in ("valid", "filled", "repaired", "corrected"):
        assert {row[name] for row in rows} <= {"0", "1"}
        np.testing.assert_array_equal(numbers(rows, name)[:, 0], getattr(sequence, name).ravel())


def test_wide(tmp_path: Path, sequence: PoseSequence):
    write_wide_csv(sequence, tmp_path / "wide.csv")
    columns, rows = table(tmp_path / "wide.csv")
    names = [f"{p}_{j}_{a}" for p in (3, 4) for j in H36M_17.joints for a in "xyz"]
    assert columns == ["frame", "time", *names]
    assert [row["frame"] for row in rows] == list("0123")
    found = numbers(rows, *names).reshape(sequence.world.shape)
    np.testing.assert_allclose(found, sequence.world, rtol=0, atol=6e-6)
    write_wide_csv(replace(sequence, world=np.full_like(sequence.world, np.nan)), tmp_path / "w")
    again = numbers(table(tmp_path / "w")[1], *names).reshape(sequence.world.shape)
    np.testing.assert_allclose(again, sequence.world, rtol=0, atol=1e-5)


def test_metres_are_never_taken_for_pixels(tmp_path: Path, sequence: PoseSequence):
    for write in (write_csv, write_wide_csv):
        write(sequence, tmp_path / "poses.csv")
        with pytest.raises(InputError):
            load_keypoints(tmp_path / "poses.csv")


def test_nobody(tmp_path: Path):
    nothing = recording(walking(3)).only([])
    write_csv(nothing, tmp_path / "poses.csv")
    write_wide_csv(nothing, tmp_path / "wide.csv")
    assert table(tmp_path / "poses.csv") == (list(COLUMNS), [])
    assert (tmp_path / "wide.csv").read_text().splitlines()[0] == "frame,time"
