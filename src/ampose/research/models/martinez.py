"""The residual multilayer perceptron of Martinez et al.: the floor every lifter must beat.

Reference: J. Martinez, R. Hossain, J. Romero, J. J. Little, "A simple yet effective baseline for
3D human pose estimation", ICCV 2017. Linear layer, then two residual blocks of two linear layers,
each with batch normalisation, ReLU and dropout 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class MartinezConfig:
    """Shape of the network; the defaults are the paper's, with one frame of 2D input."""

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
