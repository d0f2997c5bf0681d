"""The named stages of a run: how long each takes, and how many compute at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from ampose.flow.series import Series

Item = TypeVar("Item")
_END: Any = object()

At = Callable[[str], AbstractContextManager[None]]
"""Called with the name of a stage, gives what surrounds its computing: ``with at("find"):``."""


def untimed(stage: str) -> AbstractContextManager[None]:
    """An `At` that does nothing."""
    del stage
    return nullcontext()


def made_at(at: At, stage: str, source: Iterable[Item]) -> Iterator[Item]:
    """Gives what `source` gives, each item made within the stage."""
    iterator = iter(source)
    while True:
        with at(stage):
            item = next(iterator, _END)
        if item is _END:
            return
        yield item


@dataclass(frozen=True)
class StageTime:
    """What a stage took.

    Attributes:
        stage: its name.
        calls: how often it ran.
        mean: seconds of a call.
        high: seconds that 95 % of the last calls stayed under.
    """

    stage: str
    calls: int
    mean: float
    high: float


class Stages:
    """Clocks stages, and keeps no more threads computing at once than there may be.

    An `At`; stages are not nested. The time is that between entering and leaving, without the wait
    for a free place; clocking it costs about two microseconds.

    Args:
        places: how many threads may compute at once; any number if None.
        clock: tells the time in seconds; wall time by default.
        threads: how many each stage computes with, by name, if more than one; at most `places`.
    """

    def __init__(
        self,
        places: int | None = None,
        clock: Callable[[], float] = perf_counter,
        threads: Mapping[str, int] | None = None,
    ) -> None:
        self._places = None if places is None else _Places(places)
        self._clock = clock
        self._threads = threads or {}
        self._series: dict[str, Series] = {}

    def __call__(self, stage: str) -> AbstractContextManager[None]:
        """Surrounds what the stage computes."""
        series = self._series.setdefault(stage, Series())
        return _Visit(series, self._places, self._threads.get(stage, 1), self._clock)

    def times(self) -> list[StageTime]:
        """What each stage took so far, in the order in which they first ran."""
        return [
            StageTime(name, series.count, series.mean, series.percentile(95))
            for name, series in list(self._series.items())
            if series.count
        ]


class _Places:
    """A semaphore of which a visitor takes several places at once or none."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._changed = threading.Condition()

    def take(self, count: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._free >= count)
            self._free -= count

    def give_back(self, count: int) -> None:
        with self._changed:
            self._free += count
            self._changed.notify_all()


class _Visit:
    __slots__ = ("_clock", "_count", "_places", "_series", "_start")

    def __init__(
        self, series: Series, places: _Places | None, count: int, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._series = series
        self._places = places
        self._count = count

    def __enter__(self) -> None:
        if self._places:
            self._places.take(self._count)
        self._start = self._clock()

    def __exit__(self, *_: object) -> None:
        self._series.add(self._clock() - self._start)
        if self._places:
            self._places.give_back(self._count)
