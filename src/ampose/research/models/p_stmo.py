"""P-STMO: an MLP for each frame, a transformer along time, an aggregator of many frames to one.

Reference: W. Shan, Z. Liu, X. Zhang, S. Wang, S. Ma, W. Gao, "P-STMO: Pre-Trained Spatial Temporal
Many-to-One Model for 3D Human Pose Estimation", ECCV 2022; the thesis's "Shan et al." of table
4.5, with 81 frames and 5.4 M parameters. That is the small P-STMO-S (depth 3), the only one that
the authors train on MPI-INF-3DHP; P-STMO has depth 4.

Known from the paper's abstract: spatial encoding by an MLP block, a many-to-one aggregator, the
pre-training. Known from the authors' program (paTRICK-swk/P-STMO, MIT; its model read in a copy):
temporal encoding by a plain transformer, an aggregator of the strided layers of W. Li et al.,
"Exploiting Temporal Contexts with Strided Transformer for 3D Human Pose Estimation", IEEE TMM
2023; width 256, hidden 512, strides of 3 until one frame is left; an MLP to 2C with BatchNorm and
leaky ReLU (0.2), one residual block of two such layers, linear to C; dropout 0.1; a head of
BatchNorm and a linear map. Inferred from the Strided Transformer's program
(Vegetebird/StridedTransformer-Pose3D, MIT), whose layers it reuses: pre-norm, ReLU, 8 heads,
dropout 0.1 also on attention weights, no final norm, positions drawn from the standard normal
distribution, convolutions padded by 1 and a residual that keeps every third frame, from the first;
so what does not pass through attention comes from the frames up to the middle one. Our choices:
every strided layer has its own positions, one per frame that it sees (that program has three
tables of T positions, for the first three layers, and none for a fourth or fifth, so 81 frames
differ in one layer); 9 frames pass two strided layers (P-STMO's program has one of stride 1 before
them); the LayerNorms are the usual ones (the program's divide by the unbiased deviation).

Left out: the masked pre-training (masked frames and joints are filled in by a decoder that is
thrown away afterwards), which the paper reports to lower the error, and the second head that
supervises the poses of all frames after the transformer in training (13,619 parameters).

Count, at 17 joints: 5,481,011 parameters with 81 frames. thop, which the authors call (0.0.31
here), finds 5,436,006 in the network with both heads, because it leaves out LayerNorms and
positions; the thesis prints 5.4 M. Cost: thop finds 246,517,590 multiply-accumulates, with biases,
BatchNorms and leaky ReLUs and without attention products. The thesis's 493 M, unlike its figure
for AMPose, count each as 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.research.models.transformer import EPSILON, SelfAttention, TransformerBlock
from ampose.skeletons import get_skeleton

STRIDE = 3


@dataclass(frozen=True)
class PSTMOConfig:
    """Shape of the network; the defaults are P-STMO-S with the 81 frames of table 4.5.

    Attributes:
        depth: layers of the temporal transformer: 3 in P-STMO-S, 4 in P-STMO.
        width: C, channels of a frame.
        hidden: hidden width of the MLPs of both kinds of transformer layer.
        heads: attention heads.
        dropout: in training.
        frames: T, input frames, a power of 3; every strided layer leaves a third.
        channels: numbers per joint and frame at the input: 2 in the paper; 3 with a mask.
        skeleton: name of the joint set.
    """

    depth: int = 3
    width: int = 256
    hidden: int = 512
    heads: int = 8
    dropout: float = 0.1
    frames: int = 81
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)
        if self.frames not in (STRIDE**n for n in range(1, 9)):
            raise ValueError(
                f"frames must be a power of 3, as 9, 27, 81 or 243, got {self.frames}"
            )


class PSTMO(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: PSTMOConfig) -> None:
        super().__init__()
        self.config = config
        self.joints = len(get_skeleton(config.skeleton))
        self.spatial = SpatialMLP(self.joints * config.channels, config)
        self.position = nn.Parameter(torch.randn(config.frames, config.width))
        self.temporal = nn.Sequential(
            *(
                TransformerBlock(
                    config.width,
                    config.heads,
                    config.hidden,
                    dropout=config.dropout,
                    attention_dropout=config.dropout,
                    activation=nn.ReLU,
                )
                for _ in range(config.depth)
            )
        )
        self.aggregate = nn.Sequential()
        frames = config.frames
        while frames > 1:
            self.aggregate.append(StridedLayer(frames, config))
            frames //= STRIDE
        self.norm = nn.BatchNorm1d(config.width)
        self.head = nn.Linear(config.width, self.joints * 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        z = self.spatial(x.flatten(2)) + self.position  # (B, T, C)
        z = self.aggregate(self.temporal(z)).squeeze(1)  # (B, C)
        out: Tensor = self.head(self.norm(z))
        return torch.unflatten(out, 1, (self.joints, 3))


class SpatialMLP(nn.Module):
    """All joints of a frame become one token: (B, T, inputs) to (B, T, C)."""

    def __init__(self, inputs: int, config: PSTMOConfig) -> None:
        super().__init__()
        width = config.width
        self.start = self._layer(inputs, 2 * width, config.dropout)
        self.block = nn.Sequential(
            self._layer(2 * width, 2 * width, config.dropout),
            self._layer(2 * width, 2 * width, config.dropout),
        )
        self.end = nn.Linear(2 * width, width)

    @staticmethod
    def _layer(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(inputs, outputs),
            nn.BatchNorm1d(outputs),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, inputs) to (B, T, C)."""
        z = self.start(x.flatten(0, 1))  # BatchNorm is over frames and samples
        out: Tensor = self.end(z + self.block(z))
        return torch.unflatten(out, 0, x.shape[:2])


class StridedLayer(nn.Module):
    """A transformer layer whose MLP ends in a strided convolution: (B, n, C) to (B, n / 3, C)."""

    def __init__(self, frames: int, config: PSTMOConfig) -> None:
        super().__init__()
        width, hidden = config.width, config.hidden
        self.position = nn.Parameter(torch.randn(frames, width))
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attention = SelfAttention(width, config.heads, config.dropout)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.widen = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(config.dropout))
        self.reduce = nn.Conv1d(hidden, width, kernel_size=3, stride=STRIDE, padding=1)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, C) to (B, n / 3, C)."""
        x = x + self.position
        x = x + self.dropout(self.attention(self.norm1(x)))
        reduced = self.reduce(self.widen(self.norm2(x)).transpose(1, 2)).transpose(1, 2)
        out: Tensor = x[:, ::STRIDE] + self.dropout(reduced)
        return out
