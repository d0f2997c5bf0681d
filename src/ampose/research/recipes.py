"""Named, typed recipes: everything that decides a training run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from ampose.research.data.sampling import Augmentation
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.martinez import MartinezConfig


@dataclass(frozen=True)
class Recipe:
    """One training run on open motion.

    Attributes:
        name: what ``ampose train`` calls it.
        model: the network.
        poses: poses to see; the run ends there.
        batch: poses per step.
        learning_rate: peak; a linear warm-up leads to it and a cosine from it to zero.
        warmup: share of the steps that warm up.
        weight_decay: AdamW's, on matrices only.
        loss: ``mpjpe`` (mean distance) or ``mse`` (equation 3.10 of the thesis).
        clip_norm: largest gradient norm.
        average: decay of the running average of the weights, which is what is kept.
        precision: ``bfloat16`` computes matrix products in it; weights stay float32.
        seed: of initial weights and of every batch.
        packs: open-mocap packs whose ``train`` split is used.
        augmentation: what varies between samples.
    """

    name: str
    model: AMPoseConfig | MartinezConfig
    poses: int = 5_000_000
    batch: int = 256
    learning_rate: float = 2e-3
    warmup: float = 0.02
    weight_decay: float = 0.01
    loss: Literal["mpjpe", "mse"] = "mpjpe"
    clip_norm: float = 1.0
    average: float = 0.999
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    seed: int = 0
    packs: tuple[str, ...] = ("cmu", "mesh2motion")
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run."""
        return -(-self.poses // self.batch)


_OPEN_SMALL = Recipe("open-small", AMPoseConfig(depth=4, width=128, channels=3))

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _OPEN_SMALL,
        replace(_OPEN_SMALL, name="open-large", model=AMPoseConfig(channels=3)),
        replace(
            _OPEN_SMALL,
            name="martinez",
            model=MartinezConfig(channels=3, dropout=0.0),
            learning_rate=1e-3,
        ),
    )
}
"""``open-small`` ships in the package, ``open-large`` needs a GPU, ``martinez`` is the floor."""
