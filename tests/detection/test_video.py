from __future__ import annotations

import numpy as np
import pytest

from ampose.detection.detector import PoseDetector
from ampose.detection.video import REMEMBER, SEARCH_EVERY, VideoDetector
from ampose.poses import Pose2D
from ampose.skeletons import COCO_17, Skeleton

from .conftest import standing

IMAGE = np.zeros((4, 4, 3), np.uint8)


class Scene:
    """A detector that is told where people stand; the finder can be made blind to some."""

    skeleton: Skeleton = COCO_17
    provenance: dict[str, str] = {}  # noqa: RUF012 - the protocol has a plain attribute

    def __init__(self) -> None:
        self.people: list[tuple[float, float]] = []
        self.unfollowable: set[tuple[float, float]] = set()
        self.searches = 0

    def detect(self, image: np.ndarray) -> list[Pose2D]:
        self.searches += 1
        return [standing(x, y) for x, y in self.people]

    def follow(self, image: np.ndarray, previous: Pose2D) -> Pose2D | None:
        place = previous.keypoints[0]
        near = [p for p in self.people if np.hypot(*(place - p)) < 50]
        if not near or near[0] in self.unfollowable:
            return None
        return standing(*min(near, key=lambda p: np.hypot(*(place - p))))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def _ids(video: VideoDetector) -> list[int | None]:
    return [pose.id for pose in video.detect(IMAGE)]


def test_the_scene_is_a_detector(scene: Scene):
    detector: PoseDetector = scene
    assert detector.skeleton == COCO_17


def test_walking_people_keep_their_ids_and_are_searched_rarely(scene: Scene):
    video = VideoDetector(scene, find_every=30)
    for frame in range(100):
        scene.people = [(100 + 3 * frame, 100), (900 - 3 * frame, 400)]
        poses = video.detect(IMAGE)
        assert [pose.id for pose in poses] == [0, 1]
        assert [tuple(pose.keypoints[0]) for pose in poses] == scene.people
    assert scene.searches == 4  # frames 0, 30, 60, 90


def test_a_newcomer_gets_the_next_id_at_the_next_search(scene: Scene):
    video = VideoDetector(scene, find_every=10)
    scene.people = [(100, 100)]
    assert _ids(video) == [0]
    scene.people.append((600, 100))
    assert [_ids(video) for _ in range(9)] == [[0]] * 9
    assert _ids(video) == [0, 1]


def test_nobody_is_searched_for_every_few_frames_only(scene: Scene):
    video = VideoDetector(scene, find_every=30)
    assert [_ids(video) for _ in range(20)] == [[]] * 20
    assert scene.searches == 20 / SEARCH_EVERY


def test_a_weak_track_is_searched_at_once_and_keeps_its_id(scene: Scene):
    video = VideoDetector(scene)
    scene.people = [(100, 100)]
    video.detect(IMAGE)
    scene.people = [(170, 100)]  # too far to follow, near enough to be the same
    assert _ids(video) == [0]
    assert scene.searches == 2


@pytest.mark.parametrize(
    ("away", "back_at", "expected"),
    [
        (REMEMBER - SEARCH_EVERY, 120, 0),
        (REMEMBER + 2 * SEARCH_EVERY, 120, 1),  # too late
        (SEARCH_EVERY, 700, 1),  # too far
    ],
)
def test_who_comes_back(scene: Scene, away: int, back_at: int, expected: int):
    video = VideoDetector(scene)
    scene.people = [(100, 100)]
    assert _ids(video) == [0]
    scene.people = []
    assert [_ids(video) for _ in range(away)] == [[]] * away
    scene.people = [(back_at, 100)]
    assert [_ids(video) for _ in range(SEARCH_EVERY)][-1] == [expected]


def test_a_lost_person_is_sought_while_another_is_followed(scene: Scene):
    video = VideoDetector(scene, find_every=1000)
    scene.people = [(100, 100), (600, 100)]
    assert _ids(video) == [0, 1]
    scene.people = [(100, 100)]
    for _ in range(3):
        assert _ids(video) == [0]
    scene.people = [(100, 100), (640, 100)]
    assert [_ids(video) for _ in range(SEARCH_EVERY)][-1] == [0, 1]


def test_two_tracks_on_one_person_become_the_older(scene: Scene):
    video = VideoDetector(scene)
    scene.people = [(100, 100), (140, 100)]
    assert _ids(video) == [0, 1]
    scene.people = [(120, 100)]  # both follow to the same place
    assert _ids(video) == [0]
    assert _ids(video) == [0]


def test_a_find_that_overlaps_a_followed_person_is_that_person(scene: Scene):
    video = VideoDetector(scene, find_every=1)
    scene.people = [(100, 100)]
    assert _ids(video) == [0]
    scene.people = [(100, 100), (106, 100)]
    assert _ids(video) == [0]


def test_find_every_must_be_positive(scene: Scene):
    with pytest.raises(ValueError, match="1 frame or more"):
        VideoDetector(scene, find_every=0)
