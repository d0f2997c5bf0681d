"""Numbers as files hold them: rounded, without a negative zero, and left out where NaN."""

from __future__ import annotations

import math


def cell(value: float, decimals: int) -> str:
    """A cell of a table; empty for NaN."""
    return "" if math.isnan(value) else f"{round(value, decimals) + 0.0:.{decimals}f}"


def number(value: float, decimals: int) -> float | None:
    """A number of a JSON document; None, which is null there, for NaN."""
    return None if math.isnan(value) else round(value, decimals) + 0.0
