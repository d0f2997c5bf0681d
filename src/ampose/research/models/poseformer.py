"""PoseFormer: a transformer over the joints of each frame, then one over the frames.

References:
    [1] C. Zheng, S. Zhu, M. Mendieta, T. Yang, C. Chen, Z. Ding, "3D Human Pose Estimation with
        Spatial and Temporal Transformers", ICCV 2021, section 3 and table 6.
    [2] zczcwh/PoseFormer, read for facts.

Known: each joint of each frame is mapped to 32 channels; four pre-norm encoders mix the joints of
a frame, with weights shared by all frames; then a frame is one token of J · 32 channels, and four
such encoders mix the frames; a learned weighted mean over frames, layer normalisation and a linear
map give the pose of the middle frame. One position embedding, of joints or frames, before each of
the two, zero at first. 8 heads, hidden width twice the token's, GELU, biases throughout, no
dropout, stochastic depth rising to 0.1 in either half.

Published (table 6, which we know from memory only) are 9.60 M parameters for 81 frames; here
9,602,885. For 9 and 27 frames it has 9.58 and 9.59 M if we remember well; here 9,563,645 and
9,573,455, as only the embedding and the mean of frames depend on T, with 545 numbers per frame.
Its operations (1,358 M for 81 frames) were computed by hand (issue 3 of [2]), and readers could
not derive them (issue 15); here 812.3 M multiply-accumulates of linear maps for 81 frames and
34.5 M of attention.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.research.models.transformer import EPSILON, TransformerBlock, rising
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class PoseFormerConfig:
    """Shape of the network. The defaults are the paper's model of 81 frames.

    Attributes:
        depth: encoders of joints, and as many of frames.
        width: channels of a joint; a frame has as many for each joint.
        heads: attention heads, in both.
        dropout: after position embeddings, attention and in the MLPs, in training.
        drop_path: of the last encoder's branches, in training; the first one's is 0.
        frames: T, input frames; the paper has 9, 27 and 81.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    depth: int = 4
    width: int = 32
    heads: int = 8
    dropout: float = 0.0
    drop_path: float = 0.1
    frames: int = 81
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)
        if self.frames < 3:
            raise ValueError(
                f"frames must be at least 3, so that there are others, got {self.frames}"
            )


class PoseFormer(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: PoseFormerConfig) -> None:
        super().__init__()
        self.config = config
        self.joints = len(get_skeleton(config.skeleton))
        self.embed = nn.Linear(config.channels, config.width)
        self.of_joints = Transformer(self.joints, config.width, config)
        self.of_frames = Transformer(config.frames, self.joints * config.width, config)
        self.mean = nn.Linear(config.frames, 1)
        self.head = nn.Sequential(
            nn.LayerNorm(self.joints * config.width),
            nn.Linear(self.joints * config.width, self.joints * 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        joints = self.of_joints(self.embed(x))  # (B, T, J, C)
        frames = self.of_frames(joints.flatten(2))  # (B, T, J * C)
        middle = self.mean(frames.transpose(1, 2)).squeeze(2)
        return torch.unflatten(self.head(middle), 1, (self.joints, 3))


class Transformer(nn.Module):
    """Position embedding, encoders and a last normalisation: (..., N, C) to (..., N, C)."""

    def __init__(self, tokens: int, width: int, config: PoseFormerConfig) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(tokens, width))
        self.dropout = nn.Dropout(config.dropout)
        self.encoders = nn.ModuleList(
            TransformerBlock(
                width, config.heads, 2 * width, dropout=config.dropout, drop_path=rate
            )
            for rate in rising(config.drop_path, config.depth)
        )
        self.norm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """(..., N, C) to (..., N, C)."""
        x = self.dropout(x + self.position)
        for encoder in self.encoders:
            x = encoder(x)
        out: Tensor = self.norm(x)
        return out
