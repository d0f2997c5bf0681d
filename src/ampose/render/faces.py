"""Heads made unrecognisable: where they are, from the keypoints of a frame, and a coarse mosaic.

A head is a circle, so that it does not matter how it is turned. It is wide enough for hair and
chin, and wider the less is known: too much is covered rather than too little. What lies within is
replaced by a few means, `CELLS` across; nothing brings back what these do not hold. Where heads
were before they were lost is `ampose.render.heads`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ampose.render.canvas import Canvas
from ampose.skeletons import H36M_17, Skeleton

Array = NDArray[np.floating]

CELLS = 4
"""Cells across a head; about two of them across the face."""

SURE_SCORE = 0.3
"""A head whose joints have a lower mean score is also looked for above the shoulders."""

_ON_HEAD = ("nose", "eye", "ear", "mouth", "neck_nose", "head", "head_top")
_OF_TORSO = 0.34
"""Radius of a head with its margin, in lengths of the torso (0.5 m)."""

_OF_SHOULDERS = 0.5
"""The same radius in shoulder widths (0.33 m between the joints)."""

_OF_FACE = 1.5
"""The same radius in the largest distance between points of the head: 15 cm from ear to ear, 11 cm
from nose to ear."""

_OF_EYES = 2.6
"""The same radius in distances between the eyes (6 cm)."""

_WIDTH = 0.66
"""Width of the shoulders, in lengths of the torso."""

_ABOVE = 0.5
"""From the middle of the shoulders to that of the head, in lengths of the torso."""

_UNSURE = 1.5
"""Factor by which the radius grows if only the shoulders tell where the head is: necks bend."""

_LONE_SHOULDER = 0.5
"""From one shoulder to the middle of both, in lengths of the torso, with a margin, as the side is
unknown."""

_WHOLE = 2.5
"""Radius that covers somebody whose head and shoulders are not seen, in half diagonals of the box
around the seen joints."""

_SMALLEST = 8.0
"""Least radius, pixels; the cells of a smaller mosaic would be single pixels."""


def blur_faces(
    image: NDArray[np.uint8],
    keypoints: Array,
    scores: Array | None = None,
    skeleton: Skeleton = H36M_17,
) -> Canvas:
    """A picture with the heads of these people made unrecognisable; the given one stays as it is.

    Of one frame by itself; people who are not among `keypoints` are not covered.

    Args:
        image: (H, W, 3) uint8 RGB.
        keypoints: (P, J, 2) pixels of `image`, NaN where not seen.
        scores: (P, J) confidence; all sure if None.
        skeleton: names the joints.
    """
    return blur_heads(image, head_circles(keypoints, scores, skeleton)[0])


def head_circles(
    keypoints: Array, scores: Array | None = None, skeleton: Skeleton = H36M_17
) -> tuple[Array, NDArray[np.bool_]]:
    """Circles (P, 3) around people's heads (x, y, radius; pixels), and which (P,) are sure.

    A head is sure if joints of it are seen. Others are placed above the shoulders; where these are
    not seen either, the whole person is covered. NaN only where no joint is seen at all.

    Args:
        keypoints: (P, J, 2) pixels, NaN where not seen.
        scores: (P, J); all sure if None.
        skeleton: names the joints.
    """
    scores = np.ones(keypoints.shape[:-1]) if scores is None else scores
    circles = np.full((len(keypoints), 3), np.nan)
    sure = np.zeros(len(keypoints), bool)
    for place, (points, confidence) in enumerate(zip(keypoints, scores, strict=True)):
        body = _Body(points.astype(np.float64), confidence, skeleton)
        circles[place], sure[place] = body.head()
    return circles, sure


def blur_heads(image: NDArray[np.uint8], circles: Iterable[Array]) -> Canvas:
    """A copy of a picture (H, W, 3) with a coarse mosaic in each circle (x, y, radius; pixels)."""
    out = image.copy()
    for circle in circles:
        if np.isfinite(circle).all():
            _cover(out, *(float(value) for value in circle))
    return out


class _Body:
    """One person's seen joints, by name."""

    def __init__(self, points: Array, scores: Array, skeleton: Skeleton) -> None:
        self._skeleton = skeleton
        self._points = points
        seen = np.asarray(np.isfinite(points).all(-1))
        names = (name.removeprefix("left_").removeprefix("right_") for name in skeleton.joints)
        on_head = seen & np.array([name.startswith(_ON_HEAD) for name in names])
        self.seen = points[seen]
        self.face = points[on_head]
        self.face_score = float(scores[on_head].mean()) if on_head.any() else 0.0
        self.shoulders = self._middle("shoulder")
        self.hips = self._middle("hip")

    def head(self) -> tuple[Array, bool]:
        """The circle and whether it is sure."""
        if not len(self.seen):
            return np.full(3, np.nan), False
        if not len(self.face):
            return self._without_face(), False
        circle = np.array([*self.face.mean(0), self._radius()])
        if self.face_score >= SURE_SCORE:
            return circle, True
        return _around(circle, self._without_face()), False

    def _radius(self) -> float:
        """Radius of the head: the largest that any of the measures gives."""
        apart = np.linalg.norm(self.face[:, None] - self.face[None], axis=-1).max()
        eyes = self._apart("eye")
        known = [
            _OF_FACE * float(apart),
            _OF_EYES * eyes,
            _OF_SHOULDERS * self._apart("shoulder"),
            _OF_TORSO * float(np.linalg.norm(self.shoulders - self.hips)),
        ]
        # Of a lone point of a face, without shoulders, only the person's extent shows the size.
        radius = float(np.nanmax(known))
        return radius if radius > 0 else self._extent()

    def _without_face(self) -> Array:
        if np.isnan(self.shoulders).any():
            return np.array([*_box_middle(self.seen), _WHOLE * self._extent()])
        torso, width = self.shoulders - self.hips, self._apart("shoulder")
        if np.isnan(torso).any():
            size = width / _WIDTH if width > 0 else self._extent()
            torso = np.array([0.0, -size])
        length = float(np.linalg.norm(torso))
        radius = _UNSURE * np.nanmax([_OF_TORSO * length, _OF_SHOULDERS * width])
        if np.isnan(width):
            radius += _LONE_SHOULDER * length
        return np.array([*(self.shoulders + _ABOVE * torso), radius])

    def _extent(self) -> float:
        """Half the diagonal of the box around all seen joints, pixels, at least 1."""
        return max(1.0, float(np.linalg.norm(np.ptp(self.seen, axis=0))) / 2)

    def _pair(self, name: str) -> Array:
        return self._points[self._skeleton.indices((f"left_{name}", f"right_{name}"))]

    def _middle(self, name: str) -> Array:
        """Middle of the seen points of a pair; NaN if none is seen."""
        pair = self._pair(name)
        there = pair[np.isfinite(pair).all(-1)]
        return np.asarray(there.mean(0)) if len(there) else np.full(2, np.nan)

    def _apart(self, name: str) -> float:
        """Distance between a pair; NaN where one of them is not seen or not in the skeleton."""
        if f"left_{name}" not in self._skeleton.joints:
            return np.nan
        left, right = self._pair(name)
        return float(np.linalg.norm(left - right))


