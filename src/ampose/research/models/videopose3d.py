"""VideoPose3D: a residual network of temporal convolutions over flattened poses.

References:
    [1] D. Pavllo, C. Feichtenhofer, D. Grangier, M. Auli, "3D human pose estimation in video with
        temporal convolutions and semi-supervised training", CVPR 2019, section 3 and figure 2.
    [2] facebookresearch/VideoPose3D: its documentation, and issue 20, where the first author says
        that the paper's single-frame model has the filter widths 1, 1, 1.

Known: a convolution over all joints' coordinates, then one residual block per further filter
width (a convolution of that width, a convolution of width 1), 1,024 channels, batch normalisation,
ReLU and dropout 0.25 after each convolution, the block's input at the middle of its window added
after that, and a convolution of width 1 to the joints. Convolutions are not padded, their dilation
is the product of the widths before them, and only the last one has a bias.

For one pose out of T frames only every w-th position of a dilated convolution of width w is used,
and a stride of w computes just those: so [2] trains, and so it is written here. The numbers are
the same.

Published are 8.56 M parameters for 27 frames, 12.75 M for 81 and 16.95 M for 243, and 17.09,
25.48 and 33.87 M floating-point operations for each frame of a long video, which shares all but
one column of every layer (table 5 of [1], from memory); here the same, 8,555,571 · 12,753,971 ·
16,952,371 parameters. The single-frame model has 4,291,635; a figure for it was not published.

Left out: the causal variant and the semi-supervised training. Our choice: momentum of the batch
normalisation stays at 0.1, where [1] decays it to 0.001 during training; a running average of the
weights serves the same end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class VideoPose3DConfig:
    """Shape of the network. The defaults are the paper's single-frame model.

    Attributes:
        width: channels.
        filters: frames that the first convolution and each block's look at; ``(3, 3, 3)`` are
            27 frames, and every further 3 triples them. Their product is `frames`.
        dropout: after each convolution but the last, in training.
        frames: T, input frames.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    width: int = 1024
    filters: tuple[int, ...] = (1, 1, 1)
    dropout: float = 0.25
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        object.__setattr__(self, "filters", tuple(self.filters))  # a weights file holds a list
        if not self.filters or any(width < 1 or width % 2 == 0 for width in self.filters):
            raise ValueError(f"filters must be odd numbers of frames, got {self.filters}")
        if math.prod(self.filters) != self.frames:
            raise ValueError(
                f"the product of filters {self.filters} must be frames, {self.frames}; "
                f"27 frames are filters (3, 3, 3)"
            )
        refuse_impossible(self)


class VideoPose3D(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame.

    Inside, all frames of a batch are rows, (B * T, C), those of a pose one after another.
    """

    def __init__(self, config: VideoPose3DConfig) -> None:
        super().__init__()
        self.config = config
        self.joints = len(get_skeleton(config.skeleton))
        first, *others = config.filters
        self.start = Convolution(self.joints * config.channels, first, config)
        self.blocks = nn.ModuleList(TemporalBlock(frames, config) for frames in others)
        self.head = nn.Linear(config.width, self.joints * 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        rows = self.start(x.flatten(2).flatten(0, 1))
        for block in self.blocks:
            rows = block(rows)
        return torch.unflatten(self.head(rows), 1, (self.joints, 3))


class TemporalBlock(nn.Module):
    """A residual block: (B * T, C) to (B * T / filter, C)."""

    def __init__(self, frames: int, config: VideoPose3DConfig) -> None:
        super().__init__()
        self.frames = frames
        self.wide = Convolution(config.width, frames, config)
        self.narrow = Convolution(config.width, 1, config)

    def forward(self, rows: Tensor) -> Tensor:
        """(B * T, C) to (B * T / filter, C)."""
        middle = rows[self.frames // 2 :: self.frames]
        out: Tensor = middle + self.narrow(self.wide(rows))
        return out


class Convolution(nn.Module):
    """Convolution whose stride is its width, normalisation, ReLU and dropout."""

    def __init__(self, inputs: int, frames: int, config: VideoPose3DConfig) -> None:
        super().__init__()
        self.window = frames * inputs
        # Windows do not overlap, so it is one linear map of each: five times as fast on a CPU.
        self.linear = nn.Linear(self.window, config.width, bias=False)
        self.norm = nn.BatchNorm1d(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, rows: Tensor) -> Tensor:
        """(B * T, inputs) to (B * T / frames, C)."""
        windows = rows.reshape(-1, self.window)
        out: Tensor = self.dropout(torch.relu(self.norm(self.linear(windows))))
        return out
