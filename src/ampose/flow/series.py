"""A running series of numbers in bounded memory."""

from __future__ import annotations

import threading

import numpy as np

RECENT = 1024
"""How many of the last numbers percentiles are taken of: half a minute of a live run."""


class Series:
    """Numbers that any thread may add and read.

    Attributes:
        count: how many numbers were added.
        total: their sum.
    """

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self._recent = np.zeros(RECENT)
        self._adding = threading.Lock()

    def add(self, value: float) -> None:
        """Adds one number."""
        with self._adding:
            self._recent[self.count % RECENT] = value
            self.total += value
            self.count += 1

    @property
    def mean(self) -> float:
        """Mean of all numbers; NaN without any."""
        return self.total / self.count if self.count else float("nan")

    def percentile(self, share: float) -> float:
        """Percentile of the last `RECENT` numbers, `share` 0 to 100; NaN without any."""
        recent = self._recent[: min(self.count, RECENT)]
        return float(np.percentile(recent, share)) if len(recent) else float("nan")

    def recent_mean(self, count: int) -> float:
        """Mean of the last `count` numbers, at most `RECENT`; NaN without any."""
        last = np.arange(max(0, self.count - min(count, RECENT)), self.count) % RECENT
        return float(self._recent[last].mean()) if len(last) else float("nan")
