"""The pose refinement of the thesis's rows marked *: an oracle, for comparison only.

It puts the network's depth onto the viewing rays of the 2D keypoints and mixes the result with
the network's pose, by weights that a small network gives. For this it needs the camera's
intrinsics and the **true depth of the root**, which nobody has outside a laboratory: every table
flags it, and nothing we ship uses it.

Reference: Y. Cai et al., ICCV 2019. As there: an MLP from both poses, flattened, to one weight
per joint for x and one for y; z stays the network's; 140,322 parameters at 17 joints; trained
together with the network once that has converged. Other than in their code, dropout is off in
evaluation, lens distortion is removed from the rays, and the symmetry term has an absolute value
(without one, making one side ever longer would lower it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ampose.research.models.ampose import AMPose
from ampose.research.models.on_base import OnBaseConfig
from ampose.skeletons import Skeleton, get_skeleton


@dataclass(frozen=True)
class RefinedConfig(OnBaseConfig):
    """A network and its refiner.

    Attributes:
        base: the network whose poses are refined.
        hidden: width of the refiner's hidden layer.
        dropout: after the hidden layer, in training.
    """

    hidden: int = 1024
    dropout: float = 0.5


class Refined(nn.Module):
    """A network with its refiner; without the oracle's inputs it is the network alone."""

    def __init__(self, config: RefinedConfig) -> None:
        super().__init__()
        self.config = config
        self.root = get_skeleton(config.skeleton).root
        joints = len(get_skeleton(config.skeleton))
        self.base = AMPose(config.base)
        self.refiner = nn.Sequential(
            nn.Linear(6 * joints, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, 2 * joints),
            nn.Sigmoid(),
        )

    def forward(
        self, x: Tensor, rays: Tensor | None = None, root_depth: Tensor | None = None
    ) -> Any:
        """(B, T, J, channels) to (B, J, 3); with the oracle to (2, B, J, 3), the refined second.

        Args:
            x: normalised keypoints.
            rays: (B, J, 2), x / z and y / z of the keypoints' viewing rays.
            root_depth: (B,) metres, true depth of the root.
        """
        pose: Tensor = self.base(x)
        if rays is None or root_depth is None:
            return pose
        pose = pose - pose[:, self.root, None]
        depth = pose[..., 2] + root_depth[:, None]
        on_rays = torch.cat([rays * depth[..., None], depth[..., None]], dim=-1)
        on_rays = on_rays - on_rays[:, self.root, None]
        both = torch.cat([pose.flatten(1), on_rays.flatten(1)], dim=-1)
        weight = self.refiner(both).reshape(*pose.shape[:2], 2)
        plane = weight * pose[..., :2] + (1 - weight) * on_rays[..., :2]
        return torch.stack([pose, torch.cat([plane, pose[..., 2:]], dim=-1)])


def bone_asymmetry(pose: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean difference in length of left and right bones: (B, J, 3) to (B,), in the pose's unit."""
    left, right = (
        torch.stack([(pose[:, j] - pose[:, skeleton.parents[j]]).norm(dim=-1) for j in side])
        for side in zip(*skeleton.pairs, strict=True)
    )
    return (left - right).abs().mean(0)
