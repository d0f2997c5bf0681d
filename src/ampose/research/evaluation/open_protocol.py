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

Windows, for lifters of T frames: the frames around each of the set's in its clip, at 25 frames/s,
seen by the same camera, with the root moving as captured. The middle frame is bit by bit the one
described above. Noise has a correlation of 0.8 from one frame to the next (see
`ampose.research.data.sampling.PERSISTENCE`), missing joints have none; for each pose a generator
of its own draws both from the middle outward, so that lifters of different T see the same. Where
the clip ends, the root leaves the picture or a joint is not deeper than 0.5 m, the last frame
before that is repeated.

Errors in camera axes, millimetres, relative to the root: the predicted one is subtracted from the
prediction. MPJPE and P-MPJPE are means over all 17 joints. PCK (150 mm) and AUC (31 thresholds)
count the 14 joints that MPI-INF-3DHP counts. Joint angles are those between adjoining bones. The
bones' variation is over the frames of a group; on template bones a right answer has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import NormalDist

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
from ampose.research.data.batches import neighbours, repeated
from ampose.research.data.open_mocap import (
    FOLD,
    TEMPLATE_BONES,
    Pack,
    Track,
    bone_directions,
    load_pack,
    view_rotation,
    with_bone_lengths,
)
from ampose.research.data.sampling import lasting
from ampose.research.evaluation.rounded import Rounded
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

LiftInputs = Callable[[Array], Array]
"""A lifter on normalised input: `look_at_person` inputs (N, 17, 3) to joints (N, 17, 3) metres."""

INPUTS = ("exact", "detector")
FOCALS = ("known", "unknown")
FRAMES_PER_SET = 6_000
IMAGE_SIZE = (1280, 960)
MISSING = 0.02
PERSISTENCE = 0.8
NEAREST = 0.5
PROTOCOL = "open-mocap v1"

NEIGHBOURS = 1
"""Part of the seed of a window's other frames, which so differs from that of the set."""

WINDOWS_AT_ONCE = 250

SETS: dict[str, tuple[str, str]] = {
    "cmu-val": ("cmu", "val"),
    "cmu-fold": ("cmu", FOLD),
    "cmu-test": ("cmu", "test"),
    "hdm05": ("hdm05", "test"),
}
"""Named sets: file name of the pack and split. ``cmu-fold`` is for choosing between lifters that
were not trained on it; once the choice is made, what we ship is trained on it too."""

_VAGUE = H36M_17.indices(("pelvis", "right_hip", "left_hip", "spine", "thorax", "head_top"))

_COUNTED = [
    joint
    for joint, name in enumerate(H36M_17.joints)
    if name not in ("pelvis", "spine", "neck_nose")
]
"""The 14 joints of MPI-INF-3DHP's tool; neck and head top are by Human3.6M's definition."""


@dataclass(frozen=True)
class NetworkLifter:
    """A lifter that takes windows, or more than three channels.

    Attributes:
        frames: T, odd.
        lift: `look_at_person` inputs (N, 17, channels), or windows (N, T, 17, channels) of several
            frames, seen as their middle frame's virtual camera does, to joints (N, 17, 3) metres.
        channels: of the inputs.
    """

    frames: int
    lift: LiftInputs
    channels: int = 3

    def __call__(self, inputs: Array) -> Array:
        """Lifts."""
        return self.lift(inputs)

    @classmethod
    def of(cls, lift: LiftInputs) -> NetworkLifter:
        """A lifter as a `NetworkLifter`: plain functions take single frames, three channels."""
        return lift if isinstance(lift, cls) else cls(1, lift)


