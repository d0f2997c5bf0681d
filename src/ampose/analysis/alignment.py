"""Which moments of two recordings belong together.

By dynamic time warping (Sakoe and Chiba, IEEE Trans. ASSP 1978) of the angles that both have, by
stretching one evenly to the other's length, or not at all.

Warping looks at the shape of the curves, not at their size: each angle's extremes become -1 and 1
in either recording. The lowest point of a deep squat then belongs to the lowest of a shallow one,
and not everything below the latter's depth. Angles that hardly move count less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ampose.analysis.angles import Angles
from ampose.analysis.formulas import unwrapped
from ampose.errors import InputError

Array = NDArray[np.floating]
Method = Literal["dtw", "linear", "none"]

MOST_STEPS = 1500
"""Moments of a recording that are warped, evenly spaced; longer ones are looked at more coarsely.
The table of all pairs then takes 18 MB."""

PENALTY = 0.1
"""Cost of a step at which one recording stands still, in half ranges of one angle: enough to keep
pace where nothing moves, too little to hide a difference of pace."""

MOST_ABSENT = 0.5
"""Share of a recording in which an angle that guides the warping may be absent."""

_NOISE = 2.5
"""Degrees: the least standard deviation that an angle is taken to have."""

_MOVES = 2.0
"""An angle whose half range is this many standard deviations or more counts in full."""

_LEAST_WEIGHT = 0.05

_ROUNDING = 1e-6
"""Of the time between two frames, within which a moment is that of a frame."""

_STANDS = 0.1
"""A recording stands where fewer of its seconds than this pass per second of the other."""


@dataclass(frozen=True, eq=False)
class Curves:
    """The angles of one person in a recording, from the first frame they are in to the last.

    Attributes:
        times: (T,) seconds, rising.
        frames: (T,) numbers of the frames.
        values: (T, N) degrees, NaN where absent; without jumps of whole turns.
        sigma: (T, N) degrees.
    """

    times: Array
    frames: NDArray[np.int64]
    values: Array
    sigma: Array

    @classmethod
    def of(cls, angles: Angles, person: int, what: str) -> Curves:
        """Of the person in that place.

        Args:
            angles: of the recording.
            person: place of the person.
            what: the recording, for messages.

        Raises:
            InputError: the person has no angles in two frames, or times do not rise.
        """
        there = np.flatnonzero(np.isfinite(angles.values[:, person]).any(-1))
        if len(there) < 2:
            raise InputError(
                f"{what} shows its person in {len(there)} frame(s); two recordings are compared, "
                "of two frames or more"
            )
        frames = np.arange(there[0], there[-1] + 1)
        times = np.asarray(angles.times[frames], np.float64)
        if not (np.diff(times) > 0).all():
            raise InputError(f"the times of {what} do not rise; photos are no recording")
        values = unwrapped(angles.values[frames, person])
        return cls(times, frames, values, angles.sigma[frames, person])

    def at(self, times: Array) -> tuple[Array, Array]:
        """Values and sigma (M, N) between frames; NaN beside an absent one and outside."""
        return _between(self.times, self.values, times), _between(self.times, self.sigma, times)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Moments that belong together.

    Attributes:
        method: how they were found.
        times_a: (N,) seconds of the first recording, rising: those of its frames.
        times_b: (N,) seconds of the second, never falling.
        step: seconds between the moments that were warped; NaN without warping.
    """

    method: Method
    times_a: Array
    times_b: Array
    step: float = float("nan")

    def longest_halt(self, *, of_a: bool) -> tuple[float, float]:
        """The longest stretch that is matched with hardly a moment of the other recording.

        Args:
            of_a: a stretch of the second while the first stands; else the other way round.

        Returns:
            its start and its duration, seconds of the recording that goes on; duration 0 if none.
        """
        stands, moves = (self.times_a, self.times_b) if of_a else (self.times_b, self.times_a)
        passed = np.diff(moves)
        still = np.diff(stands) < _STANDS * passed
        if not still.any():
            return float(moves[0]), 0.0
        # Each stretch of stillness has a number; what moves has that of the stretch before.
        number = np.cumsum(still & ~np.r_[False, still[:-1]])
        lengths = np.bincount(number, passed * still)
        longest = int(lengths.argmax())
        return float(moves[np.argmax(still & (number == longest))]), float(lengths[longest])


