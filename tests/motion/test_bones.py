from __future__ import annotations

import numpy as np
import pytest

from ampose.geometry import bone_lengths
from ampose.motion import bones
from ampose.motion.bones import TYPICAL_BONES
from ampose.skeletons import H36M_17
from tests.motion.people import moving, other_body

EDGE = {H36M_17.joints[child]: edge for edge, (_, child) in enumerate(H36M_17.edges)}


def test_stature_by_hand():
    """Shin, thigh, trunk, neck and head of the typical body are 1.6237 m, the ankles 3.9 %."""
    assert bones.stature(TYPICAL_BONES) == pytest.approx(1.6237 / 0.961)
    longer = TYPICAL_BONES.copy()
    longer[EDGE["left_wrist"]] += 0.2  # arms do not count
    assert bones.stature(longer) == bones.stature(TYPICAL_BONES)
    longer[EDGE["left_ankle"]] += 0.2  # one leg counts half
    assert bones.stature(longer) == pytest.approx(1.7237 / 0.961)


def test_scaled_to_height_keeps_proportions():
    scaled = bones.scaled_to_height(TYPICAL_BONES, 1.9)
    assert bones.stature(scaled) == pytest.approx(1.9)
    np.testing.assert_allclose(scaled / TYPICAL_BONES, scaled[0] / TYPICAL_BONES[0])


@pytest.mark.parametrize("metres", [0, -1.7, np.nan, np.inf])
def test_a_height_must_be_positive(metres):
    with pytest.raises(ValueError, match="positive metres"):
        bones.scaled_to_height(TYPICAL_BONES, metres)


def test_other_side():
    for edge, other in enumerate(bones.OTHER_SIDE):
        child = H36M_17.edges[edge][1]
        assert H36M_17.edges[other][1] == H36M_17.mirror[child]


def test_with_lengths_keeps_directions():
    joints = moving(3)
    other = bones.with_lengths(joints, other_body())
    np.testing.assert_allclose(bones.unit_bones(other), bones.unit_bones(joints), atol=1e-12)
    np.testing.assert_allclose(bone_lengths(other, H36M_17), np.tile(other_body(), (3, 1)))
    assert not other[:, 0].any()


class TestLiftedLengths:
    def found(self, joints, scores=None, sigma=None):
        root = joints[:, 0]
        scores = np.ones(joints.shape[:2]) if scores is None else scores
        return bones.lifted_lengths(joints - joints[:, :1], root, scores, sigma)

    def test_of_constant_bones(self):
        np.testing.assert_allclose(self.found(moving(20, other_body())), other_body())

    def test_some_wrong_frames_do_not_count(self):
        joints = moving(20)
        joints[3:9] = joints[3:9, :1] + 1.5 * (joints[3:9] - joints[3:9, :1])
        np.testing.assert_allclose(self.found(joints), TYPICAL_BONES)

    def test_weak_scores_and_large_sigma_do_not_count(self):
        joints = moving(20)
        bad = np.arange(20) < 15
        joints[bad] = joints[bad, :1] + 1.5 * (joints[bad] - joints[bad, :1])
        scores = np.where(bad[:, None], 0.1, 1) * np.ones((20, 17))
        np.testing.assert_allclose(self.found(joints, scores), TYPICAL_BONES)
        sigma = np.where(bad[:, None, None], 0.3, 0.03) * np.ones((20, 17, 3))
        np.testing.assert_allclose(self.found(joints, None, sigma), TYPICAL_BONES)
        np.testing.assert_allclose(self.found(joints), 1.5 * TYPICAL_BONES)

    @pytest.mark.parametrize("joint", ["elbow", "wrist"])
    def test_a_bone_is_as_sure_as_the_less_sure_of_its_ends(self, joint):
        joints = moving(20)
        unsure = np.zeros((20, 17), bool)
        for side in ("left", "right"):
            elbow, wrist, end = H36M_17.indices(f"{side}_{n}" for n in ("elbow", "wrist", joint))
            joints[:15, wrist] += 0.5 * (joints[:15, wrist] - joints[:15, elbow])
            unsure[:15, end] = True
        sigma = np.where(unsure, 0.3, 0.03)[..., None] * np.ones(3)
        for found in (
            self.found(joints, np.where(unsure, 0.1, 1)),
            self.found(joints, None, sigma),
        ):
            np.testing.assert_allclose(found, TYPICAL_BONES)

    def test_frames_without_a_place_and_sigmas_of_nothing_do_not_count(self):
        joints = moving(9)
        root = joints[:, 0].copy()
        pose = joints - joints[:, :1]
        pose[:5] *= 1.5
        root[:3], root[3:5] = np.nan, 0
        found = bones.lifted_lengths(pose, root, np.ones((9, 17)), np.zeros((9, 17, 3)))
        np.testing.assert_allclose(found, TYPICAL_BONES)

    def test_a_bone_across_the_ray_counts_more_than_one_along_it(self):
        """Forearms: wrong in three frames where they point at the camera, right in two."""
        joints = moving(5)
        for side in ("left", "right"):
            elbow, wrist = H36M_17.indices((f"{side}_elbow", f"{side}_wrist"))
            joints[:3, wrist] = joints[:3, elbow] - [0, 0, 0.4]
            joints[3:, wrist] = joints[3:, elbow] - [0, 0.25, 0]
        found = self.found(joints)
        assert found[EDGE["left_wrist"]] == pytest.approx(0.25)

    def test_left_is_right(self):
        joints = moving(9)
        for wrist, elbow in ((13, 12), (16, 15)):
            bone = joints[:, wrist] - joints[:, elbow]
            joints[:, wrist] = joints[:, elbow] + bone * (1.1 if wrist == 13 else 0.9)
        found = self.found(joints)
        assert found[EDGE["left_wrist"]] == found[EDGE["right_wrist"]]

    @pytest.mark.parametrize("frames", [0, 1, 4])
    def test_nobody(self, frames):
        assert self.found(np.full((frames, 17, 3), np.nan)) is None

    def test_joints_that_are_never_seen_have_a_length_all_the_same(self):
        joints = moving(3)
        scores = np.ones((3, 17))
        for elbow, wrist in ((12, 13), (15, 16)):
            scores[:, wrist] = 0
            forearm = joints[:, wrist] - joints[:, elbow]
            joints[:, wrist] = joints[:, elbow] + [[0.9], [1.0], [1.1]] * forearm
        np.testing.assert_allclose(self.found(joints, scores), TYPICAL_BONES)
