"""SemGCN: graph convolutions that learn how much each joint listens to each neighbour.

References:
    [1] L. Zhao, X. Peng, Y. Tian, M. Kapadia, D. N. Metaxas, "Semantic Graph Convolutional
        Networks for 3D Human Pose Regression", CVPR 2019.
    [2] The authors' repository, garyzhao/SemGCN (Apache 2.0), at 955853b: facts only.

Known from the paper: a weight per directed bone and self-connection, normalised by a softmax over
each joint's neighbourhood; one map for the joint itself and another for its neighbours (equation
9); a first graph convolution, four residual blocks of two with 128 channels, each followed by
batch normalisation and ReLU, and a last one; non-local layers after the first convolution and
after every block.

Known from [2] only: the weights of bones are shared by all channels; the bias is added after the
sum; the non-local layer is of the concatenation kind with half the channels inside, a ReLU as
affinity and a batch normalisation that starts at zero; it pools joints by twos.

Parameters: 267,343 without and 434,703 with non-local layers at 16 joints; [2] prints 0.27 M and
0.43 M.

Ours: several frames are further numbers of each joint, as in AMPose (the paper has one frame); a
joint that finds no partner is pooled alone (at 17 joints an early version of [2] dropped it).
Left out: the paper's other variant (equation 3), with weights of bones for each channel, which is
in [2] (models/sem_ch_graph_conv.py) but in none of its networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.skeletons import Skeleton, get_skeleton

Convolution = Callable[[int, int], nn.Module]
"""Makes a graph convolution from (B, J, inputs) to (B, J, outputs)."""


@dataclass(frozen=True)
class SemGCNConfig:
    """Shape of the network; the defaults are the paper's 0.43 M model.

    Attributes:
        width: channels.
        blocks: residual blocks of two graph convolutions.
        non_local: whether non-local layers follow the first convolution and every block.
        dropout: after each hidden graph convolution, in training; 0 for the published results.
        frames: input frames; a joint's node holds ``channels * frames`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set; the repository's results are of ``h36m_16``.
    """

    width: int = 128
    blocks: int = 4
    non_local: bool = True
    dropout: float = 0.0
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class SemGCN(nn.Module):
    """(B, T, J, channels) to (B, J, 3)."""

    def __init__(self, config: SemGCNConfig) -> None:
        super().__init__()
        self.config = config
        skeleton = get_skeleton(config.skeleton)

        def convolution(inputs: int, outputs: int) -> nn.Module:
            return SemanticGraphConv(inputs, outputs, skeleton)

        def non_local() -> nn.Module:
            return PooledNonLocal(config.width, skeleton)

        self.body = residual_body(
            convolution,
            config.channels * config.frames,
            config.width,
            config.blocks,
            config.dropout,
            after_each=non_local if config.non_local else None,
        )
        self.head = convolution(config.width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        nodes = x.transpose(1, 2).flatten(2)
        out: Tensor = self.head(self.body(nodes))
        return out


def residual_body(
    convolution: Convolution,
    inputs: int,
    width: int,
    blocks: int,
    dropout: float,
    after_each: Callable[[], nn.Module] | None = None,
) -> nn.Sequential:
    """All of the network but its last convolution: (B, J, inputs) to (B, J, width).

    Modulated GCN and the study of weight sharing keep this frame and change the convolution.

    Args:
        convolution: makes the graph convolutions.
        inputs: numbers per joint.
        width: channels.
        blocks: residual blocks after the first convolution.
        dropout: after each convolution.
        after_each: makes what follows the first convolution and every block.
    """
    layers: list[nn.Module] = [GraphLayer(convolution(inputs, width), width, dropout)]
    for _ in range(blocks):
        pair = [GraphLayer(convolution(width, width), width, dropout) for _ in range(2)]
        layers.append(Residual(*pair))
    if after_each is not None:
        layers = [module for layer in layers for module in (layer, after_each())]
    return nn.Sequential(*layers)


class GraphLayer(nn.Sequential):
    """A graph convolution, batch normalisation, ReLU, dropout."""

    def __init__(self, convolution: nn.Module, width: int, dropout: float) -> None:
        super().__init__(convolution, ChannelNorm(width), nn.ReLU(), nn.Dropout(dropout))


class Residual(nn.Sequential):
    """The sum of the input and of what the layers make of it; nothing follows the sum."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape that the layers keep."""
        out: Tensor = x + super().forward(x)  # type: ignore[no-untyped-call]
        return out


class ChannelNorm(nn.BatchNorm1d):
    """Batch normalisation of each channel over poses and joints: (B, J, C) to (B, J, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        return super().forward(x.flatten(0, 1)).reshape(x.shape)


class SemanticGraphConv(nn.Module):
    """A graph convolution whose weights along the bones are learned: (B, J, in) to (B, J, out)."""

    def __init__(self, inputs: int, outputs: int, skeleton: Skeleton) -> None:
        super().__init__()
        self.affinity = SemanticAffinity(skeleton)
        self.own, self.neighbours = own_and_neighbour_maps(inputs, outputs)
        self.bias = output_bias(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, in) to (B, J, out)."""
        return aggregate(self.affinity(), self.own(x), self.neighbours(x)) + self.bias


