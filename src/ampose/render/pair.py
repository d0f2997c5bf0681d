"""Two people side by side, each in a picture and in 3D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ampose.render.canvas import Canvas, draw_text, fitted, text_width
from ampose.render.skeleton2d import draw_skeleton_2d
from ampose.render.skeleton3d import (
    CAMERA_VIEW,
    INSET,
    SIDE_VIEW,
    Scale,
    View,
    draw_people,
    empty_panel,
)
from ampose.render.style import BACKGROUND, FAINT_TEXT, PANEL, TEXT, person_colour
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

SIDE = 480
"""Side of a square panel, pixels."""

_MARGIN = 12
_LINE = 30
_ROOM = 0.12
"""Margin around the person, as a share of the window's side."""


@dataclass(frozen=True, eq=False)
class Half:
    """One of the two in one frame.

    Attributes:
        image: (H, W, 3) uint8 RGB; None if there is no picture.
        keypoints: (J, 2) pixels of `image`; NaN where not seen.
        joints: (J, 3) metres, root-relative, camera axes; NaN where absent.
        time: seconds in its own recording.
    """

    image: NDArray[np.uint8] | None
    keypoints: Array
    joints: Array
    time: float


@dataclass(frozen=True)
class Window:
    """A square of a picture.

    Attributes:
        left: in widths of the picture, like `top` and `side`; may lie outside it.
        top: in widths of the picture.
        side: in widths of the picture.
    """

    left: float
    top: float
    side: float

    @classmethod
    def around(cls, keypoints: Array, size: tuple[int, int]) -> Window:
        """The window around all places where a person is seen.

        Args:
            keypoints: (..., 2) pixels; NaN where not seen.
            size: (width, height) of the picture.
        """
        seen = keypoints[np.isfinite(keypoints).all(-1)]
        if not len(seen):
            return cls(0.0, 0.0, 1.0)
        low, high = seen.min(0), seen.max(0)
        side = float((high - low).max()) / (1 - 2 * _ROOM)
        left, top = ((low + high) / 2 - side / 2) / size[0]
        return cls(float(left), float(top), max(side / size[0], 1e-3))


class PairRenderer:
    """Draws moments of two recordings into pictures of one size.

    At the top is the part of the picture where the person is, with the 2D skeleton, or the view
    from the side if there is no picture; below it the 3D skeleton as the camera sees it. The first
    person is blue, the second orange; right limbs are lighter and thinner than left ones.

    Attributes:
        size: (width, height) of the pictures, both even.

    Args:
        names: shown above the two people.
        windows: what is shown of the pictures.
        skeleton: names the joints.
        text: shown in a line below them.
    """

    size = (3 * _MARGIN + 2 * SIDE, 2 * _MARGIN + 2 * SIDE + 2 * _LINE + _MARGIN)

    def __init__(
        self,
        names: tuple[str, str],
        windows: tuple[Window, Window],
        skeleton: Skeleton,
        text: str = "",
    ) -> None:
        self._names = names
        self._windows = windows
        self._skeleton = skeleton
        self._text = text
        self._scale = Scale()

    def draw(self, halves: tuple[Half, Half]) -> Canvas:
        """The picture of one moment, (H, W, 3) uint8 RGB of `size`."""
        self._scale.grow(np.stack([half.joints for half in halves]))
        width, height = self.size
        out = np.full((height, width, 3), BACKGROUND, np.uint8)
        for place, half in enumerate(halves):
            left = _MARGIN + place * (SIDE + _MARGIN)
            self._title(out, place, half, left)
            top = _LINE + _MARGIN
            above = out[top : top + SIDE, left : left + SIDE]
            if half.image is None:
                self._draw_3d(above, SIDE_VIEW, place, half)
            else:
                self._draw_picture(above, place, half)
            top += SIDE + _MARGIN
            self._draw_3d(out[top : top + SIDE, left : left + SIDE], CAMERA_VIEW, place, half)
        text = fitted(self._text, width - 2 * _MARGIN, size=13)
        draw_text(out, (_MARGIN, height - _LINE + 10), text, FAINT_TEXT, size=13)
        return out

    def _title(self, out: Canvas, place: int, half: Half, left: int) -> None:
        clock = f"{half.time:.2f} s"
        room = SIDE - text_width(clock, size=16) - 20
        name = fitted(self._names[place], room, size=16)
        draw_text(out, (left, 16), name, person_colour(place), size=16)
        edge = left + SIDE - text_width(clock, size=16)
        draw_text(out, (edge, 16), clock, TEXT, size=16)

    def _draw_picture(self, panel: Canvas, place: int, half: Half) -> None:
        assert half.image is not None
        width, window = half.image.shape[1], self._windows[place]
        corner = np.array([window.left, window.top]) * width
        side = window.side * width
        shrink = max(1, int(side / SIDE))  # else the next step leaves pixels out
        part = (
            Image.fromarray(half.image)
            .reduce(shrink)
            .transform(
                (SIDE, SIDE),
                Image.Transform.EXTENT,
                tuple(np.array([*corner, *(corner + side)]) / shrink),
                Image.Resampling.BILINEAR,
                fillcolor=PANEL,
            )
        )
        panel[...] = np.asarray(part)
        places = (half.keypoints - corner) * (SIDE / side)
        draw_skeleton_2d(panel, places, self._skeleton, place)

    def _draw_3d(self, panel: Canvas, view: View, place: int, half: Half) -> None:
        panel[...] = empty_panel(SIDE, view, self._scale.span)
        seen = np.asarray(np.isfinite(half.keypoints).all(-1))[None]
        draw_people(
            panel, view, self._scale.span, half.joints[None], seen, self._skeleton, [place]
        )
        note = "estimated"
        draw_text(panel, (SIDE - INSET - text_width(note), INSET), note, FAINT_TEXT)
