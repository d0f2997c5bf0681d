"""The spatial-temporal graph network of Cai et al.: joints, body parts, whole body, and back.

References:
    [1] Y. Cai, L. Ge, J. Liu, J. Cai, T.-J. Cham, J. Yuan, N. M. Thalmann, "Exploiting
        Spatial-Temporal Relationships for 3D Pose Estimation via Graph Convolutional Networks",
        ICCV 2019.
    [2] The authors' repository, vanoracai/Exploiting-Spatial-temporal-Relationships-..., at
        ac5517d (its README says MIT, it has no licence file): facts only.

Known from the paper: neighbours in groups with a map each (itself, closer to the centre, farther
from it, mirror joint; with several frames the same joint one frame before and one after); graph
convolutions on the joints, max pooling to five body parts and to the body, the coarse features
brought back to the joints and joined with the fine ones, a non-local layer, a linear output.

Known from [2] only: channels 128, 128, 256, then 512 on parts and body, 256 back on the joints;
what follows each convolution; the dropouts; the centre, which is the spine; the adjacency, where
each node takes the mean of its neighbourhood; an embedded Gaussian non-local layer.

Inferred: the inside of that layer, whose file we could not read. Half the channels, biases and a
batch normalisation are what the 2.87 M of Modulated GCN needs, which has the same layer; that the
normalisation begins at zero and that nothing scales the softmax is its customary form.

Parameters, 17 joints: 3,627,847 with one frame and 5,040,455 with three or more. We know of no
count in the paper or in [2]; later papers give 5.04 M for several frames (from memory).

Left out: the pose refinement, which is `refiner`; with several frames [2] trains on the poses of
all of them, where we ask for the middle one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.research.models.semgcn import ChannelNorm
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class CaiSTGCNConfig:
    """Shape of the network; the defaults are the single-frame model's.

    Attributes:
        width: channels of the first two convolutions; the third and what comes back to the joints
            have twice, body parts and body four times as many.
        dropout: twice in each graph block, in training.
        body_dropout: on the features of the whole body, in training.
        head_dropout: on the features brought back from it and before the output, in training.
        frames: input frames.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    width: int = 128
    dropout: float = 0.05
    body_dropout: float = 0.25
    head_dropout: float = 0.1
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)


