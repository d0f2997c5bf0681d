"""`Frame`: one picture, from a photo or a video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera

MAX_SIDE = 4096
"""Pictures whose longer side is above this many pixels are reduced to it while they are read."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One upright picture.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright; smaller than `size` where `MAX_SIDE` demanded it.
        size: (width, height) of the full picture, upright: keypoints are told in these pixels.
        time: seconds; 0 for a photo.
        index: position among the frames read, from 0.
        name: name of the file.
        camera: for `size`, if the file tells its focal length; else None.
    """

    image: NDArray[np.uint8]
    size: tuple[int, int]
    time: float
    index: int
    name: str
    camera: Camera | None = None


def reduced_size(size: tuple[int, int], longest: int | None = None) -> tuple[int, int]:
    """`size` with the longer side brought down to `longest`, by default `MAX_SIDE`."""
    scale = min(1.0, (longest or MAX_SIDE) / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