@dataclass(frozen=True)
class Scene:
    """What windows around a set's frames are made from.

    Attributes:
        pack: where they are.
        frames: (N,) the set's frames in it.
        turn: (N, 3, 3) pack axes to camera axes.
        root: (N, 3) metres, camera axes, in the set's frames.
        noise: (N, 17, 2) of the set's frames, standard deviation 1.
        seed: of the set.
    """

    pack: Pack
    frames: NDArray[np.int64]
    turn: Array
    root: Array
    noise: Array
    seed: int

    @cached_property
    def track(self) -> Track:
        """Which of the pack's poses follow each other."""
        return self.pack.track(np.arange(len(self.pack.positions)))


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
        scene: where `windows` come from.
    """

    name: str
    is_test: bool
    joints: dict[str, Array]
    pixels: dict[tuple[str, str], Array]
    focal: Array
    sources: NDArray[np.str_]
    classes: NDArray[np.str_]
    scene: Scene

    def windows(self, bones: str, kind: str, frames: int, rows: slice) -> Array:
        """Keypoints (n, T, 17, 2) around some of the set's frames, NaN where missing.

        Args:
            bones: "template" or "native".
            kind: "exact" or "detector"; the middle frames are those of `pixels`.
            frames: T, odd.
            rows: of the set's frames; whole sets of long windows are large.

        Raises:
            PackError: the pack does not say where the root is.
        """
        scene = self.scene
        centre, turn = scene.frames[rows], scene.turn[rows]
        around = neighbours(scene.track.starts, centre, frames)
        pose: Array = scene.pack.positions[around].astype(np.float64)
        if bones == "template":
            pose = with_bone_lengths(bone_directions(pose), TEMPLATE_BONES)
        path = scene.track.root[around] - scene.track.root[centre][:, None]
        root = scene.root[rows][:, None] + rotate(path.astype(np.float64), turn)
        points = rotate(pose, turn[:, None]) + root[:, :, None]
        half = np.divide(IMAGE_SIZE, 2) / self.focal[rows][:, None]
        usable = np.arange(frames) - frames // 2 == around - centre[:, None]
        usable &= points[..., 2].min(-1) > NEAREST
        usable &= (np.abs(root[..., :2]) < root[..., 2:] * half[:, None]).all(-1)
        out = _projected(points.clip((-np.inf, -np.inf, NEAREST)), self.focal[rows][:, None])
        if kind == "detector":
            out = detector_like(out, *self._faults(frames, rows))
        out[:, frames // 2] = self.pixels[bones, kind][rows]
        return np.take_along_axis(out, repeated(usable)[..., None, None], axis=1)

    def _faults(self, frames: int, rows: slice) -> tuple[Array, NDArray[np.bool_]]:
        """Noise (n, T, 17, 2) and missing joints (n, T, 17); the set's own noise in the middle."""
        middle, joints = frames // 2, len(H36M_17)
        outward = [middle + side * step for step in range(1, middle + 1) for side in (1, -1)]
        noise = self.scene.noise[rows]
        drawn = np.zeros((len(noise), frames, joints, 3))
        drawn[:, middle, :, :2] = noise
        for window, place in zip(drawn, range(*rows.indices(len(self.focal))), strict=True):
            rng = np.random.default_rng([self.scene.seed, NEIGHBOURS, place])
            window[outward] = rng.standard_normal((len(outward), joints, 3))
        missing = drawn[..., 2] < NormalDist().inv_cdf(MISSING)
        return lasting(drawn[..., :2], PERSISTENCE), missing


@dataclass(frozen=True)
class Score(Rounded):
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
    missing = rng.random((count, len(H36M_17))) < MISSING

    native = pack.positions[frames].astype(np.float64)
    template = with_bone_lengths(bone_directions(native), TEMPLATE_BONES)
    joints = {"template": rotate(template, turn), "native": rotate(native, turn)}
    pixels = {}
    for bones, pose in joints.items():
        exact = _projected(pose + root[:, None], focal)
        pixels[bones, "exact"] = exact
        pixels[bones, "detector"] = detector_like(exact, noise, missing)
    clips = pack.clips[frames]
    return EvaluationSet(
        name,
        split == "test",
        joints,
        pixels,
        focal,
        np.char.add(f"{pack.name}/", pack.skeleton[clips]),
        pack.description[clips],
        Scene(pack, frames, turn, root, noise, seed),
    )


def _projected(points: Array, focal: Array) -> Array:
    """Joints (..., 17, 3) in camera axes to pixels (..., 17, 2); `focal` (...)."""
    centre = np.divide(IMAGE_SIZE, 2)
    return np.asarray(points[..., :2] / points[..., 2:] * focal[..., None, None] + centre)


