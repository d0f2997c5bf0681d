"""Training samples from open motion: new bodies, new cameras and the faults of a 2D detector.

A batch is made from its own random generator and nothing else, so step k of a run sees the same
poses whether or not the run was interrupted.

A sample is a window of T frames at 25 frames/s around a pose of the pool, T odd, or that pose
alone. All frames of a window share mirror, body, camera (which stands still), the noise's size,
the detector's definition of joints and hidden limbs; limbs come from windows of other motions. The
body moves as captured: with exchanged legs its feet slide, and a little with other bones. A window
ends at the ends of its clip, and where the person leaves the picture or comes too near; beyond,
the last frame is repeated with its faults, as where a tracker loses somebody.

Noise lasts from frame to frame (`lasting`). Outliers, missing joints and swapped sides change from
frame to frame, which is kinder to a temporal lifter than a real detector, whose errors of these
kinds last too.

Axes: a pack's world is x right, y forward, z up; a camera's is x right, y down, z forward.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree

from ampose.cameras import DEFAULT_FOV_DEGREES, look_at_person
from ampose.geometry import random_rotations, rotate, rotation_about
from ampose.research.data.batches import Batch, Plan, neighbours, repeated
from ampose.research.data.open_mocap import (
    TEMPLATE_BONES,
    Track,
    bone_directions,
    view_rotation,
    with_bone_lengths,
)
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

# A bone has the index of its child joint minus one.
_UPPER_BODY = np.arange(6, 16)
_ARMS = np.array([11, 12, 14, 15])
_RIGHT_LEG, _LEFT_LEG = np.array([1, 2]), np.array([4, 5])
_BONE_MIRROR = np.array(H36M_17.mirror[1:]) - 1
_LEFT_BONES = np.array([left for left, _ in H36M_17.pairs]) - 1

_LIMBS = tuple(
    H36M_17.indices(names)
    for names in (
        ("right_hip", "right_knee", "right_ankle"),
        ("left_hip", "left_knee", "left_ankle"),
        ("right_shoulder", "right_elbow", "right_wrist"),
        ("left_shoulder", "left_elbow", "left_wrist"),
    )
)
_LEFT_JOINTS, _RIGHT_JOINTS = (list(side) for side in zip(*H36M_17.pairs, strict=True))
_PELVIS, _THORAX = H36M_17.indices(("pelvis", "thorax"))
_HIDDEN_SETS = (
    ("right_ankle", "left_ankle"),
    ("right_ankle", "left_ankle", "right_knee", "left_knee"),
    ("right_wrist",),
    ("left_wrist",),
    ("right_elbow", "right_wrist"),
    ("left_elbow", "left_wrist"),
    ("right_knee", "right_ankle"),
    ("left_knee", "left_ankle"),
    ("neck_nose", "head_top"),
)
_HIDDEN = np.array([[joint in hidden for joint in H36M_17.joints] for hidden in _HIDDEN_SETS])
_HIP_GROUP = H36M_17.indices(("pelvis", "right_hip", "left_hip"))
_CHEST_GROUP = H36M_17.indices(("thorax", "right_shoulder", "left_shoulder"))
_HEAD_GROUP = H36M_17.indices(("neck_nose", "head_top"))
_VAGUE = H36M_17.indices(("pelvis", "right_hip", "left_hip", "spine", "thorax", "head_top"))
"""Joints whose place a detector knows only roughly; its noise is doubled there."""

NEAREST = 0.5
"""Least depth that every joint must have for a frame to be part of its window, metres."""

PERSISTENCE = 0.8
"""Correlation of 2D noise from one frame to the next, at 25 frames/s. The built-in detector's
errors on Pose2Sim's demo (against triangulation, see ``benchmarks/real_video.py``) have 0.92, and
0.71 about each joint's mean over the 1.7 s."""


