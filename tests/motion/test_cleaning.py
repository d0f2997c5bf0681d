"""The whole chain, with the built-in lifter, on invented people that walk."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from ampose import Lifter
from ampose.geometry import bone_lengths
from ampose.mapping import to_h36m
from ampose.metrics import acceleration_error, bone_length_variation, mpjpe
from ampose.motion.bones import DEFAULT_STATURE, stature
from ampose.motion.cleaning import Repairs, motion_of
from ampose.motion.tracks import Tracks
from ampose.poses import CHANGES
from ampose.skeletons import COCO_17, H36M_17
from tests.motion.people import CAMERA, RATE, Knowing, filmed, stepping

FRAMES = 50
KNEE = H36M_17.index("left_knee")
SPAN = slice(20, 26)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter(threads=1)


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """(T, 17, 3) metres, camera axes, from the camera."""
    return filmed(stepping(FRAMES / RATE)[0])[0]


def tracks(*people: np.ndarray) -> Tracks:
    """People seen exactly; a frame in which one is NaN does not show them."""
    joints = np.stack(people, axis=1)
    keypoints = CAMERA.project(joints).astype(np.float32)
    scores = np.isfinite(keypoints).all(-1).astype(np.float32)
    ids = np.arange(len(people)) + 3
    return Tracks(keypoints, scores, ids, np.arange(len(joints)) / RATE, H36M_17, CAMERA)


def test_clean_motion_is_marked_nowhere(lifter, walk):
    result = motion_of(tracks(walk), lifter)
    assert result.valid.all()
    assert not any(getattr(result, change).any() for change in CHANGES)
    (person,) = result.quality["people"]
    assert (person["id"], person["frames"], person["swaps"]) == (3, FRAMES, [])
    assert person["reprojection_of_box"] < 0.02
    assert not [warning for warning in result.warnings if warning.startswith("Person")]


def test_bones_are_the_same_in_all_frames(lifter, walk):
    result = motion_of(tracks(walk), lifter)
    assert bone_length_variation(result.joints[:, 0], H36M_17) < 1e-3
    lengths = bone_lengths(result.joints[0, 0], H36M_17)
    assert stature(lengths) == pytest.approx(DEFAULT_STATURE, abs=1e-4)
    (person,) = result.quality["people"]
    assert person["bone_variation_percent"] < 1e-3 < person["bone_variation_lifted_percent"]
    assert list(person["bone_lengths_metres"].values()) == pytest.approx(lengths, abs=1e-3)
    assert not person["height_given"]


def test_height_sets_the_size_of_everything(lifter, walk):
    usual, tall = (motion_of(tracks(walk), lifter, Repairs(height=h)) for h in (None, 1.9))
    size = 1.9 / DEFAULT_STATURE
    assert tall.joints == pytest.approx(usual.joints * size, abs=0.01)
    assert tall.root == pytest.approx(usual.root * size, rel=0.01, abs=0.01)
    assert any("1.9 m tall" in warning for warning in tall.warnings)
    alone = motion_of(tracks(walk), lifter, Repairs.none(height=1.9))
    raw = motion_of(tracks(walk), lifter, Repairs.none())
    assert alone.joints == pytest.approx(raw.joints * size, abs=1e-5)
    assert np.isfinite(raw.sigma).all()
    assert alone.sigma == pytest.approx(raw.sigma * size, abs=1e-5)
    given = [result.quality["people"][0]["height_given"] for result in (usual, tall, alone, raw)]
    assert given == [False, True, True, False]


def test_nothing_done_is_what_the_lifter_says(lifter, walk):
    shown = tracks(walk)
    result = motion_of(shown, lifter, Repairs.none())
    alone = lifter.lift(shown.keypoints, image_size=CAMERA.size, camera=CAMERA)
    np.testing.assert_allclose(result.joints, alone.joints, atol=1e-6)
    assert np.isnan(result.world).all()
    assert result.world_frame == {}
    (person,) = result.quality["people"]
    assert person["bone_lengths_metres"] is None


def test_swapped_legs_are_put_back_and_told(lifter, walk):
    clean = tracks(walk)
    swapped = tracks(walk)
    for joint in H36M_17.indices(("left_hip", "left_knee", "left_ankle")):
        other = H36M_17.mirror[joint]
        swapped.keypoints[SPAN, 0, [joint, other]] = clean.keypoints[SPAN, 0, [other, joint]]
    result = motion_of(swapped, lifter)
    np.testing.assert_array_equal(result.keypoints, clean.keypoints)
    assert result.repaired[SPAN, 0, KNEE].all()
    assert result.repaired.any(-1).sum() == SPAN.stop - SPAN.start
    (person,) = result.quality["people"]
    assert person["swaps"] == [{"kind": "legs", "first": SPAN.start, "last": SPAN.stop - 1}]
    assert (
        "Person 3: 6 frame(s) had left and right exchanged and were put back." in result.warnings
    )
    kept = motion_of(swapped, lifter, Repairs(swaps=False))
    assert not kept.repaired.any()
    swapped.keypoints[:10] = np.nan  # frames count from the recording's first, not the person's
    (person,) = motion_of(swapped, lifter).quality["people"]
    assert person["swaps"] == [{"kind": "legs", "first": SPAN.start, "last": SPAN.stop - 1}]


def test_a_joint_that_jumps_is_replaced(lifter, walk):
    clean = motion_of(tracks(walk), lifter)
    jumping = tracks(walk)
    jumping.keypoints[22, 0, KNEE] += 150
    result = motion_of(jumping, lifter)
    assert np.argwhere(result.corrected).tolist() == [[22, 0, KNEE]]
    assert not result.filled.any()
    assert result.keypoints[22, 0, KNEE] == pytest.approx(clean.keypoints[22, 0, KNEE], abs=5)
    kept = motion_of(jumping, lifter, Repairs(outliers=False))
    assert not kept.corrected.any()
    truth = walk - walk[:, :1]
    assert mpjpe(result.joints[SPAN, 0], truth[SPAN]) < mpjpe(kept.joints[SPAN, 0], truth[SPAN])


def test_a_joint_missing_for_a_moment_is_filled(lifter, walk):
    holes = tracks(walk)
    holes.keypoints[SPAN, 0, KNEE] = np.nan
    holes.scores[SPAN, 0, KNEE] = 0
    result = motion_of(holes, lifter)
    assert np.argwhere(result.filled).tolist() == [[t, 0, KNEE] for t in range(20, 26)]
    assert (result.scores[SPAN, 0, KNEE] > 0).all()
    left = motion_of(holes, lifter, Repairs(gaps=False))
    assert not left.filled.any()
    assert np.isnan(left.keypoints[SPAN, 0, KNEE]).all()
    assert left.valid.all()  # the lifter guesses


def test_somebody_away_for_a_moment_is_bridged_and_for_long_is_absent(lifter, walk):
    away = walk.copy()
    away[10:15] = np.nan
    away[25:36] = np.nan  # 0.48 s from the frame before to the one after
    result = motion_of(tracks(away), lifter)
    assert result.filled[10:15].all()
    assert np.isfinite(result.root[10:15]).all()
    assert np.isnan(result.keypoints[10:15]).all()
    assert not result.valid[25:36].any()
    assert np.isnan(result.root[25:36]).all()
    assert bone_length_variation(result.joints[:25, 0], H36M_17) < 1e-3
    assert any("85 joint(s) were filled in across gaps" in w for w in result.warnings)


def test_the_filter_that_was_applied_is_told(lifter, walk):
    def told(shown: Tracks, **repairs: object) -> object:
        return motion_of(shown, lifter, Repairs(**repairs)).provenance["filter"]

    assert told(tracks(walk)) == "butterworth"
    assert told(tracks(walk), filter="one-euro") == "one-euro"
    assert told(tracks(walk), filter="none") == "none"
    assert told(tracks(walk[:3])) == "none"  # too short
    assert told(tracks(walk).only([])) == "none"


def test_noise_is_smoothed(lifter, walk):
    noisy = tracks(walk)
    noisy.keypoints[:] += np.random.default_rng(0).normal(0, 4, noisy.keypoints.shape)
    truth = walk - walk[:, :1]

    def shaking(repairs: Repairs) -> float:
        return acceleration_error(motion_of(noisy, lifter, repairs).joints[:, 0], truth, RATE)

    assert shaking(Repairs()) < 0.4 * shaking(Repairs(filter="none"))
    assert shaking(Repairs(cutoff=2)) < shaking(Repairs(cutoff=8))
    steady, plain = (
        motion_of(noisy, lifter, Repairs(filter="none", root=root)).root[:, 0, 2]
        for root in (True, False)
    )
    assert np.diff(steady, 2).std() < 0.2 * np.diff(plain, 2).std()


def test_the_world_stands_on_its_floor():
    world, _ = stepping(4.0)
    joints, _ = filmed(world, pitch=12, roll=0)
    lifter = Knowing(joints)
    lifter.provenance = {}
    one_lift = {"swaps": False}  # looking for them lifts some of the frames
    result = motion_of(tracks(joints), lifter, Repairs(**one_lift))
    assert result.world_frame["estimated"] is True
    assert result.world_frame["camera_pitch_degrees"] == pytest.approx(12, abs=2)
    ankles = result.world[:, 0, H36M_17.indices(("left_ankle", "right_ankle"))]
    assert np.quantile(ankles[..., 1], 0.1) == pytest.approx(0.07, abs=0.03)
    there = result.cameras[0].to_camera(result.world[:, 0])
    np.testing.assert_allclose(there, (result.joints + result.root[:, :, None])[:, 0], atol=1e-4)
    assert any("Up and the floor are estimated" in warning for warning in result.warnings)
    stated = motion_of(tracks(joints), lifter, Repairs(pitch=5, roll=4, **one_lift))
    assert stated.world_frame["rests_on"] == "pitch given"
    assert stated.world_frame["camera_pitch_degrees"] == pytest.approx(5, abs=1)
    assert stated.world_frame["camera_roll_degrees"] == pytest.approx(4, abs=1)
    assert not motion_of(tracks(joints), lifter, Repairs(world=False, **one_lift)).world_frame


def test_people_come_and_go(lifter, walk):
    late, brief, never = (walk + np.array([x, 0, 0]) for x in (0.5, -0.7, 0.2))
    late[:20] = np.nan
    brief[:10] = brief[13:] = np.nan
    never[:] = np.nan
    result = motion_of(tracks(walk, late, brief, never), lifter)
    there = result.valid.all(-1)
    assert there[:, 0].all()
    assert there[:, 1].tolist() == [False] * 20 + [True] * 30
    assert np.flatnonzero(there[:, 2]).tolist() == [10, 11, 12]
    assert not there[:, 3].any()
    assert [person["frames"] for person in result.quality["people"]] == [50, 30, 3, 0]
    assert result.quality["people"][3]["reprojection_pixels"] is None
    assert any(w.startswith("Person 5: there are too few frames") for w in result.warnings)
    assert not any(w.startswith("Person 6") for w in result.warnings)  # who was never seen


def test_nobody_and_no_frames(lifter, walk):
    nobody = tracks(walk).only([])
    assert motion_of(nobody, lifter).joints.shape == (FRAMES, 0, 17, 3)
    empty = Tracks(
        np.zeros((0, 0, 17, 2)), np.zeros((0, 0, 17)), np.zeros(0, int), np.zeros(0), H36M_17,
        CAMERA,
    )  # fmt: skip
    assert motion_of(empty, lifter).frame_count == 0
    assert motion_of(tracks(walk[:1]), lifter).valid.all()


def test_marks_of_another_joint_set_go_to_what_is_made_of_it(lifter, walk):
    """COCO's left hip makes the pelvis and the spine too, but no knee."""
    shown = tracks(walk)
    joints = [KNEE if name == "left_knee" else 0 for name in COCO_17.joints]
    coco = Tracks(
        shown.keypoints[:, :, joints] + np.random.default_rng(0).normal(0, 20, (1, 1, 17, 2)),
        np.ones((FRAMES, 1, 17)), shown.ids, shown.times, COCO_17, CAMERA,
    )  # fmt: skip
    coco.keypoints[22, 0, COCO_17.index("left_hip")] += 200
    marked = np.flatnonzero(motion_of(coco, lifter).corrected[22, 0])
    names = [H36M_17.joints[joint] for joint in marked]
    assert {"left_hip", "pelvis", "spine"} <= set(names)
    assert "left_knee" not in names


