"""How fast the networks of the open benchmark are on this machine, side by side in one run.

Every network is exported to ONNX and run by ONNX Runtime on one thread: one pose at a time, and 64
at a time. In each round every network has its turn, in an order that moves on by one each time, so
that whatever the machine does besides meets all alike; ratios to AMPose are taken within a round.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime
import torch

from ampose.research.evaluation.provenance import circumstances, read_table, write_table
from ampose.research.models.cost import count_parameters, input_shape
from ampose.research.models.zoo import build
from ampose.research.recipes import Recipe
from ampose.research.reproduction.markdown import markdown_table
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.open_systems import AMPOSE, system_name
from ampose.research.reproduction.tables import Written
from ampose.research.training.checkpoint import WEIGHTS, load_weights
from ampose.skeletons import get_skeleton

FILE = "open_benchmark_speed.csv"

ROUNDS = 15

LEAST_SECONDS, LEAST_CALLS = 0.1, 3
"""The least time of a turn."""

LATENCY, THROUGHPUT = "latency at batch 1, ms", "throughput at batch 64, poses/s"

BATCHES = {LATENCY: 1, THROUGHPUT: 64}

OF_AMPOSE = "times AMPose's"

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Speeds:
    """What was measured before.

    Attributes:
        rows: recipe to the row of the CSV.
        origin: where and when it was measured.
    """

    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    origin: str = NOT_MEASURED

    def of(self, recipe: str, heading: str, parameters: int) -> object:
        """A number of a recipe's network, if it was measured with as many parameters as now."""
        row = self.rows.get(recipe)
        if row is None or row["parameters"] != str(parameters):
            return NOT_MEASURED
        return float(row[heading])


def read_speeds(out: Path) -> Speeds:
    """What `measure_speeds` wrote into a folder, if it did.

    Raises:
        ValueError: the file is damaged.
    """
    path = out / FILE
    if not path.exists():
        return Speeds()
    notes, rows = read_table(path, ("recipe", "parameters", *BATCHES))
    origin = ", ".join(notes.get(name, "") for name in ("commit", "hardware", "day"))
    return Speeds({row["recipe"]: row for row in rows}, f"{FILE}: {origin}")


def measure_speeds(
    recipes: Sequence[Recipe], bench: Bench, out: Path, shipped: Sequence[Path] = ()
) -> Written:
    """Exports and times the networks of some recipes, AMPose's among them; writes the table.

    Weights are those of the recipe's run where it is done; speed does not depend on them.

    Args:
        recipes: one row each.
        bench: where their runs are.
        out: folder of the table.
        shipped: ONNX lifters with their cards beside them, one row each below the others.

    Raises:
        ValueError: a run folder holds another run, or a network and its export differ.
        OSError: a file cannot be written.
    """
    calls: dict[tuple[str, str], Callable[[], object]] = {}
    entries: list[dict[str, object]] = []

    def add(system: str, name: str, parameters: int, path: Path, shape: tuple[int, ...]) -> None:
        known = {"system": system, "recipe": name, "frames": shape[0], "parameters": parameters}
        entries.append(known)
        calls.update(((name, each), call) for each, call in calls_of(path, shape).items())

    with tempfile.TemporaryDirectory() as folder:
        with bench.bar("export") as progress:
            for number, recipe in enumerate(recipes):
                progress(number, len(recipes))
                run = bench.finished(recipe)
                model = load_weights(run / WEIGHTS) if run else build(recipe.model)
                path = Path(folder) / f"{recipe.name}.onnx"
                export_plain(model, path)
                size, shape = count_parameters(model), input_shape(model)
                add(system_name(recipe), recipe.name, size, path, shape)
        for path in shipped:
            card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            name, given = card["name"], card["input"]
            shape = given["frames"], len(get_skeleton(given["skeleton"])), given["channels"]
            add(f"{name}, which ships", name, card["parameters"], path, shape)
        with bench.bar("time") as progress:
            seconds = interleaved(calls, ROUNDS, seconds_of, progress)
    rows = [
        entry
        | {
            name: cell
            for heading in BATCHES
            for name, cell in speed_cells(
                heading, seconds[str(entry["recipe"]), heading], seconds[AMPOSE, heading]
            ).items()
        }
        for entry in entries
    ]
    notes = {
        "what": "median over the rounds, lowest and highest round, and the ratio to AMPose in the "
        "same round (median)",
        "how": f"one thread, {ROUNDS} rounds in which every network has a turn of at least "
        f"{LEAST_SECONDS} s and {LEAST_CALLS} calls, of which the median counts",
        "a pose": "one pose from all the frames that the network sees",
        "onnxruntime": onnxruntime.__version__,
        **circumstances(),
    }
    write_table(out / FILE, rows, notes)
    shown = ["system", *(name for each in BATCHES for name in (each, f"{each}, {OF_AMPOSE}"))]
    summary = markdown_table(shown, [[str(row[name]) for name in shown] for row in rows])
    return Written((out / FILE,), summary)


def export_plain(model: torch.nn.Module, path: Path) -> None:
    """Writes a network as ONNX, for its speed alone."""
    from ampose.research.export import ExportError, export_onnx  # only this needs onnx

    config: Any = model.config
    poses = _poses(2, input_shape(model))
    card = {
        "input": {
            "skeleton": config.skeleton,
            "frames": config.frames,
            "channels": config.channels,
            "normalisation": "none",
            "missing": "none",
        }
    }
    try:
        export_onnx(model, path, inputs=poses, card=card)
    except ExportError as error:
        raise ValueError(str(error)) from error


def calls_of(path: Path, shape: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    """A call of an ONNX network on one thread for each of `BATCHES`; `shape` is that of a pose."""
    poses = _poses(max(BATCHES.values()), shape)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def call(batch: int) -> Callable[[], object]:
        inputs = {"keypoints": poses[:batch]}
        return lambda: session.run(None, inputs)

    return {heading: call(batch) for heading, batch in BATCHES.items()}


def _poses(count: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)


def interleaved(
    calls: Mapping[tuple[str, str], Callable[[], object]],
    rounds: int,
    clock: Callable[[Callable[[], object]], float],
    progress: Callable[[int, int | None], None],
) -> dict[tuple[str, str], list[float]]:
    """The time of every call in each round; everything is called once before."""
    keys = list(calls)
    for call in calls.values():
        call()
    out: dict[tuple[str, str], list[float]] = {key: [] for key in keys}
    for number in range(rounds):
        progress(number, rounds)
        start = number % len(keys)
        for key in (*keys[start:], *keys[:start]):
            out[key].append(clock(calls[key]))
    return out


def seconds_of(call: Callable[[], object]) -> float:
    """Time of a call: the median of the calls of a turn."""
    times: list[float] = []
    while len(times) < LEAST_CALLS or sum(times) < LEAST_SECONDS:
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return statistics.median(times)


def speed_cells(
    heading: str, seconds: Sequence[float], of_ampose: Sequence[float]
) -> dict[str, object]:
    """Median, lowest and highest over the rounds, and the ratio to AMPose's in the same round."""

    def number(time: float) -> float:
        return time * 1e3 if heading == LATENCY else BATCHES[heading] / time

    values = [number(time) for time in seconds]
    ratios = [value / number(theirs) for value, theirs in zip(values, of_ampose, strict=True)]
    return {
        heading: _printed(statistics.median(values)),
        f"{heading}, lowest": _printed(min(values)),
        f"{heading}, highest": _printed(max(values)),
        f"{heading}, {OF_AMPOSE}": _printed(statistics.median(ratios)),
    }


def _printed(value: float) -> str:
    """Three significant digits, or all that stand before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
