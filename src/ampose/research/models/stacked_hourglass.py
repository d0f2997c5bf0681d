"""Graph stacked hourglass: graph layers on the skeleton at three scales, four times in a row.

References:
    [1] T. Xu, W. Takano, "Graph Stacked Hourglass Networks for 3D Human Pose Estimation", CVPR
        2021. Its authors have not released code.
    [2] K. Liu, R. Ding, Z. Zou, L. Wang, W. Tang, "A Comprehensive Study of Weight Sharing in
        Graph Networks for 3D Human Pose Estimation", ECCV 2020: the graph layer ("pre-
        aggregation", decoupled self-connections).
    [3] tamasino52/GraphSH, an unofficial implementation without a licence, read for facts.
    [4] J. Hu, L. Shen, G. Sun, CVPR 2018: squeeze and excitation.

Known from [1], by memory, and [3]: a graph layer to 64 channels, then four hourglasses. Each goes
from 16 joints with 96 channels over 8 with 128 to 4 with 128 and back, one graph layer each;
joints are pooled by their maximum and unpooled by copying; the features of the way down are added
on the way up, and the hourglass's input to its output. The outputs of all four, each reduced to a
quarter of the channels, are put side by side, weighed by squeeze and excitation, and mapped to 3.
A graph layer has for each joint one map for what it keeps and one for what it passes on to its
neighbours, the row-normalised adjacency, batch normalisation, ReLU and dropout 0.25.

[1] prints 3.70 M parameters (from memory). Here, as in [3], they are 3,685,899, which is 3.69: the
14 thousand that are missing could not be identified. 3,674,112 of ours are the maps of the graph
layers, which leaves little doubt about channels, scales and decoupling.

Pools are derived from the tree, see `pools`. For the 16 joints they are those of [3]. Its coarse
graphs, written by hand, differ from ours in one edge each: ours join two pools exactly if a bone
does.

Our choice: with 17 joints the neck goes to the pool of thorax and head. Weights begin as
`stacked_weights` says; [3] draws one stack of four dimensions, whose weights are about a third as
large, and batch normalisation undoes either. Several frames are more numbers per joint, as the
thesis does (section 4.4). [3] did not reach the accuracy of [1].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ampose.research.models.ampose import group_adjacency
from ampose.research.models.checks import refuse_impossible
from ampose.research.models.semgcn import GraphLayer, aggregate, output_bias, stacked_weights
from ampose.research.models.weight_sharing import JointMaps
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class StackedHourglassConfig:
    """Shape of the network. The defaults are the published ones.

    Attributes:
        stacks: hourglasses.
        width: channels of a joint between them; half as many more at the finest scale inside,
            twice as many at the two coarser ones.
        reduction: by how much the squeeze narrows the channels.
        dropout: after each graph layer, in training.
        frames: T, input frames; a joint has ``channels * T`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set; it must hang together.
    """

    stacks: int = 4
    width: int = 64
    reduction: int = 8
    dropout: float = 0.25
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)
        divisors = (2, self.stacks, self.reduction)
        if min(divisors) < 1 or any(self.width % divisor for divisor in divisors):
            raise ValueError(
                f"width must divide by 2, by stacks {self.stacks} and by reduction "
                f"{self.reduction}, got {self.width}"
            )
        roots = get_skeleton(self.skeleton).parents.count(-1)
        if roots != 1:
            raise ValueError(f"pooling needs one tree, {self.skeleton} has {roots}")


class StackedHourglass(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    def __init__(self, config: StackedHourglassConfig) -> None:
        super().__init__()
        self.config = config
        skeleton, width = get_skeleton(config.skeleton), config.width
        joined = group_adjacency(skeleton).sum(0) > 0  # with self-loops
        inputs = config.channels * config.frames
        self.start = GraphLayer(JointGraphConv(joined, inputs, width), width, config.dropout)
        self.hourglasses = nn.ModuleList(Hourglass(skeleton, config) for _ in range(config.stacks))
        self.reductions = nn.ModuleList(
            nn.Linear(width, width // config.stacks) for _ in range(config.stacks)
        )
        self.excite = nn.Sequential(
            nn.Linear(width, width // config.reduction),
            nn.ReLU(),
            nn.Linear(width // config.reduction, width),
            nn.Sigmoid(),
        )
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        z = self.start(x.transpose(1, 2).flatten(2))  # (B, J, C)
        levels = []
        for hourglass, reduction in zip(self.hourglasses, self.reductions, strict=True):
            z = hourglass(z)
            levels.append(reduction(z))
        features = torch.cat(levels, dim=-1)
        out: Tensor = self.head(features * self.excite(features.mean(1, keepdim=True)))
        return out


class Hourglass(nn.Module):
    """Down to a few pools of joints and back: (B, J, C) to (B, J, C)."""

    def __init__(self, skeleton: Skeleton, config: StackedHourglassConfig) -> None:
        super().__init__()
        width = config.width
        fine, coarse = pools(skeleton)
        joints = group_adjacency(skeleton).sum(0) > 0
        middle = pooled(joints, fine)
        few = pooled(middle, coarse)

        def layer(joined: NDArray[np.bool_], inputs: int, outputs: int) -> nn.Module:
            return GraphLayer(JointGraphConv(joined, inputs, outputs), outputs, config.dropout)

        self.enter = layer(joints, width, width * 3 // 2)
        self.down = layer(middle, width * 3 // 2, width * 2)
        self.bottom = layer(few, width * 2, width * 2)
        self.up = layer(middle, width * 2, width * 3 // 2)
        self.leave = layer(joints, width * 3 // 2, width)
        self.to_middle = Pooling(fine)
        self.to_few = Pooling(coarse)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, J, C)."""
        joints = self.enter(x)
        middle = self.down(self.to_middle(joints))
        few = self.bottom(self.to_few(middle))
        middle = self.up(middle + self.to_few.undo(few))
        out: Tensor = x + self.leave(joints + self.to_middle.undo(middle))
        return out


class Pooling(nn.Module):
    """Maximum over each pool of joints, (B, J, C) to (B, pools, C), and the way back."""

    members: Tensor
    pool: Tensor

    def __init__(self, groups: list[list[int]]) -> None:
        super().__init__()
        largest = max(len(group) for group in groups)
        # A joint named twice does not change a maximum.
        padded = [group + group[:1] * (largest - len(group)) for group in groups]
        pool = {joint: index for index, group in enumerate(groups) for joint in group}
        self.register_buffer("members", torch.tensor(padded), persistent=False)
        self.register_buffer(
            "pool", torch.tensor([pool[joint] for joint in sorted(pool)]), persistent=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, C) to (B, pools, C)."""
        return x[:, self.members].amax(2)

    def undo(self, x: Tensor) -> Tensor:
        """(B, pools, C) to (B, J, C): every joint gets a copy of its pool's features."""
        return x[:, self.pool]


class JointGraphConv(nn.Module):
    """`PreAggregationGraphConv` of any graph, as it is: (B, J, in) to (B, J, out).

    Args:
        joined: (J, J) whether two joints, or pools of joints, are neighbours; each is its own.
        inputs: channels that go in.
        outputs: channels that come out.
    """

    adjacency: Tensor

    def __init__(self, joined: NDArray[np.bool_], inputs: int, outputs: int) -> None:
        super().__init__()
        adjacency = torch.tensor(joined / joined.sum(1, keepdims=True), dtype=torch.float32)
        self.register_buffer("adjacency", adjacency, persistent=False)
        own, neighbours = stacked_weights(2 * len(joined), inputs, outputs).chunk(2)
        self.own, self.neighbours = JointMaps(own), JointMaps(neighbours)
        self.bias = output_bias(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, J, in) to (B, J, out)."""
        return aggregate(self.adjacency, self.own(x), self.neighbours(x)) + self.bias


def pooled(joined: NDArray[np.bool_], groups: list[list[int]]) -> NDArray[np.bool_]:
    """Which pools are neighbours, (pools, pools): those with neighbouring joints."""
    return np.array([[joined[np.ix_(one, other)].any() for other in groups] for one in groups])


def pools(skeleton: Skeleton) -> tuple[list[list[int]], list[list[int]]]:
    """The two steps of pooling, joints to pools and pools to pools.

    The trunk is cut where limbs hang on it (the legs at the pelvis, the arms at the thorax): a
    centre joint belongs to the nearest such place on its way to the root. A place has one pool of
    its centre joints, one of the first joints of its limbs (both hips, both shoulders), and one
    for the rest of each limb (knee and ankle). The second step puts together the first two, and
    all the rests.

    Returns:
        Lists of joints, and lists of positions in the first list.
    """
    parents, of_limbs = skeleton.parents, skeleton.limbs
    places = {parents[first] for first in of_limbs}
    centre: dict[int, list[int]] = {}
    for joint in range(len(skeleton)):
        if skeleton.side(joint) == "centre":
            place = joint
            while place not in places and parents[place] >= 0:
                place = parents[place]
            centre.setdefault(place, []).append(joint)
    fine: list[list[int]] = []
    coarse: list[list[int]] = []
    for place, joints in sorted(centre.items()):
        here = {first: limb for first, limb in of_limbs.items() if parents[first] == place}
        rests = [[joint for joint in limb if joint != first] for first, limb in here.items()]
        for together in ([joints, list(here)], rests):
            filled = [group for group in together if group]
            if filled:
                coarse.append(list(range(len(fine), len(fine) + len(filled))))
                fine += filled
    return fine, coarse
