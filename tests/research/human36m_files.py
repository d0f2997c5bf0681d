"""Small files of exactly the structure of VideoPose3D's Human3.6M, from invented human motion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ampose.cameras import Camera
from ampose.research.data.human36m import CAMERAS
from tests.research.packs import poses

SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")

_ACTIONS = (
    *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing"),
    *("Purchases", "Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking"),
    "WalkTogether",
)
_NUMBERS = {  # which two recordings were kept, where not the first and " 1"
    "S1": {"Eating": ("", " 2"), "Sitting": (" 1", " 2"), "SittingDown": ("", " 2")},
    "S5": {
        "Directions": (" 1", " 2"),
        "Discussion": (" 2", " 3"),
        "Greeting": (" 1", " 2"),
        "Photo": ("", " 2"),
        "Waiting": (" 1", " 2"),
    },
    "S6": {
        "Eating": (" 1", " 2"),
        "Posing": ("", " 2"),
        "Sitting": (" 1", " 2"),
        "Waiting": ("", " 3"),
    },
    "S7": {"Phoning": ("", " 2"), "Waiting": (" 1", " 2"), "Walking": (" 1", " 2")},
    "S8": {"WalkTogether": (" 1", " 2")},
    "S9": {"Discussion": (" 1", " 2")},
    "S11": {
        "Discussion": (" 1", " 2"),
        "Greeting": ("", " 2"),
        "Phoning": (" 2", " 3"),
        "Smoking": ("", " 2"),
    },
}

KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""The 17 joints among the 32: pelvis, legs, spine to head, left arm, right arm."""

_COPIES = {11: 0, 16: 13, 20: 19, 21: 19, 23: 19, 24: 13, 28: 27, 29: 27, 31: 27}
_THUMBS = {22: 19, 30: 27}
_FEET = ((3, 4, 5), (8, 9, 10))
"""Ankle, base of the toes and end of the toes, right and left."""

H36M_SYMMETRY = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
HOURGLASS_SYMMETRY = [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]]

_TO_HOURGLASS = (3, 2, 1, 4, 5, 6, 0, 7, 8, 10, 16, 15, 14, 11, 12, 13)
"""MPII's order from the 17: legs from the right ankle to the left, pelvis to head top, arms from
the right wrist to the left."""


def takes(subject: str) -> list[str]:
    """The names of a subject's takes, with the official inconsistencies; 30, of S11 29."""
    numbers = _NUMBERS[subject]
    names = [action + n for action in _ACTIONS for n in numbers.get(action, ("", " 1"))]
    return [name for name in names if (subject, name) != ("S11", "Directions")]


def write_human36m(
    folder: Path,
    *,
    frames: int = 3,
    subjects: Sequence[str] = SUBJECTS,
    keypoints: Iterable[str] = ("gt", "cpn_ft_h36m_dbb"),
    damaged_take: bool = False,
    metadata: bool = True,
    seed: int = 0,
) -> Path:
    """Writes ``data_3d_h36m.npz`` and one ``data_2d_h36m_<keypoints>.npz`` each; the folder.

    Takes are `frames` to `frames` + 2 long, every frame another pose. ``gt`` is exact by the
    published lens model; names that begin with ``sh_`` have the 16 joints of the hourglass; all
    but ``gt`` have noise of 5 pixels, one to three more frames than motion capture in every fifth
    take, and a subject without poses.

    Args:
        folder: made if absent.
        frames: of the shortest takes.
        subjects: the published files have all of `SUBJECTS`.
        keypoints: which files of keypoints.
        damaged_take: S11 "Directions" is there, as other conversions leave it.
        metadata: files of keypoints have theirs.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    names = {subject: takes(subject) for subject in subjects}
    if damaged_take:
        names["S11"].append("Directions")
    lengths = {
        (subject, take): frames + k % 3
        for subject in subjects
        for k, take in enumerate(names[subject])
    }
    ends = np.cumsum(list(lengths.values()))
    motion: dict[str, dict[str, np.ndarray]] = {subject: {} for subject in subjects}
    world = np.split(_motion(int(ends[-1]), rng), ends[:-1])
    for (subject, take), joints in zip(lengths, world, strict=True):
        motion[subject][take] = joints
    exact = {
        subject: {
            take: [_project(joints[:, KEPT], camera) for camera in CAMERAS[subject]]
            for take, joints in held.items()
        }
        for subject, held in motion.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=np.array(motion))
    for name in keypoints:
        hourglass = name.startswith("sh_")
        seen = exact if name == "gt" else _detected(exact, hourglass, rng)
        symmetry = HOURGLASS_SYMMETRY if hourglass else H36M_SYMMETRY
        about = {"num_joints": 16 if hourglass else 17, "keypoints_symmetry": symmetry}
        if name != "gt" and not hourglass:  # what the published files have and have not
            about = {"layout_name": "h36m", **about}
        content = {"positions_2d": seen, **({"metadata": about} if metadata else {})}
        np.savez_compressed(
            folder / f"data_2d_h36m_{name}.npz",
            **{key: np.array(value) for key, value in content.items()},
        )
    return folder


def _motion(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 32, 3) float32 metres, z up: people about the middle of the room."""
    body = poses(count, int(rng.integers(2**32)))
    world = np.zeros((count, 32, 3))
    world[:, KEPT] = body + np.array([0, 0, 0.95])
    right = body[:, 1] - body[:, 4]
    ahead = np.stack([-right[:, 1], right[:, 0], np.zeros(count)], axis=-1)
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    for ankle, base, end in _FEET:
        world[:, base] = world[:, ankle] + 0.14 * ahead - np.array([0, 0, 0.06])
        world[:, end] = world[:, base] + 0.07 * ahead
    for thumb, wrist in _THUMBS.items():
        world[:, thumb] = world[:, wrist] + 0.1 * ahead
    for copy, original in _COPIES.items():
        world[:, copy] = world[:, original]
    place = np.append(rng.uniform(-0.8, 0.8, (count, 2)), np.zeros((count, 1)), axis=1)
    return (world + place[:, None]).astype(np.float32)


def _project(world: np.ndarray, camera: Camera) -> np.ndarray:
    """World points (F, J, 3) to pixels (F, J, 2) float32, by the dataset's lens model."""
    points = world @ camera.rotation.T + camera.translation
    xy = points[..., :2] / points[..., 2:]
    k1, k2, p1, p2, k3 = camera.distortion
    r2 = (xy**2).sum(-1, keepdims=True)
    tangential = np.array([p2, p1])
    factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + (tangential * xy).sum(-1, keepdims=True)
    return ((xy * factor + tangential * r2) * camera.focal + camera.centre).astype(np.float32)


def _detected(exact: dict, hourglass: bool, rng: np.random.Generator) -> dict:
    out: dict[str, dict[str, list[np.ndarray]]] = {}
    for subject, views_of in exact.items():
        out[subject] = {}
        for k, (take, views) in enumerate(views_of.items()):
            more = k % 3 + 1 if k % 5 == 0 else 0
            out[subject][take] = [
                (view + rng.normal(0, 5, view.shape)).astype(np.float32)
                for view in (np.concatenate([view, view[-1:].repeat(more, 0)]) for view in views)
            ]
            if hourglass:
                out[subject][take] = [view[:, _TO_HOURGLASS] for view in out[subject][take]]
    return {"S2": next(iter(out.values())), **out}
