"""How far off a pose may be: a standard deviation per joint and axis beside a trained lifter.

A small network reads the lifter's last features, those of each joint and the mean over all, and
answers with the scale of the joint's error. The lifter itself is frozen, so its poses are those
that it had. Trained by the likelihood of the errors under a Laplace distribution, whose tails are
closer to those of a lifter than a Gaussian's are; then scaled joint by joint on subjects that it
was not trained on, where errors are larger and of another shape. Our own addition: the thesis's
model has no such head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ampose.research.models.ampose import AMPose
from ampose.research.models.on_base import OnBaseConfig
from ampose.skeletons import get_skeleton

LARGEST_METRES = 2.0
"""Of a sigma: the size of a person, above which it says no more."""


@dataclass(frozen=True)
class UncertainConfig(OnBaseConfig):
    """A lifter and the network that says how sure it is.

    Attributes:
        base: the lifter.
        hidden: width of the hidden layer.
    """

    hidden: int = 128


class Uncertain(nn.Module):
    """A lifter whose poses come with a sigma.

    Errors are those of the pose relative to its own root, whose sigma is therefore zero.
    """

    calibration: Tensor

    def __init__(self, config: UncertainConfig) -> None:
        super().__init__()
        self.config = config
        skeleton = get_skeleton(config.skeleton)
        self.root = skeleton.root
        self.base = AMPose(config.base).requires_grad_(requires_grad=False)
        self.sigma = nn.Sequential(
            nn.Linear(2 * config.width, config.hidden), nn.GELU(), nn.Linear(config.hidden, 3)
        )
        self.register_buffer("calibration", torch.ones(len(skeleton), 3))

    def train(self, mode: bool = True) -> Uncertain:
        """Sets the mode of the small network; the lifter stays in evaluation mode."""
        super().train(mode)
        self.base.eval()
        return self

    def forward(self, x: Tensor, *, with_sigma: bool = False) -> Any:
        """(B, T, J, channels) to the pose (B, J, 3); with its sigma to two of these, metres.

        The sigma is along the axes of the pose.
        """
        with torch.no_grad():
            features = self.base.features(x)
            pose: Tensor = self.base.head(features)
        if not with_sigma:
            return pose
        # The mean tells how noisy the keypoints are altogether.
        both = torch.cat([features, features.mean(1, keepdim=True).expand_as(features)], dim=-1)
        # Half a decimetre at the start.
        scale = torch.exp(self.sigma(both).float() - 3).clamp(max=LARGEST_METRES)
        others = torch.ones(len(self.calibration), 1, device=x.device)
        others[self.root] = 0
        return pose, scale * self.calibration * others


def negative_log_likelihood(pose: Tensor, sigma: Tensor, target: Tensor, root: int) -> Tensor:
    """Of a pose's errors under Laplace distributions of standard deviation sigma: (B,).

    ``log(2 b) + |error| / b`` with ``b = sigma / sqrt(2)``, mean over axes and all joints but the
    root.
    """
    error = (pose - pose[:, root, None] - target).abs()
    b = sigma / 2**0.5
    others = [joint for joint in range(pose.shape[1]) if joint != root]
    b, error = b[:, others], error[:, others]
    return (torch.log(2 * b) + error / b).mean((1, 2))
