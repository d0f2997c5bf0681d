from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ampose import Camera, InputError, Lifter, __version__
from ampose.cameras import MIN_VISIBLE_JOINTS, look_at_person
from ampose.geometry import rotate
from ampose.skeletons import COCO_17, H36M_17, SKELETONS, Skeleton
from tests.lifting.networks import echo

SIZE = (640, 480)
CAMERA = Camera.from_fov(SIZE, 60)
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter(threads=1)


@pytest.fixture
def people(rng: np.random.Generator, standing: Array) -> Array:
    """(8, 17, 2) pixels of people who move a little."""
    poses = standing + rng.normal(0, 0.04, (8, 17, 3)) + [0, 0, 4]
    return CAMERA.project(poses)


def test_frames_of_one_person(lifter: Lifter, people: Array) -> None:
    result = lifter.lift(people, image_size=SIZE)
    assert result.joints.shape == (8, 1, 17, 3)
    assert result.joints.dtype == np.float32
    assert result.valid.all()
    assert (result.joints[..., 0, :] == 0).all()
    assert (result.sigma[:, :, 1:] > 0).all()
    assert (result.root[..., 2] > 0.5).all()
    assert result.ids.tolist() == [0]
    assert result.times.tolist() == list(range(8))
    assert result.times.dtype == np.float64
    assert result.skeleton == H36M_17
    np.testing.assert_allclose(result.keypoints[:, 0], people, atol=1e-3)
    assert (result.scores == 1).all()
    assert [camera.source for camera in result.cameras] == ["assumed"]
    assert result.provenance["ampose"] == __version__
    assert len(result.provenance["lifter_sha256"]) == 64


def test_frames_of_several_people(lifter: Lifter, people: Array) -> None:
    pairs = np.stack([people[:4], people[4:]], axis=1)
    result = lifter.lift(pairs, image_size=SIZE, camera=CAMERA)
    assert result.ids.tolist() == [0, 1]
    alone = lifter.lift(people, image_size=SIZE, camera=CAMERA)
    np.testing.assert_allclose(result.joints[:, 0], alone.joints[:4, 0], atol=1e-4)
    np.testing.assert_allclose(result.joints[:, 1], alone.joints[4:, 0], atol=1e-4)
    np.testing.assert_allclose(result.root[:, 1], alone.root[4:, 0], atol=1e-2)


def test_a_batch_is_the_same_as_one_by_one(lifter: Lifter, people: Array) -> None:
    many = np.tile(people, (33, 1, 1))  # 264, more than a batch of the network
    result = lifter.lift(many, image_size=SIZE)
    for place in (0, 5, 255, 256, 263):
        one = lifter.lift(many[place : place + 1], image_size=SIZE)
        np.testing.assert_allclose(result.joints[place], one.joints[0], atol=1e-4)


def test_frames_do_not_smooth_each_other(lifter: Lifter, people: Array) -> None:
    forth = lifter.lift(people, image_size=SIZE)
    back = lifter.lift(people[::-1], image_size=SIZE)
    np.testing.assert_allclose(forth.joints, back.joints[::-1], atol=1e-4)


def test_a_camera_per_frame(lifter: Lifter, people: Array) -> None:
    cameras = [Camera.from_fov(SIZE, degrees) for degrees in range(40, 80, 5)]
    result = lifter.lift(people, image_size=SIZE, camera=cameras)
    assert result.cameras == tuple(cameras)
    for place, camera in enumerate(cameras):
        one = lifter.lift(people[place : place + 1], image_size=SIZE, camera=camera)
        np.testing.assert_allclose(result.joints[place], one.joints[0], atol=1e-4)
        np.testing.assert_allclose(result.root[place], one.root[0], rtol=1e-3)
    assert result.root[0, 0, 2] > 1.5 * result.root[-1, 0, 2]  # a long lens sees from afar


def test_no_frames_and_no_people(lifter: Lifter) -> None:
    assert lifter.lift(np.zeros((0, 17, 2)), image_size=SIZE).joints.shape == (0, 1, 17, 3)
    assert lifter.lift(np.zeros((3, 0, 17, 2)), image_size=SIZE).joints.shape == (3, 0, 17, 3)


def test_missing_joints_are_guessed(lifter: Lifter, people: Array) -> None:
    people[2, [3, 16]] = np.nan
    people[3, 5, 1] = np.nan
    result = lifter.lift(people, image_size=SIZE)
    assert result.valid.all()
    assert np.isnan(result.keypoints[2, 0, [3, 16]]).all()
    assert np.isnan(result.keypoints[3, 0, 5]).all()
    assert result.scores[2, 0, [3, 16]].tolist() == [0, 0]
    assert any(note.startswith("3 of 136 joints") for note in result.warnings)


