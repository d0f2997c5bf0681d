"""MHFormer: three hypotheses of the pose, refined each by itself and then against each other.

Reference: W. Li, H. Liu, H. Tang, P. Wang, L. Van Gool, "MHFormer: Multi-Hypothesis Transformer
for 3D Human Pose Estimation", CVPR 2022; the "Li et al." of the thesis's table 4.5, with 9 frames.

Known from the paper: the three stages. Multi-hypothesis generation (MHG): three spatial
transformers one behind the other, whose tokens are the coordinates of the joints, each with its
course over the T frames, and whose outputs are the hypotheses. Self-hypothesis refinement (SHR):
temporal attention in each hypothesis, then an MLP that mixes the three. Cross-hypothesis
interaction (CHI): for each hypothesis an attention whose queries and keys come from the other two.
Known from the authors' program (Vegetebird/MHFormer, MIT): depths 4, 2 and 1, width 512; 9 heads
in MHG, which is why T must be a multiple of 9, and MLPs of hidden width 2T; 8 heads after it and
mixing MLPs of hidden width 1,024 on the 1,536 joined channels; the residual around each
transformer of MHG; embeddings that end in BatchNorm, ReLU and a dropout of 0.25 up to 27 frames
and are linear beyond; final LayerNorms; dropout 0.1, stochastic depth to 0.2; positions that start
at zero; a head of BatchNorm and a linear map. Its CHI updates the hypotheses in turn, so that the
second sees the first one's update; the paper, as we remember it, updates them at once. The program
is followed, because it gave the published figures.

The program gives the poses of all T frames and is trained on all of them; here the middle one is
taken before the head, so that its BatchNorm sees that frame alone and nothing teaches the others,
which may cost accuracy.

Count, at 17 joints: 19,090,233 parameters with 9 frames, 18,925,056 of them in SHR and CHI; the
thesis prints 18.9 M, which fits those two alone. Cost: the thesis's 1,030 M are what 27 frames
cost with each multiply-accumulate counted as 2; 9 frames cost a third, 172 M multiply-accumulates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.research.models.transformer import (
    EPSILON,
    DropPath,
    SelfAttention,
    TransformerBlock,
    attend,
    rising,
)
from ampose.skeletons import get_skeleton

HYPOTHESES = 3

SHORT = 27
"""Up to so many frames the embeddings end in BatchNorm, ReLU and a dropout."""


@dataclass(frozen=True)
class MHFormerConfig:
    """Shape of the network; the defaults are the paper's, with the 9 frames of table 4.5.

    Attributes:
        generation_depth: L1, layers of each spatial transformer.
        refinement_depth: L2, self-hypothesis refinements.
        interaction_depth: L3, cross-hypothesis interactions.
        width: C, channels of a hypothesis.
        hidden: hidden width of the mixing MLPs.
        generation_heads: attention heads of the spatial transformers; `frames` must divide by it.
        heads: attention heads in refinement and interaction.
        dropout: after attention, in MLPs and after the positions, in training.
        embedding_dropout: after the embeddings of up to `SHORT` frames, in training.
        drop_path: probability of leaving out a residual branch of the last layer, in training;
            rises linearly from zero at the first.
        frames: T, input frames.
        channels: numbers per joint and frame at the input: 2 in the paper; 3 with a mask.
        skeleton: name of the joint set.
    """

    generation_depth: int = 4
    refinement_depth: int = 2
    interaction_depth: int = 1
    width: int = 512
    hidden: int = 1024
    generation_heads: int = 9
    heads: int = 8
    dropout: float = 0.1
    embedding_dropout: float = 0.25
    drop_path: float = 0.2
    frames: int = 9
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)
        if self.frames % self.generation_heads:
            raise ValueError(
                f"frames must be an odd multiple of the {self.generation_heads} generation heads, "
                f"got {self.frames}"
            )


class MHFormer(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: MHFormerConfig) -> None:
        super().__init__()
        self.config = config
        self.joints = len(get_skeleton(config.skeleton))
        width, coordinates = config.width, self.joints * config.channels
        self.generate = nn.ModuleList(Generation(coordinates, config) for _ in range(HYPOTHESES))
        self.embed = nn.ModuleList(Embedding(coordinates, config) for _ in range(HYPOTHESES))
        self.positions = nn.Parameter(torch.zeros(HYPOTHESES, config.frames, width))
        self.dropout = nn.Dropout(config.dropout)
        # The program's rates rise over the refinements and once more to the interactions.
        *rates, highest = rising(config.drop_path, config.refinement_depth + 1)
        self.refine = nn.ModuleList(Refinement(config, rate) for rate in rates)
        self.interact = nn.ModuleList(
            Interaction(config, highest) for _ in range(config.interaction_depth)
        )
        self.norm = nn.LayerNorm(HYPOTHESES * width, eps=EPSILON)
        self.batch_norm = nn.BatchNorm1d(HYPOTHESES * width)
        self.head = nn.Linear(HYPOTHESES * width, self.joints * 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        courses = x.flatten(2).transpose(1, 2)  # (B, channels * J, T)
        hypotheses: list[Tensor] = []  # each (B, T, C)
        for generate, embed, position in zip(
            self.generate, self.embed, self.positions, strict=True
        ):
            courses = generate(courses)
            hypotheses.append(self.dropout(embed(courses) + position))
        for layer in (*self.refine, *self.interact):
            hypotheses = layer(hypotheses)
        middle = torch.cat(hypotheses, dim=-1)[:, self.config.frames // 2]
        out: Tensor = self.head(self.batch_norm(self.norm(middle)))
        return torch.unflatten(out, 1, (self.joints, 3))


class Generation(nn.Module):
    """MHG's transformer with a residual around it: (B, channels * J, T) to the same.

    Tokens are single coordinates; what others call channels are the frames.
    """

    def __init__(self, coordinates: int, config: MHFormerConfig) -> None:
        super().__init__()
        frames = config.frames
        self.norm = nn.LayerNorm(frames)
        self.position = nn.Parameter(torch.zeros(coordinates, frames))
        self.layers = nn.Sequential(
            nn.Dropout(config.dropout),
            *(
                TransformerBlock(
                    frames,
                    config.generation_heads,
                    2 * frames,
                    dropout=config.dropout,
                    drop_path=rate,
                )
                for rate in rising(config.drop_path, config.generation_depth)
            ),
            nn.LayerNorm(frames, eps=EPSILON),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels * J, T) to (B, channels * J, T)."""
        out: Tensor = x + self.layers(self.norm(x) + self.position)
        return out


