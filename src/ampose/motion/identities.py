"""Who is who, from frame to frame: 2D poses given to the people known so far, as they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ampose.detection.similarity import body_area, box_iou, oks, prominence
from ampose.errors import InputError
from ampose.motion.prediction import Course
from ampose.poses import Pose2D

Array = NDArray[np.floating]

REMEMBER_SECONDS = 2.0
"""Somebody seen again within this time is who they were; later, a newcomer."""

MIN_SIMILARITY = 0.1
"""Least mean of OKS and IoU at which a pose may be the person predicted there."""

SAME_OKS = 0.5
"""Two poses more alike than this in one frame are one person, or one of them is no newcomer."""

SAME_IOU = 0.5
"""A pose whose box overlaps somebody present more than this is no newcomer."""

_PLACE_SPREAD = 0.03
"""How far a place read from joints is off, standard deviation, body sizes."""

_SURE_SPREAD = 0.25
"""Body sizes; a match with a prediction whose spread is as large as this counts half."""

_BACK = 0.7
"""Weight of being seen where last seen, stopped or turned back, instead of further on."""

_JUMP_SPREAD = 0.05
"""Standard deviation of a body's jumps beyond what a prediction allows for, body sizes."""

_JUMP_TAIL = 3.0
"""Degrees of freedom of jumps: detectors make far ones more often than a Gaussian would."""

_JUMP_GROWTH = 1.5
"""A pose that is larger or smaller by more than this is not somebody who jumped."""

_FEWEST_JOINTS = 3
"""Joints seen in both poses to tell where a body went; with fewer the box tells."""


