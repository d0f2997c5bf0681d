from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import cost, count_parameters
from ampose.research.models.videopose3d import Convolution, VideoPose3D, VideoPose3DConfig
from tests.research.models.contract import LifterContract
from tests.research.models.written_out import at_random, dropouts

SMALL = VideoPose3DConfig(width=16, channels=3)
SMALL_27 = replace(SMALL, frames=27, filters=(3, 3, 3), channels=2)


class TestVideoPose3D(LifterContract):
    config = SMALL
    impossible = (
        ({"filters": ()}, r"filters must be odd numbers of frames, got \(\)"),
        ({"filters": (2, 3), "frames": 6}, r"odd numbers of frames, got \(2, 3\)"),
        ({"filters": (-3, -3), "frames": 9}, r"odd numbers of frames, got \(-3, -3\)"),
        ({"frames": 27}, r"product of filters \(1, 1, 1\) must be frames, 27"),
        ({"filters": (3, 3)}, r"product of filters \(3, 3\) must be frames, 1"),
        ({"dropout": 1.5}, "dropout must be at least 0 and below 1, got 1.5"),
    )


class TestVideoPose3DOf27Frames(LifterContract):
    config = SMALL_27


class TestVideoPose3DOf15Frames(LifterContract):
    config = replace(SMALL, frames=15, filters=(3, 5))


def published(frames: int) -> VideoPose3D:
    depth = {1: 3, 27: 3, 81: 4, 243: 5}[frames]
    filters = (1 if frames == 1 else 3,) * depth
    with torch.device("meta"):
        return VideoPose3D(VideoPose3DConfig(frames=frames, filters=filters))


@pytest.mark.parametrize(
    ("frames", "count", "printed"),
    [(27, 8_555_571, "8.56"), (81, 12_753_971, "12.75"), (243, 16_952_371, "16.95")],
)
def test_parameters_are_the_published_ones(frames: int, count: int, printed: str) -> None:
    assert count_parameters(published(frames)) == count
    assert f"{count / 1e6:.2f}" == printed  # table 5 of the paper, from memory


def test_parameters_of_the_single_frame_model() -> None:
    # 34 -> 1024, four 1024 -> 1024, 1024 -> 51, only it with bias; five norms' pairs of 1024.
    expected = 34 * 1024 + 4 * 1024 * 1024 + (1024 + 1) * 51 + 5 * 2 * 1024
    model = VideoPose3D(VideoPose3DConfig())
    assert count_parameters(model) == count_parameters(published(1)) == expected == 4_291_635


@pytest.mark.parametrize(("frames", "printed"), [(27, "17.09"), (81, "25.48"), (243, "33.87")])
def test_operations_per_frame_of_a_long_video(frames: int, printed: str) -> None:
    """Every weight is used once per frame there, in a product and a sum: table 5."""
    maps = [m for m in published(frames).modules() if isinstance(m, nn.Linear)]
    assert f"{2 * sum(m.weight.numel() for m in maps) / 1e6:.2f}" == printed


def test_operations_for_one_pose() -> None:
    model = VideoPose3D(VideoPose3DConfig(frames=27, filters=(3, 3, 3)))
    columns = 9 * 3 * 34 * 1024 + (3 + 1) * 4 * 1024**2 + 1024 * 51  # 27 -> 9 -> 3 -> 1 frames
    assert cost(model).all_macs == columns == 17_769_472
    with FlopCounterMode(display=False) as independent:
        model(torch.zeros(2, 27, 17, 2))
    assert independent.get_total_flops() == 2 * 2 * columns


def dilated(model: VideoPose3D, x: torch.Tensor) -> torch.Tensor:
    """The network as the paper draws it: (B, T, J, channels) to (B, T - frames + 1, J, 3)."""

    def step(z: torch.Tensor, layer: Convolution, dilation: int) -> torch.Tensor:
        weight = layer.linear.weight.unflatten(1, (-1, z.shape[1])).transpose(1, 2)
        return torch.relu(layer.norm(F.conv1d(z, weight, dilation=dilation)))

    first, *others = model.config.filters
    z = step(x.flatten(2).transpose(1, 2), model.start, 1)
    dilation = first
    for width, block in zip(others, model.blocks, strict=True):
        margin = dilation * (width - 1) // 2
        inner = step(step(z, block.wide, dilation), block.narrow, 1)
        z = z[:, :, margin : z.shape[2] - margin] + inner
        dilation *= width
    return model.head(z.transpose(1, 2)).unflatten(2, (model.joints, 3))


@pytest.mark.parametrize("filters", [(3, 3, 3), (3, 5), (5, 3), (7,), (1, 1, 1), (3, 1)])
def test_strides_give_the_numbers_of_dilated_convolutions(filters) -> None:
    frames = math.prod(filters)
    model = at_random(VideoPose3D(replace(SMALL, frames=frames, filters=filters)))
    video = torch.randn(2, frames + 4, 17, 3)
    poses = dilated(model, video)
    assert poses.shape == (2, 5, 17, 3)
    for start in range(5):
        torch.testing.assert_close(model(video[:, start : start + frames]), poses[:, start])


def test_the_middle_frame_skips_the_convolutions() -> None:
    model = VideoPose3D(replace(SMALL_27, filters=(1, 3, 9))).eval()
    for block in model.blocks:
        nn.init.zeros_(block.narrow.norm.weight)
    x = torch.randn(1, 27, 17, 2)
    other = x.clone()
    other[:, :13], other[:, 14:] = 0, 1
    assert torch.equal(model(x), model(other))
    other[:, 13] = 0
    assert not torch.allclose(model(x), model(other))


def test_dropout_follows_every_convolution_but_the_last() -> None:
    assert dropouts(VideoPose3D(VideoPose3DConfig())) == [0.25] * 5
