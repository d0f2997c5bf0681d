"""``ampose data``: what lies in a folder of datasets, and how it gets there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import needs_torch
from ampose.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Datasets: what is there, and converters.")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the datasets' files.")],
) -> None:
    """Says what a folder holds and what each table of the thesis would need.

    Every part is loaded as a training run would load it, so the first time takes minutes with
    the whole of Human3.6M; a copy is kept in .ampose-cache beside the files.

    Of the packs of open motion it says whether scores on them compare with ours.
    """
    with needs_torch():
        from ampose.research.data.inventory import NEEDS, inspect

    parts = {}
    try:
        for part in inspect(folder):
            parts[part.name] = part
            print(f"{'there  ' if part.usable else 'missing'}  {part.name}: {part.finding}")
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    print()
    for table, needed in NEEDS.items():
        lacking = [name for name in needed if not parts[name].usable]
        trial = [name for name in needed if not parts[name].official]
        state = "can be measured"
        if lacking:
            state = f"needs {' and '.join(lacking)}"
        elif trial:
            state = "can be tried, not measured: the data is not the published one"
        print(f"table {table}: {state}")


@app.command()
def human36m(
    source: Annotated[
        Path, typer.Argument(help="Folder of the original D3_Positions files, CDF or MAT.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the two .npz files.")],
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Converts the original Human3.6M poses to the files that training reads."""
    with needs_torch():
        from ampose.research.data.human36m_import import import_human36m
    from ampose.cli.common import progress_bar

    try:
        with progress_bar("convert") as progress:
            written = import_human36m(source, out, overwrite=force, progress=progress)
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    print(f"Written: {', '.join(map(str, written))}")


@app.command("open-mocap")
def open_mocap(
    source: Annotated[
        Path,
        typer.Argument(help="Folder that holds the original files, in folders of any name."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for cmu.npz and hdm05.npz.")],
    known_only: Annotated[
        bool, typer.Option("--known-only", help="Leave out clips that our own packs do not have.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace packs that are there.")] = False,
) -> None:
    """Makes the open-mocap packs from the original motion capture files of CMU and HDM05.

    CMU: SUBJECT.asf with SUBJECT_TRIAL.amc, such as 02.asf with 02_01.amc; or SUBJECT_TRIAL.bvh
    as cgspeed converted them for MotionBuilder.

    HDM05: HDM_ACTOR.asf with HDM_ACTOR_CLASS_NUMBER_120.amc.

    Says of each clip whether it is the same as in our own packs.
    """
    from ampose.cli.common import progress_bar
    from ampose.research.data.open_mocap_import import import_open_mocap, report

    try:
        with progress_bar("convert") as progress:
            imported = import_open_mocap(
                source, out, known_only=known_only, overwrite=force, progress=progress
            )
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    for line in report(imported):
        print(line)
