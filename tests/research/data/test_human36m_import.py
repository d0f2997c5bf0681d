from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cdflib.cdfwrite import CDF
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from ampose.errors import InputError
from ampose.research.data import human36m_import
from ampose.research.data.human36m import CAMERA_IDS, TEST_SUBJECTS, load_human36m
from ampose.research.data.human36m_import import import_human36m
from ampose.research.data.pose_set import DatasetError
from tests.research.human36m_files import H36M_SYMMETRY, KEPT, SUBJECTS, takes
from tests.research.packs import poses

FILES = ["data_2d_h36m_gt.npz", "data_3d_h36m.npz"]

CALIBRATIONS = [  # as VideoPose3D has them: quaternion, place, focal, centre, radial, tangential
    (
        *("S1", 0),
        (0.1407056450843811, -0.1500701755285263, -0.755240797996521, 0.6223280429840088),
        (1841.1070556640625, 4955.28466796875, 1563.4454345703125),
        (1145.0494384765625, 1143.7811279296875),
        (512.54150390625, 515.4514770507812),
        (-0.20709891617298126, 0.24777518212795258, -0.0030751503072679043),
        (-0.0009756988729350269, -0.00142447161488235),
    ),
    (
        *("S11", 3),
        (0.5894251465797424, -0.7818877100944519, 0.13991211354732513, -0.14715361595153809),
        (-1590.738037109375, -3854.1689453125, 1578.017578125),
        (1145.5113525390625, 1144.77392578125),
        (514.9682006835938, 501.88201904296875),
        (-0.198384091258049, 0.21832367777824402, -0.008947807364165783),
        (-0.0005872055771760643, -0.0018133620033040643),
    ),
]


def file_names(subject: str) -> list[str]:
    """Of a subject's 30 takes as they are downloaded: S1 has names of its own for two actions."""
    found = takes(subject) + (["Directions"] if subject == "S11" else [])
    if subject == "S1":
        found = [
            name.replace("Photo", "TakingPhoto").replace("WalkDog", "WalkingDog") for name in found
        ]
    return found


def motion(frames: int, seed: int) -> np.ndarray:
    """(1, frames, 96) float32 millimetres, world axes, z up; unused joints lie elsewhere."""
    rng = np.random.default_rng(seed)
    world = rng.uniform(-1, 2, (frames, 32, 3))
    world[:, KEPT] = poses(frames, seed) + np.array([0.6, -0.6, 0.95])
    return (world * 1000).reshape(1, frames, 96).astype(np.float32)


def write_cdf(path: Path, pose: np.ndarray, *, name: str = "Pose", columns: bool = False) -> None:
    """A CDF file of one variable, its numbers row by row or column by column."""
    majority = "column_major" if columns else "row_major"
    # cdflib writes the numbers as they come; by columns, the first axis must change fastest.
    data = pose.swapaxes(1, 2).reshape(pose.shape) if columns else pose
    file = CDF(path, cdf_spec={"Majority": majority}, delete=True)
    file.write_var(
        {
            "Variable": name,
            "Data_Type": {np.dtype("f4"): 44, np.dtype("i4"): 4}[pose.dtype],
            "Num_Elements": 1,
            "Rec_Vary": True,
            "Dim_Sizes": list(pose.shape[1:]),
        },
        var_data=data,
    )
    file.close()


def write_mat(path: Path, pose: np.ndarray) -> None:
    """What ``data = cdfread(...); save(..., 'data')`` leaves: a 1 x 1 cell in a MAT 5 file."""
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = pose[0].astype(np.float64)
    savemat(path, {"data": cell}, appendmat=False, do_compression=True)


def folder_of(source: Path, subject: str) -> Path:
    return source / subject / "MyPoseFeatures" / "D3_Positions"


