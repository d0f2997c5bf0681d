from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ampose.detection.detector import PoseDetector
from ampose.motion.following import SEARCH_EVERY, VideoDetector
from ampose.motion.identities import REMEMBER_SECONDS
from ampose.poses import Pose2D
from ampose.skeletons import COCO_17, Skeleton
from tests.detection.conftest import standing

IMAGE = np.zeros((4, 4, 3), np.uint8)
FPS = 15
REMEMBER = round(REMEMBER_SECONDS * FPS)
"""Frames."""


class Scene:
    """A detector that is told where people stand; the finder can be made blind to some."""

    skeleton: Skeleton = COCO_17
    provenance: dict[str, str] = {}  # noqa: RUF012 - the protocol has a plain attribute

    def __init__(self) -> None:
        self.people: list[tuple[float, float]] = []
        self.unfollowable: set[tuple[float, float]] = set()
        self.searches = 0
        self.follows = 0

    def detect(self, image: np.ndarray) -> list[Pose2D]:
        self.searches += 1
        return [standing(x, y) for x, y in self.people]

    def follow(self, image: np.ndarray, previous: Pose2D) -> Pose2D | None:
        self.follows += 1
        place = previous.keypoints[0]
        near = [p for p in self.people if np.hypot(*(place - p)) < 50]
        if not near or near[0] in self.unfollowable:
            return None
        return standing(*min(near, key=lambda p: np.hypot(*(place - p))))


class Timed(VideoDetector):
    """Tells the time by itself, `FPS` frames a second."""

    frames = 0

    def next(self) -> list[Pose2D]:
        self.frames += 1
        return self.detect(IMAGE, self.frames / FPS)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def _ids(video: Timed) -> list[int | None]:
    return [pose.id for pose in video.next()]


def test_the_scene_is_a_detector(scene: Scene):
    detector: PoseDetector = scene
    assert detector.skeleton == COCO_17


def test_walking_people_keep_their_ids_and_are_searched_rarely(scene: Scene):
    video = Timed(scene, find_every=30)
    for frame in range(100):
        scene.people = [(100 + 3 * frame, 100), (900 - 3 * frame, 400)]
        poses = video.next()
        assert [pose.id for pose in poses] == [0, 1]
        assert [tuple(pose.keypoints[0]) for pose in poses] == scene.people
    assert scene.searches == 4  # frames 0, 30, 60, 90


def test_a_newcomer_gets_the_next_id_at_the_next_search(scene: Scene):
    video = Timed(scene, find_every=10)
    scene.people = [(100, 100)]
    assert _ids(video) == [0]
    scene.people.append((600, 100))
    assert [_ids(video) for _ in range(9)] == [[0]] * 9
    assert _ids(video) == [0, 1]


def test_nobody_is_searched_for_every_few_frames_only(scene: Scene):
    video = Timed(scene, find_every=30)
    assert [_ids(video) for _ in range(20)] == [[]] * 20
    assert scene.searches == 20 / SEARCH_EVERY


def test_a_weak_track_is_searched_at_once_and_keeps_its_id(scene: Scene):
    video = Timed(scene)
    scene.people = [(100, 100)]
    video.next()
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
    video = Timed(scene)
    scene.people = [(100, 100)]
    assert _ids(video) == [0]
    scene.people = []
    assert [_ids(video) for _ in range(away)] == [[]] * away
    scene.people = [(back_at, 100)]
    assert [_ids(video) for _ in range(SEARCH_EVERY)][-1] == [expected]


def test_a_lost_person_is_sought_while_another_is_followed(scene: Scene):
    video = Timed(scene, find_every=1000)
    scene.people = [(100, 100), (600, 100)]
    assert _ids(video) == [0, 1]
    scene.people = [(100, 100)]
    for _ in range(3):
        assert _ids(video) == [0]
    scene.people = [(100, 100), (640, 100)]
    assert [_ids(video) for _ in range(SEARCH_EVERY)][-1] == [0, 1]


