"""Both forms of the files, read back and compared with the motion they were made from."""

from __future__ import annotations

import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.research.data import mpi_inf_3dhp, mpi_inf_3dhp_takes
from ampose.research.data.mpi_inf_3dhp import VALID_FRAMES, load_mpi_inf_3dhp, mpi_names
from ampose.research.data.mpi_inf_3dhp_takes import (
    CAMERAS,
    JOINTS_28,
    SCENES,
    TRAIN_FRAMES,
)
from ampose.research.data.pose_set import CACHE, DatasetError, PoseSet
from ampose.skeletons import H36M_16, H36M_17, MPI_3DHP_17, get_skeleton
from tests.research import mpi_inf_3dhp_files as files

PER_FRAME = ("inputs", "targets", "rays", "root_depth", "scored")


@pytest.fixture(scope="module")
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npz")
    files.write_npz_train(folder)
    files.write_npz_test(folder)
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    files.write_original_train(folder)
    files.write_original_test(folder / "mpi_inf_3dhp_test_set")
    return folder


def clip(chosen: PoseSet, subject: str, action: str, camera: str) -> slice:
    found = (chosen.subjects == subject) & (chosen.actions == action) & (chosen.cameras == camera)
    assert found.sum() == 1
    return list(chosen.clips())[int(np.flatnonzero(found)[0])]


class TestTrain:
    @pytest.mark.parametrize("form", ["npz", "original"])
    def test_every_camera_of_every_sequence(self, form: str, request) -> None:
        chosen = load_mpi_inf_3dhp(request.getfixturevalue(form), part="train")
        assert chosen.name == "mpi-inf-3dhp train"
        assert chosen.skeleton == "mpi_3dhp_17"
        assert chosen.clip_count == 2 * 8
        assert len(chosen) == (6 + 5) * 8
        for (subject, sequence), frames in files.TRAIN.items():
            for camera in (0, 1, 2, 4, 5, 6, 7, 8):
                rows = clip(chosen, subject, sequence, str(camera))
                seen = files.studio_view(subject, sequence, camera, frames)
                pixels = seen.pixels[:, files.SELECTED]
                np.testing.assert_allclose(chosen.inputs[rows], pixels / 1024 - 1, atol=1e-6)
                joints = seen.univ_annot3[:, files.SELECTED]
                expected = (joints - joints[:, [14]]) / 1000
                np.testing.assert_allclose(chosen.targets[rows], expected, atol=1e-6)

    @pytest.mark.parametrize("form", ["npz", "original"])
    def test_all_frames_count_and_no_camera_is_known(self, form: str, request) -> None:
        chosen = load_mpi_inf_3dhp(request.getfixturevalue(form), part="train")
        assert chosen.scored.all()
        assert np.isnan(chosen.rays).all()
        assert np.isnan(chosen.root_depth).all()

    def test_rows_without_an_image_are_left_out(self, tmp_path: Path, monkeypatch) -> None:
        files.write_annot(tmp_path, "S1", "Seq1", 6)
        monkeypatch.setitem(TRAIN_FRAMES, ("S1", "Seq1"), 4)
        chosen = load_mpi_inf_3dhp(tmp_path, part="train")
        assert len(chosen) == 4 * 8
        seen = files.studio_view("S1", "Seq1", 0, 6).pixels[:4, files.SELECTED]
        np.testing.assert_allclose(chosen.inputs[:4], seen / 1024 - 1, atol=1e-6)

    def test_cells_go_by_the_cameras_they_name(self, tmp_path: Path) -> None:
        turned = files.write_annot(tmp_path / "turned", "S1", "Seq1", 6)
        plain = load_mpi_inf_3dhp(
            files.write_annot(tmp_path, "S1", "Seq1", 6).parents[2], part="train"
        )
        files.write_annot(
            tmp_path / "turned", "S1", "Seq1", 6, cameras=np.roll(np.arange(14), 1)[None]
        )
        other = load_mpi_inf_3dhp(turned.parents[2], part="train")
        first = clip(other, "S1", "Seq1", "0")
        np.testing.assert_array_equal(
            other.inputs[first], plain.inputs[clip(plain, "S1", "Seq1", "1")]
        )


