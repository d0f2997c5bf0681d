from __future__ import annotations

import re

import numpy as np
import pytest

from ampose.cameras import Camera
from ampose.poses import FramePoses, Pose2D, PoseSequence
from ampose.skeletons import COCO_17, H36M_16, H36M_17, Skeleton

FRAMES, PEOPLE = 3, 2


def pose2d(**changes):
    fields = {
        "keypoints": np.zeros((17, 2), np.float32),
        "scores": np.ones(17, np.float32),
        "box": np.array([0, 0, 10, 20], np.float32),
        "skeleton": COCO_17,
    }
    return Pose2D(**{**fields, **changes})


def sequence(skeleton: Skeleton = H36M_17, cameras: int = 1, **changes):
    lead = (FRAMES, PEOPLE, len(skeleton))
    fields = {
        "joints": np.zeros((*lead, 3), np.float32),
        "root": np.zeros((FRAMES, PEOPLE, 3), np.float32),
        "sigma": np.full((*lead, 3), np.nan, np.float32),
        "keypoints": np.zeros((*lead, 2), np.float32),
        "scores": np.ones(lead, np.float32),
        "valid": np.ones(lead, bool),
        "ids": np.arange(PEOPLE),
        "times": np.arange(FRAMES) / 30,
        "cameras": [Camera.assumed((100 + i, 50)) for i in range(cameras)],
        "skeleton": skeleton,
    }
    return PoseSequence(**{**fields, **changes})


def test_seen_needs_both_coordinates():
    keypoints = np.zeros((17, 2), np.float32)
    keypoints[3] = np.nan
    keypoints[5, 1] = np.nan
    keypoints[7, 0] = np.inf
    assert np.flatnonzero(~pose2d(keypoints=keypoints).seen).tolist() == [3, 5, 7]


def test_a_joint_of_a_frame_is_valid_with_all_coordinates():
    poses = sequence()
    joints = poses.joints[0].copy()
    joints[0, 3], joints[1, 5, 1] = np.nan, np.nan
    image = np.zeros((50, 100, 3), np.uint8)
    rest = poses.root[0], poses.sigma[0], poses.keypoints[0], poses.scores[0]
    frame = FramePoses(0, 0.0, "a", image, poses.camera(0), poses.ids, joints, *rest)
    assert np.argwhere(~frame.valid).tolist() == [[0, 3], [1, 5]]


@pytest.mark.parametrize(
    ("field", "shape", "wanted"),
    [
        ("keypoints", (17, 3), "(17, 2)"),
        ("keypoints", (16, 2), "(17, 2)"),
        ("scores", (17, 1), "(17,)"),
        ("box", (2, 2), "(4,)"),
    ],
)
def test_pose2d_refuses_a_wrong_shape(field, shape, wanted):
    message = re.escape(f"{field} must have shape {wanted}, got {shape}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        pose2d(**{field: np.zeros(shape, np.float32)})


def test_counts_come_from_the_arrays():
    poses = sequence()
    assert (poses.frame_count, poses.person_count) == (3, 2)
    assert (poses.provenance, poses.warnings) == ({}, ())


def test_no_frames_and_nobody_are_poses_too():
    nobody = {
        name: np.zeros(shape)
        for name, shape in {
            "joints": (0, 0, 17, 3), "root": (0, 0, 3), "sigma": (0, 0, 17, 3),
            "keypoints": (0, 0, 17, 2), "scores": (0, 0, 17), "valid": (0, 0, 17),
            "ids": (0,), "times": (0,),
        }.items()
    }  # fmt: skip
    assert sequence(**nobody).frame_count == 0


@pytest.mark.parametrize(
    "field",
    ["joints", "root", "sigma", "keypoints", "scores", "valid", "filled", "repaired", "world"],
)
def test_sequence_refuses_a_wrong_shape(field):
    good = getattr(sequence(), field)
    for bad in (good[:, :1], good[:2], good[..., :1]):
        with pytest.raises(ValueError, match=rf"^{field} must have shape \(3, 2, .*\), got \("):
            sequence(**{field: bad})


def test_sequence_follows_its_skeleton():
    assert sequence(H36M_16).joints.shape == (3, 2, 16, 3)
    with pytest.raises(ValueError, match="joints must have shape"):
        sequence(H36M_16, joints=sequence().joints)


def test_one_camera_or_one_per_frame():
    assert [sequence().camera(f).size[0] for f in range(3)] == [100, 100, 100]
    assert [sequence(cameras=3).camera(f).size[0] for f in range(3)] == [100, 101, 102]
    for wrong in (0, 2, 4):
        with pytest.raises(ValueError, match=f"one camera or 3 needed, got {wrong}"):
            sequence(cameras=wrong)


def test_only_some_people():
    told = {"people": [{"id": 4, "swaps": 1}, {"id": 7, "swaps": 2}], "other": 3}
    joints = np.arange(FRAMES * PEOPLE * 17 * 3, dtype=np.float32).reshape(FRAMES, PEOPLE, 17, 3)
    second = sequence(joints=joints, quality=told, ids=np.array([4, 7])).only([1])
    assert second.ids.tolist() == [7]
    np.testing.assert_array_equal(second.joints[:, 0], joints[:, 1])
    assert second.quality == {"people": [{"id": 7, "swaps": 2}], "other": 3}
    assert sequence().only([]).joints.shape == (FRAMES, 0, 17, 3)
