"""One person's bone lengths: estimated from lifted frames, left as right, scaled to a height.

Bones are those of `H36M_17` in the order of its edges: bone e ends in joint e + 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import bone_vectors, joints_from_bones
from ampose.skeletons import H36M_17, H36M_17_TYPICAL_MM

Array = NDArray[np.floating]

TYPICAL_BONES: Array = np.array(H36M_17_TYPICAL_MM) / 1000
"""(16,) metres: the body around which those that the built-in lifters were trained on vary."""

ANKLE_SHARE = 0.039
"""Height of the ankle above the floor as a share of stature (Drillis and Contini 1966, as printed
in Winter, Biomechanics and Motor Control of Human Movement, figure 4.1)."""

PARENTS, CHILDREN = (np.array(column) for column in zip(*H36M_17.edges, strict=True))
"""(16,) joints in which each bone begins and ends."""

OTHER_SIDE = np.array(H36M_17.mirror)[CHILDREN] - 1
"""(16,) for each bone the same one of the other side, or itself."""

_SPAN = [
    H36M_17.index(joint) - 1
    for joint in ("left_ankle", "left_knee", "spine", "thorax", "neck_nose", "head_top")
]

_LEAST_IN_PLANE = 0.1
"""Least weight of a bone, when it points at the camera: better a guess than no length."""


def same_sides(lengths: Array) -> Array:
    """Bones (..., 16) with left and right each their mean."""
    return np.asarray((lengths + lengths[..., OTHER_SIDE]) / 2)


def stature(lengths: Array) -> float:
    """Body height in metres of somebody with these bones (16,), metres.

    Our definition: shin, thigh, both bones of the trunk, neck and head end to end are the stature
    without the `ANKLE_SHARE` below the ankle. The chain bends, so it is longer than it is high,
    and ``head_top`` lies below the crown; the two are taken to cancel.
    """
    return float(same_sides(lengths)[_SPAN].sum() / (1 - ANKLE_SHARE))


DEFAULT_STATURE = stature(TYPICAL_BONES)
"""Metres (1.69): the size of everybody whose height is not known."""


def scaled_to_height(lengths: Array, metres: float) -> Array:
    """Bones (16,) of the same proportions with a `stature` of so many metres.

    Raises:
        ValueError: the height is not positive.
    """
    if not (np.isfinite(metres) and metres > 0):
        raise ValueError(f"a height must be positive metres, got {metres:g}")
    return np.asarray(lengths * (metres / stature(lengths)))


def unit_bones(joints: Array) -> Array:
    """Directions (..., 16, 3) of the bones of joints (..., 17, 3); NaN where one has no length."""
    bones = bone_vectors(joints.astype(np.float64), H36M_17)
    length = np.linalg.norm(bones, axis=-1, keepdims=True)
    return np.asarray(np.divide(bones, length, where=length > 0, out=np.full_like(bones, np.nan)))


def with_lengths(joints: Array, lengths: Array) -> Array:
    """Joints (..., 17, 3) with their bones' directions and these lengths (16,), root at zero.

    NaN where there were no joints.
    """
    placed = joints_from_bones(unit_bones(joints) * lengths[:, None], H36M_17)
    placed[..., 0, :] = np.where(np.isfinite(joints[..., 0, :]), 0, np.nan)
    return placed


def lifted_lengths(
    joints: Array, root: Array, scores: Array, sigma: Array | None = None
) -> Array | None:
    """One person's bone lengths from all lifted frames.

    The weighted median over the frames, left and right together. A bone counts by the lower score
    of its two joints, by how much of it lies across the ray to the person, along which lengths
    are guesses, and by 1 / variance where the lifter gives one.

    Args:
        joints: (T, 17, 3) metres, root-relative, camera axes; NaN where not lifted.
        root: (T, 3) metres, camera axes.
        scores: (T, 17).
        sigma: (T, 17, 3) metres, or None; NaN where unknown.

    Returns:
        (16,) metres; None if no frame has all bones.
    """
    directions = unit_bones(joints)
    usable = np.isfinite(directions).all((-2, -1)) & (np.nan_to_num(root) != 0).any(-1)
    if not usable.any():
        return None
    length = np.linalg.norm(bone_vectors(joints[usable].astype(np.float64), H36M_17), axis=-1)
    ray = root[usable] / np.linalg.norm(root[usable], axis=-1, keepdims=True)
    along = (directions[usable] * ray[:, None]).sum(-1)
    weight = np.maximum(1 - along**2, _LEAST_IN_PLANE)
    known = np.nan_to_num(scores[usable])
    weight *= np.minimum(known[:, PARENTS], known[:, CHILDREN])
    if sigma is not None:
        variance = np.square(sigma[usable]).sum(-1)
        variance = variance[:, PARENTS] + variance[:, CHILDREN]
        weight /= np.where(np.isfinite(variance) & (variance > 0), variance, 1)
    # A bone that is never seen has its length from guesses, which are all there is.
    weight[:, ~weight.any(0)] = 1
    both = [np.concatenate([each, each[:, OTHER_SIDE]]) for each in (length, weight)]
    return _weighted_median(*both)


def _weighted_median(values: Array, weights: Array) -> Array:
    """Of each column: the smallest value with half of the weight at or below it."""
    order = np.argsort(values, axis=0)
    cumulated = np.cumsum(np.take_along_axis(weights, order, 0), axis=0)
    middle = (cumulated < cumulated[-1] / 2).sum(0)
    return np.asarray(np.take_along_axis(values, order, 0)[middle, np.arange(values.shape[1])])