@pytest.mark.parametrize("mapping", ["hybrid", "plain"])
@pytest.mark.parametrize("changed", ["left_shoulder", "right_hip", "left_knee", "nose"])
def test_marks_are_where_the_mapping_moves_joints(walk, mapping, changed):
    shown = tracks(walk)
    parts = [name if name in H36M_17.joints else "head_top" for name in COCO_17.joints]
    apart = np.random.default_rng(0).normal(0, 9, (17, 2))
    steady = shown.keypoints[:, :, H36M_17.indices(parts)] + apart
    jumping = steady.copy()
    jumping[22, 0, COCO_17.index(changed)] += 200
    scores = np.ones((FRAMES, 1, 17))
    coco = Tracks(jumping, scores, shown.ids, shown.times, COCO_17, CAMERA)
    lifter = Lifter(mapping=mapping, threads=1)
    marked = motion_of(coco, lifter, Repairs(swaps=False, gaps=False)).corrected[22, 0]
    before, after = (
        to_h36m(points[22, 0], scores[22, 0], COCO_17, mapping=mapping)[0]
        for points in (steady, jumping)
    )
    np.testing.assert_array_equal(marked, (before != after).any(-1))
    if changed == "left_shoulder":  # by hand: all of hybrid's torso hangs on both shoulders
        names = {"left_shoulder", "thorax", "spine"}
        if mapping == "hybrid":
            names |= {"left_hip", "right_hip", "pelvis", "neck_nose", "head_top"}
        assert {H36M_17.joints[joint] for joint in np.flatnonzero(marked)} == names


