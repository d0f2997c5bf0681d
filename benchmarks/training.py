"""How fast AMPose trains and predicts, against the matrix products of the same machine.

    python benchmarks/training.py PACKS [-o results/training_speed.csv]

PACKS is the folder of the open-mocap packs. Everything is measured in turns, several times over,
so that ratios compare what the machine did within a minute. A row of the table is one quantity:
its median, lowest and highest value over the repeats.

* ``product``: floating-point operations per second of one matrix product. The products of a
  training step (forward and backward) and of an evaluation are recorded while one runs and then
  repeated alone: operands laid out as they were, and in the cache where they fit, so the rates are
  upper bounds. ``square`` is a large square one, the ceiling of the machine.
* ``products``: all of them, each as often as it comes: the ceiling of the network.
* ``data``: how fast batches are made while nothing is trained.
* ``training``: whole steps as `ampose.research.training.loop` makes them, after a warm-up.
  ``waiting for data`` is the share of the time spent in ``next(batches)``; on a GPU, which works
  on while Python waits, the share that it idles is at most that. ``one batch again`` makes no
  data, so the speed relative to it shows all that data costs: waiting, and processors.
* ``evaluation``: `torch_lifter` on arrays in memory, float32.

Utilisation is the model's operations per second over those of ``products`` or of ``square``. A
pose counts two operations per multiply-accumulate of `cost` (linear layers, attention and
adjacency products) in evaluation and six in training, as if a backward pass were two forward
passes.

``open motion`` is the sampler of the open recipes. ``windows`` is the source of the licensed
datasets, on invented numbers: as many frames as Human3.6M's training set, each also mirrored.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ampose.research.data.batches import Batch, Plan, Source, WindowSource
from ampose.research.data.pose_set import PoseSet
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.cost import cost
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, OpenMotion, Recipe
from ampose.research.training.distributed import World
from ampose.research.training.inference import torch_lifter
from ampose.research.training.loop import (
    State,
    dropout_seed,
    prefetched,
    train_step,
    update_average,
)
from ampose.research.training.optimisers import learning_rate
from ampose.research.training.run import load_sampler
from ampose.skeletons import H36M_17

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
SQUARE = {"cpu": 2048, "cuda": 8192}
"""Rows of the large square product."""
LEAST_SECONDS = 0.05
"""A product is repeated for at least so long."""
EVALUATED = 4096
"""Poses of one evaluation."""
H36M_FRAMES = 1_559_752
"""Training frames of Human3.6M, all cameras."""
ONE_BATCH = "one batch again"


@dataclass(frozen=True)
class Product:
    """A matrix product; of many matrices if the operands have three dimensions.

    Attributes:
        left, right: shape and strides of the operands.
        precision: of both.
    """

    left: tuple[tuple[int, ...], tuple[int, ...]]
    right: tuple[tuple[int, ...], tuple[int, ...]]
    precision: torch.dtype

    def __str__(self) -> str:
        left, right = (" x ".join(map(str, shape)) for shape, _ in (self.left, self.right))
        return f"{left} by {right}"

    @property
    def operations(self) -> int:
        """Floating-point operations, two per multiply-accumulate."""
        return 2 * prod(self.left[0]) * self.right[0][-1]

    def seconds(self, device: str) -> float:
        """Time of one, measured over `LEAST_SECONDS` or more."""
        left, right = (self._operand(*layout, device) for layout in (self.left, self.right))

        def repeated(times: int) -> float:
            settle(device)
            start = perf_counter()
            for _ in range(times):
                torch.matmul(left, right)
            settle(device)
            return perf_counter() - start

        repeated(1)
        times = 1
        while (elapsed := repeated(times)) < LEAST_SECONDS:
            times *= 2
        return elapsed / times

    def _operand(self, shape: tuple[int, ...], strides: tuple[int, ...], device: str) -> Tensor:
        size = 1 + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        return torch.randn(size, dtype=self.precision, device=device).as_strided(shape, strides)


class Recorder(TorchDispatchMode):
    """Counts the matrix products that torch computes, those of a backward pass too."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[Product] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        aten = torch.ops.aten
        if func in (aten.mm.default, aten.bmm.default, aten.addmm.default, aten.baddbmm.default):
            left, right = ((tuple(a.shape), a.stride()) for a in args[-2:])
            self.counts[Product(left, right, args[-1].dtype)] += 1
        return func(*args, **(kwargs or {}))


