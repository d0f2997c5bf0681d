"""Human3.6M from generated files, against arithmetic of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ampose.errors import InputError
from ampose.research.data import human36m
from ampose.research.data.human36m import (
    ACTIONS,
    CAMERA_IDS,
    CAMERAS,
    SUBJECTS,
    TEST_SUBJECTS,
    TRAIN_SUBJECTS,
    load_human36m,
)
from ampose.research.data.pose_set import CACHE, DatasetError, PoseSet
from ampose.skeletons import H36M_16, H36M_17
from tests.research.human36m_files import KEPT, takes, write_human36m

CPN = "cpn_ft_h36m_dbb"
HOURGLASS = "sh_ft_h36m"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that no test changes."""
    names = ("gt", CPN, HOURGLASS)
    return write_human36m(tmp_path_factory.mktemp("h36m"), frames=2, keypoints=names)


@pytest.fixture(scope="module")
def tested(folder: Path) -> PoseSet:
    return load_human36m(folder, subjects=TEST_SUBJECTS)


def positions(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """``positions_3d`` as everybody reads it."""
    with np.load(folder / "data_3d_h36m.npz", allow_pickle=True) as file:
        return file["positions_3d"].item()


def pixels(folder: Path, keypoints: str = "gt") -> dict[str, dict[str, list[np.ndarray]]]:
    """``positions_2d`` as everybody reads it."""
    with np.load(folder / f"data_2d_h36m_{keypoints}.npz", allow_pickle=True) as file:
        return file["positions_2d"].item()


def frames_of(poses: PoseSet, subject: str, take: str, camera: str) -> slice:
    """Where a clip is."""
    chosen = (poses.subjects == subject) & (poses.actions == take) & (poses.cameras == camera)
    (place,) = np.flatnonzero(chosen)
    return list(poses.clips())[place]


class TestCameras:
    # Rotation and translation in millimetres, world to camera, as karfly's
    # human36m-camera-parameters derives them from the dataset's own metadata.
    PUBLISHED = (
        (
            ("S1", "54138969"),
            [
                [-0.9153617321513369, 0.40180836633680234, 0.02574754463350265],
                [0.051548117060134555, 0.1803735689384521, -0.9822464900705729],
                [-0.399319034032262, -0.8977836111057917, -0.185819527201491],
            ],
            [-346.05078140028075, 546.9807793144001, 5474.481087434061],
        ),
        (
            ("S11", "58860488"),
            [
                [-0.9063540572469627, -0.42053101768163204, -0.04093880896680188],
                [-0.0603212197838846, 0.22468715090881142, -0.9725620980997899],
                [0.4181909532208387, -0.8790161246439863, -0.2290130547809762],
            ],
            [781.127357651581, 235.3131620173424, 5576.37044019807],
        ),
    )
    LENSES = (
        (
            "55011271",
            (1000, 1000),
            (1149.67569986785, 1147.59161666764),
            (508.848621645943, 508.064917088557),
            (-0.194213629607, 0.240408539138, -0.00274089439619, -0.00161902661378, 0.00681997559),
        ),
        (
            "60457274",
            (1000, 1002),
            (1145.51133842318, 1144.77392807652),
            (514.968197319863, 501.882018537695),
            (-0.19838409382, 0.2183236762980, -0.00181336200488, -0.000587205583, -0.00894780704),
        ),
    )

    @pytest.mark.parametrize(("which", "rotation", "translation"), PUBLISHED)
    def test_places(self, which, rotation, translation) -> None:
        camera = CAMERAS[which[0]][CAMERA_IDS.index(which[1])]
        np.testing.assert_allclose(camera.rotation, rotation, atol=2e-7)
        np.testing.assert_allclose(camera.translation * 1000, translation, atol=1e-3)

    @pytest.mark.parametrize(("name", "size", "focal", "centre", "distortion"), LENSES)
    def test_lenses(self, name, size, focal, centre, distortion) -> None:
        for subject in SUBJECTS:
            camera = CAMERAS[subject][CAMERA_IDS.index(name)]
            assert camera.size == size
            np.testing.assert_allclose(camera.focal, focal, rtol=1e-7)
            np.testing.assert_allclose(camera.centre, centre, rtol=1e-7)
            np.testing.assert_allclose(camera.distortion, distortion, rtol=1e-6)

    def test_all_stand_about_the_room_and_look_at_its_middle(self) -> None:
        assert list(CAMERAS) == list(SUBJECTS)
        for cameras in CAMERAS.values():
            corners = set()
            for camera in cameras:
                np.testing.assert_allclose(
                    camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-7
                )
                assert np.linalg.det(camera.rotation) == pytest.approx(1)
                place = -camera.rotation.T @ camera.translation
                assert 1.4 < place[2] < 1.7
                assert 4 < np.hypot(*place[:2]) < 6
                corners.add(tuple(np.sign(place[:2])))
                across, down, ahead = camera.rotation @ ([0, 0, 0.9] - place)
                assert np.hypot(across, down) < 0.2 * ahead
                assert camera.rotation[1, 2] < -0.9  # the image's y points down
            assert len(corners) == 4

    def test_widths_and_heights(self) -> None:
        for cameras in CAMERAS.values():
            assert [c.size for c in cameras] == [(1000, h) for h in (1002, 1000, 1000, 1002)]


class TestClips:
    def test_every_take_of_every_camera(self, folder: Path) -> None:
        for subjects, count in ((TRAIN_SUBJECTS, 600), (TEST_SUBJECTS, 236)):
            poses = load_human36m(folder, subjects=subjects)
            labels = zip(poses.subjects, poses.actions, poses.cameras, strict=True)
            assert list(labels) == [
                (subject, take, camera)
                for subject in subjects
                for take in sorted(takes(subject))
                for camera in ("54138969", "55011271", "58860488", "60457274")
            ]
            assert poses.clip_count == count
            held = positions(folder)
            lengths = [
                len(held[subject][take])
                for subject, take in zip(poses.subjects, poses.actions, strict=True)
            ]
            np.testing.assert_array_equal(np.diff(poses.starts), lengths)
            assert len(set(lengths)) > 1

    def test_fields(self, tested: PoseSet) -> None:
        assert (tested.name, tested.joints) == ("human3.6m test", H36M_17)
        assert tested.inputs.shape == (len(tested), 17, 2)
        assert tested.targets.shape == (len(tested), 17, 3)
        for array in (tested.inputs, tested.targets, tested.rays, tested.root_depth):
            assert array.dtype == np.float32
            assert np.isfinite(array).all()
        assert tested.scored.all()

    def test_the_order_of_the_file_does_not_matter(self, folder: Path, tmp_path: Path) -> None:
        copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(CACHE))

        def turn(content: dict[str, Any]) -> None:
            for subject, held in list(content.items()):
                content[subject] = dict(reversed(held.items()))

        change(copy / "data_3d_h36m.npz", turn)
        one, other = (load_human36m(each, subjects=["S9"]) for each in (folder, copy))
        assert one.actions.tolist() == other.actions.tolist()
        np.testing.assert_array_equal(one.targets, other.targets)
        np.testing.assert_array_equal(one.inputs, other.inputs)

    def test_subjects_in_any_choice(self, folder: Path, tested: PoseSet) -> None:
        one = load_human36m(folder, subjects=["S11"])
        assert one.name == "human3.6m S11"
        np.testing.assert_array_equal(one.targets, tested.only(tested.subjects == "S11").targets)
        both = load_human36m(folder, subjects=["S11", "S9"])
        assert both.name == "human3.6m test"
        assert both.subjects[0] == "S11"

    def test_a_held_out_subject(self, folder: Path) -> None:
        train = load_human36m(folder)
        chosen = train.only(train.subjects != "S8")
        assert set(chosen.subjects) == {"S1", "S5", "S6", "S7"}
        assert chosen.name == train.name == "human3.6m train"

    def test_actions(self, tested: PoseSet) -> None:
        assert len(ACTIONS) == 15
        assert {take.split()[0] for take in tested.actions} == set(ACTIONS)


