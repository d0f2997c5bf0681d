"""Modulated GCN: one map for all joints, modulated for each, and a graph that learns new edges.

References:
    [1] Z. Zou, W. Tang, "Modulated Graph Convolutional Network for 3D Human Pose Estimation",
        ICCV 2021.
    [2] The authors' repository, ZhimingZo/Modulated-GCN (no licence), up to fd15af1: facts only.

Known from the paper: weight modulation, where a vector per joint scales the outputs of the shared
map, and affinity modulation, where a learned matrix is added to the skeleton's adjacency and the
sum is made symmetric; SemGCN's frame of convolutions and separate maps for the joint itself and
for others; single frame.

Known from [2] only: a joint weighs 1 for itself, and its n neighbours 1/n each; the modulation
starts at one and the added matrix at 1e-6; no softmax. Two models: for exact keypoints 128
channels, 16 joints, no dropout and no non-local layer; for CPN keypoints 384 channels, 17 joints,
dropout 0.2 and one non-local layer, that of Cai et al., before the output.

Parameters: 287,923 of the small model at 16 joints; [2] and the abstract of [1] print 0.29 M. The
large one has 2,731,840, with the refiner's 140,322 the 2.87 M that [2] prints (issue 13). 1.10 M,
which the paper gives (from memory), is the plain network with 256 channels: 1,100,160.

Ours: several frames are further numbers of each joint, as in AMPose (the paper has one frame).
Left out: the pose refinement, which is `refiner`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.cai_stgcn import NonLocal
from ampose.research.models.checks import refuse_impossible
from ampose.research.models.semgcn import (
    aggregate,
    output_bias,
    own_and_neighbour_maps,
    residual_body,
)
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class ModulatedGCNConfig:
    """Shape of the network; the defaults are the large model, for detected keypoints.

    Attributes:
        width: channels; 128 in the small model.
        blocks: residual blocks of two graph convolutions.
        non_local: whether a non-local layer stands before the output; not in the small model.
        dropout: after each hidden graph convolution, in training; 0 in the small model.
        frames: input frames; a joint's node holds ``channels * frames`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set; ``h36m_16`` in the small model.
    """

    width: int = 384
    blocks: int = 4
    non_local: bool = True
    dropout: float = 0.2
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class ModulatedGCN(nn.Module):
    """(B, T, J, channels) to (B, J, 3)."""

    def __init__(self, config: ModulatedGCNConfig) -> None:
        super().__init__()
        self.config = config
        skeleton = get_skeleton(config.skeleton)

        def convolution(inputs: int, outputs: int) -> nn.Module:
            return ModulatedGraphConv(inputs, outputs, skeleton)

        inputs = config.channels * config.frames
        self.body = residual_body(convolution, inputs, config.width, config.blocks, config.dropout)
        self.non_local = NonLocal(config.width) if config.non_local else nn.Identity()
        self.head = convolution(config.width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        nodes = x.transpose(1, 2).flatten(2)
        out: Tensor = self.head(self.non_local(self.body(nodes)))
        return out


class ModulatedGraphConv(nn.Module):
    """``y_i = b + sum over j of a_ij (m_j * W x_j)``, with another W for j = i.

    (B, J, in) to (B, J, out). The matrix a is the skeleton's plus a learned one, made symmetric.
    """

    adjacency: Tensor

    def __init__(self, inputs: int, outputs: int, skeleton: Skeleton) -> None:
        super().__init__()
        self.register_buffer("adjacency", skeleton_adjacency(skeleton), persistent=False)
        self.added = nn.Parameter(torch.full_like(self.adjacency, 1e-6))
        self.modulation = nn.Parameter(torch.ones(len(skeleton), outputs))
        self.own, self.neighbours = own_and_neighbour_maps(inputs, outputs)
        self.bias = output_bias(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, in) to (B, J, out)."""
        modulated = self.modulation * self.own(x), self.modulation * self.neighbours(x)
        return aggregate(self.affinity(), *modulated) + self.bias

    def affinity(self) -> Tensor:
        """The matrix a, (J, J), symmetric."""
        adjacency = self.adjacency + self.added
        return (adjacency + adjacency.T) / 2


def skeleton_adjacency(skeleton: Skeleton) -> Tensor:
    """1 on the diagonal, and 1 over the number of neighbours at each neighbour: (J, J)."""
    linked = torch.zeros(len(skeleton), len(skeleton))
    for parent, child in skeleton.edges:
        linked[parent, child] = linked[child, parent] = 1
    return linked / linked.sum(1, keepdim=True) + torch.eye(len(skeleton))