@dataclass(frozen=True)
class Augmentation:
    """What varies between training samples. Probabilities are per sample unless said otherwise."""

    crossover_upper: float = 0.5
    crossover_arms: float = 0.5
    crossover_leg: float = 0.3
    """Probability that one leg comes from another pose, for each leg."""
    balanced: float = 0.5
    """Share of poses drawn cluster first, so that rare poses are not rare; the rest uniformly."""
    clusters: int = 512
    free_body: float = 0.1
    """Share of bodies turned to any orientation: lying, inverted."""
    bone_spread: float = 0.06
    """Typical relative spread of bone lengths around the template, left = right, total kept."""
    bone_spread_log: float = 0.0
    """Standard deviation of the logarithm of that spread between samples, whose median it then is;
    with 0 it is half-normal. People, and what tools take for their joints, differ more than that:
    with 0.8 one sample in six spreads more than twice as much."""
    fov_degrees: tuple[float, float] = (35.0, 85.0)
    distance_metres: tuple[float, float] = (1.8, 8.0)
    elevation_degrees: tuple[float, float] = (8.0, 14.0)
    """Mean and standard deviation, clipped to -30 and 55."""
    roll_degrees: float = 4.0
    off_centre: tuple[float, float] = (0.3, 0.15)
    """Spread of the person's place in the image, as a share of the half width and half height."""
    unknown_focal: float = 0.3
    """Share of samples normalised with the default field of view instead of the true one."""
    exact: float = 0.4
    """Share of samples whose 2D is exact."""
    noise: float = 0.01
    """Median standard deviation of the 2D noise, as a share of the larger box side."""
    noise_spread: float = 0.5
    """Standard deviation of the logarithm of that noise between samples."""
    definition_shift: float = 0.05
    """Spread of a common shift of hips, chest and head along the torso, as a share of its length:
    detectors place these joints by another definition than motion capture does."""
    outlier: float = 0.02
    """Probability per joint of six times the noise."""
    swap_limb: float = 0.02
    swap_body: float = 0.005
    miss_joint: float = 0.02
    """Probability per joint that it is missing."""
    miss_limb: float = 0.1
    """Probability that a part of the body is hidden."""
    whole: float = 0.5
    """Share of samples in which no joint may be missing."""


