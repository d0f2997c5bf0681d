"""Where somebody will be: place and velocity in the picture, at any times."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

SPEED = 1.5
"""Standard deviation of a velocity along each axis, body sizes per second: that of walking."""

STEADY_SECONDS = 2.0
"""Time after which a velocity is forgotten to 1/e: somebody unseen is taken to slow down."""


@dataclass(frozen=True, eq=False)
class Course:
    """A Kalman filter of one place in the picture, at times of any spacing.

    Velocity is an Ornstein-Uhlenbeck process: it dies away within `STEADY_SECONDS` and is renewed
    so that its spread stays `SPEED`. The step over any time is exact, so that two steps are the
    same as one as long as both. Both axes have the same covariance.

    Attributes:
        place: (2,) pixels.
        velocity: (2,) pixels per second.
        covariance: (2, 2) of place and velocity along one axis.
    """

    place: Array
    velocity: Array
    covariance: Array

    @classmethod
    def starting(cls, place: Array, spread: float, size: float) -> Course:
        """Somebody just found.

        Args:
            place: (2,) pixels.
            spread: standard deviation of `place`, pixels.
            size: of the body, pixels: the unit of `SPEED`.
        """
        return cls(
            np.asarray(place, np.float64), np.zeros(2), np.diag([spread**2, (SPEED * size) ** 2])
        )

    @property
    def spread(self) -> float:
        """Standard deviation of `place` along one axis, pixels."""
        return math.sqrt(self.covariance[0, 0])

    def after(self, seconds: float, size: float) -> Course:
        """The same later, 0 seconds or more, by a person of that size in pixels."""
        steps = seconds / STEADY_SECONDS
        left = math.exp(-steps)
        gone = -math.expm1(-steps)
        move = np.array([[1.0, STEADY_SECONDS * gone], [0.0, left]])
        # Differences of nearly equal numbers where the time is short: never below zero.
        drift = STEADY_SECONDS**2 * max(2 * steps - 2 * gone - gone**2, 0.0)
        both = STEADY_SECONDS * gone**2
        noise = (SPEED * size) ** 2 * np.array([[drift, both], [both, 1 - left**2]])
        return replace(
            self,
            place=self.place + move[0, 1] * self.velocity,
            velocity=left * self.velocity,
            covariance=move @ self.covariance @ move.T + noise,
        )

    def corrected(self, place: Array, spread: float) -> Course:
        """With a place (2,) seen now, of that standard deviation."""
        gain = self.covariance[:, 0] / (self.covariance[0, 0] + spread**2)
        miss = place - self.place
        return replace(
            self,
            place=self.place + gain[0] * miss,
            velocity=self.velocity + gain[1] * miss,
            covariance=self.covariance - np.outer(gain, self.covariance[0]),
        )
