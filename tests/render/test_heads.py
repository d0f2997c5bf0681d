from __future__ import annotations

import numpy as np
import pytest

from ampose.poses import Pose2D
from ampose.render.heads import HELD_SECONDS, Heads, heads_over_time
from ampose.skeletons import COCO_17
from tests.render.upright import FACE, points, within

STEP = 1 / 25


def pose(x: float = 0, *unseen: str, identity: int | None = 0) -> Pose2D:
    keypoints = (points(*unseen) + np.array([x, 0])).astype(np.float32)
    seen = np.isfinite(keypoints).all(-1)
    box = np.concatenate([keypoints[seen].min(0), keypoints[seen].max(0)])
    return Pose2D(keypoints, np.where(seen, 0.8, 0).astype(np.float32), box, COCO_17, identity)


def face(x: float) -> list[tuple[float, float]]:
    """Corners of a face, 10 cm from its middle."""
    return [(300 + x + dx, 84 + dy) for dx, dy in ((-20, 0), (20, 0), (0, -20), (0, 20))]


def covered(circles: np.ndarray, x: float) -> bool:
    return all(any(within(circle, place) for circle in circles) for place in face(x))


def test_who_is_seen_is_covered_once() -> None:
    heads = Heads()
    for frame in range(5):
        assert len(heads.update([pose(), pose(200, identity=1)], frame * STEP)) == 2
    assert len(heads.update([], 5 * STEP)) == 4
    assert Heads().update([], 0.0).shape == (0, 3)


@pytest.mark.parametrize("speed", [0, 40, 280])  # pixels a second; 280 is walking
@pytest.mark.parametrize("lost", [1, 5, 15])
def test_a_head_that_is_lost_stays_covered(speed: float, lost: int) -> None:
    heads = Heads()
    for frame in range(25):
        heads.update([pose(speed * frame * STEP)], frame * STEP)
    for frame in range(25, 25 + lost):
        assert covered(heads.update([], frame * STEP), speed * frame * STEP)


def test_who_stops_while_lost_stays_covered() -> None:
    heads = Heads()
    for frame in range(25):
        heads.update([pose(280 * frame * STEP)], frame * STEP)
    for frame in range(25, 45):
        assert covered(heads.update([], frame * STEP), 280 * 24 * STEP)


def test_it_grows_and_is_let_go_in_the_end() -> None:
    heads = Heads()
    heads.update([pose()], 0.0)
    sizes = [heads.update([], t)[:, 2].max() for t in np.arange(STEP, HELD_SECONDS, STEP)]
    assert (np.diff(sizes) >= 0).all()
    assert sizes[-1] > 2 * sizes[0]
    assert not len(heads.update([], HELD_SECONDS + STEP))


def test_who_turns_away_is_covered_from_the_shoulders_and_where_the_face_was() -> None:
    heads = Heads()
    heads.update([pose()], 0.0)
    away = heads.update([pose(3, *FACE)], STEP)
    assert len(away) == 3
    assert covered(away, 3)
    alone = Heads().update([pose(3, *FACE)], STEP)
    assert len(alone) == 1
    assert covered(alone, 3)


def test_somebody_without_identity_is_covered_in_that_frame() -> None:
    heads = Heads()
    assert covered(heads.update([pose(identity=None)], 0.0), 0)
    assert not len(heads.update([], STEP))


def test_who_leaves_the_picture() -> None:
    heads = Heads()
    for frame in range(20):
        heads.update([pose(-400 + 280 * frame * STEP)], frame * STEP)
    out = heads.update([], 20 * STEP)
    assert covered(out, -400 + 280 * 20 * STEP)  # also outside; what is there is cut off


def test_with_the_frames_to_come_a_head_is_covered_before_it_is_found() -> None:
    times = np.arange(30) * STEP
    people = [[pose(280 * t)] if frame >= 10 else [] for frame, t in enumerate(times)]
    circles = heads_over_time(people, times)
    assert all(covered(circles[frame], 280 * times[frame]) for frame in range(5, 30))
    assert all(len(circle) == 1 for circle in circles[10:])


def test_across_a_gap_both_sides_help() -> None:
    times = np.arange(60) * STEP
    across = np.where(times < 1.2, 100 * times, 240 - 100 * times)  # turns round unseen
    people = [[] if 25 <= frame < 35 else [pose(x)] for frame, x in enumerate(across.tolist())]
    circles = heads_over_time(people, times)
    assert all(covered(circles[frame], across[frame]) for frame in range(60))
    assert heads_over_time([], np.zeros(0)) == []


def test_two_people_who_cross() -> None:
    times = np.arange(40) * STEP
    places = np.stack([100 * times, 160 - 100 * times], -1)
    people = [
        [pose(a)] if 15 <= frame < 25 else [pose(a), pose(b, identity=1)]
        for frame, (a, b) in enumerate(places.tolist())
    ]
    for circles, both in zip(heads_over_time(people, times), places.tolist(), strict=True):
        assert all(covered(circles, x) for x in both)


@pytest.mark.parametrize("aside", [-2.1, -1.9, 1.9, 2.1])
def test_a_head_is_covered_for_two_seconds_before_and_after(aside: float) -> None:
    """But not longer: somebody who is seen once does not hide the rest of a recording."""
    times, people = ([10, 10 + aside], [[pose()], []])
    if aside < 0:
        times, people = times[::-1], people[::-1]
    circles = heads_over_time(people, np.array(times))
    assert bool(len(circles[0 if aside < 0 else 1])) == (abs(aside) < 2)