def products_of(work: Callable[[], object]) -> Counter[Product]:
    """The matrix products in a piece of work, and how often each comes."""
    with Recorder() as recorder:
        work()
    return recorder.counts


def settle(device: str) -> None:
    """Waits until the device has done what it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


class OneBatch:
    """A source without work: the same batch at every step."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    @property
    def poses(self) -> int:
        """Samples in one epoch."""
        return len(self._batch)

    def step(self, plan: Plan, seed: int, step: int) -> Batch:
        """The batch."""
        del plan, seed, step
        return self._batch


def invented(frames: int, channels: int) -> PoseSet:
    """A training set of random numbers, in one clip."""
    rng = np.random.default_rng(0)
    joints = len(H36M_17)
    label = np.array(["invented"])
    return PoseSet(
        name="invented",
        skeleton=H36M_17.name,
        inputs=rng.standard_normal((frames, joints, channels), np.float32),
        targets=rng.standard_normal((frames, joints, 3), np.float32),
        rays=np.broadcast_to(np.float32(0), (frames, joints, 2)),
        root_depth=np.broadcast_to(np.float32(0), (frames,)),
        scored=np.broadcast_to(np.bool_(True), (frames,)),
        starts=np.array([0, frames]),
        subjects=label,
        actions=label,
        cameras=label,
        official=False,
    )


@dataclass(frozen=True)
class Timing:
    """What a number of steps took.

    Attributes:
        poses: seen.
        seconds: in all.
        waited: seconds of these spent waiting for batches.
    """

    poses: int
    seconds: float
    waited: float

    @property
    def speed(self) -> float:
        """Poses per second."""
        return self.poses / self.seconds


@dataclass(frozen=True)
class Clock:
    """How steps are timed.

    Attributes:
        warmup: steps before the clock starts.
        steps: steps while it runs.
        workers: threads that make batches.
        device: what to wait for before reading it.
    """

    warmup: int
    steps: int
    workers: int
    device: str

    def time(self, recipe: Recipe, source: Source, work: Callable[[int, Batch], object]) -> Timing:
        """Times `work` on the number and the batch of each step."""
        plan = recipe.plan(source.poses)
        batches = prefetched(source, plan, recipe.seed, 0, self.workers)
        poses, waited, start = 0, 0.0, 0.0
        for number in range(self.warmup + self.steps):
            if number == self.warmup:
                settle(self.device)
                poses, waited, start = 0, 0.0, perf_counter()
            asked = perf_counter()
            batch = next(batches)
            waited += perf_counter() - asked
            work(number, batch)
            poses += len(batch)
        settle(self.device)
        seconds = perf_counter() - start
        batches.close()
        return Timing(poses, seconds, waited)


class Trainer:
    """A network in training.

    Args:
        recipe: how.
        world: this process.
    """

    def __init__(self, recipe: Recipe, world: World) -> None:
        self.recipe = recipe
        self._world = world
        with tempfile.TemporaryDirectory() as empty:  # there is no checkpoint to go on from
            self.state = State.begin(recipe, Path(empty), None, world.device)
        self._plan = recipe.plan(1)  # of a recipe that counts poses: the same for any set

    def step(self, number: int, batch: Batch) -> None:
        """All that a step of `ampose.research.training.loop.train` does."""
        for group in self.state.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, self._plan, number)
        torch.manual_seed(dropout_seed(self.recipe, number, self._world.rank))
        train_step(self.recipe, self.state.model, self.state.optimiser, batch, self._world)
        update_average(self.state.average, self.state.model, self.recipe.average)


