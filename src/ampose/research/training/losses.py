"""What a training step minimises, per pose, so that processes can share a batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ampose.research.data.batches import Batch
from ampose.research.models.refiner import bone_asymmetry
from ampose.research.models.uncertain import negative_log_likelihood
from ampose.research.recipes import Recipe
from ampose.skeletons import get_skeleton

SYMMETRY_WEIGHT = 0.01
"""Weight of the bone symmetry term of the refinement (Cai et al., ICCV 2019)."""


def pose_losses(recipe: Recipe, model: nn.Module, batch: Batch, device: str) -> Tensor:
    """The loss of every pose, (B,): metres for ``mpjpe`` and ``refined``, m^2 for ``mse``.

    ``mse`` is equation 3.10: squared distance, mean over joints. ``refined`` is the mean distance
    of the base's pose plus that of the refined pose plus the refined pose's bone asymmetry.
    ``likelihood`` is `negative_log_likelihood`, without a unit.
    """

    def on_device(array: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(array).to(device, non_blocking=True)

    inputs, targets = on_device(batch.inputs), on_device(batch.targets)
    if recipe.loss == "likelihood":
        pose, sigma = model(inputs, with_sigma=True)
        root = get_skeleton(recipe.model.skeleton).root
        return negative_log_likelihood(pose.float(), sigma, targets, root)
    if recipe.loss != "refined":
        difference: Tensor = model(inputs).float() - targets
        if recipe.loss == "mse":
            return difference.square().sum(-1).mean(-1)
        distance: Tensor = difference.norm(dim=-1)
        return distance.mean(-1)
    assert batch.rays is not None
    assert batch.root_depth is not None
    both = model(inputs, on_device(batch.rays), on_device(batch.root_depth)).float()
    skeleton = get_skeleton(recipe.model.skeleton)
    distances: Tensor = (both - targets).norm(dim=-1).mean(-1).sum(0)
    return distances + SYMMETRY_WEIGHT * bone_asymmetry(both[1], skeleton)
