from __future__ import annotations

import hashlib
import math
import re
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from onnx import TensorProto

import ampose.detection
from ampose.detection import MIN_SCORE, PoseDetector, load_detector
from ampose.detection.detector import TopDownDetector, person_crop
from ampose.errors import InputError
from ampose.flow import Stages
from ampose.poses import Pose2D
from ampose.skeletons import COCO_17, SKELETONS, Skeleton

from .conftest import MakeModel, standing

PACKAGE = Path(ampose.detection.__file__).parents[1]
DEMO = PACKAGE / "data" / "demo.mp4"
SHA256 = {
    "movenet_multipose_lightning.onnx": (
        "3592a6837a81e92ca7612acd0ec02aefb5e2e84842725de0f2c5c6532873909a"
    ),
    "movenet_thunder.onnx": "ab85aad41e2209309883b2b5a3eb4a5146823b1562815dab47bfc076328f49e3",
}


@pytest.fixture(scope="module")
def detector() -> PoseDetector:
    return load_detector(threads=1)


@pytest.mark.parametrize("name", SHA256)
def test_weights_are_the_published_ones(name: str):
    weights = PACKAGE / "detection" / "weights"
    assert hashlib.sha256((weights / name).read_bytes()).hexdigest() == SHA256[name]
    assert f"{SHA256[name]}  {name}" in (weights / "NOTICE.md").read_text()


def test_provenance_names_the_weights(detector: PoseDetector):
    assert detector.skeleton == COCO_17
    assert detector.provenance == {
        "finder": "movenet_multipose_lightning.onnx",
        "finder_sha256": SHA256["movenet_multipose_lightning.onnx"],
        "refiner": "movenet_thunder.onnx",
        "refiner_sha256": SHA256["movenet_thunder.onnx"],
    }


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000), (2, 3), (640, 480), (1500, 100)])
def test_nobody_in_an_empty_picture(detector: PoseDetector, size: tuple[int, int]):
    assert detector.detect(np.full((size[1], size[0], 3), 90, np.uint8)) == []


def test_following_into_an_empty_picture_ends(detector: PoseDetector):
    assert detector.follow(np.full((480, 640, 3), 90, np.uint8), standing(300, 100)) is None


@pytest.mark.skipif(not DEMO.exists(), reason="the demo clip is not there yet")
def test_one_plausible_person_in_the_demo_clip(detector: PoseDetector):
    with av.open(str(DEMO)) as clip:
        image = next(clip.decode(video=0)).to_ndarray(format="rgb24")
    people = detector.detect(image)
    assert len(people) == 1
    (person,) = people
    assert person.seen.sum() >= 14
    place = dict(zip(COCO_17.joints, person.keypoints, strict=True))
    for side in ("left", "right"):
        heights = [place[f"{side}_{joint}"][1] for joint in ("shoulder", "hip", "knee", "ankle")]
        assert heights == sorted(heights)
        assert place["nose"][1] < place[f"{side}_hip"][1]
    again = detector.follow(image, person)
    assert again is not None
    height = person.box[3] - person.box[1]
    assert np.nanmedian(abs(again.keypoints - person.keypoints)) < 0.02 * height


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(detector: PoseDetector, image: np.ndarray):
    with pytest.raises(ValueError, match="uint8 RGB"):
        detector.detect(image)
    with pytest.raises(ValueError, match="uint8 RGB"):
        detector.follow(image, standing(0, 0))


def test_a_model_of_the_users_is_loaded_with_its_name_and_hash(make_model: MakeModel):
    answer = np.zeros((1, 1, 33, 3), np.float32)
    path = make_model(TensorProto.INT32, [1, 64, 64, 3], {"out": answer})
    detector = load_detector(path, skeleton="blazepose_33")
    assert detector.skeleton is SKELETONS["blazepose_33"]
    assert detector.provenance["refiner"] == "model.onnx"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert detector.provenance["refiner_sha256"] == digest
    assert detector.detect(np.zeros((64, 64, 3), np.uint8)) == []


def test_options_that_cannot_be():
    with pytest.raises(InputError, match="gives coco_17, not body_25"):
        load_detector(skeleton="body_25")
    with pytest.raises(InputError, match=re.escape("min_score must be 0 to 1, got 1.5")):
        load_detector(min_score=1.5)
    assert load_detector(skeleton="COCO-17", threads=1).skeleton == COCO_17


def test_crop_of_an_upright_person_goes_around_box_and_joints():
    pose = standing(100, 50)  # joints span 70 to 130 by 46 to 215
    crop = person_crop(replace(pose, box=np.float32([80, 20, 120, 220])), aspect=1, scale=1.2)
    assert crop.angle == 0
    assert crop.centre == pytest.approx((100, 120))
    assert crop.size == pytest.approx((240, 240))


@pytest.mark.parametrize("degrees", [-170, -90, -60, 60, 90, 170])
def test_crop_of_a_leaning_person_is_turned_upright(degrees: float):
    upright = person_crop(_only_joints(standing(0, 0)), aspect=0.75, scale=1.25)
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    pose = standing(0, 0)
    crop = person_crop(
        _only_joints(replace(pose, keypoints=(pose.keypoints @ turn).astype(np.float32))),
        aspect=0.75,
        scale=1.25,
    )
    assert crop.angle == pytest.approx(angle, abs=1e-5)
    assert crop.size == pytest.approx(upright.size, rel=1e-4)
    assert crop.centre == pytest.approx(np.array(upright.centre) @ turn, abs=1e-2)


