"""``ampose train``: trains a recipe, and goes on where an interrupted run stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import Data, Threads, needs_torch
from ampose.errors import InputError


def _list_recipes(wanted: bool) -> None:
    if not wanted:
        return
    with needs_torch():
        from ampose.research.recipes import RECIPES, OpenMotion
    for recipe in RECIPES.values():
        network = type(recipe.model).__name__.removesuffix("Config")
        length = f"{recipe.epochs} epochs" if recipe.epochs else f"{recipe.poses:,} poses"
        data = "open motion"
        if not isinstance(recipe.data, OpenMotion):
            data = f"{recipe.data.dataset}, {recipe.data.keypoints}"
        print(
            f"{recipe.name:38} {network} of width {recipe.model.width}: {length} of {data}, "
            f"batch {recipe.batch}, learning rate {recipe.learning_rate:g}"
        )
    raise typer.Exit


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; --list shows them.")],
    data: Data,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder; runs/RECIPE if left out.")
    ] = None,
    poses: Annotated[
        int | None, typer.Option(min=1, help="Poses to see, instead of the recipe's.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data, instead of the recipe's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed, instead of the recipe's.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="Peak, instead of the recipe's.")
    ] = None,
    hold_out: Annotated[
        str | None,
        typer.Option(help="What to leave out and validate on: a subject such as S8, or fold."),
    ] = None,
    packs: Annotated[
        list[str] | None,
        typer.Option(
            "--pack",
            metavar="NAME",
            help="Open motion: the recipe's packs to train on, if not all; repeat for several.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Threads that make batches ahead.")] = 1,
    threads: Threads = None,
    show: Annotated[
        bool,
        typer.Option("--list", callback=_list_recipes, is_eager=True, help="Show the recipes."),
    ] = False,
) -> None:
    """Trains a recipe; Ctrl-C saves, the same command goes on.

    On several processors: torchrun --nproc-per-node N -m ampose train ...

    Needs torch and the "train" extra of ampose; says how to install them where they are missing.
    """
    del show
    with needs_torch():
        from ampose.research.training.checkpoint import CHECKPOINT, WEIGHTS
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
                epochs=epochs,
                seed=seed,
                learning_rate=learning_rate,
                held_out=hold_out,
                packs=packs,
                workers=workers,
                threads=threads,
                progress=progress,
            )
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    except KeyboardInterrupt:
        if (folder / CHECKPOINT).exists():
            print(f"Saved in {folder}; the same command goes on from there.")
        raise
    if scores is None:  # not the first of several processes
        return
    errors = ", ".join(f"{name} {value} mm" for name, value in scores.items())
    print(f"Done: {folder / WEIGHTS}; validation: {errors or 'nothing was held out'}")
