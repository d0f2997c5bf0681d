"""What motion starts from: the 2D poses of identified people over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera
from ampose.geometry import box_of_seen
from ampose.motion.identities import Identities
from ampose.poses import Pose2D
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Tracks:
    """2D poses of P people over T frames of one camera.

    Attributes:
        keypoints: (T, P, J, 2) pixels, NaN where not seen.
        scores: (T, P, J), 0 where not seen.
        ids: (P,) identities.
        times: (T,) seconds, rising.
        skeleton: names the J joints.
        camera: of all frames.
    """

    keypoints: Array
    scores: Array
    ids: NDArray[np.int64]
    times: Array
    skeleton: Skeleton
    camera: Camera

    @classmethod
    def of(
        cls,
        people: Iterable[list[Pose2D]],
        times: Array,
        skeleton: Skeleton,
        camera: Camera,
    ) -> Tracks:
        """Of the identified people in each frame."""
        frames = list(people)
        ids = np.unique(np.array([p.id for frame in frames for p in frame], np.int64))
        keypoints = np.full((len(frames), len(ids), len(skeleton), 2), np.nan, np.float32)
        scores = np.zeros(keypoints.shape[:-1], np.float32)
        for row, frame in enumerate(frames):
            for person in frame:
                place = row, np.searchsorted(ids, person.id or 0)
                keypoints[place], scores[place] = person.keypoints, person.scores
        return cls(keypoints, scores, ids, times, skeleton, camera)

    def only(self, places: Sequence[int]) -> Tracks:
        """Some of the people, by their places."""
        return replace(
            self,
            keypoints=self.keypoints[:, places],
            scores=self.scores[:, places],
            ids=self.ids[places],
        )


def identified(tracks: Tracks) -> Tracks:
    """Tracks whose places mean nothing from frame to frame, with identities that do."""
    known = Identities()
    people = []
    for time, keypoints, scores in zip(tracks.times, tracks.keypoints, tracks.scores, strict=True):
        seen = np.isfinite(keypoints).all(-1)
        poses = [
            Pose2D(points, score, box_of_seen(points), tracks.skeleton)
            for points, score, there in zip(keypoints, scores, seen, strict=True)
            if there.any()
        ]
        people.append(known.update(poses, float(time)))
    return Tracks.of(people, tracks.times, tracks.skeleton, tracks.camera)
