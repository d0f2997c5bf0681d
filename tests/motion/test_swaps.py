from __future__ import annotations

import itertools

import numpy as np
import pytest

from ampose.cameras import Camera
from ampose.lifting import Lifter
from ampose.lifting.lifter import LiftedPeople
from ampose.motion import swaps
from ampose.motion.swaps import Swap, lifted_misfit, undo_swaps
from ampose.skeletons import COCO_17, H36M_17, SKELETONS

# Part to height above the ground, half the distance of the sides, and swing, of a person's size.
PARTS = {
    "eye": (0.97, 0.03, 0),
    "ear": (0.95, 0.05, 0),
    "shoulder": (0.82, 0.12, 0.02),
    "elbow": (0.65, 0.15, 0.08),
    "wrist": (0.5, 0.16, 0.15),
    "hip": (0.53, 0.08, 0.02),
    "knee": (0.28, 0.09, 0.1),
    "ankle": (0.05, 0.1, 0.2),
    "pelvis": (0.55, 0, 0),
    "spine": (0.68, 0, 0),
    "thorax": (0.83, 0, 0),
    "neck_nose": (0.89, 0, 0),
    "head_top": (1, 0, 0),
}
EXCHANGED = {
    "arms": ("shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
    "forearms": ("elbow", "wrist", "pinky", "index", "thumb"),
    "legs": ("hip", "knee", "ankle", "heel", "big_toe", "small_toe"),
    "lower legs": ("knee", "ankle", "heel", "big_toe", "small_toe"),
}
SIZE, STEPS_PER_SECOND = 500, 1.0


def part(name):
    return name.removeprefix("left_").removeprefix("right_")


def walker(times, skeleton=COCO_17, *, width=1.0, seed=0):
    """(T, J, 2) pixels and (T, J) scores of somebody who swings arms and legs, sides apart."""
    rng = np.random.default_rng(seed)
    out = np.zeros((len(times), len(skeleton), 2))
    phase = 2 * np.pi * STEPS_PER_SECOND * np.asarray(times) + 0.3
    for joint, name in enumerate(skeleton.joints):
        side = {"left": 1, "right": -1, "centre": 0}[skeleton.side(joint)]
        height, half, swing = PARTS.get(part(name), (0.3, 0.1, 0.1))
        out[:, joint, 0] = side * (width * half + swing * np.sin(phase))
        out[:, joint, 1] = 1 - height
    out = (out + rng.normal(0, 0.004, out.shape)) * SIZE + (300, 100)
    return out, np.tile(np.linspace(0.5, 1, len(skeleton)), (len(times), 1))


def joints_of(kind, skeleton):
    if kind == "body":
        return np.array([skeleton.side(j) != "centre" for j in range(len(skeleton))])
    return np.array([part(name) in EXCHANGED[kind] for name in skeleton.joints])


def planted(arrays, mask, skeleton):
    mirror = list(skeleton.mirror)
    return [np.where(mask[(..., *[None] * (a.ndim - 2))], a[:, mirror], a) for a in arrays]


def stretch(frames, first, last, kind, skeleton):
    mask = np.zeros((frames, len(skeleton)), bool)
    mask[first : last + 1] = joints_of(kind, skeleton)
    return mask


def seconds(frames, fps=25.0):
    return np.arange(frames) / fps


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda s: s.name)
@pytest.mark.parametrize("kind", [*EXCHANGED, "body"])
def test_a_swap_is_undone_on_every_skeleton(skeleton, kind):
    clean = walker(seconds(60), skeleton)
    mask = stretch(60, 20, 29, kind, skeleton)
    found = undo_swaps(*planted(clean, mask, skeleton), seconds(60), skeleton)
    assert found.swaps == (Swap(kind, 20, 29),)
    assert (found.changed == mask).all()
    assert (found.keypoints == clean[0]).all()
    assert (found.scores == clean[1]).all()


@pytest.mark.parametrize("fps", [12, 25, 60, 240])
@pytest.mark.parametrize("length", [1, 2, 7, 30])
@pytest.mark.parametrize("kind", ["forearms", "legs"])
def test_short_and_long_at_any_frame_rate(fps, length, kind):
    times = seconds(100, fps)
    clean = walker(times)
    mask = stretch(100, 40, 39 + length, kind, COCO_17)
    found = undo_swaps(*planted(clean, mask, COCO_17), times, COCO_17)
    assert (found.changed == mask).all()


@pytest.mark.parametrize("first", [0, 55])
def test_at_the_ends_of_a_clip(first):
    clean = walker(seconds(60))
    mask = stretch(60, first, first + 4, "legs", COCO_17)
    found = undo_swaps(*planted(clean, mask, COCO_17), seconds(60), COCO_17)
    assert (found.changed == mask).all()


