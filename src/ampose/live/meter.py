"""How a live run is going, in numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from ampose.flow import Series

_NOW = 60
"""Frames over which the current frame rate is taken."""


@dataclass(frozen=True)
class Status:
    """A live run so far.

    Attributes:
        shown: frames.
        dropped: frames that were not shown because a newer one had come.
        seconds: from the first frame shown to the last.
        people: in the last frame.
        rate: frames per second over the last two seconds or so; NaN at first.
        delay: seconds from capture to shown, median of the last frames; NaN at first.
        high_delay: seconds that 95 % of the last frames stayed under.
    """

    shown: int
    dropped: int
    seconds: float
    people: int
    rate: float
    delay: float
    high_delay: float

    @property
    def mean_rate(self) -> float:
        """Frames per second over the whole run; NaN below two frames."""
        return (self.shown - 1) / self.seconds if self.shown > 1 else float("nan")


class Meter:
    """Counts frames shown and dropped, and takes their delay.

    Args:
        clock: tells the time in seconds; the one by which moments of capture are given.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # several threads drop
        self._dropped = 0
        self._delays = Series()
        self._gaps = Series()
        self._first = self._last = float("nan")
        self._people = 0

    def drop(self) -> None:
        """One more frame that was not shown."""
        with self._lock:
            self._dropped += 1

    def show(self, captured: float, people: int) -> None:
        """One more frame that was shown just now, of which the picture was taken at `captured`."""
        now = self._clock()
        if self._delays.count:
            self._gaps.add(now - self._last)
        else:
            self._first = now
        self._delays.add(now - captured)
        self._last, self._people = now, people

    @property
    def status(self) -> Status:
        """The run so far."""
        return Status(
            shown=self._delays.count,
            dropped=self._dropped,
            seconds=self._last - self._first if self._delays.count else 0.0,
            people=self._people,
            rate=1 / self._gaps.recent_mean(_NOW) if self._gaps.count else float("nan"),
            delay=self._delays.percentile(50),
            high_delay=self._delays.percentile(95),
        )
