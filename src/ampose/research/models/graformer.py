"""GraFormer: attention with graph layers in the place of its MLP, and Chebyshev graph layers.

References:
    [1] W. Zhao, W. Wang, Y. Tian, "GraFormer: Graph-oriented Transformer for 3D Pose Estimation",
        CVPR 2022.
    [2] zhaoweixi/GraFormer and its older copy Graformer/GraFormer (BSD-2), read for facts.
    [3] M. Defferrard, X. Bresson, P. Vandergheynst, NeurIPS 2016: Chebyshev graph layers.

Known from [2]: a Chebyshev layer of second order to 96 channels, five blocks, a Chebyshev layer to
3. A block is a "GraAttention" (normalise, four-headed attention, residual; normalise, two graph
layers of hidden width 2C with a ReLU between, residual) and two Chebyshev layers with a ReLU after
each and a residual around the pair. The graph layers of a block share one learnt adjacency, which
begins as the identity and is normalised by its column sums. No position embedding, no final norm.
Dropout 0.25 on the two branches of the GraAttention, and 0.1, which no option of [2] reaches, on
attention weights and after each Chebyshev layer. With 2D detections the paper takes six blocks of
128 channels.

[1] prints 0.65 M parameters (from memory), 18 % of the graph stacked hourglass's (its abstract);
here 654,179 at 16 joints, which is the count of [2] term by term.

As in [2], the Laplacian is one less the row-normalised adjacency with self-loops, and is not
rescaled by its largest eigenvalue as in [3]; the polynomials span the same functions.

Our choice: a learnt column sum below 0.01 counts as 0.01, where [2] would take the root of a
negative number. The LayerNorms are torch's, where [2] divides by the unbiased deviation plus 1e-6.
Maps begin as torch begins linear layers. Several frames are more numbers per joint, as the thesis
does (section 4.4). [2] reports 35.2 mm on ground truth; its users get 36.9 (issues 2 and 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ampose.research.models.ampose import group_adjacency
from ampose.research.models.checks import refuse_impossible
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class GraFormerConfig:
    """Shape of the network. The defaults are the published ones for ground-truth keypoints.

    Attributes:
        depth: blocks of a GraAttention and two Chebyshev layers.
        width: channels of a joint.
        heads: attention heads.
        order: of the Chebyshev polynomials: how many bones away a layer looks.
        dropout: on the branches of the GraAttention, in training.
        attention_dropout: on attention weights, in training.
        chebyshev_dropout: after each Chebyshev layer of a block, in training.
        frames: T, input frames; a joint has ``channels * T`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    depth: int = 5
    width: int = 96
    heads: int = 4
    order: int = 2
    dropout: float = 0.25
    attention_dropout: float = 0.1
    chebyshev_dropout: float = 0.1
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)
        if self.order < 1:
            raise ValueError(f"order must be at least 1, got {self.order}")


class GraFormer(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: GraFormerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        skeleton = get_skeleton(config.skeleton)
        basis = torch.tensor(chebyshev_basis(skeleton, config.order), dtype=torch.float32)
        self.embed = ChebyshevLayer(basis, config.channels * config.frames, width)
        layers: list[nn.Module] = []
        for _ in range(config.depth):
            layers += [GraAttention(len(skeleton), config), ChebyshevBlock(basis, config)]
        self.layers = nn.ModuleList(layers)
        self.head = ChebyshevLayer(basis, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        z = self.embed(x.transpose(1, 2).flatten(2))  # (B, J, C)
        for layer in self.layers:
            z = layer(z)
        out: Tensor = self.head(z)
        return out


class GraAttention(nn.Module):
    """Attention among all joints, then graph layers on a learnt graph: (B, J, C) to (B, J, C)."""

    def __init__(self, joints: int, config: GraFormerConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_dropout = nn.Dropout(config.attention_dropout)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.graph = LearntGraph(joints, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        x = x + self.dropout(self.attention(self.norm1(x)))
        out: Tensor = x + self.dropout(self.graph(self.norm2(x)))
        return out

    def attention(self, x: Tensor) -> Tensor:
        """Multi-head self-attention, (B, J, C) to (B, J, C)."""
        batch, joints, width = x.shape
        qkv = self.qkv(x).reshape(batch, joints, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, J, C / heads)
        weights = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1)
        mixed = self.attention_dropout(weights) @ v
        out: Tensor = self.project(mixed.transpose(1, 2).reshape(batch, joints, width))
        return out


class LearntGraph(nn.Module):
    """Two graph layers, C to 2C to C, over one learnt adjacency: (B, J, C) to (B, J, C)."""

    def __init__(self, joints: int, width: int) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(torch.eye(joints))
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        scale = self.adjacency.sum(0).clamp(min=0.01) ** -0.5
        adjacency = scale[:, None] * self.adjacency * scale
        out: Tensor = self.narrow(adjacency @ torch.relu(self.widen(adjacency @ x)))
        return out


class ChebyshevBlock(nn.Module):
    """Two Chebyshev layers with a residual around the pair: (B, J, C) to (B, J, C)."""

    def __init__(self, basis: Tensor, config: GraFormerConfig) -> None:
        super().__init__()
        self.pair = nn.Sequential(
            ChebyshevLayer(basis, config.width, config.width),
            nn.ReLU(),
            nn.Dropout(config.chebyshev_dropout),
            ChebyshevLayer(basis, config.width, config.width),
            nn.ReLU(),
            nn.Dropout(config.chebyshev_dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        out: Tensor = x + self.pair(x)
        return out


class ChebyshevLayer(nn.Module):
    """Sum of one map per polynomial of the Laplacian, and a bias: (B, J, in) to (B, J, out)."""

    basis: Tensor

    def __init__(self, basis: Tensor, inputs: int, outputs: int) -> None:
        super().__init__()
        terms, self.joints, _ = basis.shape
        # (K + 1, J, J) -> (J * (K + 1), J): the terms of a joint come out side by side.
        tall = basis.transpose(0, 1).reshape(self.joints * terms, self.joints)
        self.register_buffer("basis", tall, persistent=False)
        self.map = nn.Linear(terms * inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, in) to (B, J, out)."""
        terms = (self.basis @ x).reshape(x.shape[0], self.joints, self.map.in_features)
        out: Tensor = self.map(terms)
        return out


def chebyshev_basis(skeleton: Skeleton, order: int) -> NDArray[np.float64]:
    """Chebyshev polynomials of degree 0 to `order` of the skeleton's Laplacian: (K + 1, J, J)."""
    neighbours = group_adjacency(skeleton).sum(0) > 0  # with self-loops
    one = np.eye(len(skeleton))
    laplacian = one - neighbours / neighbours.sum(1, keepdims=True)
    terms = [one, laplacian]
    for _ in range(2, order + 1):
        terms.append(2 * laplacian @ terms[-1] - terms[-2])
    return np.stack(terms)
