"""Run folders: found, checked, and trained where they are missing.

A recipe's run lies in ``RUNS/RECIPE``, with another seed than 0 in ``RUNS/RECIPE-seedK``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ampose.research.evaluation.licensed import AS_PUBLISHED
from ampose.research.recipes import RECIPES, Licensed, Recipe
from ampose.research.training.checkpoint import WEIGHTS
from ampose.research.training.run import train_recipe

Progress = Callable[[int, int | None], None]
Bar = Callable[[str], AbstractContextManager[Progress]]
"""Called with a name, gives the progress bar of it."""

NOT_RUN = "not run"
"""What a cell says where the data is there and the run is not."""


@dataclass(frozen=True)
class Training:
    """How runs that are missing are trained.

    Attributes:
        data: folder of the data.
        bar: shows the progress of each.
        threads: of torch; its default if None.
    """

    data: Path
    bar: Bar
    threads: int | None = None

    def __call__(self, recipe: Recipe, runs: Path, folder: Path | None = None) -> Path:
        """Trains a recipe to its end, going on where it stopped; returns its run folder.

        What the recipe starts from is trained before it.

        Args:
            recipe: a named one, where only poses, epochs, seed and learning rate may differ.
            runs: folder of run folders.
            folder: the run folder, if it is another than `run_folder`.

        Raises:
            ValueError: the data is unusable, or the folder holds another run.
            KeyboardInterrupt: after saving, so that the same call goes on.
        """
        folder = folder or run_folder(runs, recipe)
        if is_finished(folder, recipe):
            return folder
        if recipe.start_from is not None:
            self(first_of(recipe), runs)
        with self.bar(f"train {folder.name}") as progress:
            train_recipe(
                recipe.name,
                self.data,
                folder,
                poses=recipe.poses,
                epochs=recipe.epochs,
                seed=recipe.seed,
                learning_rate=recipe.learning_rate,
                threads=self.threads,
                progress=progress,
            )
        return folder


def first_of(recipe: Recipe) -> Recipe:
    """The recipe whose weights another starts from; a shortened one's is shortened too."""
    assert recipe.start_from is not None
    first = RECIPES[recipe.start_from]
    shortened = recipe.epochs != RECIPES[recipe.name].epochs
    return replace(first, epochs=recipe.epochs) if shortened else first


def run_folder(runs: Path, recipe: Recipe) -> Path:
    """Where a recipe's run lies."""
    return runs / (recipe.name if recipe.seed == 0 else f"{recipe.name}-seed{recipe.seed}")


def is_finished(folder: Path, recipe: Recipe) -> bool:
    """Whether a folder holds the weights of this recipe.

    Raises:
        ValueError: the folder holds a run of another recipe, or an unreadable file.
    """
    path = folder / "recipe.json"
    if not path.exists():
        return False
    if not _same(read_object(path), recipe):
        raise ValueError(
            f"{folder} holds a run of another recipe than {recipe.name} as it is asked for; give "
            "another folder with --runs"
        )
    return (folder / WEIGHTS).exists()


def require_official(folder: Path, recipe: Recipe) -> None:
    """Weights may only be measured if they were trained on the complete published data.

    Raises:
        ValueError: they were not, or nobody wrote down on what.
    """
    if isinstance(recipe.data, Licensed) and run_facts(folder).get("data") != AS_PUBLISHED:
        raise ValueError(
            f"{folder} was not trained on the complete published data; give another folder with "
            "--runs"
        )


def run_facts(folder: Path) -> dict[str, str]:
    """What ``run.json`` says: commit, hardware and device of the training, and its data."""
    path = folder / "run.json"
    return {key: str(value) for key, value in read_object(path).items()} if path.exists() else {}


def last_validation(folder: Path) -> dict[str, float]:
    """Validation errors at the end of a finished run, from its log, millimetres.

    Raises:
        ValueError: the log is missing or damaged.
    """
    *_, last = validations(folder).values()
    return last


def validations(folder: Path) -> dict[int, dict[str, float]]:
    """Validation errors by the poses that a finished run had seen, from its log, millimetres.

    Raises:
        ValueError: the log is missing or damaged.
    """
    path = folder / "log.jsonl"
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        out = {
            int(record["poses"]): {key: float(value) for key, value in record.items()}
            for record in records
            if record.keys() > {"poses", "loss"}
        }
        if not out:
            raise LookupError("nothing was validated")
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: no readable log of a finished run") from error
    return out


def device() -> str:
    """Where to compute."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a run folder.

    Raises:
        ValueError: it cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable JSON file") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: must hold a JSON object")
    return content


def _same(stored: object, expected: object) -> bool:
    """Whether a stored recipe is this one; options that it lacks must be at their default.

    So runs stay valid when recipes get a new option.
    """
    if not is_dataclass(expected):
        return bool(stored == json.loads(json.dumps(expected)))
    if not isinstance(stored, dict) or stored.keys() - {each.name for each in fields(expected)}:
        return False
    return all(
        _same(stored[each.name], getattr(expected, each.name))
        if each.name in stored
        else getattr(expected, each.name) == each.default
        for each in fields(expected)
    )
