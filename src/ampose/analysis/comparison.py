"""Two recordings moment by moment: what differs, and whether that can be told from error."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ampose.analysis.alignment import Alignment, Curves, Method, align
from ampose.analysis.angles import Angles
from ampose.analysis.formulas import wrapped
from ampose.analysis.registry import Column
from ampose.errors import InputError

Array = NDArray[np.floating]

CHANCE = 0.05
"""Probability that error alone makes any of a table's differences seem real."""

LONG_HALT = 0.5
"""Seconds for which one recording may stand before a warning says so."""


@dataclass(frozen=True)
class Difference:
    """A number of the second recording minus that of the first.

    Attributes:
        value: degrees.
        sigma: degrees, standard deviation; NaN if unknown.
        limit: degrees, beyond which error alone does not explain it; NaN if unknown.
    """

    value: float
    sigma: float
    limit: float

    @property
    def distinguishable(self) -> bool | None:
        """Whether it is more than error; None if that is not known."""
        if math.isnan(self.value) or math.isnan(self.limit):
            return None
        return abs(self.value) > self.limit


@dataclass(frozen=True)
class AngleDifference:
    """How one angle differs.

    Attributes:
        column: which angle.
        low_a: smallest of the first recording, degrees; NaN where the angle is absent. Rotations
            may leave -180 to 180: they do not jump, and both recordings count the same turns.
        high_a: largest.
        low_b: smallest of the second recording.
        high_b: largest.
        range: of the ranges, from smallest to largest.
        mean: over the moments that belong together; its sigma over those that have one.
        largest: at the moment where it is largest.
        time_a: of that moment in the first recording, seconds.
        time_b: in the second.
        moments: in which both have the angle.
    """

    column: Column
    low_a: float
    high_a: float
    low_b: float
    high_b: float
    range: Difference
    mean: Difference
    largest: Difference
    time_a: float
    time_b: float
    moments: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """N angles of two people over M moments that belong together. Absent is NaN.

    Attributes:
        columns: (N,) the angles.
        alignment: the moments.
        frames_a: (M,) frame of the first recording at each moment.
        frames_b: (M,) the frame of the second that is nearest.
        a: (M, N) degrees of the first.
        b: (M, N) degrees of the second, between its frames, in the same whole turn as `a`.
        sigma_a: (M, N) degrees.
        sigma_b: (M, N) degrees.
        rows: (N,) the table.
        warnings: what a careful user should know of this comparison.
    """

    columns: tuple[Column, ...]
    alignment: Alignment
    frames_a: NDArray[np.int64]
    frames_b: NDArray[np.int64]
    a: Array
    b: Array
    sigma_a: Array
    sigma_b: Array
    rows: tuple[AngleDifference, ...]
    warnings: tuple[str, ...]

    @property
    def difference(self) -> Array:
        """(M, N) degrees, second less first."""
        return wrapped(self.b - self.a)

    @property
    def sigma(self) -> Array:
        """(M, N) degrees, of `difference`."""
        return np.hypot(self.sigma_a, self.sigma_b)


def compare(
    a: Angles, b: Angles, people: tuple[int, int] = (0, 0), method: Method = "dtw"
) -> Comparison:
    """The same angles of one person in each of two recordings.

    Errors of the two are taken as independent, those of one recording as the same in all its
    moments: a mean over many is no surer than one of them. What is `Difference.distinguishable`
    is so with all angles, and for the largest difference all moments, taken into account
    (Bonferroni), so that `CHANCE` holds for the table.

    Args:
        a: angles of the first recording.
        b: the same angles of the second.
        people: places of the two people.
        method: see `ampose.analysis.alignment.align`.

    Raises:
        InputError: nothing to compare or to align.
        ValueError: different angles.
    """
    if a.names != b.names:
        raise ValueError(f"angles differ: {', '.join(a.names)} and {', '.join(b.names)}")
    first = Curves.of(a, people[0], "the first recording")
    second = Curves.of(b, people[1], "the second recording")
    found = align(first, second, method)
    of_a, sigma_a = first.at(found.times_a)
    second = _in_turn(of_a, second, found)
    of_b, sigma_b = second.at(found.times_b)
    if not np.isfinite(of_a + of_b).any():
        raise InputError("no angle is there in both recordings at the same moment")
    middles = (second.times[1:] + second.times[:-1]) / 2
    nearest = np.searchsorted(middles, found.times_b)
    return Comparison(
        a.columns,
        found,
        first.frames[: len(found.times_a)],
        second.frames[nearest],
        of_a,
        of_b,
        sigma_a,
        sigma_b,
        tuple(_rows(a.columns, found, first, second, (of_a, of_b), (sigma_a, sigma_b))),
        tuple(_warnings(a, b, people, found)),
    )


