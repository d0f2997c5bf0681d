"""Angles of the body from Human3.6M's 17 joints: one pure function each, in degrees.

Joints are (..., 17, 3) in any unit of length and right-handed axes; answers are (...), NaN where
a joint is absent or a segment has no length. `up`, (3,) or (..., 3), points against gravity in
the same axes. Zero is the anatomical position: upright, arms hanging, limbs straight. Nothing
depends on where somebody is or how tall they are; on which way they face only what says that it
is in camera axes. Left and right are the person's own.

Signs: bending, raising and leaning forward or to the right are positive, and so are limbs that
go away from the midline and turns to the person's left. For sided angles both sides have the same
signs, so that a mirror exchanges them; of the others it changes the signs of what leans or turns
sideways.

Sources are named in `ampose.analysis.registry`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import angle_between
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]
Side = Literal["left", "right"]

TOWARDS_CAMERA = np.array([0.0, 0.0, -1.0])
"""Of camera axes: from which turns of the pelvis and the shoulders are counted."""

ARM_FROM_TRUNK = 20.0
"""Degrees: an arm nearer than this to the trunk's axis has no plane of elevation."""

LEG_FROM_FORWARD = 30.0
"""Degrees: a thigh or shank that points that much forward has no frontal-plane projection."""


def knee_flexion(joints: Array, side: Side) -> Array:
    """Bend of the knee: 0 straight. How far, not which way: there is no axis to bend about."""
    return _bend(joints, side, "hip", "knee", "ankle")


def elbow_flexion(joints: Array, side: Side) -> Array:
    """Bend of the elbow: 0 straight."""
    return _bend(joints, side, "shoulder", "elbow", "wrist")


def trunk_thigh_angle(joints: Array, side: Side) -> Array:
    """Between the thigh and the trunk's axis continued downward: 0 standing, 90 sitting."""
    return _between(-trunk(joints), _segment(joints, side, "hip", "knee"))


def shoulder_elevation(joints: Array, side: Side) -> Array:
    """Between the upper arm and the trunk's axis downward: 0 hanging, 180 overhead."""
    return _between(-trunk(joints), _segment(joints, side, "shoulder", "elbow"))


def trunk_lean(joints: Array, up: Array) -> Array:
    """Between the trunk and the vertical: 0 upright."""
    return _between(trunk(joints), _unit(up))


def trunk_lean_sagittal(joints: Array, up: Array) -> Array:
    """The trunk's lean forward, in the vertical plane in which the pelvis faces."""
    return _direction(_dot(trunk(joints), facing(joints, up)), _dot(trunk(joints), _unit(up)))


def trunk_lean_lateral(joints: Array, up: Array) -> Array:
    """The trunk's lean to the right, in the vertical plane through the line of the hips."""
    right = np.cross(facing(joints, up), _unit(up))
    return _direction(_dot(trunk(joints), right), _dot(trunk(joints), _unit(up)))


def thigh_inclination(joints: Array, up: Array, side: Side) -> Array:
    """Between the thigh and the vertical: 0 standing."""
    return _between(_segment(joints, side, "knee", "hip"), _unit(up))


def shank_inclination(joints: Array, up: Array, side: Side) -> Array:
    """Between the shank and the vertical: 0 standing."""
    return _between(_segment(joints, side, "ankle", "knee"), _unit(up))


def upper_arm_inclination(joints: Array, up: Array, side: Side) -> Array:
    """Between the upper arm and the vertical: 0 hanging."""
    return _between(_segment(joints, side, "elbow", "shoulder"), _unit(up))


def forearm_inclination(joints: Array, up: Array, side: Side) -> Array:
    """Between the forearm and the vertical: 0 hanging."""
    return _between(_segment(joints, side, "wrist", "elbow"), _unit(up))


def hip_abduction(joints: Array, side: Side) -> Array:
    """Of the thigh out of the plane across the line of the hips; inward is negative."""
    return 90 - _between(_segment(joints, side, "hip", "knee"), _outward(joints, side, "hip"))


def shoulder_plane_of_elevation(joints: Array, side: Side) -> Array:
    """In which direction the arm is raised, about the trunk: 0 sideways, 90 forward.

    From -180 to 180; what is raised backward is negative. It means nothing for an arm along the
    trunk, see `arm_has_plane`.
    """
    return _direction(*_around_trunk(joints, side))


def arm_has_plane(joints: Array, side: Side) -> NDArray[np.bool_]:
    """Whether an arm is `ARM_FROM_TRUNK` or more away from the trunk's axis."""
    aside = np.hypot(*_around_trunk(joints, side))
    long = np.linalg.norm(_segment(joints, side, "shoulder", "elbow"), axis=-1)
    return np.asarray(aside >= np.sin(np.radians(ARM_FROM_TRUNK)) * long)


def pelvis_rotation(joints: Array, up: Array) -> Array:
    """Turn of the pelvis about the vertical in **camera axes**: 0 facing the camera."""
    return _turn(TOWARDS_CAMERA, facing(joints, up), up)


def shoulder_line_rotation(joints: Array, up: Array) -> Array:
    """Turn of the line of the shoulders in **camera axes**: 0 facing the camera."""
    return _turn(TOWARDS_CAMERA, facing(joints, up, "shoulder"), up)