def test_two_tracks_on_one_person_become_the_nearer(scene: Scene):
    video = Timed(scene)
    scene.people = [(100, 100), (140, 100)]
    assert _ids(video) == [0, 1]
    scene.people = [(115, 100)]  # both follow to the same place
    assert _ids(video) == [0]
    assert _ids(video) == [0]


def test_a_find_that_overlaps_a_followed_person_is_that_person(scene: Scene):
    video = Timed(scene, find_every=1)
    scene.people = [(100, 100)]
    assert _ids(video) == [0]
    scene.people = [(100, 100), (106, 100)]
    assert _ids(video) == [0]


def test_find_every_must_be_positive(scene: Scene):
    with pytest.raises(ValueError, match="1 frame or more"):
        VideoDetector(scene, find_every=0)


def test_crossing_people_never_share_one(scene: Scene):
    """While one is hidden both crops show the other; each keeps the identity."""
    video = Timed(scene)
    for frame in range(60):
        off = 6 * (frame - 30)
        front, back = (500 + off, 100), (500 - off, 104)
        hidden = abs(off) < 25
        scene.people = [front] if hidden else [front, back]
        by_id = {pose.id: tuple(pose.keypoints[0]) for pose in video.next()}
        assert by_id[0] == front
        assert len(by_id) == len({*by_id.values()})
        if frame > 45:
            assert by_id == {0: front, 1: back}


def test_a_crop_that_slides_to_somebody_unknown_is_checked_by_a_search(scene: Scene):
    """The one known stands; somebody unknown comes by in front, and the crop shows that one."""
    video = Timed(scene, find_every=1000)
    scene.people = [(500, 100)]
    for _ in range(10):
        assert _ids(video) == [0]
    slid = standing(530, 112)

    def follow(image: np.ndarray, previous: Pose2D) -> Pose2D:
        return slid

    scene.follow = follow  # type: ignore[method-assign]
    scene.people = [(500, 100), (530, 112)]
    by_id = {pose.id: tuple(pose.keypoints[0]) for pose in video.next()}
    assert by_id == {0: (500, 100), 1: (530, 112)}
    assert scene.searches == 2


def test_a_doubtful_pose_counts_where_the_search_finds_nobody(scene: Scene):
    video = Timed(scene, find_every=1000)
    scene.people = [(500, 100)]
    for _ in range(10):
        assert _ids(video) == [0]
    scene.detect = lambda image: []  # type: ignore[method-assign, assignment]
    scene.people = [(530, 100)]
    assert _ids(video) == [0]


def test_each_person_is_followed_once_in_a_frame(scene: Scene):
    video = Timed(scene)
    scene.people = [(100, 100), (600, 100)]
    for _ in range(11):
        video.next()
    assert scene.follows == 20
    assert scene.searches == 1


def test_two_crops_that_slowly_come_to_show_one_person_are_one(scene: Scene):
    """Neither crop gives anything unexpected on the way."""
    video = Timed(scene)
    for off in np.arange(-60, -8, 1.0):
        scene.people = [(500 + off, 100), (500 - off, 100)]
        assert _ids(video) == [0, 1]
    scene.people = [(500, 100)]
    (one,) = _ids(video)
    assert [_ids(video) for _ in range(3)] == [[one]] * 3


def test_people_can_be_looked_at_at_once(scene: Scene) -> None:
    """Each on a thread of their own, and still everybody is who they were."""
    scene.people = [(100, 100), (300, 100), (500, 100)]
    together = threading.Barrier(len(scene.people))

    class Waiting(Scene):
        def follow(self, image: np.ndarray, previous: Pose2D) -> Pose2D | None:
            together.wait(30)  # breaks unless all are here at once
            return super().follow(image, previous)

    at_once = Waiting()
    at_once.people = scene.people
    with ThreadPoolExecutor(3) as pool:
        one_by_one, video = Timed(scene), Timed(at_once, each=pool.map)
        for _ in range(5):
            assert _places(video.next()) == _places(one_by_one.next())


def _places(people: list[Pose2D]) -> list[tuple[int | None, float]]:
    return [(person.id, float(person.keypoints[0, 0])) for person in people]
