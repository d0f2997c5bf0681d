"""JointFormer: a single-frame transformer over joints that feeds its estimates back.

References:
    [1] S. Lutz, R. Blythman, K. Ghosal, M. Moynihan, C. Simms, A. Smolic, "Jointformer:
        Single-Frame Lifting Transformer with Error Prediction and Refinement for 3D Human Pose
        Estimation", ICPR 2022.
    [2] seblutz/JointFormer, read for facts: its README gives the commands that made the published
        weights.

Known: joints are tokens; four encoders of width 64 as in the original transformer (normalised
after each residual; ReLU; no bias in attention; 8 heads of 64 each, so 512 in all; hidden width
512); no position embedding in the published commands, so only the pose maps tell joints apart.
After each encoder a layer normalisation and one linear map of all tokens together give a pose;
another map takes that pose back to the tokens, and the encoder's input is added to both before a
ReLU. The last encoder's pose is the answer. Dropout 0.2 before the pose maps, 0.1 on attention
weights (a default that no option of [2] reaches) and none elsewhere.

Left out: the maps that predict each pose's error, which only the loss and the separate refinement
network use, and that network itself; the paper finds both helpful, so accuracy may fall short of
its. Also the way back from the last pose, which leads nowhere. Intermediate supervision is a
matter of the loss: `JointFormer.poses` gives it every estimate.

The README of [2] gives no parameter count, and the tables of [1] we could not read. Built as [2]
builds it, at 17 joints, the network has 1,478,104, of which its program prints 1.48 M; ours,
without the four error maps (57,715 each) and the way back from the last pose (56,576), has
1,190,668.

Our choice: several frames are more numbers per token, as the thesis does (section 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.research.models.transformer import attend
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class JointFormerConfig:
    """Shape of the network. The defaults are the published ones.

    Attributes:
        depth: encoders.
        width: channels of a token.
        hidden: width between the two maps of the feed-forward part.
        heads: attention heads.
        head_width: channels of each head; heads times this need not be `width`.
        dropout: before each map from tokens to a pose, in training.
        attention_dropout: on attention weights, in training.
        frames: T, input frames; the joints are tokens of ``channels * T`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    depth: int = 4
    width: int = 64
    hidden: int = 512
    heads: int = 8
    head_width: int = 64
    dropout: float = 0.2
    attention_dropout: float = 0.1
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class JointFormer(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: JointFormerConfig) -> None:
        super().__init__()
        self.config = config
        joints = len(get_skeleton(config.skeleton))
        depth, width = config.depth, config.width
        self.embed = nn.Linear(config.channels * config.frames, width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.encoders = nn.ModuleList(Encoder(config) for _ in range(depth))
        self.pose_maps = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(joints * width),
                nn.Dropout(config.dropout),
                nn.Linear(joints * width, joints * 3),
            )
            for _ in range(depth)
        )
        self.feedbacks = nn.ModuleList(
            nn.Linear(joints * 3, joints * width) for _ in range(depth - 1)
        )
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        return self.poses(x)[-1]

    def poses(self, x: Tensor) -> list[Tensor]:
        """The estimate after every encoder, for intermediate supervision; the last is the answer.

        Args:
            x: (B, T, J, channels).

        Returns:
            One (B, J, 3) per encoder.
        """
        z = self.norm(self.embed(x.transpose(1, 2).flatten(2)))  # (B, J, C)
        estimates: list[Tensor] = []
        for layer, encoder in enumerate(self.encoders):
            encoded = encoder(z)
            pose = self.pose_maps[layer](encoded.flatten(1))
            estimates.append(torch.unflatten(pose, 1, (z.shape[1], 3)))
            if layer < len(self.feedbacks):
                back = torch.unflatten(self.feedbacks[layer](pose), 1, z.shape[1:])
                z = torch.relu(encoded + back + z)
        return estimates


class Encoder(nn.Module):
    """Attention and feed-forward, each normalised after its residual: (B, J, C) to the same."""

    def __init__(self, config: JointFormerConfig) -> None:
        super().__init__()
        self.split = (config.heads, config.head_width)
        width, inner = config.width, config.heads * config.head_width
        # Three maps, not one of three times the width: Xavier's range would be another.
        self.query = nn.Linear(width, inner, bias=False)
        self.key = nn.Linear(width, inner, bias=False)
        self.value = nn.Linear(width, inner, bias=False)
        self.project = nn.Linear(inner, width, bias=False)
        self.dropout = nn.Dropout(config.attention_dropout)
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, config.hidden), nn.ReLU(), nn.Linear(config.hidden, width)
        )
        self.norm2 = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        x = self.norm1(x + self.attention(x))
        out: Tensor = self.norm2(x + self.feed_forward(x))
        return out

    def attention(self, x: Tensor) -> Tensor:
        """Multi-head self-attention among the joints."""
        q, k, v = (
            torch.unflatten(linear(x), 2, self.split)
            for linear in (self.query, self.key, self.value)
        )  # each (B, J, heads, head width)
        out: Tensor = self.project(attend(q, k, v, self.dropout))
        return out
