"""Short gaps filled and marked, long gaps left absent."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy.interpolate import PchipInterpolator

from ampose.motion.stretches import Array, Mask, check, patterns, points_of

Curve = Literal["pchip", "linear"]

LONGEST_KEYPOINT_GAP = 0.5
"""Seconds over which a 2D joint is better interpolated than left to the lifter to guess. Chosen on
cmu-val (``benchmarks/smoothing.py``): after lifting, knees, ankles, elbows and wrists are each
nearer to the truth up to there with detector-like 2D, together up to 0.8 s."""

LONGEST_POSE_GAP = 0.3
"""Seconds over which an absent person's joints and root are interpolated in 3D. Chosen on cmu-val:
up to there filled joints are on average at most 8 mm further off than lifted ones."""

_ROUNDING = 1e-6
"""Seconds; a gap as long as allowed is not too long because its times were rounded."""


def fill_gaps(
    values: Array, times: Array, *, longest: float = LONGEST_KEYPOINT_GAP, curve: Curve = "pchip"
) -> tuple[Array, Mask]:
    """Interpolates absent points between two present ones; never beyond the first or last.

    Args:
        values: (T, ..., D); a point of which any coordinate is NaN is absent.
        times: (T,) seconds, increasing, evenly or not.
        longest: seconds from the last frame before a gap to the first after it; the points of
            longer gaps stay absent.
        curve: "pchip", a piecewise cubic that does not overshoot (Fritsch and Butland, 1984), or
            "linear", better where noise is larger than motion, as in the root's depth.

    Returns:
        the values, NaN where absent, and the mask (T, ...) of the points that were filled.

    Raises:
        ValueError: shapes that do not fit, times that do not increase, or an unknown curve.
    """
    if curve not in get_args(Curve):
        raise ValueError(f"unknown curve {curve!r}; known are {', '.join(get_args(Curve))}")
    check(values, times)
    out, there = points_of(values)
    out[~there] = np.nan
    filled = np.zeros_like(there)
    for when, points in patterns(there):
        known = np.flatnonzero(when)
        absent = np.flatnonzero(~when)
        after = np.searchsorted(known, absent)
        inside = (after > 0) & (after < len(known))
        absent, after = absent[inside], after[inside]
        short = times[known[after]] - times[known[after - 1]] <= longest + _ROUNDING
        absent, after = absent[short], after[short]
        if len(absent):
            path = out[np.ix_(known, points)]
            where = np.ix_(absent, points)
            out[where] = interpolate(times[known], path, times[absent], curve)
            filled[where] = True
    return out.reshape(values.shape), filled.reshape(values.shape[:-1])


def interpolate(times: Array, values: Array, wanted: Array, curve: Curve = "pchip") -> Array:
    """Values (n, ...) known at at least two times (n,), at wanted times (m,) between them."""
    values = values.astype(np.float64)
    if curve == "pchip":
        return np.asarray(PchipInterpolator(times, values)(wanted))
    after = np.searchsorted(times, wanted).clip(1, len(times) - 1)
    share = (wanted - times[after - 1]) / (times[after] - times[after - 1])
    share = share.reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray(values[after - 1] + share * (values[after] - values[after - 1]))
