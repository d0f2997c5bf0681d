"""How far off a pose may be: a standard deviation per joint and axis beside a trained lifter.

A small network reads the lifter's last features, those of each joint and the mean over all, and
how far the keypoints are from the projection of the lifter's answer, which tells how noisy they
are; its output is the scale of the joint's error. The lifter itself is frozen, so its poses do not
change. The head is trained by the likelihood of the errors under a Laplace distribution, whose
tails are closer to those of a lifter's errors than a Gaussian's are, and then scaled joint by
joint on subjects that it was not trained on, where errors are larger and of another shape. It is
our own addition: the thesis's model has no such head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ampose.cameras import USUAL_SCALE
from ampose.research.models.ampose import AMPose
from ampose.research.models.on_base import OnBaseConfig
from ampose.skeletons import get_skeleton

_USUAL_MISFIT = 0.03
"""Typical misfit of a keypoint, as a share of half the box: scales the small network's input to
about 1."""

_ROUNDS = 3
"""Rounds of least squares: how near joints are follows from the scale, and the scale from that."""

LARGEST_METRES = 2.0
"""The largest sigma: the size of a person, above which it has no meaning."""


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
            nn.Linear(2 * config.width + 3, config.hidden), nn.GELU(), nn.Linear(config.hidden, 3)
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
            mean = features.mean(1, keepdim=True).expand_as(features)
            off = misfit(x[:, x.shape[1] // 2].float(), pose.float()) / _USUAL_MISFIT
            all_off = off.pow(2).mean((1, 2), keepdim=True).sqrt()
            noise = torch.log(all_off + 0.01).expand(-1, off.shape[1], -1)
            read = torch.cat([features, mean, off, noise], dim=-1)
        # Half a decimetre at the start.
        scale = torch.exp(self.sigma(read).float() - 3).clamp(max=LARGEST_METRES)
        others = torch.ones(len(self.calibration), 1, device=x.device)
        others[self.root] = 0
        return pose, scale * self.calibration * others


def misfit(keypoints: Tensor, pose: Tensor) -> Tensor:
    """From the projection of a pose to its keypoints, (B, J, 2), as shares of half the box.

    The camera looks along z; distance and place of the pose are fitted by least squares. With
    three channels perspective is left out. Zero where a joint was not seen.

    Args:
        keypoints: `look_at_person` inputs (B, J, channels).
        pose: (B, J, 3) metres.
    """
    place, seen = keypoints[..., :2], keypoints[..., 2:3]
    nearness = torch.ones_like(seen)
    off = torch.zeros_like(place)
    for _ in range(_ROUNDS if keypoints.shape[-1] > 3 else 1):
        # place ~ nearness * (scale * pose + shift), of the seen ones
        across, one = seen * nearness * pose[..., :2], seen * nearness
        weight = (one**2).sum(1).clamp(min=1e-6)
        mixed, known = (one * across).sum(1), (one * place).sum(1)
        spread = (across**2).sum((1, 2)) - (mixed**2 / weight).sum(-1)
        both = (across * place).sum((1, 2)) - (mixed * known / weight).sum(-1)
        scale = (both / spread.clamp(min=1e-6))[:, None]
        shift = (known - mixed * scale) / weight
        off = seen * place - scale[:, None] * across - one * shift[:, None]
        if keypoints.shape[-1] > 3:
            box = (keypoints[..., 3:4] * seen).sum(1) / seen.sum(1).clamp(min=1) - USUAL_SCALE
            depth = pose[..., 2:] * (scale * torch.exp(box))[:, None]  # in distances of the root
            nearness = 1 / (1 + depth).clamp(min=0.2)
    return off


def negative_log_likelihood(pose: Tensor, sigma: Tensor, target: Tensor, root: int) -> Tensor:
    """Of a pose's errors under Laplace distributions with standard deviation sigma: (B,).

    ``log(2 b) + |error| / b`` with ``b = sigma / sqrt(2)``, mean over axes and all joints but the
    root.
    """
    error = (pose - pose[:, root, None] - target).abs()
    b = sigma / 2**0.5
    others = [joint for joint in range(pose.shape[1]) if joint != root]
    b, error = b[:, others], error[:, others]
    return (torch.log(2 * b) + error / b).mean((1, 2))
