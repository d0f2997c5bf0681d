"""What can be said at a recording's frame rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REFUSED_UNDER = 120.0
"""Frames per second below which no peak velocity is given."""

WARNED_UNDER = 240.0
"""Frames per second below which one comes with a warning; golf is usually filmed at this."""


def frames_per_second(times: NDArray[np.floating]) -> float:
    """From the median time between frames (T,); NaN if times do not rise or there is one frame."""
    wait = np.diff(times)
    if not len(wait) or not (wait > 0).all():
        return float("nan")
    return float(1 / np.median(wait))


def rate_warnings(rate: float) -> tuple[str, ...]:
    """What angles over time lose at that rate; nothing for photos, which have none."""
    if not rate < WARNED_UNDER:
        return ()
    if rate < REFUSED_UNDER:
        return (
            f"{rate:.3g} frames/s: extremes of fast movements may lie between frames, and peak "
            f"velocities are refused below {REFUSED_UNDER:g} frames/s.",
        )
    return (
        f"{rate:.3g} frames/s: peak velocities of fast movements may be too low; "
        f"{WARNED_UNDER:g} frames/s are usual for them.",
    )
