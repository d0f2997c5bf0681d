from __future__ import annotations

import numpy as np
import pytest
import swaps

from ampose.motion.swaps import Swap, Unswapped
from ampose.skeletons import H36M_17
from tests.research.packs import walking, write_data

LEGS = swaps.pairs_of(swaps.KINDS["legs"])
ANKLES = swaps.pairs_of(("ankle",))


def found(changed, *reports):
    frames = len(changed)
    return Unswapped(np.zeros((frames, 17, 2)), np.zeros((frames, 17)), changed, reports)


def test_pairs_by_name():
    assert [H36M_17.joints[j] for j in np.flatnonzero(ANKLES)] == ["right_ankle", "left_ankle"]
    assert [swaps.pairs_of(parts).sum() for parts in swaps.KINDS.values()] == [6, 4, 6, 4, 12]


def test_exchanged_twice_is_as_before():
    values = np.random.default_rng(0).normal(size=(3, 17, 2))
    joints = np.zeros((3, 17), bool)
    joints[1] = LEGS
    once = swaps.exchange(values, joints)
    assert (once[1, 3] == values[1, 6]).all()
    assert (once[[0, 2]] == values[[0, 2]]).all()
    assert (swaps.exchange(once, joints) == values).all()


def test_visible_is_further_apart_than_the_noise():
    xy = np.zeros((1, 17, 2))
    xy[0, 10, 1] = 1000
    left, right = H36M_17.indices(("left_ankle", "right_ankle"))
    hips = H36M_17.indices(("left_hip", "right_hip"))
    xy[0, left, 0], xy[0, hips[0], 0] = 43, 43  # 3 x sqrt(2) x 1 % of 1000, and a hip's 2 %
    apart = swaps.visible(xy)[0]
    assert apart[[left, right]].all()
    assert not apart[hips].any()


def test_counts():
    planted = np.zeros((6, 17), bool)
    planted[1:5] = LEGS
    apart = np.tile(~ANKLES, (6, 1))
    apart[4] = False
    changed = np.zeros((6, 17), bool)
    changed[1] = LEGS  # all right
    changed[2] = LEGS & ~ANKLES  # right where it is visible
    changed[3] = ANKLES  # wrong
    changed[5] = LEGS  # clean frame changed
    tally = swaps.Tally()
    reports = (Swap("legs", 1, 2), Swap("lower legs", 3, 3), Swap("legs", 5, 5))
    swaps.count(tally, found(changed, *reports), planted, apart)
    row = tally.row()
    assert row["swapped_frames"] == "4"
    assert row["visible_frames"] == "3"
    assert row["found_of_visible_percent"] == "66.67"
    assert row["found_of_all_percent"] == "25.00"
    assert row["precision_frames_percent"] == "75.00"
    assert row["clean_changed_percent"] == "50.00"
    assert row["found_of_stretches_percent"] == "0.00"
    assert row["precision_stretches_percent"] == "66.67"


def test_exchanging_a_joint_that_was_right_is_not_found():
    planted = np.zeros((1, 17), bool)
    planted[0] = ANKLES
    tally = swaps.Tally()
    swaps.count(tally, found(LEGS[None]), planted, np.ones((1, 17), bool))
    assert tally.row()["found_of_visible_percent"] == "0.00"


def test_greedy_takes_the_nearer_side():
    xy = np.zeros((4, 17, 2))
    xy[:, H36M_17.index("left_ankle"), 0] = [10, 8, 1, 9]
    xy[:, H36M_17.index("right_ankle"), 0] = [0, 2, 9, 1]
    result = swaps.greedy(xy, np.ones((4, 17)))
    assert result.changed.any(-1).tolist() == [False, False, True, False]
    assert (result.changed[2] == swaps.pairs_of(swaps.PARTS["lower legs"])).all()
    assert result.swaps == (Swap("lower legs", 2, 2),)
    assert result.keypoints[2, H36M_17.index("left_ankle"), 0] == 9


@pytest.mark.parametrize("place", [0, 0.5, 0.999])
def test_plants_lie_inside(place):
    mask = swaps.plant(50, ("knee",), 30, place)
    assert mask.any(-1).sum() == 30
    assert (mask.any(0) == swaps.pairs_of(("knee",))).all()


def test_a_remembered_pose_is_the_lifted_one():
    rng = np.random.default_rng(0)
    camera = swaps.takes.Camera.from_fov((640, 480), 60)
    xy, scores = rng.uniform(100, 400, (4, 17, 2)), np.ones((4, 17))
    lifter = swaps.RememberingLifter()
    plain = swaps.ampose.Lifter().lift_people(xy, scores, H36M_17, camera)
    lifter.lift_people(xy[[2, 0]], scores[:2], H36M_17, camera)
    twice = lifter.lift_people(xy, scores, H36M_17, camera)
    for name, value in vars(plain).items():
        np.testing.assert_allclose(getattr(twice, name), value, atol=1e-5)


def test_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(swaps, "LENGTHS", (3,))
    data = write_data(tmp_path / "packs", **walking((80, 60, 40, 40)))
    rows = list(swaps.score("cmu-val", data, swaps.RememberingLifter()))
    full = {
        (row["input"], row["kind"], row["frames"]): row for row in rows if row["method"] == "full"
    }
    of_kinds = {(kind, n) for kind in (*swaps.KINDS, "all") for n in ("3", "all", "most")}
    expected = {("", ""), *of_kinds} - {("all", "3")}
    assert set(full) == {(seen, *row) for seen in swaps.INPUTS for row in expected}
    assert len({tuple(row) for row in rows}) == 1  # one set of columns
    clean, legs = full["exact", "", ""], full["exact", "legs", "3"]
    assert (clean["clean_frames"], clean["clean_changed_percent"]) == ("60", "0.00")
    assert (legs["swapped_frames"], legs["found_of_all_percent"]) == ("3", "100.00")
    assert legs["mpjpe_repaired_mm"] == legs["mpjpe_unswapped_mm"] != legs["mpjpe_swapped_mm"]
