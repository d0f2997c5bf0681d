"""The training loop: seeded, resumable at any step with the same result, one readable function.

A run folder holds ``recipe.json`` (the resolved recipe), ``log.jsonl`` (loss and validation
errors), ``checkpoint.pt`` while the run goes on, and ``model.safetensors`` (averaged weights)
when it is done.
"""

from __future__ import annotations

import copy
import itertools
import json
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ampose.files import written_beside
from ampose.research.data.batches import Batch, Plan, Source
from ampose.research.models.refiner import Refined
from ampose.research.models.uncertain import Uncertain
from ampose.research.models.zoo import build
from ampose.research.recipes import Recipe
from ampose.research.training.checkpoint import (
    CHECKPOINT,
    WEIGHTS,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)
from ampose.research.training.distributed import World
from ampose.research.training.logs import RunLog
from ampose.research.training.losses import pose_losses
from ampose.research.training.optimisers import Optimiser, learning_rate, make_optimiser

RECORD_STEPS = 50
"""Steps between two lines of the log."""

Validate = Callable[[nn.Module], dict[str, float]]
Report = Callable[[int, float, dict[str, float] | None], None]
"""Called with poses seen, mean loss in mm (mm2 for ``mse``, no unit for ``likelihood``) and, when
it was validated, the validation errors."""


class RunMismatchError(ValueError):
    """A run folder belongs to another recipe than the one asked for."""


def train(
    recipe: Recipe,
    source: Source,
    folder: Path,
    *,
    validate: Validate,
    report: Report,
    validations: int = 20,
    checkpoint_seconds: float = 60.0,
    initial: Path | None = None,
    world: World | None = None,
    workers: int = 1,
) -> nn.Module:
    """Trains to the end of the recipe, from the folder's checkpoint if there is one.

    Args:
        recipe: what to train.
        source: where batches come from; step k's depends only on the recipe's seed and k.
        folder: the run folder, made if absent.
        validate: scores the averaged model; called about `validations` times, and at the end.
        report: called every `RECORD_STEPS` steps and at the end.
        validations: how often to validate over the run, at most every `RECORD_STEPS` steps.
        checkpoint_seconds: time between checkpoints; one is also saved when interrupted.
        initial: weights to start from, for a recipe that names where it starts.
        world: the processes that share the run; this one alone if left out.
        workers: threads that make the next batches meanwhile.

    Returns:
        The averaged model, in evaluation mode; at once if the folder holds a finished run.

    Raises:
        RunMismatchError: the folder holds a run of another recipe.
        ValueError: the folder's checkpoint or the initial weights are damaged.
        KeyboardInterrupt: after saving a checkpoint.
    """
    world = world or World()
    folder.mkdir(parents=True, exist_ok=True)
    if world.first:
        claim_folder(folder, recipe)
    weights = folder / WEIGHTS
    if weights.exists():
        return load_weights(weights).to(world.device)
    plan = recipe.plan(source.poses)
    state = State.begin(recipe, folder, initial, world.device)
    world.wait()  # nobody writes before all have read
    shared = world.wrap(state.model)
    records: Records | NoRecords = NoRecords()
    if world.first:
        covered = state.done - len(state.losses)
        records = Records(folder, recipe, plan, covered, validate, report, validations)
    saved_at = time.monotonic()
    batches = prefetched(source, plan, recipe.seed, state.done, workers)
    try:
        while True:
            records.write(state)
            if state.done == plan.steps:
                break
            if time.monotonic() - saved_at > checkpoint_seconds:
                records.keep(state)
                saved_at = time.monotonic()
            batch = next(batches)
            with interrupts_held():
                for group in state.optimiser.param_groups:
                    group["lr"] = learning_rate(recipe, plan, state.done)
                torch.manual_seed(dropout_seed(recipe, state.done, world.rank))
                state.losses.append(train_step(recipe, shared, state.optimiser, batch, world))
                decay = min(recipe.average, (state.done + 1) / (state.done + 10))
                update_average(state.average, state.model, decay)
                state.done += 1
    except KeyboardInterrupt:
        records.keep(state)
        raise
    finally:
        batches.close()
        records.close()
    if world.first:
        save_weights(state.average, weights)
        (folder / CHECKPOINT).unlink(missing_ok=True)
    world.wait()  # nobody goes on before the weights are there
    return state.average


@dataclass
class State:
    """What changes during a run.

    Attributes:
        model: what is trained.
        average: the running average of its weights.
        optimiser: with its moments.
        done: steps done.
        losses: those since the last record.
    """

    model: nn.Module
    average: nn.Module
    optimiser: Optimiser
    done: int
    losses: list[Tensor]

    @classmethod
    def begin(cls, recipe: Recipe, folder: Path, initial: Path | None, device: str) -> State:
        """A fresh start, or what the folder's checkpoint says."""
        torch.manual_seed(recipe.seed)
        model = build(recipe.model)
        if initial is not None:
            start_from(model, initial)
        model = model.to(device)
        average = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
        optimiser = make_optimiser(recipe, model)
        done, losses = load_checkpoint(folder, model, average, optimiser)
        return cls(model, average, optimiser, done, losses)