class Benchmark:
    """Measures everything once per call of `repeat`.

    Args:
        recipe: what is trained; in both precisions.
        sources: where its batches come from, by name.
        clock: how steps are timed.

    Attributes:
        values: what was measured: per quantity, one number per repeat.
        cost: of the network.
        trainers: one per precision.
    """

    def __init__(self, recipe: Recipe, sources: Mapping[str, Source], clock: Clock) -> None:
        self.values: dict[tuple[str, ...], list[float]] = defaultdict(list)
        self.cost = cost(build(recipe.model))
        self._clock = clock
        first = next(iter(sources.values()))
        batch = first.step(recipe.plan(first.poses), recipe.seed, 0)
        self._sources = {**sources, ONE_BATCH: OneBatch(batch)}
        world = World(device=clock.device)
        self.trainers = {p: Trainer(replace(recipe, precision=p), world) for p in PRECISIONS}
        self._training = {
            precision: products_of(partial(trainer.step, 0, batch))
            for precision, trainer in self.trainers.items()
        }
        self._lift = torch_lifter(self.trainers["float32"].state.average, device=clock.device)
        self._inputs = np.resize(batch.inputs[:, 0], (EVALUATED, *batch.inputs.shape[2:]))
        self._evaluation = products_of(lambda: self._lift(self._inputs))

    def repeat(self) -> None:
        """Measures everything once more."""
        for name, source in self._sources.items():
            timing = self._clock.time(self.trainers["float32"].recipe, source, lambda *_: None)
            self._note("data", name, "", "speed", "poses/s", timing.speed)
        for precision, trainer in self.trainers.items():
            square = self._square(precision)
            own = self._products("training", precision, self._training[precision])
            self._train(precision, trainer, {"products": own, "square": square})
            if precision == "float32":
                own = self._products("evaluation", precision, self._evaluation)
                self._evaluate({"products": own, "square": square})

    def _square(self, precision: Precision) -> float:
        """Operations per second of the large square product."""
        rows = SQUARE[self._clock.device]
        layout = (rows, rows), (rows, 1)
        product = Product(layout, layout, getattr(torch, precision))
        rate = product.operations / product.seconds(self._clock.device)
        self._note("product", f"square: {product}", precision, "rate", "GFLOP/s", rate / 1e9)
        return rate

    def _products(self, task: str, precision: Precision, counts: Counter[Product]) -> float:
        """Operations per second of a task's matrix products, each repeated alone."""
        operations: dict[str, int] = defaultdict(int)
        seconds: dict[str, float] = defaultdict(float)
        for product, count in counts.items():
            operations[str(product)] += count * product.operations
            seconds[str(product)] += count * product.seconds(self._clock.device)
        for name in operations:
            rate = operations[name] / seconds[name] / 1e9
            self._note("product", f"{task}: {name}", precision, "rate", "GFLOP/s", rate)
        rate = sum(operations.values()) / sum(seconds.values())
        self._note("products", task, precision, "rate", "GFLOP/s", rate / 1e9)
        return rate

    def _train(self, precision: Precision, trainer: Trainer, rates: Mapping[str, float]) -> None:
        """Trains on batches of every source."""
        speeds = {}
        for name, source in self._sources.items():
            timing = self._clock.time(trainer.recipe, source, trainer.step)
            speeds[name] = timing.speed
            self._speed("training", name, precision, timing.speed, 6, rates)
            waiting = timing.waited / timing.seconds
            self._note("training", name, precision, "waiting for data", "share", waiting)
        alone = speeds.pop(ONE_BATCH)
        for name, speed in speeds.items():
            self._note("training", name, precision, f"of {ONE_BATCH}", "share", speed / alone)

    def _evaluate(self, rates: Mapping[str, float]) -> None:
        """Predicts with the averaged network."""
        self._lift(self._inputs[: EVALUATED // 8])
        start = perf_counter()
        self._lift(self._inputs)  # its result is in main memory: nothing to settle
        speed = EVALUATED / (perf_counter() - start)
        self._speed("evaluation", "arrays", "float32", speed, 2, rates)

    def _speed(
        self,
        task: str,
        case: str,
        precision: Precision,
        speed: float,
        operations_per_mac: int,
        rates: Mapping[str, float],
    ) -> None:
        """Poses per second, and which share they are of operations per second."""
        self._note(task, case, precision, "speed", "poses/s", speed)
        operations = speed * operations_per_mac * self.cost.all_macs
        for name, rate in rates.items():
            self._note(task, case, precision, f"utilisation of {name}", "share", operations / rate)

    def _note(self, *quantity_and_value: Any) -> None:
        *quantity, value = quantity_and_value
        self.values[tuple(quantity)].append(value)

    def rows(self) -> list[dict[str, str]]:
        """The table."""
        columns = ("task", "case", "precision", "quantity", "unit")
        return [
            dict(zip(columns, quantity, strict=True))
            | {
                "median": printed(statistics.median(values)),
                "lowest": printed(min(values)),
                "highest": printed(max(values)),
            }
            for quantity, values in self.values.items()
        ]


def printed(value: float) -> str:
    """Four digits, or all before the point."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def main() -> None:
    """Runs the benchmark and writes its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("packs", type=Path, help="folder of the open-mocap packs")
    parser.add_argument("-o", "--out", type=Path, default=Path("results/training_speed.csv"))
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--warmup", type=int, default=5, help="steps before the clock starts")
    parser.add_argument("--steps", type=int, default=30, help="steps that are timed")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1, help="threads that make batches")
    parser.add_argument("--threads", type=int, help="of torch; its own choice if left out")
    parser.add_argument("--frames", type=int, default=H36M_FRAMES, help="of the windows' set")
    given = parser.parse_args()
    if min(given.batch, given.steps, given.repeats, given.workers, given.frames) < 1:
        parser.error("--batch, --steps, --repeats, --workers and --frames must be at least 1")
    if given.threads:
        torch.set_num_threads(given.threads)
    recipe = RECIPES["open"]
    assert isinstance(recipe.data, OpenMotion)
    try:
        model = AMPoseConfig(depth=given.depth, width=given.width, channels=3)
        sampler = load_sampler(recipe.data, given.packs, model)
    except ValueError as error:
        parser.error(str(error))
    poses = max(recipe.poses or 0, (given.warmup + given.steps) * given.batch)
    recipe = replace(recipe, model=model, batch=given.batch, poses=poses)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    windows = WindowSource(invented(given.frames, model.channels), mirrored=True)
    benchmark = Benchmark(
        recipe,
        {"open motion": sampler, "windows": windows},
        Clock(given.warmup, given.steps, given.workers, device),
    )
    for done in range(given.repeats):
        benchmark.repeat()
        print(f"repeat {done + 1} of {given.repeats}")
    rows = benchmark.rows()
    for row in rows:
        if row["task"] != "product":
            print(*row.values())
    notes = {
        "what": "training and evaluation speed; median, lowest and highest of the repeats",
        "network": f"AMPose {model.depth}/{model.width}, {benchmark.cost.parameters} parameters, "
        f"{benchmark.cost.linear_macs} + {benchmark.cost.product_macs} multiply-accumulates "
        "(linear layers + attention and adjacency products)",
        "steps": f"{given.steps} of {given.batch} poses after {given.warmup}, "
        f"{given.repeats} repeats",
        "data": f"open motion {sampler.poses} poses, windows {given.frames} frames twice, "
        f"{given.workers} thread(s)",
        "torch": f"{torch.__version__}, {torch.get_num_threads()} thread(s)",
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        **circumstances(),
    }
    write_table(given.out, rows, notes)


if __name__ == "__main__":
    main()
