"""A squat whose angles follow a curve that is known, at any pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ampose.poses import PoseSequence
from tests.analysis.figure import BACK, DOWN, FORWARD, UP, figure, sequence, tilted, trunk

SECONDS = 4.0


def bend(time: np.ndarray, depth: float = 90) -> np.ndarray:
    """Knee flexion in degrees: stands 0.8 s, is down at 1.8 s, stands again at 2.8 s."""
    share = ((time - 0.8) / 2).clip(0, 1)
    return 8 + depth * np.sin(np.pi * share) ** 2


def squat(
    rate: float = 30,
    depth: float = 90,
    *,
    pace: Callable[[np.ndarray], np.ndarray] = lambda time: time,
    noise: np.ndarray | float = 0.0,
    start: float = 0.0,
    **changes: Any,
) -> PoseSequence:
    """Somebody who squats, both legs alike.

    Args:
        rate: frames per second.
        depth: of the squat, degrees.
        pace: where in the movement somebody is at a time.
        noise: degrees added to the knees.
        start: first time, seconds.
        changes: for `tests.analysis.figure.sequence`.
    """
    time = np.arange(0, SECONDS + 1e-9, 1 / rate)
    flexion = bend(pace(time), depth) + noise
    made = []
    for degrees in flexion:
        thigh = tilted(DOWN, FORWARD, degrees / 2)
        shank = tilted(DOWN, BACK, degrees / 2)
        lean = trunk(tilted(UP, FORWARD, degrees / 3))
        legs = {f"{side}_knee": thigh for side in ("left", "right")}
        legs |= {f"{side}_ankle": shank for side in ("left", "right")}
        made.append(figure(**lean, **legs))
    changes.setdefault("times", start + time)
    return sequence(np.stack(made)[:, None], rate=rate, **changes)
