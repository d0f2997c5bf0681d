"""Small packs of invented but human motion, in the published format."""

from __future__ import annotations

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
    bones *= (TEMPLATE_BONES / np.linalg.norm(bones, axis=-1))[..., None]
    joints = np.zeros((count, 17, 3))
    for bone, parent in enumerate(_PARENTS):
        joints[:, bone + 1] = joints[:, parent] + bones[:, bone]
    yaw = rng.uniform(0, 2 * np.pi, count)
    cos, sin = np.cos(yaw), np.sin(yaw)
    turned = joints.copy()
    turned[..., 0] = cos[:, None] * joints[..., 0] - sin[:, None] * joints[..., 1]
    turned[..., 1] = sin[:, None] * joints[..., 0] + cos[:, None] * joints[..., 1]
    return turned


def write_pack(path: Path, **changes: object) -> Path:
    """A pack of four clips: train, val and test on own skeletons, one retargeted test clip."""
    arrays: dict[str, object] = {
        "positions": np.round(poses(200, 0) * 1e4).astype(np.int16),
        "root": np.zeros((200, 3), np.float32),
        "clip_start": np.array([0, 80, 120, 160, 200], np.int32),
        "subject": np.array(["1", "2", "3", "4"]),
        "trial": np.array(["1", "1", "1", "1"]),
        "skeleton": np.array(["asf-own", "fbx", "bvh-own", "daz-fixed"]),
        "description": np.array(["walk", "walk", "squat", "dance"]),
        "split": np.array(["train", "val", "test", "test"]),
    }
    arrays.update(changes)
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def write_data(folder: Path) -> Path:
    """A folder with every pack that recipes and named sets use."""
    folder.mkdir(exist_ok=True)
    for name in ("cmu", "hdm05", "mesh2motion"):
        write_pack(folder / f"{name}.npz")
    return folder
