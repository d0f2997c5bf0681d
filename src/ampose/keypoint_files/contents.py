"""What a keypoint file holds: `Contents` as a reader found it, `KeypointFile` as users get it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.skeletons import Skeleton

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class KeypointFile:
    """2D keypoints of P people in T frames.

    Attributes:
        keypoints: (T, P, J, 2) float32 pixels, x right, y down; NaN where missing.
        scores: (T, P, J) float32, 0 to 1; 0 where missing, 1 where the file gives none.
        ids: (P,) int64, the file's own identities or 0, 1, 2...
        times: (T,) float64 seconds: the file's own, or frame number / fps.
        skeleton: names the joints.
        image_size: (width, height) in pixels; None if neither the file nor the user says.
        warnings: what a careful user should know about this file.
        timed: whether `times` are known, from the file or by fps, and not assumed.
        identified: whether `ids` are identities, and not only places in each frame.
    """

    keypoints: Array
    scores: Array
    ids: NDArray[np.int64]
    times: Array
    skeleton: Skeleton
    image_size: tuple[int, int] | None
    warnings: tuple[str, ...] = ()
    timed: bool = False
    identified: bool = False


@dataclass(frozen=True, eq=False)
class Contents:
    """What a reader found, not yet checked.

    Attributes:
        points: (T, P, J, 3) float32: x, y in pixels and score; NaN where the file has nothing.
        skeleton: names the joints.
        ids: (P,) int64 identities; None where the file has none.
        times: (T,) float64 seconds; None where the file has none.
        frames: (T,) int64 frame numbers; None where the file has none.
        image_size: (width, height) in pixels; None where the file has none.
        warnings: what a careful user should know.
    """

    points: Array
    skeleton: Skeleton
    ids: NDArray[np.int64] | None = None
    times: Array | None = None
    frames: NDArray[np.int64] | None = None
    image_size: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()
