"""Covers the face of everybody found in the pictures of a run, not only of the people recorded.

Somebody in the background was not asked, and a search of the whole picture misses people who are
small in it. So the picture is also searched in tiles. Whoever is found only there is covered but
does not join the recording, which is the same with covered faces as without.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.detection.crops import RGBImage
from ampose.detection.detector import MIN_SCORE, PoseDetector
from ampose.detection.similarity import prominence
from ampose.flow import At, untimed
from ampose.motion.identities import Identities
from ampose.poses import Pose2D
from ampose.render.faces import blur_heads, head_circles
from ampose.render.heads import Heads, heads_over_time

Array = NDArray[np.floating]
Tile = tuple[int, int, int, int]

LOOK_EVERY = 2
"""Of this many frames of a video, a tile is searched in one; each time it is the next tile."""

_SIDE = 0.75
"""Side of a tile, in shorter sides of the picture."""

_STEP = 0.7
"""Largest step from a tile to the next, in sides of a tile; whoever is smaller than the overlap is
whole in one of them."""

_PART = 0.5
"""A pose without a sure head, of whose box more than this share lies in somebody's, is a part of
that person which a tile cut off."""


class FaceCover:
    """Finds everybody's head in the frames of one source and covers it.

    Either frame by frame with `cover`, which knows nothing of what is to come, or in two passes:
    `note` every frame, then ask for `heads`.

    Args:
        detector: what looks at a tile.
        moving: whether the frames are of one recording.
        at: surrounds the stage ``blur``.
    """

    def __init__(self, detector: PoseDetector, *, moving: bool, at: At = untimed) -> None:
        self._detector = detector
        self._moving = moving
        self._at = at
        self._identities = Identities()
        self._heads = Heads()
        self._frame = -1
        self._noted: list[tuple[list[Pose2D], float]] = []

    def cover(self, image: RGBImage, found: Sequence[Pose2D], time: float) -> RGBImage:
        """The next frame (H, W, 3) uint8 RGB with covered faces; the given one stays as it is.

        Args:
            image: the frame.
            found: people in it, in its pixels; their identities do not matter.
            time: of the frame, seconds.
        """
        people = self._everybody(image, found, time)
        with self._at("blur"):
            if self._moving:
                return blur_heads(image, self._heads.update(people, time))
            return blur_heads(image, Heads().update(people, time))

    def note(self, image: RGBImage, found: Sequence[Pose2D], time: float) -> None:
        """Remembers who is in the next frame, see `cover`."""
        self._noted.append((self._everybody(image, found, time), time))

    def heads(self) -> list[Array]:
        """Circles (N, 3) in each noted frame, for which later frames are used too."""
        people, times = zip(*self._noted, strict=True) if self._noted else ((), ())
        return heads_over_time(people, np.array(times))

    def _everybody(self, image: RGBImage, found: Sequence[Pose2D], time: float) -> list[Pose2D]:
        """`found` and whoever the tiles show; identities are this class's own in a recording.

        A pose then left without one is a person found twice, or somebody else whom they hide.
        """
        self._frame += 1
        known = [replace(pose, id=None) for pose in found]
        boxes = tiles(image)
        if not self._moving:
            return _with_others(known, (p for tile in boxes for p in self._search(image, tile)))
        if self._frame % LOOK_EVERY == 0:
            tile = boxes[self._frame // LOOK_EVERY % len(boxes)]
            known = _with_others(known, self._search(image, tile))
        named = self._identities.update(known, time)
        rest = (p for p in known if all(p.keypoints is not n.keypoints for n in named))
        return [*named, *rest]

    def _search(self, image: RGBImage, tile: Tile) -> list[Pose2D]:
        left, top, right, bottom = tile
        corner = np.array([left, top], np.float32)
        part = np.ascontiguousarray(image[top:bottom, left:right])
        return [
            replace(pose, keypoints=pose.keypoints + corner, box=pose.box + np.tile(corner, 2))
            for pose in self._detector.detect(part)
        ]


def was_asked(provenance: Mapping[str, Any]) -> bool:
    """Whether a result was made with covered faces, so that no picture of it may show a face."""
    return bool(provenance.get("options", {}).get("blur_faces"))


def warnings(min_score: float = MIN_SCORE) -> list[str]:
    """What a user should know of pictures with covered faces.

    Args:
        min_score: below which the detector takes joints for not seen.
    """
    told = [
        "Faces are blurred where somebody was found; whom the detector missed is not blurred, so "
        "look at all pictures before giving them away."
    ]
    if min_score > MIN_SCORE:
        told.append(
            f"--min-score {min_score:g} hides people from --blur-faces too; {MIN_SCORE:g} or less "
            "hides fewer."
        )
    return told


def tiles(image: RGBImage) -> list[Tile]:
    """Squares (left, top, right, bottom) that cover a picture (H, W, 3) and overlap."""
    height, width = image.shape[:2]
    side = max(1, round(_SIDE * min(width, height)))

    def starts(length: int) -> list[int]:
        count = math.ceil((length - side) / (_STEP * side)) + 1
        return [round(start) for start in np.linspace(0, length - side, count)]

    return [(x, y, x + side, y + side) for y in starts(height) for x in starts(width)]


def _with_others(found: list[Pose2D], poses: Iterable[Pose2D]) -> list[Pose2D]:
    """`found`, and those poses that are not parts of somebody already there."""
    everybody = list(found)
    for pose in sorted(poses, key=prominence, reverse=True):
        _, sure = head_circles(pose.keypoints[None], pose.scores[None], pose.skeleton)
        if sure[0] or all(_inside(pose, other) <= _PART for other in everybody):
            everybody.append(pose)
    return everybody


def _inside(pose: Pose2D, other: Pose2D) -> float:
    """The share of a pose's box that is in another's."""
    low, high = np.maximum(pose.box[:2], other.box[:2]), np.minimum(pose.box[2:], other.box[2:])
    area = np.prod((pose.box[2:] - pose.box[:2]).clip(1))
    return float(np.prod((high - low).clip(0)) / area)
