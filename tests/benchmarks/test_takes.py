from __future__ import annotations

import numpy as np
import pytest
import takes

from ampose.geometry import bone_lengths
from ampose.metrics import bone_length_variation
from ampose.research.data.open_mocap import TEMPLATE_BONES
from ampose.skeletons import H36M_17
from tests.research.packs import walking, write_data


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "packs", **walking((80, 300, 40, 60)))


@pytest.fixture
def motion(data):
    return next(takes.motions("cmu-val", data))


def test_motions_are_cut_and_short_rests_left_out(data):
    lengths = [len(motion.joints) for motion in takes.motions("cmu-val", data)]
    assert lengths == [250, 50]


def test_the_world_is_y_up(motion):
    head = motion.joints[:, H36M_17.index("head_top")] - motion.joints[:, 0]
    assert (head[:, 1] > 0.3).all()


def test_template_bones(data):
    for motion in takes.motions("cmu-val", data, bones="template"):
        assert bone_lengths(motion.joints, H36M_17) == pytest.approx(
            np.broadcast_to(TEMPLATE_BONES, (len(motion.joints), 16))
        )


@pytest.mark.parametrize("seed", range(5))
def test_a_camera_sees_all_of_a_motion(motion, seed):
    take = takes.filmed(motion, np.random.default_rng(seed))
    assert (take.keypoints >= 0).all()
    assert (take.keypoints <= take.camera.size).all()
    assert bone_length_variation(take.joints, H36M_17) == pytest.approx(0, abs=0.1)


def test_detected_keypoints_are_near_and_some_are_missing(motion):
    rng = np.random.default_rng(0)
    take = takes.filmed(motion, rng)
    found = take.detected(rng)
    side = np.ptp(take.keypoints, axis=1).max(-1)[:, None, None]
    assert np.nanstd((found - take.keypoints) / side) == pytest.approx(0.0143, abs=0.001)
    assert np.isnan(found).mean() == pytest.approx(0.02, abs=0.01)