class CaiSTGCN(nn.Module):
    """(B, T, J, channels) to (B, J, 3). Nodes are joints (or parts) of all frames in turn."""

    part_joints: Tensor
    part_of: Tensor

    def __init__(self, config: CaiSTGCNConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        skeleton = get_skeleton(config.skeleton)
        joints = joint_groups(skeleton, config.frames)
        parts = part_groups(skeleton, config.frames)
        # [2] passes its momentum of 0.1 where torch takes epsilon; the results came from that.
        self.input_norm = nn.BatchNorm1d(len(skeleton) * config.channels, eps=0.1)
        self.joints = nn.Sequential(
            GraphBlock(config.channels, width, joints, config.dropout, residual=False),
            GraphBlock(width, width, joints, config.dropout),
            GraphBlock(width, 2 * width, joints, config.dropout),
        )
        self.parts = nn.Sequential(
            GraphBlock(2 * width, 4 * width, parts, config.dropout),
            GraphBlock(4 * width, 4 * width, parts, config.dropout),
        )
        # Along time, of which a single frame has none.
        kernel = 3 if config.frames > 1 else 1
        self.body = nn.Sequential(
            nn.Conv1d(4 * width, 4 * width, kernel, padding="same"),
            nn.BatchNorm1d(4 * width),
            nn.ReLU(),
            nn.Dropout(config.body_dropout),
        )
        self.back = nn.Sequential(
            nn.Linear(8 * width, 2 * width),
            ChannelNorm(2 * width),
            nn.ReLU(),
            nn.Dropout(config.head_dropout),
        )
        self.non_local = NonLocal(4 * width)
        self.head = nn.Sequential(nn.Dropout(config.head_dropout), nn.Linear(4 * width, 3))
        members = body_parts(skeleton)
        most = max(len(part) for part in members)
        # A smaller part names its last joint again, which leaves its maximum as it is.
        padded = [part + part[-1:] * (most - len(part)) for part in members]
        part_of = {joint: k for k, part in enumerate(members) for joint in part}
        self.register_buffer("part_joints", torch.tensor(padded), persistent=False)
        self.register_buffer(
            "part_of", torch.tensor([part_of[j] for j in range(len(skeleton))]), persistent=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        frames, joints = x.shape[1:3]
        x = self.input_norm(x.flatten(2).flatten(0, 1)).reshape(x.shape)
        fine = self.joints(x.flatten(1, 2)).unflatten(1, (frames, joints))  # (B, T, J, 2C)
        pooled = fine[:, :, self.part_joints].amax(3)  # (B, T, P, 2C)
        parts = self.parts(pooled.flatten(1, 2)).unflatten(1, pooled.shape[1:3])  # (B, T, P, 4C)
        body = self.body(parts.amax(2).transpose(1, 2)).transpose(1, 2)  # (B, T, 4C)
        coarse = torch.cat([body[:, :, None].expand_as(parts), parts], dim=-1)
        coarse = self.back(coarse.flatten(1, 2)).unflatten(1, pooled.shape[1:3])  # (B, T, P, 2C)
        both = torch.cat([fine, coarse[:, :, self.part_of]], dim=-1)  # (B, T, J, 4C)
        mixed = self.non_local(both.flatten(1, 2)).unflatten(1, (frames, joints))
        out: Tensor = self.head(mixed[:, frames // 2])
        return out


class GraphBlock(nn.Module):
    """A graph convolution and a linear layer with a residual: (B, N, in) to (B, N, out)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        groups: NDArray[np.float64],
        dropout: float,
        *,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            GroupedGraphConv(inputs, outputs, groups),
            ChannelNorm(outputs),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(outputs, outputs),
            ChannelNorm(outputs),
            nn.Dropout(dropout),
        )
        self.shortcut: nn.Module | None = None
        if residual and inputs == outputs:
            self.shortcut = nn.Identity()
        elif residual:
            self.shortcut = nn.Sequential(nn.Linear(inputs, outputs), ChannelNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, in) to (B, N, out)."""
        out: Tensor = self.branch(x)
        if self.shortcut is not None:
            out = out + self.shortcut(x)
        return out.relu()


class GroupedGraphConv(nn.Module):
    """One map per group of neighbours, aggregated and summed: (B, N, in) to (B, N, out)."""

    groups: Tensor

    def __init__(self, inputs: int, outputs: int, groups: NDArray[np.float64]) -> None:
        super().__init__()
        count, nodes, _ = groups.shape
        self.outputs = outputs
        self.project = nn.Linear(inputs, count * outputs)
        # (K, N, N) -> (N, N * K): row i weighs the K projections of every node j.
        wide = groups.transpose(1, 2, 0).reshape(nodes, nodes * count)
        self.register_buffer("groups", torch.tensor(wide, dtype=torch.float32), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, in) to (B, N, out)."""
        projected: Tensor = self.project(x)
        stacked = projected.reshape(x.shape[0], self.groups.shape[1], self.outputs)
        return self.groups.to(stacked.dtype) @ stacked


class NonLocal(nn.Module):
    """Attention of one head without scaling, inside a residual: (B, N, C) to (B, N, C).

    ``y = x + norm(W softmax(theta(x) phi(x)^T) g(x))``; X. Wang et al., "Non-local Neural
    Networks", CVPR 2018, the embedded Gaussian.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.theta = nn.Linear(width, inner)
        self.phi = nn.Linear(width, inner)
        self.g = nn.Linear(width, inner)
        self.out = nn.Linear(inner, width)
        self.norm = ChannelNorm(width)
        nn.init.zeros_(self.norm.weight)  # begins as the identity

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) to (B, N, C)."""
        weights = (self.theta(x) @ self.phi(x).transpose(1, 2)).softmax(dim=-1)
        out: Tensor = x + self.norm(self.out(weights @ self.g(x)))
        return out


def joint_groups(skeleton: Skeleton, frames: int = 1) -> NDArray[np.float64]:
    """The joints' neighbours, one matrix per group: (K, T * J, T * J); see `grouped_adjacency`."""
    return grouped_adjacency(
        skeleton.edges, skeleton.pairs, hops_from_centre(skeleton), frames=frames
    )


def part_groups(skeleton: Skeleton, frames: int = 1) -> NDArray[np.float64]:
    """The same of the body parts: each limb hangs on the trunk, and faces its mirror."""
    parts = body_parts(skeleton)
    edges = [(0, limb) for limb in range(1, len(parts))]
    mirrored = [sorted(skeleton.mirror[joint] for joint in part) for part in parts]
    pairs = [(k, mirrored.index(part)) for k, part in enumerate(parts) if k < mirrored.index(part)]
    return grouped_adjacency(edges, pairs, [0] + [1] * len(edges), frames=frames)


def grouped_adjacency(
    edges: Sequence[tuple[int, int]],
    pairs: Sequence[tuple[int, int]],
    hops: Sequence[int],
    *,
    frames: int,
) -> NDArray[np.float64]:
    """Neighbours by group, nodes of all frames in turn: (K, T * N, T * N).

    Entry (k, i, j) weighs what node i takes from node j of its group k: itself, neighbours closer
    to the centre, farther from it, its mirror node; with several frames also itself one frame
    before and one after (K = 4 or 6). All groups together, each row sums to 1.

    Args:
        edges: links within a frame, in any direction.
        pairs: nodes that mirror each other.
        hops: each node's distance to the centre.
        frames: T.
    """
    nodes = len(hops)
    closer, farther, mirror = np.zeros((3, nodes, nodes))
    for ends in edges:
        near, far = sorted(ends, key=lambda node: hops[node])
        closer[far, near] = 1
        farther[near, far] = 1
    for left, right in pairs:
        mirror[left, right] = mirror[right, left] = 1
    groups = [np.kron(np.eye(frames), group) for group in (np.eye(nodes), closer, farther, mirror)]
    if frames > 1:
        groups += [np.kron(np.eye(frames, k=offset), np.eye(nodes)) for offset in (-1, 1)]
    stacked = np.stack(groups)
    return np.asarray(stacked / stacked.sum((0, 2))[:, None])


def hops_from_centre(skeleton: Skeleton) -> list[int]:
    """Each joint's distance, in bones, to the middle of the tree: the spine in Human3.6M.

    The middle is the first joint whose farthest joint is nearest.

    Raises:
        ValueError: the skeleton is not one tree.
    """
    joints = len(skeleton)
    distance = np.full((joints, joints), np.inf)
    np.fill_diagonal(distance, 0)
    for parent, child in skeleton.edges:
        distance[parent, child] = distance[child, parent] = 1
    for over in range(joints):  # Floyd and Warshall
        distance = np.minimum(distance, distance[:, over, None] + distance[over])
    if np.isinf(distance).any():
        raise ValueError(f"skeleton {skeleton.name} has several roots; this network needs one")
    middle = distance.max(1).argmin()
    return [int(hops) for hops in distance[middle]]


def body_parts(skeleton: Skeleton) -> list[list[int]]:
    """Joints by body part: the trunk with the head first, then arms and legs."""
    joints = range(len(skeleton))
    trunk = [joint for joint in joints if skeleton.side(joint) == "centre"]
    return [trunk, *skeleton.limbs.values()]