def seed_of(subject: str, name: str) -> int:
    return sum(map(ord, subject + name))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extracted archives, with takes of 2 or 3 frames; not to be changed."""
    source = tmp_path_factory.mktemp("h36m")
    for subject in SUBJECTS:
        folder = folder_of(source, subject)
        folder.mkdir(parents=True)
        for k, name in enumerate(file_names(subject)):
            write_cdf(folder / f"{name}.cdf", motion(2 + k % 2, seed_of(subject, name)))
    return source


@pytest.fixture
def source(published: Path, tmp_path: Path) -> Path:
    """The same to be changed: files are links, so delete one before you write in its place."""
    copy = tmp_path / "h36m"
    for subject in SUBJECTS:
        folder = folder_of(copy, subject)
        folder.mkdir(parents=True)
        for path in folder_of(published, subject).iterdir():
            (folder / path.name).hardlink_to(path)
    return copy


def read(folder: Path) -> Iterator[dict]:
    """``positions_3d``, ``positions_2d`` and ``metadata`` as everybody reads them."""
    with np.load(folder / "data_3d_h36m.npz", allow_pickle=True) as file:
        assert file.files == ["positions_3d"]
        yield file["positions_3d"].item()
    with np.load(folder / "data_2d_h36m_gt.npz", allow_pickle=True) as file:
        assert sorted(file.files) == ["metadata", "positions_2d"]
        yield file["positions_2d"].item()
        yield file["metadata"].item()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refuse(source: Path, out: Path, message: str) -> None:
    """Importing ends with this one line and leaves nothing."""
    with pytest.raises(DatasetError, match=message) as caught:
        import_human36m(source, out)
    assert "\n" not in str(caught.value)
    assert str(source) in str(caught.value)
    assert not out.exists() or not names(out)


@pytest.fixture(scope="module")
def out(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What becomes of them; not to be changed."""
    out = tmp_path_factory.mktemp("out") / "new" / "data"
    assert import_human36m(published, out) == [out / FILES[1], out / FILES[0]]
    assert names(out) == FILES
    return out


class TestFiles:
    def test_subjects_and_takes(self, out: Path) -> None:
        positions, keypoints, _ = read(out)
        for content in (positions, keypoints):
            assert tuple(content) == SUBJECTS
            assert {subject: sorted(found) for subject, found in content.items()} == {
                subject: sorted(takes(subject)) for subject in SUBJECTS
            }
        assert "Photo 1" in positions["S1"]
        assert "WalkDog" in positions["S1"]
        assert "Directions" not in positions["S11"]

    def test_millimetres_become_metres(self, out: Path) -> None:
        positions, _, _ = read(out)
        for subject, name, renamed in (
            ("S9", "Walking 1", "Walking 1"),
            ("S1", "TakingPhoto", "Photo"),
            ("S11", "Directions 1", "Directions 1"),
        ):
            found = positions[subject][renamed]
            millimetres = motion(len(found), seed_of(subject, name))[0]
            assert found.dtype == np.float32
            assert found.shape == (len(millimetres), 32, 3)
            np.testing.assert_allclose(found[-1, 14, 2], millimetres[-1, 44] / 1000, rtol=1e-6)
            np.testing.assert_allclose(found.reshape(-1, 96) * 1000, millimetres, rtol=1e-6)

    @pytest.mark.parametrize("calibration", CALIBRATIONS, ids=lambda each: f"{each[0]} {each[1]}")
    def test_keypoints_by_the_published_numbers(self, out: Path, calibration) -> None:
        subject, camera, wxyz, place, (fx, fy), (cx, cy), (k1, k2, k3), (p, q) = calibration
        positions, keypoints, _ = read(out)
        world, found = positions[subject]["Walking"], keypoints[subject]["Walking"]
        assert [each.shape for each in found] == [(len(world), 17, 2)] * 4
        assert all(each.dtype == np.float32 for each in found)
        to_camera = Rotation.from_quat(wxyz, scalar_first=True).inv()
        for ours, theirs in enumerate(KEPT):
            x, y, z = to_camera.apply(world[1, theirs] - np.array(place) / 1000)
            a, b = x / z, y / z
            r2 = a**2 + b**2
            factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + p * a + q * b
            u = fx * (a * factor + p * r2) + cx
            v = fy * (b * factor + q * r2) + cy
            np.testing.assert_allclose(found[camera][1, ours], [u, v], atol=3e-4)

    def test_every_camera_sees_the_person(self, out: Path) -> None:
        _, keypoints, _ = read(out)
        for pixels in (np.stack(each) for views in keypoints.values() for each in views.values()):
            assert (pixels > 0).all()
            assert (pixels < 1000).all()
            assert np.abs(pixels[0] - pixels[1:]).max() > 10

    def test_metadata(self, out: Path) -> None:
        *_, metadata = read(out)
        assert metadata == {
            "layout_name": "h36m",
            "num_joints": 17,
            "keypoints_symmetry": H36M_SYMMETRY,
        }


