"""Recipes that are done in a second, and their data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ampose.research.data import pose_set
from ampose.research.data.batches import Source, WindowSource
from ampose.research.data.pose_set import PoseSet
from ampose.research.data.sampling import Augmentation, PoseSampler
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.refiner import RefinedConfig
from ampose.research.recipes import Licensed, OpenMotion, Recipe
from ampose.skeletons import H36M_17, get_skeleton
from tests.research.packs import poses

TINY = Recipe(
    "tiny",
    AMPoseConfig(depth=1, width=16, channels=3),
    OpenMotion(augmentation=Augmentation(clusters=8)),
    poses=12 * 8,
    batch=8,
    precision="float32",
)

WINDOWS = Recipe(
    "windows",
    AMPoseConfig(depth=1, width=16, frames=3),
    Licensed("human3.6m"),
    epochs=3,
    batch=6,
    optimiser="amsgrad",
    schedule="exponential",
    loss="mse",
    clip_norm=None,
    average=0.0,
    precision="float32",
)
"""Of a licensed dataset: 23 frames, each twice, in 8 steps per epoch, the last of 4 samples."""

REFINED = replace(
    WINDOWS,
    name="refined",
    model=RefinedConfig(AMPoseConfig(depth=1, width=16, frames=3), hidden=32),
    loss="refined",
    start_from="windows",
)


def tiny(**changes: object) -> Recipe:
    return replace(TINY, **changes)


def sampler(recipe: Recipe = TINY) -> PoseSampler:
    assert isinstance(recipe.data, OpenMotion)
    return PoseSampler(poses(80, 0), recipe.data.augmentation)


def camera_clips(lengths: tuple[int, ...] = (9, 4, 10), skeleton: str = "h36m_17") -> PoseSet:
    """Clips of invented motion as one camera sees them: the 2D is the exact projection."""
    joints = get_skeleton(skeleton)
    clips = []
    for number, length in enumerate(lengths):
        world = poses(length, number)[:, H36M_17.indices(joints.joints)]
        pose = np.stack([world[..., 0], -world[..., 2], world[..., 1]], axis=-1)
        root = np.array([0.3 * number, 0.1, 4 + 0.1 * number])
        rays = ((pose + root) / (pose + root)[..., 2:])[..., :2]
        clips.append(
            pose_set.Clip(
                *("S1", f"take {number}", "54138969"),
                inputs=rays * 2.3,  # a focal length, in half image widths
                targets=pose,
                rays=rays,
                root_depth=np.full(length, root[2]),
                scored=np.ones(length, bool),
            )
        )
    return pose_set.join("invented", joints, clips, official=False)


def source(recipe: Recipe) -> Source:
    """Where the batches of one of the recipes above come from."""
    if isinstance(recipe.data, OpenMotion):
        return sampler(recipe)
    return WindowSource(
        camera_clips(),
        frames=recipe.model.frames,
        mirrored=recipe.data.mirror_training,
        oracle=recipe.loss == "refined",
    )


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether every number is the same to the last bit."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class OneLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x[:, 0])
