"""Where a person is over time, in camera space: the path of the root.

The picture shows the direction to a person well and the distance badly: it follows from how large
a body of assumed size is seen with an assumed focal length, and jumps with every keypoint. So the
distance is steadied over time and the direction is not: the person stays on the viewing ray.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_smoothing_spline

from ampose.lifting.root import MIN_DEPTH_METRES, estimate_root
from ampose.motion.body_fit import KEYPOINT_SIGMA, VAGUE, VAGUE_FACTOR
from ampose.motion.stretches import LONGEST_STEP

Array = NDArray[np.floating]

DISTANCE_CUTOFF_HZ = 1.0
"""Changes of distance this fast are halved, slower ones kept. Tuned on cmu-val."""

OUTLIER_SIGMAS = 2.0
"""Standard deviations at which a keypoint counts half."""

_FIT_ROUNDS = 5
_PATH_ROUNDS = 3
_SHORTEST_PATH = 5
"""Frames that the smoothing spline needs; shorter paths stay as they are."""

_GAUSS_MAD = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""


def root_path(
    joints: Array,
    rays: Array,
    scores: Array,
    times: Array,
    *,
    cutoff: float | None = DISTANCE_CUTOFF_HZ,
) -> Array:
    """The root of one person in every frame, metres, camera axes: an estimate.

    Each frame's is the place from which the joints project nearest to their keypoints, outliers
    counting less; then the distance is smoothed over the clip, without lag.

    Args:
        joints: (T, 17, 3) metres, root-relative, camera axes, preferably of constant bone
            lengths; NaN where there are none.
        rays: (T, 17, 3) with z = 1, `Camera.rays` of the keypoints; NaN where not seen.
        scores: (T, 17), 0 to 1.
        times: (T,) seconds, rising, in any spacing.
        cutoff: hertz; None leaves the distance of every frame as it is.

    Returns:
        (T, 3); NaN where nothing was lifted or no place in front of the camera fits.
    """
    root, weight = _placed(joints, rays, scores)
    good = np.flatnonzero(np.isfinite(root).all(-1))
    if cutoff is None or len(good) < _SHORTEST_PATH or not (np.diff(times[good]) > 0).all():
        return root
    distance = np.linalg.norm(root[good], axis=-1)
    steady = np.exp(_smoothed(np.log(distance), times[good], cutoff))
    # The ray to the root from the frame's own fit; its depth from the path.
    depth = root[good, 2] * (steady / distance)
    root[good] = _at_depth(depth, joints[good], rays[good], weight[good])
    return root


def _placed(joints: Array, rays: Array, scores: Array) -> tuple[Array, Array]:
    """(T, 3) root of every frame by itself, and the keypoints' (T, 17) robust weights."""
    seen = np.isfinite(rays).all(-1)
    deviation = np.full(rays.shape[-2], KEYPOINT_SIGMA)
    deviation[VAGUE] *= VAGUE_FACTOR
    plain = np.where(seen, np.nan_to_num(scores), 0) * (KEYPOINT_SIGMA / deviation) ** 2
    weight = plain
    root = estimate_root(joints, rays, weight)
    for _ in range(_FIT_ROUNDS):
        places = joints + root[:, None]
        depth = np.maximum(places[..., 2:], MIN_DEPTH_METRES)
        miss = np.linalg.norm(places[..., :2] - rays[..., :2] * depth, axis=-1)
        weight = plain / (1 + (np.nan_to_num(miss) / (OUTLIER_SIGMAS * deviation)) ** 2)
        fitted = estimate_root(joints, rays, weight)
        root = np.where(np.isfinite(fitted), fitted, root)
    return root, weight


def _at_depth(depth: Array, joints: Array, rays: Array, weight: Array) -> Array:
    """(T, 3) the root at a given depth (T,) from which the joints project best."""
    seen = (weight > 0)[..., None]
    z = depth[:, None, None] + joints[..., 2:]
    aside = np.where(seen, rays[..., :2] * z - joints[..., :2], 0)
    middle = (weight[..., None] * aside).sum(-2) / weight.sum(-1)[:, None]
    return np.concatenate([middle, depth[:, None]], axis=-1)


def _smoothed(values: Array, times: Array, cutoff: float) -> Array:
    """Values (T,) at rising times (T,), oscillations above `cutoff` hertz damped; robust.

    A smoothing spline: the sum of squared misses times the seconds that a frame stands for, plus
    lambda times the integral of the squared second derivative, which halves an oscillation of
    angular frequency lambda ** (-1/4).
    """
    penalty = (2 * np.pi * cutoff) ** -4
    # However long nobody was seen before it.
    stands_for = np.minimum(np.gradient(times), LONGEST_STEP)
    weight = stands_for
    for _ in range(_PATH_ROUNDS):
        smooth = make_smoothing_spline(times, values, weight, lam=penalty)(times)
        miss = np.abs(values - smooth)
        spread = _GAUSS_MAD * np.median(miss)
        if not spread > 0:
            break
        weight = stands_for / (1 + (miss / (OUTLIER_SIGMAS * spread)) ** 2)
    return np.asarray(smooth)
