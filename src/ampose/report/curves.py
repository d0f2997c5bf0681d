"""Angles over time as curves to draw: with error bands, and no more points than can be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ampose.analysis import Angles, Column, Event, columns_of
from ampose.analysis.formulas import unwrapped
from ampose.report.contents import Curve, Mark, Plot

Array = NDArray[np.floating]

BUCKETS = 300
"""Stretches of time into which a longer curve is cut; each keeps its smallest and largest value,
so that no extreme is lost."""

MOST_MARKS = 60
"""A person with more events than this gets no marks in the plots: they would cover the curves."""


def thinned(times: Array, values: Array, sigma: Array) -> tuple[Array, Array, Array, Array]:
    """Times, values, and the lower and upper edge of the error band, each (K,).

    No more than 2 x `BUCKETS` frames stay as they are.
    """
    low, high = values - sigma, values + sigma
    if len(times) <= 2 * BUCKETS:
        return times, values, low, high
    kept: list[Array] = []
    for frames in np.array_split(np.arange(len(times)), BUCKETS):
        there = frames[np.isfinite(values[frames])]
        if not len(there):
            kept.append(np.array([times[frames[0]], np.nan, np.nan, np.nan]))
            continue
        own = values[there]
        banded = there[np.isfinite(low[there])]
        edges = (low[banded].min(), high[banded].max()) if len(banded) else (np.nan, np.nan)
        extremes = sorted((there[own.argmin()], there[own.argmax()]))
        kept += [np.array([times[frame], values[frame], *edges]) for frame in extremes]
    columns = np.array(kept).T
    return columns[0], columns[1], columns[2], columns[3]


def plots_of(
    angles: Angles, person: int, groups: Sequence[Sequence[str]], events: Sequence[Event]
) -> tuple[Plot, ...]:
    """The plots of the person in that place; groups without a value are left out.

    Args:
        angles: those of the groups at least.
        person: place in `angles`.
        groups: names of angles, with or without side, that share axes.
        events: of that person.
    """
    times = angles.times
    span = float(times[0]), float(times[-1])
    marks = tuple(Mark(event.name.replace("_", " "), event.time) for event in events)
    if len(marks) > MOST_MARKS:
        marks = ()
    found = []
    for group in groups:
        columns = [column for column in columns_of(group) if column.name in angles.names]
        kinds = list(dict.fromkeys(column.angle.name for column in columns))
        curves = []
        for column in columns:
            place = angles.names.index(column.name)
            values = unwrapped(angles.values[:, person, place])
            if np.isfinite(values).any():
                sigma = angles.sigma[:, person, place].astype(np.float64)
                kind = kinds.index(column.angle.name)
                label = _label(column, several=len(kinds) > 1)
                curves.append(
                    Curve(label, column.side or "", kind, *thinned(times, values, sigma))
                )
        if curves:
            shown = list(dict.fromkeys(column.angle for column in columns))
            found.append(
                Plot(
                    ", ".join(f"{a.title}{' (class B)' * (a.kind == 'B')}" for a in shown),
                    "; ".join(dict.fromkeys(angle.sign for angle in shown)),
                    tuple(curves),
                    marks,
                    span,
                )
            )
    return tuple(found)


def is_thinned(angles: Angles) -> bool:
    """Whether curves show less than every frame."""
    return len(angles.times) > 2 * BUCKETS


def _label(column: Column, *, several: bool) -> str:
    """What a curve is called in a plot whose title names the angles."""
    title = f"{column.angle.title}{' (B)' * (column.angle.kind == 'B')}"
    words = (title if several else "", column.side or "")
    return ", ".join(word for word in words if word)
