"""People of whom the detections are known: 169 pixels high, about 100 a metre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.motion.identities import REMEMBER_SECONDS, Identities, Prediction
from ampose.motion.prediction import Course
from ampose.poses import Pose2D
from tests.detection.conftest import standing

FRAME = 0.04
WALK = 140.0
"""Pixels a second."""


def ids(poses: Sequence[Pose2D]) -> list[int | None]:
    return [pose.id for pose in poses]


def places(poses: Sequence[Pose2D]) -> dict[int | None, float]:
    return {pose.id: float(pose.keypoints[0, 0]) for pose in poses}


def test_ids_count_up_from_0_the_most_prominent_first():
    identities = Identities()
    small, large = standing(100, 100, size=0.5), standing(500, 100)
    assert places(identities.update([small, large], 0)) == {0: 500, 1: 100}
    newcomer = standing(900, 100, size=2)
    assert ids(identities.update([newcomer, small, large], FRAME)) == [0, 1, 2]


def test_nobody():
    identities = Identities()
    assert identities.update([], 0) == []
    assert identities.expected(1) == []
    assert identities.missing == 0


def test_poses_are_given_back_as_they_came_but_for_the_id():
    pose = standing(100, 100)
    (found,) = Identities().update([pose], 0)
    assert found.keypoints is pose.keypoints
    assert found.box is pose.box
    assert pose.id is None


@pytest.mark.parametrize("hidden", [0, 5, 10, 30])
@pytest.mark.parametrize("order", [1, -1])
def test_people_who_cross_keep_their_ids(hidden: int, order: int):
    """The one at the back is not found for so many frames in the middle."""
    identities = Identities()
    frames = 100
    for frame in range(frames):
        off = WALK * FRAME * (frame - frames / 2)
        poses = [standing(500 + off, 100, size=1.1)]
        if not abs(frame - frames / 2) < hidden / 2:
            poses.append(standing(500 - off, 105))
        found = identities.update(poses[::order], frame * FRAME)
        assert places(found)[0] == pytest.approx(500 + off)
        assert len(found) == len(poses)
    assert places(found)[1] == pytest.approx(500 - off)


def test_a_crop_that_collapses_on_the_nearer_person_is_that_person():
    """Both crops give the nearer one's pose: the other one is missing, and goes on unseen."""
    identities = Identities()
    for frame in range(50):
        off = WALK * FRAME * (frame - 25)
        front, back = standing(500 + off, 100, size=1.1), standing(500 - off, 105)
        lost = 20 <= frame < 30
        found = identities.update([front] if lost else [back, front], frame * FRAME)
        assert places(found)[0] == pytest.approx(500 + off)
        assert identities.missing == lost
    assert ids(found) == [0, 1]


def test_a_pose_given_twice_is_one_person():
    identities = Identities()
    twice = [standing(100, 100), standing(104, 100)]
    assert ids(identities.update(twice, 0)) == [0]
    assert ids(identities.update(twice, FRAME)) == [0]


def test_somebody_hidden_who_stops_is_known_again():
    identities = Identities()
    for frame in range(25):
        identities.update([standing(100 + WALK * FRAME * frame, 100)], frame * FRAME)
    assert ids(identities.update([], 25 * FRAME)) == []
    last = 100 + WALK * FRAME * 24
    assert ids(identities.update([standing(last, 100)], 24 * FRAME + 0.8)) == [0]


@pytest.mark.parametrize(
    ("seconds", "place", "expected"),
    [
        (REMEMBER_SECONDS - FRAME, 130, 0),
        (REMEMBER_SECONDS + FRAME, 100, 1),  # too late
        (0.5, 700, 1),  # too far
    ],
)
def test_who_comes_back(seconds: float, place: float, expected: int):
    identities = Identities()
    identities.update([standing(100, 100)], 0)
    for time in np.arange(FRAME, seconds, FRAME):
        assert identities.update([], float(time)) == []
    assert ids(identities.update([standing(place, 100)], seconds)) == [expected]


def test_the_time_of_remembering_is_an_argument():
    identities = Identities(remember=10)
    identities.update([standing(100, 100)], 0)
    identities.update([], 1)
    assert identities.missing == 1
    assert ids(identities.update([standing(100, 100)], 9)) == [0]
    with pytest.raises(InputError, match="0 seconds or more, got -1"):
        Identities(remember=-1)
    with pytest.raises(InputError, match="got nan"):
        Identities(remember=float("nan"))


def test_a_gap_between_frames_is_nobodys_absence():
    """One frame a minute: nobody looked in between."""
    identities = Identities()
    for minute in range(5):
        assert ids(identities.update([standing(100 + minute, 100)], 60.0 * minute)) == [0]


def test_very_uneven_times(rng: np.random.Generator):
    identities = Identities()
    time = 0.0
    for step in rng.choice([0, 0.001, 0.04, 0.2], 200):
        time += step
        poses = [standing(100 + 70 * time, 100), standing(2000 - 70 * time, 100)]
        assert places(identities.update(poses, time)) == pytest.approx(
            {0: 100 + 70 * time, 1: 2000 - 70 * time}, abs=0.01
        )


@pytest.mark.parametrize("rate", [5, 25, 240])
def test_frame_rates(rate: int):
    identities = Identities()
    for frame in range(2 * rate):
        off = WALK * (frame / rate - 1)
        poses = [standing(500 + off, 100, size=1.1), standing(500 - off, 105)]
        found = identities.update(poses, frame / rate)
        assert places(found) == pytest.approx({0: 500 + off, 1: 500 - off}, abs=0.01)


