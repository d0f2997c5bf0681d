from __future__ import annotations

import numpy as np
import pytest
import torch

from ampose.research.evaluation.open_protocol import NetworkLifter
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.videopose3d import VideoPose3DConfig
from ampose.research.models.zoo import build
from ampose.research.training.inference import torch_lifter
from tests.research.training.runs import TINY


@pytest.mark.parametrize(
    "config", [TINY.model, MartinezConfig(width=16, channels=3)], ids=["ampose", "martinez"]
)
@pytest.mark.parametrize("batch", [1, 3, 512])
def test_is_the_model_in_evaluation_mode(config, batch: int) -> None:
    model = build(config).train()
    inputs = np.random.default_rng(0).normal(size=(7, 17, 3))
    joints = torch_lifter(model, batch=batch)(inputs)
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(inputs).float()[:, None]).numpy()
    assert (joints.shape, joints.dtype) == ((7, 17, 3), np.float32)
    np.testing.assert_allclose(joints, expected, atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        AMPoseConfig(depth=1, width=16, frames=3, channels=3),
        VideoPose3DConfig(width=16, filters=(3, 3), frames=9, channels=3),
    ],
    ids=["ampose", "videopose3d"],
)
def test_a_network_of_several_frames_takes_windows(config) -> None:
    model = build(config).train()
    inputs = np.random.default_rng(0).normal(size=(7, config.frames, 17, 3))
    lift = torch_lifter(model, batch=3)
    assert isinstance(lift, NetworkLifter)
    assert lift.frames == config.frames
    joints = lift(inputs)
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(inputs).float()).numpy()
    assert (joints.shape, joints.dtype) == ((7, 17, 3), np.float32)
    np.testing.assert_allclose(joints, expected, atol=1e-5)
