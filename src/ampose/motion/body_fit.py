"""Poses with constant bone lengths, between what was lifted and what was seen; and the lengths.

Unknown are the root and the bones' directions of every frame and, for `fitted_lengths`, ten
lengths that all frames share. A few Gauss-Newton steps minimise, in standard deviations,

* how far each joint projects from its keypoint (Huber's loss: outliers pull less),
* how far each direction turns from the lifted one, and
* how far the logarithm of each length moves from where it started.

Frames do not depend on each other given the lengths, so all are solved side by side, and their
part of the lengths' equations is the Schur complement. The pose along the viewing ray comes from
the lifter; but a length that differs from what the lifter takes for granted shows wherever a bone
lies across the ray, and moves the others of the clip out of the picture plane.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import joints_from_bones, rotation_to_forward
from ampose.lifting.root import MIN_DEPTH_METRES, estimate_root
from ampose.motion.bones import CHILDREN, OTHER_SIDE, PARENTS, same_sides, unit_bones, with_lengths
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

KEYPOINT_SIGMA = 0.03
"""Standard deviation of a keypoint of score 1, metres at the person: about 2 % of a body, as our
detector was measured on real video."""

VAGUE = H36M_17.indices(("pelvis", "left_hip", "right_hip", "spine", "thorax", "head_top"))
VAGUE_FACTOR = 1.5
"""Joints inside the body, or without a mark on the skin, are seen less exactly by this factor."""

ACROSS_SIGMA, ALONG_SIGMA = 0.10, 0.15
"""Standard deviations of a lifted bone's direction, radians: of its parts across the ray and along
it. Tuned on cmu-val, as the constants below."""

LENGTH_SIGMA = 0.15
"""Standard deviation of the logarithm of a length around where it starts."""

INDEPENDENT_SECONDS = 0.2
"""Errors of frames nearer in time than this are alike: together they count as one frame."""

HUBER = 2.0
"""Standard deviations beyond which a keypoint's pull no longer grows."""

FIT_STEPS, LENGTH_STEPS = 4, 8

_LARGEST_TURN = 0.5
"""Radians by which a bone may turn in one step: the linear model does not hold beyond."""

_SMALLEST_SIGMA, _LARGEST_SIGMA = 0.03, 0.5
"""Radians within which the deviation that a lifter's sigma gives a direction is kept."""

_FRAMES_AT_ONCE = 500
"""Solved side by side; more would only need more memory (a frame takes 20 kB)."""

_BONES = len(PARENTS)
_LOCAL = 3 + 2 * _BONES
"""Unknowns of a frame: its root, and two turns of each bone."""

_SHARED = np.unique(np.minimum(np.arange(_BONES), OTHER_SIDE))
_TO_BONES = (np.minimum(np.arange(_BONES), OTHER_SIDE)[:, None] == _SHARED).astype(float)
"""(16, 10) from the lengths that both sides share to all."""


def _chains() -> Array:
    """(17, 16) 1 where a bone lies between the root and a joint."""
    chains = np.zeros((len(H36M_17), _BONES))
    for bone, (parent, child) in enumerate(H36M_17.edges):
        chains[child] = chains[parent]
        chains[child, bone] = 1
    return chains


_CHAINS = _chains()


@dataclass(frozen=True, eq=False)
class BodyFit:
    """Poses whose bones all have the same lengths.

    Attributes:
        joints: (T, 17, 3) metres, root-relative, camera axes; NaN where nothing was lifted.
        root: (T, 3) metres, camera axes; NaN also where no place in front of the camera fits.
            There the joints keep the lifted directions.
    """

    joints: Array
    root: Array


def fit_to_bones(
    joints: Array, rays: Array, scores: Array, lengths: Array, *, sigma: Array | None = None
) -> BodyFit:
    """Poses with exactly these bone lengths, near the lifted directions and the keypoints.

    Args:
        joints: (T, 17, 3) metres, root-relative, camera axes, of any size; NaN where not lifted.
        rays: (T, 17, 3) with z = 1, `Camera.rays` of the keypoints; NaN where not seen. A joint
            not seen keeps its lifted direction: a guess.
        scores: (T, 17), 0 to 1.
        lengths: (16,) metres.
        sigma: (T, 17, 3) metres, standard deviations of `joints`; None, or NaN where unknown.
    """
    poses = with_lengths(joints, lengths)
    root = np.full((len(joints), 3), np.nan)
    for first in range(0, len(joints), _FRAMES_AT_ONCE):
        part = slice(first, first + _FRAMES_AT_ONCE)
        frames = _Frames.of(
            joints[part], rays[part], scores[part], lengths, None if sigma is None else sigma[part]
        )
        for _ in range(FIT_STEPS if len(frames.index) else 0):
            normal, right, _ = frames.equations(lengths)
            frames.move(np.linalg.solve(normal, right[..., None])[..., 0])
        poses[first + frames.index] = joints_from_bones(
            frames.directions * lengths[:, None], H36M_17
        )
        root[first + frames.index] = frames.root
    return BodyFit(poses, root)


