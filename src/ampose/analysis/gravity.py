"""Which way is up for angles, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.motion.floor import PITCH_SIGMA, ROLL_SIGMA
from ampose.poses import PoseSequence

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Gravity:
    """Up in camera axes.

    Attributes:
        up: (3,) unit vector against gravity.
        tilts: (2, 3) two independent errors of `up`: across it and each other, as long as their
            standard deviation in radians; NaN where it is not known.
        source: what it rests on, a sentence.
    """

    up: Array
    tilts: Array
    source: str

    @property
    def sigma_degrees(self) -> float:
        """Standard deviation of the angle between `up` and true up."""
        return float(np.degrees(np.linalg.norm(self.tilts)))


def gravity_of(sequence: PoseSequence) -> Gravity:
    """Up from the sequence's world; without one, cameras are taken to be held level.

    The assumption comes with the error bar of how level cameras are held, so that it shows where
    it matters.
    """
    frame = sequence.world_frame
    if frame and sequence.cameras:
        up = np.asarray(sequence.cameras[0].rotation[:, 1], np.float64)
        sigma = np.radians(float(frame.get("tilt_sigma_degrees", np.nan)))
        # Only the size of the error is known, so both directions have their share.
        _, _, across = np.linalg.svd(up[None])
        rests = f" from {frame['rests_on']}" if "rests_on" in frame else ""
        return Gravity(up, across[1:] * (sigma / np.sqrt(2)), f"Up is estimated{rests}.")
    pitch, roll = np.radians([PITCH_SIGMA, ROLL_SIGMA])
    return Gravity(
        np.array([0.0, -1, 0]),
        np.array([[0, 0, pitch], [roll, 0, 0]]),
        "Up is not known: the recording has no world, so the camera is assumed to be held level.",
    )