class TestTest:
    @pytest.mark.parametrize("form", ["npz", "original"])
    def test_every_sequence(self, form: str, request) -> None:
        chosen = load_mpi_inf_3dhp(request.getfixturevalue(form), part="test")
        assert chosen.name == "mpi-inf-3dhp test"
        assert chosen.subjects.tolist() == ["TS1", "TS2", "TS3", "TS4", "TS5", "TS6"]
        assert chosen.actions.tolist() == ["GS", "GS", "noGS", "noGS", "outdoor", "outdoor"]
        for name, valid in files.TEST.items():
            rows = clip(chosen, name, SCENES[name], "0")
            seen = files.sequence_view(name)
            joints = seen.univ_annot3[:, files.SELECTED]
            np.testing.assert_allclose(
                chosen.targets[rows], (joints - joints[:, [14]]) / 1000, atol=1e-6
            )
            assert chosen.scored[rows].tolist() == [flag == 1 for flag in valid]

    def test_inputs_by_the_size_of_each_image(self, npz: Path) -> None:
        chosen = load_mpi_inf_3dhp(npz, part="test")
        for name in files.TEST:
            pixels = files.sequence_view(name).pixels[:, files.SELECTED]
            if name in ("TS5", "TS6"):
                expected = (pixels - (960, 540)) / 960
            else:
                expected = (pixels - (1024, 1024)) / 1024
            rows = clip(chosen, name, SCENES[name], "0")
            np.testing.assert_allclose(chosen.inputs[rows], expected, atol=1e-6)

    def test_rays_and_depth_lead_back_to_the_unscaled_joints(self, npz: Path) -> None:
        chosen = load_mpi_inf_3dhp(npz, part="test")
        for name in files.TEST:
            rows = clip(chosen, name, SCENES[name], "0")
            truth = files.sequence_view(name).annot3[:, files.SELECTED] / 1000
            np.testing.assert_allclose(
                chosen.rays[rows], truth[..., :2] / truth[..., 2:], atol=1e-6
            )
            np.testing.assert_allclose(chosen.root_depth[rows], truth[:, 14, 2], atol=1e-6)


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("skeleton", ["mpi_3dhp_17", "h36m_17", "h36m_16"])
def test_both_forms_are_one_set(npz: Path, original: Path, part, skeleton) -> None:
    a = load_mpi_inf_3dhp(npz, part=part, skeleton=skeleton)
    b = load_mpi_inf_3dhp(original, part=part, skeleton=skeleton)
    for key in (*PER_FRAME, "starts", "subjects", "actions", "cameras"):
        np.testing.assert_array_equal(getattr(a, key), getattr(b, key), err_msg=key)
    assert (a.name, a.skeleton) == (b.name, b.skeleton)


class TestJoints:
    def test_17_of_28(self) -> None:
        assert [JOINTS_28.index(joint) for joint in MPI_3DHP_17.joints] == files.SELECTED

    @pytest.mark.parametrize("skeleton", [H36M_17, H36M_16])
    def test_human36m_by_name(self, npz: Path, skeleton) -> None:
        """The generator has made the 28 joints from Human3.6M's."""
        own = load_mpi_inf_3dhp(npz, part="test")
        chosen = load_mpi_inf_3dhp(npz, part="test", skeleton=skeleton.name)
        assert chosen.joints == skeleton
        assert not chosen.targets[:, 0].any()
        from_mpi = {"thorax": "neck", "neck_nose": "head"}
        for column, joint in enumerate(skeleton.joints):
            source = MPI_3DHP_17.index(from_mpi.get(joint, joint))
            for key in ("inputs", "targets", "rays"):
                np.testing.assert_array_equal(
                    getattr(chosen, key)[:, column], getattr(own, key)[:, source]
                )

    def test_poseaugs_sixteen(self) -> None:
        """Its numbers of SPIN's 24 joints, with SPIN's numbers of the dataset's 17 put in."""
        poseaug = [14, 2, 1, 0, 3, 4, 5, 16, 12, 18, 9, 10, 11, 8, 7, 6]
        mpi_of_spin = dict(
            zip(
                [14, 3, 4, 5, 2, 1, 0, 16, 12, 17, 18, 9, 10, 11, 8, 7, 6],
                [14, 11, 12, 13, 8, 9, 10, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4],
                strict=True,
            )
        )
        assert MPI_3DHP_17.indices(mpi_names(H36M_16)) == [mpi_of_spin[j] for j in poseaug]

    def test_names_of_its_own_set_are_its_own(self) -> None:
        assert mpi_names(MPI_3DHP_17) == MPI_3DHP_17.joints
        assert sorted(mpi_names(H36M_17)) == sorted(MPI_3DHP_17.joints)

    @pytest.mark.parametrize("skeleton", ["coco_17", "humaneva_15"])
    def test_other_sets_are_refused(self, npz: Path, skeleton: str) -> None:
        with pytest.raises(InputError, match=f"no {skeleton} joints; choose from mpi_3dhp_17"):
            load_mpi_inf_3dhp(npz, part="test", skeleton=skeleton)
        with pytest.raises(InputError, match="no "):
            mpi_names(get_skeleton(skeleton))


