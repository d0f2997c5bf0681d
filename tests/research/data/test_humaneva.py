from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.research.data.humaneva import (
    ACTIONS,
    CAMERA_TABLE,
    CAMERAS,
    REPORTED,
    load_humaneva,
)
from ampose.research.data.pose_set import DatasetError, PoseSet
from ampose.research.data.videopose3d import action_name, camera_pose
from ampose.skeletons import COCO_17, HUMANEVA_15
from tests.research.humaneva_files import (
    cameras,
    frames_of,
    write_detections,
    write_humaneva,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_detections(write_humaneva(tmp_path_factory.mktemp("humaneva")))


@pytest.fixture(scope="module")
def whole(folder: Path) -> PoseSet:
    return load_humaneva(folder, part="test", actions=ACTIONS)


def camera_of(poses: PoseSet, clip: int) -> Camera:
    return cameras(str(poses.subjects[clip]))[CAMERAS.index(str(poses.cameras[clip]))]


def pixels(inputs: np.ndarray) -> np.ndarray:
    """The screen normalisation undone by hand: 640 x 480 pixels."""
    return (inputs.astype(float) + np.array([1, 0.75])) * 320


def test_poses_are_the_worlds_in_camera_axes(folder: Path, whole: PoseSet) -> None:
    world = np.load(folder / "data_3d_humaneva15.npz", allow_pickle=True)["positions_3d"].item()
    for clip, frames in enumerate(whole.clips()):
        take = world[f"Validate/{whole.subjects[clip]}"][str(whole.actions[clip])]
        joints = camera_of(whole, clip).to_camera(take)
        np.testing.assert_allclose(whole.targets[frames], joints - joints[:, :1], atol=1e-6)
        np.testing.assert_allclose(whole.root_depth[frames], joints[:, 0, 2], atol=1e-6)
    assert not whole.targets[:, 0].any()


def test_keypoints_and_poses_are_of_one_view(whole: PoseSet) -> None:
    for clip, frames in enumerate(whole.clips()):
        camera = camera_of(whole, clip)
        rays = camera.rays(pixels(whole.inputs[frames]))
        z = whole.targets[frames][..., 2:] + whole.root_depth[frames][:, None, None]
        root = (rays * z)[:, :1]
        np.testing.assert_allclose(rays * z - root, whole.targets[frames], atol=1e-4)


def test_clips_are_subjects_actions_takes_cameras(whole: PoseSet) -> None:
    expected = [
        (
            subject,
            f"{action} 1 chunk{chunk}",
            camera,
            frames_of("Validate", subject, action, chunk),
        )
        for subject in ("S1", "S2", "S3")
        for action in ("Walking", "Jog", "Box", "Gestures", "ThrowCatch")
        for chunk in ((0, 2) if action == "Walking" else (0,))
        for camera in ("C1", "C2", "C3")
        if (subject, action) != ("S3", "ThrowCatch")
    ]
    labels = zip(whole.subjects, whole.actions, whole.cameras, np.diff(whole.starts), strict=True)
    assert list(labels) == expected


def test_what_the_set_says_of_itself(whole: PoseSet) -> None:
    assert whole.name == "humaneva test"
    assert whole.joints is HUMANEVA_15
    assert whole.inputs.shape == (len(whole), 15, 2)
    assert whole.inputs.dtype == whole.targets.dtype == np.float32
    assert whole.scored.all()
    assert not whole.official
    assert np.isnan(whole.rays).all()


@pytest.mark.parametrize(("part", "prefix"), [("train", "Train"), ("test", "Validate")])
def test_parts(folder: Path, part, prefix) -> None:
    poses = load_humaneva(folder, part=part)
    assert [action_name(take) for take in dict.fromkeys(poses.actions)] == ["Walking", *REPORTED]
    per_camera = sum(
        frames_of(prefix, subject, action, chunk)
        for subject in ("S1", "S2", "S3")
        for action, chunk in (("Walking", 0), ("Walking", 2), ("Jog", 0), ("Box", 0))
    )
    assert len(poses) == 3 * per_camera


def test_actions_come_in_the_order_asked(folder: Path) -> None:
    poses = load_humaneva(folder, part="test", actions=("ThrowCatch", "Jog"))
    assert list(dict.fromkeys(zip(poses.subjects, poses.actions, strict=True))) == [
        ("S1", "ThrowCatch 1 chunk0"),
        ("S1", "Jog 1 chunk0"),
        ("S2", "ThrowCatch 1 chunk0"),
        ("S2", "Jog 1 chunk0"),
        ("S3", "Jog 1 chunk0"),
    ]


def test_coco_detections_become_fifteen_joints(folder: Path, whole: PoseSet) -> None:
    found = load_humaneva(folder, part="test", keypoints="detectron_pt_coco", actions=ACTIONS)
    np.testing.assert_array_equal(found.targets, whole.targets)
    # The generator puts the limbs of both files in one place, the face below the head's top.
    limbs = [joint for joint in HUMANEVA_15.joints if joint in COCO_17.joints]
    assert len(limbs) == 12
    same = HUMANEVA_15.indices(limbs)
    np.testing.assert_allclose(found.inputs[:, same], whole.inputs[:, same], atol=1e-5)
    for joint, pair in (("pelvis", "hip"), ("thorax", "shoulder")):
        middle = found.inputs[:, HUMANEVA_15.indices([f"left_{pair}", f"right_{pair}"])].mean(1)
        np.testing.assert_allclose(found.inputs[:, HUMANEVA_15.index(joint)], middle, atol=1e-5)
    raw = np.load(folder / "data_2d_humaneva15_detectron_pt_coco.npz", allow_pickle=True)
    first = raw["positions_2d"].item()["Validate/S1"]["Walking 1 chunk0"][0]
    eyes = first[:, COCO_17.indices(["left_eye", "right_eye"])].mean(1)
    head = pixels(found.inputs[: len(first), HUMANEVA_15.index("head")])
    np.testing.assert_allclose(head, eyes, atol=1e-3)


def test_camera_table_is_the_datasets_calibration() -> None:
    # C1 as in HumanEva's own calibration files: x and y of the rotation, translation in mm.
    published = {
        "S1": (
            [[-0.143362, 0.989627, 0.009217], [0.167173, 0.033395, -0.985362]],
            [-88.085494, 804.781346, 4315.339452],
        ),
        "S2": (
            [[-0.152389, 0.988262, 0.010755], [0.170400, 0.036991, -0.984680]],
            [-8.996069, 797.610556, 4365.802204],
        ),
    }
    published["S3"] = published["S1"]
    for subject, (rows, translation) in published.items():
        rotation, place = camera_pose(*CAMERA_TABLE[subject][0])
        np.testing.assert_allclose(rotation[:2], rows, atol=1e-6)
        np.testing.assert_allclose(place * 1000, translation, atol=1e-3)


@pytest.mark.parametrize("subject", CAMERA_TABLE)
def test_cameras_stand_upright_around_the_floor(subject: str) -> None:
    for orientation, position in CAMERA_TABLE[subject]:
        assert np.linalg.norm(orientation) == pytest.approx(1, abs=1e-6)
        rotation, translation = camera_pose(orientation, position)
        np.testing.assert_allclose(rotation @ position + translation, 0, atol=1e-12)
        assert rotation[1, 2] < -0.98  # y of the camera is down, z of the world up
        assert 1.4 < position[2] < 1.6
        x, y, z = rotation @ (0, 0, 1) + translation  # a metre above the middle of the floor
        assert 3.9 < z < 4.3
        assert abs(x) < 0.2
        assert abs(y) < 0.2


def test_people_are_in_the_picture(whole: PoseSet) -> None:
    assert (np.abs(whole.inputs) < (1, 0.75)).mean() > 0.99


def test_unknown_part(folder: Path) -> None:
    with pytest.raises(InputError, match="unknown part 'val'; known are train, test"):
        load_humaneva(folder, part="val")


@pytest.mark.parametrize(
    ("actions", "got"),
    [(("Walk", "Jog"), "Walk, Jog"), (("Jog", "Jog"), "Jog, Jog"), ((), "none")],
)
def test_wrong_actions(folder: Path, actions, got) -> None:
    with pytest.raises(InputError, match=f"some of Walking, .*, each once; got {got}$"):
        load_humaneva(folder, part="test", actions=actions)


def test_missing_files(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"data_3d_humaneva15\.npz: no such file; get HumanEva"):
        load_humaneva(tmp_path, part="test")
    with pytest.raises(DatasetError, match=r"data_2d_humaneva15_cpn\.npz: no such file"):
        load_humaneva(folder, part="test", keypoints="cpn")


S2, TAKE = "Validate/S2", "Jog 1 chunk0"
COCO = [list(range(1, 17, 2)), list(range(2, 17, 2))]


def cut(container, key) -> None:
    container[key] = container[key][:-1]


def lengthen(container, key) -> None:
    container[key] = np.concatenate([container[key], container[key][-1:]])


def without_joint(container, key) -> None:
    container[key] = container[key][:, :14]


def with_nan(container, key) -> None:
    container[key][0, 3] = np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, k, m: p.pop(S2), "3d.* positions_3d lacks Validate/S2; it holds Train/S1, Tr"),
        (lambda p, k, m: k.pop(S2), "2d.* positions_2d lacks Validate/S2; it holds Train/S1, Tr"),
        (lambda p, k, m: p.clear(), "3d.* lacks Validate/S1; it holds no subject"),
        (lambda p, k, m: p.update({S2: [1]}), "3d.* lacks Validate/S2"),
        (lambda p, k, m: p[S2].pop(TAKE), "3d.* Validate/S2 has no Jog"),
        (lambda p, k, m: k[S2].pop(TAKE), "2d.* Validate/S2 lacks 'Jog 1 chunk0'"),
        (lambda p, k, m: k[S2][TAKE].pop(), r"S2 Jog 1 chunk0 has 2 cameras, not 3 \(C1, C2, C3"),
        (lambda p, k, m: k[S2].update({TAKE: k[S2][TAKE][0]}), "has no list of cameras, not 3"),
        (lambda p, k, m: cut(k[S2][TAKE], 1), "Jog 1 chunk0 has 12 poses but 11 .* from C2; make"),
        (
            lambda p, k, m: lengthen(k[S2][TAKE], 2),
            "has 12 poses but 13 frames of keypoints from C3",
        ),
        (lambda p, k, m: without_joint(p[S2], TAKE), r"\(F, 15, 3\), got \(12, 14, 3\)"),
        (
            lambda p, k, m: without_joint(k[S2][TAKE], 0),
            r"C1 must be .*\(F, 15, 2\), got \(12, 14",
        ),
        (lambda p, k, m: with_nan(p[S2], TAKE), "Jog 1 chunk0 .* a number that is not finite"),
        (lambda p, k, m: with_nan(k[S2][TAKE], 1), "Jog 1 chunk0 C2 .* not finite"),
        (lambda p, k, m: p[S2].update({TAKE: p[S2][TAKE][:0]}), r"got \(0, 15, 3\)"),
        (lambda p, k, m: p[S2].update({TAKE: p[S2][TAKE].astype(int)}), "got int64"),
        (lambda p, k, m: p[S2].update({TAKE: "poses"}), "got str"),
        (
            lambda p, k, m: p[S2].update({TAKE: p[S2][TAKE] * 1000}),
            "before C1, not 1 to 10; positions must be metres, world axes",
        ),
        (
            lambda p, k, m: p[S2].update({TAKE: p[S2][TAKE] - np.float32([9, 0, 0])}),
            "is 1[23].* to 1[34].* m before C1, not 1 to 10",
        ),
        (
            lambda p, k, m: p[S2].update({TAKE: np.zeros((12, 17, 3), np.float32)}),
            r"\(F, 15, 3\), got \(12, 17, 3\)",
        ),
        (
            lambda p, k, m: m.update(keypoints_symmetry=[[4, 5, 6], [1, 2, 3]]),
            "keypoints_symmetry of metadata is not that of humaneva_15 or coco_17",
        ),
        (lambda p, k, m: m["keypoints_symmetry"].reverse(), "keypoints_symmetry of metadata is"),
        (lambda p, k, m: m.clear(), "keypoints_symmetry of metadata is not"),
        (lambda p, k, m: m.update(keypoints_symmetry=COCO), r"\(F, 17, 2\), got \(.*, 15, 2\)"),
    ],
)
def test_wrong_files(tmp_path: Path, change, message) -> None:
    write_humaneva(tmp_path, change)
    with pytest.raises(DatasetError, match=message) as caught:
        load_humaneva(tmp_path, part="test")
    line = str(caught.value)
    assert str(tmp_path / "data_") in line
    assert line.endswith("with 15 joints")
    assert "\n" not in line


