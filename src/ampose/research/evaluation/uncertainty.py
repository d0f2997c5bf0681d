"""Whether a lifter's sigma is calibrated, and whether it grows where a joint is hidden.

A sigma is calibrated if 68.3 % of the errors along each axis lie within one and 95.4 % within two
of it. Errors are those of the open-mocap protocol with the focal length known, template bones,
relative to the root, along camera axes. The root itself, whose error is zero, does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import rotate, rotate_deviations
from ampose.metrics import MILLIMETRES_PER_METRE
from ampose.research.evaluation.open_protocol import INPUTS, EvaluationSet, network_inputs
from ampose.research.evaluation.rounded import Rounded
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

LiftWithSigma = Callable[[Array], tuple[Array, Array]]
"""`look_at_person` inputs (N, 17, channels) to joints and sigma, both (N, 17, 3) metres."""

_NORMAL = NormalDist()
ONE, TWO = (_NORMAL.cdf(k) - _NORMAL.cdf(-k) for k in (1, 2))
"""Nominal coverage of one and of two sigma."""
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, ONE, 0.8, 0.9, TWO, 0.99)
"""Nominal coverages of the reliability curve."""

_AXES = ("x", "y", "z")
_PELVIS, _RIGHT_HIP, _LEFT_HIP, _THORAX = H36M_17.indices(
    ("pelvis", "right_hip", "left_hip", "thorax")
)
_OTHERS = [joint for joint in range(len(H36M_17)) if joint != _PELVIS]


@dataclass(frozen=True)
class Coverage(Rounded):
    """Share of errors within the interval of a nominal coverage.

    Attributes:
        set, input: which poses, seen how.
        group: ``all``, or one joint, axis or view of the person.
        nominal, found: percent.
    """

    set: str
    input: str
    group: str
    nominal: float
    found: float


@dataclass(frozen=True)
class Hiding(Rounded):
    """What hiding a joint does to its sigma, the length of its three axes.

    Attributes:
        set, joint: which.
        seen, hidden: median sigma, millimetres.
        grows: share of poses where it is greater than when the joint is seen, percent.
    """

    set: str
    joint: str
    seen: float
    hidden: float
    grows: float


def coverages(
    lift: LiftWithSigma, chosen: EvaluationSet, *, channels: int = 3
) -> Iterator[Coverage]:
    """The reliability curve of a set; at one and two sigma also by joint, axis and view."""
    for kind in INPUTS:
        pose, sigma = lifted(lift, chosen, chosen.pixels["template", kind], channels=channels)
        deviations = np.abs(pose - chosen.joints["template"]) / np.where(sigma > 0, sigma, np.nan)
        for group, part in _groups(deviations, view_of(chosen.joints["template"])).items():
            for level in LEVELS if group == "all" else (ONE, TWO):
                within = float((part <= _NORMAL.inv_cdf((1 + level) / 2)).mean())
                yield Coverage(chosen.name, kind, group, 100 * level, 100 * within)


def _groups(deviations: Array, views: NDArray[np.str_]) -> Mapping[str, Array]:
    """Deviations (N, 17, 3) in sigmas, by group."""
    return {
        "all": deviations[:, _OTHERS],
        **{f"joint {H36M_17.joints[joint]}": deviations[:, joint] for joint in _OTHERS},
        **{f"axis {name}": deviations[:, _OTHERS, axis] for axis, name in enumerate(_AXES)},
        **{
            f"view {view}": deviations[views == view][:, _OTHERS]
            for view in ("front", "side", "back")
            if (views == view).any()
        },
    }


def hiding(lift: LiftWithSigma, chosen: EvaluationSet, *, channels: int = 3) -> Iterator[Hiding]:
    """Each joint but the root hidden in turn, in exact 2D."""
    pixels = chosen.pixels["template", "exact"]

    def magnitude(keypoints: Array) -> Array:
        _, sigma = lifted(lift, chosen, keypoints, channels=channels)
        return np.asarray(np.linalg.norm(sigma, axis=-1) * MILLIMETRES_PER_METRE)

    seen = magnitude(pixels)
    for joint in _OTHERS:
        without = pixels.copy()
        without[:, joint] = np.nan
        hidden = magnitude(without)[:, joint]
        yield Hiding(
            chosen.name,
            H36M_17.joints[joint],
            float(np.median(seen[:, joint])),
            float(np.median(hidden)),
            float((hidden > seen[:, joint]).mean()) * 100,
        )


def lifted(
    lift: LiftWithSigma, chosen: EvaluationSet, pixels: Array, *, channels: int
) -> tuple[Array, Array]:
    """Root-relative joints and sigma, both (N, 17, 3) metres, camera axes."""
    inputs, rotation = network_inputs(chosen, pixels, focal="known", channels=channels)
    back = np.swapaxes(rotation, -1, -2)
    answer, sigma = lift(inputs)
    pose = rotate(answer.astype(np.float64), back)
    return pose - pose[:, :1], rotate_deviations(sigma, back)


def view_of(joints: Array) -> NDArray[np.str_]:
    """The side from which people (N, 17, 3), camera axes, are seen: front, side or back.

    Front and back are 90 degrees each; both sides are one view, of 180 degrees together.
    """
    across = joints[:, _LEFT_HIP] - joints[:, _RIGHT_HIP]
    facing = np.cross(across, joints[:, _THORAX] - joints[:, _PELVIS])
    towards = -facing[:, 2] / np.linalg.norm(facing[:, [0, 2]], axis=-1)
    return np.select([towards > 0.5**0.5, towards < -(0.5**0.5)], ["front", "back"], "side")


def fitted_calibration(lift: LiftWithSigma, chosen: EvaluationSet, *, channels: int = 3) -> Array:
    """Factors (17, 3) for each joint's sigma, along the axes of the network's pose.

    Each minimises the greater of its two errors of coverage, at one and at two sigma. Exact
    and detector-like 2D count as one set. The root's factors are 1.
    """
    deviations = []
    for kind in INPUTS:
        inputs, rotation = network_inputs(
            chosen, chosen.pixels["template", kind], focal="known", channels=channels
        )
        pose, sigma = lift(inputs)
        error = np.abs(pose - pose[:, :1] - rotate(chosen.joints["template"], rotation))
        deviations.append(error[:, _OTHERS] / sigma[:, _OTHERS])
    ordered = np.sort(np.concatenate(deviations), axis=0)
    factors = np.geomspace(0.2, 5, 2000)
    out = np.ones((len(H36M_17), 3))
    for row, joint in enumerate(_OTHERS):
        for axis in range(3):
            column = ordered[:, row, axis]
            one, two = (np.searchsorted(column, k * factors) / len(column) for k in (1, 2))
            out[joint, axis] = factors[np.maximum(abs(one - ONE), abs(two - TWO)).argmin()]
    return out
