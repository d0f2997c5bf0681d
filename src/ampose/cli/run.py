"""``ampose run``: a photo, a video or a folder of photos; a camera, or a video played as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import (
    OUT_FLAGS,
    BlurFaces,
    Config,
    Focal,
    Force,
    FormatNames,
    Fov,
    MappingName,
    Threads,
    Weights,
    progress_bar,
    tell,
    wanted_formats,
)
from ampose.cli.live import run_live
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

_CAMERA = "camera:"


def run(
    source: Annotated[
        Path, typer.Argument(help="Photo, video, folder of photos, or a camera: camera:0.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(*OUT_FLAGS, help="Folder for the results; may be left out where it is live."),
    ] = None,
    force: Force = False,
    format: FormatNames = None,
    start: Annotated[float | None, typer.Option(help="First second of a video.")] = None,
    end: Annotated[float | None, typer.Option(help="Last second of a video.")] = None,
    capture_fps: Annotated[
        float | None, typer.Option(help="Frames per second when filmed, for slow motion.")
    ] = None,
    sequence: Annotated[
        bool, typer.Option("--sequence", help="A folder's photos are frames of one recording.")
    ] = False,
    fps: Annotated[
        float | None, typer.Option(help="Frames per second of a --sequence; 30 if left out.")
    ] = None,
    fov: Fov = None,
    focal: Focal = None,
    detector: Annotated[
        Path | None,
        typer.Option(help="Your own keypoint network (.onnx), RTMPose or MoveNet layout."),
    ] = None,
    detector_skeleton: Annotated[
        str | None, typer.Option(help="Its joint set, such as coco_17 or halpe_26.")
    ] = None,
    min_score: Annotated[
        float, typer.Option(help="Keypoints below this confidence count as not seen.")
    ] = 0.2,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Play a video as if a camera saw it now.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(help="Of the page, where it is live; 8017 if left out, 0 picks a free one."),
    ] = None,
    blur_faces: BlurFaces = False,
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
    """3D poses of everybody in a photo, a video or a folder of photos, or live of a camera."""
    del config
    live = realtime or str(source).startswith(_CAMERA)
    if out is None and not live:
        raise InputError("Missing option '--out' / '-o': a folder for the results")
    if out is None and format is not None:
        raise InputError("--format needs a folder for its files: --out / -o")
    if port is not None and not live:
        raise InputError("--port is for a camera or --realtime; a file shows no page")
    formats, notes = wanted_formats(format), list[str]()
    from ampose import pipeline
    from ampose.options import Options

    options = Options(
        fov=fov,
        focal=focal,
        start=start,
        end=end,
        capture_fps=capture_fps,
        sequence=sequence,
        fps=fps,
        detector=detector,
        detector_skeleton=detector_skeleton,
        min_score=min_score,
        weights=weights,
        mapping=mapping,
        threads=threads,
        person=person,
        frame_by_frame=frame_by_frame,
        blur_faces=blur_faces,
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
    if out is None or live:
        run_live(source, out, options, port=port, formats=formats, force=force)
        return
    with progress_bar(source.name) as progress:
        result = pipeline.run(
            source,
            out,
            options,
            formats=formats,
            force=force,
            progress=progress,
            noted=notes.append,
        )
    tell(result, out, formats, notes)
