"""Blocks that the transformers of the zoo share: pre-norm, as in Vision Transformer.

Reference: A. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021. AMPose's own encoder
is in its file: it differs, and should be read there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPSILON = 1e-6
"""Epsilon of the LayerNorms in this family of transformers."""


class TransformerBlock(nn.Module):
    """Pre-norm transformer block: (..., N, C) to (..., N, C), attention among the N tokens."""

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        *,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        drop_path: float = 0.0,
        activation: type[nn.Module] = nn.GELU,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attention = SelfAttention(width, heads, attention_dropout)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), activation(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )
        self.dropout = nn.Dropout(dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(..., N, C) to (..., N, C)."""
        x = x + self.drop_path(self.dropout(self.attention(self.norm1(x))))
        out: Tensor = x + self.drop_path(self.dropout(self.mlp(self.norm2(x))))
        return out


class SelfAttention(nn.Module):
    """Multi-head self-attention: (..., N, C) to (..., N, C)."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.split = (3, heads, width // heads)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(..., N, C) to (..., N, C)."""
        q, k, v = self.qkv(x).unflatten(-1, self.split).unbind(-3)  # each (..., N, heads, d)
        out: Tensor = self.project(attend(q, k, v, self.dropout))
        return out


def attend(q: Tensor, k: Tensor, v: Tensor, dropout: nn.Module | None = None) -> Tensor:
    """Scaled dot-product attention: three (..., N, heads, d) to (..., N, heads * d)."""
    q, k, v = (part.transpose(-2, -3) for part in (q, k, v))  # (..., heads, N, d)
    # Written out: for so few tokens torch's fused attention is slower on a CPU.
    weights = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1)
    if dropout is not None:
        weights = dropout(weights)
    return (weights @ v).transpose(-2, -3).flatten(-2)


class DropPath(nn.Module):
    """Stochastic depth: in training leaves out a residual branch, for all N tokens or none.

    (..., N, C) to (..., N, C). What stays is scaled up, so that the expectation is the same.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"drop_path must be at least 0 and below 1, got {rate}")
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """(..., N, C) to (..., N, C)."""
        if not self.training or self.rate == 0:
            return x
        stays = torch.full((*x.shape[:-2], 1, 1), 1 - self.rate, device=x.device)
        return x * (torch.bernoulli(stays) / stays).to(x.dtype)


def rising(highest: float, depth: int) -> list[float]:
    """`depth` rates, from zero for the first layer to `highest` for the last."""
    return [highest * i / max(depth - 1, 1) for i in range(depth)]
