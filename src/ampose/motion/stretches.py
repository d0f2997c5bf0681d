"""What steps along time share: which points are present, and the unbroken stretches of each.

Values are (T, ..., D): T frames, any number of points, D coordinates. A point of which any
coordinate is not finite is absent. Times are (T,) seconds and increase.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]

LONGEST_STEP = 0.5
"""Seconds between two frames beyond which a stretch ends; by then a step or a blow is over."""


def present(values: Array) -> Mask:
    """(T, ..., D) to (T, ...): which points are there."""
    return np.asarray(np.isfinite(values).all(-1))


def check(values: Array, times: Array) -> None:
    """Checks that values and times are what this package's steps along time take.

    Raises:
        ValueError: shapes that do not fit, or times that do not increase.
    """
    if values.ndim < 2 or times.shape != values.shape[:1]:
        raise ValueError(
            f"values (T, ..., D) and times (T,) needed, got {values.shape} and {times.shape}"
        )
    # The difference of two of them is NaN where one is, and then not above 0.
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise ValueError("times must be finite and increase from frame to frame")


def points_of(values: Array) -> tuple[Array, Mask]:
    """A copy of the values as (T, N, D), and which of its points are present, (T, N)."""
    count = math.prod(values.shape[1:-1])
    points = values.reshape(len(values), count, values.shape[-1]).copy()
    return points, present(points)


def patterns(there: Mask) -> Iterator[tuple[Mask, NDArray[np.int64]]]:
    """Points that are present in the same frames, so that they can be treated together.

    Args:
        there: (T, N).

    Yields:
        when they are, (T,) with at least one frame, and which points they are, (n,).
    """
    packed = np.packbits(there, axis=0)
    _, first, member = np.unique(packed, axis=1, return_index=True, return_inverse=True)
    for number, example in enumerate(first):
        if there[:, example].any():
            yield there[:, example], np.flatnonzero(member.ravel() == number)


def stretches(there: Mask, times: Array) -> list[slice]:
    """The unbroken stretches of frames (T,): all present, no step above `LONGEST_STEP`."""
    frames = np.flatnonzero(there)
    if not len(frames):
        return []
    broken = (np.diff(frames) > 1) | (np.diff(times[frames]) > LONGEST_STEP)
    starts = frames[np.concatenate([[True], broken])]
    ends = frames[np.concatenate([broken, [True]])] + 1
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def change_stretches(
    values: Array, times: Array, change: Callable[[Array, Array], Array | None]
) -> tuple[Array, Mask]:
    """Applies a function to every unbroken stretch of every point by itself.

    Args:
        values: (T, ..., D).
        times: (T,) seconds.
        change: from (n, points, D) float64 and (n,) seconds to the new (n, points, D), or None to
            leave the stretch as it is.

    Returns:
        the new values, of the old type, and the mask (T, ...) of those that were changed.
    """
    check(values, times)
    out, there = points_of(values)
    changed = np.zeros_like(there)
    for when, points in patterns(there):
        for stretch in stretches(when, times):
            new = change(out[stretch, points].astype(np.float64), times[stretch])
            if new is not None:
                out[stretch, points] = new
                changed[stretch, points] = True
    return out.reshape(values.shape), changed.reshape(values.shape[:-1])
