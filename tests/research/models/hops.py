"""Distances on a skeleton by walking it, for tests of what reaches how far."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def hops_between(joints: int, links: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    """Fewest links from each joint to each other, (J, J); infinity where there is no way."""
    distance = np.full((joints, joints), np.inf)
    np.fill_diagonal(distance, 0)
    for one, other in links:
        distance[one, other] = distance[other, one] = 1
    for through in range(joints):  # Floyd and Warshall
        distance = np.minimum(distance, distance[:, through, None] + distance[through])
    return distance
