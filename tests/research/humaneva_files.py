"""The two files of HumanEva-I in VideoPose3D's layout: invented motion, the real cameras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ampose.cameras import Camera
from ampose.research.data.humaneva import ACTIONS, CAMERA_TABLE, IMAGE_SIZE
from ampose.skeletons import COCO_17, H36M_17, HUMANEVA_15, Skeleton
from tests.research.packs import poses

INTRINSICS = (
    ((765.789418, 765.330306), (299.773675, 232.347455)),
    ((688.411220, 686.786141), (273.089872, 221.974930)),
    ((724.267662, 723.569727), (302.629652, 204.912033)),
)
"""Focal length and principal point of C1 to C3."""

DISTORTION = (-0.289415, 0.105962, -0.001358, 0.001130, 0.0)
"""Of C1; that of the others is not published, so C1's stands in."""

Change = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]


def cameras(subject: str) -> list[Camera]:
    """C1 to C3 of a subject; SciPy turns the quaternions."""
    out = []
    for (orientation, position), (focal, centre) in zip(
        CAMERA_TABLE[subject], INTRINSICS, strict=True
    ):
        to_camera = Rotation.from_quat(orientation, scalar_first=True).as_matrix().T
        place = -to_camera @ position
        out.append(Camera(IMAGE_SIZE, focal, centre, DISTORTION, to_camera, place))
    return out


def frames_of(part: str, subject: str, action: str, chunk: int) -> int:
    """A different length for every take."""
    place = ACTIONS.index(action) * 6 + int(subject[1]) * 2 + (part == "Train")
    return 2 + place + 40 * (chunk // 2)


def write_humaneva(folder: Path, change: Change = lambda *_: None) -> Path:
    """``data_3d_humaneva15.npz`` and ``data_2d_humaneva15_gt.npz``.

    Args:
        folder: made if absent.
        change: is given positions_3d, positions_2d and metadata, to spoil them.
    """
    return _write(folder, "gt", HUMANEVA_15, "humaneva15", change)


def write_detections(folder: Path, change: Change = lambda *_: None) -> Path:
    """Instead of ``gt`` ``detectron_pt_coco``: COCO's joints, and pieces without poses."""
    return _write(folder, "detectron_pt_coco", COCO_17, "coco", change)


def _write(folder: Path, name: str, skeleton: Skeleton, layout: str, change: Change) -> Path:
    positions: dict[str, dict[str, np.ndarray]] = {}
    keypoints: dict[str, dict[str, list[np.ndarray]]] = {}
    for part in ("Train", "Validate"):
        for subject in CAMERA_TABLE:
            key = f"{part}/{subject}"
            positions[key], keypoints[key] = {}, {}
            for action in ACTIONS:
                if (subject, action) == ("S3", "ThrowCatch"):
                    continue
                # Number 1 is a piece without poses.
                for chunk in (0, 2) if action == "Walking" else (0,):
                    body = _bodies(frames_of(part, subject, action, chunk))
                    take = f"{action} 1 chunk{chunk}"
                    positions[key][take] = _named(body, HUMANEVA_15).astype(np.float32)
                    points = _named(body, skeleton)
                    keypoints[key][take] = [
                        each.project(each.to_camera(points)).astype(np.float32)
                        for each in cameras(subject)
                    ]
    if layout == "coco":
        blank = [np.zeros((3, len(skeleton), 2), np.float32)] * 3
        keypoints["Unlabeled/Train/S1"] = {"Walking 1 chunk1": blank}
        keypoints["Unlabeled/S4"] = {"Box 2": blank}
    metadata = {
        "layout_name": layout,
        "num_joints": len(skeleton),
        "keypoints_symmetry": [list(side) for side in zip(*skeleton.pairs, strict=True)],
    }
    change(positions, keypoints, metadata)
    folder.mkdir(exist_ok=True)
    np.savez_compressed(folder / "data_3d_humaneva15.npz", positions_3d=positions)
    np.savez_compressed(
        folder / f"data_2d_humaneva15_{name}.npz", positions_2d=keypoints, metadata=metadata
    )
    return folder


def _bodies(frames: int) -> np.ndarray:
    """(F, 17, 3) Human3.6M joints of somebody on the floor; the frames seed the motion."""
    rng = np.random.default_rng(frames)
    place = np.stack([*rng.uniform(-0.7, 0.7, (2, frames)), rng.uniform(0.85, 1.0, frames)], -1)
    return poses(frames, frames) + place[:, None]


def _named(body: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The joints of another set; a face is put on the head."""
    face = {"head": (0, 0, 0), "nose": (0, 0.1, -0.1), "left_eye": (-0.03, 0.1, -0.05)}
    face |= {"right_eye": (0.03, 0.1, -0.05), "left_ear": (-0.08, 0, -0.08)}
    face |= {"right_ear": (0.08, 0, -0.08)}
    head = body[:, H36M_17.index("head_top")]
    return np.stack(
        [
            head + face[name] if name in face else body[:, H36M_17.index(name)]
            for name in skeleton.joints
        ],
        axis=1,
    )
