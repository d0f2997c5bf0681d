"""Error bars of angles, from the standard deviations of joints and of the vertical.

An angle is evaluated with each coordinate of each of its joints moved by one standard deviation
to either side. What the coordinates do to it, as a mean square over both sides, is added up:
errors of different joints and axes are taken as **independent**. Only the two hips move together
and opposite: the root is the middle between them, and joints are relative to it. Errors of
neighbouring joints are in fact much alike, so where a bar would be too narrow for that it is
widened by a factor, see `FACTORS`.

This is propagation of errors with divided differences in place of derivatives (Norgaard, Poulsen
and Ravn, Automatica 2000). It needs no derivative where there is none, as in a straight knee,
whose bend can only grow. Angles are not linear: with errors of centimetres it is up to 15 % off
random draws, of millimetres 3 %.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ampose.analysis.formulas import wrapped
from ampose.analysis.gravity import Gravity
from ampose.analysis.registry import Column
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

FACTORS = {
    "trunk_thigh_angle": 1.40,
    "trunk_lean": 1.03,
    "trunk_lean_sagittal": 1.23,
    "thigh_inclination": 1.48,
    "hip_abduction": 1.38,
    "pelvis_rotation": 1.61,
}
"""Factors on the joints' part of a bar, so that with detector-like 2D at least 68 % of
the errors lie within one bar and 95 % within two, on CMU's validation subjects, with the lifter
that ships. Bars that are too wide are left so: real detectors are wrong in more ways.
``benchmarks/angle_error.py`` measures them."""

_HIPS = H36M_17.indices(("left_hip", "right_hip"))


def deviations(column: Column, joints: Array, sigma: Array, gravity: Gravity) -> Array:
    """Standard deviation of an angle, degrees (...).

    Args:
        column: which angle.
        joints: (..., 17, 3) metres, root-relative.
        sigma: (..., 17, 3) metres; the root has none of its own, as joints are relative to it.
        gravity: up, in the axes of `joints`.

    Returns:
        NaN where a joint of the angle, or a `sigma` of it, is NaN.
    """
    joints = joints.astype(np.float64)
    value = column.of(joints, gravity.up)
    square = np.zeros_like(value)
    for signs in _moving_together(column):
        for axis in range(3):
            step = np.zeros_like(joints)
            for joint, sign in signs.items():
                step[..., joint, axis] = sign * sigma[..., joint, axis]
            square += _mean_square(
                value, partial(_with_joints_moved, column, joints, gravity.up), step
            )
    square *= FACTORS.get(column.angle.name, 1.0) ** 2
    for tilt in gravity.tilts if column.angle.needs_gravity else ():
        square += _mean_square(value, partial(_with_up_tilted, column, joints, gravity.up), tilt)
    return np.asarray(np.sqrt(square))


def _mean_square(value: Array, after: Callable[[Array], Array], step: Array) -> Array:
    """Mean over both sides of the squared change of an angle when something moves by a step."""
    sides = (wrapped(after(step) - value), wrapped(after(-step) - value))
    return np.asarray((sides[0] ** 2 + sides[1] ** 2) / 2)


def _moving_together(column: Column) -> list[dict[int, int]]:
    """Joints of an angle whose errors go together, with sign; the root has no error."""
    apart = [joint for joint in column.joints if joint != H36M_17.root]
    if not set(_HIPS) <= set(apart):
        return [{joint: 1} for joint in apart]
    others = [{joint: 1} for joint in apart if joint not in _HIPS]
    return [dict(zip(_HIPS, (1, -1), strict=True)), *others]


def _with_joints_moved(column: Column, joints: Array, up: Array, step: Array) -> Array:
    return column.of(joints + step, up)


def _with_up_tilted(column: Column, joints: Array, up: Array, tilt: Array) -> Array:
    """The angle with `up` turned towards `tilt` by its length, radians."""
    angle = np.linalg.norm(tilt)
    return column.of(joints, np.cos(angle) * up + np.sinc(angle / np.pi) * tilt)