def fitted_lengths(
    joints: Array,
    rays: Array,
    scores: Array,
    times: Array,
    lengths: Array,
    *,
    sigma: Array | None = None,
) -> Array:
    """One person's bone lengths from all frames together, left as right.

    Only proportions are seen, so the sum of the lengths is kept.

    Args:
        joints: as for `fit_to_bones`; a few hundred frames are enough.
        rays: as there.
        scores: as there.
        times: (T,) seconds.
        lengths: (16,) metres, where to start.
        sigma: as there.
    """
    start = same_sides(lengths)
    frames = _Frames.of(joints, rays, scores, start, sigma)
    if not len(frames.index):
        return start
    moments = len(np.unique(np.floor(times[frames.index] / INDEPENDENT_SECONDS)))
    share = min(1.0, moments / len(frames.index))
    change = np.zeros(len(_SHARED))
    for _ in range(LENGTH_STEPS):
        now = start * np.exp(_TO_BONES @ change)
        normal, right, system = frames.equations(now)
        by_length = system.by_length(now)
        mixed = system.transposed @ by_length
        solved = np.linalg.solve(normal, np.concatenate([mixed, right[..., None]], axis=-1))
        across = np.swapaxes(by_length, -1, -2)
        schur = across @ by_length - np.swapaxes(mixed, -1, -2) @ solved[..., :-1]
        rest = across @ system.misses[..., None] - np.swapaxes(mixed, -1, -2) @ solved[..., -1:]
        prior = 1 / LENGTH_SIGMA**2
        step = np.linalg.solve(
            share * schur.sum(0) + prior * np.eye(len(change)),
            share * rest.sum(0)[:, 0] - prior * change,
        )
        frames.move(solved[..., -1] - solved[..., :-1] @ step)
        change += step
    fitted = start * np.exp(_TO_BONES @ change)
    return np.asarray(fitted * (start.sum() / fitted.sum()))


@dataclass(eq=False)
class _System:
    """Linearised reprojection of T frames, in standard deviations.

    Attributes:
        projection: (T, 17, 2, 3) change of a joint's place in the picture with that in space.
        local: (T, 34, 35) the same with a frame's own unknowns.
        misses: (T, 34) from the projected joints to the keypoints.
        directions: (T, 16, 3).
    """

    projection: Array
    local: Array
    misses: Array
    directions: Array

    @property
    def transposed(self) -> Array:
        """(T, 35, 34)."""
        return np.swapaxes(self.local, -1, -2)

    def by_length(self, lengths: Array) -> Array:
        """(T, 34, 10) change with the logarithms of the shared lengths."""
        bones = self.directions * lengths[:, None]
        along = np.einsum("tjak,tek->tjae", self.projection, bones) * _CHAINS[:, None]
        return np.asarray((along @ _TO_BONES).reshape(*self.misses.shape, -1))