def test_score_zero_is_missing(lifter: Lifter, people: Array) -> None:
    gaps = people.copy()
    gaps[:, 8] = np.nan
    scores = np.ones((8, 17))
    scores[:4, 8] = 0
    scores[4:, 8] = np.nan
    by_score = lifter.lift(people, image_size=SIZE, scores=scores)
    by_nan = lifter.lift(gaps, image_size=SIZE)
    np.testing.assert_array_equal(by_score.joints, by_nan.joints)
    np.testing.assert_array_equal(by_score.keypoints, by_nan.keypoints)
    assert (by_score.scores[:, 0, 8] == 0).all()


def test_the_users_arrays_are_left_alone(lifter: Lifter, people: Array) -> None:
    scores = np.ones((8, 17))
    scores[1, 4] = 0
    xy, given = people.copy(), scores.copy()
    lifter.lift(xy, image_size=SIZE, scores=given)
    np.testing.assert_array_equal(xy, people)
    np.testing.assert_array_equal(given, scores)


def test_lists_will_do(lifter: Lifter, people: Array) -> None:
    as_list = lifter.lift(people.tolist(), image_size=SIZE, scores=np.ones((8, 17)).tolist())
    np.testing.assert_array_equal(as_list.joints, lifter.lift(people, image_size=SIZE).joints)


def test_too_few_joints_are_not_lifted(lifter: Lifter, people: Array) -> None:
    people[0, MIN_VISIBLE_JOINTS - 1 :] = np.nan
    people[1, MIN_VISIBLE_JOINTS:] = np.nan
    people[2] = np.nan
    people[3] = 100  # every joint in one place: no extent
    result = lifter.lift(people, image_size=SIZE)
    assert result.valid.all((1, 2)).tolist() == [False, True, False, False] + [True] * 4
    for frame in (0, 2, 3):
        assert not result.valid[frame].any()
        assert np.isnan(result.joints[frame]).all()
        assert np.isnan(result.root[frame]).all()


def test_far_outside_the_image_is_allowed(lifter: Lifter, people: Array) -> None:
    result = lifter.lift(people + 5000, image_size=SIZE)
    assert result.joints.shape == (8, 1, 17, 3)
    assert any("136 keypoints lie outside" in note for note in result.warnings)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_joint_set_is_lifted(
    lifter: Lifter, rng: np.random.Generator, skeleton: Skeleton
) -> None:
    xy = rng.uniform(100, 400, (2, len(skeleton), 2))
    result = lifter.lift(xy, image_size=SIZE, skeleton=skeleton.name)
    assert result.skeleton == H36M_17
    assert result.valid.all()


def test_the_mapping_matters(rng: np.random.Generator) -> None:
    xy = rng.uniform(100, 400, (1, 17, 2))
    plain, hybrid = (
        Lifter(mapping=mapping, threads=1).lift(xy, image_size=SIZE, skeleton=COCO_17)
        for mapping in ("plain", "hybrid")
    )
    hips = xy[0, COCO_17.indices(["left_hip", "right_hip"])]
    np.testing.assert_allclose(plain.keypoints[0, 0, 0], hips.mean(0), rtol=1e-5)
    assert np.abs(hybrid.keypoints[0, 0, 0] - hips.mean(0)).max() > 1
    assert (plain.provenance["mapping"], hybrid.provenance["mapping"]) == ("plain", "hybrid")


def test_the_answer_is_turned_back_to_camera_axes(tmp_path: Path, standing: Array) -> None:
    """With a network that answers what it is shown, the answer is known."""
    lifter = Lifter(echo(tmp_path / "echo.onnx"), threads=1)
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])  # about y: to the right edge
    centred = standing - (standing.min(0) + standing.max(0)) / 2 + [0, 0, 4]
    xy = np.stack([CAMERA.project(p) for p in (centred, rotate(centred[None], turn)[0])])
    middle, edge = lifter.lift(xy, image_size=SIZE, camera=CAMERA).joints[:, 0]
    # The virtual view is the picture here: joints are pixels, scaled, in the plane z = 1.
    flat = xy[0] - xy[0, :1]
    scale = np.abs(middle).max() / np.abs(flat).max()
    np.testing.assert_allclose(middle[:, :2], flat * scale, atol=0.01)
    np.testing.assert_allclose(middle[:, 2], 0, atol=0.01)
    np.testing.assert_allclose(edge, rotate(middle[None], turn)[0], atol=0.02)


def test_a_network_may_see_how_large_a_person_is(tmp_path: Path, standing: Array) -> None:
    """It answers y, seen and size: the same for all joints, and so nothing of it is relative."""
    lifter = Lifter(echo(tmp_path / "echo.onnx", channels="4"), threads=1)
    centred = standing - (standing.min(0) + standing.max(0)) / 2 + [0, 0, 40]
    answer = lifter.lift(CAMERA.project(centred)[None], image_size=SIZE, camera=CAMERA)
    shown, _ = look_at_person(CAMERA.rays(CAMERA.project(centred)), channels=4)
    expected = shown[:, 1:] - shown[:1, 1:]
    np.testing.assert_allclose(answer.joints[0, 0], expected, atol=0.01)