@pytest.mark.parametrize("name", SKELETONS)
def test_every_joint_set_has_what_a_crop_needs(name: str):
    skeleton = SKELETONS[name]
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (len(skeleton), 2)).astype(np.float32)
    box = np.concatenate([points.min(0), points.max(0)])
    pose = Pose2D(points, np.ones(len(skeleton), np.float32), box, skeleton)
    assert person_crop(pose, aspect=1, scale=1.2).size[0] > 0


class FixedFinder:
    """Finds the same people in every picture."""

    def __init__(self, *people: Pose2D) -> None:
        self.people = list(people)

    def find(self, image: np.ndarray) -> list[Pose2D]:
        return self.people


class FixedRefiner:
    """Says the same about every crop."""

    skeleton: Skeleton = COCO_17
    size = (64, 64)
    scale = 1.0

    def __init__(self, keypoints: np.ndarray, scores: np.ndarray) -> None:
        self.answer = keypoints, scores

    def refine(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert crop.shape == (64, 64, 3)
        return self.answer


def _detector(finder: FixedFinder, refiner: FixedRefiner) -> TopDownDetector:
    return TopDownDetector(finder, refiner, {}, MIN_SCORE)  # type: ignore[arg-type]


PICTURE = np.zeros((400, 600, 3), np.uint8)
# standing(x, y) spans x-30 to x+30 by y-4 to y+165: a square crop of 169.


def test_keypoints_come_back_to_image_pixels_and_weak_ones_are_missing():
    scores = np.full(17, 0.8, np.float32)
    scores[3] = MIN_SCORE - 0.01
    refiner = FixedRefiner(np.full((17, 2), [0.25, 0.5]), scores)
    (pose,) = _detector(FixedFinder(standing(300, 100)), refiner).detect(PICTURE)
    expected = [300 - 169 / 4, 100 - 4 + 169 / 2]
    np.testing.assert_allclose(pose.keypoints[pose.seen], [expected] * 16, rtol=1e-5)
    assert np.isnan(pose.keypoints[3]).all()
    assert pose.scores[3] == 0
    np.testing.assert_allclose(pose.box, expected * 2, rtol=1e-5)


def test_joints_outside_the_image_are_missing():
    keypoints = np.full((17, 2), 0.5)
    keypoints[:4, 1] = [-0.05, -0.06, -0.07, -0.08]  # y = -4.45, -6.14, -7.83, -9.52
    picture = np.zeros((300, 300, 3), np.uint8)  # margin 0.02 x 300 = 6
    refiner = FixedRefiner(keypoints, np.ones(17, np.float32))
    (pose,) = _detector(FixedFinder(standing(150, 8)), refiner).detect(picture)
    assert pose.seen[:4].tolist() == [True, False, False, False]


def test_people_with_few_joints_are_dropped():
    scores = np.zeros(17, np.float32)
    scores[:5] = 0.9
    refiner = FixedRefiner(np.full((17, 2), 0.5), scores)
    detector = _detector(FixedFinder(standing(300, 100)), refiner)
    assert detector.detect(PICTURE) == []
    assert detector.follow(PICTURE, standing(300, 100)) is None
    scores[5] = 0.9
    assert len(detector.detect(PICTURE)) == 1


def test_following_ends_where_the_scores_are_low():
    refiner = FixedRefiner(np.full((17, 2), 0.5), np.full(17, 0.29, np.float32))
    detector = _detector(FixedFinder(), refiner)
    assert detector.follow(PICTURE, standing(300, 100)) is None
    scores = np.full(17, 0.31, np.float32)
    refiner.answer = refiner.answer[0], scores
    assert detector.follow(PICTURE, standing(300, 100)) is not None
    scores[8:] = 0.1  # joints that are not seen do not count
    assert detector.follow(PICTURE, standing(300, 100)) is not None


def test_the_most_prominent_comes_first_and_nobody_twice():
    small, large = standing(100, 100), standing(400, 50, size=1.5)
    rough = small.keypoints - [100, 100 - 4 + 169 / 2]
    refiner = FixedRefiner(rough / 169 + 0.5, np.ones(17, np.float32))
    people = _detector(FixedFinder(small, large, small), refiner).detect(PICTURE)
    assert len(people) == 2
    np.testing.assert_allclose(people[0].keypoints, large.keypoints, atol=1e-3)
    np.testing.assert_allclose(people[1].keypoints, small.keypoints, atol=1e-3)


def _only_joints(pose: Pose2D) -> Pose2D:
    points = pose.keypoints
    return replace(pose, box=np.concatenate([points.min(0), points.max(0)]))


def test_finding_and_refining_are_stages_of_their_own():
    at = Stages()
    refiner = FixedRefiner(np.full((17, 2), 0.5), np.ones(17, np.float32))
    people = standing(100, 100), standing(400, 50)
    detector = TopDownDetector(FixedFinder(*people), refiner, {}, MIN_SCORE, at)  # type: ignore[arg-type]
    detector.detect(PICTURE)
    detector.follow(PICTURE, people[0])
    assert {time.stage: time.calls for time in at.times()} == {"find": 1, "refine": 3}
