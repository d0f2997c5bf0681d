"""Where heads are over time, so that they stay covered while the detector loses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.motion.prediction import Course
from ampose.poses import Pose2D
from ampose.render.faces import head_circles

Array = NDArray[np.floating]

HELD_SECONDS = 2.0
"""How long a head stays covered after it was last found."""

_BODY = 5.0
"""A body's size, as `Course` takes it, in radii of the head."""

_SPREAD = 0.15
"""Standard deviation of a head's place, in radii."""

_LARGEST = 4.0
"""A circle does not grow beyond this many times its radius."""


@dataclass
class _Head:
    course: Course
    circle: Array
    time: float


class Heads:
    """Circles around everybody's head, frame after frame; causal.

    A head that is found is covered where its joints are. One that is not found for sure stays
    covered for `HELD_SECONDS`: where it was last, and where it is expected by now, in circles that
    grow as this becomes less certain.
    """

    def __init__(self) -> None:
        self._heads: dict[int, _Head] = {}

    def update(self, people: Sequence[Pose2D], time: float) -> Array:
        """Circles (N, 3) of the next frame: x, y, radius in the pixels of the keypoints.

        Args:
            people: everybody found in the frame; those without a `Pose2D.id` are covered in this
                frame alone.
            time: of the frame, seconds, later than the last.
        """
        covered: list[Array] = []
        found: set[int] = set()
        for person in people:
            circles, sure = head_circles(
                person.keypoints[None], person.scores[None], person.skeleton
            )
            covered.append(circles[0])
            if sure[0] and person.id is not None:
                self._see(person.id, circles[0], time)
                found.add(person.id)
        self._heads = {
            identity: head
            for identity, head in self._heads.items()
            if time - head.time <= HELD_SECONDS
        }
        for identity, head in self._heads.items():
            if identity not in found:
                covered += _held(head, time)
        return np.reshape(covered, (-1, 3))

    def _see(self, identity: int, circle: Array, time: float) -> None:
        place, radius = circle[:2], float(circle[2])
        known = self._heads.get(identity)
        if known is None:
            course = Course.starting(place, _SPREAD * radius, _BODY * radius)
        else:
            course = known.course.after(max(0.0, time - known.time), _BODY * radius)
            course = course.corrected(place, _SPREAD * radius)
        self._heads[identity] = _Head(course, circle, time)


def heads_over_time(people: Sequence[Sequence[Pose2D]], times: Array) -> list[Array]:
    """Circles (N, 3) of every frame; heads are held after they are lost and before they are found.

    Args:
        people: everybody found in each frame, see `Heads.update`.
        times: (T,) seconds, rising.
    """
    ahead, back = Heads(), Heads()
    forward = [ahead.update(found, float(t)) for found, t in zip(people, times, strict=True)]
    frames = list(zip(people, times, strict=True))
    backward = [back.update(found, -float(time)) for found, time in reversed(frames)]
    return [
        np.unique(np.concatenate(both), axis=0)
        for both in zip(forward, reversed(backward), strict=True)
    ]


def _held(head: _Head, time: float) -> list[Array]:
    """Circles around a head that was not found: where it was last, and where it should be."""
    radius = float(head.circle[2])
    course = head.course.after(time - head.time, _BODY * radius)
    reach = min(radius + course.spread, _LARGEST * radius)
    return [np.array([*place, reach]) for place in (head.circle[:2], course.place)]
