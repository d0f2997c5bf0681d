"""Optimisers, and the learning rate of every step.

References:
    [1] K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    [2] J. Liu et al., "Muon is Scalable for LLM Training", arXiv:2502.16982, 2025: its steps
        brought to the size of AdamW's, so that one learning rate is for both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import nn

from ampose.research.data.batches import Plan
from ampose.research.recipes import Recipe

_LEAST_SIDE = 16
"""Muon takes matrices with at least as many rows and columns. Maps from keypoints and to
coordinates have too few to make it worth evening out their gradient's directions."""


class Optimiser(Protocol):
    """What the loop and the checkpoint need of an optimiser."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Parameters with their learning rate, ``lr``, which may be written."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients."""

    def step(self) -> Any:
        """Moves the parameters."""

    def state_dict(self) -> dict[str, Any]:
        """The moments."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the moments of `state_dict`."""


class Several:
    """Optimisers of different parameters, stepped together."""

    def __init__(self, parts: Sequence[torch.optim.Optimizer]) -> None:
        self._parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Those of all parts."""
        return [group for part in self._parts for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none=set_to_none)

    def step(self) -> None:
        """Moves the parameters."""
        for part in self._parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """The moments of every part."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the moments of `state_dict`."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)


def make_optimiser(recipe: Recipe, model: nn.Module) -> Optimiser:
    """The recipe's optimiser."""
    groups = parameter_groups(model, recipe.weight_decay)
    rate = recipe.learning_rate
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=True)
    if recipe.optimiser == "muon":
        (matrices, rest), decay = groups, recipe.weight_decay
        hidden = [p for p in matrices["params"] if min(p.shape) >= _LEAST_SIDE]
        matrices["params"] = [p for p in matrices["params"] if min(p.shape) < _LEAST_SIDE]
        alike = "match_rms_adamw"  # [2]
        muon = torch.optim.Muon(hidden, lr=rate, weight_decay=decay, adjust_lr_fn=alike)
        return Several([muon, torch.optim.AdamW([matrices, rest], lr=rate, fused=True)])
    amsgrad = recipe.optimiser == "amsgrad"
    return torch.optim.Adam(groups, lr=rate, amsgrad=amsgrad, fused=True)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices with weight decay; biases, norms and embeddings without; nothing that is frozen."""
    trained = [p for p in model.parameters() if p.requires_grad]
    linear = {m.weight for m in model.modules() if isinstance(m, nn.Linear)}
    matrices = [p for p in trained if p in linear]
    rest = [p for p in trained if p not in linear]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]


def learning_rate(recipe: Recipe, plan: Plan, step: int) -> float:
    """The learning rate of a step: by epochs, or a linear warm-up to the peak and then a cosine.

    The cosine would be zero one step after the last.
    """
    if recipe.schedule == "exponential":
        return recipe.learning_rate * recipe.decay ** (step // plan.steps_per_epoch)
    warmup = max(1, round(recipe.warmup * plan.steps))
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, plan.steps - warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