def align(a: Curves, b: Curves, method: Method = "dtw") -> Alignment:
    """Moments of `b` for the frames of `a`.

    Args:
        a: the angles of the first recording.
        b: the same angles of the second.
        method: ``dtw``; ``linear``, which stretches it evenly; or ``none``, which counts seconds
            from the first frame of each, as far as both last.

    Raises:
        InputError: no angle is there in most of both recordings, warping is not installed, or
            without alignment they have but one moment in common.
        ValueError: another method.
    """
    match method:
        case "none":
            times = b.times[0] + (a.times - a.times[0])
            both = times <= b.times[-1] + 1e-9
            if both.sum() < 2:
                raise InputError(
                    "the second recording ends before the second frame of the first; "
                    "--align linear stretches it"
                )
            return Alignment(method, a.times[both], times[both])
        case "linear":
            share = (a.times - a.times[0]) / (a.times[-1] - a.times[0])
            return Alignment(method, a.times, b.times[0] + share * (b.times[-1] - b.times[0]))
        case "dtw":
            return _warped(a, b)
    raise ValueError(f"unknown method {method!r}; known are {', '.join(get_args(Method))}")


def _warped(a: Curves, b: Curves) -> Alignment:
    """By dynamic time warping."""
    dtw = _library()
    span = max(a.times[-1] - a.times[0], b.times[-1] - b.times[0])
    own = min(float(np.median(np.diff(each.times))) for each in (a, b))
    step = max(own, span / MOST_STEPS)
    grids = [np.linspace(each.times[0], each.times[-1], _count(each, step)) for each in (a, b)]
    shapes = _shapes(a, b, *grids)
    penalty = PENALTY * np.sqrt(shapes[0].shape[1])
    several = shapes[0].shape[1] > 1  # it takes a single curve only without its axis
    series = shapes if several else tuple(shape[:, 0].copy() for shape in shapes)
    path = np.array(dtw.warping_path_fast(*series, use_ndim=several, penalty=penalty))
    # Several moments of b for one of a: their middle.
    count = np.bincount(path[:, 0])
    middle = np.bincount(path[:, 0], grids[1][path[:, 1]]) / count
    middle[[0, -1]] = grids[1][[0, -1]]
    return Alignment("dtw", a.times, np.interp(a.times, grids[0], middle), step)


def _library() -> Any:
    """The module that warps; an extra, because it is 20 MB."""
    try:
        from dtaidistance import dtw
    except ModuleNotFoundError as error:
        raise InputError(
            'aligning needs dtaidistance, which is not installed: pip install "ampose[compare]", '
            "or --align linear"
        ) from error
    return dtw


def _count(curves: Curves, step: float) -> int:
    return max(2, round(float(curves.times[-1] - curves.times[0]) / step) + 1)


def _shapes(a: Curves, b: Curves, grid_a: Array, grid_b: Array) -> tuple[Array, Array]:
    """Both recordings' angles (T, N) on their grids, extremes at -1 and 1, weighted."""
    usable = [
        column
        for column in range(a.values.shape[1])
        if all(np.isnan(each.values[:, column]).mean() <= MOST_ABSENT for each in (a, b))
    ]
    if not usable:
        raise InputError(
            "no angle is there in most frames of both recordings, so nothing shows what belongs "
            "together; --align linear does not need any"
        )
    noise = np.array(
        [
            np.nanmax([_median(each.sigma[:, column]) for each in (a, b)] + [_NOISE])
            for column in usable
        ]
    )
    first, second = (
        np.stack([_filled(each, column, grid) for column in usable], -1)
        for each, grid in ((a, grid_a), (b, grid_b))
    )
    weights = np.minimum(_half_range(first), _half_range(second)) / (_MOVES * noise)
    weights = weights.clip(_LEAST_WEIGHT, 1)
    return _shape(first) * weights, _shape(second) * weights


def _half_range(values: Array) -> Array:
    return np.asarray(np.ptp(values, axis=0) / 2)


def _shape(values: Array) -> Array:
    middle = (values.max(0) + values.min(0)) / 2
    return np.ascontiguousarray((values - middle) / _half_range(values).clip(1e-6))


def _filled(curves: Curves, column: int, grid: Array) -> Array:
    there = np.isfinite(curves.values[:, column])
    return np.asarray(np.interp(grid, curves.times[there], curves.values[there, column]))


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _between(known: Array, values: Array, times: Array) -> Array:
    """Values (T, N) linearly between frames; NaN beside an absent one and outside."""
    right = np.searchsorted(known, times).clip(1, len(known) - 1)
    left = right - 1
    share = (times - known[left]) / (known[right] - known[left])
    inside = (share > -_ROUNDING) & (share < 1 + _ROUNDING)
    # Where a moment is that of a frame, but for rounding, the other frame does not matter.
    share = np.where(share < _ROUNDING, 0, np.where(share > 1 - _ROUNDING, 1, share))[:, None]
    out = np.where(share == 0, values[left], np.where(share == 1, values[right], np.nan))
    mixed = (1 - share) * values[left] + share * values[right]
    out = np.where((share > 0) & (share < 1), mixed, out)
    return np.where(inside[:, None], out, np.nan)
