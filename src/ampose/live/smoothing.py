"""Causal smoothing of everybody in a live run, each by filters of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ampose.poses import FramePoses

Array = NDArray[np.floating]

FORGET_SECONDS = 1.0
"""A person who was away for longer starts afresh: what the filter remembers no longer applies."""


class Filter(Protocol):
    """A causal filter of an array over time, such as a one-euro filter."""

    def update(self, values: Array, time: float) -> Array:
        """The filtered values; NaN where `values` is NaN. `time` in seconds, increasing."""


@dataclass
class _Person:
    joints: Filter
    root: Filter
    seen: float


class Smoother:
    """Filters joints and root of every identity; called with a frame, gives it smoothed.

    Args:
        joints: makes the filter of one person's joints (17, 3), metres.
        root: makes that of their root (3,), metres.
    """

    def __init__(self, joints: Callable[[], Filter], root: Callable[[], Filter]) -> None:
        self._make = joints, root
        self._people: dict[int, _Person] = {}

    def __call__(self, frame: FramePoses) -> FramePoses:
        """The frame with smoothed `joints` and `root`; frames come in order of time."""
        self._people = {
            identity: person
            for identity, person in self._people.items()
            if frame.time - person.seen <= FORGET_SECONDS
        }
        joints, root = frame.joints.copy(), frame.root.copy()
        for place, identity in enumerate(frame.ids.tolist()):
            person = self._people.get(identity)
            if person is None:
                make_joints, make_root = self._make
                person = _Person(make_joints(), make_root(), frame.time)
                self._people[identity] = person
            joints[place] = person.joints.update(joints[place], frame.time)
            root[place] = person.root.update(root[place], frame.time)
            person.seen = frame.time
        return replace(frame, joints=joints, root=root)