def _box_middle(points: Array) -> Array:
    return np.asarray((points.min(0) + points.max(0)) / 2)


def _around(first: Array, second: Array) -> Array:
    """The smallest circle around two circles."""
    apart = float(np.linalg.norm(second[:2] - first[:2]))
    if apart + min(first[2], second[2]) <= max(first[2], second[2]):
        return max(first, second, key=lambda circle: float(circle[2]))
    radius = (apart + first[2] + second[2]) / 2
    middle = first[:2] + (second[:2] - first[:2]) * ((radius - first[2]) / apart)
    return np.array([*middle, radius])


def _cover(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Replaces a disc by the means of cells; they move with it, so that frames do not add up."""
    radius = max(radius, _SMALLEST)
    height, width = canvas.shape[:2]
    side = 2 * radius / CELLS
    left, right = max(0, int(x - radius)), min(width, int(np.ceil(x + radius)) + 1)
    top, bottom = max(0, int(y - radius)), min(height, int(np.ceil(y + radius)) + 1)
    if left >= right or top >= bottom:
        return
    part = canvas[top:bottom, left:right]
    columns = ((np.arange(left, right) + 0.5 - (x - radius)) / side).clip(0, CELLS - 1).astype(int)
    rows = ((np.arange(top, bottom) + 0.5 - (y - radius)) / side).clip(0, CELLS - 1).astype(int)
    cells = rows[:, None] * CELLS + columns
    counts = np.bincount(cells.ravel(), minlength=CELLS**2).clip(1)
    means = np.stack(
        [np.bincount(cells.ravel(), part[..., c].ravel(), CELLS**2) / counts for c in range(3)], -1
    )
    dx = np.arange(left, right) + 0.5 - x
    dy = np.arange(top, bottom)[:, None] + 0.5 - y
    inside = dx**2 + dy**2 <= radius**2
    part[inside] = means.round().astype(np.uint8)[cells][inside]