@pytest.mark.parametrize("step", [f.name for f in fields(Repairs) if f.type == "bool"])
def test_every_step_can_be_left_out(lifter, walk, step):
    assert motion_of(tracks(walk), lifter, Repairs(**{step: False})).valid.all()


def test_one_euro_lags_from_afar_as_much_as_from_near(walk):
    """Keypoints are filtered as rays, on which a metre is the shorter, the further away it is."""
    wrist = H36M_17.index("left_wrist")
    pose = np.repeat(walk[:1] - walk[:1, :1], FRAMES, 0)
    turn = 2 * np.pi * np.arange(FRAMES) / RATE
    forearm = np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
    forearm *= np.linalg.norm(pose[0, wrist] - pose[0, wrist - 1])
    pose[:, wrist] = pose[:, wrist - 1] + forearm
    lifter = Knowing(pose)
    lifter.provenance = {}

    def lag(away: float) -> float:
        lifter.root = (0, 0, away)
        repairs = Repairs(filter="one-euro", swaps=False, outliers=False)
        found = motion_of(tracks(pose + np.array([0, 0, away])), lifter, repairs).joints[:, 0]
        miss = found[:, wrist] - found[:, wrist - 1] - forearm
        return float(np.linalg.norm(miss, axis=-1)[RATE // 2 :].mean())

    assert lag(8) == pytest.approx(lag(2), rel=0.02)
