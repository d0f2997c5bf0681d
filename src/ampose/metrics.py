"""Errors between predicted and true poses: pure functions on NumPy arrays.

Joints are (..., J, 3) in metres with any leading axes, and every function that reports a length
reports **millimetres**; angles are in degrees. Means run over all joints that are passed in, the
root included: select joints first if a protocol leaves some out. Arrays must be finite; NaN raises
ValueError.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import angle_between, bone_lengths, similarity_align
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

MILLIMETRES_PER_METRE = 1000.0


def joint_errors(predicted: Array, target: Array) -> Array:
    """Euclidean distance of every joint, millimetres: (..., J, 3) to (..., J)."""
    _check(predicted, target)
    distance = np.linalg.norm(predicted.astype(np.float64) - target, axis=-1)
    return np.asarray(distance * MILLIMETRES_PER_METRE)


def mpjpe(predicted: Array, target: Array) -> float:
    """Mean per-joint position error, millimetres (protocol 1), without any alignment."""
    return float(joint_errors(predicted, target).mean())


def p_mpjpe(predicted: Array, target: Array) -> float:
    """MPJPE after aligning every pose by rotation, translation and scale (protocol 2)."""
    return float(aligned_joint_errors(predicted, target).mean())


def aligned_joint_errors(predicted: Array, target: Array) -> Array:
    """`joint_errors` after a proper similarity alignment of every pose, millimetres (..., J)."""
    _check(predicted, target)
    return joint_errors(similarity_align(predicted, target), target)


def n_mpjpe(predicted: Array, target: Array) -> float:
    """MPJPE after the best scale of every root-relative pose (Rhodin et al., CVPR 2018)."""
    _check(predicted, target)
    predicted = predicted.astype(np.float64)
    norm = (predicted * predicted).sum((-2, -1), keepdims=True)
    if (norm == 0).any():
        raise ValueError("a predicted pose has no extent, so no scale fits it")
    return mpjpe(predicted * ((predicted * target).sum((-2, -1), keepdims=True) / norm), target)


def _check(predicted: Array, target: Array) -> None:
    if predicted.shape != target.shape or predicted.ndim < 2 or predicted.shape[-1] != 3:
        raise ValueError(
            f"two (..., J, 3) arrays of one shape needed, got {predicted.shape} and {target.shape}"
        )
    if predicted.size == 0:
        raise ValueError("no poses to score")
    if not (np.isfinite(predicted).all() and np.isfinite(target).all()):
        raise ValueError("poses to score must be finite; select the valid ones first")


def mpjve(predicted: Array, target: Array) -> float:
    """Mean per-joint velocity error along the first axis, millimetres per frame.

    The sequence is (T, ..., J, 3); pass one sequence at a time, or frames of two would be
    compared.
    """
    if predicted.ndim < 3 or len(predicted) < 2:
        raise ValueError(
            f"velocity needs at least two frames (T, ..., J, 3), got {predicted.shape}"
        )
    return mpjpe(np.diff(predicted, axis=0), np.diff(target, axis=0))


def acceleration_error(predicted: Array, target: Array, frames_per_second: float) -> float:
    """Mean difference of accelerations along the first axis, millimetres per second squared.

    For frames t of every joint, the mean of ``|a(t) - b(t)|``, with the second differences
    ``a(t) = (x(t-1) - 2 x(t) + x(t+1)) * rate^2`` of the prediction and b of the target
    (Kanazawa et al., CVPR 2019, who leave the rate out). The sequence is (T, ..., J, 3), evenly
    spaced in time; pass one sequence at a time, as with `mpjve`.
    """
    if predicted.ndim < 3 or len(predicted) < 3:
        raise ValueError(
            f"acceleration needs at least three frames (T, ..., J, 3), got {predicted.shape}"
        )
    seconds = [np.diff(joints.astype(np.float64), 2, axis=0) for joints in (predicted, target)]
    return mpjpe(*seconds) * frames_per_second**2


def pck(errors_mm: Array, threshold_mm: float = 150.0) -> float:
    """Percentage of joint errors strictly below the threshold (Mehta et al., 3DV 2017)."""
    if errors_mm.size == 0 or not np.isfinite(errors_mm).all():
        raise ValueError("errors to count must be finite and at least one")
    return float((errors_mm < threshold_mm).mean() * 100)


def auc(errors_mm: Array, thresholds_mm: Array | None = None) -> float:
    """Mean PCK over thresholds; by default the 3DHP tool's 31 values 0, 5, ... 150 mm."""
    thresholds = np.linspace(0, 150, 31) if thresholds_mm is None else thresholds_mm
    return float(np.mean([pck(errors_mm, float(t)) for t in thresholds]))


def joint_angle_error(predicted: Array, target: Array, skeleton: Skeleton) -> float:
    """Mean absolute error of the angles between adjoining bones, degrees.

    One angle for every joint with a parent and a child, and for every such pair: 180 degrees
    where the limb is straight. It depends on neither place, size nor view. Where a joint has
    several children (the thorax), each counts.

    Raises:
        ValueError: a bone has no length, or the arrays do not fit each other.
    """
    _check(predicted, target)
    difference = _joint_angles(predicted, skeleton) - _joint_angles(target, skeleton)
    return float(np.degrees(np.abs(difference)).mean())


def _joint_angles(joints: Array, skeleton: Skeleton) -> Array:
    """(..., J, 3) to (..., A), radians."""
    triples = [
        (skeleton.parents[joint], joint, child)
        for joint, child in skeleton.edges
        if skeleton.parents[joint] >= 0
    ]
    parents, middles, children = (list(column) for column in zip(*triples, strict=True))
    joints = joints.astype(np.float64)
    inner = joints[..., parents, :] - joints[..., middles, :]
    outer = joints[..., children, :] - joints[..., middles, :]
    if not (inner.any(-1).all() and outer.any(-1).all()):
        raise ValueError("a bone has no length, so no angle")
    return angle_between(inner, outer)


def bone_length_variation(joints: Array, skeleton: Skeleton) -> float:
    """How much bones of a sequence (T, J, 3) vary: std / mean of each length, mean, percent."""
    lengths = bone_lengths(joints, skeleton)
    mean = lengths.mean(0)
    if not (np.isfinite(mean).all() and (mean > 0).all()):
        raise ValueError("a bone has no length, or a joint is not finite")
    return float((lengths.std(0) / mean).mean() * 100)
