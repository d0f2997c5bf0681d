"""A recipe by name, its data and its run folder put together."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ampose.metrics import mpjpe, p_mpjpe
from ampose.research.data.open_mocap import load_pack
from ampose.research.data.sampling import PoseSampler
from ampose.research.evaluation.open_protocol import EvaluationSet, load_set, predict
from ampose.research.evaluation.provenance import circumstances
from ampose.research.recipes import RECIPES, OpenMotion
from ampose.research.training.distributed import World
from ampose.research.training.inference import torch_lifter
from ampose.research.training.loop import train

Scores = dict[str, float]


def train_recipe(
    name: str,
    data: Path,
    folder: Path,
    *,
    poses: int | None = None,
    seed: int | None = None,
    learning_rate: float | None = None,
    workers: int = 1,
    threads: int | None = None,
    progress: Callable[[int, int | None], None],
) -> Scores:
    """Trains a named recipe to its end and returns its validation errors in millimetres.

    Raises:
        ValueError: unknown recipe, unusable data, or a folder of another run.
        KeyboardInterrupt: after saving, so that the same call goes on.
    """
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; known are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    given = {"poses": poses, "seed": seed, "learning_rate": learning_rate}
    recipe = replace(recipe, **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    if threads:
        torch.set_num_threads(threads)
    assert isinstance(recipe.data, OpenMotion)
    sampler = load_sampler(recipe.data, data)
    validation = load_set("cmu-val", data)
    world = World(device="cuda" if torch.cuda.is_available() else "cpu")
    total = recipe.plan(sampler.poses)

    def validate(model: nn.Module) -> Scores:
        return validation_errors(model, validation, world.device)

    def report(poses: int, loss: float, scores: Scores | None) -> None:
        del loss, scores  # they are in the log
        progress(poses, total.seen(total.steps))

    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "run.json"
    if not record.exists():
        name = torch.cuda.get_device_name() if world.device == "cuda" else world.device
        now = circumstances() | {"torch": torch.__version__, "device": name}
        record.write_text(json.dumps(now, indent=2), encoding="utf-8")
    model = train(
        recipe, sampler, folder, validate=validate, report=report, world=world, workers=workers
    )
    return validate(model)


def load_sampler(motion: OpenMotion, data: Path) -> PoseSampler:
    """The training split of packs.

    Raises:
        ValueError: a pack cannot be read, or there is nothing to train on.
    """
    packs = [load_pack(data / f"{name}.npz") for name in motion.packs]
    positions = np.concatenate([pack.positions[pack.frames(split="train")] for pack in packs])
    if not len(positions):
        raise ValueError(f"no frame of split 'train' in {', '.join(motion.packs)} of {data}")
    return PoseSampler(positions, motion.augmentation)


def validation_errors(model: nn.Module, chosen: EvaluationSet, device: str) -> Scores:
    """MPJPE and P-MPJPE with known focal length on exact and detector-like 2D, millimetres."""
    lift = torch_lifter(model, device=device)
    target = chosen.joints["template"]
    out = {}
    for kind in ("exact", "detector"):
        predicted = predict(lift, chosen, chosen.pixels["template", kind], focal="known")
        out[f"{kind}_mpjpe"] = round(mpjpe(predicted, target), 2)
        out[f"{kind}_p_mpjpe"] = round(p_mpjpe(predicted, target), 2)
    return out
