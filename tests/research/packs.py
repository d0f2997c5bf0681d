"""Small packs of invented but human motion, in the published format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ampose.research.data.open_mocap import TEMPLATE_BONES

# Bone directions of a standing figure, axes x right, y forward, z up, for joints 1 to 16.
_STANDING = np.array(
    [
        *([1, 0, 0], [0, 0, -1], [0, 0, -1], [-1, 0, 0], [0, 0, -1], [0, 0, -1]),
        *([0, 0, 1], [0, 0, 1], [0, 0.3, 1], [0, 0, 1]),
        *([-1, 0, 0], [-0.3, 0, -1], [0, 0.2, -1], [1, 0, 0], [0.3, 0, -1], [0, 0.2, -1]),
    ],
    dtype=float,
)
_PARENTS = [0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]


def poses(count: int, seed: int) -> np.ndarray:
    """(count, 17, 3) metres: the standing figure with every bone shaken, headings at random."""
    rng = np.random.default_rng(seed)
    bones = _STANDING + rng.normal(0, 0.25, (count, 16, 3))
    return _turned(bones, rng.uniform(0, 2 * np.pi, count))


def walk(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and root (count, 3), metres, of a figure that sways while it walks a curve."""
    rng = np.random.default_rng(seed)
    time = np.arange(count)[:, None, None]
    sway = np.sin(time * rng.uniform(0.05, 0.2, (16, 3)) + rng.uniform(0, 2 * np.pi, (16, 3)))
    heading = rng.uniform(0, 2 * np.pi) + 0.02 * np.arange(count)
    steps = 0.04 * np.stack([np.cos(heading), np.sin(heading), np.zeros(count)], axis=-1)
    return _turned(_STANDING + 0.3 * sway, heading), np.cumsum(steps, axis=0).astype(np.float32)


def _turned(bones: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    bones = bones * (TEMPLATE_BONES / np.linalg.norm(bones, axis=-1))[..., None]
    joints = np.zeros((len(bones), 17, 3))
    for bone, parent in enumerate(_PARENTS):
        joints[:, bone + 1] = joints[:, parent] + bones[:, bone]
    cos, sin = np.cos(yaw), np.sin(yaw)
    turned = joints.copy()
    turned[..., 0] = cos[:, None] * joints[..., 0] - sin[:, None] * joints[..., 1]
    turned[..., 1] = sin[:, None] * joints[..., 0] + cos[:, None] * joints[..., 1]
    return turned


def write_pack(path: Path, **changes: object) -> Path:
    """A pack of four clips: train, val and test on own skeletons, one retargeted test clip."""
    arrays: dict[str, object] = {
        "positions": np.round(poses(200, 0) * 1e4).astype(np.int16),
        "clip_start": np.array([0, 80, 120, 160, 200], np.int32),
        "subject": np.array(["1", "2", "3", "4"]),
        "trial": np.array(["1", "1", "1", "1"]),
        "skeleton": np.array(["asf-own", "fbx", "bvh-own", "daz-fixed"]),
        "description": np.array(["walk", "walk", "squat", "dance"]),
        "split": np.array(["train", "val", "test", "test"]),
    }
    arrays.update(changes)
    arrays.setdefault("root", np.zeros((len(arrays["positions"]), 3), np.float32))
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def write_data(folder: Path, **changes: object) -> Path:
    """A folder with every pack that recipes and named sets use."""
    folder.mkdir(exist_ok=True)
    for name in ("cmu", "hdm05", "mesh2motion"):
        write_pack(folder / f"{name}.npz", **changes)
    return folder


def walking(lengths: Sequence[int] = (80, 40, 40, 40)) -> dict[str, object]:
    """What makes a pack of `write_pack` one whose clips are walks, for windows in time."""
    clips = [walk(length, seed) for seed, length in enumerate(lengths)]
    return {
        "positions": np.round(np.concatenate([p for p, _ in clips]) * 1e4).astype(np.int16),
        "root": np.concatenate([root for _, root in clips]),
        "clip_start": np.cumsum([0, *lengths]).astype(np.int32),
    }
