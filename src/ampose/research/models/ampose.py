"""AMPose: alternating transformer encoders and skeleton graph convolutions.

References:
    [1] H.-X. Lin, "AMPose: Alternately Mixed Global-Local Attention Model for 3D Human Pose
        Estimation", master thesis, National Taiwan University, 2023. Equation, figure and table
        numbers below are the thesis's.
    [2] Y. Cai et al., "Exploiting Spatial-Temporal Relationships for 3D Pose Estimation via Graph
        Convolutional Networks", ICCV 2019: the neighbour groups.

Known from the text: equations 3.1 to 3.9, depth, width, a transformer encoder first and the two
alternating, pre-norm, a position embedding in each encoder (3.5), three neighbour groups, the
residual around a pair of graph layers (figure 4.1), temporal input as J tokens of 2T numbers.

Inferred, because only so the parameter counts of table 4.9 and the multiply-accumulates of table
4.6 come out: biases of qkv and of the output projection, MLP of hidden width 2C, fixed adjacency,
one linear map C -> 3C with bias per graph layer, LayerNorm in the graph layers, a final LayerNorm,
linear input and output. The ConvNeXt row of table 4.6 comes out if the two pointwise maps of its
block are 1x1 convolutions, whose 87,040 bias additions thop counts; here they are linear layers,
which compute the same.

Not recoverable, so options with a default: heads (4: table 4.9 contains width 108, which leaves 1,
2 or 4; GraFormer, the nearest relative, uses 4); dropout (0, as PoseFormer and MixSTE); the
activation (GELU) and its place after the norm; the softmax scale (by head width as is usual;
equation 3.2 literally divides by the full width); the adjacency (normalised once with self-loops,
then split into groups; equation 3.9 literally normalises each group by its own degrees, which
loses every edge whose end has degree zero in that group).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.skeletons import H36M_17, Skeleton, get_skeleton

Group = Literal["centre", "closer", "farther", "symmetry"]
Grouping = tuple[tuple[Group, ...], ...]

GROUPINGS: dict[str, Grouping] = {
    "centre|closer|farther": (("centre",), ("closer",), ("farther",)),
    "centre|closer+farther": (("centre",), ("closer", "farther")),
    "centre|closer|farther|symmetry": (("centre",), ("closer",), ("farther",), ("symmetry",)),
    "centre|closer+farther|symmetry": (("centre",), ("closer", "farther"), ("symmetry",)),
    "centre|closer+farther+symmetry": (("centre",), ("closer", "farther", "symmetry")),
    "all": (("centre", "closer", "farther", "symmetry"),),
}
"""The six ways of table 4.8 to share weights among neighbours; the first is the model."""


@dataclass(frozen=True)
class AMPoseConfig:
    """Everything that shapes the network. The defaults are the thesis's 5/512 model.

    Attributes:
        depth: N, pairs of transformer encoder and GCN block.
        width: C, channels.
        frames: T, input frames; the joints are tokens of ``channels * T`` numbers.
        channels: numbers per joint and frame at the input: 2 in the thesis; 3 with a mask.
        skeleton: name of the joint set, ``h36m_17`` or ``h36m_16``.
        groups: neighbours that share weights, a key of `GROUPINGS` (table 4.8).
        order: order of transformers and GCN blocks (table 4.7).
        block: design of the GCN block (figure 4.2, table 4.6).
        heads: attention heads.
        dropout: after attention, MLP and graph layers, in training.
        activation: of the MLPs and graph layers.
        graph_order: what follows the aggregation of a graph layer, in order.
        literal_scale: softmax scaled by the full width (equation 3.2 as printed).
        literal_adjacency: each group normalised by its own degrees (equation 3.9 as printed).
        toes: the last two channels are the image direction of the toes at each ankle, zero at
            other joints; a linear map of them, without bias, joins the position embedding of the
            first encoder (section 4.5, which leaves the way open).
        learnt_adjacency: every graph layer adds a learnt matrix, zero at the start, to its
            adjacency, so that any joint may collect from any other. Not in the thesis.
    """

    depth: int = 5
    width: int = 512
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"
    groups: str = "centre|closer|farther"
    order: Literal[
        "transformer_first",
        "gcn_first",
        "all_transformers_then_gcns",
        "all_gcns_then_transformers",
    ] = "transformer_first"
    block: Literal["plain", "two_residual", "transformer", "convnext"] = "plain"
    heads: int = 4
    dropout: float = 0.0
    activation: Literal["gelu", "relu"] = "gelu"
    graph_order: Literal["norm_activation", "activation_norm"] = "norm_activation"
    literal_scale: bool = False
    literal_adjacency: bool = False
    toes: bool = False
    learnt_adjacency: bool = False

    def __post_init__(self) -> None:
        refuse_impossible(self)
        if self.groups not in GROUPINGS:
            raise ValueError(f"unknown groups {self.groups!r}; known are {', '.join(GROUPINGS)}")
        if self.toes and self.channels < 4:
            raise ValueError(
                f"toes are two channels beside the keypoints' two, got {self.channels} in all"
            )


class AMPose(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame.

    Position t of the input tokens holds ``channels`` numbers of frame t (section 4.4: X in
    R^{T x J x 2} becomes R^{J x 2T}).
    """

    def __init__(self, config: AMPoseConfig) -> None:
        super().__init__()
        self.config = config
        depth, width = config.depth, config.width
        skeleton = get_skeleton(config.skeleton)
        adjacency = torch.tensor(group_adjacency(skeleton, config), dtype=torch.float32)
        encoders = [TransformerEncoder(len(skeleton), config) for _ in range(depth)]
        blocks = [GCNBlock(adjacency, config) for _ in range(depth)]
        self.keypoint_channels = config.channels - (2 if config.toes else 0)
        self.embed = nn.Linear(self.keypoint_channels * config.frames, width)
        self.toes = nn.Linear(2 * config.frames, width, bias=False) if config.toes else None
        both = list(zip(encoders, blocks, strict=True))
        orders: dict[str, list[nn.Module]] = {
            "transformer_first": [m for encoder, block in both for m in (encoder, block)],
            "gcn_first": [m for encoder, block in both for m in (block, encoder)],
            "all_transformers_then_gcns": [*encoders, *blocks],
            "all_gcns_then_transformers": [*blocks, *encoders],
        }
        self.layers = nn.ModuleList(orders[config.order])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        out: Tensor = self.head(self.features(x))
        return out

    def features(self, x: Tensor) -> Tensor:
        """What the head reads the pose from: (B, T, J, channels) to (B, J, C)."""
        tokens = x.transpose(1, 2)
        z = self.embed(tokens[..., : self.keypoint_channels].flatten(2))  # to (B, J, C)
        if self.toes is not None:
            z = z + self.toes(tokens[..., self.keypoint_channels :].flatten(2))
        for layer in self.layers:
            z = layer(z)
        out: Tensor = self.norm(z)
        return out


