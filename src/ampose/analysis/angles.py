"""Angles of everybody in a recording, with error bars and what they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.analysis.error_bars import deviations
from ampose.analysis.formulas import wrapped
from ampose.analysis.frame_rate import frames_per_second, rate_warnings
from ampose.analysis.gravity import Gravity, gravity_of
from ampose.analysis.registry import Column, columns_of
from ampose.analysis.views import View, views_of
from ampose.errors import InputError
from ampose.motion.filters import filter_of
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

NOTICE = "Angles are estimated from one camera. This is not a medical device."


_CONVENTIONS = {
    "x_factor_joint_angle": "X-factor by the joint-angle convention: Cardan, about the trunk.",
    "x_factor_transverse": "X-factor by the transverse-plane convention: about the vertical.",
}


@dataclass(frozen=True, eq=False)
class Angles:
    """N angles of P people over T frames. Absent is NaN, never zero.

    Attributes:
        columns: (N,) what each is.
        values: (T, P, N) degrees.
        sigma: (T, P, N) degrees, standard deviation; NaN where a joint's is.
        ids: (P,) identity of each person.
        times: (T,) seconds.
        views: (P,) from where each person is seen.
        gravity: which way is up, and how sure that is.
        reference: frame whose angles are the zero of those towards the camera, if one was given.
        warnings: what a careful user should know about these angles.
        recording_warnings: what they should know of the poses that these come from.
        provenance: of the poses.
    """

    columns: tuple[Column, ...]
    values: Array
    sigma: Array
    ids: NDArray[np.int64]
    times: Array
    views: tuple[View, ...]
    gravity: Gravity
    reference: int | None = None
    warnings: tuple[str, ...] = ()
    recording_warnings: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """(N,) such as ``knee_flexion_l``."""
        return tuple(column.name for column in self.columns)

    @property
    def frames_per_second(self) -> float:
        """From the median time between frames; NaN for photos."""
        return frames_per_second(self.times)

    @property
    def filter(self) -> str:
        """Along time, that the poses went through; ``none`` if they do not say."""
        return filter_of(self.provenance)

    def __getitem__(self, name: str) -> Array:
        """Degrees (T, P) of one angle.

        Raises:
            KeyError: it is not among them.
        """
        if name not in self.names:
            raise KeyError(f"{name}; there are {', '.join(self.names)}")
        return self.values[..., self.names.index(name)]

    def of_person(self, person: int) -> dict[str, Array]:
        """Named columns (T,) of the person in that place, for tables such as MOT."""
        return {name: self[name][:, person] for name in self.names}


def angles_of(
    sequence: PoseSequence,
    names: Iterable[str] | None = None,
    *,
    class_b: bool = False,
    reference: int | None = None,
) -> Angles:
    """Angles of everybody in a recording or in photos.

    Up is that of the sequence's world. Without one the camera is taken to be level, which the
    warnings say and the error bars show.

    Args:
        sequence: poses of Human3.6M's 17 joints.
        names: of angles, with or without side; all of class A if None.
        class_b: also all of class B.
        reference: number of a frame in which pelvis and shoulder-line rotation are zero, such as
            a golfer's address; zero is facing the camera if None. Its error counts in every
            other frame.

    Raises:
        InputError: an unknown or refused angle, another joint set, or no such frame.
    """
    if sequence.skeleton != H36M_17:
        raise InputError(
            f"angles need the joints of {H36M_17.name}, these poses are {sequence.skeleton.name}"
        )
    if reference is not None and not 0 <= reference < sequence.frame_count:
        raise InputError(
            f"there is no frame {reference} to refer to; there are {sequence.frame_count}, "
            "numbered from 0"
        )
    columns = columns_of(names, class_b=class_b)
    joints = np.where(sequence.valid[..., None], sequence.joints, np.nan).astype(np.float64)
    gravity = gravity_of(sequence)
    shape = (*joints.shape[:2], len(columns))
    values, sigma = np.full((2, *shape), np.nan)
    for place, column in enumerate(columns):
        degrees = column.of(joints, gravity.up)
        bars = deviations(column, joints, sequence.sigma, gravity)
        if reference is not None and column.angle.towards_camera:
            degrees = wrapped(degrees - degrees[reference])
            bars = np.hypot(bars, bars[reference])
            bars[reference] = np.where(np.isnan(bars[reference]), np.nan, 0)
        meant = column.meant(joints, gravity.up)
        values[..., place] = np.where(meant, degrees, np.nan)
        sigma[..., place] = np.where(meant, bars, np.nan)
    views = views_of(joints, sequence.root, gravity.up)
    found = Angles(
        columns,
        values,
        sigma,
        sequence.ids,
        sequence.times,
        views,
        gravity,
        reference,
        recording_warnings=sequence.warnings,
        provenance=sequence.provenance,
    )
    return replace(found, warnings=tuple(_warnings(found)))


def _warnings(angles: Angles) -> Iterator[str]:
    kinds = {column.angle.name: column.angle for column in angles.columns}
    if any(angle.needs_gravity for angle in kinds.values()):
        sigma = angles.gravity.sigma_degrees
        yield (
            f"{angles.gravity.source} It may be off by {sigma:.0f} degrees (standard deviation), "
            "which counts in every angle against the vertical."
        )
    if np.isfinite(angles.values).any() and not np.isfinite(angles.sigma).any():
        yield "The lifter gives no standard deviations, so angles have no error bars."
    if class_b := [name for name, angle in kinds.items() if angle.kind == "B"]:
        yield (
            f"Class B ({', '.join(class_b)}): trust trends and changes within one person, not "
            "single values and norms."
        )
    yield from (_CONVENTIONS[name] for name in kinds if name in _CONVENTIONS)
    if any(angle.towards_camera for angle in kinds.values()):
        if angles.reference is None:
            yield "Pelvis and shoulder-line rotation are relative to the camera."
        else:
            yield f"Pelvis and shoulder-line rotation are relative to frame {angles.reference}."
    for identity, view in zip(angles.ids.tolist(), angles.views, strict=True):
        yield f"Person {identity}, view {view.badge}: {view.meaning}."
    yield from rate_warnings(angles.frames_per_second)
