"""GraphMLP: an MLP-Mixer over joints and channels with a graph layer beside each MLP.

References:
    [1] W. Li, M. Liu, H. Liu, T. Guo, T. Wang, H. Tang, N. Sebe, "GraphMLP: A Graph MLP-Like
        Architecture for 3D Human Pose Estimation", Pattern Recognition 2024 (arXiv 2206.06420).
    [2] Vegetebird/GraphMLP (MIT), read for facts; its README has the table of costs.
    [3] Y. Cai et al., ICCV 2019: the graph layer and its neighbour groups.

Known: linear to 512 channels, three layers, layer normalisation, linear to 3. A layer has two
halves with a residual around each. Spatial: normalised over the joints, then an MLP across joints
(hidden 256), for every channel alike, plus a graph layer. Channel: normalised over the channels,
then an MLP across channels (hidden 1,024), for every joint alike, plus a graph layer. A graph
layer has one map for each of the groups centre, closer, farther and symmetric, and takes the mean
over a joint's neighbours of all groups. GELU and dropout 0.1 in the MLPs, stochastic depth rising
to 0.2. Several frames are more numbers per joint, and the spatial MLP then normalises after each
of its maps.

[2] prints 9.49 M parameters for one frame, and 9.51, 9.57 and 9.73 M for 27, 81 and 243. Here the
first is 9,488,284; the others are 9,516,546 · 9,571,842 · 9,737,730, of which the linear maps,
9,510,710 · 9,566,006 · 9,731,894, round to the printed ones. It prints 348, 349, 351 and 356 M
floating-point operations. Those are products and sums, other than the thesis's: as thop 0.0.31
counts, here are 174.05, 174.51, 175.45 and 178.27 M multiply-accumulates, the halves of 348.1,
349.0, 350.9 and 356.5.

Our choice: closer and farther are meant from the skeleton's root, the hip. [2] and [3] mean from
the spine, which exchanges the two groups on the one edge between hip and spine; the counts are the
same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ampose.research.models.ampose import AMPoseConfig, GraphLayer, group_adjacency
from ampose.research.models.checks import refuse_impossible
from ampose.research.models.transformer import DropPath, rising
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class GraphMLPConfig:
    """Shape of the network. The defaults are the paper's single-frame model.

    Attributes:
        depth: layers.
        width: channels of a joint.
        spatial_hidden: hidden width of the MLPs across joints.
        channel_hidden: hidden width of the MLPs across channels.
        dropout: in the MLPs, in training.
        drop_path: of the last layer's branches, in training; the first layer's is 0.
        frames: T, input frames; a joint has ``channels * T`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    depth: int = 3
    width: int = 512
    spatial_hidden: int = 256
    channel_hidden: int = 1024
    dropout: float = 0.1
    drop_path: float = 0.2
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class GraphMLP(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: GraphMLPConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels * config.frames, config.width)
        self.layers = nn.ModuleList(
            GraphMLPLayer(rate, config) for rate in rising(config.drop_path, config.depth)
        )
        self.norm = nn.LayerNorm(config.width, eps=1e-6)
        self.head = nn.Linear(config.width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        z = self.embed(x.transpose(1, 2).flatten(2))  # (B, J, C)
        for layer in self.layers:
            z = layer(z)
        out: Tensor = self.head(self.norm(z))
        return out


class GraphMLPLayer(nn.Module):
    """Mixes joints, then channels: (B, J, C) to (B, J, C)."""

    def __init__(self, drop_path: float, config: GraphMLPConfig) -> None:
        super().__init__()
        skeleton = get_skeleton(config.skeleton)
        joints, width = len(skeleton), config.width
        adjacency = torch.tensor(mean_adjacency(skeleton), dtype=torch.float32)
        graph = AMPoseConfig(width=width, heads=1)
        self.spatial_norm = nn.LayerNorm(joints, eps=1e-6)
        self.spatial_mlp = mlp(joints, config.spatial_hidden, config, norm=config.frames > 1)
        self.spatial_graph = GraphLayer(adjacency, graph, activate=False)
        self.channel_norm = nn.LayerNorm(width, eps=1e-6)
        self.channel_mlp = mlp(width, config.channel_hidden, config, norm=False)
        self.channel_graph = GraphLayer(adjacency, graph, activate=False)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        across = self.spatial_norm(x.transpose(1, 2))  # (B, C, J)
        mixed = self.spatial_mlp(across).transpose(1, 2)
        x = x + self.drop_path(mixed + self.spatial_graph(across.transpose(1, 2)))
        normed = self.channel_norm(x)
        out: Tensor = x + self.drop_path(self.channel_mlp(normed) + self.channel_graph(normed))
        return out


def mlp(width: int, hidden: int, config: GraphMLPConfig, *, norm: bool) -> nn.Sequential:
    """Two linear maps; with `norm` each is followed by a layer normalisation."""
    return nn.Sequential(
        nn.Linear(width, hidden),
        *([nn.LayerNorm(hidden)] if norm else []),
        nn.GELU(),
        nn.Dropout(config.dropout),
        nn.Linear(hidden, width),
        *([nn.LayerNorm(width)] if norm else []),
        nn.Dropout(config.dropout),
    )


def mean_adjacency(skeleton: Skeleton) -> NDArray[np.float64]:
    """One (J, J) matrix for each of the four groups: (4, J, J).

    Entry (k, i, j) is what joint i takes of joint j if j belongs to its group k (itself, closer to
    the root, farther, its mirror joint): one over the number of i's neighbours in all groups.
    """
    groups = AMPoseConfig(groups="centre|closer|farther|symmetry")
    neighbours = group_adjacency(skeleton, groups) > 0
    return np.asarray(neighbours / neighbours.sum((0, 2))[:, None])