def detector_like(exact: Array, noise: Array, missing: NDArray[np.bool_]) -> Array:
    """Exact keypoints (..., 17, 2) with the protocol's faults.

    Args:
        exact: pixels.
        noise: (..., 17, 2) of standard deviation 1; it is scaled by the size of the box.
        missing: (..., 17), which joints become NaN.
    """
    side = (exact.max(-2) - exact.min(-2)).max(-1)
    deviation = np.full(exact.shape[:-1], 0.01)
    deviation[..., _VAGUE] = 0.02
    out = exact + noise * (deviation * side[..., None])[..., None]
    out[missing] = np.nan
    return np.asarray(out)


def evaluate(lift: LiftInputs, chosen: EvaluationSet, *, groups: bool = True) -> Iterator[Score]:
    """Scores a lifter on a set: every combination of bones, input and focal length.

    Args:
        lift: the lifter, a `NetworkLifter` if it takes several frames.
        chosen: the set.
        groups: whether to add one row per source and per class.
    """
    for bones, kind in chosen.pixels:
        for focal in FOCALS:
            predicted = predict_set(lift, chosen, bones, kind, focal=focal)
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


def poses_lifted(chosen: EvaluationSet) -> int:
    """How many poses `evaluate` lifts."""
    return len(chosen.pixels) * len(FOCALS) * len(chosen.focal)


def predict_set(
    lift: LiftInputs, chosen: EvaluationSet, bones: str, kind: str, *, focal: str
) -> Array:
    """Lifts a set as the lifter takes it: its frames, or the windows around them.

    Args:
        lift: the lifter, a `NetworkLifter` if it takes several frames.
        chosen: the set.
        bones: "template" or "native".
        kind: of its `EvaluationSet.pixels`, "exact" or "detector".
        focal: "known" or "unknown".

    Returns:
        Root-relative joints (N, 17, 3) in camera axes, metres.
    """
    lift = NetworkLifter.of(lift)
    if lift.frames == 1:
        return predict(lift, chosen, chosen.pixels[bones, kind], focal=focal)
    parts = []
    for start in range(0, len(chosen.focal), WINDOWS_AT_ONCE):
        rows = slice(start, start + WINDOWS_AT_ONCE)
        part = replace(chosen, focal=chosen.focal[rows])
        windows = chosen.windows(bones, kind, lift.frames, rows)
        parts.append(predict(lift, part, windows, focal=focal))
    return np.concatenate(parts)


def predict(lift: LiftInputs, chosen: EvaluationSet, pixels: Array, *, focal: str) -> Array:
    """Lifts a set's pixels (N, 17, 2) to root-relative joints (N, 17, 3) in camera axes.

    Of windows, pixels (N, T, 17, 2) for a `NetworkLifter`, the middle frames are lifted.

    Raises:
        ValueError: windows for a lifter of single frames, or the other way round.
    """
    lift = NetworkLifter.of(lift)
    view = lift.frames // 2 if lift.frames > 1 else None
    if (pixels.ndim == 3) != (view is None):
        takes = "single frames" if view is None else "windows"
        raise ValueError(f"the lifter takes {takes}, got pixels {pixels.shape}")
    inputs, rotation = network_inputs(
        chosen, pixels, focal=focal, view=view, channels=lift.channels
    )
    joints = rotate(np.asarray(lift(inputs), np.float64), np.swapaxes(rotation, -1, -2))
    return joints - joints[:, :1]


def network_inputs(
    chosen: EvaluationSet,
    pixels: Array,
    *,
    focal: str,
    view: int | None = None,
    channels: int = 3,
) -> tuple[Array, Array]:
    """A set's pixels (N, 17, 2) as `look_at_person` gives them: inputs and rotation.

    With `view` they are windows, (N, T, 17, 2), seen as that frame's virtual camera does.
    """
    camera = Camera.assumed(IMAGE_SIZE)
    rays = camera.rays(pixels)
    if focal == "known":
        factor = camera.focal[0] / chosen.focal
        rays[..., :2] *= factor.reshape(-1, *(1 for _ in pixels.shape[1:]))
    return look_at_person(rays, view=view, channels=channels)
