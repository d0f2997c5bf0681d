"""The residual multilayer perceptron of Martinez et al.: the floor every lifter must beat.

References:
    [1] J. Martinez, R. Hossain, J. Romero, J. J. Little, "A simple yet effective baseline for 3D
        human pose estimation", ICCV 2017.
    [2] una-dinosauria/3d-pose-baseline (MIT, TensorFlow), read for facts.
    [3] garyzhao/SemGCN (Apache 2.0), which trains this network too.

Known from [1]: a linear layer to 1,024 channels, two residual blocks of two linear layers, each of
the five with batch normalisation, ReLU and dropout 0.5, and a linear layer to the joints.

Left out: [1] and [2] scale the norm of every matrix down to at most 1, begin with Kaiming's
weights, and standardise both poses (each coordinate less its mean, over its deviation); 16 joints
go in, all but the nose, and 16 come out, all but the root. Here all joints go in and come out, and
maps begin as torch begins linear layers.

Parameters: 4,296,755 at 17 joints. [2] has as many as ours at 16 joints, 4,291,632; [3] prints
4.29 M for its version, which has no root.

Our choice: several frames are more numbers at the input, as the thesis does (section 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class MartinezConfig:
    """Shape of the network. The defaults are the paper's, but for the joints.

    Attributes:
        width: channels.
        blocks: residual blocks of two layers.
        dropout: after each layer but the last, in training.
        frames: T, input frames.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    width: int = 1024
    blocks: int = 2
    dropout: float = 0.5
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class Martinez(nn.Module):
    """(B, T, J, channels) to (B, J, 3)."""

    def __init__(self, config: MartinezConfig) -> None:
        super().__init__()
        self.config = config
        self.joints = len(get_skeleton(config.skeleton))
        width = config.width
        inputs = self.joints * config.frames * config.channels
        self.start = self._layer(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(self._layer(width, width), self._layer(width, width))
            for _ in range(config.blocks)
        )
        self.head = nn.Linear(width, self.joints * 3)

    def _layer(self, inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(inputs, outputs),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Dropout(self.config.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        z = self.start(x.flatten(1))
        for block in self.blocks:
            z = z + block(z)
        out: Tensor = self.head(z)
        return torch.unflatten(out, 1, (self.joints, 3))