def x_factor_joint_angle(joints: Array) -> Array:
    """Axial turn of the shoulders on the hips, about the trunk.

    The last angle of the Cardan sequence flexion, lateral bending, axial rotation that takes the
    pelvis frame to the thorax frame. Both have x along their own line to the left, z = x cross
    the trunk's axis, y = z cross x: the pelvis's own tilt is not seen.
    """
    across = _unit(line(joints, "shoulder"))
    forward = _unit(np.cross(across, trunk(joints)))
    hips = line(joints, "hip")
    return _direction(_dot(hips, forward), _dot(hips, across))


def x_factor_transverse(joints: Array, up: Array) -> Array:
    """Turn of the shoulders less that of the hips, both about the vertical."""
    return _turn(facing(joints, up), facing(joints, up, "shoulder"), up)


def knee_fppa(joints: Array, up: Array, side: Side) -> Array:
    """Bend of the leg as seen from the front: positive with the knee inward of hip and ankle.

    Thigh and shank are projected on the vertical plane through the line of the hips. It means
    nothing for a leg that points forward, see `leg_is_seen`.
    """
    (thigh_out, thigh_up), (shank_out, shank_up) = _frontal(joints, up, side)
    sine = thigh_out * shank_up - thigh_up * shank_out
    return _direction(sine, thigh_out * shank_out + thigh_up * shank_up)


def leg_is_seen(joints: Array, up: Array, side: Side) -> NDArray[np.bool_]:
    """Whether thigh and shank are `LEG_FROM_FORWARD` or more away from pointing forward."""
    least = np.sin(np.radians(LEG_FROM_FORWARD))
    segments = _segment(joints, side, "hip", "knee"), _segment(joints, side, "knee", "ankle")
    thigh, shank = (
        np.hypot(*seen) >= least * np.linalg.norm(segment, axis=-1)
        for seen, segment in zip(_frontal(joints, up, side), segments, strict=True)
    )
    return np.asarray(thigh & shank)


def trunk(joints: Array) -> Array:
    """(..., 3) from the pelvis to the thorax."""
    return _at(joints, "thorax") - _at(joints, "pelvis")


def line(joints: Array, part: str) -> Array:
    """(..., 3) from the right to the left ``hip`` or ``shoulder``."""
    return _at(joints, f"left_{part}") - _at(joints, f"right_{part}")


def facing(joints: Array, up: Array, part: str = "hip") -> Array:
    """(..., 3) unit vector, horizontal, to where the hips or shoulders face; NaN without one."""
    return _unit(np.cross(line(joints, part), _unit(up)))


def wrapped(degrees: Array) -> Array:
    """Differences of angles as -180 to 180."""
    return np.asarray((degrees + 180) % 360 - 180)


def unwrapped(degrees: Array) -> Array:
    """Angles (T, ...) over time without jumps of whole turns, across absences too."""
    out = degrees.astype(np.float64)
    for place in np.ndindex(out.shape[1:]):
        column = out[:, *place]
        there = np.isfinite(column)
        column[there] = np.unwrap(column[there], period=360)
    return out


def _at(joints: Array, name: str) -> Array:
    return joints[..., H36M_17.index(name), :].astype(np.float64)


def _segment(joints: Array, side: Side, start: str, end: str) -> Array:
    return _at(joints, f"{side}_{end}") - _at(joints, f"{side}_{start}")


def _outward(joints: Array, side: Side, part: str) -> Array:
    return line(joints, part) if side == "left" else -line(joints, part)


def _bend(joints: Array, side: Side, start: str, middle: str, end: str) -> Array:
    return _between(_segment(joints, side, start, middle), _segment(joints, side, middle, end))


def _around_trunk(joints: Array, side: Side) -> tuple[Array, Array]:
    """How far the upper arm goes forward and outward, across the trunk's axis."""
    forward = _unit(np.cross(line(joints, "shoulder"), trunk(joints)))
    outward = _unit(_outward(joints, side, "shoulder"))
    arm = _segment(joints, side, "shoulder", "elbow")
    return _dot(arm, forward), _dot(arm, outward)


def _frontal(
    joints: Array, up: Array, side: Side
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Thigh and shank, downward, as they go outward and up in the frontal plane."""
    up = _unit(up)
    left = np.cross(up, facing(joints, up))
    outward = left if side == "left" else -left
    thigh, shank = _segment(joints, side, "hip", "knee"), _segment(joints, side, "knee", "ankle")
    return (_dot(thigh, outward), _dot(thigh, up)), (_dot(shank, outward), _dot(shank, up))


def _turn(start: Array, end: Array, up: Array) -> Array:
    """About `up`, counterclockwise seen from above, between horizontal parts of directions."""
    return _direction(_dot(np.cross(start, end), _unit(up)), _dot(start, end))


def _between(first: Array, second: Array) -> Array:
    return np.asarray(np.degrees(angle_between(first, second)))


def _direction(sine: Array, cosine: Array) -> Array:
    return np.asarray(
        np.where((sine != 0) | (cosine != 0), np.degrees(np.arctan2(sine, cosine)), np.nan)
    )


def _dot(first: Array, second: Array) -> Array:
    return np.asarray((first * second).sum(-1))


def _unit(vectors: Array) -> Array:
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    out = np.full_like(vectors, np.nan)
    return np.asarray(np.divide(vectors, length, where=length > 0, out=out))
