"""Evenly spaced moments, for formats that have a constant frame time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ampose.export.writing import UnfitError

Array = NDArray[np.floating]

EVEN_SECONDS = 0.001
"""Seconds by which times may miss an even spacing, or a tenth of a step if that is less: some
containers round as much."""

_MOST_FRAMES = 20
"""How many times its frames a resampled recording may have; more would be gaps, not motion."""


def even(times: Array, kind: str) -> tuple[Array, float]:
    """Moments (M,) of the file's frames, seconds, and the time between them.

    Even times are kept as they are; others are replaced by moments at the usual step.

    Args:
        times: (T,) of `takes.clock`.
        kind: the format, for the message.

    Raises:
        UnfitError: the times are scattered too widely for a constant step.
    """
    if len(times) < 2:
        return times, 1.0
    step = float(times[-1] / (len(times) - 1))
    if is_even(times):
        return times, step
    step = float(np.median(np.diff(times)))
    count = int(times[-1] / step + 1e-6) + 1
    if count > _MOST_FRAMES * len(times):
        raise UnfitError(
            f"{kind} has a constant frame time, but {len(times)} frames {step:.3g} s apart are "
            f"scattered over {times[-1]:.4g} s; write GLB or CSV, which keep their times"
        )
    return step * np.arange(count), step


def is_even(times: Array) -> bool:
    """Whether frames at times (T,), from 0, are as good as evenly spaced."""
    if len(times) < 2:
        return True
    step = float(times[-1] / (len(times) - 1))
    missed = np.abs(times - step * np.arange(len(times))).max()
    return bool(missed <= min(EVEN_SECONDS, step / 10))
