"""MPI-INF-3DHP's files with a few frames of invented motion, in both forms in which they exist.

Structure, types and units are those of the published files; the cameras are the studio's cameras
of S1 Seq1 and the two of the test set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat

from ampose.cameras import Camera
from ampose.research.data.open_mocap import PACK_TO_CAMERA
from ampose.skeletons import H36M_17
from tests.research.packs import poses

TRAIN = {("S1", "Seq1"): 6, ("S3", "Seq2"): 5}
"""Frames of the generated training sequences."""

TEST = {
    "TS1": [1, 1, 0, 1, 1, 1],
    "TS2": [1, 1, 1],
    "TS3": [0, 1, 1, 1, 1],
    "TS4": [1, 1],
    "TS5": [1, 0, 1, 0],
    "TS6": [0, 0, 1],
}
"""The valid flags of the generated test sequences."""

FPS = 25
UNIVERSAL = 0.955
"""Size of a subject on the universal skeleton; TS5's in the real files."""

STUDIO = Camera((2048, 2048), (1497.693, 1497.103), (1024.704, 1051.394))
TEST_CAMERAS = {
    **dict.fromkeys(
        ("TS1", "TS2", "TS3", "TS4"),
        Camera((2048, 2048), (1500.07, 1500.66), (1017.38, 1043.06)),
    ),
    **dict.fromkeys(("TS5", "TS6"), Camera((1920, 1080), (1683.48, 1671.94), (939.93, 560.21))),
}

# The 28 joints, each from Human3.6M's: one of them, or a point on the line through two, (a, b, t)
# being a + t (b - a).
_FROM_H36M: tuple[tuple[str, str, float], ...] = (
    ("spine", "thorax", 0.6),  # spine3
    ("spine", "thorax", 0.8),  # spine4
    ("spine", "thorax", 0.3),  # spine2
    ("spine", "spine", 0),
    ("pelvis", "pelvis", 0),
    ("thorax", "thorax", 0),  # neck
    ("neck_nose", "neck_nose", 0),  # head
    ("head_top", "head_top", 0),
    ("thorax", "left_shoulder", 0.4),  # clavicle
    ("left_shoulder", "left_shoulder", 0),
    ("left_elbow", "left_elbow", 0),
    ("left_wrist", "left_wrist", 0),
    ("left_elbow", "left_wrist", 1.3),  # hand
    ("thorax", "right_shoulder", 0.4),
    ("right_shoulder", "right_shoulder", 0),
    ("right_elbow", "right_elbow", 0),
    ("right_wrist", "right_wrist", 0),
    ("right_elbow", "right_wrist", 1.3),
    ("left_hip", "left_hip", 0),
    ("left_knee", "left_knee", 0),
    ("left_ankle", "left_ankle", 0),
    ("left_knee", "left_ankle", 1.15),  # foot
    ("left_knee", "left_ankle", 1.25),  # toe
    ("right_hip", "right_hip", 0),
    ("right_knee", "right_knee", 0),
    ("right_ankle", "right_ankle", 0),
    ("right_knee", "right_ankle", 1.15),
    ("right_knee", "right_ankle", 1.25),
)

SELECTED = [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]
"""17 of the 28, as the converter of P-STMO numbers them."""


@dataclass(frozen=True)
class View:
    """What one camera sees: pixels (F, 28, 2), joints and universal joints (F, 28, 3) in mm."""

    pixels: np.ndarray
    annot3: np.ndarray
    univ_annot3: np.ndarray


def view(frames: int, camera: Camera, seed: int) -> View:
    """A person four metres away; every seed is another motion."""
    body = poses(frames, seed) @ PACK_TO_CAMERA.T
    a, b, t = zip(*_FROM_H36M, strict=True)
    start, end = body[:, H36M_17.indices(a)], body[:, H36M_17.indices(b)]
    joints = start + np.array(t)[:, None] * (end - start)
    root = np.random.default_rng(seed).normal((0, 0, 4), 0.2, (frames, 1, 3))
    return View(
        camera.project(joints + root),
        (joints + root) * 1000,
        (joints * UNIVERSAL + root) * 1000,
    )


def studio_view(subject: str, sequence: str, camera: int, frames: int) -> View:
    """The view of one of the 14 studio cameras."""
    return view(frames, STUDIO, int(subject[1]) * 1000 + int(sequence[3]) * 100 + camera)