class TestOfficial:
    @pytest.mark.parametrize("part", ["train", "test"])
    def test_generated_files_are_not(self, npz: Path, original: Path, part) -> None:
        assert not load_mpi_inf_3dhp(npz, part=part).official
        assert not load_mpi_inf_3dhp(original, part=part).official

    def test_the_published_counts(self) -> None:
        assert sum(TRAIN_FRAMES.values()) == 131_592
        assert sum(TRAIN_FRAMES.values()) * len(CAMERAS) == 1_052_736
        assert TRAIN_FRAMES["S3", "Seq1"] == 12488
        assert TRAIN_FRAMES["S8", "Seq2"] == 6054
        assert [sum(counts) for counts in VALID_FRAMES] == [2929, 2935, 2875]

    def test_train_by_its_frames(self, tmp_path: Path, monkeypatch) -> None:
        for module in (mpi_inf_3dhp, mpi_inf_3dhp_takes):
            monkeypatch.setattr(module, "TRAIN_FRAMES", {("S1", "Seq1"): 6, ("S3", "Seq2"): 5})
        files.write_npz_train(tmp_path / "whole")
        assert load_mpi_inf_3dhp(tmp_path / "whole", part="train").official
        files.write_npz_train(tmp_path / "part", sequences={("S1", "Seq1"): 6})
        assert not load_mpi_inf_3dhp(tmp_path / "part", part="train").official
        files.write_npz_train(tmp_path / "short", sequences={("S1", "Seq1"): 6, ("S3", "Seq2"): 4})
        assert not load_mpi_inf_3dhp(tmp_path / "short", part="train").official

    def test_test_by_its_valid_frames(self, tmp_path: Path, monkeypatch) -> None:
        counts = tuple(sum(valid) for valid in files.TEST.values())
        monkeypatch.setattr(mpi_inf_3dhp, "VALID_FRAMES", ((1,), counts))
        root = files.write_original_test(tmp_path / "whole")
        assert load_mpi_inf_3dhp(root, part="test").official
        root = files.write_original_test(tmp_path / "part")
        (root / "TS6" / "annot_data.mat").unlink()
        assert not load_mpi_inf_3dhp(root, part="test").official
        flags = np.ones((len(files.TEST["TS6"]), 1))
        files.write_annot_data(root, "TS6", valid_frame=flags)
        assert not load_mpi_inf_3dhp(root, part="test").official


