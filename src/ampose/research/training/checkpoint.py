"""Checkpoints of a run that goes on, and the weights of one that is done."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from ampose.files import written_beside
from ampose.research.models.zoo import ZOO, ModelConfig, build
from ampose.research.training.optimisers import Optimiser

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "model.safetensors"
"""What a run folder holds while the run goes on, and when it is done."""


def save_checkpoint(
    folder: Path,
    step: int,
    losses: list[Tensor],
    model: nn.Module,
    average: nn.Module,
    optimiser: Optimiser,
) -> None:
    """Writes everything that a resumed run needs; if interrupted, the last one is kept."""
    state = {
        "step": step,
        "losses": losses,
        "model": model.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    with written_beside(folder / CHECKPOINT) as beside:
        torch.save(state, beside)


def load_checkpoint(
    folder: Path, model: nn.Module, average: nn.Module, optimiser: Optimiser
) -> tuple[int, list[Tensor]]:
    """Restores a run in place.

    Returns:
        The steps done and the losses that are not in the log yet; 0 and none if there is no
        checkpoint.

    Raises:
        ValueError: the checkpoint is damaged or not of this network.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return 0, []
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        return state["step"], state["losses"]
    except Exception as error:  # torch raises many unrelated classes
        raise ValueError(
            f"{path}: damaged, or not of this run; remove it to start the run anew"
        ) from error


def save_weights(model: nn.Module, path: Path) -> None:
    """Weights as safetensors, with the configuration that rebuilds the network in the metadata."""
    name = next(name for name, (_, network) in ZOO.items() if isinstance(model, network))
    config = json.dumps(asdict(model.config))  # type: ignore[call-overload]
    with written_beside(path) as beside:
        save_model(model, str(beside), metadata={"model": name, "config": config})


def load_weights(path: Path) -> nn.Module:
    """Rebuilds a network from `save_weights`' file, in evaluation mode.

    Raises:
        ValueError: the file is not one of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error
    try:
        config_type, _ = ZOO[metadata["model"]]
        config: ModelConfig = config_type(**json.loads(metadata["config"]))
        model = build(config)
        load_model(model, str(path))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: not weights of a lifter of this package") from error
    return model.eval()
