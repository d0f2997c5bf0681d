"""SRNet: every body part has a network of its own, which hears little of the rest of the body.

References:
    [1] A. Zeng, X. Sun, F. Huang, M. Liu, Q. Xu, S. Lin, "SRNet: Improving Generalization in 3D
        Human Pose Estimation with a Split-and-Recombine Approach", ECCV 2020.
    [2] ailingzengzzz/Split-and-Recombine-Net (Apache-2), read for facts: its single-frame model
        with five groups, recombined by multiplication, is its default and the one it evaluates.

Known from [2]: the residual network of fully connected layers of Martinez and VideoPose3D (a
layer, two blocks of two, a last one), in which every layer is split into five groups: the legs,
the arms, and trunk with head, each together with the root. The 1,024 channels are shared out in
proportion to the joints of a group, 195, 195, 243, 195, 196 at 17 joints. In every layer, the
last one too, a group's input is first multiplied by one number between 0 and 1: the "low-
dimensional global context", a linear map of all other groups' inputs, batch normalisation and a
sigmoid. The maps of the groups have no bias; batch normalisation, leaky ReLU of slope 0.01 and no
dropout after all but the last.

Groups are derived from the tree: each chain of sided joints (arm, leg), and the centre joints.

Our memory of [1] holds no parameter count; [2] says that a layer has about a fifth of the
parameters of a fully connected one. Built as [2] builds it the network has 899,029; here 896,316.
Of the rest, 2,683 belong to 13 outputs that [2] computes and throws away (the root's in four
groups, and one that is left over), and 30 are biases of context maps, which batch normalisation
cancels. Martinez's network has 4,296,755.

Left out: the temporal model (several frames are more numbers per joint, as in section 4.4 of the
thesis), other groupings, addition and concatenation as ways to recombine. Our choice: [2] begins
the context maps at zero; the batch normalisation behind them undoes that with the first step, so
ours begin as torch begins linear layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.checks import refuse_impossible
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class SRNetConfig:
    """Shape of the network. The defaults are the published single-frame model.

    Attributes:
        width: channels of a layer, all groups together.
        blocks: residual blocks of two layers.
        dropout: after every layer but the last, in training.
        frames: T, input frames; a joint has ``channels * T`` numbers.
        channels: numbers per joint and frame at the input.
        skeleton: name of the joint set.
    """

    width: int = 1024
    blocks: int = 2
    dropout: float = 0.0
    frames: int = 1
    channels: int = 2
    skeleton: str = "h36m_17"

    def __post_init__(self) -> None:
        refuse_impossible(self)
        parts = body_parts(get_skeleton(self.skeleton))
        if min(share(self.width, [len(part) for part in parts])) < 1:
            raise ValueError(
                f"width {self.width} leaves one of {len(parts)} body parts without a channel"
            )


class SRNet(nn.Module):
    """The network: (B, T, J, channels) to (B, J, 3), the pose of the middle frame."""

    sources: Tensor
    order: Tensor

    def __init__(self, config: SRNetConfig) -> None:
        super().__init__()
        self.config = config
        skeleton = get_skeleton(config.skeleton)
        parts = body_parts(skeleton)
        self.sizes = [len(part) for part in parts]
        numbers = [size * config.channels * config.frames for size in self.sizes]
        widths = share(config.width, self.sizes)
        sources = torch.tensor([joint for part in parts for joint in part])
        self.register_buffer("sources", sources, persistent=False)
        self.start = SplitLayer(numbers, widths, config)
        self.blocks = nn.ModuleList(
            nn.Sequential(SplitLayer(widths, widths, config), SplitLayer(widths, widths, config))
            for _ in range(config.blocks)
        )
        # Every part sees the root, the first one answers for it.
        answers = [part if index == 0 else part[1:] for index, part in enumerate(parts)]
        self.head = Recombine(widths, [3 * len(joints) for joints in answers])
        order = torch.tensor([joint for joints in answers for joint in joints]).argsort()
        self.register_buffer("order", order, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, J, channels) to (B, J, 3)."""
        joints = x.transpose(1, 2).flatten(2)  # (B, J, T * channels)
        split = torch.split(joints[:, self.sources], self.sizes, dim=1)
        parts = self.start([part.flatten(1) for part in split])
        for block in self.blocks:
            parts = [part + more for part, more in zip(parts, block(parts), strict=True)]
        pose = torch.cat(self.head(parts), dim=1)
        return torch.unflatten(pose, 1, (len(self.order), 3))[:, self.order]


class Recombine(nn.Module):
    """A map for each part of its own features, scaled by what the others' features say.

    Takes and gives one tensor per part, (B, inputs of the part) to (B, outputs of the part).
    """

    def __init__(self, inputs: list[int], outputs: list[int]) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Linear(into, out, bias=False) for into, out in zip(inputs, outputs, strict=True)
        )
        self.contexts = nn.ModuleList(
            nn.Sequential(
                nn.Linear(sum(inputs) - into, 1, bias=False), nn.BatchNorm1d(1), nn.Sigmoid()
            )
            for into in inputs
        )

    def forward(self, parts: list[Tensor]) -> list[Tensor]:
        """One tensor per part to one tensor per part."""
        return [
            self.maps[i](part * self.contexts[i](torch.cat(parts[:i] + parts[i + 1 :], dim=1)))
            for i, part in enumerate(parts)
        ]


class SplitLayer(nn.Module):
    """`Recombine`, batch normalisation, leaky ReLU and dropout of each part."""

    def __init__(self, inputs: list[int], outputs: list[int], config: SRNetConfig) -> None:
        super().__init__()
        self.recombine = Recombine(inputs, outputs)
        self.after = nn.ModuleList(
            nn.Sequential(nn.BatchNorm1d(out), nn.LeakyReLU(0.01), nn.Dropout(config.dropout))
            for out in outputs
        )

    def forward(self, parts: list[Tensor]) -> list[Tensor]:
        """One tensor per part to one tensor per part."""
        return [after(part) for after, part in zip(self.after, self.recombine(parts), strict=True)]


def share(width: int, sizes: list[int]) -> list[int]:
    """Channels of each part, in proportion to its size; what is left over goes to the last."""
    widths = [width * size // sum(sizes) for size in sizes]
    widths[-1] += width - sum(widths)
    return widths


def body_parts(skeleton: Skeleton) -> list[list[int]]:
    """The root and each limb's joints, the root and all other joints; by their first joint."""
    root = skeleton.root
    joints = range(len(skeleton))
    trunk = [joint for joint in joints if skeleton.side(joint) == "centre" and joint != root]
    parts = sorted([trunk, *skeleton.limbs.values()])
    return [[root, *part] for part in parts if part]
