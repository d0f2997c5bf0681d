"""The cover of a source's frames; `tests.test_blurred_outputs` looks at what a run leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ampose.detection import load_detector
from ampose.motion.following import VideoDetector
from ampose.poses import Pose2D
from ampose.render.privacy import FaceCover, tiles, warnings
from ampose.skeletons import COCO_17, Skeleton
from tests.cli.clips import nobody, person
from tests.render.test_heads import pose


class Looking:
    """A detector that says who is in a picture by what it is told of that picture's size."""

    skeleton: Skeleton = COCO_17
    provenance: dict[str, str] = {}  # noqa: RUF012 - as the protocol has it

    def __init__(self, look: Callable[[np.ndarray], list[Pose2D]]) -> None:
        self.detect = look

    def follow(self, image: np.ndarray, previous: Pose2D) -> Pose2D | None:
        return previous


def picture(size: tuple[int, int] = (640, 480)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)


def is_covered(image: np.ndarray, x: int, y: int) -> bool:
    """Whether noise has become a few cells."""
    return len(np.unique(image[y - 6 : y + 6, x - 6 : x + 6].reshape(-1, 3), axis=0)) < 12


def no_one(_: np.ndarray) -> list[Pose2D]:
    return []


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (99, 99), (1920, 300), (1, 1), (5, 900)])
def test_tiles_leave_nothing_out(size: tuple[int, int]) -> None:
    seen = np.zeros(size[::-1], bool)
    found = tiles(np.zeros((*size[::-1], 3), np.uint8))
    for left, top, right, bottom in found:
        assert right - left == bottom - top
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        seen[top:bottom, left:right] = True
    assert seen.all()
    assert len(found) == len(set(found))


@pytest.mark.parametrize("moving", [False, True])
def test_only_tiles_show_the_onlooker(moving: bool) -> None:
    image = picture()

    def look(part: np.ndarray) -> list[Pose2D]:
        here = part.shape != image.shape and (part[82, 300] == image[82, 300]).all()
        return [pose()] if here else []

    cover = FaceCover(Looking(look), moving=moving)
    shown = [cover.cover(image, [], frame / 25) for frame in range(12 if moving else 1)]
    assert is_covered(shown[-1], 300, 84)
    again = FaceCover(Looking(look), moving=moving)
    for frame in range(12):
        again.note(image, [], frame / 25)
    if moving:  # with hindsight from the first frame on
        heads = again.heads()
        assert len(heads) == 12
        assert all(len(circles) for circles in heads)


def test_parts_of_somebody_are_no_people_but_heads_always_count() -> None:
    whole = pose()
    legs = pose(0, "nose", "eye", "ear", "shoulder", "elbow", "wrist")
    for part, count in ((legs, 1), (pose(-20), 2)):
        cover = FaceCover(Looking(lambda _, part=part: [part]), moving=False)
        assert len(cover._everybody(np.zeros((1, 1, 3), np.uint8), [whole], 0.0)) == count


def test_who_is_hidden_by_somebody_is_covered_though_they_are_nobody_in_the_recording() -> None:
    """Boxes that overlap so much pass for one person seen twice."""
    video = VideoDetector(Looking(lambda _: [pose(identity=None), pose(30, identity=None)]))
    people = video.detect(picture(), 0.0)
    assert len(people) == 1
    assert len(video.found) == 2
    cover = FaceCover(Looking(no_one), moving=True)
    out = cover.cover(picture(), video.found, 0.0)
    assert is_covered(out, 300, 84)
    assert is_covered(out, 330, 84)


def test_a_recording_remembers_and_photos_do_not() -> None:
    for moving in (True, False):
        cover = FaceCover(Looking(no_one), moving=moving)
        cover.cover(picture(), [pose(identity=None)], 0.0)
        lost = cover.cover(picture(), [], 0.04)
        assert is_covered(lost, 300, 84) == moving


def test_nobody_and_nothing() -> None:
    cover = FaceCover(Looking(no_one), moving=True)
    np.testing.assert_array_equal(cover.cover(picture(), [], 0.0), picture())
    assert FaceCover(Looking(no_one), moving=True).heads() == []


def test_a_small_onlooker_by_the_real_detector() -> None:
    """A person of a fifth of the picture's height, whom the search of the whole misses."""
    detector = load_detector(threads=1)
    image = nobody((1000, 1600))
    small = person()[0][::1, ::1]  # 480 high, the person 300 of them
    image[700 : 700 + small.shape[0], 30 : 30 + small.shape[1]] = small
    assert detector.detect(image) == []
    out = FaceCover(detector, moving=False).cover(image, [], 0.0)
    assert (out != image).any()
    changed = np.argwhere((out != image).any(-1))
    assert (changed.min(0) >= (700, 30)).all()
    assert (changed.max(0) < (700 + 240, 30 + 272)).all()


def test_warnings() -> None:
    (told,) = warnings()
    assert "whom the detector missed is not blurred" in told
    assert "--min-score 0.5 hides people" in warnings(0.5)[1]
