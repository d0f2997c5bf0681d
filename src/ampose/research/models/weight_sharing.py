"""Pre-aggregation weights: every joint has its own map, as the study of Liu et al. recommends.

References:
    [1] K. Liu, R. Ding, Z. Zou, L. Wang, W. Tang, "A Comprehensive Study of Weight Sharing in
        Graph Networks for 3D Human Pose Estimation", ECCV 2020.
    [2] The second author's repository, RufusDing/3D-HPE-using-GCN (no licence), at b67c102: the
        variant below at 17 joints; facts only.
    [3] Z. Zou, W. Tang, "Modulated Graph Convolutional Network for 3D Human Pose Estimation",
        ICCV 2021.

Known from the paper: five ways to share weights among joints and neighbours, with or without
separate weights of the joint itself. The one it finds best, and the only one here: features are
mapped before the aggregation, by a map that belongs to the joint they come from, and by another
when the joint takes its own.

Known from [2] only: SemGCN's frame (128 channels, four blocks, no non-local layer) and its learned
weights along the bones; dropout 0.1.

Parameters at 16 joints: 4,218,703; [3] prints 4.22 M of this model. Weights along the bones that
are not learned would leave 4,218,243, also 4.22 M, so the count does not settle whether the
paper's tables are with the learned ones.

Ours: several frames are further numbers of each joint, as in AMPose (the paper has one frame).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.research.models.semgcn import (
    SemanticAffinity,
    aggregate,
    output_bias,
    residual_body,
    stacked_weights,
)
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class WeightSharingConfig:
    """Shape of the network; the defaults are the paper's.

    Attributes:
        width: channels.
        blocks: residual blocks of two graph convolutions.
        dropout: after each hidden graph convolution, in training.
        frames: input frames; a joint's node holds ``channels * frames`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set; the paper's results are of ``h36m_16``.
    """

    width: int = 128
    blocks: int = 4
    dropout: float = 0.1
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class WeightSharing(nn.Module):
    """(B, T, J, channels) to (B, J, 3)."""

    def __init__(self, config: WeightSharingConfig) -> None:
        super().__init__()
        self.config = config
        skeleton = get_skeleton(config.skeleton)

        def convolution(inputs: int, outputs: int) -> nn.Module:
            return PreAggregationGraphConv(inputs, outputs, skeleton)

        inputs = config.channels * config.frames
        self.body = residual_body(convolution, inputs, config.width, config.blocks, config.dropout)
        self.head = convolution(config.width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        nodes = x.transpose(1, 2).flatten(2)
        out: Tensor = self.head(self.body(nodes))
        return out


class PreAggregationGraphConv(nn.Module):
    """``y_i = b + a_ii V_i x_i + sum over j != i of a_ij W_j x_j``: (B, J, in) to (B, J, out)."""

    def __init__(self, inputs: int, outputs: int, skeleton: Skeleton) -> None:
        super().__init__()
        joints = len(skeleton)
        self.affinity = SemanticAffinity(skeleton)
        own, neighbours = stacked_weights(2 * joints, inputs, outputs).chunk(2)
        self.own, self.neighbours = JointMaps(own), JointMaps(neighbours)
        self.bias = output_bias(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, in) to (B, J, out)."""
        return aggregate(self.affinity(), self.own(x), self.neighbours(x)) + self.bias


class JointMaps(nn.Module):
    """A linear map of each joint's own, without bias: (B, J, in) to (B, J, out)."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, in) to (B, J, out)."""
        # Joints in front make one batched product; the other way each pose would copy the maps.
        return (x.transpose(0, 1) @ self.weight).transpose(0, 1)
