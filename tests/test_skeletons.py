from __future__ import annotations

import pytest

from ampose.skeletons import (
    BLAZEPOSE_33,
    BODY_25,
    COCO_17,
    H36M_16,
    H36M_17,
    H36M_17_TYPICAL_MM,
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


def _sides(sides: str, parts: str) -> list[str]:
    """Every part of the first side, then of the next."""
    return [f"{side}_{part}" for side in sides.split() for part in parts.split()]


def _pairs(parts: str, sides: str = "left right") -> list[str]:
    """Both sides of the first part, then of the next."""
    return [f"{side}_{part}" for part in parts.split() for side in sides.split()]


_ARM, _LEG, _FOOT = "shoulder elbow wrist", "hip knee ankle", "big_toe small_toe heel"
_COCO = ["nose", *_pairs(f"eye ear {_ARM} {_LEG}")]


@pytest.mark.parametrize(
    ("skeleton", "joints"),
    [
        (H36M_17, ["pelvis", *_sides("right left", _LEG), "spine", "thorax", "neck_nose",
                   "head_top", *_sides("left right", _ARM)]),
        (COCO_17, _COCO),
        (HALPE_26, [*_COCO, "head_top", "neck", "pelvis", *_pairs(_FOOT)]),
        (BODY_25, ["nose", "mid_shoulder", *_sides("right left", _ARM), "mid_hip",
                   *_sides("right left", _LEG), *_pairs("eye ear", "right left"),
                   *_sides("left right", _FOOT)]),
        (BLAZEPOSE_33, ["nose", *_sides("left right", "eye_inner eye eye_outer"),
                        *_pairs(f"ear mouth {_ARM} pinky index thumb {_LEG} heel big_toe")]),
        (MPI_3DHP_17, ["head_top", "neck", *_sides("right left", _ARM),
                       *_sides("right left", _LEG), "pelvis", "spine", "head"]),
        (HUMANEVA_15, ["pelvis", "thorax", *_sides("left right", _ARM),
                       *_sides("left right", _LEG), "head"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_published_orders(skeleton: Skeleton, joints: list[str]):
    assert list(skeleton.joints) == joints
    assert skeleton.indices(joints) == list(range(len(joints)))


@every_skeleton
def test_both_sides_hang_alike(skeleton: Skeleton):
    for parent, child in skeleton.edges:
        if skeleton.joints[child] != "right_shoulder":  # may hang on the left one, as in COCO
            other = skeleton.parents[skeleton.mirror[child]]
            assert other in (skeleton.mirror[parent], -1)


def test_typical_bones_by_name():
    bones = dict(zip(H36M_17.joints[1:], H36M_17_TYPICAL_MM, strict=True))
    for side in ("left", "right"):
        leg = [bones[f"{side}_{joint}"] for joint in _LEG.split()]
        arm = [bones[f"{side}_{joint}"] for joint in _ARM.split()]
        assert (leg, arm) == ([132.9, 442.9, 454.2], [151.0, 278.9, 251.7])
    assert [bones[joint] for joint in ("spine", "thorax")] == [233.4, 257.1]
    assert [bones[joint] for joint in ("neck_nose", "head_top")] == [121.1, 115.0]


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