def test_metadata_need_no_layout_name(tmp_path: Path, whole: PoseSet) -> None:
    write_humaneva(tmp_path, lambda p, k, m: m.pop("layout_name"))
    found = load_humaneva(tmp_path, part="test", actions=ACTIONS)
    np.testing.assert_array_equal(found.inputs, whole.inputs)


def test_takes_do_not_come_in_the_order_of_the_file(tmp_path: Path, whole: PoseSet) -> None:
    def turn_round(positions, keypoints, metadata) -> None:
        for held in (*positions.values(), *keypoints.values()):
            for take in list(held)[::-1]:
                held[take] = held.pop(take)

    found = load_humaneva(write_humaneva(tmp_path, turn_round), part="test", actions=ACTIONS)
    np.testing.assert_array_equal(found.actions, whole.actions)
    np.testing.assert_array_equal(found.targets, whole.targets)


def test_damage_to_the_other_part_does_not_matter(tmp_path: Path) -> None:
    write_humaneva(tmp_path, lambda p, k, m: p.pop("Train/S1"))
    assert len(load_humaneva(tmp_path, part="test"))


@pytest.mark.parametrize("key", ["positions_2d", "metadata"])
def test_missing_keys(tmp_path: Path, key: str) -> None:
    path = write_humaneva(tmp_path) / "data_2d_humaneva15_gt.npz"
    with np.load(path, allow_pickle=True) as file:
        rest = {name: file[name] for name in file.files if name != key}
    np.savez(path, **rest)
    with pytest.raises(DatasetError, match=f"lacks {key}; it holds"):
        load_humaneva(tmp_path, part="test")
