"""``ampose compare``: two recordings of a movement, aligned and side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ampose.cli.common import PRESETS, BlurFaces, Config, Force, Out, ResultSource
from ampose.errors import InputError

Video = Annotated[
    Path | None,
    typer.Option(help="What it was made from; else looked for beside the result and here."),
]
Who = Annotated[
    str | None,
    typer.Option(help="largest, longest, an id, or a place X,Y in pixels; longest if left out."),
]


def compare(
    a: ResultSource,
    b: ResultSource,
    out: Out,
    force: Force = False,
    names: Annotated[
        str | None, typer.Option(help="Of the two, such as before,after; else of their folders.")
    ] = None,
    person_a: Who = None,
    person_b: Who = None,
    video_a: Video = None,
    video_b: Video = None,
    angles: Annotated[
        str | None,
        typer.Option(help="Names with commas; else those of the preset, or class A."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help=f"Movement: {PRESETS}."),
    ] = None,
    align: Annotated[
        Literal["dtw", "linear", "none"],
        typer.Option(help="Warp time, stretch the second evenly, or count seconds of each."),
    ] = "dtw",
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Take the mirror image of B, such as a left-hander's.")
    ] = False,
    blur_faces: BlurFaces = False,
    config: Config = None,
) -> None:
    """Two recordings: a video in step, differences with error bars; needs the extra "compare"."""
    del config
    from ampose import analysis
    from ampose.comparing.run import FILES, Side, compare_results

    called = (None, None) if names is None else _two(names)
    pair = compare_results(
        Side(a, called[0], person_a, video_a),
        Side(b, called[1], person_b, video_b, mirror),
        out,
        angles=None if angles is None else angles.split(","),
        preset=None if preset is None else analysis.preset_named(preset),
        method=align,
        blur_faces=blur_faces,
        force=force,
    )
    rows = pair.comparison.rows
    known = [row for row in rows if row.mean.distinguishable is not None]
    differ = [row.column.name for row in known if row.mean.distinguishable]
    print(
        f"{len(rows)} angles at {len(pair.comparison.frames_a)} moments; "
        f"{len(differ)} of {len(known)} differ on average by more than their error bars"
        + (f": {', '.join(differ)}" if differ else "")
    )
    for warning in pair.warnings:
        print(f"note: {warning}")
    print(analysis.NOTICE)
    print(f"Results in {out}: {', '.join(FILES)}")
    print(f"Open {out / 'compare.html'} to look at them.")


def _two(names: str) -> tuple[str, str]:
    """What ``--names`` says."""
    parts = [name.strip() for name in names.split(",")]
    if len(parts) != 2 or not all(parts):
        raise InputError(f"--names takes two names and a comma, such as before,after; got {names}")
    return parts[0], parts[1]
