"""A made-up recording: invented people seen exactly by four cameras that stand around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import real_video

from ampose.cameras import Camera
from ampose.geometry import rotation_about
from tests.research.packs import poses

FRAMES = 9
WORLD = poses(FRAMES, 0)
"""(T, 17, 3) metres, z up, the hips at the origin."""
ROLLS = dict(zip(real_video.VIEWS, (0, 20, -30, 5), strict=True))
SIZE = (1088, 1920)


def camera(view: str) -> Camera:
    """At 4 m and eye height, rolled as `ROLLS` says."""
    quarter = np.radians(30 + 90 * real_video.VIEWS.index(view))
    level = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) @ rotation_about(2, quarter)
    turn = rotation_about(2, np.radians(ROLLS[view])) @ level
    return Camera(SIZE, (1600, 1600), (540, 950), rotation=turn, translation=np.array([0, 0, 4.0]))


def recording() -> real_video.Recording:
    """Every joint of every frame in every view, without noise."""
    cameras = {view: camera(view) for view in real_video.VIEWS}
    keypoints = {view: each.project(each.to_camera(WORLD)) for view, each in cameras.items()}
    scores = {view: np.ones((FRAMES, 17)) for view in cameras}
    widths, times = dict.fromkeys(cameras, SIZE[0]), np.arange(FRAMES) / 60
    return real_video.Recording(keypoints, scores, widths, cameras, times)


@dataclass
class Answering:
    """A lifter that answers the same joints (T, 17, 3) whatever it is shown, and notes that."""

    joints: np.ndarray
    name: str = "answering"
    shown: list[tuple[np.ndarray, np.ndarray, Camera]] = field(default_factory=list)

    @property
    def provenance(self) -> dict[str, str]:
        return {"lifter": self.name}

    def lift(self, xy, *, image_size, scores, camera):
        assert image_size == camera.size
        self.shown.append((xy, scores, camera))
        return SimpleNamespace(joints=self.joints[:, None].astype(np.float32))