class Records:
    """What the first process writes: log and validation every `RECORD_STEPS` steps, checkpoints.

    Args:
        folder: the run folder.
        recipe: what is trained.
        plan: its steps.
        recorded: steps that the log covers already.
        validate: see `train`.
        report: see `train`.
        validations: see `train`.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        plan: Plan,
        recorded: int,
        validate: Validate,
        report: Report,
        validations: int,
    ) -> None:
        self._folder = folder
        self._log = RunLog(folder, -(-recorded // RECORD_STEPS), plan.seen(recorded))
        self._plan = plan
        self._unit = {"mse": 1e6, "likelihood": 1.0}.get(recipe.loss, 1e3)
        self._validate = validate
        self._report = report
        self._every = max(1, plan.steps // validations)

    def write(self, state: State) -> None:
        """A record if one is due; forgets the losses that it covers."""
        done, last = state.done, state.done == self._plan.steps
        # No losses: this record is in the log, and the run was interrupted after it.
        if not state.losses or not (last or done % RECORD_STEPS == 0):
            return
        due = last or done % self._every < RECORD_STEPS
        scores = self._validate(state.average) if due else None
        loss = sum(map(float, state.losses)) / len(state.losses) * self._unit
        seen = self._plan.seen(done)
        self._log.write(seen, loss, scores or {})
        state.losses.clear()
        self._report(seen, loss, scores)

    def keep(self, state: State) -> None:
        """Writes a checkpoint."""
        save_checkpoint(
            self._folder, state.done, state.losses, state.model, state.average, state.optimiser
        )

    def close(self) -> None:
        """Ends the log."""
        self._log.close()


class NoRecords:
    """What the other processes write: nothing."""

    def write(self, state: State) -> None:
        """Forgets the losses."""
        state.losses.clear()

    def keep(self, state: State) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def claim_folder(folder: Path, recipe: Recipe) -> None:
    """Writes the recipe into a new run folder; refuses a folder of another recipe."""
    path = folder / "recipe.json"
    text = json.dumps(asdict(recipe), indent=2)
    if not path.exists():
        with written_beside(path) as beside:
            beside.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise RunMismatchError(
            f"{folder} holds a run of another recipe; give --out another folder"
        )


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait for the end of the block: half a step cannot be resumed exactly."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def start_from(model: nn.Module, path: Path) -> None:
    """Copies trained weights into a fresh model, or into the base of one on top of it."""
    trained = load_weights(path)
    target = model.base if isinstance(model, Refined | Uncertain) else model
    if trained.config != target.config:
        raise ValueError(f"{path}: weights of another network than the recipe starts from")
    target.load_state_dict(trained.state_dict())


def dropout_seed(recipe: Recipe, step: int, rank: int) -> int:
    """The seed of torch's generators: dropout too depends only on the recipe, step and rank."""
    return int(np.random.SeedSequence([recipe.seed, step, rank]).generate_state(1)[0])


def prefetched(
    source: Source, plan: Plan, seed: int, first: int, workers: int
) -> Generator[Batch, None, None]:
    """The batches of steps `first` to the last, made ahead by threads."""
    steps = iter(range(first, plan.steps))
    with ThreadPoolExecutor(workers) as pool:

        def make(step: int) -> Future[Batch]:
            return pool.submit(source.step, plan, seed, step)

        ahead = [make(step) for step in itertools.islice(steps, 2 * workers)]
        while ahead:
            ready = ahead.pop(0).result()
            ahead += [make(step) for step in itertools.islice(steps, 1)]
            yield ready


def train_step(
    recipe: Recipe,
    model: nn.Module,
    optimiser: Optimiser,
    batch: Batch,
    world: World,
) -> Tensor:
    """One optimiser step on a batch that `world` shares; returns the loss, metres (or m^2)."""
    mine = batch.part(world.rank, world.size)
    model.train()
    optimiser.zero_grad(set_to_none=True)
    mixed = recipe.precision == "bfloat16"
    kind = torch.device(world.device).type
    with torch.autocast(kind, torch.bfloat16) if mixed else nullcontext():
        losses = pose_losses(recipe, model, mine, world.device)
    # Processes may have one sample more or less, and their gradients are averaged: so the sum
    # over the batch, and not the mean over the share.
    loss = losses.sum() / len(batch)
    (loss * world.size).backward()  # type: ignore[no-untyped-call]
    if recipe.clip_norm is not None:
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
    # Before the weights move: where another process is gone, this raises, and a checkpoint that
    # is then written must not hold a step that was not counted.
    total = world.summed(loss.detach())
    optimiser.step()
    return total


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves the running average towards the model: weights, and statistics of normalisation.

    Statistics are averaged too, as the model's would not fit the averaged weights. Counters are
    copied.
    """
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    for kept, new in zip(average.buffers(), model.buffers(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)
