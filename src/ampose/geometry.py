"""Rotations, similarity alignment and bone vectors, on NumPy arrays.

Rotation matrices act on column vectors: ``y = R @ x``; on arrays of row vectors ``(..., J, 3)``
that is ``x @ R.T``, which `rotate` does. Angles are radians.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ampose.skeletons import Skeleton

Array = NDArray[np.floating]


def rotation_about(axis: int, angle: ArrayLike) -> Array:
    """Right-handed rotation matrices (..., 3, 3) about coordinate axis 0, 1 or 2."""
    angle = np.asarray(angle)
    if not np.issubdtype(angle.dtype, np.floating):
        angle = angle.astype(np.float64)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.zeros((*angle.shape, 3, 3), angle.dtype)
    cos, sin = np.cos(angle), np.sin(angle)
    out[..., axis, axis] = 1
    out[..., i, i] = out[..., j, j] = cos
    out[..., j, i] = sin
    out[..., i, j] = -sin
    return out


def rotation_to_forward(direction: Array) -> Array:
    """The smallest rotations (..., 3, 3) that turn `direction` (..., 3) onto the z axis.

    A direction opposite to z has no smallest rotation; it gets a half turn about x.
    """
    unit = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    x, y, z = unit[..., 0], unit[..., 1], unit[..., 2]
    # Rodrigues' formula for the axis unit x z: (y, -x, 0) has length sin, and z is cos.
    sin2 = x * x + y * y
    behind = (z < 0) & (sin2 < 1e-30)
    # k = 1 / (1 + z); for z near -1 that sum cancels, and (1 - z) / sin2 is the same number.
    k = np.where(z < 0, (1 - z) / np.maximum(sin2, 1e-30), 1 / (1 + np.maximum(z, 0)))
    out = np.empty((*z.shape, 3, 3), unit.dtype)
    out[..., 0, 0] = 1 - k * x * x
    out[..., 0, 1] = out[..., 1, 0] = -k * x * y
    out[..., 1, 1] = 1 - k * y * y
    out[..., 0, 2], out[..., 1, 2] = -x, -y
    out[..., 2, 0], out[..., 2, 1] = x, y
    out[..., 2, 2] = z
    out[behind] = np.diag([1.0, -1.0, -1.0])
    return out


def smallest_rotation(start: Array, end: Array) -> Array:
    """The smallest rotations (..., 3, 3) that turn unit vectors `start` onto `end`, both (..., 3).

    A half turn about `start`, then one about the middle of the two: together a turn in their
    plane by the angle between them. Opposite vectors have no smallest rotation; they get a half
    turn about some axis across them.
    """
    start, end = np.broadcast_arrays(start, end)
    middle = start + end
    length = np.linalg.norm(middle, axis=-1, keepdims=True)
    axis = np.eye(3)[np.abs(start).argmin(-1)]
    across = np.cross(start, axis)
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    middle = np.where(length > 1e-9, middle / np.maximum(length, 1e-9), across)
    return _half_turn(middle) @ _half_turn(start)


def _half_turn(axis: Array) -> Array:
    """Rotations (..., 3, 3) by 180 degrees about unit vectors (..., 3)."""
    return np.asarray(2 * axis[..., :, None] * axis[..., None, :] - np.eye(3))


def rotate(points: Array, rotation: Array) -> Array:
    """Rotates row vectors: `points` (..., J, 3) by `rotation` (..., 3, 3)."""
    return points @ np.swapaxes(rotation, -1, -2)


def rotate_deviations(sigma: Array, rotation: Array) -> Array:
    """Standard deviations along axes that are turned: (..., J, 3) by `rotation` (..., 3, 3).

    Errors along the old axes are taken as independent; what the turn correlates is not kept.
    """
    return np.asarray(np.sqrt(rotate(np.square(sigma), np.square(rotation))))


def angle_between(first: Array, second: Array) -> Array:
    """Angles (...) of 0 to pi between vectors (..., 3); NaN where one has no length."""
    # Not the arc cosine, which is inaccurate where vectors are parallel.
    across = np.linalg.norm(np.cross(first, second), axis=-1)
    along = (first * second).sum(-1)
    known = first.any(-1) & second.any(-1)
    return np.asarray(np.where(known, np.arctan2(across, along), np.nan))


def random_rotations(count: int, rng: np.random.Generator) -> Array:
    """Rotation matrices (count, 3, 3), uniform over all orientations (unit quaternions)."""
    quaternion = rng.standard_normal((count, 4))
    quaternion /= np.linalg.norm(quaternion, axis=-1, keepdims=True)
    w, x, y, z = quaternion.T
    return np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], -1),
            np.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], -1),
            np.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], -1),
        ],
        axis=-2,
    )


def similarity_align(source: Array, target: Array, *, scale: bool = True) -> Array:
    """Moves each `source` (..., J, 3) onto `target` by the best rotation, shift and scale.

    Least squares over the J points; rotations are proper (a reflection is never used). With
    ``scale=False`` the size is kept. Source: Umeyama, TPAMI 1991, equations 40 to 42.

    Raises:
        ValueError: if a `source` or a `target` collapses to one point, or a value is not finite.
    """
    if source.shape != target.shape or source.shape[-1] != 3:
        raise ValueError(f"two (..., J, 3) arrays needed, got {source.shape} and {target.shape}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("alignment needs finite points; select the valid ones first")
    source = source.astype(np.float64)
    target = target.astype(np.float64)
    source_mean = source.mean(-2, keepdims=True)
    target_mean = target.mean(-2, keepdims=True)
    x, y = source - source_mean, target - target_mean
    size = (x * x).sum((-2, -1))
    if (size == 0).any() or ((y * y).sum((-2, -1)) == 0).any():
        raise ValueError("alignment needs at least two distinct points")
    u, values, vt = np.linalg.svd(np.swapaxes(y, -1, -2) @ x)
    sign = np.ones_like(values)
    sign[..., 2] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = (u * sign[..., None, :]) @ vt
    factor = (values * sign).sum(-1) / size if scale else np.ones(size.shape)
    return np.asarray(factor[..., None, None] * rotate(x, rotation) + target_mean)


def bone_vectors(joints: Array, skeleton: Skeleton) -> Array:
    """Child minus parent for each edge of the skeleton: (..., J, D) to (..., E, D)."""
    parents, children = np.asarray(skeleton.edges).T
    return joints[..., children, :] - joints[..., parents, :]


def bone_lengths(joints: Array, skeleton: Skeleton) -> Array:
    """Length of each edge of the skeleton: (..., J, D) to (..., E)."""
    return np.asarray(np.linalg.norm(bone_vectors(joints, skeleton), axis=-1))


def joints_from_bones(bones: Array, skeleton: Skeleton) -> Array:
    """The inverse of `bone_vectors` with the one root at zero: (..., E, D) to (..., J, D).

    Parents must come before children in the skeleton's order, as in ``h36m_17``.
    """
    joints = np.zeros((*bones.shape[:-2], len(skeleton), bones.shape[-1]), bones.dtype)
    for edge, (parent, child) in enumerate(skeleton.edges):
        if parent > child:
            raise ValueError(f"{skeleton.name} lists {skeleton.joints[child]} before its parent")
        joints[..., child, :] = joints[..., parent, :] + bones[..., edge, :]
    return joints


def box_of_seen(points: Array) -> Array:
    """Boxes (..., 4), left, top, right and bottom, of points (..., J, 2); NaN where none is seen.

    A point of which a coordinate is not finite was not seen.
    """
    seen = np.isfinite(points).all(-1, keepdims=True)
    low = np.where(seen, points, np.inf).min(-2)
    high = np.where(seen, points, -np.inf).max(-2)
    boxes = np.concatenate([low, high], axis=-1)
    return np.where(np.isfinite(boxes), boxes, np.nan)


def larger_side(boxes: Array) -> Array:
    """The longer side (...) of boxes (..., 4)."""
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).max(-1))
