from __future__ import annotations

import pytest

from ampose.skeletons import (
    BLAZEPOSE_33,
    BODY_25,
    COCO_17,
    H36M_16,
    H36M_17,
    HALPE_26,
    HUMANEVA_15,
    MPI_3DHP_17,
    SKELETONS,
    Skeleton,
    get_skeleton,
)

every_skeleton = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)


@every_skeleton
def test_is_a_forest(skeleton: Skeleton):
    assert len(skeleton) == len(skeleton.joints) == int(skeleton.name.rpartition("_")[2])
    assert len(skeleton.edges) + skeleton.parents.count(-1) == len(skeleton)
    assert skeleton.parents[skeleton.root] == -1
    for parent, child in skeleton.edges:
        assert skeleton.parents[child] == parent
    for joint in range(len(skeleton)):  # every way up ends at a root: no cycle
        for _ in skeleton.joints:
            joint = skeleton.parents[joint] if joint >= 0 else joint
        assert joint == -1


@every_skeleton
def test_mirror_exchanges_sides_twice_is_nothing(skeleton: Skeleton):
    mirror = skeleton.mirror
    assert [mirror[j] for j in mirror] == list(range(len(skeleton)))
    other = {"left": "right", "right": "left", "centre": "centre"}
    for joint, name in enumerate(skeleton.joints):
        twin = skeleton.joints[mirror[joint]]
        assert skeleton.side(mirror[joint]) == other[skeleton.side(joint)]
        assert twin.removeprefix("right_") == name.removeprefix("left_") or twin.removeprefix(
            "left_"
        ) == name.removeprefix("right_")
    sided = sum(skeleton.side(j) != "centre" for j in range(len(skeleton)))
    assert 2 * len(skeleton.pairs) == sided


@every_skeleton
def test_limbs_stay_on_their_side(skeleton: Skeleton):
    for parent, child in skeleton.edges:
        if skeleton.joints[child] != "right_shoulder":  # may hang on the left one, as in COCO
            assert {skeleton.side(parent), skeleton.side(child)} != {"left", "right"}
    for limb in ("elbow", "wrist", "knee", "ankle"):
        for side in ("left", "right"):
            joint = skeleton.index(f"{side}_{limb}")
            assert skeleton.side(skeleton.parents[joint]) == side


# The published definitions, by number: VideoPose3D's h36m_dataset.py and humaneva_dataset.py,
# the COCO keypoint list, OpenPose's output format, MediaPipe's landmark list, Halpe's table.


def test_h36m_17_is_videopose3ds():
    assert H36M_17.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert H36M_17.pairs == ((4, 1), (5, 2), (6, 3), (11, 14), (12, 15), (13, 16))
    assert H36M_17.mirror == (0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13)


def test_h36m_16_lacks_only_the_nose():
    assert H36M_16.joints == tuple(j for j in H36M_17.joints if j != "neck_nose")
    assert H36M_16.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 8, 10, 11, 8, 13, 14)


def test_humaneva_15_is_videopose3ds():
    assert HUMANEVA_15.parents == (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1)
    assert sorted(left for left, _ in HUMANEVA_15.pairs) == [2, 3, 4, 8, 9, 10]
    assert sorted(right for _, right in HUMANEVA_15.pairs) == [5, 6, 7, 11, 12, 13]


@pytest.mark.parametrize(
    ("skeleton", "places"),
    [
        (COCO_17, {"nose": 0, "left_eye": 1, "left_shoulder": 5, "right_wrist": 10,
                   "left_hip": 11, "right_ankle": 16}),
        (HALPE_26, {"left_shoulder": 5, "right_ankle": 16, "head_top": 17, "neck": 18,
                    "pelvis": 19, "left_big_toe": 20, "right_big_toe": 21, "left_small_toe": 22,
                    "left_heel": 24, "right_heel": 25}),
        (BODY_25, {"nose": 0, "mid_shoulder": 1, "right_shoulder": 2, "left_wrist": 7,
                   "mid_hip": 8, "right_ankle": 11, "left_ankle": 14, "right_eye": 15,
                   "left_ear": 18, "left_big_toe": 19, "left_heel": 21, "right_heel": 24}),
        (BLAZEPOSE_33, {"nose": 0, "left_eye": 2, "right_eye": 5, "left_ear": 7,
                        "left_mouth": 9, "left_shoulder": 11, "right_wrist": 16,
                        "left_thumb": 21, "left_hip": 23, "right_ankle": 28,
                        "right_heel": 30, "right_big_toe": 32}),
        (MPI_3DHP_17, {"head_top": 0, "neck": 1, "right_shoulder": 2, "left_wrist": 7,
                       "right_hip": 8, "left_ankle": 13, "pelvis": 14, "spine": 15, "head": 16}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_published_places(skeleton: Skeleton, places: dict[str, int]):
    assert {joint: skeleton.index(joint) for joint in places} == places
    assert skeleton.indices(places) == list(places.values())


def test_roots():
    assert MPI_3DHP_17.root == 14
    assert BODY_25.root == 8
    assert [COCO_17.joints[j] for j, p in enumerate(COCO_17.parents) if p < 0] == [
        "nose",
        "left_shoulder",
    ]


@pytest.mark.parametrize("name", ["h36m_17", "H36M-17", "h36m17", H36M_17])
def test_found_by_loose_name(name: str | Skeleton):
    assert get_skeleton(name) is H36M_17


@pytest.mark.parametrize("name", ["h36m", "17", "", "coco_18"])
def test_never_guessed(name: str):
    with pytest.raises(ValueError, match=r"unknown skeleton .*coco_17.*humaneva_15"):
        get_skeleton(name)


def test_unknown_joint_lists_the_joints():
    with pytest.raises(ValueError, match=r"h36m_17 has no joint 'tail'; it has pelvis, right_hip"):
        H36M_17.index("tail")


def test_malformed_skeletons_are_refused():
    with pytest.raises(ValueError, match="2 joints but 1 parents"):
        Skeleton("bad", ("a", "b"), (-1,))
    with pytest.raises(ValueError, match="twice"):
        Skeleton("bad", ("a", "a"), (-1, 0))


def test_a_limb_that_branches_is_one() -> None:
    ankle, *toes = BODY_25.indices(["left_ankle", "left_big_toe", "left_small_toe"])
    assert {ankle, *toes} <= set(BODY_25.limbs[BODY_25.index("left_hip")])


def test_a_limb_keeps_to_its_side() -> None:
    """COCO hangs the right shoulder on the left one."""
    left, right = COCO_17.indices(["left_shoulder", "right_shoulder"])
    assert COCO_17.index("right_wrist") in COCO_17.limbs[right]
    assert right not in COCO_17.limbs[left]
