"""``ampose demo``: the bundled clip, all the way."""

from __future__ import annotations

from pathlib import Path

from ampose.cli.common import BlurFaces, Force, Out, Threads, progress_bar, tell


def demo(
    out: Out = Path("ampose-demo"),
    force: Force = False,
    blur_faces: BlurFaces = False,
    threads: Threads = None,
) -> None:
    """Runs the bundled clip and writes its 3D poses and an overlay video."""
    from ampose import pipeline
    from ampose.data import DEMO_CLIP
    from ampose.options import Options

    options = Options(threads=threads, blur_faces=blur_faces)
    with progress_bar("demo") as progress:
        result = pipeline.run(DEMO_CLIP, out, options, force=force, progress=progress)
    tell(result, out)
