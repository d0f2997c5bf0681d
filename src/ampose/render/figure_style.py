"""How figures of curves look, in reports and comparisons: colours, and settings of matplotlib.

The extras ``report`` and ``compare`` bring matplotlib, which is imported only where it draws.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

INK, FAINT, GRID = "#1b1d22", "#5c6470", "#d9dce2"

OWN_FONT = "DejaVu Sans"
"""Comes with matplotlib."""


@contextmanager
def drawing(
    families: Sequence[str] = (OWN_FONT,), changes: Mapping[str, object] | None = None
) -> Iterator[None]:
    """The defaults of matplotlib and ours while the block lasts, whatever the user has set.

    Args:
        families: of fonts, in the order in which they are asked for a letter.
        changes: settings of matplotlib that differ from ours.
    """
    from matplotlib import rc_context, rcdefaults, rcParams

    ours: Any = {
        "svg.hashsalt": "ampose",  # the same picture is the same file
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "text.parse_math": False,  # a file may be called $x$
        "font.family": list(families),
        "font.size": 8.0,
        "text.color": INK,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": FAINT,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "axes.linewidth": 0.7,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        **(changes or {}),
    }
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)  # silent on fonts that have no bold letters
    try:
        with rc_context(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # browsers have more
            rcdefaults()
            rcParams.update(ours)
            yield
    finally:
        log.setLevel(level)
