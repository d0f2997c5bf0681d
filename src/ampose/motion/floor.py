"""Gravity and the floor, and the world that stands on it: y up, the floor at 0.

A static camera does not say how it is held. What is known of its tilt is a few numbers with
their standard deviations, combined by least squares:

* a pitch and a roll that the user states;
* footfalls: where an ankle stays still and low, the floor lies one ankle's height below it, and
  all footfalls of a clip lie on one plane. A distance that is wrong by the same share everywhere
  moves that plane and does not tilt it; other errors along the ray count as they lift or lower
  the ankle;
* upright bodies: from the middle of the ankles to the thorax people are upright on average while
  they stand and walk;
* level cameras: little roll, and some pitch.

Everybody in front of a camera shares one world. The floor is taken to be one level plane; stairs
and slopes are not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.motion.stance import Stance

Array = NDArray[np.floating]
Source = Literal["pitch given", "foot contacts", "upright body", "assumed level"]

UPRIGHT_SIGMA = 4.0
"""Degrees: how far one person's mean is from upright. Measured on cmu-val."""

PITCH_SIGMA, ROLL_SIGMA = 15.0, 5.0
"""Degrees: how level cameras are held where nothing is known."""

GIVEN_SIGMA = 0.5
"""Degrees: how exact a stated angle is taken to be."""

FOOTFALL_SIGMA = 0.05
"""Metres across the ray: of a footfall's height. Measured on cmu-val, as the next."""

DISTANCE_SIGMA = 0.03
"""Share of the distance, along the ray, by which footfalls of one clip differ from each other."""

_ON_ITS_SIDE = 0.2
"""Least horizontal part of the camera's x for the world's x to follow it: 12 degrees."""

_ROUNDS = 10
_OUTLIER_SIGMAS = 2.0


@dataclass(frozen=True, eq=False)
class World:
    """A world on the floor: ``world = rotation @ camera + translation``, metres.

    Right-handed: y up against gravity, x horizontal to the camera's right, z horizontal towards
    the viewer, so that people in front of the camera have negative z. The origin is on the floor,
    straight below the camera. Where the camera lies on its side, so that its x is vertical, z is
    towards the viewer and x follows from it.

    Attributes:
        rotation: (3, 3) camera axes to world axes.
        translation: (3,) metres; its y is the camera's height above the floor.
        tilt_sigma: degrees, standard deviation of the angle between y and true up.
        source: what the tilt rests on most.
        assumptions: sentences for the result; the world is an estimate.
    """

    rotation: Array
    translation: Array
    tilt_sigma: float
    source: Source
    assumptions: tuple[str, ...]

    @property
    def pitch(self) -> float:
        """Degrees by which the camera looks down."""
        return float(np.degrees(np.arcsin(np.clip(-self.rotation[1, 2], -1, 1))))

    @property
    def roll(self) -> float:
        """Degrees by which up leans to the right in the picture."""
        return float(np.degrees(np.arctan2(self.rotation[1, 0], -self.rotation[1, 1])))

    def to_world(self, points: Array) -> Array:
        """Points (..., 3) metres in camera axes, from the camera, to the world."""
        return np.asarray(points @ self.rotation.T + self.translation)

    def to_camera(self, points: Array) -> Array:
        """The inverse of `to_world`."""
        return np.asarray((points - self.translation) @ self.rotation)


def find_world(
    stances: Sequence[Stance], *, pitch: float | None = None, roll: float | None = None
) -> World | None:
    """The world that fits best to all people in front of one static camera.

    Args:
        stances: of each person.
        pitch: degrees by which the camera looks down, if known.
        roll: degrees by which the true up leans to the right in the picture, if known.

    Returns:
        None if nobody was lifted, so that there is no floor either.

    Raises:
        InputError: an angle is out of range.
    """
    for name, value in (("pitch", pitch), ("roll", roll)):
        if value is not None and not -90 <= value <= 90:
            raise InputError(f"camera {name} must be -90 to 90 degrees, got {value:g}")
    if all(stance.lowest is None for stance in stances):
        return None
    evidence = _Evidence.of(stances, pitch, roll)
    angles, floor, covariance = evidence.solve()
    up = _up(angles)
    rotation = _axes(up)
    # A turn by the roll moves up by the cosine of the pitch.
    spread = covariance[0, 0] + np.cos(angles[0]) ** 2 * covariance[1, 1]
    source = evidence.source(angles)
    return World(
        rotation,
        np.array([0.0, -floor, 0.0]),
        float(np.degrees(np.sqrt(spread))),
        source,
        evidence.assumptions(source),
    )


def _axes(up: Array) -> Array:
    """(3, 3) x, y and z of the world in camera axes."""
    right = np.array([1.0, 0, 0]) - up[0] * up
    if np.linalg.norm(right) < _ON_ITS_SIDE:  # then its direction is an accident
        right = np.cross(up, [0.0, 0, -1])
    right /= np.linalg.norm(right)
    return np.stack([right, up, np.cross(right, up)])


def _up(angles: Array) -> Array:
    """(3,) true up in camera axes from (pitch, roll), radians."""
    (sin_p, sin_r), (cos_p, cos_r) = np.sin(angles), np.cos(angles)
    return np.array([sin_r * cos_p, -cos_r * cos_p, -sin_p])


def _up_by_angles(angles: Array) -> Array:
    """(3, 2) the derivative of `_up`."""
    (sin_p, sin_r), (cos_p, cos_r) = np.sin(angles), np.cos(angles)
    return np.array([[-sin_r * sin_p, cos_r * cos_p], [cos_r * sin_p, sin_r * cos_p], [-cos_p, 0]])


