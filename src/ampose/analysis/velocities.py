"""How fast angles change, and how many frames per second it takes to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.analysis.angles import Angles
from ampose.analysis.formulas import wrapped
from ampose.analysis.frame_rate import REFUSED_UNDER, WARNED_UNDER
from ampose.errors import InputError

Array = NDArray[np.floating]

_LONGEST = 2.0
"""Median frame times: across longer gaps there is no velocity."""


@dataclass(frozen=True, eq=False)
class Peaks:
    """The fastest moment of each person in each angle.

    Attributes:
        names: (N,) of the angles.
        values: (P, N) degrees per second with sign, the largest in size; NaN without any.
        times: (P, N) seconds, when.
        warnings: what a careful user should know.
    """

    names: tuple[str, ...]
    values: Array
    times: Array
    warnings: tuple[str, ...]


def angular_velocities(angles: Angles) -> Array:
    """Degrees per second (T, P, N): slope over the frame before and the frame after.

    Of a parabola through the three frames, so times may be uneven. NaN in the first and the last
    frame, where one of the three is absent, or across a gap of more than two frame times.

    Raises:
        InputError: the times do not rise, as those of separate photos.
    """
    times = angles.times
    if len(times) > 1 and not (np.diff(times) > 0).all():
        raise InputError("velocities need frames of one recording; here times do not rise")
    out = np.full(angles.values.shape, np.nan)
    if len(times) < 3:
        return out
    wait = np.diff(times)
    wait = np.where(wait <= _LONGEST * np.median(wait), wait, np.nan)[:, None, None]
    slope = wrapped(np.diff(angles.values, axis=0)) / wait
    before, after = wait[:-1], wait[1:]
    out[1:-1] = (slope[:-1] * after + slope[1:] * before) / (before + after)
    return out


def peak_velocities(angles: Angles) -> Peaks:
    """The largest angular velocity of each person in each angle.

    Raises:
        InputError: fewer than `REFUSED_UNDER` frames a second, or times that do not rise.
    """
    velocities = angular_velocities(angles)
    rate = angles.frames_per_second
    if not rate >= REFUSED_UNDER:
        told = "no frame rate" if np.isnan(rate) else f"{rate:.3g} frames/s"
        raise InputError(
            f"peak velocities are refused below {REFUSED_UNDER:g} frames/s, this recording has "
            f"{told}: the peak lies between frames; film faster (and give --capture-fps)"
        )
    warnings = ["Velocities from a single camera are not validated; they have no error bars."]
    if rate < WARNED_UNDER:
        warnings.append(
            f"{rate:.3g} frames/s are few for peak velocities; {WARNED_UNDER:g} are usual in golf "
            "and baseball."
        )
    if angles.filter != "none":
        warnings.append("The recording was filtered along time, which lowers peaks.")
    place = np.where(np.isnan(velocities), -1, np.abs(velocities)).argmax(0)
    values = np.take_along_axis(velocities, place[None], 0)[0]
    times = np.where(np.isnan(values), np.nan, angles.times[place])
    return Peaks(angles.names, values, times, tuple(warnings))
