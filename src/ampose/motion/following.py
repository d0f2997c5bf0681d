"""Everybody in a video, frame after frame: followed by crops, searched for when it is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from ampose.detection.crops import RGBImage
from ampose.detection.detector import COLLAPSED_OKS, PoseDetector
from ampose.detection.similarity import distinct, oks, prominence
from ampose.motion.identities import REMEMBER_SECONDS, SAME_OKS, Identities
from ampose.poses import Pose2D

Each: TypeAlias = Callable[
    [Callable[[Pose2D], Pose2D | None], Iterable[Pose2D]], Iterable[Pose2D | None]
]

FIND_EVERY = 30
"""Frames between two searches of the whole picture while everybody known is there."""

SEARCH_EVERY = 5
"""Frames between two searches while nobody is there or somebody lost is remembered."""

SURE_OKS = 0.7
"""A followed person less like what was expected may be somebody else, whom the crop slid to. On
Pose2Sim's four single-person clips, at 15 to 60 frames/s, one pose in 254 is."""


class VideoDetector:
    """Everybody in a video, with identities that last.

    Known people are followed by a crop around where they should be. The whole frame is searched at
    the start, every `find_every` frames, and every `SEARCH_EVERY` frames while nobody is there or
    somebody lost is still remembered: frames, not seconds, since they set what a frame costs.
    It is also searched in any frame in which somebody was lost or a crop shows something
    unexpected (`SURE_OKS`); what the search finds then comes before what the crop shows.

    Whoever is found, either way, is given an identity by `Identities`, whose memory is in seconds.
    Where two crops end on one person, that person is found once, and the identities decide who it
    is; the other one is lost, and searched for.

    Attributes:
        found: all poses of the last frame, also those that show somebody again.

    Args:
        detector: what looks at one frame.
        find_every: frames between two searches for newcomers.
        remember: seconds for which somebody lost keeps the identity.
        each: applies a function to people in order, as `map` does, perhaps to several at once.

    Raises:
        ValueError: `find_every` below 1.
        InputError: `remember` is negative or not a number.
    """

    def __init__(
        self,
        detector: PoseDetector,
        *,
        find_every: int = FIND_EVERY,
        remember: float = REMEMBER_SECONDS,
        each: Each = map,
    ) -> None:
        if find_every < 1:
            raise ValueError(f"find_every must be 1 frame or more, got {find_every}")
        self._detector = detector
        self._find_every = find_every
        self._each = each
        self._identities = Identities(remember=remember)
        self._frame = -1
        self._searched_at: int | None = None
        self.found: list[Pose2D] = []

    def detect(self, image: RGBImage, time: float) -> list[Pose2D]:
        """The people in the next frame, ordered by `Pose2D.id`.

        Args:
            image: (H, W, 3) uint8 RGB.
            time: of the frame, seconds.
        """
        self._frame += 1
        expected = self._identities.expected(time)
        sure, doubtful = self._follow(image, expected)
        found = distinct(sorted(sure, key=prominence, reverse=True), COLLAPSED_OKS)
        if len(found) < len(expected) or self._search_is_due(len(expected)):
            self._searched_at = self._frame
            found = _more(found, self._detector.detect(image))
        self.found = _more(found, doubtful)
        return self._identities.update(self.found, time)

    def _follow(
        self, image: RGBImage, expected: list[Pose2D]
    ) -> tuple[list[Pose2D], list[Pose2D]]:
        """What the crops around people show: poses as expected, and others."""
        sure: list[Pose2D] = []
        doubtful: list[Pose2D] = []
        poses = self._each(partial(self._detector.follow, image), expected)
        for person, pose in zip(expected, poses, strict=True):
            if pose is not None:
                (sure if oks(pose, person) >= SURE_OKS else doubtful).append(pose)
        return sure, doubtful

    def _search_is_due(self, present: int) -> bool:
        if self._searched_at is None:
            return True
        all_there = present > 0 and not self._identities.missing
        interval = self._find_every if all_there else min(SEARCH_EVERY, self._find_every)
        return self._frame - self._searched_at >= interval


def _more(found: list[Pose2D], poses: list[Pose2D]) -> list[Pose2D]:
    """What was found, and those of the poses that show somebody else."""
    others = (p for p in poses if all(oks(p, other) <= SAME_OKS for other in found))
    return [*found, *others]