class SemanticAffinity(nn.Module):
    """How much joint i takes from joint j, learned: (J, J), rows sum to 1, zero off the skeleton.

    One number per joint and directed bone; a softmax over each joint's neighbourhood, itself
    included. All equal at the start, so that each row begins as a plain mean.
    """

    edge_of: Tensor

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        linked = torch.eye(len(skeleton), dtype=torch.bool)
        for parent, child in skeleton.edges:
            linked[parent, child] = linked[child, parent] = True
        count = int(linked.sum())
        self.edges = nn.Parameter(torch.ones(count))
        # Which number stands at (i, j); where there is no bone, the one past the last.
        edge_of = torch.full(linked.shape, count)
        edge_of[linked] = torch.arange(count)
        self.register_buffer("edge_of", edge_of, persistent=False)

    def forward(self) -> Tensor:
        """The matrix, (J, J)."""
        absent = self.edges.new_full((1,), -math.inf)
        return torch.cat([self.edges, absent])[self.edge_of].softmax(dim=-1)


def aggregate(affinity: Tensor, own: Tensor, neighbours: Tensor) -> Tensor:
    """``y_i = a_ii own_i + sum over j != i of a_ij neighbours_j``.

    Args:
        affinity: a, (J, J).
        own: (B, J, C), mapped for the joint itself.
        neighbours: (B, J, C), mapped for other joints to take.
    """
    itself = affinity.diagonal()
    return itself[:, None] * own + (affinity - torch.diag(itself)) @ neighbours


def own_and_neighbour_maps(inputs: int, outputs: int) -> tuple[nn.Linear, nn.Linear]:
    """Two linear maps without bias, with the weights that the authors begin with."""
    maps = nn.Linear(inputs, outputs, bias=False), nn.Linear(inputs, outputs, bias=False)
    for linear, weight in zip(maps, stacked_weights(2, inputs, outputs), strict=True):
        linear.weight.data = weight.T.contiguous()
    return maps


def stacked_weights(count: int, inputs: int, outputs: int) -> Tensor:
    """Initial weights of several maps, (count, inputs, outputs).

    As SemGCN's authors draw them: Xavier's rule with gain 1.414, but on the stack, whose fans
    torch takes to be inputs * outputs and count * outputs. The weights of a hidden layer so begin
    at about an eighth of Xavier's size. The norm that follows undoes it in the output; Adam's
    steps are larger relative to such weights.
    """
    return nn.init.xavier_uniform_(torch.empty(count, inputs, outputs), gain=1.414)


def output_bias(outputs: int) -> nn.Parameter:
    """The bias that is added after the aggregation, (outputs,)."""
    bound = outputs**-0.5
    return nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))


class PooledNonLocal(nn.Module):
    """Every joint looks at every pair of joints: (B, J, C) to (B, J, C).

    ``y_i = x_i + norm(W mean over pairs p of relu(u . theta(x_i) + v . phi(p)) g(p))``, where
    ``phi`` and ``g`` are linear maps of which a pair keeps the larger of its two joints.
    """

    first: Tensor
    second: Tensor

    def __init__(self, width: int, skeleton: Skeleton) -> None:
        super().__init__()
        inner = width // 2
        first, second = zip(*pooling_pairs(skeleton), strict=True)
        self.register_buffer("first", torch.tensor(first), persistent=False)
        self.register_buffer("second", torch.tensor(second), persistent=False)
        self.theta = nn.Linear(width, inner)
        self.phi = nn.Linear(width, inner)
        self.g = nn.Linear(width, inner)
        # One map of the two concatenated is the sum of a map of each: one number per joint and
        # one per pair instead of a vector for all combinations.
        self.u = nn.Linear(inner, 1, bias=False)
        self.v = nn.Linear(inner, 1, bias=False)
        self.out = nn.Linear(inner, width)
        self.norm = ChannelNorm(width)
        for linear in (self.theta, self.phi, self.g, self.out):
            nn.init.kaiming_normal_(linear.weight)
            nn.init.zeros_(linear.bias)
        for linear in (self.u, self.v):
            nn.init.normal_(linear.weight, std=inner**-0.5)  # Kaiming's, of 2 * inner inputs
        nn.init.zeros_(self.norm.weight)  # begins as the identity

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        joints = self.u(self.theta(x))  # (B, J, 1)
        pairs = self.v(self._pooled(self.phi(x)))  # (B, P, 1)
        affinity = (joints + pairs.transpose(1, 2)).relu() / pairs.shape[1]
        out: Tensor = x + self.norm(self.out(affinity @ self._pooled(self.g(x))))
        return out

    def _pooled(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, P, C): the larger of each pair."""
        return torch.maximum(x[:, self.first], x[:, self.second])


def pooling_pairs(skeleton: Skeleton) -> list[tuple[int, int]]:
    """Joints by twos, each joint once; one without a partner is its own.

    Greedy: the bones of the limbs from their ends, then mirror joints, then the bones of the trunk
    from the root. At 16 joints these are the authors' eight: ankle and knee, wrist and elbow, the
    hips, the shoulders, pelvis and spine, thorax and head.
    """

    def depth(joint: int) -> int:
        parent = skeleton.parents[joint]
        return 0 if parent < 0 else depth(parent) + 1

    bones = [
        (parent, child)
        for parent, child in sorted(skeleton.edges, key=lambda bone: depth(bone[1]))
        if skeleton.side(parent) == skeleton.side(child)
    ]
    limbs = [bone for bone in reversed(bones) if skeleton.side(bone[0]) != "centre"]
    trunk = [bone for bone in bones if skeleton.side(bone[0]) == "centre"]
    alone = [(joint, joint) for joint in range(len(skeleton))]
    paired: set[int] = set()
    pairs = []
    for pair in (*limbs, *skeleton.pairs, *trunk, *alone):
        if paired.isdisjoint(pair):
            paired.update(pair)
            pairs.append(pair)
    return pairs