class TestNumbers:
    def test_targets_are_the_poses_seen_by_the_camera(self, folder: Path, tested: PoseSet) -> None:
        # Camera 60457274 of S9 in the published numbers; VideoPose3D's arithmetic, by SciPy.
        w, x, y, z = 0.5879399180412292, -0.7823407053947449, 0.1427614390850067, -0.14794869720
        place = np.array([-1696.04345703125, -3827.099853515625, 1591.4127197265625]) / 1000
        for take in ("Walking 1", "Directions", "WalkTogether"):
            world = positions(folder)["S9"][take][:, KEPT].astype(np.float64)
            turn = Rotation.from_quat([x, y, z, w]).inv()
            points = turn.apply((world - place).reshape(-1, 3)).reshape(world.shape)
            frames = frames_of(tested, "S9", take, "60457274")
            np.testing.assert_allclose(tested.targets[frames], points - points[:, :1], atol=2e-6)
            np.testing.assert_allclose(tested.root_depth[frames], points[:, 0, 2], rtol=1e-6)

    def test_targets_are_root_relative_and_upright(self, tested: PoseSet) -> None:
        assert not tested.targets[:, 0].any()
        head = tested.targets[:, H36M_17.index("head_top"), 1]
        feet = tested.targets[:, H36M_17.indices(["left_ankle", "right_ankle"]), 1]
        assert np.median(head) < -0.4  # y points down
        assert np.median(feet) > 0.6

    def test_inputs_are_screen_coordinates(self, folder: Path, tested: PoseSet) -> None:
        seen = pixels(folder)["S11"]["Phoning 2"]
        for camera, height, view in zip(CAMERA_IDS, (1002, 1000, 1000, 1002), seen, strict=True):
            found = tested.inputs[frames_of(tested, "S11", "Phoning 2", camera)]
            np.testing.assert_allclose(found[..., 0], view[..., 0] / 500 - 1, atol=1e-6)
            np.testing.assert_allclose(
                found[..., 1], view[..., 1] / 500 - height / 1000, atol=1e-6
            )

    def test_people_are_in_the_picture(self, tested: PoseSet) -> None:
        assert np.abs(tested.inputs).max() < 1
        assert tested.root_depth.min() > 2
        assert tested.root_depth.max() < 8

    def test_rays_are_free_of_distortion(self, tested: PoseSet) -> None:
        """On exact 2D they lead to the joints, but for what the two lens models differ in."""
        depth = tested.targets[..., 2] + tested.root_depth[:, None]
        root = np.concatenate(
            [tested.rays[:, 0] * tested.root_depth[:, None], tested.root_depth[:, None]], 1
        )
        found = tested.rays * depth[..., None] - root[:, None, :2]
        missed = np.linalg.norm(found - tested.targets[..., :2], axis=-1)
        assert missed.max() < 5 * 0.5 / 1145  # half a pixel at 5 m
        # Without the removal it would be much more.
        pinhole = tested.inputs - tested.inputs[:, :1]
        crude = pinhole * 500 / 1147 * depth[..., None]
        assert np.linalg.norm(crude - tested.targets[..., :2], axis=-1).max() > 0.05

    def test_rays_of_one_camera_by_hand(self, folder: Path, tested: PoseSet) -> None:
        """Brown's model of camera 55011271 takes them back to the pixels."""
        frames = frames_of(tested, "S9", "Photo", "55011271")
        x, y = np.moveaxis(tested.rays[frames].astype(np.float64), -1, 0)
        r2 = x * x + y * y
        radial = 1 - 0.1942136287689209 * r2 + 0.2404085397720337 * r2**2 + 0.0068199756 * r2**3
        p1, p2 = -0.0027408944442868233, -0.0016190266469493508
        u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        found = np.stack([u * 1149.67566 + 508.84863, v * 1147.59167 + 508.06491], axis=-1)
        np.testing.assert_allclose(found, pixels(folder)["S9"]["Photo"][1], atol=2e-4)