class TestSources:
    def test_mat_files_give_the_same(self, out: Path, source: Path, tmp_path: Path) -> None:
        for subject in SUBJECTS:
            folder = folder_of(source, subject)
            for k, name in enumerate(file_names(subject)):
                (folder / f"{name}.cdf").unlink()
                write_mat(folder / f"{name}.cdf.mat", motion(2 + k % 2, seed_of(subject, name)))
        import_human36m(source, tmp_path / "mat")
        for one, other in zip(read(out), read(tmp_path / "mat"), strict=True):
            np.testing.assert_equal(other, one)

    def test_the_original_is_preferred(self, source: Path, tmp_path: Path) -> None:
        write_mat(folder_of(source, "S5") / "Eating.cdf.mat", motion(7, 7))
        import_human36m(source, tmp_path / "out")
        positions, _, _ = read(tmp_path / "out")
        assert len(positions["S5"]["Eating"]) == 2

    @pytest.mark.parametrize("columns", [False, True])
    def test_both_orders_of_a_cdf_file(self, source: Path, tmp_path: Path, columns) -> None:
        path = folder_of(source, "S8") / "Posing.cdf"
        path.unlink()
        write_cdf(path, motion(3, 8), columns=columns)
        import_human36m(source, tmp_path / "out")
        positions, _, _ = read(tmp_path / "out")
        found = positions["S8"]["Posing"].reshape(3, 96)
        np.testing.assert_allclose(found * 1000, motion(3, 8)[0], rtol=1e-6)

    def test_a_plain_matrix_in_a_mat_file(self, source: Path, tmp_path: Path) -> None:
        (folder_of(source, "S8") / "Posing.cdf").unlink()
        path = folder_of(source, "S8") / "Posing.cdf.mat"
        savemat(path, {"data": motion(3, 8)[0]}, appendmat=False)
        import_human36m(source, tmp_path / "out")
        positions, _, _ = read(tmp_path / "out")
        assert positions["S8"]["Posing"].shape == (3, 32, 3)

    def test_one_folder_per_archive(self, source: Path, tmp_path: Path) -> None:
        for subject in SUBJECTS:
            inside = source / f"Poses_D3_Positions_{subject}"
            inside.mkdir()
            (source / subject).rename(inside / subject)
        import_human36m(source, tmp_path / "out")
        assert names(tmp_path / "out") == FILES

    def test_what_is_no_take_is_passed_over(self, source: Path, tmp_path: Path) -> None:
        folder = folder_of(source, "S6")
        for name in ("_ALL.cdf", "_ALL 1.cdf", "._Eating.cdf", "Eating.54138969.cdf", "notes.txt"):
            (folder / name).write_text("nothing to read")
        import_human36m(source, tmp_path / "out")
        positions, _, _ = read(tmp_path / "out")
        assert len(positions["S6"]) == 30

    def test_the_damaged_take_is_not_needed(self, source: Path, tmp_path: Path) -> None:
        (folder_of(source, "S11") / "Directions.cdf").unlink()
        import_human36m(source, tmp_path / "out")
        positions, _, _ = read(tmp_path / "out")
        assert len(positions["S11"]) == 29

    def test_the_loader_reads_them(self, published: Path, tmp_path: Path) -> None:
        import_human36m(published, tmp_path)
        positions, keypoints, _ = read(tmp_path)
        loaded = load_human36m(tmp_path, keypoints="gt", subjects=TEST_SUBJECTS)
        assert not loaded.official
        assert loaded.clip_count == 4 * 59
        for k, frames in enumerate(loaded.clips()):
            subject, take = loaded.subjects[k], loaded.actions[k]
            camera = CAMERA_IDS.index(loaded.cameras[k])
            pixels = keypoints[subject][take][camera]
            np.testing.assert_allclose(
                loaded.inputs[frames, :, 0], pixels[..., 0] / 500 - 1, atol=1e-6
            )
            joints = positions[subject][take][:, KEPT]
            np.testing.assert_allclose(
                np.linalg.norm(loaded.targets[frames], axis=-1),
                np.linalg.norm(joints - joints[:, :1], axis=-1),
                atol=1e-5,
            )

    def test_progress(self, published: Path, tmp_path: Path) -> None:
        seen: list[tuple[int, int | None]] = []
        import_human36m(published, tmp_path, progress=lambda *now: seen.append(now))
        assert seen == [(done, 209) for done in range(210)]