class TestWhere:
    @pytest.mark.parametrize(
        "inner",
        ["mpi_inf_3dhp_test_set", "mpi_inf_3dhp/mpi_inf_3dhp_test_set/mpi_inf_3dhp_test_set"],
    )
    def test_the_release_may_lie_deeper(self, tmp_path: Path, inner: str) -> None:
        files.write_annot_data(tmp_path / inner, "TS5")
        assert load_mpi_inf_3dhp(tmp_path, part="test").subjects.tolist() == ["TS5"]

    def test_a_string_will_do(self, npz: Path) -> None:
        assert len(load_mpi_inf_3dhp(str(npz), part="test")) == 23

    def test_the_pair_wins(self, tmp_path: Path) -> None:
        files.write_annot_data(tmp_path, "TS5")
        files.write_npz_test(tmp_path / "motion3d")
        assert load_mpi_inf_3dhp(tmp_path, part="test").clip_count == 6

    def test_two_copies_are_refused(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            files.write_annot_data(tmp_path / name, "TS5")
        with pytest.raises(DatasetError, match=r"in both .*a and .*b; give one"):
            load_mpi_inf_3dhp(tmp_path, part="test")

    @pytest.mark.parametrize("folder", ["", "absent"])
    def test_nothing_there(self, tmp_path: Path, folder: str) -> None:
        with pytest.raises(DatasetError, match=r"neither data_test_3dhp\.npz nor .*get the data"):
            load_mpi_inf_3dhp(tmp_path / folder, part="test")

    def test_unknown_part(self, npz: Path) -> None:
        with pytest.raises(InputError, match="unknown part 'val'; choose from train, test"):
            load_mpi_inf_3dhp(npz, part="val")  # type: ignore[arg-type]

    def test_cached_beside_the_files(self, tmp_path: Path, monkeypatch) -> None:
        files.write_npz_test(tmp_path)
        made = load_mpi_inf_3dhp(tmp_path, part="test")
        assert (tmp_path / CACHE).is_dir()
        monkeypatch.setattr(mpi_inf_3dhp, "read_takes", None)
        again = load_mpi_inf_3dhp(tmp_path, part="test")
        np.testing.assert_array_equal(made.targets, again.targets)
        with pytest.raises(TypeError):  # another joint set is another cache
            load_mpi_inf_3dhp(tmp_path, part="test", skeleton="h36m_16")


def npz_takes(**changes: object) -> dict[str, object]:
    """One test sequence with arrays replaced."""
    seen = files.sequence_view("TS1")
    arrays: dict[str, object] = {
        "data_2d": seen.pixels[:, files.SELECTED],
        "data_3d": seen.univ_annot3[:, files.SELECTED],
        "valid": np.array(files.TEST["TS1"], np.uint8),
    }
    arrays.update(changes)
    return {key: value for key, value in arrays.items() if value is not None}


JOINTS = files.sequence_view("TS1").univ_annot3[:, files.SELECTED]
H36M_ORDER = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]


