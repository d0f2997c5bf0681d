"""Small pictures and videos of a person, cut from the clip that the package brings along."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ampose.data import DEMO_CLIP

Picture = NDArray[np.uint8]
SIZE = (272, 480)


@cache
def person(count: int = 3) -> tuple[Picture, ...]:
    """The first pictures of the demo clip, (480, 272, 3)."""
    with av.open(str(DEMO_CLIP)) as container:
        frames = (frame for frame, _ in zip(container.decode(video=0), range(count), strict=False))
        return tuple(f.to_ndarray(format="rgb24", width=SIZE[0], height=SIZE[1]) for f in frames)


def nobody(size: tuple[int, int] = SIZE) -> Picture:
    """A grey picture."""
    return np.full((size[1], size[0], 3), 90, np.uint8)


def photo(path: Path, picture: Picture | None = None, **options: object) -> Path:
    """Writes a photo, in the format that its name says."""
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(person()[0] if picture is None else picture).save(path, **options)
    return path


def clip(
    path: Path, pictures: Sequence[Picture] | None = None, *, times: Sequence[int] | None = None
) -> Path:
    """Writes a video whose frames come every 40 ms, or at `times` in ms."""
    pictures = pictures or person()
    path.parent.mkdir(exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for place, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = times[place] if times else 40 * place
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def song(path: Path) -> Path:
    """Writes a second of silence."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