def test_before_somebody_is_seen_and_where_joints_are_not():
    """Swaps are told by the recording's frames; what is nowhere has not changed."""
    clean = walker(seconds(60))
    for joint in ("left_ankle", "right_ankle"):
        clean[0][:, COCO_17.index(joint)] = np.nan
    mask = stretch(60, 30, 34, "legs", COCO_17)
    keypoints, scores = planted(clean, mask, COCO_17)
    keypoints[:20] = np.nan
    found = undo_swaps(keypoints, scores, seconds(60), COCO_17)
    assert found.swaps == (Swap("legs", 30, 34),)
    mask[:, COCO_17.indices(("left_ankle", "right_ankle"))] = False
    np.testing.assert_array_equal(found.changed, mask)


def test_a_long_clip_is_worked_out_in_parts(monkeypatch):
    clean = walker(seconds(60))
    mask = stretch(60, 38, 45, "forearms", COCO_17)
    monkeypatch.setattr(swaps, "_CHUNK", 7)
    found = undo_swaps(*planted(clean, mask, COCO_17), seconds(60), COCO_17)
    np.testing.assert_array_equal(found.changed, mask)


def test_arms_and_legs_by_themselves():
    clean = walker(seconds(60))
    mask = stretch(60, 10, 29, "arms", COCO_17) | stretch(60, 20, 39, "lower legs", COCO_17)
    found = undo_swaps(*planted(clean, mask, COCO_17), seconds(60), COCO_17)
    assert found.swaps == (Swap("arms", 10, 29), Swap("lower legs", 20, 39))


@pytest.mark.parametrize("skeleton", [COCO_17, H36M_17])
@pytest.mark.parametrize("width", [0, 0.3, 1])
def test_true_crossings_are_left_alone(skeleton, width):
    clean = walker(seconds(100), skeleton, width=width)
    found = undo_swaps(*clean, seconds(100), skeleton)
    assert found.swaps == ()
    assert (found.keypoints == clean[0]).all()
    assert not found.changed.any()


def test_from_one_crossing_to_the_next_velocity_tells():
    # Seen from the side, sin(phase) changes sign where legs cross: nothing jumps, but they bounce.
    times = seconds(100)
    clean = walker(times, width=0)
    apart = np.sin(2 * np.pi * STEPS_PER_SECOND * times + 0.3)
    first, end = np.flatnonzero(np.diff(np.sign(apart)))[2:4] + 1
    mask = stretch(100, first, end - 1, "lower legs", COCO_17)
    found = undo_swaps(*planted(clean, mask, COCO_17), times, COCO_17)
    assert (found.changed == mask).all()


def test_a_shaking_camera_does_not_matter():
    clean = walker(seconds(60))
    mask = stretch(60, 20, 29, "body", COCO_17)
    xy, scores = planted(clean, mask, COCO_17)
    shake = np.random.default_rng(1).normal(0, SIZE / 3, (60, 1, 2))
    assert (undo_swaps(xy + shake, scores, seconds(60), COCO_17).changed == mask).all()


def test_missing_joints_missing_frames_and_uneven_times():
    rng = np.random.default_rng(2)
    times = np.cumsum(rng.uniform(0.02, 0.06, 120))
    times[60:] += 0.3
    clean = walker(times)
    clean[0][rng.random((120, 17)) < 0.1] = np.nan
    clean[0][[30, 31, 95]] = np.nan
    mask = stretch(120, 25, 40, "arms", COCO_17) | stretch(120, 90, 99, "legs", COCO_17)
    found = undo_swaps(*planted(clean, mask, COCO_17), times, COCO_17)
    np.testing.assert_array_equal(found.keypoints, clean[0])
    assert not found.changed[[30, 31, 95]].any()
    assert [swap.kind for swap in found.swaps] == ["arms", "legs"]


def test_a_limb_that_was_away_comes_back_to_its_side():
    clean = walker(seconds(60))
    wrists = COCO_17.indices(("left_wrist", "right_wrist", "left_elbow", "right_elbow"))
    clean[0][28:32, wrists] = np.nan
    mask = stretch(60, 32, 40, "forearms", COCO_17)
    found = undo_swaps(*planted(clean, mask, COCO_17), seconds(60), COCO_17)
    np.testing.assert_array_equal(found.keypoints, clean[0])


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
@pytest.mark.parametrize("fill", [np.nan, 7.0, None])
def test_next_to_nothing(frames, fill):
    xy, scores = walker(seconds(frames))
    if fill is not None:
        xy[:] = fill
    found = undo_swaps(
        xy, scores, seconds(frames), COCO_17, misfit=lambda xy, _: np.full(len(xy), np.nan)
    )
    np.testing.assert_array_equal(found.keypoints, xy)
    assert found.changed.shape == (frames, 17)
    assert not found.changed.any()