class TestKeypoints:
    def test_are_the_files(self, folder: Path, tested: PoseSet) -> None:
        noisy = load_human36m(folder, keypoints=CPN, subjects=TEST_SUBJECTS)
        np.testing.assert_array_equal(noisy.targets, tested.targets)
        off = (noisy.inputs - tested.inputs) * 500
        assert off.std() == pytest.approx(5, rel=0.05)

    def test_those_after_the_end_of_motion_capture_are_cut(self, folder: Path) -> None:
        poses = load_human36m(folder, keypoints=CPN, subjects=["S1"])
        cut = 0
        for take, views in pixels(folder, CPN)["S1"].items():
            count = len(positions(folder)["S1"][take])
            cut += len(views[0]) > count
            found = poses.inputs[frames_of(poses, "S1", take, "58860488")]
            np.testing.assert_allclose(found, views[2][:count] / 500 - 1, atol=1e-6)
        assert cut > 3

    def test_16_joints_are_17_without_neck_nose(self, folder: Path, tested: PoseSet) -> None:
        found = load_human36m(folder, subjects=TEST_SUBJECTS, skeleton="h36m_16")
        assert found.joints == H36M_16
        for key in ("inputs", "targets", "rays"):
            np.testing.assert_array_equal(
                getattr(found, key), np.delete(getattr(tested, key), 9, axis=1)
            )
        np.testing.assert_array_equal(found.root_depth, tested.root_depth)

    def test_the_hourglass_has_its_own_order(self, folder: Path) -> None:
        order = [6, 2, 1, 0, 3, 4, 5, 7, 8, 9, 13, 14, 15, 12, 11, 10]  # of Martinez et al.
        found = load_human36m(folder, keypoints=HOURGLASS, subjects=["S9"], skeleton="h36m_16")
        views = pixels(folder, HOURGLASS)["S9"]["Eating 1"]
        assert views[1].shape[1:] == (16, 2)
        frames = frames_of(found, "S9", "Eating 1", "55011271")
        expected = views[1][: frames.stop - frames.start, order] / 500 - 1
        np.testing.assert_allclose(found.inputs[frames], expected, atol=1e-6)
        exact = load_human36m(folder, subjects=["S9"], skeleton="h36m_16")
        assert np.abs(found.inputs - exact.inputs).max() < 0.1  # the same joints, but for noise

    def test_the_hourglass_has_no_neck_nose(self, folder: Path) -> None:
        refuse(
            folder,
            f"data_2d_h36m_{HOURGLASS}",
            "its 16 joints are without neck_nose; choose the skeleton h36m_16, or other keypoints",
            keypoints=HOURGLASS,
        )

    def test_files_without_metadata_are_known_by_their_names(
        self, folder: Path, tmp_path: Path
    ) -> None:
        names = ("gt", CPN, HOURGLASS)
        write_human36m(tmp_path, frames=2, keypoints=names, metadata=False)
        for keypoints in names:
            one, other = (
                load_human36m(each, keypoints=keypoints, subjects=["S9"], skeleton="h36m_16")
                for each in (folder, tmp_path)
            )
            np.testing.assert_array_equal(one.inputs, other.inputs)

    @pytest.mark.parametrize(
        "metadata",
        [
            {"num_joints": 17, "keypoints_symmetry": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8]]},
            {"num_joints": 17, "keypoints_symmetry": [[1, 2, 3, 14, 15, 16], [4, 5, 6, 11, 12]]},
            {"num_joints": 17, "keypoints_symmetry": [[1, 2, 3, 14, 15, 16]]},
            {"num_joints": 17, "keypoints_symmetry": 3},
            {"num_joints": 17},
            [],
            "h36m",
        ],
    )
    def test_other_joints_are_refused(self, tmp_path: Path, metadata: object) -> None:
        """COCO has 17 joints too; sides exchanged; no sides."""
        write_human36m(tmp_path, frames=1, subjects=["S9", "S11"], keypoints=["gt"])
        np.savez(
            tmp_path / "data_2d_h36m_gt.npz",
            positions_2d=np.array(pixels(tmp_path)),
            metadata=np.array(metadata, object),
        )
        refuse(
            tmp_path,
            "data_2d_h36m_gt",
            "keypoints_symmetry of metadata is not that of h36m_17 or hourglass_16",
        )


