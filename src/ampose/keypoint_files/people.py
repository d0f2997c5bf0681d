"""People found one by one, arranged as arrays of frames and persons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]
Frame = TypeVar("Frame", int, str)

MAX_BYTES = 2 * 1024**3
"""No file, and no array made of one, may be larger than this."""


class Person(NamedTuple, Generic[Frame]):
    """One person in one frame.

    Attributes:
        frame: number or name of the frame.
        identity: the same in every frame; None where the file has none.
        points: (J, 3) float64: x, y in pixels and score.
    """

    frame: Frame
    identity: int | None
    points: Array


class Arranged(NamedTuple):
    """`points` (T, P, J, 3) float32, `ids` (P,) int64 or None, and warnings."""

    points: Array
    ids: NDArray[np.int64] | None
    warnings: tuple[str, ...]


def arrange(
    people: Sequence[Person[Frame]], frames: Sequence[Frame], skeleton: Skeleton
) -> Arranged:
    """One row per frame, in the order of `frames`, and one column per person.

    Where every person has an identity, each identity is a column, in rising order. Otherwise
    columns follow the order of the people in each frame.

    Raises:
        InputError: a wrong number of joints, an identity twice in a frame, or arrays too large.
    """
    tracked = bool(people) and all(person.identity is not None for person in people)
    slots = _identities(people) if tracked else _places(people)
    ids = sorted(set(slots))
    shape = (len(frames), len(ids), len(skeleton), 3)
    if np.prod(shape, dtype=float) * np.float32().itemsize > MAX_BYTES:
        raise InputError(f"{shape[0]} frames of {shape[1]} people are too many: split the file")
    points = np.full(shape, np.nan, np.float32)
    row_of = {frame: row for row, frame in enumerate(frames)}
    column_of = {slot: column for column, slot in enumerate(ids)}
    for person, slot in zip(people, slots, strict=True):
        if len(person.points) != len(skeleton):
            raise InputError(
                f"frame {person.frame!r}: {len(person.points)} joints, "
                f"{skeleton.name} has {len(skeleton)}"
            )
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, refused later
            points[row_of[person.frame], column_of[slot]] = person.points
    if tracked:
        return Arranged(points, np.array(ids, np.int64), ())
    loose = len(ids) > 1 and len(frames) > 1
    warning = "people have no identities in the file: they are told apart by their order only"
    return Arranged(points, None, (warning,) if loose else ())


def _identities(people: Sequence[Person[Frame]]) -> list[int]:
    seen = Counter((person.frame, person.identity) for person in people)
    for (frame, identity), times in seen.items():
        if times > 1:
            raise InputError(f"frame {frame!r}: person {identity} appears {times} times")
    return [person.identity for person in people if person.identity is not None]


def _places(people: Sequence[Person[Frame]]) -> list[int]:
    """The place of each person among those of the same frame."""
    counts: Counter[Frame] = Counter()
    places = []
    for person in people:
        places.append(counts[person.frame])
        counts[person.frame] += 1
    return places
