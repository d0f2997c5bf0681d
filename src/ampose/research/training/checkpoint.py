"""Checkpoints of a run that goes on, and the weights of one that is done."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model
from torch import nn

from ampose.research.models.zoo import ZOO, ModelConfig, build

_NAME = "checkpoint.pt"


def save_checkpoint(
    folder: Path, step: int, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Writes everything that a resumed run needs; an interruption keeps the one before."""
    state = {
        "step": step,
        "model": model.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "random": torch.get_rng_state(),
    }
    beside = folder / f"{_NAME}.partial"
    torch.save(state, beside)
    beside.replace(folder / _NAME)


def load_checkpoint(
    folder: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> int:
    """Restores a run in place; returns the steps done, 0 if there is no checkpoint."""
    path = folder / _NAME
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["random"])
    step: int = state["step"]
    return step


def save_weights(model: nn.Module, path: Path) -> None:
    """Weights as safetensors, with the configuration that rebuilds the network in the metadata."""
    name = next(name for name, (_, network) in ZOO.items() if isinstance(model, network))
    config = json.dumps(asdict(model.config))  # type: ignore[call-overload]
    beside = path.with_name(path.name + ".partial")
    save_model(model, str(beside), metadata={"model": name, "config": config})
    beside.replace(path)


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
    if metadata.get("model") not in ZOO:
        raise ValueError(f"{path}: not weights of a lifter of this package")
    config_type, _ = ZOO[metadata["model"]]
    config: ModelConfig = config_type(**json.loads(metadata["config"]))
    model = build(config)
    load_model(model, str(path))
    return model.eval()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