def _in_turn(of_a: Array, second: Curves, found: Alignment) -> Curves:
    """The second recording's curves shifted by whole turns to where most moments are nearest."""
    apart = of_a - second.at(found.times_b)[0]
    shift = np.zeros(apart.shape[1])
    there = np.isfinite(apart).any(0)
    shift[there] = 360 * np.round(np.nanmedian(apart[:, there], axis=0) / 360)
    return replace(second, values=second.values + shift)


def _rows(
    columns: tuple[Column, ...],
    found: Alignment,
    first: Curves,
    second: Curves,
    values: tuple[Array, Array],
    sigmas: tuple[Array, Array],
) -> Iterator[AngleDifference]:
    difference, sigma = wrapped(values[1] - values[0]), np.hypot(*sigmas)
    single = _beyond(len(columns))
    for place, column in enumerate(columns):
        low_a, high_a, range_sigma_a = _range(first, place, found.times_a)
        low_b, high_b, range_sigma_b = _range(second, place, found.times_b)
        range_sigma = math.hypot(range_sigma_a, range_sigma_b)
        ranges = (high_b - low_b) - (high_a - low_a)
        there = np.flatnonzero(np.isfinite(difference[:, place]))
        mean = peak = Difference(math.nan, math.nan, math.nan)
        time_a = time_b = math.nan
        if len(there):
            apart, bars = difference[there, place], sigma[there, place]
            known = bars[np.isfinite(bars)]  # frames that were bridged have none
            spread = float(np.sqrt(np.mean(known**2))) if len(known) else math.nan
            mean = Difference(float(apart.mean()), spread, single * spread)
            largest = int(np.abs(apart).argmax())
            at, bar = there[largest], float(bars[largest])
            limit = _beyond(len(columns) * len(there)) * bar
            peak = Difference(float(apart[largest]), bar, limit)
            time_a, time_b = float(found.times_a[at]), float(found.times_b[at])
        yield AngleDifference(
            column,
            low_a,
            high_a,
            low_b,
            high_b,
            Difference(ranges, range_sigma, single * range_sigma),
            mean,
            peak,
            time_a,
            time_b,
            len(there),
        )


def _beyond(tests: int) -> float:
    """Standard deviations that one of so many normal numbers exceeds by `CHANCE`."""
    return float(-ndtri(CHANCE / 2 / tests))


def _range(curves: Curves, column: int, times: Array) -> tuple[float, float, float]:
    """Smallest and largest of an angle up to the last of some times, and the range's sigma."""
    within = curves.times <= times[-1] + 1e-9  # every alignment begins where both begin
    values, sigma = curves.values[within, column], curves.sigma[within, column]
    there = np.isfinite(values)
    if not there.any():
        return math.nan, math.nan, math.nan
    values, sigma = values[there], sigma[there]
    low, high = int(values.argmin()), int(values.argmax())
    return float(values[low]), float(values[high]), math.hypot(sigma[low], sigma[high])


def _warnings(a: Angles, b: Angles, people: tuple[int, int], found: Alignment) -> Iterator[str]:
    for of_a, words in ((False, ("first", "second")), (True, ("second", "first"))):
        start, seconds = found.longest_halt(of_a=of_a)
        if seconds >= LONG_HALT:
            yield (
                f"{seconds:.2f} s of the {words[0]} recording, from {start:.2f} s on, belong to "
                f"one moment of the {words[1]}: one pauses, or nothing shows what belongs "
                "together."
            )
    if found.method == "dtw":
        yield (
            "Moments were aligned by dynamic time warping of these angles, which makes the rest "
            "of a difference as small as timing allows; differences of pace are in the timing."
        )
    if np.isfinite(found.step) and found.step > 1.5 * min(
        float(np.median(np.diff(each.times))) for each in (a, b)
    ):
        yield f"The recordings are long: they were aligned in steps of {found.step:.2f} s."
    views = [each.views[person] for each, person in zip((a, b), people, strict=True)]
    if views[0].badge != views[1].badge:
        yield (
            f"The views differ ({views[0].badge} and {views[1].badge}), and so does what lies in "
            "depth: some of the difference may come from the view."
        )
    if a.filter != b.filter:
        yield f"The recordings went through different filters: {a.filter} and {b.filter}."
    sources = [each.provenance.get("lifter_sha256") for each in (a, b)]
    if sources[0] != sources[1]:
        yield "The recordings were lifted by different weights."
    if any(column.angle.needs_gravity for column in a.columns):
        yield (
            "Angles against the vertical rest on each recording's own vertical, whose error is in "
            "the error bars."
        )
    towards = {c.angle.title for c in a.columns if c.angle.towards_camera}
    if towards and (a.reference is None or b.reference is None):
        yield (
            "Relative to each camera, so to be compared only where both cameras stood at the same "
            f"place: {', '.join(sorted(towards))}."
        )
    yield "Errors of the two recordings are taken as independent, and as lasting within each."