def sequence_view(name: str) -> View:
    """The view of one test sequence; only the first 17 of its joints are used, `SELECTED`."""
    return view(len(TEST[name]), TEST_CAMERAS[name], 90 + int(name[2]))


def write_npz_train(
    folder: Path, *, sequences: Mapping[tuple[str, str], int] | None = None, **changes: object
) -> Path:
    """``data_train_3dhp.npz``; `changes` replace entries, such as ``{"S1 Seq1": 3}``."""
    data: dict[str, object] = {}
    for (subject, sequence), frames in (TRAIN if sequences is None else sequences).items():
        cameras = {}
        for camera in (0, 1, 2, 4, 5, 6, 7, 8):
            seen = studio_view(subject, sequence, camera, frames)
            cameras[str(camera)] = {
                "data_2d": seen.pixels[:, SELECTED],
                "data_3d": seen.univ_annot3[:, SELECTED],
            }
        data[f"{subject} {sequence}"] = [cameras, FPS]
    return _write_npz(folder / "data_train_3dhp.npz", data | changes)


def write_npz_test(folder: Path, **changes: object) -> Path:
    """``data_test_3dhp.npz``; `changes` replace entries, such as ``{"TS1": 3}``."""
    data: dict[str, object] = {}
    for name, valid in TEST.items():
        seen = sequence_view(name)
        data[name] = {
            "data_2d": seen.pixels[:, SELECTED],
            "data_3d": seen.univ_annot3[:, SELECTED],
            "valid": np.array(valid, float),
        }
    return _write_npz(folder / "data_test_3dhp.npz", data | changes)


def _write_npz(path: Path, data: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, data=np.array(data, dtype=object))
    return path


def write_annot(root: Path, subject: str, sequence: str, frames: int, **changes: object) -> Path:
    """``S1/Seq1/annot.mat``, MATLAB version 5; `changes` replace variables, None removes one."""
    views = [studio_view(subject, sequence, camera, frames) for camera in range(14)]
    variables: dict[str, object] = {
        "annot2": _cells([each.pixels for each in views]),
        "annot3": _cells([each.annot3 for each in views]),
        "univ_annot3": _cells([each.univ_annot3 for each in views]),
        "cameras": np.arange(14, dtype=np.uint8)[None],
        "frames": np.arange(frames, dtype=np.uint16)[:, None],
    }
    variables.update(changes)
    path = root / subject / sequence / "annot.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {key: value for key, value in variables.items() if value is not None})
    return path


def _cells(arrays: list[np.ndarray]) -> np.ndarray:
    cells = np.empty((len(arrays), 1), object)
    for cell, array in enumerate(arrays):
        cells[cell, 0] = array.reshape(len(array), -1)
    return cells


def write_original_train(root: Path) -> Path:
    """The training part of the authors' release; returns its folder."""
    for (subject, sequence), frames in TRAIN.items():
        write_annot(root, subject, sequence, frames)
    return root


def write_annot_data(root: Path, name: str, **changes: object) -> Path:
    """``TS1/annot_data.mat``, MATLAB version 7.3; `changes` replace what HDF5 holds."""
    seen, valid = sequence_view(name), np.array(TEST[name], float)
    # As MATLAB has them, 2 or 3 x 17 x 1 x F; in HDF5 its axes lie the other way round.
    variables = {
        "activity_annotation": np.full((1, len(valid)), 3.0),
        "annot2": np.moveaxis(seen.pixels[:, SELECTED], 0, -1).swapaxes(0, 1)[:, :, None],
        "annot3": np.moveaxis(seen.annot3[:, SELECTED], 0, -1).swapaxes(0, 1)[:, :, None],
        "univ_annot3": np.moveaxis(seen.univ_annot3[:, SELECTED], 0, -1).swapaxes(0, 1)[
            :, :, None
        ],
        "valid_frame": valid[None],
    }
    stored: dict[str, object] = {key: value.T for key, value in variables.items()}
    stored.update(changes)
    path = root / name / "annot_data.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for key, value in stored.items():
            if value is not None:
                file.create_dataset(key, data=value).attrs["MATLAB_class"] = np.bytes_("double")
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    with path.open("r+b") as file:
        file.write(header)
    return path


def write_original_test(root: Path) -> Path:
    """The test part of the authors' release; returns its folder."""
    for name in TEST:
        write_annot_data(root, name)
    return root
