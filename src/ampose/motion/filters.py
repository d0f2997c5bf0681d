"""Filters along time: zero-lag Butterworth, Savitzky-Golay, and one-euro, which is causal.

Files are smoothed with one of the first two, which see both sides of a frame and do not lag. Live
video has no future, and one-euro trades lag against noise by how fast a joint moves.

What a filter can gain depends on how long the noise lasts. Independent noise is spread evenly up
to half the frame rate, and a low-pass filter removes most of it. A detector's noise lasts: with a
correlation of 0.8 from frame to frame at 25 frames/s, 87 % of its variance lies below 4 Hz, 93 %
below 6 Hz and 74 % below 2 Hz, among the motion. So filters do little for positions, and much for
velocities and accelerations. Where a detector is off for seconds, no filter helps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, savgol_filter, sosfiltfilt

from ampose.motion.gaps import interpolate
from ampose.motion.stretches import LONGEST_STEP, Array, Mask, change_stretches, check, present

LowPass = Callable[[Array, float, float], Array | None]
"""From values (n, ...), frames/s and cut-off in Hz to the new values; None if too short."""

Filter = Literal["butterworth", "savitzky-golay", "one-euro", "none"]

CUTOFF = 4.0
"""Hz, of the Butterworth and Savitzky-Golay filters; chosen on cmu-val, see `butterworth`."""

MIN_CUTOFF = 1.0
"""Hz, of the one-euro filter for a joint at rest."""

BETA = 16.0
"""Hz that the one-euro filter's cut-off rises by for every metre per second. Chosen on cmu-val
with `MIN_CUTOFF`: with detector-like 2D positions are better by 1 mm and accelerations by 40 %,
while wrists and ankles faster than 3 m/s lose 2 mm to the lag; with half of it they lose 4 mm."""

DERIVATIVE_CUTOFF = 1.0
"""Hz, for the speed in the one-euro filter; as Casiez et al. propose."""

_PASSES = 2
_ORDER = 2
"""Of each pass; two passes make the fourth order."""

_PADDING_PERIODS = 2
"""Of the cut-off, beyond each end; in two periods the filter has forgotten how it began."""

_POLYNOMIAL = 3

_WINDOW_PERIODS = 1.08
"""Length of a Savitzky-Golay window of third order in periods of its -3 dB cut-off. Computed: true
within 4 % from 7 frames on, 10 % off at 5."""

_EVEN = 0.05
"""Of a step: times that are off an even spacing by no more, such as those rounded to milliseconds,
are taken as even."""

_MOST_FRAMES = 20
"""A resampled stretch has at most this many times its frames; bursts would give millions."""


def smooth(
    values: Array,
    times: Array,
    method: Filter = "butterworth",
    *,
    cutoff: float | None = None,
    per_metre: float = 1.0,
) -> tuple[Array, Mask]:
    """Smooths points along time by a filter chosen by its name.

    Args:
        values: (T, ..., D); a point of which any coordinate is NaN is absent, and stays so.
        times: (T,) seconds, increasing.
        method: `butterworth`, `savitzky_golay`, `one_euro`, or "none".
        cutoff: Hz; of one-euro for a joint at rest. The method's own if None.
        per_metre: how long a metre is in `values`; only one-euro depends on it.

    Returns:
        the new values and the mask (T, ...) of the points that the filter changed.

    Raises:
        ValueError: an unknown method, a cut-off that is not above zero, shapes that do not fit, or
            times that do not increase.
    """
    if method not in get_args(Filter):
        raise ValueError(f"unknown filter {method!r}; known are {', '.join(get_args(Filter))}")
    if method == "one-euro":
        lowest = MIN_CUTOFF if cutoff is None else cutoff
        return one_euro(values, times, min_cutoff=lowest, per_metre=per_metre)
    if method == "none":
        return values.copy(), np.zeros(values.shape[:-1], bool)
    low_pass = butterworth if method == "butterworth" else savitzky_golay
    return low_pass(values, times, CUTOFF if cutoff is None else cutoff)


def filter_of(provenance: Mapping[str, Any]) -> str:
    """The filter along time that the poses with this provenance went through, or "none".

    Results written before there was a key ``filter`` say only which one was asked for.
    """
    asked = provenance.get("options", {}).get("filter", "none")
    return str(provenance.get("filter", asked))


def butterworth(values: Array, times: Array, cutoff: float = CUTOFF) -> tuple[Array, Mask]:
    """Low-pass filter without lag: second order, run forward and backward, so fourth in effect.

    The cut-off is that of the whole: where both passes together leave the amplitude at 1/sqrt(2).
    Each pass has its own higher by Winter's factor (Biomechanics and Motor Control of Human
    Movement, section 3.4.4). Sports2D, Pose2Sim and OpenCap do not correct for this: their 6 Hz
    for gait are 4.8 Hz here. Chosen on cmu-val (``benchmarks/smoothing.py``): with
    detector-like 2D 2 to 3 Hz give the least MPJPE, but slow down wrists and ankles faster than
    3 m/s, for which 4 to 5 Hz are best; with exact 2D so are 4 to 6 Hz for all. What peaks faster,
    such as a golfer's hands, and clean keypoints need 6 Hz or more.

    Every stretch without an absent frame is filtered by itself, at its own frame rate, continued
    at its ends by its own image turned by 180 degrees, so that a steady motion goes on. Its first
    and last values stay where they are. Where times are uneven, the stretch is resampled, filtered
    and sampled back. A stretch not longer than one period of the cut-off is left as it is, and so
    is one that holds nothing above the cut-off because its frame rate is not twice that, and one
    whose times come in bursts, far closer than on average.

    Args:
        values: (T, ..., D); a point of which any coordinate is NaN is absent.
        times: (T,) seconds, increasing.
        cutoff: Hz.

    Returns:
        the new values and the mask (T, ...) of the points that were filtered.

    Raises:
        ValueError: shapes that do not fit, times that do not increase, or no cut-off above zero.
    """
    _check_frequency("cutoff", cutoff)
    return change_stretches(values, times, partial(_evenly, low_pass=_butterworth, cutoff=cutoff))


def savitzky_golay(values: Array, times: Array, cutoff: float = CUTOFF) -> tuple[Array, Mask]:
    """Low-pass filter without lag: in each frame a cubic fitted to the frames around it.

    It keeps the height of peaks better than `butterworth` does, and lets more noise above its
    cut-off through. The window is as long as makes the amplitude 1/sqrt(2) at the cut-off, in
    whole frames, odd. At the ends of a stretch the cubic of the last whole window is used.
    Stretches shorter than the window are left as they are, and so are those for which it would
    have fewer than five frames. Arguments, answers and uneven times are as for `butterworth`.
    """
    _check_frequency("cutoff", cutoff)
    return change_stretches(
        values, times, partial(_evenly, low_pass=_savitzky_golay, cutoff=cutoff)
    )


def one_euro(
    values: Array,
    times: Array,
    *,
    min_cutoff: float = MIN_CUTOFF,
    beta: float = BETA,
    derivative_cutoff: float = DERIVATIVE_CUTOFF,
    per_metre: float = 1.0,
) -> tuple[Array, Mask]:
    """`OneEuro` over all frames (T, ..., D), as live video would have it.

    Returns:
        the new values and the mask (T, ...) of the points that are no longer what was measured:
        all present ones but those at which the filter started anew.

    Raises:
        ValueError: as `OneEuro`.
    """
    check(values, times)
    live = OneEuro(
        min_cutoff=min_cutoff,
        beta=beta,
        derivative_cutoff=derivative_cutoff,
        per_metre=per_metre,
    )
    out = np.empty_like(values)
    for frame, time in enumerate(times):
        out[frame] = live.update(values[frame], float(time))
    there = present(values)
    changed = there.copy()
    changed[:1] = False
    changed[1:] &= there[:-1]
    changed[1:][np.diff(times) > LONGEST_STEP] = False
    return out, changed


class OneEuro:
    """The one-euro filter of the points of one person (Casiez et al., CHI 2012, algorithm 1).

    A low-pass filter of first order whose cut-off is ``min_cutoff + beta * speed``: calm where a
    joint rests, quick where it moves. The speed is the length of a point's velocity, not that of
    each coordinate: the answer does not depend on the axes, and on cmu-val it is better. A point
    that was absent, or not seen for `ampose.motion.stretches.LONGEST_STEP`, starts anew.

    Args:
        min_cutoff: Hz, for a joint at rest.
        beta: Hz per metre per second.
        derivative_cutoff: Hz, of the speed.
        per_metre: how long a metre is in the values: 1 for metres; for pixels about the larger
            side of a standing person's box divided by 1.7.

    Raises:
        ValueError: a number that is not finite, or not above zero; `beta` may be zero.
    """

    def __init__(
        self,
        *,
        min_cutoff: float = MIN_CUTOFF,
        beta: float = BETA,
        derivative_cutoff: float = DERIVATIVE_CUTOFF,
        per_metre: float = 1.0,
    ) -> None:
        _check_frequency("min_cutoff", min_cutoff)
        _check_frequency("derivative_cutoff", derivative_cutoff)
        if not (0 <= beta < math.inf and 0 < per_metre < math.inf):
            raise ValueError(
                f"beta must be zero or more and per_metre above zero, got {beta} and {per_metre}"
            )
        self._min_cutoff = min_cutoff
        self._slope = beta / per_metre
        self._derivative_cutoff = derivative_cutoff
        self._time = -math.inf
        self._value: Array | None = None
        self._velocity: Array | None = None

    def update(self, values: Array, time: float) -> Array:
        """The points (..., D) of the next frame, smoothed; NaN where absent.

        Raises:
            ValueError: the time is not after the last one, or the shape is not the last one's.
        """
        step = time - self._time
        if not step > 0:
            raise ValueError(f"times must increase, got {time:g} s after {self._time:g} s")
        self._time = time
        there = np.isfinite(values).all(-1, keepdims=True)
        value = np.where(there, values, np.nan).astype(np.float64)
        if self._value is None or self._velocity is None or step > LONGEST_STEP:
            self._value, self._velocity = value, np.zeros_like(value)
            return value.astype(values.dtype)
        if value.shape != self._value.shape:
            raise ValueError(f"points must stay {self._value.shape}, got {value.shape}")
        change = (value - self._value) / step
        velocity = self._velocity + _share(self._derivative_cutoff, step) * (
            change - self._velocity
        )
        speed = np.linalg.norm(velocity, axis=-1, keepdims=True)
        share = _share(self._min_cutoff + self._slope * speed, step)
        goes_on = np.isfinite(change).all(-1, keepdims=True)
        self._value = np.where(goes_on, self._value + share * (value - self._value), value)
        self._velocity = np.where(goes_on, velocity, 0)
        return self._value.astype(values.dtype)


def _evenly(values: Array, times: Array, *, low_pass: LowPass, cutoff: float) -> Array | None:
    """Filters one stretch (n, ..., D), resampled if its times are uneven."""
    if len(times) < 2:
        return None
    even = np.linspace(times[0], times[-1], len(times))
    step = float(even[1] - even[0])
    if (np.abs(times - even) <= _EVEN * step).all():
        return low_pass(values, 1 / step, cutoff)
    step = float(np.median(np.diff(times)))
    count = round((times[-1] - times[0]) / step) + 1
    if count > _MOST_FRAMES * len(times):
        return None
    even = np.linspace(times[0], times[-1], count)
    # There is noise to interpolate on the way there, so nothing that overshoots; none on the way
    # back, so the most accurate.
    filtered = low_pass(interpolate(times, values, even), 1 / step, cutoff)
    return None if filtered is None else np.asarray(CubicSpline(even, filtered)(times))


def _butterworth(values: Array, rate: float, cutoff: float) -> Array | None:
    period = math.ceil(rate / cutoff)
    if cutoff >= rate / 2 or len(values) <= period:
        return None
    # The bilinear transform maps frequencies by a tangent; the correction belongs behind it.
    correction = (2 ** (1 / _PASSES) - 1) ** (1 / (2 * _ORDER))
    each = 2 / math.pi * math.atan(math.tan(math.pi * cutoff / rate) / correction)
    sections = butter(_ORDER, each, output="sos")
    padding = min(_PADDING_PERIODS * period, len(values) - 1)
    return np.asarray(sosfiltfilt(sections, values, axis=0, padlen=padding))


def _savitzky_golay(values: Array, rate: float, cutoff: float) -> Array | None:
    window = 2 * round((_WINDOW_PERIODS * rate / cutoff - 1) / 2) + 1
    if window < _POLYNOMIAL + 2 or len(values) < window:
        return None
    return np.asarray(savgol_filter(values, window, _POLYNOMIAL, axis=0))


def _share(cutoff: float | Array, step: float) -> Array:
    """Share of the new value in the output of a first-order low-pass filter."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * cutoff * step)))


def _check_frequency(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a frequency above zero in Hz, got {value}")