def test_three_frames_in_a_thousand():
    xy, scores = walker(seconds(1000))
    seen = np.isin(np.arange(1000), (10, 500, 501))
    xy[~seen] = np.nan
    found = undo_swaps(xy, scores, seconds(1000), COCO_17)
    np.testing.assert_array_equal(found.keypoints, xy)


def wrong_side(xy, _):
    """A misfit that knows: in these pictures left is on the right, but for swings."""
    left, right = np.transpose(COCO_17.pairs)
    return np.where((xy[:, left, 0] - xy[:, right, 0]).min(-1) > 0, 0.01, 0.1)


def test_plausibility_tells_which_part_of_a_clip_is_wrong():
    clean = walker(seconds(100), width=2.5)
    mask = stretch(100, 20, 99, "body", COCO_17)
    arrays = planted(clean, mask, COCO_17)
    alone = undo_swaps(*arrays, seconds(100), COCO_17)
    assert (alone.changed == ~mask & mask.any(0)).all()
    found = undo_swaps(*arrays, seconds(100), COCO_17, misfit=wrong_side)
    assert (found.changed == mask).all()


def test_a_misfit_that_is_unknown_says_nothing():
    clean = walker(seconds(60))
    arrays = planted(clean, stretch(60, 20, 29, "legs", COCO_17), COCO_17)
    found = undo_swaps(
        *arrays, seconds(60), COCO_17, misfit=lambda xy, _: np.full(len(xy), np.nan)
    )
    assert found.swaps == (Swap("legs", 20, 29),)


def test_the_path_is_the_best_of_all():
    rng = np.random.default_rng(3)
    times = np.array([0, 0.04, 0.08, 0.2])
    courses, wrong = rng.uniform(0, 4, (4, 20)), rng.uniform(0, 3, (4, 9))
    prior = swaps._prior(np.diff(times), 0.05 / 2.05)
    groups = swaps._EXCHANGED.astype(int)

    def cost(path):
        total = wrong[range(4), path].sum() - np.log(0.05 / 2.05) * len(swaps._KINDS[path[0]])
        for t in range(1, 4):
            total += prior[t - 1, path[t - 1], path[t]]
            turned = groups[path[t]] != groups[path[t - 1]]
            before = groups[path[t - 1]] != groups[path[max(t - 2, 0)]]
            total += courses[t, 4 * np.arange(5) + 2 * before + turned].sum()
        return total

    best = min(itertools.product(range(9), repeat=4), key=cost)
    assert tuple(swaps._best_ways(courses, wrong, times)) == best


class StandIn:
    """A lifter whose answer is known."""

    def __init__(self, joints, root):
        self.joints, self.root = joints, root

    def lift_people(self, keypoints, scores, skeleton, camera):
        fixed = (np.broadcast_to(a, (len(keypoints), *a.shape)) for a in (self.joints, self.root))
        joints, root = fixed
        return LiftedPeople(joints, root, np.full_like(joints, np.nan), keypoints, scores)


def test_the_misfit_by_hand():
    rng = np.random.default_rng(4)
    camera = Camera.from_fov((640, 480), 60)
    joints, root = rng.uniform(-1, 1, (17, 3)), np.array([0, 0, 5.0])
    exact = camera.project(joints + root)
    side = np.ptp(exact, axis=0).max()
    moved = exact + np.array([3.0, 4.0])
    gone = moved.copy()
    gone[[2, 5]] = np.nan
    misfit = lifted_misfit(StandIn(joints, root), H36M_17, camera)
    found = misfit(np.stack([exact, moved, gone, gone * np.nan]), np.ones((4, 17)))
    assert found[:2] == pytest.approx([0, 5 / side])
    assert found[2] == pytest.approx(5 / np.ptp(np.delete(exact, [2, 5], 0), axis=0).max())
    assert np.isnan(found[3])


def test_the_real_lifter_knows_exchanged_limbs():
    camera = Camera.from_fov((1000, 800), 60)
    xy, scores = walker(seconds(5), H36M_17)
    misfit = lifted_misfit(Lifter(), H36M_17, camera)
    as_is = misfit(xy, scores)
    for kind in ("arms", "legs"):
        mask = stretch(5, 0, 4, kind, H36M_17)
        assert (misfit(*planted((xy, scores), mask, H36M_17)) > 2 * as_is).all()
