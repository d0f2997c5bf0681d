"""``ampose lift``: 2D keypoints that a user already has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import (
    Config,
    Focal,
    Force,
    FormatNames,
    Fov,
    MappingName,
    Out,
    Threads,
    Weights,
    progress_bar,
    tell,
    wanted_formats,
)
from ampose.cli.motion_options import (
    Bones,
    Cutoff,
    FilterName,
    FrameByFrame,
    Gaps,
    Height,
    Outliers,
    Person,
    Pitch,
    Roll,
    Root,
    Swaps,
    World,
)
from ampose.errors import InputError


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        width, height = (int(side) for side in text.lower().split("x"))
    except ValueError:
        width = height = 0
    if width < 1 or height < 1:
        raise InputError(f"--image-size is WIDTHxHEIGHT, such as 1280x720, got {text!r}")
    return width, height


def lift(
    source: Annotated[
        Path,
        typer.Argument(
            help="COCO, OpenPose or AlphaPose JSON, a folder of OpenPose JSON, NPZ, CSV."
        ),
    ],
    out: Out,
    force: Force = False,
    format: FormatNames = None,
    skeleton: Annotated[
        str | None,
        typer.Option(help="Joint set, such as coco_17, where the file does not name it."),
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT in pixels, where the file does not hold it.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames per second, where the file has no times.")
    ] = None,
    fov: Fov = None,
    focal: Focal = None,
    person: Person = "all",
    frame_by_frame: FrameByFrame = False,
    swaps: Swaps = True,
    outliers: Outliers = True,
    gaps: Gaps = True,
    filter: FilterName = "butterworth",
    cutoff: Cutoff = None,
    bones: Bones = True,
    root: Root = True,
    world: World = True,
    height: Height = None,
    pitch: Pitch = None,
    roll: Roll = None,
    weights: Weights = None,
    mapping: MappingName = "hybrid",
    threads: Threads = None,
    config: Config = None,
) -> None:
    """3D poses from 2D keypoints."""
    del config
    formats, notes = wanted_formats(format), list[str]()
    from ampose import pipeline
    from ampose.options import Options

    options = Options(
        fov=fov,
        focal=focal,
        fps=fps,
        weights=weights,
        mapping=mapping,
        threads=threads,
        person=person,
        frame_by_frame=frame_by_frame,
        swaps=swaps,
        outliers=outliers,
        gaps=gaps,
        filter=filter,
        cutoff=cutoff,
        bones=bones,
        root=root,
        world=world,
        height=height,
        pitch=pitch,
        roll=roll,
    )
    with progress_bar(source.name) as progress:
        result = pipeline.lift_file(
            source,
            out,
            options,
            skeleton=skeleton,
            image_size=_size(image_size),
            formats=formats,
            force=force,
            progress=progress,
            noted=notes.append,
        )
    tell(result, out, formats, notes)
