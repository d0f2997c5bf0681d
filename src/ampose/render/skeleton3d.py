"""3D skeletons in square panels, seen from the camera and from the side.

Both views are orthographic, so that a metre is a metre anywhere in a panel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.render.canvas import Canvas, draw_dot, draw_line, draw_text, mix, text_width
from ampose.render.style import (
    AXIS,
    FAINT_TEXT,
    GRID,
    PANEL,
    RIM,
    TEXT,
    WHITE,
    limb_style,
    person_colour,
)
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

_SPAN = 2.3  # metres across a panel to begin with
_SPAN_STEP = 0.5
_MAX_SPAN = 15.0  # who stands further out is clipped: one wild estimate must not shrink everybody
_MARGIN = 1.12
_APART = 1.2  # metres between people whose places are unknown
INSET = 12
"""Pixels between the edge of a panel and its labels."""


@dataclass(frozen=True)
class View:
    """A direction to look from.

    Attributes:
        title: written in the panel.
        across: (3,) camera axes, what points right in the panel.
        away: (3,) camera axes, what points away from the viewer.
        hint: what is at the left edge of the panel.
    """

    title: str
    across: tuple[int, int, int]
    away: tuple[int, int, int]
    hint: str


CAMERA_VIEW = View("camera view", (1, 0, 0), (0, 0, 1), "")
SIDE_VIEW = View("side view (along camera -x)", (0, 0, 1), (-1, 0, 0), "< camera")


def place_people(joints: Array, root: Array) -> Array:
    """Joints (P, J, 3) about a common centre, metres, camera axes.

    One person stands in the centre. Several stand where `root` (P, 3) says, about its mean, or
    side by side if the root of one of them is unknown. People without joints stay NaN.
    """
    present = np.isfinite(joints).all(-1).any(-1)
    count = int(present.sum())
    offsets = np.zeros((len(joints), 3))
    if count > 1 and np.isfinite(root[present]).all():
        offsets[present] = root[present] - root[present].mean(0)
    elif count > 1:
        offsets[present, 0] = (np.arange(count) - (count - 1) / 2) * _APART
    return np.asarray(joints + offsets[:, None])


class Scale:
    """Metres across a panel: steady over the frames of a video, it only ever grows."""

    def __init__(self) -> None:
        self.span = _SPAN

    def grow(self, placed: Array) -> None:
        """Makes room for `placed` (..., 3), metres about the centre."""
        reach = np.abs(placed[np.isfinite(placed)]).max(initial=0) * 2 * _MARGIN
        if reach > self.span:
            self.span = min(_MAX_SPAN, math.ceil(reach / _SPAN_STEP) * _SPAN_STEP)


def empty_panel(side: int, view: View, span: float) -> Canvas:
    """A square panel of `side` pixels with its grid and labels."""
    panel = np.full((side, side, 3), PANEL, np.uint8)
    step = 0.5 if span <= 6 else 1.0
    count = math.ceil(span / 2 / step) - 1
    for line in range(-count, count + 1):
        place = round(side / 2 + line * step / span * side)
        panel[place, :] = panel[:, place] = GRID
    middle = round(side / 2)
    panel[middle, :] = panel[:, middle] = AXIS
    panel[: 3 * INSET] = panel[-3 * INSET :] = PANEL  # no grid behind the labels
    draw_text(panel, (INSET, INSET), view.title, TEXT)
    draw_text(panel, (INSET, side - INSET - 10), view.hint, FAINT_TEXT, size=13)
    grid = f"grid {step:g} m"
    left = side - INSET - text_width(grid, size=13)
    draw_text(panel, (left, side - INSET - 10), grid, FAINT_TEXT, size=13)
    return panel


def draw_people(
    panel: Canvas,
    view: View,
    span: float,
    placed: Array,
    seen: NDArray[np.bool_],
    skeleton: Skeleton,
    ids: Sequence[int],
) -> None:
    """All people's limbs, far ones first, in place.

    Args:
        panel: square, drawn on in place.
        view: where from.
        span: metres across the panel.
        placed: (P, J, 3), see `place_people`.
        seen: (P, J) whether the joint was seen in 2D; others are drawn paler.
        skeleton: names the joints.
        ids: (P,) give the colours.
    """
    side = panel.shape[0]
    axes = np.stack([view.across, (0, 1, 0)], axis=-1)
    places = placed @ axes * (side / span) + side / 2
    depth = placed @ np.array(view.away)
    limbs = [
        (depth[person, [parent, child]].mean(), person, parent, child)
        for person in range(len(placed))
        for parent, child in skeleton.edges
        if np.isfinite(placed[person, [parent, child]]).all()
    ]
    width = max(2.5, side / 55 * _SPAN / span)
    for _, person, parent, child in sorted(limbs, reverse=True):
        both = bool(seen[person, parent] and seen[person, child])
        colour, share = limb_style(person_colour(ids[person]), skeleton.side(child), seen=both)
        (x0, y0), (x1, y1) = places[person, [parent, child]].tolist()
        draw_line(panel, (x0, y0), (x1, y1), width * share, colour, RIM)
        draw_dot(panel, (x1, y1), width * 0.28, WHITE if both else mix(WHITE, PANEL, 0.5))
