"""Results of clips that really are there, as ``ampose run`` leaves them, without running it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ampose.cameras import Camera
from ampose.export import write_npz
from ampose.poses import PoseSequence
from tests.analysis.squatting import squat
from tests.cli.clips import clip

SIZE = (64, 48)


def numbered(count: int) -> list[np.ndarray]:
    """Pictures whose grey value tells their number: 5 a frame."""
    return [np.full((SIZE[1], SIZE[0], 3), 5 * number, np.uint8) for number in range(count)]


def recording(rate: float = 10, **changes: Any) -> PoseSequence:
    """A squat seen by a camera of small pictures, with its keypoints."""
    made = squat(rate, **{"sigma": 0.02, "provenance": {"source": "a.mp4"}} | changes)
    camera = replace(Camera.from_fov(SIZE, 60), rotation=np.diag([1.0, -1, -1]))
    keypoints = camera.project(made.joints + made.root[..., None, :]).astype(np.float32)
    scores = np.ones(keypoints.shape[:-1], np.float32)
    return replace(made, cameras=(camera,), keypoints=keypoints, scores=scores)


def result(folder: Path, sequence: PoseSequence | None = None, *, video: bool = True) -> Path:
    """A folder with the poses, and beside it the clip that they are of."""
    folder.mkdir(parents=True)
    sequence = recording() if sequence is None else sequence
    write_npz(sequence, folder / "poses.npz")
    if video:
        times = np.round(sequence.times * 1000).astype(int)
        source = folder.parent / str(sequence.provenance["source"])
        clip(source, numbered(len(times)), times=(times - times[0]).tolist())
    return folder
