"""``ampose train``: trains a recipe, and goes on where an interrupted run stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import Data, Threads, needs_torch
from ampose.errors import InputError


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; --list shows them.")],
    data: Data,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder; runs/RECIPE if left out.")
    ] = None,
    poses: Annotated[
        int | None, typer.Option(help="Poses to see, instead of the recipe's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the recipe's.")] = None,
    workers: Annotated[int, typer.Option(help="Threads that make batches ahead.")] = 1,
    threads: Threads = None,
) -> None:
    """Trains a recipe on open motion; Ctrl-C saves, the same command goes on.

    Needs torch: pip install torch, then pip install "ampose[train]".
    """
    with needs_torch():
        from ampose.research.training.run import train_recipe
    from ampose.cli.common import progress_bar

    folder = out or Path("runs") / recipe
    try:
        with progress_bar(f"train {recipe}") as progress:
            scores = train_recipe(
                recipe,
                data,
                folder,
                poses=poses,
                seed=seed,
                workers=workers,
                threads=threads,
                progress=progress,
            )
    except ValueError as error:
        raise InputError(str(error)) from error
    except KeyboardInterrupt:
        print(f"Saved in {folder}; the same command goes on from there.")
        raise
    print(f"Done: {folder / 'model.safetensors'}; validation {scores}")