class PoseSampler:
    """Draws training batches from a pool of poses.

    Args:
        positions: (N, 17, 3) root-relative poses in pack axes.
        augmentation: what varies.
        frames: T, odd: of a window.
        track: how the poses follow each other; None if each stands alone, so that its window
            repeats it.
        channels: of the inputs, see `look_at_person`.
    """

    def __init__(
        self,
        positions: Array,
        augmentation: Augmentation,
        *,
        frames: int = 1,
        track: Track | None = None,
        channels: int = 3,
    ) -> None:
        self.augmentation = augmentation
        self._channels = channels
        self.frames = frames
        # Windows are large, and this is enough; single poses stay the numbers that runs have seen.
        self._real: type[np.float32 | np.float64] = np.float64 if frames == 1 else np.float32
        self._directions = bone_directions(positions).astype(np.float32)
        self._track = track or Track.none(len(positions))
        self._weights = _balanced_weights(self._directions, augmentation)

    @property
    def poses(self) -> int:
        """Poses in the pool."""
        return len(self._directions)

    def step(self, plan: Plan, seed: int, step: int) -> Batch:
        """The batch of a step: 17 joints, channels as `look_at_person` gives them."""
        return self.batch(len(plan.samples(step)), np.random.default_rng([seed, step]))

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """One batch; the generator decides everything.

        Inputs as the virtual camera of the middle frame sees them, targets in its axes.
        """
        bodies, path, usable = self._bodies(size, rng)
        lengths: Array = self._bone_lengths(size, rng).astype(self._real)
        joints = with_bone_lengths(bodies, lengths[:, None])
        pose, rays, in_view, known_to_assumed = self._views(joints.astype(np.float32), path, rng)
        rays = self._detect(rays, rng)
        rays = rays[np.arange(size)[:, None], repeated(usable & in_view)]
        rays[..., :2] *= known_to_assumed[:, None, None, None]
        middle = self.frames // 2
        inputs, rotation = look_at_person(rays, view=middle, channels=self._channels)
        return Batch(inputs, rotate(pose[:, middle], rotation.astype(np.float32)))

    def _draw(self, size: int, rng: np.random.Generator) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Windows around poses of the pool, half of them mirrored.

        Returns:
            bone directions (B, T, 16, 3), the root's path from the middle frame (B, T, 3) metres,
            and whether a frame is itself, not repeated at the end of a clip, (B, T).
        """
        frames = rng.choice(len(self._directions), size, p=self._weights)
        around = neighbours(self._track.starts, frames, self.frames)
        directions = self._directions[around]
        path = self._track.root[around] - self._track.root[frames][:, None]
        mirrored = rng.random(size) < 0.5
        across = np.array([-1, 1, 1], np.float32)
        directions[mirrored] = directions[mirrored][:, :, _BONE_MIRROR] * across
        path[mirrored] *= across
        itself = np.arange(self.frames) - self.frames // 2 == around - frames[:, None]
        return directions, path, itself

    def _bodies(
        self, size: int, rng: np.random.Generator
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Windows as drawn, with limbs exchanged between motions, some turned over."""
        options = self.augmentation
        body, path, itself = self._draw(size, rng)
        for bones, frame, probability in (
            (_UPPER_BODY, _pelvis_frame, options.crossover_upper),
            (_ARMS, _chest_frame, options.crossover_arms),
            (_LEFT_LEG, _pelvis_frame, options.crossover_leg),
            (_RIGHT_LEG, _pelvis_frame, options.crossover_leg),
        ):
            taken = np.flatnonzero(rng.random(size) < probability)
            donor, _, whole = self._draw(len(taken), rng)
            turn = frame(body[taken]) @ np.swapaxes(frame(donor), -1, -2)
            body[taken[:, None, None], np.arange(self.frames)[:, None], bones] = rotate(
                donor[..., bones, :], turn
            )
            itself[taken] &= whole
        turned = np.flatnonzero(rng.random(size) < options.free_body)
        over = random_rotations(len(turned), rng)
        body[turned] = rotate(body[turned], over[:, None])
        path[turned] = rotate(path[turned], over)
        return body, path, itself

    def _bone_lengths(self, size: int, rng: np.random.Generator) -> Array:
        """Template lengths (B, 16) with random proportions, left = right, total length kept.

        A single image does not show how tall a person is, so the total must not vary: it would
        only add an error that no lifter can avoid.
        """
        typical, log = self.augmentation.bone_spread, self.augmentation.bone_spread_log
        if log:
            spread = typical * np.exp(rng.normal(0, log, (size, 1)))
        else:
            spread = np.abs(rng.normal(0, typical, (size, 1)))
        factor = 1 + (spread * rng.standard_normal((size, 16))).clip(-0.3, 0.3)
        factor[:, _LEFT_BONES] = factor[:, _BONE_MIRROR[_LEFT_BONES]]
        lengths = TEMPLATE_BONES * factor
        return np.asarray(lengths * (TEMPLATE_BONES.sum() / lengths.sum(-1, keepdims=True)))

    def _views(
        self, joints: Array, path: Array, rng: np.random.Generator
    ) -> tuple[Array, Array, NDArray[np.bool_], Array]:
        """What cameras that stand still see of people who move.

        Returns:
            root-relative poses in camera axes and exact rays, (B, T, 17, 3); whether the person is
            in the picture and not too near, (B, T); and the factor to the assumed camera, (B,).
        """
        options, size = self.augmentation, len(joints)
        mean, deviation = options.elevation_degrees
        elevation = rng.normal(mean, deviation, size).clip(-30, 55)
        roll = rng.normal(0, options.roll_degrees, size)
        azimuth = rng.uniform(0, 2 * np.pi, size)
        turn = view_rotation(azimuth, np.radians(elevation), np.radians(roll))
        pose = rotate(joints, turn[:, None].astype(np.float32))
        long_side = np.tan(np.radians(rng.uniform(*options.fov_degrees, size) / 2))
        short_side = long_side * rng.uniform(9 / 16, 1, size)
        portrait = rng.random(size) < 0.5
        half = np.stack(
            [np.where(portrait, short_side, long_side), np.where(portrait, long_side, short_side)],
            axis=-1,
        )
        place = (rng.standard_normal((size, 2)) * options.off_centre).clip(-0.9, 0.9) * half
        ray = np.concatenate([place, np.ones((size, 1))], axis=-1)
        ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
        root = ray * rng.uniform(*options.distance_metres, (size, 1))
        course: Array = (root[:, None] + rotate(path, turn)).astype(self._real)
        points = pose + course[:, :, None]
        in_view = points[..., 2].min(-1) > NEAREST
        in_view &= (np.abs(course[..., :2]) < course[..., 2:] * half[:, None]).all(-1)
        rays = points / points[..., 2:].clip(0.1)
        assumed = np.tan(np.radians(DEFAULT_FOV_DEGREES / 2))
        unknown = rng.random(size) < options.unknown_focal
        return pose, rays, in_view, np.where(unknown, assumed / long_side, 1)

    def _detect(self, rays: Array, rng: np.random.Generator) -> Array:
        """The rays as a fallible detector would give them: moved, swapped, NaN where missing."""
        options, size, real = self.augmentation, len(rays), self._real
        xy = rays[..., :2]
        side = np.maximum(np.ptp(xy[..., 0], axis=-1), np.ptp(xy[..., 1], axis=-1))
        noisy = rng.random(size) >= options.exact
        level = options.noise * np.exp(rng.normal(0, options.noise_spread, size))
        deviation = level[:, None] * side * noisy[:, None]
        deviation = np.repeat(deviation[..., None].astype(real), len(H36M_17), axis=-1)
        deviation[..., _VAGUE] *= 2
        deviation[rng.random(deviation.shape, real) < options.outlier] *= 6
        shift = np.zeros((size, len(H36M_17)), real)
        for group in (_HIP_GROUP, _CHEST_GROUP, _HEAD_GROUP):
            shift[:, group] = rng.normal(0, options.definition_shift, (size, 1))
        torso = xy[..., [_THORAX], :] - xy[..., [_PELVIS], :]
        shift *= (noisy & (rng.random(size) < 0.5))[:, None]
        noise = lasting(rng.standard_normal(xy.shape, real), PERSISTENCE)
        out = rays.copy()
        out[..., :2] += shift[:, None, :, None] * torso
        out[..., :2] += noise * deviation[..., None]
        frames = out.reshape(-1, *out.shape[2:])  # the same numbers
        for pair, probability in (
            (_LIMBS[:2], options.swap_limb),
            (_LIMBS[2:], options.swap_limb),
            ((_LEFT_JOINTS, _RIGHT_JOINTS), options.swap_body),
        ):
            swaps = noisy[:, None] & (rng.random(out.shape[:2]) < probability)
            swapped = np.flatnonzero(swaps)[:, None]
            first, second = frames[swapped, pair[0]], frames[swapped, pair[1]]
            frames[swapped, pair[0]], frames[swapped, pair[1]] = second, first
        missing = rng.random(out.shape[:3], real) < options.miss_joint
        hidden = _HIDDEN[rng.integers(len(_HIDDEN), size=size)]
        hidden &= (rng.random(size) < options.miss_limb)[:, None]
        missing |= hidden[:, None]
        missing &= (rng.random(size) >= options.whole)[:, None, None]
        out[missing] = np.nan
        return out


