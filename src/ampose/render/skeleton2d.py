"""The 2D skeleton on the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ampose.render.canvas import Canvas, draw_dot, draw_line, draw_text, text_width
from ampose.render.style import RIM, WHITE, limb_style, person_colour
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]


def draw_skeleton_2d(
    canvas: Canvas, keypoints: Array, skeleton: Skeleton, identity: int, *, label: bool = False
) -> None:
    """One person's limbs and joints in place; joints that are NaN are left out.

    Args:
        canvas: the picture, drawn on in place.
        keypoints: (J, 2) pixels of the canvas.
        skeleton: names the joints.
        identity: gives the colour.
        label: whether to write the identity above the person.
    """
    seen = np.asarray(np.isfinite(keypoints).all(-1))
    if not seen.any():
        return
    colour = person_colour(identity)
    width = _line_width(canvas)
    places = [(float(x), float(y)) for x, y in keypoints]
    for parent, child in skeleton.edges:
        if seen[parent] and seen[child]:
            shade, share = limb_style(colour, skeleton.side(child))
            draw_line(canvas, places[parent], places[child], width * share, shade, RIM)
    for joint in np.flatnonzero(seen):
        draw_dot(canvas, places[joint], width * 0.3, WHITE)
    if label:
        x, y = places[int(np.flatnonzero(seen)[keypoints[seen, 1].argmin()])]
        text = str(identity)
        # Inside, also above a head that touches the picture's edge.
        left = max(0, round(x) - text_width(text, size=18) // 2)
        top = max(0, round(y - 4 * width) - 14)
        for offset in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            draw_text(canvas, (left + offset[0], top + offset[1]), text, RIM, size=18)
        draw_text(canvas, (left, top), text, colour, size=18)


def _line_width(canvas: Canvas) -> float:
    """Thickness of a limb, in pixels, that suits the canvas."""
    shorter: int = min(canvas.shape[:2])
    return max(2.5, shorter / 110)