def test_a_cut_makes_newcomers():
    identities = Identities()
    for frame in range(10):
        identities.update([standing(100, 100), standing(300, 100)], frame * FRAME)
    after = [standing(700, 300, size=2), standing(200, 100, size=0.2)]
    assert ids(identities.update(after, 10 * FRAME)) == [2, 3]


def test_missed_and_few_joints_do_not_matter(rng: np.random.Generator):
    identities = Identities()
    for frame in range(100):
        off = WALK * FRAME * frame
        if frame % 7 == 3:
            identities.update([], frame * FRAME)
            continue
        pose = standing(100 + off, 100)
        points = pose.keypoints + rng.normal(0, 2, (17, 2)).astype(np.float32)
        points[rng.permutation(17)[:9]] = np.nan
        found = identities.update([replace(pose, keypoints=points)], frame * FRAME)
        assert ids(found) == [0]


def test_people_are_expected_where_they_are_going():
    identities = Identities()
    for frame in range(25):
        identities.update([standing(100 + WALK * FRAME * frame, 100)], frame * FRAME)
    (expected,) = identities.expected(24 * FRAME + 0.1)
    assert expected.id == 0
    ahead = expected.keypoints[0, 0] - (100 + WALK * FRAME * 24)
    assert ahead == pytest.approx(0.1 * WALK, rel=0.1)
    assert expected.box[0] - expected.keypoints[:, 0].min() == pytest.approx(0, abs=0.01)
    identities.update([], 25 * FRAME)
    assert identities.expected(26 * FRAME) == []  # only who was there in the last frame


def test_nobody_gets_the_id_of_somebody_else():
    """Somebody has long been forgotten when two newcomers come."""
    identities = Identities()
    identities.update([standing(100, 100), standing(500, 100)], 0)
    there = [standing(500, 100)]
    for frame in range(1, 100):
        identities.update(there, frame * FRAME)
    for place in (900, 1300):
        there.append(standing(place, 100))
        found = identities.update(there, (place + 100) / 10 * FRAME)
    assert sorted(ids(found)) == [1, 2, 3]


def test_halves_of_a_body_are_one_person():
    """Not a joint is seen twice in a row; the boxes are the same."""
    identities = Identities()
    for frame in range(6):
        pose = standing(100, 100)
        points = pose.keypoints.copy()
        points[frame % 2 :: 2] = np.nan
        assert ids(identities.update([replace(pose, keypoints=points)], frame * FRAME)) == [0]


@pytest.mark.parametrize("alike", ["joints", "boxes"])
def test_who_looks_like_somebody_present_is_no_newcomer(alike: str):
    """A few of the same joints in a small box; or the box of somebody in another pose."""
    pose = standing(100, 100)
    points, box = pose.keypoints.copy(), pose.box
    if alike == "joints":
        points[6:] = np.nan
        box = np.concatenate([points[:6].min(0), points[:6].max(0)])
    else:
        points = points[::-1].copy()
    second = replace(pose, keypoints=points, box=box, scores=0.5 * pose.scores)
    assert ids(Identities().update([pose, second], 0)) == [0]


def test_memory_is_bounded():
    identities = Identities()
    for frame in range(150):
        identities.update([standing(1000.0 * frame, 100)], frame * FRAME)
    assert identities.missing <= REMEMBER_SECONDS / FRAME + 1


@pytest.mark.parametrize(("jump", "size", "expected"), [(90, 1, 0), (200, 1, 1), (110, 1.6, 1)])
def test_a_jump_of_less_than_a_body_between_two_frames(jump: float, size: float, expected: int):
    """A detector that lost a fast person for a frame finds them again; a cut shows another one."""
    identities = Identities()
    for frame in range(5):
        identities.update([standing(100, 100)], frame * FRAME)
    assert ids(identities.update([standing(100 + jump, 100, size=size)], 5 * FRAME)) == [expected]


def test_who_walked_out_of_the_picture_comes_back_where_they_left_it():
    identities = Identities()
    for frame in range(25):
        identities.update([standing(100 + 300 * FRAME * frame, 100)], frame * FRAME)
    edge = 100 + 300 * FRAME * 24
    for frame in range(25, 45):
        assert identities.update([], frame * FRAME) == []
    assert ids(identities.update([standing(edge, 100)], 45 * FRAME)) == [0]


def test_a_pose_to_which_the_nearer_would_have_to_jump_is_the_one_who_was_going_there():
    """It looks more like the one who stands, but is where the hidden one should be by now."""
    identities = Identities()
    for frame in range(28):
        walker = standing(500 + WALK * FRAME * (frame - 25), 105)
        stays = standing(500, 100, size=1.1)
        identities.update([stays] if frame > 25 else [stays, walker], frame * FRAME)
    found = identities.update([standing(500 + WALK * FRAME * 3, 102, size=1.1)], 28 * FRAME)
    assert ids(found) == [1]


def test_a_jump_is_worth_little_where_the_prediction_is_sure():
    pose = standing(500, 100)

    def predicted(spread: float) -> Prediction:
        return Prediction(pose, pose, Course.starting(np.zeros(2), spread, 100))

    def share(prediction: Prediction, moved: float) -> float:
        found = standing(500 + moved, 100)
        return prediction.worth(found) / prediction.similarity(found)

    assert share(predicted(1), 0) == pytest.approx(1, abs=0.01)
    assert share(predicted(1), 20) < 0.25
    assert share(predicted(20), 20) > 2 * share(predicted(1), 20)
    assert share(predicted(20), 0) < 0.7