class TransformerEncoder(nn.Module):
    """Global attention among the joints, equations 3.1 to 3.7: (B, J, C) to (B, J, C)."""

    def __init__(self, joints: int, config: AMPoseConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        scaled = width if config.literal_scale else width // config.heads
        self.scale = scaled**-0.5
        self.position = nn.Parameter(torch.empty(joints, width))
        nn.init.trunc_normal_(self.position, std=0.02)
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = mlp(width, 2 * width, config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        x = x + self.position  # 3.5
        x = x + self.dropout(self.attention(self.norm1(x)))  # 3.6
        out: Tensor = x + self.dropout(self.mlp(self.norm2(x)))  # 3.7
        return out

    def attention(self, x: Tensor) -> Tensor:
        """Multi-head self-attention, equations 3.1 to 3.3."""
        batch, joints, width = x.shape
        qkv = self.qkv(x).reshape(batch, joints, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, J, C / heads)
        # Written out: for 17 tokens torch's fused attention is slower on a CPU.
        weights = torch.softmax(q @ k.transpose(-1, -2) * self.scale, dim=-1)
        mixed = (weights @ v).transpose(1, 2).reshape(batch, joints, width)
        out: Tensor = self.project(mixed)
        return out


class GCNBlock(nn.Module):
    """Local structure, section 3.3 and the four designs of figure 4.2: (B, J, C) to (B, J, C).

    * ``plain``: a graph layer, then a graph layer, one residual around the pair (the model).
    * ``two_residual``: a residual around each of the two.
    * ``transformer``: graph layer in the place of attention, then an MLP of hidden width C.
    * ``convnext``: graph layer in the place of the depthwise convolution, then two pointwise maps
      of hidden width C, one residual around all.
    """

    def __init__(self, adjacency: Tensor, config: AMPoseConfig) -> None:
        super().__init__()
        width = config.width
        self.block = config.block
        self.dropout = nn.Dropout(config.dropout)
        if self.block in ("plain", "two_residual"):
            self.first = GraphLayer(adjacency, config, activate=True)
            self.second = GraphLayer(adjacency, config, activate=True)
        else:
            self.norm1 = nn.LayerNorm(width)
            self.graph = GraphLayer(adjacency, config, activate=False)
            self.mlp = mlp(width, width, config)
        if self.block == "transformer":
            self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        if self.block == "plain":
            out: Tensor = x + self.dropout(self.second(self.first(x)))
        elif self.block == "two_residual":
            x = x + self.dropout(self.first(x))
            out = x + self.dropout(self.second(x))
        elif self.block == "transformer":
            x = x + self.dropout(self.graph(self.norm1(x)))
            out = x + self.dropout(self.mlp(self.norm2(x)))
        else:
            out = x + self.dropout(self.mlp(self.norm1(self.graph(x))))
        return out


class GraphLayer(nn.Module):
    """Equation 3.9: one map per neighbour group, aggregated by the group's adjacency and summed.

    (B, J, C) to (B, J, C). With ``activate`` a LayerNorm and the activation follow.
    """

    adjacency: Tensor
    learnt: nn.Parameter | None

    def __init__(self, adjacency: Tensor, config: AMPoseConfig, *, activate: bool) -> None:
        super().__init__()
        groups, joints, _ = adjacency.shape
        width = config.width
        self.project = nn.Linear(width, groups * width)
        # (K, J, J) -> (J, J * K): row i weighs the K projections of every joint j.
        wide = adjacency.permute(1, 2, 0).reshape(joints, joints * groups)
        self.register_buffer("adjacency", wide, persistent=False)
        self.learnt = nn.Parameter(torch.zeros_like(wide)) if config.learnt_adjacency else None
        after: list[nn.Module] = [nn.LayerNorm(width), activation(config)] if activate else []
        self.after = nn.Sequential(*after[:: 1 if config.graph_order == "norm_activation" else -1])

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        batch, _, width = x.shape
        groups = self.project(x)  # (B, J, K * C)
        # Not -1: a process's share of a batch may be empty, and nothing is then inferred.
        stacked = groups.reshape(batch, self.adjacency.shape[1], width)
        adjacency = self.adjacency if self.learnt is None else self.adjacency + self.learnt
        summed = adjacency.to(groups.dtype) @ stacked
        out: Tensor = self.after(summed)
        return out


def mlp(width: int, hidden: int, config: AMPoseConfig) -> nn.Sequential:
    """Two linear layers with an activation between (equation 3.4)."""
    return nn.Sequential(nn.Linear(width, hidden), activation(config), nn.Linear(hidden, width))


def activation(config: AMPoseConfig) -> nn.Module:
    """The configured activation."""
    return nn.GELU() if config.activation == "gelu" else nn.ReLU()


def group_adjacency(
    skeleton: Skeleton = H36M_17, config: AMPoseConfig | None = None
) -> NDArray[np.float64]:
    """The normalised adjacency, one (J, J) matrix per neighbour group: (K, J, J).

    Entry (k, i, j) weighs what joint i collects from joint j when j belongs to i's group k:
    itself, its neighbour closer to the hip, its neighbours farther from it, or its mirror joint.
    By default the union of all groups is normalised symmetrically (equation 3.8) and then split,
    so that the matrices sum to the normalised whole.
    """
    config = config or AMPoseConfig()
    joints = len(skeleton)
    role = {
        name: np.zeros((joints, joints)) for name in ("centre", "closer", "farther", "symmetry")
    }
    role["centre"] = np.eye(joints)
    for parent, child in skeleton.edges:
        role["closer"][child, parent] = 1
        role["farther"][parent, child] = 1
    for left, right in skeleton.pairs:
        role["symmetry"][left, right] = role["symmetry"][right, left] = 1
    matrices = np.stack(
        [np.sum([role[name] for name in group], axis=0) for group in GROUPINGS[config.groups]]
    )
    if config.literal_adjacency:
        return np.stack([_normalised(matrix, matrix) for matrix in matrices])
    return _normalised(matrices, matrices.sum(0))


def _normalised(
    matrix: NDArray[np.float64], degrees_of: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``D^-1/2 A D^-1/2`` with the row degrees of `degrees_of`; zero where a degree is zero."""
    degree = degrees_of.sum(-1)
    scale = np.where(degree > 0, np.maximum(degree, 1) ** -0.5, 0)
    return np.asarray(scale[:, None] * matrix * scale)
