"""Finished run folders without training, and a progress bar that says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import torch

from ampose.research.models.zoo import build
from ampose.research.recipes import Recipe
from ampose.research.reproduction.published import Table
from ampose.research.reproduction.runs import Progress, run_folder
from ampose.research.training.checkpoint import save_weights


def write_run(
    runs: Path, recipe: Recipe, *, data: str | None = "as published", error: float = 50.0
) -> Path:
    """A run folder as training leaves it, with weights from the recipe's seed.

    `data` is what ``run.json`` says of the data, `error` every validation error.
    """
    folder = run_folder(runs, recipe)
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2))
    facts = {"commit": "abc", "hardware": "an abacus", "device": "cpu", "data": data}
    kept = {key: value for key, value in facts.items() if value is not None}
    (folder / "run.json").write_text(json.dumps(kept))
    record = {"poses": 8, "loss": 1.0, "exact_mpjpe": 1.0, "detector_mpjpe": error}
    (folder / "log.jsonl").write_text(json.dumps({"poses": 4, "loss": 2.0}) + "\n")
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
    torch.manual_seed(recipe.seed)
    save_weights(build(recipe.model), folder / "model.safetensors")
    return folder


def quick(table: Table, *others: str) -> Table:
    """The table with no recipes but the thesis's own and those named; training all takes hours."""
    systems = (
        each
        if each.name.startswith("Ours") or each.recipe in others
        else replace(each, recipe=None)
        for each in table.systems
    )
    return replace(table, systems=tuple(systems))


@contextmanager
def silent(label: str) -> Iterator[Progress]:
    del label
    yield lambda done, total: None