class TestBadFiles:
    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            (3, "lacks data_2d, data_3d, valid"),
            (npz_takes(valid=None), "lacks valid"),
            (npz_takes(valid=np.ones(5)), r"flags .*numbers \(6,\), got float64 \(5,\)"),
            (npz_takes(valid=np.full(6, 2)), "must be 0 or 1"),
            (npz_takes(data_2d=np.zeros((6, 16, 2))), r"2D joints .*\(6, 17, 2\), got float64"),
            (npz_takes(data_2d=[[1], [2, 3]]), "2D joints .* got list"),
            (npz_takes(data_3d=JOINTS * np.nan), "3D joints are not all finite"),
            (npz_takes(data_3d=JOINTS.astype(str)), "3D joints .* got ndarray"),
            (npz_takes(data_3d=JOINTS[:0], data_2d=np.zeros((0, 17, 2)), valid=np.ones(0)), "got"),
            (npz_takes(data_3d=JOINTS / 1000), r"thighs 0\.4\d+ and 0\.4\d+ long; millimetres"),
            (npz_takes(data_3d=JOINTS[:, H36M_ORDER]), "joint order needed"),
        ],
    )
    def test_npz_test(self, tmp_path: Path, entry: object, message: str) -> None:
        path = files.write_npz_test(tmp_path, TS1=entry)
        with pytest.raises(DatasetError, match=message) as caught:
            load_mpi_inf_3dhp(tmp_path, part="test")
        assert str(caught.value).startswith(f"{path}, TS1: ")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"S1 Seq1": 3}, r"S1 Seq1: must be \[cameras, frames/s\]"),
            ({"S1 Seq1": []}, r"S1 Seq1: must be \[cameras"),
            ({"S1 Seq1": [{"0": 3}, 25]}, "S1 Seq1, camera 0: lacks data_2d, data_3d"),
            ({"S9 Seq1": 3}, "has 'S9 Seq1', no sequence of 'S1 Seq1' .. 'S8 Seq2'"),
        ],
    )
    def test_npz_train(self, tmp_path: Path, changes, message: str) -> None:
        path = files.write_npz_train(tmp_path, **changes)
        with pytest.raises(DatasetError, match=message) as caught:
            load_mpi_inf_3dhp(tmp_path, part="train")
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize("data", [{}, [1], None])
    def test_npz_of_something_else(self, tmp_path: Path, data: object) -> None:
        np.savez(tmp_path / "data_test_3dhp.npz", data=np.array(data, dtype=object))
        with pytest.raises(DatasetError, match=r"data_test_3dhp\.npz: .*(dictionary|readable)"):
            load_mpi_inf_3dhp(tmp_path, part="test")

    def test_a_pickle_that_calls_something_is_not_run(self, tmp_path: Path) -> None:
        class Call:
            def __reduce__(self) -> tuple[object, ...]:
                return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

        header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
        header = header.ljust(117) + b"\n"
        content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        with zipfile.ZipFile(tmp_path / "data_test_3dhp.npz", "w") as archive:
            archive.writestr("data.npy", content + pickle.dumps({"TS1": Call()}))
        with pytest.raises(DatasetError, match=r"builtins\.exec"):
            load_mpi_inf_3dhp(tmp_path, part="test")
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"annot2": None}, r"annot\.mat: lacks annot2"),
            ({"cameras": None}, r"annot\.mat: lacks cameras"),
            ({"cameras": np.arange(4)}, r"lacks camera 4; it has \[0, 1, 2, 3\]"),
            ({"univ_annot3": np.zeros((6, 84))}, r"camera 0: a cell must be \(F, 84\), got \(\)"),
            ({"annot2": np.empty((0, 0), object)}, r"a cell must be \(F, 56\), got \(0,\)"),
        ],
    )
    def test_annot(self, tmp_path: Path, changes, message: str) -> None:
        path = files.write_annot(tmp_path, "S1", "Seq1", 6, **changes)
        with pytest.raises(DatasetError, match=message) as caught:
            load_mpi_inf_3dhp(tmp_path, part="train")
        assert str(caught.value).startswith(str(path))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"univ_annot3": None}, "lacks univ_annot3"),
            ({"univ_annot3": np.zeros((6, 17, 3))}, r"univ_annot3 must be \(F, 1, 17, 2 or 3\)"),
            ({"annot2": np.zeros((2, 17, 1, 6))}, r"annot2 must be \(F, 1, .*got \(2, 17, 1, 6\)"),
            ({"annot2": 3.0}, r"annot2 must be .* got \(\)"),
            ({"valid_frame": np.ones((7, 1))}, r"flags .*numbers \(6,\), got float64 \(7,\)"),
        ],
    )
    def test_annot_data(self, tmp_path: Path, changes, message: str) -> None:
        path = files.write_annot_data(tmp_path, "TS1", **changes)
        with pytest.raises(DatasetError, match=message) as caught:
            load_mpi_inf_3dhp(tmp_path, part="test")
        assert str(caught.value).startswith(str(path))

    @pytest.mark.parametrize("content", [b"", b"nothing", b"MATLAB 5.0 MAT-file".ljust(200)])
    @pytest.mark.parametrize(
        ("part", "name", "finding"),
        [
            ("train", "S1/Seq1/annot.mat", "no MATLAB file, version 5"),
            ("test", "TS1/annot_data.mat", "no MATLAB file, version 7.3"),
            ("train", "data_train_3dhp.npz", r"not a readable \.npz"),
        ],
    )
    def test_damaged(self, tmp_path: Path, content: bytes, part, name: str, finding: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        with pytest.raises(DatasetError, match=finding) as caught:
            load_mpi_inf_3dhp(tmp_path, part=part)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
        assert not (path.parent / CACHE).exists()

    @pytest.mark.parametrize("name", ["data_test_3dhp.npz", "TS1/annot_data.mat"])
    def test_cut_off(self, tmp_path: Path, name: str) -> None:
        files.write_npz_test(tmp_path) if "npz" in name else files.write_annot_data(
            tmp_path, "TS1"
        )
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(DatasetError, match=name):
            load_mpi_inf_3dhp(tmp_path, part="test")

    def test_without_h5py(self, tmp_path: Path, monkeypatch) -> None:
        files.write_annot_data(tmp_path, "TS1")
        monkeypatch.setitem(sys.modules, "h5py", None)
        with pytest.raises(DatasetError, match=r"annot_data\.mat: .*needs h5py; run: pip install"):
            load_mpi_inf_3dhp(tmp_path, part="test")