@dataclass(eq=False)
class _Frames:
    """What is known of some frames, and how far their fit has come.

    Attributes:
        index: (T,) which of the frames given can be fitted.
        rays: (T, 17, 2), 0 where not seen.
        weight: (T, 17) 1 / standard deviation of a keypoint in the picture at distance 1.
        lifted: (T, 16, 3) directions.
        precision: (T, 16, 3, 3) of these.
        directions, root: (T, 16, 3) and (T, 3), as fitted so far.
    """

    index: NDArray[np.int64]
    rays: Array
    weight: Array
    lifted: Array
    precision: Array
    directions: Array
    root: Array

    @classmethod
    def of(
        cls, joints: Array, rays: Array, scores: Array, lengths: Array, sigma: Array | None
    ) -> _Frames:
        poses = with_lengths(joints, lengths)
        root = estimate_root(poses, rays, scores)
        index = np.flatnonzero(np.isfinite(root).all(-1) & np.isfinite(poses).all((-2, -1)))
        root, lifted = root[index], unit_bones(joints[index])
        seen = np.asarray(np.isfinite(rays[index]).all(-1))
        deviation = np.full(len(H36M_17), KEYPOINT_SIGMA)
        deviation[VAGUE] *= VAGUE_FACTOR
        weight = np.where(seen, np.sqrt(np.nan_to_num(scores[index])), 0) / deviation
        return cls(
            index,
            np.where(seen[..., None], rays[index], 0)[..., :2].astype(np.float64),
            weight * root[:, 2:],
            lifted,
            _precision(root, lengths, None if sigma is None else sigma[index]),
            lifted.copy(),
            root.copy(),
        )

    def equations(self, lengths: Array) -> tuple[Array, Array, _System]:
        """Normal matrices (T, 35, 35) and right sides (T, 35) of the next step."""
        count = len(self.index)
        bones = self.directions * lengths[:, None]
        places = joints_from_bones(bones, H36M_17) + self.root[:, None]
        x, y, z = np.moveaxis(places, -1, 0)
        z = np.maximum(z, MIN_DEPTH_METRES)
        miss = self.rays - np.stack([x, y], axis=-1) / z[..., None]
        far = np.linalg.norm(miss, axis=-1) * self.weight
        weight = self.weight * np.sqrt(HUBER / np.maximum(far, HUBER))
        projection = np.zeros((count, len(H36M_17), 2, 3))
        projection[..., 0, 0] = projection[..., 1, 1] = weight / z
        projection[..., 0, 2] = -weight * x / z**2
        projection[..., 1, 2] = -weight * y / z**2
        turns = _turns(self.directions)
        local = np.empty((count, len(H36M_17), 2, _LOCAL))
        local[..., :3] = projection
        moved = np.einsum("tjak,tebk->tjaeb", projection, turns * lengths[:, None, None])
        local[..., 3:] = (moved * _CHAINS[:, None, :, None]).reshape(*local.shape[:3], -1)
        misses = (miss * weight[..., None]).reshape(count, -1)
        system = _System(projection, local.reshape(count, -1, _LOCAL), misses, self.directions)
        normal = system.transposed @ system.local
        right = (system.transposed @ misses[..., None])[..., 0]
        held = turns @ self.precision
        for bone in range(_BONES):
            own = slice(3 + 2 * bone, 5 + 2 * bone)
            normal[:, own, own] += held[:, bone] @ np.swapaxes(turns[:, bone], -1, -2)
        off = self.lifted - self.directions
        right[:, 3:] += (held @ off[..., None]).reshape(count, -1)
        # Where too few joints are seen to place the root, it stays.
        diagonal = np.arange(3)
        normal[:, diagonal, diagonal] += 1e-6
        return normal, right, system

    def move(self, step: Array) -> None:
        """Takes a step (T, 35)."""
        self.root = self.root + step[:, :3]
        turn = step[:, 3:].reshape(-1, _BONES, 2)
        size = np.linalg.norm(turn, axis=-1, keepdims=True)
        turn = turn * (_LARGEST_TURN / np.maximum(size, _LARGEST_TURN))
        moved = self.directions + (turn[..., None] * _turns(self.directions)).sum(-2)
        self.directions = moved / np.linalg.norm(moved, axis=-1, keepdims=True)


def _turns(directions: Array) -> Array:
    """(..., 2, 3) two unit vectors at right angles to each direction (..., 3) and each other."""
    return rotation_to_forward(directions)[..., :2, :]


def _precision(root: Array, lengths: Array, sigma: Array | None) -> Array:
    """(T, 16, 3, 3) inverse covariance of the lifted directions."""
    ray = root / np.linalg.norm(root, axis=-1, keepdims=True)
    across, along = 1 / ACROSS_SIGMA**2, 1 / ALONG_SIGMA**2
    usual = across * np.eye(3) + (along - across) * ray[:, :, None] * ray[:, None]
    precision = np.repeat(usual[:, None], _BONES, axis=1)
    if sigma is not None:
        variance = np.square(sigma.astype(np.float64))
        deviation = np.sqrt(variance[:, PARENTS] + variance[:, CHILDREN]) / lengths[:, None]
        known = np.isfinite(deviation).all(-1)
        limited = np.clip(deviation[known], _SMALLEST_SIGMA, _LARGEST_SIGMA)
        precision[known] = np.eye(3) / limited[:, None] ** 2
    return precision
