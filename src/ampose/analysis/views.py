"""Where a camera sees somebody from, and what that means for their angles."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ampose.analysis.formulas import facing
from ampose.geometry import angle_between

Array = NDArray[np.floating]

FRONTAL_BELOW, SAGITTAL_ABOVE = 30.0, 60.0
"""Degrees between where the pelvis faces, or its back, and the camera."""

MIXED = 0.2
"""Somebody is turning if frontal and sagittal views each have more than this share of frames."""

ELEVATED = 25.0
"""Degrees by which a camera that looks from above or below looks down or up at a person."""

BADGES = ("frontal", "oblique", "sagittal")
"""Views of a single frame, from the camera in front or behind to the camera at the side."""

_MEANING = {
    "sagittal": "class A: flexion, forward lean and raised arms are at their best, lateral lean "
    "lies in depth; class B: rotations and the X-factor are at their best, hip abduction and the "
    "knee's projection lie in depth and are at their worst",
    "frontal": "class A: flexion, forward lean and raised arms lie in depth and are at their "
    "worst, lateral lean is at its best; class B: hip abduction and the knee's projection are at "
    "their best, rotations and the X-factor lie in depth and are at their worst",
    "oblique": "class A and B: every angle lies partly in depth; none is at its best",
    "turning": "class A and B: what lies in depth changes during the recording, so errors do too",
    "unknown": "class A and B: nothing is known of how errors lie",
}
"""As measured on motion capture by benchmarks/angle_error.py."""

_STEEP = "; the view is steep, and legs and trunk point more along it than lifters are used to"


@dataclass(frozen=True)
class View:
    """How one person is seen over a recording.

    Attributes:
        side: ``sagittal``, ``frontal`` or ``oblique``, that of the median over the frames;
            ``turning`` if they are `MIXED`, ``unknown`` if there are no frames.
        height: ``level``, ``from above`` or ``from below``, by the median.
        shares: of the frames in each of `BADGES`.
        elevation_degrees: median angle by which the camera looks down at the person; NaN if
            unknown.
    """

    side: str
    height: str
    shares: dict[str, float] = field(default_factory=dict)
    elevation_degrees: float = float("nan")

    @property
    def badge(self) -> str:
        """Both in words."""
        return self.side if self.height == "level" else f"{self.side}, {self.height}"

    @property
    def meaning(self) -> str:
        """What this view does to class A and to class B."""
        return _MEANING[self.side] + (_STEEP if self.height != "level" else "")


def views_of(joints: Array, root: Array, up: Array) -> tuple[View, ...]:
    """The view of each person.

    Args:
        joints: (T, P, 17, 3) metres, camera axes.
        root: (T, P, 3) metres, camera axes; the optical axis counts where it is NaN.
        up: (3,) unit vector against gravity, camera axes.
    """
    return tuple(
        _view(joints[:, person], root[:, person], up) for person in range(joints.shape[1])
    )


def aside_degrees(joints: Array, root: Array, up: Array) -> Array:
    """How far from the side a person faces the camera: (...), 0 frontal to 90 sagittal.

    Front and back count as one: between the horizontal direction in which the pelvis faces and
    the horizontal direction to the camera. Arguments as `views_of`, with any leading axes.
    """
    ray = _rays(root)
    ray = ray - (ray * up).sum(-1, keepdims=True) * up
    aside = np.degrees(angle_between(facing(joints, up), ray))
    return np.asarray(np.minimum(aside, 180 - aside))


def badges(aside: ArrayLike) -> NDArray[np.str_]:
    """Each of `BADGES` for `aside_degrees`; empty where they are NaN."""
    aside = np.asarray(aside)
    names = np.array(BADGES)[np.digitize(aside, (FRONTAL_BELOW, SAGITTAL_ABOVE))]
    return np.where(np.isnan(aside), "", names)


def _view(joints: Array, root: Array, up: Array) -> View:
    aside = aside_degrees(joints, root, up)
    there = np.isfinite(aside)
    if not there.any():
        return View("unknown", "level")
    found = badges(aside[there])
    shares = {name: float((found == name).mean()) for name in BADGES}
    mixed = min(shares["frontal"], shares["sagittal"]) > MIXED
    elevation = 90 - float(np.degrees(np.median(angle_between(_rays(root[there]), -up))))
    height = "from above" if elevation > 0 else "from below"
    return View(
        "turning" if mixed else str(badges(np.median(aside[there]))),
        height if abs(elevation) > ELEVATED else "level",
        shares,
        elevation,
    )


def _rays(root: Array) -> Array:
    known = np.isfinite(root).all(-1, keepdims=True)
    return np.where(known, root, np.array([0.0, 0, 1]))