class TestMissing:
    def test_everything(self, tmp_path: Path) -> None:
        refuse(tmp_path / "absent", tmp_path / "out", "no S1/MyPoseFeatures.* register at vision")

    def test_subjects(self, source: Path, tmp_path: Path) -> None:
        for subject in ("S7", "S11"):
            folder_of(source, subject).rename(tmp_path / subject)
        refuse(source, tmp_path / "out", "should hold all of S7, all of S11; register")

    def test_takes(self, source: Path, tmp_path: Path) -> None:
        (folder_of(source, "S5") / "Discussion 3.cdf").unlink()
        (folder_of(source, "S1") / "TakingPhoto.cdf").rename(tmp_path / "TakingPhoto.cdf")
        (folder_of(source, "S1") / "TakingPhoto 1.cdf").rename(tmp_path / "TakingPhoto 1.cdf")
        (folder_of(source, "S11") / "Directions 1.cdf").unlink()
        refuse(
            source,
            tmp_path / "out",
            r"2 of S1 Photo \(found 0\), 2 of S5 Discussion \(found 1\), "
            r"1 of S11 Directions \(found 0\); register",
        )

    def test_a_third_take(self, source: Path, tmp_path: Path) -> None:
        write_cdf(folder_of(source, "S9") / "Photo 2.cdf", motion(2, 0))
        refuse(source, tmp_path / "out", r"2 of S9 Photo \(found 3\)")

    def test_a_long_list_is_cut(self, source: Path, tmp_path: Path) -> None:
        for path in folder_of(source, "S9").glob("* 1.cdf"):
            path.unlink()
        refuse(source, tmp_path / "out", r"S9 Directions .* S9 Photo \(found 1\) and 9 more;")

    def test_a_subject_twice(self, source: Path, tmp_path: Path) -> None:
        folder_of(source / "pose", "S8").mkdir(parents=True)
        refuse(source, tmp_path / "out", "S8 is there twice")


BROKEN = {
    "not finite": (
        lambda pose: np.where(np.arange(96) == 50, np.float32(np.nan), pose),
        "a number that is not finite",
    ),
    "metres": (lambda pose: pose / 1000, "millimetres: thighs .* measure 0.4429 to 0.4542"),
    "joints in another order": (lambda pose: pose[..., ::-1], "no person in a room"),
    "far away": (lambda pose: pose + np.float32(12_000), r"coordinates go up to 1\.\d+e\+04"),
    "behind a camera": (lambda pose: pose + np.float32(6_000), "lies behind a camera"),
    "17 joints": (lambda pose: pose[..., :51], r"\(1, F, 96\).* got float32 \(1, 3, 51\)"),
    "two records": (lambda pose: np.concatenate([pose, pose]), r"got float32 \(2, 3, 96\)"),
    "whole numbers": (lambda pose: pose.astype(np.int32), r"got int32 \(1, 3, 96\)"),
}


