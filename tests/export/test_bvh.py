"""BVH, read back by pybvh, whose forward kinematics are its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pybvh
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ampose.errors import InputError
from ampose.export.bvh import write_bvh, zxy_angles
from ampose.export.rig import TOP
from ampose.geometry import joints_from_bones, random_rotations, rotation_about
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.export.recordings import AT, absent, recording, walking
from tests.motion.people import other_body

TURNING = [name for name in AT if name != TOP]


def written(sequence: PoseSequence, folder: Path) -> pybvh.Bvh:
    (path,) = write_bvh(sequence, folder)
    return pybvh.read_bvh_file(path, world_up="+y")


def places(file: pybvh.Bvh) -> np.ndarray:
    """(T, 17, 3) metres, of the rig's joints and the head's end."""
    nodes = file.node_positions()
    out = np.full((len(nodes), 17, 3), np.nan)
    names = [node.name for node in file.nodes]
    for name, joint in AT.items():
        row = names.index("Head") + 1 if name == TOP else names.index(name)
        out[:, joint] = nodes[:, row] / 100
    return out


def test_places_after_forward_kinematics(tmp_path: Path):
    person = walking(40, lengths=other_body())
    np.testing.assert_allclose(
        places(written(recording(person), tmp_path)), person, rtol=0, atol=2e-5
    )


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_any_pose_comes_back(tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int):
    """Bones of random lengths in random directions, within a tenth of a millimetre."""
    rng = np.random.default_rng(seed)
    directions = random_rotations(frames * 16, rng).reshape(frames, 16, 3, 3)[..., 0]
    lengths = rng.uniform(0.05, 0.6, 16)
    person = joints_from_bones(directions * lengths[:, None], H36M_17)
    person += rng.normal(0, 3, (frames, 1, 3))
    file = written(recording(person), tmp_path_factory.mktemp("bvh"))
    np.testing.assert_allclose(places(file), person, rtol=0, atol=1e-4)


def test_header(tmp_path: Path):
    sequence = recording(walking(), times=12.5 + np.arange(20) * 1001 / 30000)
    file = written(sequence, tmp_path)
    assert file.joint_names == TURNING
    assert set(file.euler_orders) == {"ZXY"}
    assert file.frame_count == 20
    assert file.frame_time == pytest.approx(1001 / 30000, abs=1e-10)
    lines = [line.split() for line in (tmp_path / "person_3.bvh").read_text().splitlines()]
    assert lines[:2] == [["HIERARCHY"], ["ROOT", "Hips"]]
    assert lines[3] == ["OFFSET", "0.00000", "0.00000", "0.00000"]
    channels = [words for words in lines if words[0] == "CHANNELS"]
    turned = ["Zrotation", "Xrotation", "Yrotation"]
    assert channels[0] == ["CHANNELS", "6", "Xposition", "Yposition", "Zposition", *turned]
    assert all(words == ["CHANNELS", "3", *turned] for words in channels[1:])
    assert sum(words == ["{"] for words in lines) == sum(words == ["}"] for words in lines) == 26
    assert lines[-21] == ["Frame", "Time:", "0.0333666667"]
    assert {len(words) for words in lines[-20:]} == {3 + 3 * len(TURNING)}


def test_rest_pose_and_ends(tmp_path: Path):
    file = written(recording(walking()), tmp_path)
    offsets = {node.name: node.offset for node in file.nodes}
    np.testing.assert_allclose(offsets["LeftForeArm"], [27.89, 0, 0], atol=1e-4)
    np.testing.assert_allclose(offsets["RightLeg"], [0, -44.29, 0], atol=1e-4)
    ends = [node for node in file.nodes if node.name not in TURNING]
    lengths = sorted(np.linalg.norm(end.offset) for end in ends)
    np.testing.assert_allclose(lengths, [5, 5, 5, 5, 11.5], atol=1e-4)


def test_one_file_for_each_person_all_over_the_same_time(tmp_path: Path):
    first, second = absent(walking(), 0, 1, 9, 10), absent(walking(seed=1), 19)
    nobody = np.full_like(first, np.nan)
    paths = write_bvh(recording(first, nobody, second), tmp_path)
    assert [path.name for path in paths] == ["person_3.bvh", "person_5.bvh"]
    assert sorted(tmp_path.iterdir()) == list(paths)
    found = [places(pybvh.read_bvh_file(path, world_up="+y")) for path in paths]
    held = first[[2, 2, *range(2, 9), 8, 8, *range(11, 20)]]
    np.testing.assert_allclose(found[0], held, rtol=0, atol=2e-5)
    held = second[[*range(19), 18]]
    np.testing.assert_allclose(found[1], held, rtol=0, atol=2e-5)


def test_uneven_times_are_resampled_and_bones_stay(tmp_path: Path):
    """A tenth of the frames dropped: what is between two frames is near to what was dropped."""
    full, kept = walking(100), np.delete(np.arange(100), np.arange(5, 100, 10))
    file = written(recording(full[kept], times=3 + kept / 25), tmp_path)
    assert (file.frame_count, file.frame_time) == (100, pytest.approx(0.04))
    found = places(file)
    np.testing.assert_allclose(found[kept], full[kept], rtol=0, atol=2e-5)
    np.testing.assert_allclose(found, full, rtol=0, atol=0.01)
    lengths = np.linalg.norm(found[:, 3] - found[:, 2], axis=-1)
    np.testing.assert_allclose(lengths, 0.4542, atol=1e-5)


def test_times_rounded_to_milliseconds_are_even(tmp_path: Path):
    person = walking(30)
    file = written(recording(person, times=np.round(np.arange(30) / 30, 3)), tmp_path)
    assert file.frame_time == pytest.approx(1 / 30, abs=2e-5)
    np.testing.assert_allclose(places(file), person, rtol=0, atol=2e-5)


def test_photos(tmp_path: Path):
    person = walking(3)
    file = written(recording(person, times=np.zeros(3)), tmp_path)
    assert file.frame_time == 1
    np.testing.assert_allclose(places(file), person, rtol=0, atol=2e-5)
    assert written(recording(person[:1]), tmp_path).frame_count == 1


def test_scattered_times_make_no_huge_file(tmp_path: Path):
    with pytest.raises(InputError, match=r"4 frames 1 s apart are scattered over 1e\+06 s"):
        write_bvh(recording(walking(4), times=np.array([0, 1, 2, 1e6])), tmp_path)
    assert not list(tmp_path.iterdir())


def test_nobody(tmp_path: Path):
    assert write_bvh(recording(np.full((3, 17, 3), np.nan)), tmp_path) == ()
    assert write_bvh(recording(np.zeros((0, 17, 3))), tmp_path) == ()


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match=r"cannot write .*person_3\.bvh: No such file"):
        write_bvh(recording(walking(2)), tmp_path / "none")


def test_numbers_are_finite_and_run_on(tmp_path: Path):
    """Three turns about the vertical: the heading goes on to 1080 degrees."""
    frames = 120
    heading = np.linspace(0, 6 * np.pi, frames)
    turn = rotation_about(1, heading)
    person = np.einsum("tij,tkj->tki", turn, walking(1).repeat(frames, axis=0))
    write_bvh(recording(person), tmp_path)
    table = np.loadtxt(tmp_path / "person_3.bvh", skiprows=_motion_line(tmp_path))
    assert np.isfinite(table).all()
    assert table[-1, 5] - table[0, 5] == pytest.approx(1080, abs=0.01)
    assert np.abs(np.diff(table[:, 3:], axis=0)).max() < 10


def _motion_line(folder: Path) -> int:
    lines = (folder / "person_3.bvh").read_text().splitlines()
    return next(i for i, line in enumerate(lines) if line.startswith("Frame Time")) + 1


class TestAngles:
    @given(st.integers(0, 10_000))
    def test_make_the_rotation_again(self, seed: int):
        rotations = random_rotations(12, np.random.default_rng(seed)).reshape(4, 3, 3, 3)
        again = Rotation.from_euler("ZXY", zxy_angles(rotations).reshape(-1, 3)).as_matrix()
        np.testing.assert_allclose(again.reshape(rotations.shape), rotations, atol=1e-12)

    def test_go_through_the_pole(self):
        """A knee that bends to 150 degrees and back: one angle moves, the others stay."""
        bend = np.radians(np.r_[0:150, 150:0:-1, [90.0] * 3, 90:0:-7])
        angles = zxy_angles(rotation_about(0, bend))
        expected = np.stack([0 * bend, bend, 0 * bend], axis=-1)
        np.testing.assert_allclose(angles, expected, atol=1e-7)

    def test_at_the_pole_from_the_start(self):
        rotations = Rotation.from_euler("ZXY", [[20, 90, 30], [20, 90, 35]], degrees=True)
        angles = zxy_angles(rotations.as_matrix())
        again = Rotation.from_euler("ZXY", angles).as_matrix()
        np.testing.assert_allclose(again, rotations.as_matrix(), atol=1e-7)
        np.testing.assert_allclose(np.diff(angles, axis=0), [[0, 0, np.radians(5)]], atol=1e-6)