class TestToes:
    def test_point_from_the_ankle_to_the_toes_in_the_image(self, folder: Path) -> None:
        poses = load_human36m(folder, toes=True, subjects=["S9"])
        assert poses.inputs.shape[1:] == (17, 4)
        # Camera 58860488 without its lens, which does not turn a foot by a degree.
        x, y, z, w = -0.1367100477218628, 0.7689454555511475, -0.6100738644599915, 0.133578270
        place = np.array([-1670.9921875, 5211.98583984375, 1528.387939453125]) / 1000
        turn = Rotation.from_quat([x, y, z, w]).inv()
        for take, world in positions(folder)["S9"].items():
            found = poses.inputs[frames_of(poses, "S9", take, "58860488")][..., 2:]
            for joint, ankle, base in ((3, 3, 4), (6, 8, 9)):
                ends = [turn.apply(world[:, k].astype(np.float64) - place) for k in (ankle, base)]
                start, end = (p[:, :2] / p[:, 2:] for p in ends)
                foot = (end - start) / np.linalg.norm(end - start, axis=-1, keepdims=True)
                np.testing.assert_allclose(found[:, joint], foot, atol=0.02)

    def test_have_length_one_at_the_ankles_only(self, folder: Path) -> None:
        for skeleton in (H36M_17, H36M_16):
            poses = load_human36m(folder, toes=True, subjects=["S9"], skeleton=skeleton.name)
            length = np.linalg.norm(poses.inputs[..., 2:], axis=-1)
            ankles = skeleton.indices(["left_ankle", "right_ankle"])
            np.testing.assert_allclose(length[:, ankles], 1, rtol=1e-6)
            assert not np.delete(length, ankles, axis=1).any()
            assert poses.inputs[:, ankles, 3].mean() > 0.2  # y points down, and so do feet

    def test_are_true_whatever_the_keypoints(self, folder: Path) -> None:
        exact, noisy = (
            load_human36m(folder, keypoints=keypoints, toes=True, subjects=["S9"])
            for keypoints in ("gt", CPN)
        )
        np.testing.assert_array_equal(exact.inputs[..., 2:], noisy.inputs[..., 2:])
        plain = load_human36m(folder, keypoints=CPN, subjects=["S9"])
        np.testing.assert_array_equal(noisy.inputs[..., :2], plain.inputs)
        np.testing.assert_array_equal(noisy.targets, plain.targets)

    def test_a_foot_that_is_seen_from_its_end_points_nowhere(self, tmp_path: Path) -> None:
        write_human36m(tmp_path, frames=1, subjects=["S9", "S11"], keypoints=["gt"])

        def shorten(content: dict[str, Any]) -> None:
            for held in content["S9"].values():
                held[:, 4] = held[:, 3]

        change(tmp_path / "data_3d_h36m.npz", shorten)
        poses = load_human36m(tmp_path, toes=True, subjects=["S9"])
        assert not poses.inputs[:, 3, 2:].any()
        np.testing.assert_allclose(np.linalg.norm(poses.inputs[:, 6, 2:], axis=-1), 1, rtol=1e-6)


