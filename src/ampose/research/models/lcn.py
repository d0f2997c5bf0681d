"""LCN, the locally connected network: every joint has filters of its own over its neighbourhood.

References:
    [1] H. Ci, C. Wang, X. Ma, Y. Wang, "Optimizing Network Structure for 3D Human Pose
        Estimation", ICCV 2019; longer in TPAMI 44(3), 2022.
    [2] CHUNYUWANG/lcn-pose (MIT, TensorFlow), read for facts.

Known from [2]: seven locally connected layers and a last one, the inner six in three residual
blocks of two, 64 channels at each joint. In a layer a joint is one linear map of all joints within
three steps of it, with a bias; no two joints share a map. Batch normalisation by channel (all
joints of a batch together), leaky ReLU of slope 0.2 and dropout 0.25 after each layer but the
last. A step is a bone, or one of four links that [2] adds: the spine to both hips and to both
shoulders.

We know of no printed parameter count. [2] stores each layer as a full matrix and masks it:
7,203,507 numbers at 17 joints. Of the 289 pairs of joints 175 are within three steps; here only
their numbers exist, 4,365,363.

Left out: [2] scales the norm of every matrix down to at most 1. Batch normalisation, after all
layers but the last, does not quite undo that, as its epsilon is 1e-3 there: when training starts,
what differs from pose to pose is about a quarter as large in their layers as in ours (simulated);
the learnt scale can make up for it. [2] also adds the input to the answer's x and y, which are
image coordinates there and metres here. The rule for the four links is ours (a joint named
``spine`` is linked to the sided neighbours of its neighbours); a skeleton without a spine has only
its bones.
Our choice: several frames are more numbers per joint, as the thesis does (section 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ampose.research.models.ampose import group_adjacency
from ampose.research.models.checks import refuse_impossible
from ampose.research.models.semgcn import ChannelNorm
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class LCNConfig:
    """Shape of the network. The defaults are the published ones.

    Attributes:
        width: channels of a joint.
        blocks: residual blocks of two layers.
        hops: steps along the skeleton to the farthest joint that a filter sees.
        dropout: after each layer but the last, in training.
        frames: T, input frames; a joint has ``channels * T`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    width: int = 64
    blocks: int = 3
    hops: int = 3
    dropout: float = 0.25
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)
        if self.hops < 0:
            raise ValueError(f"hops must not be negative, got {self.hops}")


class LCN(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: LCNConfig) -> None:
        super().__init__()
        self.config = config
        near, width = neighbourhoods(get_skeleton(config.skeleton), config.hops), config.width
        self.start = LCNLayer(near, config.channels * config.frames, config)
        self.blocks = nn.ModuleList(
            nn.Sequential(LCNLayer(near, width, config), LCNLayer(near, width, config))
            for _ in range(config.blocks)
        )
        self.head = LocallyConnected(near, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        z = self.start(x.transpose(1, 2).flatten(2))  # (B, J, C)
        for block in self.blocks:
            z = z + block(z)
        out: Tensor = self.head(z)
        return out


class LCNLayer(nn.Sequential):
    """A locally connected map, normalised and activated: (B, J, in) to (B, J, C)."""

    def __init__(self, near: list[list[int]], inputs: int, config: LCNConfig) -> None:
        super().__init__(
            LocallyConnected(near, inputs, config.width),
            ChannelNorm(config.width),
            nn.LeakyReLU(0.2),
            nn.Dropout(config.dropout),
        )


class LocallyConnected(nn.Module):
    """For each joint one linear map of the joints near it: (B, J, in) to (B, J, out).

    Args:
        near: for each joint the joints that its map sees.
        inputs: channels of a joint that go in.
        outputs: channels of a joint that come out.
    """

    sources: Tensor

    def __init__(self, near: list[list[int]], inputs: int, outputs: int) -> None:
        super().__init__()
        self.counts = [len(joints) for joints in near]
        sources = torch.tensor([joint for joints in near for joint in joints])
        self.register_buffer("sources", sources, persistent=False)
        self.maps = nn.ModuleList(nn.Linear(count * inputs, outputs) for count in self.counts)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, in) to (B, J, out)."""
        seen = torch.split(x[:, self.sources], self.counts, dim=1)
        outs = [linear(part.flatten(1)) for linear, part in zip(self.maps, seen, strict=True)]
        return torch.stack(outs, dim=1)


def neighbourhoods(skeleton: Skeleton, hops: int) -> list[list[int]]:
    """For each joint all joints within `hops` steps, itself among them, in joint order."""
    step = group_adjacency(skeleton).sum(0) > 0  # with self-loops
    if "spine" in skeleton.joints:
        spine = skeleton.index("spine")
        girdles = [joint for joint in range(len(skeleton)) if (step @ step)[spine, joint]]
        sided = [joint for joint in girdles if skeleton.side(joint) != "centre"]
        step[spine, sided] = step[sided, spine] = True
    within = np.linalg.matrix_power(step.astype(int), hops) > 0
    return [np.flatnonzero(row).tolist() for row in within]