class Embedding(nn.Module):
    """The coordinates of a frame become one token: (B, channels * J, T) to (B, T, C)."""

    def __init__(self, coordinates: int, config: MHFormerConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(coordinates, config.width)
        dropout = nn.Dropout(config.embedding_dropout)
        after = (nn.BatchNorm1d(config.width), nn.ReLU(), dropout)
        self.after = nn.Sequential(*after if config.frames <= SHORT else ())

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels * J, T) to (B, T, C)."""
        x = x.transpose(1, 2)
        out: Tensor = self.after(self.linear(x).flatten(0, 1))  # BatchNorm: frames and samples
        return torch.unflatten(out, 0, x.shape[:2])


class Refinement(nn.Module):
    """SHR: attention along time in each hypothesis by itself, then mixing."""

    def __init__(self, config: MHFormerConfig, drop_path: float) -> None:
        super().__init__()
        self.norms = _norms(HYPOTHESES, config.width)
        self.attentions = nn.ModuleList(
            SelfAttention(config.width, config.heads) for _ in range(HYPOTHESES)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.drop_path = DropPath(drop_path)
        self.mix = Mixing(config, drop_path)

    def forward(self, hypotheses: list[Tensor]) -> list[Tensor]:
        """Three (B, T, C) to three (B, T, C)."""
        refined = [
            z + self.drop_path(self.dropout(attention(norm(z))))
            for z, norm, attention in zip(hypotheses, self.norms, self.attentions, strict=True)
        ]
        mixed: list[Tensor] = self.mix(refined)
        return mixed


class Interaction(nn.Module):
    """CHI: each hypothesis collects along time by the likeness of the other two, then mixing."""

    def __init__(self, config: MHFormerConfig, drop_path: float) -> None:
        super().__init__()
        self.attentions = nn.ModuleList(CrossAttention(config) for _ in range(HYPOTHESES))
        self.dropout = nn.Dropout(config.dropout)
        self.drop_path = DropPath(drop_path)
        self.mix = Mixing(config, drop_path)

    def forward(self, hypotheses: list[Tensor]) -> list[Tensor]:
        """Three (B, T, C) to three (B, T, C)."""
        updated = list(hypotheses)
        for own, attention in enumerate(self.attentions):
            # Of the updated ones: the second hypothesis sees what the first has become.
            query, key = (updated[i] for i in range(HYPOTHESES) if i != own)
            collected = attention(query, key, updated[own])
            updated[own] = updated[own] + self.drop_path(self.dropout(collected))
        mixed: list[Tensor] = self.mix(updated)
        return mixed


class CrossAttention(nn.Module):
    """Multi-head attention with queries, keys and values of three sources, each normalised."""

    def __init__(self, config: MHFormerConfig) -> None:
        super().__init__()
        width = config.width
        self.split = (config.heads, width // config.heads)
        self.norms = _norms(3, width)
        self.qkv = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.project = nn.Linear(width, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Three (B, T, C) to (B, T, C)."""
        q, k, v = (
            torch.unflatten(linear(norm(z)), -1, self.split)
            for norm, linear, z in zip(self.norms, self.qkv, (query, key, value), strict=True)
        )
        out: Tensor = self.project(attend(q, k, v))
        return out


class Mixing(nn.Module):
    """The hypothesis-mixing MLP: the three are joined, pass one MLP with a residual, and part."""

    def __init__(self, config: MHFormerConfig, drop_path: float) -> None:
        super().__init__()
        joined = HYPOTHESES * config.width
        self.norm = nn.LayerNorm(joined, eps=EPSILON)
        self.mlp = nn.Sequential(
            nn.Linear(joined, config.hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, joined),
            nn.Dropout(config.dropout),
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, hypotheses: list[Tensor]) -> list[Tensor]:
        """Three (B, T, C) to three (B, T, C)."""
        joined = torch.cat(hypotheses, dim=-1)
        joined = joined + self.drop_path(self.mlp(self.norm(joined)))
        return list(joined.chunk(HYPOTHESES, dim=-1))


def _norms(count: int, width: int) -> nn.ModuleList:
    return nn.ModuleList(nn.LayerNorm(width, eps=EPSILON) for _ in range(count))