@dataclass(frozen=True, eq=False)
class _Person:
    """Somebody known.

    Attributes:
        pose: as last seen.
        read: (2,) place read from the poses: the first box's middle, and what the joints have
            moved since. The course's place is the same without the noise.
        course: when last seen.
        time: when last seen, seconds.
        frame: number of the frame they were last seen in.
    """

    id: int
    pose: Pose2D
    read: Array
    course: Course
    time: float
    frame: int

    @classmethod
    def appearing(cls, identity: int, pose: Pose2D, time: float, frame: int) -> _Person:
        read = np.asarray((pose.box[:2] + pose.box[2:]) / 2, np.float64)
        size = _size(pose)
        course = Course.starting(read, _PLACE_SPREAD * size, size)
        return cls(identity, replace(pose, id=identity), read, course, time, frame)

    def at(self, time: float) -> Prediction:
        course = self.course.after(max(0.0, time - self.time), _size(self.pose))
        return Prediction(_moved(self.pose, course.place - self.read), self.pose, course)

    def seen(self, pose: Pose2D, predicted: Prediction, time: float, frame: int) -> _Person:
        read = self.read + _shift(self.pose, pose)
        course = predicted.course.corrected(read, _PLACE_SPREAD * _size(pose))
        return _Person(self.id, replace(pose, id=self.id), read, course, time, frame)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Where somebody should be.

    Attributes:
        pose: as last seen, moved on.
        last: as last seen.
        course: place and velocity, and how sure they are.
    """

    pose: Pose2D
    last: Pose2D
    course: Course

    def similarity(self, pose: Pose2D) -> float:
        """Mean of OKS and IoU, 0 to 1, as forgiving as the prediction is unsure.

        Who was hidden may have stopped, and who left the picture turns up where they left it: the
        place where they were last counts too, if for less.
        """
        slack = self.course.spread
        on, back = (
            (oks(place, pose, slack) + box_iou(place, pose, slack)) / 2
            for place in (self.pose, self.last)
        )
        return max(on, _BACK * back)

    def worth(self, pose: Pose2D) -> float:
        """What a match counts: similarity, less where the body jumps, and where little is sure.

        OKS and IoU forgive a jump that no body makes, as when a crop slides to somebody else.
        """
        variance = self.course.spread**2
        size = _size(self.pose)
        jump = _shift(self.pose, pose)
        likely = 1 + float(jump @ jump) / (_JUMP_TAIL * (variance + (_JUMP_SPREAD * size) ** 2))
        unsure = 1 + variance / (_SURE_SPREAD * size) ** 2
        return self.similarity(pose) / (likely * unsure)


class Identities:
    """Gives the people of each frame their identities; causal, and its memory is bounded.

    Everybody known is predicted to the frame's time (`ampose.motion.prediction`). A pose may be a
    person if it is similar to the prediction: the mean of OKS and box IoU, the more forgiving the
    less sure the prediction is. Of what may be, poses and people are matched one to one so that
    the sum of `Prediction.worth` is the largest. Who is not matched is remembered and predicted
    on for `remember` seconds. A pose left over that lies on somebody present shows that person
    again; else it is whoever was there a frame ago, within a body's length of it, or a newcomer.
    Identities count up from 0 in order of appearance, the most prominent first.

    The constants were tuned on cmu-val (``benchmarks/tracking.py``, mostly on draws of other
    seeds); `_BACK` and `_SURE_SPREAD`, which matter little there, on crossings made up from
    Pose2Sim's four clips. The growth allowed in a jump was not tuned.

    Args:
        remember: seconds.

    Raises:
        InputError: `remember` is negative or not a number.
    """

    def __init__(self, *, remember: float = REMEMBER_SECONDS) -> None:
        if not remember >= 0:
            raise InputError(f"people are remembered for 0 seconds or more, got {remember:g}")
        self._remember = remember
        self._people: list[_Person] = []  # by id
        self._next = 0
        self._frame = -1

    @property
    def missing(self) -> int:
        """How many people are remembered but were not seen in the last frame."""
        return sum(person.frame < self._frame for person in self._people)

    def expected(self, time: float) -> list[Pose2D]:
        """The people of the last frame, by id, where they should be at a later time."""
        return [p.at(time).pose for p in self._people if p.frame == self._frame]

    def update(self, poses: Sequence[Pose2D], time: float) -> list[Pose2D]:
        """The people of the next frame.

        Args:
            poses: everything found in it, in any order.
            time: of the frame, seconds.

        Returns:
            The poses with their identities, by identity; without those that show somebody again.
        """
        self._forget(time)
        self._frame += 1
        poses = sorted(poses, key=prominence, reverse=True)
        predicted = [person.at(time) for person in self._people]
        matches = _assigned(predicted, poses)
        for row, column in matches:
            self._people[row] = self._people[row].seen(
                poses[column], predicted[row], time, self._frame
            )
        matched = {column for _, column in matches}
        for column, pose in enumerate(poses):
            if column not in matched and not self._shows_somebody(pose):
                self._place(pose, time)
        return [person.pose for person in self._people if person.frame == self._frame]

    def _place(self, pose: Pose2D, time: float) -> None:
        """Somebody who was there a frame ago and jumped, or else a newcomer."""
        gaps = {
            index: _gap(person.pose, pose)
            for index, person in enumerate(self._people)
            if person.frame == self._frame - 1
        }
        nearest = min(gaps, key=gaps.__getitem__, default=-1)
        if nearest >= 0 and gaps[nearest] <= 1:
            identity = self._people[nearest].id
            self._people[nearest] = _Person.appearing(identity, pose, time, self._frame)
        else:
            self._people.append(_Person.appearing(self._next, pose, time, self._frame))
            self._next += 1

    def _forget(self, time: float) -> None:
        # A gap between two frames is nobody's absence: nobody looked.
        self._people = [
            p for p in self._people if p.frame == self._frame or time - p.time <= self._remember
        ]

    def _shows_somebody(self, pose: Pose2D) -> bool:
        present = [person.pose for person in self._people if person.frame == self._frame]
        return any(
            oks(pose, other) > SAME_OKS or box_iou(pose, other) > SAME_IOU for other in present
        )


def _assigned(predicted: list[Prediction], poses: list[Pose2D]) -> list[tuple[int, int]]:
    """Pairs of (person, pose) with the largest sum of what they are worth."""
    worth = np.zeros((len(predicted), len(poses)))
    for row, person in enumerate(predicted):
        for column, pose in enumerate(poses):
            if person.similarity(pose) >= MIN_SIMILARITY:
                worth[row, column] = person.worth(pose)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if worth[r, c] > 0]


def _size(pose: Pose2D) -> float:
    """A length that stands for the body, pixels; about half of a standing person's height."""
    return float(np.sqrt(max(body_area(pose), 1.0)))


def _gap(before: Pose2D, after: Pose2D) -> float:
    """Between the boxes' middles, in longer sides; infinite where these differ too much."""
    sides = [float((pose.box[2:] - pose.box[:2]).max()) for pose in (before, after)]
    if not max(sides) <= _JUMP_GROWTH * min(sides):
        return np.inf
    return float(np.linalg.norm(_box_shift(before, after))) / max(*sides, 1.0)


def _shift(before: Pose2D, after: Pose2D) -> Array:
    """(2,) pixels, the median of the joints' movement; the box's where few are seen in both."""
    shared = before.seen & after.seen
    if shared.sum() < _FEWEST_JOINTS:
        return _box_shift(before, after).astype(np.float64)
    return np.asarray(np.median((after.keypoints - before.keypoints)[shared], axis=0), np.float64)


def _box_shift(before: Pose2D, after: Pose2D) -> Array:
    """(2,) pixels that the middle of the box moved."""
    return np.asarray((after.box - before.box).reshape(2, 2).mean(0))


def _moved(pose: Pose2D, shift: Array) -> Pose2D:
    shift = shift.astype(np.float32)
    return replace(pose, keypoints=pose.keypoints + shift, box=pose.box + np.tile(shift, 2))