@dataclass(frozen=True, eq=False)
class _Evidence:
    """Everything known of the camera's tilt.

    Attributes:
        usual: (2,) radians, pitch and roll that are stated or usual.
        usual_sigma: (2,) radians.
        given: which of the two are stated.
        footfalls: (F, 3) metres.
        ankle_heights: (F,) metres.
        ups: (P, 3) of upright bodies.
        up_precision: (P,) 1 / radians squared.
        lowest, lowest_heights: (L, 3) and (L,) metres, low ankles, for where there are no
            footfalls, and how high they are.
    """

    usual: Array
    usual_sigma: Array
    given: tuple[bool, bool]
    footfalls: Array
    ankle_heights: Array
    ups: Array
    up_precision: Array
    lowest: Array
    lowest_heights: Array

    @classmethod
    def of(cls, stances: Sequence[Stance], pitch: float | None, roll: float | None) -> _Evidence:
        given = (pitch is not None, roll is not None)
        sigma = np.where(given, GIVEN_SIGMA, (PITCH_SIGMA, ROLL_SIGMA))
        standing = [stance for stance in stances if stance.up is not None]
        up_sigma = np.hypot(UPRIGHT_SIGMA, [stance.up_spread for stance in standing])
        with_ankles = [stance for stance in stances if stance.lowest is not None]
        return cls(
            np.radians([pitch or 0.0, roll or 0.0]),
            np.radians(sigma),
            given,
            np.reshape([place for stance in stances for place in stance.footfalls], (-1, 3)),
            np.array([s.ankle_height for s in stances for _ in s.footfalls]),
            np.reshape([stance.up for stance in standing], (-1, 3)),
            1 / np.radians(up_sigma) ** 2,
            np.reshape([stance.lowest for stance in with_ankles], (-1, 3)),
            np.array([stance.ankle_height for stance in with_ankles]),
        )

    def solve(self) -> tuple[Array, float, Array]:
        """Pitch and roll in radians, the floor's height in the camera's, their covariance."""
        angles = self.usual.copy()
        for _ in range(_ROUNDS):
            up, slope = _up(angles), _up_by_angles(angles)
            normal, right = self._without_feet(angles)
            _, information, pull = self._feet(up, slope)
            angles = angles + np.linalg.solve(normal + information, right + pull)
        normal, _ = self._without_feet(angles)
        floor, information, _ = self._feet(_up(angles), _up_by_angles(angles))
        return angles, floor, np.linalg.inv(normal + information)

    def source(self, angles: Array) -> Source:
        """What the tilt rests on most."""
        if self.given[0]:
            return "pitch given"
        _, feet, _ = self._feet(_up(angles), _up_by_angles(angles))
        slope = _up_by_angles(angles)
        bodies = self.up_precision.sum() * slope.T @ slope
        usual = np.diag(self._usual_precision(angles))
        # By the less certain of the two angles: the trace would be the better known one's.
        names: tuple[Source, ...] = ("foot contacts", "upright body", "assumed level")
        known = [np.linalg.eigvalsh(part)[0] for part in (feet, bodies, usual)]
        return names[int(np.argmax(known))]

    def assumptions(self, source: Source) -> tuple[str, ...]:
        """Sentences for the result."""
        said = ["The camera stands still and the floor is level."]
        if source == "pitch given":
            said.append("The camera's pitch is as given.")
        if len(self.footfalls):
            said.append(f"{len(self.footfalls)} footfalls lie on one plane.")
        else:
            said.append("No footfall was found; the floor is at the lowest ankle.")
        if len(self.ups):
            said.append("People are upright on average while they stand.")
        if not all(self.given):
            said.append("The camera is held about level.")
        return tuple(said)

    def _usual_precision(self, angles: Array) -> Array:
        """(2,) what is usual counts less where the rest contradicts it; what is given does not."""
        unusual = ((angles - self.usual) / self.usual_sigma) ** 2
        return np.asarray(1 / self.usual_sigma**2 / (1 + np.where(self.given, 0, unusual)))

    def _without_feet(self, angles: Array) -> tuple[Array, Array]:
        """Normal matrix (2, 2) and right side of what people and cameras usually do."""
        precision = self._usual_precision(angles)
        slope = _up_by_angles(angles)
        normal = np.diag(precision) + self.up_precision.sum() * slope.T @ slope
        off = self.up_precision @ (self.ups - _up(angles))
        return normal, precision * (self.usual - angles) + slope.T @ off

    def _feet(self, up: Array, slope: Array) -> tuple[float, Array, Array]:
        """The floor's height, and what the footfalls add to the normal equations.

        The height is eliminated: the rest are the footfalls about their mean.
        """
        if not len(self.footfalls):
            heights = self.lowest @ up - self.lowest_heights
            return float(heights.min()), np.zeros((2, 2)), np.zeros(2)
        heights = self.footfalls @ up - self.ankle_heights
        sigma = np.hypot(FOOTFALL_SIGMA, DISTANCE_SIGMA * (self.footfalls @ up))
        floor = float(np.median(heights))
        for _ in range(_ROUNDS):
            miss = (heights - floor) / sigma
            weight = 1 / sigma**2 / (1 + (miss / _OUTLIER_SIGMAS) ** 2)
            floor = float((weight * heights).sum() / weight.sum())
        by_angle = self.footfalls @ slope
        centred = by_angle - (weight[:, None] * by_angle).sum(0) / weight.sum()
        information = centred.T @ (weight[:, None] * centred)
        pull = -centred.T @ (weight * (heights - floor))
        return floor, information, pull