def lasting(noise: Array, persistence: float) -> Array:
    """Independent standard normal noise (B, T, ...) made to last from frame to frame.

    A first-order autoregressive process from the middle frame outward: the middle frame's noise is
    as given, every frame's has standard deviation 1, and that of neighbours correlates as asked.
    """
    out = noise.copy()
    middle = noise.shape[1] // 2
    new = math.sqrt(1 - persistence**2)
    for step in range(1, middle + 1):
        for side in (-1, 1):
            frame = middle + side * step
            out[:, frame] = persistence * out[:, frame - side] + new * noise[:, frame]
    return out


def _frame(across: Array, up: Array) -> Array:
    """Right-handed frames (..., 3, 3) in columns: across, up made orthogonal, forward."""
    x = across / np.linalg.norm(across, axis=-1, keepdims=True)
    y = up - (up * x).sum(-1, keepdims=True) * x
    y /= np.linalg.norm(y, axis=-1, keepdims=True).clip(1e-6)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _pelvis_frame(directions: Array) -> Array:
    return _frame(directions[..., 3, :] - directions[..., 0, :], directions[..., 6, :])


def _chest_frame(directions: Array) -> Array:
    return _frame(directions[..., 10, :] - directions[..., 13, :], directions[..., 7, :])


def _balanced_weights(directions: Array, options: Augmentation) -> Array:
    """Probability of each pose: part uniform, part "draw a cluster, then a pose of it".

    Clusters are k-means cells of the template poses turned to one heading, fitted on a subset.
    """
    pose = with_bone_lengths(directions, TEMPLATE_BONES)
    heading = pose[:, 4] - pose[:, 1]
    yaw = -np.arctan2(heading[:, 1], heading[:, 0])
    features = rotate(pose, rotation_about(2, yaw)).reshape(len(pose), -1)
    rng = np.random.default_rng(0)
    subset = features[rng.permutation(len(features))[:20_000]]
    count = min(options.clusters, len(subset))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        centres, _ = kmeans2(subset, count, iter=10, minit="points", rng=rng)
    _, cell = cKDTree(centres).query(features)
    sizes = np.bincount(cell, minlength=len(centres))
    balanced = 1 / sizes[cell] / np.count_nonzero(sizes)
    weights = options.balanced * balanced + (1 - options.balanced) / len(features)
    return np.asarray(weights / weights.sum())
