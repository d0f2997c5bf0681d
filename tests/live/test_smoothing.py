from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ampose import Camera, FramePoses
from ampose.live import Smoother

Array = NDArray[np.floating]


class Mean:
    """Gives the mean of all it has seen."""

    def __init__(self) -> None:
        self.seen: list[Array] = []

    def update(self, values: Array, time: float) -> Array:
        self.seen.append(values.copy())
        return np.mean(self.seen, axis=0)


def frame(time: float, **people: float) -> FramePoses:
    values = np.array(list(people.values()), np.float32)
    return FramePoses(
        0,
        time,
        "camera:0",
        np.zeros((4, 6, 3), np.uint8),
        Camera.assumed((6, 4)),
        np.array([int(name[1:]) for name in people], np.int64),
        *(
            np.broadcast_to(values.reshape(-1, *[1] * len(tail)), (len(people), *tail)).copy()
            for tail in ((17, 3), (3,), (17, 3), (17, 2), (17,))
        ),
    )


def test_everybody_is_filtered_alone() -> None:
    smooth = Smoother(Mean, Mean)
    smooth(frame(0, p4=1, p7=10))
    given = frame(0.1, p7=20, p4=3)
    result = smooth(given)
    assert result.joints[:, 5, 1].tolist() == [15, 2]
    assert result.root[:, 2].tolist() == [15, 2]
    for key in ("keypoints", "sigma", "scores", "ids", "image"):
        assert getattr(result, key) is getattr(given, key)
    assert given.joints[0, 0, 0] == 20  # what came in is as it was


def test_who_was_away_for_long_starts_anew() -> None:
    smooth = Smoother(Mean, Mean)
    smooth(frame(0, p1=1))
    smooth(frame(0.5))
    assert smooth(frame(0.9, p1=3)).joints[0, 0, 0] == 2
    smooth(frame(1.5))
    assert smooth(frame(2.5, p1=7)).joints[0, 0, 0] == 7


def test_who_stays_for_long_is_remembered() -> None:
    smooth = Smoother(Mean, Mean)
    for second in range(4):
        last = smooth(frame(0.9 * second, p1=second))
    assert last.joints[0, 0, 0] == 1.5


def test_nobody() -> None:
    assert Smoother(Mean, Mean)(frame(0)).joints.shape == (0, 17, 3)
