"""C3D, written with ezc3d and read back by c3d, which shares no code with it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import c3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampose.errors import InputError
from ampose.export import write_c3d
from ampose.export.c3d import MOST_FRAMES
from ampose.export.markers import MARKERS
from ampose.poses import PoseSequence
from ampose.skeletons import COCO_17, H36M_17
from tests.export.recordings import absent, recording, walking


class File:
    """What c3d finds in a file."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "No analog data")
            reader = c3d.Reader(file)
            rows = np.stack([points for _, points, _ in reader.read_frames()])
            self.labels = [label.strip() for label in reader.point_labels]
            self.rate = reader.point_rate
            self.frames = reader.first_frame, reader.last_frame
            self.text = {
                key: reader.get(f"POINT:{key}").string_value.strip()
                for key in ("UNITS", "X_SCREEN", "Y_SCREEN")
            }
            names = reader.get("POINT:DESCRIPTIONS").string_array
            self.descriptions = [name.strip() for name in names]
            self.start = reader.get("AMPOSE:START_SECONDS").float_value
        self.millimetres, self.residuals = rows[..., :3], rows[..., 3]

    @property
    def places(self) -> np.ndarray:
        """(T, 17, 3) metres, y up, NaN where absent."""
        x, y, z = np.moveaxis(self.millimetres / 1000, -1, 0)
        out = np.stack([x, z, -y], axis=-1)
        out[self.residuals == -1] = np.nan
        return out


def written(sequence: PoseSequence, folder: Path) -> File:
    (path,) = write_c3d(sequence, folder)
    return File(path)


def test_places_labels_and_units(tmp_path: Path):
    file = written(recording(walking(), times=12.5 + np.arange(20) * 1001 / 30000), tmp_path)
    np.testing.assert_allclose(file.places, walking(), rtol=0, atol=1e-6)
    assert file.labels == list(MARKERS.values())
    assert file.descriptions == list(H36M_17.joints)
    assert file.text == {"UNITS": "mm", "X_SCREEN": "+X", "Y_SCREEN": "+Z"}
    assert file.rate == pytest.approx(30000 / 1001, rel=1e-6)
    assert file.frames == (1, 20)
    assert file.start == pytest.approx(12.5)


def test_z_is_up_in_millimetres(tmp_path: Path):
    """Somebody 1 m to the right, 2 m up, 4 m from the camera, which is at +z of our world."""
    person = walking(2)
    person[:] = [1, 2, -4]
    file = written(recording(person), tmp_path)
    np.testing.assert_allclose(file.millimetres[0, 5], [1000, 4000, 2000])


def test_absent_joints_and_frames(tmp_path: Path):
    person = absent(walking(), 0, 7)
    person[9, 3] = np.nan
    person[10, 4, 1] = np.nan  # a point without height is none
    expected = person.copy()
    expected[10, 4] = np.nan
    file = written(recording(person), tmp_path)
    assert set(np.unique(file.residuals)) == {-1, 0}
    np.testing.assert_allclose(file.places, expected, rtol=0, atol=1e-6)
    assert (file.millimetres[file.residuals == -1] == 0).all()


def test_one_file_for_each_person(tmp_path: Path):
    nobody = np.full((20, 17, 3), np.nan)
    paths = write_c3d(recording(walking(), nobody, walking(seed=1)), tmp_path)
    assert [path.name for path in paths] == ["person_3.c3d", "person_5.c3d"]
    assert sorted(tmp_path.iterdir()) == list(paths)
    np.testing.assert_allclose(File(paths[1]).places, walking(seed=1), atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.floats(1, 1000))
def test_any_points_come_back(
    tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int, rate: float
):
    rng = np.random.default_rng(seed)
    person = rng.normal(0, 5, (frames, 17, 3))
    person[rng.random((frames, 17)) < 0.3] = np.nan
    person[0, 0] = 1
    sequence = recording(person, times=np.arange(frames) / rate)
    sequence = replace(sequence, root=np.zeros_like(sequence.root))
    file = written(sequence, tmp_path_factory.mktemp("c3d"))
    np.testing.assert_allclose(file.places, person, rtol=1e-6, atol=1e-6)
    assert file.rate == pytest.approx(rate if frames > 1 else 1, rel=1e-5)


def test_too_long(tmp_path: Path):
    long = np.zeros((MOST_FRAMES + 1, 17, 3))
    with pytest.raises(InputError, match="at most 65535 frames, here are 65536; write TRC"):
        write_c3d(recording(long), tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written(tmp_path: Path):
    with pytest.raises(InputError, match=r"cannot write .*person_3\.c3d: No such file"):
        write_c3d(recording(walking(2)), tmp_path / "none")
    with pytest.raises(InputError, match="C3D needs the joints of h36m_17, got coco_17"):
        write_c3d(replace(recording(walking(2)), skeleton=COCO_17), tmp_path)
    assert write_c3d(recording(np.zeros((0, 17, 3))), tmp_path) == ()