class TestWrongFiles:
    @pytest.fixture
    def path(self, source: Path) -> Path:
        """Of a take that is to be written anew."""
        path = folder_of(source, "S6") / "Waiting.cdf"
        path.unlink()
        return path

    @pytest.mark.parametrize("case", BROKEN)
    def test_poses(self, path: Path, source: Path, tmp_path: Path, case: str) -> None:
        change, message = BROKEN[case]
        write_cdf(path, change(motion(3, 1)))
        refuse(source, tmp_path / "out", rf"Waiting\.cdf: .*{message}")

    def test_no_frame(self, path: Path, source: Path, tmp_path: Path) -> None:
        write_mat(path.with_suffix(".cdf.mat"), motion(0, 1))
        refuse(source, tmp_path / "out", r"mat: .*F at least 1, got float64 \(0, 96\)")

    @pytest.mark.parametrize("content", [b"", b"a text file\n"])
    @pytest.mark.parametrize("suffix", [".cdf", ".cdf.mat"])
    def test_another_format(
        self, path: Path, source: Path, tmp_path: Path, content: bytes, suffix: str
    ) -> None:
        path.with_suffix(suffix).write_bytes(content)
        refuse(source, tmp_path / "out", rf"Waiting{suffix}: cannot be read \(.*; register")

    @pytest.mark.parametrize(("write", "suffix"), [(write_cdf, ".cdf"), (write_mat, ".cdf.mat")])
    def test_half_a_file(self, path: Path, source: Path, tmp_path: Path, write, suffix) -> None:
        path = path.with_suffix(suffix)
        write(path, motion(50, 1))
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
        refuse(source, tmp_path / "out", rf"Waiting{suffix}: cannot be read \(.*; register")

    def test_another_variable(self, path: Path, source: Path, tmp_path: Path) -> None:
        write_cdf(path, motion(3, 1), name="Angles")
        refuse(source, tmp_path / "out", r"Waiting\.cdf: cannot be read \(.*Pose")

    def test_another_mat_variable(self, path: Path, source: Path, tmp_path: Path) -> None:
        content = {"pose": motion(3, 1)[0]}
        savemat(path.with_suffix(".cdf.mat"), content, appendmat=False)
        refuse(source, tmp_path / "out", r"Waiting\.cdf\.mat: cannot be read \('data'\)")

    def test_mat_of_version_7_3(self, path: Path, source: Path, tmp_path: Path) -> None:
        header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
        path.with_suffix(".cdf.mat").write_bytes(header.ljust(512) + b"\x89HDF")
        refuse(source, tmp_path / "out", r"version 7\.3 is not read; keep the \.cdf")

    @pytest.mark.parametrize(("module", "suffix"), [("cdflib", ""), ("scipy.io", ".mat")])
    def test_a_library_is_missing(
        self, source: Path, tmp_path: Path, monkeypatch, module, suffix
    ) -> None:
        first = folder_of(source, "S1") / "Directions 1.cdf"
        if suffix:
            first.unlink()
            write_mat(first.with_suffix(".cdf.mat"), motion(3, 1))
        monkeypatch.setitem(sys.modules, module, None)
        package = module.partition(".")[0]
        refuse(
            source, tmp_path / "out", f"to read it, install {package} with: pip install {package}$"
        )


class TestWriting:
    def test_existing_files_stay(self, published: Path, tmp_path: Path) -> None:
        for name in FILES:
            kept = tmp_path / name
            kept.write_bytes(b"mine")
            with pytest.raises(InputError, match=f"{name} exists already"):
                import_human36m(published, tmp_path)
            assert names(tmp_path) == [name]
            assert kept.read_bytes() == b"mine"
            kept.unlink()

    def test_overwriting(self, published: Path, tmp_path: Path) -> None:
        for name in FILES:
            (tmp_path / name).write_bytes(b"old")
        import_human36m(published, tmp_path, overwrite=True)
        assert names(tmp_path) == FILES
        assert len(list(read(tmp_path))) == 3

    def test_a_file_in_the_way(self, published: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match=r"cannot write .*file"):
            import_human36m(published, tmp_path / "file")
        with pytest.raises(InputError, match=r"cannot write .*Not a directory"):
            import_human36m(published, tmp_path / "file" / "below")

    @pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
    def test_an_interruption_leaves_nothing(
        self, published: Path, tmp_path: Path, monkeypatch, error: BaseException
    ) -> None:
        real = np.savez_compressed

        def interrupted(path: Path, **content: object) -> None:
            if "positions_2d" in content:
                path.write_bytes(b"half")
                raise error
            real(path, **content)

        monkeypatch.setattr(human36m_import.np, "savez_compressed", interrupted)
        wanted = (KeyboardInterrupt, InputError)[isinstance(error, OSError)]
        with pytest.raises(wanted) as caught:
            import_human36m(published, tmp_path)
        assert names(tmp_path) == []
        if wanted is InputError:
            assert str(caught.value) == f"cannot write {tmp_path}: No space left"
