"""The training loop: seeded, resumable at any step with the same result, one readable function.

A run folder holds ``recipe.json`` (the resolved recipe), ``log.jsonl`` (loss and validation
errors), ``checkpoint.pt`` while the run goes on, and ``model.safetensors`` (averaged weights)
when it is done.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import Tensor, nn

from ampose.research.data.sampling import Batch, PoseSampler
from ampose.research.models.zoo import build
from ampose.research.recipes import Recipe
from ampose.research.training.checkpoint import (
    CHECKPOINT,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)

RECORD_STEPS = 50
"""Steps between two lines of the log."""

Validate = Callable[[nn.Module], dict[str, float]]
Report = Callable[[int, float, dict[str, float] | None], None]
"""Called with poses seen, mean loss in mm (mm2 for ``mse``) and, when it was validated, the
validation errors."""


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
        validate: scores the averaged model; called about `validations` times, and at the end.
        report: told about progress every `RECORD_STEPS` steps and at the end.
        validations: how often to validate over the run, at most every `RECORD_STEPS` steps.
        checkpoint_seconds: time between checkpoints; one is also saved when interrupted.
        device: torch device.
        workers: threads that make batches ahead.

    Returns:
        The averaged model, in evaluation mode; at once if the folder holds a finished run.

    Raises:
        RunMismatchError: the folder holds a run of another recipe.
        ValueError: the folder's checkpoint is damaged.
        KeyboardInterrupt: after saving a checkpoint.
    """
    folder.mkdir(parents=True, exist_ok=True)
    claim_folder(folder, recipe)
    weights = folder / "model.safetensors"
    if weights.exists():
        return load_weights(weights).to(device)
    torch.manual_seed(recipe.seed)
    model = build(recipe.model).to(device)
    average = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
    optimiser = torch.optim.AdamW(
        parameter_groups(model, recipe.weight_decay), lr=recipe.learning_rate, fused=True
    )
    done, losses = load_checkpoint(folder, model, average, optimiser)
    every = max(1, recipe.steps // validations)
    unit = 1e3 if recipe.loss == "mpjpe" else 1e6
    saved_at = time.monotonic()
    log = open_log(folder / "log.jsonl", -(-(done - len(losses)) // RECORD_STEPS))
    batches = prefetched(sampler, recipe, done, workers)
    try:
        while True:
            last = done == recipe.steps
            # No losses: this record is in the log, and the run was interrupted after it.
            if losses and (last or done % RECORD_STEPS == 0):
                scores = validate(average) if last or done % every < RECORD_STEPS else None
                loss = sum(map(float, losses)) / len(losses) * unit
                record = {"poses": done * recipe.batch, "loss": round(loss, 3)}
                log.write(json.dumps(record | (scores or {})) + "\n")
                log.flush()
                losses.clear()
                report(done * recipe.batch, loss, scores)
            if last:
                break
            if time.monotonic() - saved_at > checkpoint_seconds:
                save_checkpoint(folder, done, losses, model, average, optimiser)
                saved_at = time.monotonic()
            batch = next(batches)
            with interrupts_held():
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate(recipe, done)
                torch.manual_seed(dropout_seed(recipe, done))
                losses.append(train_step(recipe, model, optimiser, batch, device))
                update_average(average, model, min(recipe.average, (done + 1) / (done + 10)))
                done += 1
    except KeyboardInterrupt:
        save_checkpoint(folder, done, losses, model, average, optimiser)
        raise
    finally:
        batches.close()
        log.close()
    save_weights(average, weights)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return average


def claim_folder(folder: Path, recipe: Recipe) -> None:
    """Writes the recipe into a new run folder; refuses a folder of another recipe."""
    path = folder / "recipe.json"
    text = json.dumps(asdict(recipe), indent=2)
    if not path.exists():
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise RunMismatchError(
            f"{folder} holds a run of another recipe; give --out another folder"
        )


def open_log(path: Path, records: int) -> TextIO:
    """Opens a log to append to, cut after its first records: the rest will come again."""
    log = path.open("a+", encoding="utf-8")
    log.seek(0)
    for _ in range(records):
        log.readline()
    log.truncate(log.tell())  # without an argument it cuts where reading ahead has come
    return log


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C waits for the end of the block: half a step could not be resumed exactly."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Matrices with weight decay; biases, norms and position embeddings without."""
    matrices = {m.weight for m in model.modules() if isinstance(m, nn.Linear)}
    rest = [p for p in model.parameters() if p not in matrices]
    return [
        {"params": [p for p in model.parameters() if p in matrices], "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up to the peak, then a cosine that would be zero one step after the last."""
    warmup = max(1, round(recipe.warmup * recipe.steps))
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, recipe.steps - warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def dropout_seed(recipe: Recipe, step: int) -> int:
    """Of torch's generators on every device, so that dropout too depends on seed and step only."""
    return int(np.random.SeedSequence([recipe.seed, step]).generate_state(1)[0])


def prefetched(
    sampler: PoseSampler, recipe: Recipe, first: int, workers: int
) -> Generator[Batch, None, None]:
    """The batches of steps `first` to the last, made ahead by threads."""

    def make(step: int) -> Batch:
        return sampler.batch(recipe.batch, np.random.default_rng([recipe.seed, step]))

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
