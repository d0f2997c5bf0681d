"""MixSTE: attention among the joints of a frame and along the course of a joint, in turn.

Reference: J. Zhang, Z. Tu, J. Yang, Y. Chen, J. Yuan, "MixSTE: Seq2seq Mixed Spatio-Temporal
Encoder for 3D Human Pose Estimation in Video", CVPR 2022; the "Zhang et al." of the thesis's table
4.5, with 1 and 27 frames. A spatial block, in which the joints of one frame are tokens, and a
temporal one, in which the frames of one joint are tokens, alternate over one width.

Known from the paper's abstract: the alternation and the poses of all frames. Known from the
authors' program (JinluZhang1126/MixSTE, no licence, read for facts): width 512, depth 8, 8 heads;
learned positions of joints and of frames before the first block of their kind only; pre-norm
blocks with qkv biases and an MLP of hidden width 2C with GELU; no dropout, stochastic depth rising
linearly to 0.1; positions that start at zero; one LayerNorm after every spatial block and one
after every temporal block, each the same weights at all depths; a head of LayerNorm and a linear
map.

Count, at 17 joints: 33,659,907 parameters with 1 frame, 33,673,219 with 27, 33,783,811 with 243;
the thesis prints 33.7 M. The multiply-accumulates agree with thop's 139.038 G for 243 frames, as a
user reports in the repository's issue 36: 243 times the 570,468,864 of the linear maps and 4 for
each of the 8,704 numbers of 49 LayerNorms, 33 of their own and 16 uses of the shared two.

The paper trains the network to give the poses of all T frames at once, with losses on their
velocities and weights by joint. Here it gives the middle one, so nothing teaches it the other
frames, which may cost accuracy. A pass costs T times 570 M multiply-accumulates in linear maps;
that is the cost of T poses in the paper's use, and of one pose here. The thesis's 645 M, the same
for 1 frame and for 27, can only be a figure per pose of the paper's use; this count does not give
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.research.models.transformer import EPSILON, TransformerBlock, rising
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class MixSTEConfig:
    """Shape of the network; the defaults are the paper's, with the 27 frames of table 4.5.

    Attributes:
        depth: pairs of spatial and temporal block.
        width: C, channels of a token.
        heads: attention heads.
        dropout: after attention and in the MLPs, in training.
        drop_path: probability of leaving out a residual branch of the last pair, in training;
            rises linearly from zero at the first.
        frames: T, input frames.
        channels: numbers per joint and frame at the input: 2 in the paper; 3 with a mask.
        skeleton: name of the joint set.
    """

    depth: int = 8
    width: int = 512
    heads: int = 8
    dropout: float = 0.0
    drop_path: float = 0.1
    frames: int = 27
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class MixSTE(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: MixSTEConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.embed = nn.Linear(config.channels, width)
        self.joint_positions = nn.Parameter(torch.zeros(len(get_skeleton(config.skeleton)), width))
        self.frame_positions = nn.Parameter(torch.zeros(config.frames, width))
        self.spatial = self._blocks()
        self.temporal = self._blocks()
        self.spatial_norm = nn.LayerNorm(width, eps=EPSILON)
        self.temporal_norm = nn.LayerNorm(width, eps=EPSILON)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3)

    def _blocks(self) -> nn.ModuleList:
        config = self.config
        return nn.ModuleList(
            TransformerBlock(
                config.width,
                config.heads,
                2 * config.width,
                dropout=config.dropout,
                drop_path=rate,
            )
            for rate in rising(config.drop_path, config.depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        z = self.embed(x) + self.joint_positions  # (B, T, J, C)
        for depth, (spatial, temporal) in enumerate(zip(self.spatial, self.temporal, strict=True)):
            z = self.spatial_norm(spatial(z)).transpose(1, 2)  # (B, J, T, C)
            if depth == 0:
                z = z + self.frame_positions
            z = self.temporal_norm(temporal(z)).transpose(1, 2)  # (B, T, J, C)
        out: Tensor = self.head(self.norm(z[:, self.config.frames // 2]))
        return out
