"""The open-mocap protocol, version 1: one way to score a lifter on open data.

Poses: the named split, clips on their subject's own skeleton, 6,000 frames per set (all, if there
are fewer), drawn once. Every bone set to the template length, directions kept; *native* rows keep
the subject's own lengths. Cameras: 1280 x 960 pixels, horizontal field of view U(40, 75) degrees,
root at U(2.5, 7) m, azimuth uniform, elevation N(8, 12) clipped to [-20, 45] degrees, roll N(0, 3)
degrees. The camera's axes are set by azimuth, elevation and roll; the root is then placed on the
ray through N(0, 0.25) of the half width and N(0, 0.1) of the half height. One generator with seed
0 draws, in this order: frames, fields of view, distances, azimuths, elevations, rolls, places,
noise, missing joints.

2D: *exact*; *detector* = Gaussian noise of 1 % of the larger box side on every joint, 2 % on hips
(pelvis, right, left), spine, thorax and head top, and 2 % of joints missing. Focal length:
*known*; or *unknown*, the default camera assumed.

Errors in camera axes, millimetres, relative to the root: the predicted one is subtracted from the
prediction. MPJPE and P-MPJPE are means over all 17 joints. PCK (150 mm) and AUC (31 thresholds)
count the 14 joints that MPI-INF-3DHP counts. Joint angles are those between adjoining bones. The
bones' variation is over the frames of a group: none on template bones, were the answer right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera, look_at_person
from ampose.geometry import rotate
from ampose.metrics import (
    aligned_joint_errors,
    auc,
    bone_length_variation,
    joint_angle_error,
    joint_errors,
    pck,
)
from ampose.research.data.open_mocap import (
    FOLD,
    TEMPLATE_BONES,
    Pack,
    bone_directions,
    load_pack,
    view_rotation,
    with_bone_lengths,
)
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

LiftInputs = Callable[[Array], Array]
"""A lifter on normalised input: `look_at_person` inputs (N, 17, 3) to joints (N, 17, 3) metres."""

FRAMES_PER_SET = 6_000
IMAGE_SIZE = (1280, 960)
PROTOCOL = "open-mocap v1"

SETS: dict[str, tuple[str, str]] = {
    "cmu-val": ("cmu", "val"),
    "cmu-fold": ("cmu", FOLD),
    "cmu-test": ("cmu", "test"),
    "hdm05": ("hdm05", "test"),
}
"""Named sets: file name of the pack and split. ``cmu-fold`` is for choosing, with a lifter that
was not trained on it; what we ship is, once the choice is made."""

_VAGUE = H36M_17.indices(("pelvis", "right_hip", "left_hip", "spine", "thorax", "head_top"))

_COUNTED = [
    joint
    for joint, name in enumerate(H36M_17.joints)
    if name not in ("pelvis", "spine", "neck_nose")
]
"""The 14 joints of MPI-INF-3DHP's tool; neck and head top are by Human3.6M's definition."""


@dataclass(frozen=True)
class EvaluationSet:
    """Poses, cameras and 2D of one set; drawn once from its seed.

    Attributes:
        name: of the set.
        is_test: whether scores on it must be logged.
        joints: bones ("template" or "native") to root-relative joints (N, 17, 3), metres, camera
            axes.
        pixels: (bones, input) to keypoints (N, 17, 2), NaN where missing.
        focal: (N,) true focal lengths in pixels.
        sources, classes: (N,) where each frame comes from and what its clip shows.
    """

    name: str
    is_test: bool
    joints: dict[str, Array]
    pixels: dict[tuple[str, str], Array]
    focal: Array
    sources: NDArray[np.str_]
    classes: NDArray[np.str_]


@dataclass(frozen=True)
class Score:
    """One row of a result, over some frames of a set.

    Attributes:
        set, group, bones, input, focal: which frames, seen how.
        frames: their number.
        mpjpe, p_mpjpe: millimetres.
        angle_error: of the joints, degrees.
        bone_variation: of the predicted bones' lengths, percent.
        pck, auc: percent.
    """

    set: str
    group: str
    bones: str
    input: str
    focal: str
    frames: int
    mpjpe: float
    p_mpjpe: float
    angle_error: float
    bone_variation: float
    pck: float
    auc: float

    def row(self) -> dict[str, str | int | float]:
        """For a file: rounded to one decimal."""
        return {
            name: round(value, 1) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def load_set(name: str, data: Path) -> EvaluationSet:
    """A named set from the folder of packs, or the test split of the pack at a path.

    Raises:
        ValueError: unknown name, or no frame of the split on its own skeleton.
        PackError: the pack cannot be read.
    """
    if name in SETS:
        stem, split = SETS[name]
        return draw_set(load_pack(data / f"{stem}.npz"), split, name=name)
    path = Path(name)
    if path.suffix != ".npz":
        known = ", ".join(SETS)
        raise ValueError(f"unknown set {name!r}; known are {known}, or the path of a pack (.npz)")
    return draw_set(load_pack(path), "test", name=path.stem)


def draw_set(pack: Pack, split: str, *, name: str, seed: int = 0) -> EvaluationSet:
    """Draws frames, cameras and 2D of one set as the module says."""
    # Of the fold also what was retargeted: there the floor is.
    pool = pack.frames(split=split, own_skeleton=split != FOLD)
    if not len(pool):
        raise ValueError(f"{pack.name}: no frame of split {split!r} on its subject's own skeleton")
    rng = np.random.default_rng(seed)
    frames = rng.choice(pool, min(FRAMES_PER_SET, len(pool)), replace=False)
    count = len(frames)
    width, height = IMAGE_SIZE
    focal = width / 2 / np.tan(np.radians(rng.uniform(40, 75, count)) / 2)
    distance = rng.uniform(2.5, 7, count)
    azimuth = rng.uniform(0, 2 * np.pi, count)
    elevation = np.radians(rng.normal(8, 12, count).clip(-20, 45))
    roll = np.radians(rng.normal(0, 3, count))
    place = rng.normal(0, (0.25, 0.1), (count, 2)) * (width / 2, height / 2)
    turn = view_rotation(azimuth, elevation, roll)
    ray = np.concatenate([place / focal[:, None], np.ones((count, 1))], axis=-1)
    root = ray / np.linalg.norm(ray, axis=-1, keepdims=True) * distance[:, None]
    noise = rng.standard_normal((count, len(H36M_17), 2))
    missing = rng.random((count, len(H36M_17))) < 0.02

    native = pack.positions[frames].astype(np.float64)
    template = with_bone_lengths(bone_directions(native), TEMPLATE_BONES)
    joints = {"template": rotate(template, turn), "native": rotate(native, turn)}
    pixels = {}
    for bones, pose in joints.items():
        points = pose + root[:, None]
        exact = points[..., :2] / points[..., 2:] * focal[:, None, None] + (width / 2, height / 2)
        pixels[bones, "exact"] = exact
        pixels[bones, "detector"] = _detector_like(exact, noise, missing)
    clips = pack.clips[frames]
    return EvaluationSet(
        name,
        split == "test",
        joints,
        pixels,
        focal,
        np.char.add(f"{pack.name}/", pack.skeleton[clips]),
        pack.description[clips],
    )


def _detector_like(exact: Array, noise: Array, missing: NDArray[np.bool_]) -> Array:
    side = (exact.max(1) - exact.min(1)).max(-1)
    deviation = np.full(exact.shape[:2], 0.01)
    deviation[:, _VAGUE] = 0.02
    out = exact + noise * (deviation * side[:, None])[..., None]
    out[missing] = np.nan
    return np.asarray(out)


def evaluate(lift: LiftInputs, chosen: EvaluationSet, *, groups: bool = True) -> Iterator[Score]:
    """Scores a lifter on a set: every combination of bones, input and focal length.

    Args:
        lift: the lifter.
        chosen: the set.
        groups: also one row per source and per class.
    """
    for (bones, kind), pixels in chosen.pixels.items():
        for focal in ("known", "unknown"):
            predicted = predict(lift, chosen, pixels, focal=focal)
            target = chosen.joints[bones]
            distances = joint_errors(predicted, target)
            aligned = aligned_joint_errors(predicted, target).mean(-1)
            everything = np.ones(len(target), bool)
            rows = [("all", everything)]
            if groups and bones == "template":
                rows += [(f"source {s}", chosen.sources == s) for s in np.unique(chosen.sources)]
                rows += [(f"class {c}", chosen.classes == c) for c in np.unique(chosen.classes)]
            for group, members in rows:
                yield Score(
                    chosen.name,
                    group,
                    bones,
                    kind,
                    focal,
                    int(members.sum()),
                    float(distances[members].mean()),
                    float(aligned[members].mean()),
                    joint_angle_error(predicted[members], target[members], H36M_17),
                    bone_length_variation(predicted[members], H36M_17),
                    pck(distances[members][:, _COUNTED]),
                    auc(distances[members][:, _COUNTED]),
                )


def predict(lift: LiftInputs, chosen: EvaluationSet, pixels: Array, *, focal: str) -> Array:
    """Lifts a set's pixels (N, 17, 2) to root-relative joints (N, 17, 3) in camera axes."""
    inputs, rotation = network_inputs(chosen, pixels, focal=focal)
    joints = rotate(np.asarray(lift(inputs), np.float64), np.swapaxes(rotation, -1, -2))
    return joints - joints[:, :1]


def network_inputs(chosen: EvaluationSet, pixels: Array, *, focal: str) -> tuple[Array, Array]:
    """A set's pixels (N, 17, 2) as `look_at_person` gives them: inputs and rotation."""
    camera = Camera.assumed(IMAGE_SIZE)
    rays = camera.rays(pixels)
    if focal == "known":
        rays[..., :2] *= (camera.focal[0] / chosen.focal)[:, None, None]
    return look_at_person(rays)
