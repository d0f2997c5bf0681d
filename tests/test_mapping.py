from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.mapping import to_h36m
from ampose.skeletons import COCO_17, H36M_17, SKELETONS, Skeleton, get_skeleton

# An upright person who faces the camera, pixels, y down: the left side is on the right.
UPRIGHT = {
    "nose": (100, 50),
    "left_eye": (104, 46), "right_eye": (96, 46),
    "left_ear": (108, 48), "right_ear": (92, 48),
    "left_shoulder": (120, 100), "right_shoulder": (80, 100),
    "left_elbow": (130, 140), "right_elbow": (70, 140),
    "left_wrist": (135, 180), "right_wrist": (65, 180),
    "left_hip": (110, 200), "right_hip": (90, 200),
    "left_knee": (112, 280), "right_knee": (88, 280),
    "left_ankle": (114, 360), "right_ankle": (86, 360),
}  # fmt: skip
# Where other sets have joints of their own.
OWN = {
    "pelvis": (101, 195),
    "spine": (102, 140),
    "neck": (99, 86),
    "thorax": (98, 90),
    "head": (100, 52),
    "head_top": (97, 30),
    "neck_nose": (103, 66),
}
TAKEN_OVER = [
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("knee", "ankle", "shoulder", "elbow", "wrist")
]
PLAIN = {
    "pelvis": (100, 200), "spine": (100, 150), "thorax": (100, 100),
    "neck_nose": (100, 50), "head_top": (100, 46),
    "left_hip": (110, 200), "right_hip": (90, 200),
}  # fmt: skip
# Torso 100 pixels: hips up by 10, thorax 13 above the shoulders, spine between the two, neck/nose
# 3/4 of 50 and 1/4 of 100, head top 4 pixels above the eyes as the nose is 4 below them.
HYBRID = {
    "pelvis": (100, 190), "spine": (100, 138.5), "thorax": (100, 87),
    "neck_nose": (100, 62.5), "head_top": (100, 42),
    "left_hip": (110, 190), "right_hip": (90, 190),
}  # fmt: skip

both_mappings = pytest.mark.parametrize("mapping", ["plain", "hybrid"])
every_skeleton = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)


def figure(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    places = UPRIGHT | OWN
    keypoints = [places.get(joint, (0, 0)) for joint in skeleton.joints]
    return np.array(keypoints, np.float32), np.full(len(skeleton), 0.9, np.float32)


def named(keypoints: np.ndarray) -> dict[str, tuple[float, float]]:
    return {
        name: tuple(map(float, xy)) for name, xy in zip(H36M_17.joints, keypoints, strict=True)
    }


def assert_places(keypoints: np.ndarray, expected: dict[str, tuple[float, float]]):
    found = named(keypoints)
    for joint, place in expected.items():
        assert found[joint] == pytest.approx(place, abs=1e-3), joint


@both_mappings
@every_skeleton
def test_every_set_maps(skeleton, mapping):
    keypoints, scores = to_h36m(*figure(skeleton), skeleton, mapping=mapping)
    assert keypoints.shape == (17, 2)
    assert keypoints.dtype == scores.dtype == np.float32
    assert np.isfinite(keypoints).all()
    np.testing.assert_allclose(scores, 0.9, rtol=1e-6)
    own = (UPRIGHT | OWN) if skeleton.name != "coco_17" else UPRIGHT
    shared = [j for j in skeleton.joints if j in H36M_17.joints and not j.endswith("_hip")]
    assert_places(keypoints, {joint: own[joint] for joint in {*shared, *TAKEN_OVER}})


@pytest.mark.parametrize("name", ["coco_17", "body_25", "blazepose_33"])
def test_formulas_by_hand(name):
    skeleton = get_skeleton(name)
    assert_places(to_h36m(*figure(skeleton), skeleton, mapping="plain")[0], PLAIN)
    assert_places(to_h36m(*figure(skeleton), skeleton)[0], HYBRID)


@both_mappings
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("halpe_26", {"thorax": (99, 86), "spine": (100, 140.5)}),
        # No nose: the middle of thorax and head top; `neck` is the thorax.
        ("mpi_3dhp_17", {"thorax": (99, 86), "spine": (102, 140), "neck_nose": (98, 58)}),
        # No head top: the head.
        ("humaneva_15", {"head_top": (100, 52), "neck_nose": (99, 71), "spine": (99.5, 142.5)}),
        ("h36m_16", {"neck_nose": (97.5, 60)}),
    ],
)
def test_sets_with_joints_of_their_own(name, expected, mapping):
    skeleton = get_skeleton(name)
    keypoints, _ = to_h36m(*figure(skeleton), skeleton, mapping=mapping)
    # A set that names its pelvis has Human3.6M's hips already.
    hips = {"left_hip": (110, 200), "right_hip": (90, 200), "pelvis": (101, 195)}
    assert_places(keypoints, expected | hips)


