"""Covers everybody's face in a report's pictures, also of people outside the recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ampose.detection import load_detector
from ampose.geometry import box_of_seen
from ampose.poses import Pose2D
from ampose.render import privacy
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]
Picture = NDArray[np.uint8]


class Faces:
    """Covers faces in pictures that have nothing to do with each other.

    Attributes:
        warnings: what a user should know of it.
    """

    def __init__(self) -> None:
        self._detector = load_detector()
        self._cover = privacy.FaceCover(self._detector, moving=False)
        self.warnings = tuple(privacy.warnings())

    def __call__(self, image: Picture, keypoints: Array, scores: Array) -> Picture:
        """A copy with covered faces, of the people known and of whoever else is found.

        Args:
            image: (H, W, 3) uint8 RGB.
            keypoints: (P, 17, 2) Human3.6M joints of the recording's people, pixels of `image`.
            scores: (P, 17) confidence.
        """
        known = [
            Pose2D(points, confidence, box_of_seen(points), H36M_17)
            for points, confidence in zip(keypoints.astype(np.float32), scores, strict=True)
            if np.isfinite(points).any()
        ]
        return self._cover.cover(image, [*self._detector.detect(image), *known], 0.0)