def test_sigma_is_turned_back_to_camera_axes(tmp_path: Path, standing: Array) -> None:
    """Seen from the side by a quarter turn less a bit, what was deep is wide, and back."""
    outputs = ("joints", "sigma")
    lifter = Lifter(echo(tmp_path / "echo.onnx", outputs=outputs), threads=1)
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])
    centred = standing - (standing.min(0) + standing.max(0)) / 2 + [0, 0, 4]
    xy = np.stack([CAMERA.project(p) for p in (centred, rotate(centred[None], turn)[0])])
    xy = np.concatenate([xy, np.full_like(xy[:1], np.nan)])
    middle, edge, nobody = lifter.lift(xy, image_size=SIZE, camera=CAMERA).sigma[:, 0]
    assert (middle >= 0).all()
    across = np.hypot(0.8 * middle[:, 0], 0.6 * middle[:, 2])
    deep = np.hypot(0.6 * middle[:, 0], 0.8 * middle[:, 2])
    np.testing.assert_allclose(edge, np.stack([across, middle[:, 1], deep], -1), atol=0.02)
    assert np.isnan(nobody).all()


def test_a_person_keeps_the_pose_wherever_the_camera_sees_them(
    lifter: Lifter, standing: Array
) -> None:
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])
    centred = standing - (standing.min(0) + standing.max(0)) / 2 + [0, 0, 4]
    wide = Camera.from_fov((1920, 1080), 100)
    xy = np.stack([wide.project(p) for p in (centred, rotate(centred[None], turn)[0])])
    result = lifter.lift(xy, image_size=wide.size, camera=wide)
    middle, edge = result.joints[:, 0]
    np.testing.assert_allclose(rotate(edge[None], turn.T)[0], middle, atol=0.01)
    np.testing.assert_allclose(result.root[1, 0], turn @ result.root[0, 0], atol=0.05)
    assert result.root[1, 0, 0] > 1


@pytest.mark.parametrize(
    ("xy", "options", "complaint"),
    [
        (np.zeros((2, 16, 2)), {}, r"xy must be \(N, 17, 2\) or \(N, P, 17, 2\) for h36m_17, got"),
        (np.zeros((2, 17, 3)), {}, r"got \(2, 17, 3\)"),
        (np.zeros((17, 2)), {}, r"got \(17, 2\)"),
        (np.zeros((2, 17, 2)), {"skeleton": "halpe_26"}, r"\(N, 26, 2\)"),
        (np.zeros((2, 17, 2)), {"skeleton": "coco"}, "unknown skeleton 'coco'; known are h36m_17"),
        (np.full((2, 17, 2), np.inf), {}, "infinite values; a missing joint is NaN"),
        ("abc", {}, "must be an array of numbers"),
        ([[1, 2], [3]], {}, "must be an array of numbers"),
        (np.zeros((2, 17, 2)), {"scores": np.ones((2, 16))}, r"scores must be \(2, 1, 17\)"),
        (np.zeros((2, 17, 2)), {"scores": -np.ones((2, 17))}, "finite and not negative"),
        (np.zeros((2, 17, 2)), {"scores": np.full((2, 17), np.inf)}, "finite and not negative"),
        (np.zeros((2, 17, 2)), {"scores": "high"}, "scores must be an array of numbers"),
        (np.zeros((2, 17, 2)), {"image_size": (0, 480)}, "image_size must be"),
        (np.zeros((2, 17, 2)), {"image_size": 640}, "image_size must be"),
        (np.zeros((2, 17, 2)), {"camera": [CAMERA] * 3}, r"one per frame \(2\) needed, got 3"),
        (np.zeros((0, 17, 2)), {"camera": []}, "got 0"),
        (
            np.zeros((2, 17, 2)),
            {"camera": CAMERA.resized((1280, 960))},
            r"for images of \(1280, 960\), but image_size is \(640, 480\)",
        ),
    ],
)
def test_wrong_input(lifter: Lifter, xy: Any, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        lifter.lift(xy, **{"image_size": SIZE, **options})
    assert "\n" not in str(caught.value)


def test_one_lifter_in_several_threads(lifter: Lifter, people: Array) -> None:
    wanted = lifter.lift(people, image_size=SIZE).joints
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda _: lifter.lift(people, image_size=SIZE).joints, range(8))
        for answer in answers:
            np.testing.assert_array_equal(answer, wanted)


def test_lens_distortion_is_removed(lifter: Lifter, standing: Array) -> None:
    bent = replace(CAMERA, distortion=(-0.2, 0.05, 0.001, 0.001, 0.0))
    person = standing + np.array([1, 0, 4])
    straight = lifter.lift(CAMERA.project(person)[None], image_size=SIZE, camera=CAMERA)
    undone = lifter.lift(bent.project(person)[None], image_size=SIZE, camera=bent)
    np.testing.assert_allclose(undone.joints, straight.joints, atol=1e-4)
