"""``ampose run``: a photo, a video or a folder of photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import (
    Config,
    Focal,
    Force,
    Fov,
    MappingName,
    Out,
    Threads,
    Weights,
    progress_bar,
    tell,
)


def run(
    source: Annotated[Path, typer.Argument(help="Photo, video or folder of photos.")],
    out: Out,
    force: Force = False,
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
    weights: Weights = None,
    mapping: MappingName = "hybrid",
    threads: Threads = None,
    config: Config = None,
) -> None:
    """3D poses of everybody in a photo, a video or a folder of photos."""
    del config
    from ampose import pipeline

    options = pipeline.Options(
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
    )
    with progress_bar(source.name) as progress:
        result = pipeline.run(source, out, options, force=force, progress=progress)
    tell(result, out)
