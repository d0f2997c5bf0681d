"""A visible body for a rig: one stick for each bone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.export.rig import RIG, rest_bones

Array = NDArray[np.floating]

SIDES = ("centre", "left", "right")

_THICK = (0.012, 0.03)
"""Metres: the least and the greatest half thickness of a stick."""


@dataclass(frozen=True, eq=False)
class Sticks:
    """Triangles, none of which share a vertex.

    Attributes:
        places: (V, 3) metres in the rest pose.
        normals: (V, 3).
        joints: (V,) the joint of `RIG` that moves a vertex.
    """

    places: Array
    normals: Array
    joints: NDArray[np.int64]


def sticks(lengths: Array, rest: Array, side: str) -> Sticks:
    """The sticks of one side of the body.

    Args:
        lengths: (16,) metres of the bones that end in Human3.6M's joints 1 to 16.
        rest: (N, 3) metres, the rig's joints in the rest pose.
        side: one of `SIDES`.
    """
    bones = rest_bones(lengths)
    own = [index for index, joint in enumerate(RIG) if joint.to and _side(joint.to) == side]
    parts = [_octahedron(rest[index], bones[index]) for index in own]
    places, normals = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Sticks(places, normals, np.repeat(own, len(places) // len(own)))


def _side(joint: str) -> str:
    prefix = joint.partition("_")[0]
    return prefix if prefix in SIDES else "centre"


def _octahedron(start: Array, bone: Array) -> tuple[Array, Array]:
    """Corners (24, 3) of eight triangles, anticlockwise from outside, and their normals.

    It is thickest at a sixth of its length, as animation programs draw bones.
    """
    length = np.linalg.norm(bone)
    along = bone / length
    one = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    other = np.cross(along, one)
    thick = np.clip(0.1 * length, *_THICK)
    ring = [start + bone / 6 + thick * way for way in (one, other, -one, -other)]
    faces = []
    for corner, following in zip(ring, ring[1:] + ring[:1], strict=True):
        faces += [(start, following, corner), (start + bone, corner, following)]
    corners = np.array(faces)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return corners.reshape(-1, 3), np.repeat(normals, 3, axis=0)