class TestDamagedTake:
    def test_is_left_out(self, folder: Path, tmp_path: Path) -> None:
        write_human36m(tmp_path, frames=1, subjects=TEST_SUBJECTS, damaged_take=True)
        assert "Directions" in positions(tmp_path)["S11"]
        for keypoints in ("gt", CPN):
            poses = load_human36m(tmp_path, keypoints=keypoints, subjects=TEST_SUBJECTS)
            assert poses.clip_count == 236
            of_s11 = set(poses.actions[poses.subjects == "S11"])
            assert "Directions" not in of_s11
            assert "Directions 1" in of_s11
            assert "Directions" in poses.actions[poses.subjects == "S9"]

    @pytest.mark.parametrize("stem", ["data_3d_h36m", "data_2d_h36m_gt"])
    def test_may_be_in_one_file_alone(self, tmp_path: Path, stem: str) -> None:
        write_human36m(tmp_path, frames=1, subjects=["S11"], keypoints=["gt"], damaged_take=True)
        change(tmp_path / f"{stem}.npz", lambda content: content["S11"].pop("Directions"))
        assert load_human36m(tmp_path, subjects=["S11"]).clip_count == 116


class TestOfficial:
    def test_published_counts(self) -> None:
        assert human36m.OFFICIAL_FRAMES == {"train": 1_559_752, "test": 543_344}

    def test_generated_files_are_not(self, folder: Path, tested: PoseSet) -> None:
        assert not tested.official
        assert not load_human36m(folder).official

    def test_goes_by_the_frames_of_all_subjects(
        self, small: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count = sum(len(load_human36m(small, subjects=[each])) for each in TEST_SUBJECTS)
        shutil.rmtree(small / CACHE)
        monkeypatch.setattr(human36m, "OFFICIAL_FRAMES", {"train": 1, "test": count})
        assert load_human36m(small, subjects=TEST_SUBJECTS).official
        assert load_human36m(small, subjects=TEST_SUBJECTS[::-1]).official
        assert not load_human36m(small, subjects=["S9"]).official
        shutil.rmtree(small / CACHE)
        monkeypatch.setattr(human36m, "OFFICIAL_FRAMES", {"train": count, "test": count + 1})
        assert not load_human36m(small, subjects=TEST_SUBJECTS).official


def test_the_second_time_comes_from_the_cache(folder: Path, monkeypatch) -> None:
    first = load_human36m(folder, subjects=["S5"], toes=True)
    monkeypatch.setattr(human36m, "load_keypoints", None)
    monkeypatch.setattr(human36m, "load_positions", None)
    again = load_human36m(folder, subjects=["S5"], toes=True)
    np.testing.assert_array_equal(first.inputs, again.inputs)
    for options in ({"toes": False}, {"skeleton": "h36m_16"}, {"keypoints": CPN}):
        with pytest.raises(TypeError):
            load_human36m(folder, **{"subjects": ["S5"], "toes": True, **options})


def change(path: Path, how: Callable[[dict[str, Any]], object], key: str = "") -> None:
    """Writes a file again, its dictionary changed."""
    with np.load(path, allow_pickle=True) as file:
        entries = {name: file[name] for name in file.files}
    key = key or next(name for name in entries if name.startswith("positions"))
    content = entries[key].item()
    how(content)
    np.savez(path, **{**entries, key: np.array(content)})


def refuse(folder: Path, stem: str, message: str, **options: Any) -> None:
    """Loading ends with one line that names the file."""
    with pytest.raises(DatasetError, match=message) as caught:
        load_human36m(folder, **{"subjects": TEST_SUBJECTS, **options})
    text = str(caught.value)
    assert text.startswith(f"{folder / stem}.npz: ")
    assert "\n" not in text


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_human36m(
        tmp_path_factory.mktemp("two"), frames=2, subjects=TEST_SUBJECTS, keypoints=["gt"]
    )


@pytest.fixture
def small(of_two: Path, tmp_path: Path) -> Path:
    """Files of the test subjects, to be changed."""
    return shutil.copytree(of_two, tmp_path / "h36m")


def put(subject: str, take: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets one take; `value` may be a function of what is there."""

    def how(content: dict[str, Any]) -> None:
        old = content[subject][take]
        content[subject][take] = value(old) if callable(value) else value

    return how


def not_a_number(array: np.ndarray) -> np.ndarray:
    array[-1, 3, 1] = np.nan
    return array


class TestWrongFiles:
    def test_missing(self, tmp_path: Path, small: Path) -> None:
        refuse(tmp_path / "absent", "data_3d_h36m", "no such file; .*DATASETS.md .* licence")
        refuse(small, f"data_2d_h36m_{CPN}", "no such file", keypoints=CPN)
        assert not (small / CACHE).exists()

    def test_other_content(self, small: Path) -> None:
        np.savez(small / "data_3d_h36m.npz", positions_2d=np.array({}))
        refuse(small, "data_3d_h36m", "lacks positions_3d; it holds positions_2d")
        (small / "data_3d_h36m.npz").write_bytes(b"<html>404</html>")
        refuse(small, "data_3d_h36m", "not a readable .npz")

    @pytest.mark.parametrize("stem", ["data_3d_h36m", "data_2d_h36m_gt"])
    def test_subjects(self, small: Path, stem: str) -> None:
        change(small / f"{stem}.npz", lambda content: content.pop("S9"))
        refuse(
            small,
            stem,
            "lacks S9; it holds S11;",
        )
        assert load_human36m(small, subjects=["S11"]).clip_count == 116

    def test_takes_of_one_file(self, small: Path) -> None:
        change(small / "data_2d_h36m_gt.npz", lambda content: content["S9"].pop("Waiting 1"))
        refuse(small, "data_2d_h36m_gt", "S9 lacks Waiting 1, which the other of data_3d_h36m.npz")
        change(small / "data_3d_h36m.npz", lambda content: content["S9"].pop("Waiting 1"))
        assert load_human36m(small, subjects=["S9"]).clip_count == 116
        change(small / "data_3d_h36m.npz", lambda content: content["S9"].pop("Eating"))
        refuse(small, "data_3d_h36m", "S9 lacks Eating, which the other of")

    def test_actions(self, small: Path) -> None:
        for stem in ("data_3d_h36m", "data_2d_h36m_gt"):
            change(small / f"{stem}.npz", lambda content: content["S9"].pop("Posing"))
            change(small / f"{stem}.npz", lambda content: content["S9"].pop("Posing 1"))
        refuse(small, "data_3d_h36m", "S9 must have the 15 actions .* unknown: Posing;")

    def test_other_names_of_actions(self, small: Path) -> None:
        def rename(content: dict[str, Any]) -> None:
            content["S9"]["TakingPhoto"] = content["S9"].pop("Photo")

        for stem in ("data_3d_h36m", "data_2d_h36m_gt"):
            change(small / f"{stem}.npz", rename)
        refuse(small, "data_3d_h36m", "missing or unknown: TakingPhoto;")

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (lambda a: a[:, :17], r"\(F, 32, 3\), got \(2, 17, 3\)"),
            (lambda a: a[..., :2], r"\(F, 32, 3\), got \(2, 32, 2\)"),
            (lambda a: a[0], r"\(F, 32, 3\), got \(32, 3\)"),
            (lambda a: a[:0], r"\(F, 32, 3\), got \(0, 32, 3\)"),
            (lambda a: (a * 1000).astype(int), "got int64"),
            (lambda a: a.tolist(), "got list"),
            (None, "got NoneType"),
            (not_a_number, "not finite"),
            (lambda a: a * 1000, r"is .* m before camera 54138969, not 0 to 20; .* metres, world"),
            (lambda a: a + np.float32([0, 8, 0]), "is -.* m before camera 54138969, not 0 to 20"),
            (lambda a: a - np.float32([0, 30, 0]), "is 3.* to 3.* m before camera 54138969"),
        ],
    )
    def test_poses(self, small: Path, value: Any, message: str) -> None:
        change(small / "data_3d_h36m.npz", put("S9", "Directions", value))
        refuse(small, "data_3d_h36m", f"S9 Directions .*{message}")
        assert load_human36m(small, subjects=["S11"]).clip_count == 116

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (lambda v: v[:3], r"has 3 cameras, not 4 \(54138969, 55011271, 58860488, 60457274\)"),
            (lambda v: [*v, v[0]], "has 5 cameras, not 4"),
            (lambda v: {1: v}, "has no list of cameras"),
            (lambda v: v[0], "has no list of cameras"),
            (None, "has no list of cameras"),
            (lambda v: [*v[:3], None], r"60457274 must be .*got NoneType"),
            (
                lambda v: [*v[:3], v[3][:, :16]],
                r"60457274 must .*\(F, 17, 2\), got \(2, 16, 2",
            ),
            (lambda v: [*v[:3], v[3][..., [0, 1, 1]]], r"got \(2, 17, 3\)"),
            (lambda v: [v[0], v[1][0], *v[2:]], r"55011271 must .* got \(17, 2\)"),
            (lambda v: [v[0], v[1].astype(int), *v[2:]], "55011271 must .* got int64"),
            (lambda v: [v[0], v[1].astype(object), *v[2:]], "55011271 must .* got object"),
            (lambda v: [not_a_number(v[0]), *v[1:]], "54138969 must .* not finite"),
            (
                lambda v: [*v[:2], v[2][:1], v[3]],
                "has 1 frames of keypoints for 2 of motion capture",
            ),
        ],
    )
    def test_keypoints(self, small: Path, value: Any, message: str) -> None:
        change(small / "data_2d_h36m_gt.npz", put("S9", "Directions", value))
        refuse(small, "data_2d_h36m_gt", f"S9 Directions .*{message}")

    @pytest.mark.parametrize("content", [[], None, {"S9": None, "S1": {}}, {"S9": [1, 2]}])
    def test_no_dictionaries(self, small: Path, content: object) -> None:
        for stem, key in (("data_2d_h36m_gt", "positions_2d"), ("data_3d_h36m", "positions_3d")):
            np.savez(small / f"{stem}.npz", **{key: np.array(content, object)})
            refuse(small, stem, "lacks S9")


class TestWrongOptions:
    @pytest.mark.parametrize("skeleton", ["coco_17", "mpi_3dhp_17", "nobody"])
    def test_skeletons(self, folder: Path, skeleton: str) -> None:
        with pytest.raises(InputError, match="h36m_17"):
            load_human36m(folder, skeleton=skeleton)

    @pytest.mark.parametrize("subjects", [[], ["S2"], ["S1", "S1"], ["s1"], ["S9", "S10"], "S1"])
    def test_subjects(self, folder: Path, subjects) -> None:
        with pytest.raises(InputError, match="some of S1, S5, S6, S7, S8, S9, S11, each once"):
            load_human36m(folder, subjects=subjects)
