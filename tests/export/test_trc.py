"""TRC, read back by a parser as strict as the format's description."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.export import write_trc
from ampose.export.markers import MARKERS
from ampose.poses import PoseSequence
from tests.export.recordings import absent, recording, walking


class File:
    """Header values by name, markers, times (T,), places (T, N, 3), NaN where absent."""

    def __init__(self, path: Path) -> None:
        text = path.read_text()
        assert text.endswith("\n")
        lines = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
        assert lines[0] == ["PathFileType", "4", "(X/Y/Z)", path.name]
        self.header = dict(zip(lines[1], lines[2], strict=True))
        frame, time, *names = lines[3]
        assert (frame, time) == ("Frame#", "Time")
        self.names = names[::3]
        assert names == [cell for name in self.names for cell in (name, "", "")]
        count = len(self.names)
        axes = [f"{axis}{number}" for number in range(1, count + 1) for axis in "XYZ"]
        assert lines[4] == ["", "", *axes]
        assert lines[5] == [""]
        rows = lines[6:]
        assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
        assert {len(row) for row in rows} == {2 + 3 * count}
        self.times = np.array([float(row[1]) for row in rows])
        cells = [[float(cell) for cell in row[2:]] for row in rows]
        self.places = np.array(cells).reshape(len(rows), count, 3)


def written(sequence: PoseSequence, folder: Path) -> File:
    (path,) = write_trc(sequence, folder)
    return File(path)


def test_everything(tmp_path: Path):
    person = absent(walking(), 2)
    person[4, 6] = np.nan
    file = written(recording(person, times=7 + np.arange(20) / 50), tmp_path)
    assert file.header == {
        "DataRate": "50",
        "CameraRate": "50",
        "NumFrames": "20",
        "NumMarkers": "17",
        "Units": "m",
        "OrigDataRate": "50",
        "OrigDataStartFrame": "1",
        "OrigNumFrames": "20",
    }
    assert file.names == list(MARKERS.values())
    np.testing.assert_allclose(file.times, 7 + np.arange(20) / 50, atol=1e-6)
    np.testing.assert_allclose(file.places, person, rtol=0, atol=1e-6)


def test_pose2sim_knows_these_names(tmp_path: Path):
    """Of its HALPE_26 those that one camera's 17 joints have, toes and eyes left out."""
    sides = ("Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist")
    known = {"Hip", "Neck", "Head"} | {side + name for side in "LR" for name in sides}
    assert set(written(recording(walking()), tmp_path).names) - known == {"Spine", "NeckNose"}


def test_uneven_times_are_resampled_between_neighbours(tmp_path: Path):
    full, kept = walking(100), np.delete(np.arange(100), np.arange(5, 100, 10))
    person = absent(full[kept], 3)
    file = written(recording(person, times=3 + kept / 25), tmp_path)
    assert (file.header["DataRate"], len(file.times)) == ("25", 100)
    np.testing.assert_allclose(file.times, 3 + np.arange(100) / 25, atol=1e-6)
    np.testing.assert_allclose(file.places[kept], person, rtol=0, atol=2e-6)
    np.testing.assert_allclose(file.places[15], (full[14] + full[16]) / 2, rtol=0, atol=2e-6)
    assert np.isnan(file.places[3]).all()


def test_nothing_is_made_up_beside_an_absence(tmp_path: Path):
    """Dropped is frame 5 and absent is frame 4: there is nothing between 4 and 6."""
    kept = np.delete(np.arange(20), 5)
    file = written(recording(absent(walking(20)[kept], 4), times=kept / 25), tmp_path)
    there = np.isfinite(file.places).all((-2, -1))
    assert np.flatnonzero(~there).tolist() == [4, 5]


def test_without_a_world_up_is_up_in_the_picture(tmp_path: Path):
    file = written(recording(walking(), world=False), tmp_path)
    np.testing.assert_allclose(file.places, walking(), rtol=0, atol=2e-6)


def test_photos(tmp_path: Path):
    file = written(recording(walking(3), times=np.full(3, 5.0)), tmp_path)
    assert file.header["DataRate"] == "1"
    assert file.times.tolist() == [0, 1, 2]


def test_scattered_times(tmp_path: Path):
    with pytest.raises(InputError, match="TRC has a constant frame time, but 4 frames 1 s apart"):
        write_trc(recording(walking(4), times=np.array([0, 1, 2, 1e6])), tmp_path)
    assert not list(tmp_path.iterdir())
