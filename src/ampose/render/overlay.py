"""One picture that shows it all: the frame with its 2D skeletons, and two views of the 3D ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ampose.render.canvas import Canvas, draw_line, draw_text, fitted, text_width
from ampose.render.skeleton2d import draw_skeleton_2d
from ampose.render.skeleton3d import (
    CAMERA_VIEW,
    INSET,
    SIDE_VIEW,
    Scale,
    draw_people,
    empty_panel,
    place_people,
)
from ampose.render.style import BACKGROUND, FAINT_TEXT, NEUTRAL, PANEL, limb_style
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

_MARGIN = 12
_FOOTER = 28
_HEIGHTS = {"landscape": 760, "portrait": 960}
_MAX_PICTURE_WIDTH = 1280
_MIN_PICTURE_WIDTH = 240


class OverlayRenderer:
    """Draws frames of one size into pictures of one size, for a video or a still.

    On the left is the frame with the 2D skeletons. On the right, one above the other, are the 3D
    skeletons as the camera sees them and from the side, looking along the camera's -x axis, so
    that the camera is at the left. Every identity keeps its colour; right limbs are lighter and
    thinner than left ones; joints in 3D that were not seen in 2D are paler. The scale of the
    panels only grows.

    Attributes:
        size: (width, height) of the pictures, both even; 760 high, which shows a frame of
            1280 x 720 as it is, and 960 for an upright frame.

    Args:
        size: (width, height) of the frames to come.
        skeleton: names the joints.
    """

    def __init__(self, size: tuple[int, int], skeleton: Skeleton) -> None:
        self._frame_size = size
        self._skeleton = skeleton
        self._scale = Scale()
        height = _HEIGHTS["portrait" if size[1] > size[0] else "landscape"]
        inner = height - _MARGIN - _FOOTER
        self._panel = (inner - _MARGIN) // 2
        self._zoom = min(inner / size[1], _MAX_PICTURE_WIDTH / size[0])
        self._picture_size = tuple(max(1, round(side * self._zoom)) for side in size)
        box = max(_MIN_PICTURE_WIDTH, self._picture_size[0])
        box += box % 2
        self._box = box, inner
        self.size = 3 * _MARGIN + box + self._panel + self._panel % 2, height
        self._background_span = 0.0
        self._background: Canvas = np.empty((0, 0, 3), np.uint8)

    def draw(
        self,
        image: NDArray[np.uint8],
        keypoints: Array,
        joints: Array,
        root: Array,
        ids: Sequence[int],
        *,
        time: float | None = None,
        text: str = "",
    ) -> NDArray[np.uint8]:
        """The picture of one frame, (H, W, 3) uint8 RGB of `size`.

        Args:
            image: (h, w, 3) uint8 RGB, of the size announced.
            keypoints: (P, J, 2) pixels of `image`; NaN where not seen.
            joints: (P, J, 3) metres, root-relative, camera axes; NaN where absent.
            root: (P, 3) metres, camera axes; NaN where unknown.
            ids: (P,) identities.
            time: seconds, shown unless None.
            text: one line below the picture.

        Raises:
            ValueError: shapes that do not fit.
        """
        people = len(ids)
        for name, array, shape in (
            ("image", image, (self._frame_size[1], self._frame_size[0], 3)),
            ("keypoints", keypoints, (people, len(self._skeleton), 2)),
            ("joints", joints, (people, len(self._skeleton), 3)),
            ("root", root, (people, 3)),
        ):
            if array.shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
        placed = place_people(joints, root)
        self._scale.grow(placed)
        out = self._blank()
        self._draw_picture(out, image, keypoints, ids)
        seen = np.asarray(np.isfinite(keypoints).all(-1))
        for view, panel in zip((CAMERA_VIEW, SIDE_VIEW), self._panels(out), strict=True):
            draw_people(panel, view, self._scale.span, placed, seen, self._skeleton, ids)
        self._draw_texts(out, time, text)
        return out

    def _panels(self, canvas: Canvas) -> tuple[Canvas, Canvas]:
        side, left = self._panel, 2 * _MARGIN + self._box[0]
        second = 2 * _MARGIN + side
        columns = canvas[:, left : left + side]
        return columns[_MARGIN : _MARGIN + side], columns[second : second + side]

    def _blank(self) -> Canvas:
        """A fresh copy of everything that does not change from frame to frame."""
        if self._background_span != self._scale.span:
            self._background_span = self._scale.span
            width, height = self.size
            canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
            canvas[_MARGIN : _MARGIN + self._box[1], _MARGIN : _MARGIN + self._box[0]] = PANEL
            for view, panel in zip((CAMERA_VIEW, SIDE_VIEW), self._panels(canvas), strict=True):
                panel[...] = empty_panel(self._panel, view, self._scale.span)
            self._draw_legend(canvas)
            self._background = canvas
        return self._background.copy()

    def _draw_picture(
        self, out: Canvas, image: NDArray[np.uint8], keypoints: Array, ids: Sequence[int]
    ) -> None:
        width, height = self._picture_size
        left = _MARGIN + (self._box[0] - width) // 2
        top = _MARGIN + (self._box[1] - height) // 2
        picture = out[top : top + height, left : left + width]
        if image.shape[:2] == (height, width):
            picture[...] = image
        else:
            resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
            picture[...] = np.asarray(resized)
        several = int(np.isfinite(keypoints).all(-1).any(-1).sum()) > 1
        for person, identity in enumerate(ids):
            places = keypoints[person] * self._zoom
            draw_skeleton_2d(picture, places, self._skeleton, identity, label=several)

    def _draw_legend(self, canvas: Canvas) -> None:
        left, middle = 2 * _MARGIN + self._box[0], self.size[1] - _FOOTER + 14
        for label, side, seen in (
            ("left", "left", True),
            ("right", "right", True),
            ("not seen in 2D", "left", False),
        ):
            colour, share = limb_style(NEUTRAL, side, seen=seen)
            draw_line(canvas, (left + 4, middle), (left + 22, middle), 6 * share, colour)
            draw_text(canvas, (left + 31, middle - 5), label, FAINT_TEXT, size=13)
            left += 31 + text_width(label, size=13) + 20

    def _draw_texts(self, out: Canvas, time: float | None, text: str) -> None:
        place = _MARGIN, self.size[1] - _FOOTER + 9
        draw_text(out, place, fitted(text, self._box[0], size=13), FAINT_TEXT, size=13)
        clock = "" if time is None else f"{time:.2f} s"
        for panel, note in zip(self._panels(out), (clock, "estimated"), strict=True):
            left = self._panel - INSET - text_width(note)
            draw_text(panel, (left, INSET), note, FAINT_TEXT)
