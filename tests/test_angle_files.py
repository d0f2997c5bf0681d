from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ampose.analysis import NOTICE, Angles, angles_of, peak_velocities
from ampose.angle_files import COLUMNS, write_angles
from ampose.errors import InputError
from tests.analysis.figure import BACK, DOWN, figure, sequence, tilted


def bending(rate: float = 30, **options: object) -> Angles:
    """Two people whose left knees bend; the second is absent from the first frame."""
    joints = [figure(left_ankle=tilted(DOWN, BACK, each)) for each in (10, 20, 40, 80)]
    both = np.stack([joints, joints], axis=1)
    both[0, 1] = np.nan
    return angles_of(sequence(both, sigma=0.01, tilt_sigma=5, rate=rate), **options)


def written(angles: Angles, folder: Path, **options: object) -> tuple[list[dict[str, str]], dict]:
    write_angles(angles, folder, **options)
    with (folder / "angles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads((folder / "angles.json").read_text("utf-8"))


def test_a_row_for_every_frame_person_and_angle(tmp_path):
    angles = bending(class_b=True)
    rows, _ = written(angles, tmp_path)
    assert tuple(rows[0]) == COLUMNS
    frames, people, count = angles.values.shape
    assert len(rows) == frames * people * count
    for row, place in zip(rows, np.ndindex(frames, people, count), strict=True):
        frame, person, column = place
        assert int(row["frame"]) == frame
        assert float(row["time"]) == pytest.approx(angles.times[frame], abs=1e-6)
        assert int(row["person"]) == angles.ids[person]
        assert row["angle"] == angles.names[column]
        assert row["class"] == angles.columns[column].angle.kind
        for name, array in (("value", angles.values), ("sigma", angles.sigma)):
            number = float(row[name]) if row[name] else np.nan
            assert number == pytest.approx(array[place], abs=0.0051, nan_ok=True)
            assert "-0.00" not in row[name]
    assert {row["value"] for row in rows if (row["frame"], row["person"]) == ("0", "4")} == {""}


def test_no_negative_zero(tmp_path):
    angles = bending(250, names=["knee_flexion"])
    peaks = peak_velocities(angles)
    angles.values[0, 0], peaks.values[1] = -0.001, -0.001
    rows, header = written(angles, tmp_path, peaks=peaks)
    assert [row["value"] for row in rows[:2]] == ["0.00", "0.00"]
    told = json.dumps(header["peak_velocities"])
    assert "-0.0" not in told


def test_the_header_defines_every_column(tmp_path):
    angles = bending(class_b=True, reference=2)
    _, header = written(angles, tmp_path)
    assert header["notice"] == NOTICE
    columns = [name for angle in header["angles"] for name in angle["columns"]]
    assert columns == list(angles.names)
    for angle in header["angles"]:
        assert all(angle[key] for key in ("definition", "sign", "source", "limits", "title"))
        assert angle["class"] in "AB"
    vertical = {angle["name"]: angle["needs_vertical"] for angle in header["angles"]}
    assert (vertical["trunk_lean"], vertical["knee_flexion"]) == (True, False)
    first, second = header["people"]
    assert (first["id"], first["view"], second["id"]) == (3, "frontal", 4)
    assert "class A" in first["view_means"]
    assert first["view_shares"] == {"frontal": 1, "oblique": 0, "sagittal": 0}
    assert header["vertical"] == {
        "source": "Up is estimated from foot contacts.",
        "sigma_degrees": 5,
    }
    assert header["reference_frame"] == 2
    assert (header["unit"], header["frames"], header["frames_per_second"]) == ("degrees", 4, 30)
    assert header["warnings"] == list(angles.warnings)
    assert header["recording_warnings"] == ["careful"]
    assert "peak_velocities" not in header


def test_peaks_are_beside_the_definitions(tmp_path):
    angles = bending(250, names=["knee_flexion"])
    _, header = written(angles, tmp_path, peaks=peak_velocities(angles))
    peaks = header["peak_velocities"]
    assert peaks["unit"] == "degrees per second"
    expected = (80 - 20) / 2 * 250  # about the third frame
    found = peaks["people"][0]["peaks"]["knee_flexion_l"]
    assert found["value"] == pytest.approx(expected, abs=0.5)
    assert found["time"] == pytest.approx(2 / 250)
    still = peaks["people"][1]["peaks"]["knee_flexion_r"]
    assert still["value"] == pytest.approx(0, abs=0.5)
    assert peaks["warnings"]


@pytest.mark.parametrize(("frames", "people"), [(0, 1), (2, 0)])
def test_nobody_is_a_table_without_rows(tmp_path, frames, people):
    angles = angles_of(sequence(np.zeros((frames, people, 17, 3))))
    rows, header = written(angles, tmp_path)
    assert rows == []
    assert header["frames"] == frames
    assert len(header["people"]) == people


def test_nothing_half_written(tmp_path):
    (tmp_path / "angles.csv").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*angles.csv"):
        write_angles(bending(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["angles.csv"]
