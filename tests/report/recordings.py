"""A person who bends a knee, as results that a report can be made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ampose.cameras import Camera
from ampose.poses import PoseSequence
from tests.analysis.figure import BACK, DOWN, figure, sequence, tilted

SIZE = (272, 480)


def bending(
    frames: int = 9, people: int = 1, *, sigma: float = 0.01, rate: float = 25, **changes: object
) -> PoseSequence:
    """Left knee from straight to 80 degrees and back, in the middle of a picture of `SIZE`."""
    bends = 40 - 40 * np.cos(np.linspace(0, 2 * np.pi, frames))
    poses = np.stack([figure(left_ankle=tilted(DOWN, BACK, bend)) for bend in bends])
    joints = np.repeat(poses[:, None], people, axis=1)
    made = sequence(joints, sigma=sigma, tilt_sigma=5, rate=rate)
    camera = replace(Camera.from_fov(SIZE, 50), rotation=made.cameras[0].rotation)
    places = joints + np.array([0.0, 0, 4])
    world = (places * [1, -1, -1] + [0, 1, 0]).astype(np.float32)
    return replace(
        made,
        cameras=(camera,),
        ids=np.arange(people),
        keypoints=camera.project(places).astype(np.float32),
        scores=np.ones(joints.shape[:3], np.float32),
        world=world,
        **changes,
    )


def photos(count: int, people: int = 1) -> PoseSequence:
    """Poses without time, world and sigma."""
    made = bending(max(count, 2), people, sigma=np.nan)
    nowhere = np.full_like(made.world[:count], np.nan)
    names = ("joints", "root", "sigma", "keypoints", "scores", "valid")
    first = {name: getattr(made, name)[:count] for name in names}
    changed = dict.fromkeys(("filled", "repaired", "corrected"), made.filled[:count])
    return replace(made, **first, **changed, world=nowhere, world_frame={}, times=np.zeros(count))
