"""A recipe that is done in a second, and its data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ampose.research.data.sampling import Augmentation, PoseSampler
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.recipes import Recipe
from tests.research.packs import poses

TINY = Recipe(
    "tiny",
    AMPoseConfig(depth=1, width=16, channels=3),
    poses=12 * 8,
    batch=8,
    precision="float32",
    augmentation=Augmentation(clusters=8),
)


def tiny(**changes: object) -> Recipe:
    return replace(TINY, **changes)


def sampler(recipe: Recipe = TINY) -> PoseSampler:
    return PoseSampler(poses(80, 0), recipe.augmentation)


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether every number is the same to the last bit."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
