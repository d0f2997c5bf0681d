from __future__ import annotations

import numpy as np

from ampose.cameras import Camera
from ampose.lifting.sequence import lifted_sequence


def test_a_joint_is_valid_with_all_its_coordinates():
    joints = np.zeros((2, 1, 17, 3), np.float32)
    joints[0, 0, 4] = joints[1, 0, 9, 1] = np.nan
    sequence = lifted_sequence(
        joints=joints,
        root=np.zeros((2, 1, 3), np.float32),
        sigma=np.full_like(joints, np.nan),
        keypoints=np.full((2, 1, 17, 2), 5, np.float32),
        scores=np.ones((2, 1, 17), np.float32),
        ids=np.array([3]),
        times=np.arange(2.0),
        cameras=[Camera.assumed((10, 10))],
        height=1.8,
    )
    assert np.argwhere(~sequence.valid).tolist() == [[0, 0, 4], [1, 0, 9]]
    assert "1.8 m tall" in sequence.warnings[0]
