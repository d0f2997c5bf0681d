"""People followed from frame to frame, each with an identity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ampose.detection.crops import RGBImage
from ampose.detection.detector import COLLAPSED_OKS, PoseDetector
from ampose.detection.similarity import box_iou, oks
from ampose.poses import Pose2D

SEARCH_EVERY = 5
"""Frames between two searches while nobody is there or somebody was lost lately."""

REMEMBER = 30
"""Frames for which a lost person found again nearby keeps the identity: a second of film."""

_SAME_OKS = 0.5
_SAME_IOU = 0.5


@dataclass
class _Track:
    id: int
    pose: Pose2D
    seen_at: int


class VideoDetector:
    """Everybody in a video, frame after frame, with identities that last.

    Known people are followed from where they were; the whole frame is searched at the start,
    every `find_every` frames, when somebody was lost, and every `SEARCH_EVERY` frames while nobody
    is there or somebody lost is still remembered. Identities count up from 0 in order of
    appearance, the most prominent first.

    Args:
        detector: what looks at one frame.
        find_every: frames between two searches for newcomers.

    Raises:
        ValueError: `find_every` below 1.
    """

    def __init__(self, detector: PoseDetector, *, find_every: int = 30) -> None:
        if find_every < 1:
            raise ValueError(f"find_every must be 1 frame or more, got {find_every}")
        self._detector = detector
        self._find_every = find_every
        self._tracks: list[_Track] = []  # by id; also those lost lately
        self._next_id = 0
        self._frame = -1
        self._searched_at: int | None = None

    def detect(self, image: RGBImage) -> list[Pose2D]:
        """The people in the next frame (H, W, 3) uint8 RGB, ordered by `Pose2D.id`."""
        self._frame += 1
        self._tracks = [t for t in self._tracks if self._frame - t.seen_at <= REMEMBER]
        known = self._present(self._frame - 1)
        self._follow(image, known)
        if len(self._present(self._frame)) < len(known) or self._search_is_due():
            self._searched_at = self._frame
            for pose in self._detector.detect(image):
                self._place(pose)
        return [track.pose for track in self._present(self._frame)]

    def _present(self, frame: int) -> list[_Track]:
        return [track for track in self._tracks if track.seen_at == frame]

    def _follow(self, image: RGBImage, known: Iterable[_Track]) -> None:
        """Moves known tracks on; of two that end on one person the older goes on."""
        for track in known:
            pose = self._detector.follow(image, track.pose)
            if pose is None:
                continue
            others = self._present(self._frame)
            if all(oks(pose, other.pose) <= COLLAPSED_OKS for other in others):
                self._move(track, pose)

    def _search_is_due(self) -> bool:
        if self._searched_at is None:
            return True
        present = self._present(self._frame)
        all_there = 0 < len(present) == len(self._tracks)
        interval = self._find_every if all_there else min(SEARCH_EVERY, self._find_every)
        return self._frame - self._searched_at >= interval

    def _place(self, pose: Pose2D) -> None:
        """Gives a find to the person it shows: one present, one lost nearby, or a newcomer."""
        for track in self._present(self._frame):
            if oks(pose, track.pose) > _SAME_OKS or box_iou(pose, track.pose) > _SAME_IOU:
                return
        lost = [t for t in self._tracks if t.seen_at < self._frame and _near(pose, t.pose)]
        if lost:
            self._move(min(lost, key=lambda track: _distance(pose, track.pose)), pose)
        else:
            self._tracks.append(
                _Track(self._next_id, replace(pose, id=self._next_id), self._frame)
            )
            self._next_id += 1

    def _move(self, track: _Track, pose: Pose2D) -> None:
        track.pose = replace(pose, id=track.id)
        track.seen_at = self._frame


def _near(a: Pose2D, b: Pose2D) -> bool:
    """Whether two boxes lie within one body: centres no further apart than the longer side."""
    return _distance(a, b) <= max(float((p.box[2:] - p.box[:2]).max()) for p in (a, b))


def _distance(a: Pose2D, b: Pose2D) -> float:
    return float(np.linalg.norm((a.box[:2] + a.box[2:] - b.box[:2] - b.box[2:]) / 2))