@both_mappings
@given(seed=st.integers(0, 2**32 - 1))
def test_h36m_17_is_the_identity(seed, mapping):
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(-1000, 1000, (3, 2, 17, 2)).astype(np.float32)
    scores = rng.uniform(0, 1, (3, 2, 17)).astype(np.float32)
    absent = rng.random((3, 2, 17)) < 0.2
    keypoints[absent] = np.nan
    scores[absent] = 0
    mapped, mapped_scores = to_h36m(keypoints, scores, H36M_17, mapping=mapping)
    np.testing.assert_array_equal(mapped, keypoints)
    np.testing.assert_array_equal(mapped_scores, scores)


@both_mappings
@every_skeleton
@given(
    seed=st.integers(0, 2**32 - 1),
    angle=st.floats(-np.pi, np.pi),
    scale=st.floats(0.1, 10),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_turned_scaled_shifted_person_maps_alike(skeleton, mapping, seed, angle, scale, shift):
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(0, 300, (len(skeleton), 2))
    scores = rng.uniform(0, 1, len(skeleton))
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    mapped, mapped_scores = to_h36m(keypoints, scores, skeleton, mapping=mapping)
    moved, moved_scores = to_h36m(keypoints @ turn + shift, scores, skeleton, mapping=mapping)
    np.testing.assert_allclose(moved, mapped @ turn + shift, rtol=1e-5, atol=0.01)
    np.testing.assert_array_equal(moved_scores, mapped_scores)


@both_mappings
@every_skeleton
@given(seed=st.integers(0, 2**32 - 1))
def test_the_mirror_image_maps_to_the_mirror_image(skeleton, mapping, seed):
    keypoints = np.random.default_rng(seed).uniform(-300, 300, (len(skeleton), 2))
    scores = np.linspace(0.2, 1, len(skeleton))
    mapped, mapped_scores = to_h36m(keypoints, scores, skeleton, mapping=mapping)
    mirror = list(skeleton.mirror)
    other, other_scores = to_h36m(
        keypoints[mirror] * [-1, 1], scores[mirror], skeleton, mapping=mapping
    )
    order = list(H36M_17.mirror)
    np.testing.assert_allclose(other, mapped[order] * [-1, 1], rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(other_scores, mapped_scores[order])


SHOULDER = {"left_shoulder", "thorax", "spine"}
HIP = {"left_hip", "pelvis", "spine"}
# What each COCO joint is an ingredient of.
USED_BY = {
    "plain": {
        "nose": {"neck_nose"}, "left_eye": {"head_top"}, "left_ear": set(),
        "left_shoulder": SHOULDER, "left_hip": HIP, "left_knee": {"left_knee"},
    },
    "hybrid": {
        "nose": {"neck_nose", "head_top"}, "left_eye": {"head_top"}, "left_ear": {"head_top"},
        "left_shoulder": SHOULDER | {"left_hip", "right_hip", "pelvis", "neck_nose", "head_top"},
        "left_hip": HIP | {"right_hip", "thorax"}, "left_knee": {"left_knee"},
    },
}  # fmt: skip


@both_mappings
@pytest.mark.parametrize("joint", USED_BY["plain"])
def test_the_lowest_ingredient_gives_the_score(joint, mapping):
    keypoints, scores = figure(COCO_17)
    scores[COCO_17.index(joint)] = 0.25
    _, mapped = to_h36m(keypoints, scores, COCO_17, mapping=mapping)
    low = {name for name, score in zip(H36M_17.joints, mapped, strict=True) if score == 0.25}
    assert low == USED_BY[mapping][joint]
    assert np.isclose(mapped, 0.9).sum() == 17 - len(low)


@both_mappings
@pytest.mark.parametrize("break_it", ["x", "y", "score"])
@pytest.mark.parametrize("joint", USED_BY["plain"])
def test_a_missing_ingredient_is_a_missing_joint(joint, break_it, mapping):
    keypoints, scores = figure(COCO_17)
    place = COCO_17.index(joint)
    if break_it == "score":
        scores[place] = np.nan
    else:
        keypoints[place, "xy".index(break_it)] = np.nan
    mapped, mapped_scores = to_h36m(keypoints, scores, COCO_17, mapping=mapping)
    lost = {name for name, xy in named(mapped).items() if np.isnan(xy).any()}
    # One eye or ear is enough of either, and hips and thorax stay unmoved without a whole torso.
    spared = {
        "left_eye": {"head_top"},
        "left_ear": {"head_top"},
        "left_shoulder": {"left_hip", "right_hip", "pelvis"},
        "left_hip": {"right_hip", "thorax"},
    }.get(joint, set())
    assert lost == USED_BY[mapping][joint] - spared
    np.testing.assert_array_equal(np.isnan(mapped).all(-1), mapped_scores == 0)
    np.testing.assert_array_equal(np.isnan(mapped).any(-1), mapped_scores == 0)


@both_mappings
def test_without_eyes_no_head_top(mapping):
    keypoints, scores = figure(COCO_17)
    keypoints[COCO_17.indices(["left_eye", "right_eye"])] = np.nan
    mapped, mapped_scores = to_h36m(keypoints, scores, COCO_17, mapping=mapping)
    lost = [name for name, xy in named(mapped).items() if np.isnan(xy).any()]
    assert lost == ["head_top"]
    assert mapped_scores[H36M_17.index("head_top")] == 0


def test_the_top_of_a_head_in_profile_by_hand():
    # Skull (60, 20), so up from the shoulders is (60, -80) / 100. Of the eyes' way beyond the
    # skull, (30, 0), and that from the nose to the eyes, (-10, -30), (18 - 6 + 24) go up.
    keypoints, scores = figure(COCO_17)
    for joint, place in {
        "eye": (90, 20), "ear": (30, 20), "shoulder": (0, 100),
    }.items():  # fmt: skip
        keypoints[COCO_17.indices((f"left_{joint}", f"right_{joint}"))] = place
    keypoints[COCO_17.index("nose")] = 100, 50
    mapped, _ = to_h36m(keypoints, scores, COCO_17)
    assert_places(mapped, {"head_top": (60 + 0.6 * 36, 20 - 0.8 * 36)})


def test_a_head_upon_the_shoulders_has_no_direction():
    keypoints = np.zeros((17, 2))
    mapped, _ = to_h36m(keypoints, np.ones(17), COCO_17)
    np.testing.assert_array_equal(mapped, 0)


@both_mappings
@every_skeleton
def test_nobody_maps_to_nobody(skeleton, mapping):
    keypoints = np.full((2, len(skeleton), 2), np.nan, np.float32)
    scores = np.zeros((2, len(skeleton)), np.float32)
    mapped, mapped_scores = to_h36m(keypoints, scores, skeleton, mapping=mapping)
    assert np.isnan(mapped).all()
    assert (mapped_scores == 0).all()
    nothing, _ = to_h36m(keypoints[:0], scores[:0], skeleton, mapping=mapping)
    assert nothing.shape == (0, 17, 2)


@both_mappings
@every_skeleton
def test_one_person_and_a_batch_agree(skeleton, mapping, rng):
    keypoints = rng.uniform(0, 500, (3, 2, len(skeleton), 2))
    scores = rng.uniform(0, 1, (3, 2, len(skeleton)))
    keypoints[rng.random(scores.shape) < 0.1] = np.nan
    before = keypoints.copy(), scores.copy()
    batch = to_h36m(keypoints, scores, skeleton, mapping=mapping)
    for index in np.ndindex(3, 2):
        one = to_h36m(keypoints[index], scores[index], skeleton, mapping=mapping)
        np.testing.assert_array_equal(one[0], batch[0][index])
        np.testing.assert_array_equal(one[1], batch[1][index])
    np.testing.assert_array_equal(keypoints, before[0])
    np.testing.assert_array_equal(scores, before[1])


def test_refusals():
    keypoints, scores = figure(COCO_17)
    with pytest.raises(ValueError, match="unknown mapping 'best'; known are hybrid, plain"):
        to_h36m(keypoints, scores, COCO_17, mapping="best")
    for bad in ((keypoints[:16], scores[:16]), (keypoints, scores[:16]), (keypoints.T, scores)):
        with pytest.raises(ValueError, match=r"coco_17 needs keypoints \(\.\.\., 17, 2\)"):
            to_h36m(*bad, COCO_17)
    hand = Skeleton("hand", ("wrist", "thumb", "left_hip"), (-1, 0, 0))
    with pytest.raises(ValueError, match="hand lacks left_shoulder, right_hip, right_shoulder"):
        to_h36m(np.zeros((3, 2)), np.ones(3), hand)
