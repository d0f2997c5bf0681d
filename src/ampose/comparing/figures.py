"""Curves of two recordings with error bands, and their difference; vectors, by matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from ampose.comparing.pair import Pair
from ampose.errors import InputError
from ampose.render.figure_style import FAINT, GRID, INK, OWN_FONT, drawing
from ampose.render.letters import font_with
from ampose.render.style import PEOPLE, hexadecimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = tuple(
    hexadecimal((int(0.8 * red), int(0.8 * green), int(0.8 * blue)))
    for red, green, blue in PEOPLE[:2]
)
"""Colours of the first and the second person: those of the video, darkened for a white page."""

_SETTINGS = {
    "svg.fonttype": "path",  # names may be in any script
    "axes.labelcolor": INK,  # which angle it is
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_ROW = 1.55  # inches
_TIMING = 1.9
_WIDTH = 8.6
_SPAN = 20.0
"""An axis spans at least as many degrees, so that noise does not look like motion."""


def curves(pair: Pair) -> dict[str, bytes]:
    """The figure as ``svg`` and ``png``.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise InputError(
            'figures need matplotlib, which is not installed: pip install "ampose[compare]"'
        ) from error
    made = {}
    with drawing(_families(pair), _SETTINGS):
        figure = Figure(
            figsize=(_WIDTH, _ROW * len(pair.comparison.columns) + _TIMING), layout="constrained"
        )
        _draw(figure, pair)
        for kind, told in (("svg", _NO_METADATA), ("png", {"Software": None})):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=130, metadata=told)
            made[kind] = buffer.getvalue()
    return made


def _families(pair: Pair) -> list[str]:
    """Fonts in the order in which they are asked for a letter."""
    from matplotlib.font_manager import FontProperties, fontManager

    path = font_with("".join(recording.name for recording in pair.recordings))
    if path is None:
        return [OWN_FONT]
    name = FontProperties(fname=path).get_name()
    if name not in fontManager.get_font_names():
        fontManager.addfont(path)
    return [OWN_FONT, name]


def _draw(figure: Figure, pair: Pair) -> None:
    comparison = pair.comparison
    count = len(comparison.columns)
    heights = [_ROW] * count + [_TIMING]
    axes = figure.subplots(count + 1, 2, height_ratios=heights, squeeze=False)
    times = comparison.alignment.times_a
    both = (comparison.a, comparison.sigma_a), (comparison.b, comparison.sigma_b)
    for place, column in enumerate(comparison.columns):
        left, right = axes[place]
        for recording, colour, (values, sigma) in zip(pair.recordings, COLOURS, both, strict=True):
            name = _shown(recording.name)
            _band(left, times, values[:, place], sigma[:, place], colour, name)
        left.set_ylabel(f"{column.title}\ndegrees", fontsize=7)
        _widen(left)
        difference, sigma = comparison.difference[:, place], comparison.sigma[:, place]
        right.axhline(0, color=FAINT, linewidth=0.8)
        right.fill_between(times, -2 * sigma, 2 * sigma, color=FAINT, alpha=0.22, linewidth=0)
        right.plot(times, difference, color=INK, linewidth=1.1)
        _widen(right)
        for axis in (left, right):
            axis.set_xlim(times[0], times[-1])
            axis.tick_params(labelbottom=place == count - 1)
    first, second = (_shown(recording.name) for recording in pair.recordings)
    axes[0, 0].legend(loc="best", frameon=False, fontsize=7)
    axes[0, 0].set_title("angles, ± 1 standard deviation", fontsize=8, color=FAINT)
    axes[0, 1].set_title(
        f"{second} less {first}; grey: ± 2 standard deviations",
        fontsize=8,
        color=FAINT,
    )
    _timing(axes[count, 0], pair)
    axes[count, 1].axis("off")
    axes[count, 1].text(
        0,
        0.95,
        f"Time is that of {first}.\nWithin the grey band a difference\n"
        "cannot be told from error.\nEstimated from one camera each;\nno medical device.",
        va="top",
        color=FAINT,
    )


def _band(
    axis: Axes, times: np.ndarray, values: np.ndarray, sigma: np.ndarray, colour: str, name: str
) -> None:
    axis.fill_between(times, values - sigma, values + sigma, color=colour, alpha=0.22, linewidth=0)
    axis.plot(times, values, color=colour, linewidth=1.2, label=name)


def _timing(axis: Axes, pair: Pair) -> None:
    """Which moment of the second belongs to which of the first."""
    alignment = pair.comparison.alignment
    own_a = alignment.times_a - alignment.times_a[0]
    own_b = alignment.times_b - alignment.times_b[0]
    end = max(own_a[-1], own_b[-1])
    axis.plot([0, end], [0, end], color=FAINT, linewidth=0.8, linestyle="dashed")
    axis.plot(own_a, own_b, color=INK, linewidth=1.2)
    axis.set_xlabel(f"{_shown(pair.a.name)}, seconds")
    axis.set_ylabel(f"{_shown(pair.b.name)}, seconds")
    axis.set_title("timing; dashed: the same pace", fontsize=8, color=FAINT)


def _shown(name: str) -> str:
    """A name as legends show it, which leave out those that begin with an underscore."""
    return f" {name}" if name.startswith("_") else name


def _widen(axis: Axes) -> None:
    low, high = axis.get_ylim()
    if high - low < _SPAN:
        middle = (low + high) / 2
        axis.set_ylim(middle - _SPAN / 2, middle + _SPAN / 2)
