"""The training loop: seeded, resumable at any step with the same result, one readable function.

A run folder holds ``recipe.json`` (the resolved recipe), ``log.jsonl`` (loss and validation),
``checkpoint.pt`` while the run goes on, and ``model.safetensors`` (averaged weights) when it is
done.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ampose.research.data.sampling import Batch, PoseSampler
from ampose.research.models.zoo import build
from ampose.research.recipes import Recipe
from ampose.research.training.checkpoint import load_checkpoint, save_checkpoint, save_weights

Validate = Callable[[nn.Module], dict[str, float]]
Report = Callable[[int, float, dict[str, float] | None], None]
"""Called with poses seen, mean loss in mm and, when it was validated, the validation errors."""


class RunMismatchError(ValueError):
    """A run folder belongs to another recipe than the one asked for."""


def train(
    recipe: Recipe,
    sampler: PoseSampler,
    folder: Path,
    *,
    validate: Validate,
    report: Report,
    validations: int = 20,
    checkpoint_seconds: float = 60.0,
    device: str = "cpu",
    workers: int = 1,
) -> nn.Module:
    """Trains to the end of the recipe, from the folder's checkpoint if there is one.

    Args:
        recipe: what to train.
        sampler: where batches come from; step k's batch depends only on the recipe's seed and k.
        folder: the run folder, made if absent.
        validate: scores the averaged model; called `validations` times and at the end.
        report: told about progress every few seconds' worth of steps.
        validations: how often to validate over the run.
        checkpoint_seconds: time between checkpoints; one is also saved when interrupted.
        device: torch device.
        workers: threads that make batches ahead.

    Returns:
        The averaged model, in evaluation mode.

    Raises:
        RunMismatchError: the folder holds a run of another recipe.
        KeyboardInterrupt: after saving a checkpoint.
    """
    folder.mkdir(parents=True, exist_ok=True)
    claim_folder(folder, recipe)
    torch.manual_seed(recipe.seed)
    model = build(recipe.model).to(device)
    average = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
    optimiser = torch.optim.AdamW(
        parameter_groups(model, recipe.weight_decay), lr=recipe.learning_rate, fused=True
    )
    done = load_checkpoint(folder, model, average, optimiser)
    every = max(1, recipe.steps // validations)
    losses: list[Tensor] = []
    saved_at = time.monotonic()
    log = (folder / "log.jsonl").open("a", encoding="utf-8")
    try:
        for step, batch in prefetched(sampler, recipe, done, workers):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(recipe, step)
            losses.append(train_step(recipe, model, optimiser, batch, device))
            update_average(average, model, min(recipe.average, (step + 1) / (step + 10)))
            done = step + 1
            last = done == recipe.steps
            if done % 50 == 0 or last:
                scores = validate(average) if last or done % every < 50 <= done else None
                loss = float(torch.stack(losses).mean()) * 1000
                losses.clear()
                report(done * recipe.batch, loss, scores)
                record = {"poses": done * recipe.batch, "loss_mm": round(loss, 3)}
                log.write(json.dumps(record | (scores or {})) + "\n")
                log.flush()
            if time.monotonic() - saved_at > checkpoint_seconds:
                save_checkpoint(folder, done, model, average, optimiser)
                saved_at = time.monotonic()
    except KeyboardInterrupt:
        save_checkpoint(folder, done, model, average, optimiser)
        raise
    finally:
        log.close()
    save_checkpoint(folder, done, model, average, optimiser)
    save_weights(average, folder / "model.safetensors")
    return average


def claim_folder(folder: Path, recipe: Recipe) -> None:
    """Writes the recipe into a new run folder; refuses a folder of another recipe."""
    path = folder / "recipe.json"
    text = json.dumps(asdict(recipe), indent=2)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise RunMismatchError(
            f"{folder} holds a run of another recipe; give --out another folder"
        )
    path.write_text(text, encoding="utf-8")


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Matrices with weight decay; biases, norms and position embeddings without."""
    matrices = {m.weight for m in model.modules() if isinstance(m, nn.Linear)}
    rest = [p for p in model.parameters() if p not in matrices]
    return [
        {"params": [p for p in model.parameters() if p in matrices], "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then a cosine to zero at the last step."""
    warmup = max(1, round(recipe.warmup * recipe.steps))
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, recipe.steps - warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def prefetched(
    sampler: PoseSampler, recipe: Recipe, first: int, workers: int
) -> Iterator[tuple[int, Batch]]:
    """Steps `first` to the last with their batches, made ahead by threads."""

    def make(step: int) -> tuple[int, Batch]:
        return step, sampler.batch(recipe.batch, np.random.default_rng([recipe.seed, step]))

    steps = iter(range(first, recipe.steps))
    with ThreadPoolExecutor(workers) as pool:
        ahead = [pool.submit(make, step) for step in itertools.islice(steps, 2 * workers)]
        while ahead:
            ready = ahead.pop(0).result()
            ahead += [pool.submit(make, step) for step in itertools.islice(steps, 1)]
            yield ready


def train_step(
    recipe: Recipe,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    device: str,
) -> Tensor:
    """One optimiser step; returns the loss in metres (or square metres for ``mse``)."""
    inputs = torch.from_numpy(batch.inputs).to(device).unsqueeze(1)
    targets = torch.from_numpy(batch.targets).to(device)
    model.train()
    optimiser.zero_grad(set_to_none=True)
    mixed = recipe.precision == "bfloat16"
    with torch.autocast(device, torch.bfloat16) if mixed else nullcontext():
        predicted = model(inputs)
    difference = predicted.float() - targets
    if recipe.loss == "mpjpe":
        loss = difference.norm(dim=-1).mean()
    else:
        loss = difference.square().sum(-1).mean()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
    optimiser.step()
    detached: Tensor = loss.detach()
    return detached


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves the running average of the weights towards the model; copies buffers."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    for kept, new in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(new)
