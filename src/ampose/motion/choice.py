"""Which of several people are meant: the largest, the longest seen, an id, or who was clicked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.geometry import box_of_seen
from ampose.motion.identities import REMEMBER_SECONDS

Array = NDArray[np.floating]
Ids = NDArray[np.int64]

CLICK_MARGIN = 0.1
"""Share of the longer side of a box around joints: hands, feet and the skull reach further."""

_NUMBER = r"\s*\d+(?:\.\d*)?\s*"


@dataclass(frozen=True)
class Choice:
    """What the option ``--person`` says; see `parse_choice`.

    Attributes:
        rule: how people are chosen.
        id: the identity meant by "id".
        point: (x, y) pixels, what was clicked for "click".
    """

    rule: Literal["all", "largest", "longest", "id", "click"]
    id: int = 0
    point: tuple[float, float] = (0.0, 0.0)


def parse_choice(text: str) -> Choice:
    """The option's text: ``all``, ``largest``, ``longest``, an id, or ``X,Y`` in pixels.

    Raises:
        InputError: it is none of these.
    """
    word = text.strip().lower()
    if word in ("all", "largest", "longest"):
        return Choice(word)  # type: ignore[arg-type]
    if re.fullmatch(r"[0-9]{1,9}", word):
        return Choice("id", id=int(word))
    if re.fullmatch(f"{_NUMBER},{_NUMBER}", word, re.ASCII):
        x, y = map(float, word.split(","))
        return Choice("click", point=(x, y))
    raise InputError(
        f"--person must be all, largest, longest, an id such as 0, or a place X,Y in pixels, "
        f"got {text!r}"
    )


def chosen(choice: Choice, ids: Ids, keypoints: Array) -> list[int]:
    """Who is meant, of the people of a whole sequence.

    * largest: the box area, summed over the frames: large on average, and for long. A tie goes to
      the earlier one.
    * longest: in the most frames; of those equal, the largest.
    * click: whose box, a little enlarged, contains the point in the first frame in which anybody's
      does; of several the one whose middle is nearest.

    Args:
        choice: what the option says.
        ids: (P,) identities.
        keypoints: (T, P, J, 2) pixels, NaN where missing.

    Returns:
        Indices into the P people: all of them, or one. Where nobody was found, nobody is the
        largest or the longest.

    Raises:
        InputError: no such person; the message names the ids that exist.
    """
    if choice.rule == "all":
        return list(range(len(ids)))
    if choice.rule == "id":
        return [_with_id(choice.id, ids)]
    boxes = box_of_seen(keypoints)
    if choice.rule == "click":
        for frame in boxes:
            if (index := _clicked(choice.point, frame)) is not None:
                return [index]
        x, y = choice.point
        raise InputError(f"nobody is ever at {x:g},{y:g}; {_who(ids)}")
    if not len(ids):
        return []
    area = np.nan_to_num(_areas(boxes)).sum(0)
    frames = np.isfinite(boxes[..., 0]).sum(0)
    first, second = (area, frames) if choice.rule == "largest" else (frames, area)
    return [int(np.lexsort((-second, -first))[0])]


class LiveChoice:
    """Who is meant, frame by frame, without knowing what comes.

    Who was chosen stays so: "largest" until that person is gone for `remember` seconds, when the
    largest of those then there is chosen; "click" for good. "all" and "id" are as in `chosen`.

    Args:
        choice: what the option says.
        remember: seconds; as long as `Identities` remembers people.

    Raises:
        InputError: "longest", which is known only at the end.
    """

    def __init__(self, choice: Choice, *, remember: float = REMEMBER_SECONDS) -> None:
        if choice.rule == "longest":
            raise InputError(
                "--person longest needs the whole recording and cannot be had live; "
                "use largest, an id or a place X,Y"
            )
        self._choice = choice
        self._remember = remember
        self._id = choice.id if choice.rule == "id" else None
        self._seen_at = -np.inf

    def update(self, ids: Ids, keypoints: Array, time: float) -> list[int]:
        """Indices into the people of the next frame; none while whoever is meant is not there.

        Args:
            ids: (P,) identities.
            keypoints: (P, J, 2) pixels, NaN where missing.
            time: of the frame, seconds.
        """
        if self._choice.rule == "all":
            return list(range(len(ids)))
        boxes = box_of_seen(keypoints)
        there = np.isfinite(boxes[:, 0])
        if self._id is None or self._is_gone(time):
            self._id = self._newly_chosen(ids, boxes)
        found = [int(index) for index in np.flatnonzero((ids == self._id) & there)]
        if found:
            self._seen_at = time
        return found

    def _is_gone(self, time: float) -> bool:
        return self._choice.rule == "largest" and time - self._seen_at > self._remember

    def _newly_chosen(self, ids: Ids, boxes: Array) -> int | None:
        index: int | None = None
        if self._choice.rule == "click":
            index = _clicked(self._choice.point, boxes)
        elif np.isfinite(boxes).any():
            index = int(np.nanargmax(_areas(boxes)))
        return None if index is None else int(ids[index])


def _with_id(identity: int, ids: Ids) -> int:
    found = np.flatnonzero(ids == identity)
    if not len(found):
        raise InputError(f"there is no person {identity}; {_who(ids)}")
    return int(found[0])


def _who(ids: Ids) -> str:
    if not len(ids):
        return "nobody was found"
    return f"ids are {', '.join(str(identity) for identity in ids)}"


def _clicked(point: tuple[float, float], boxes: Array) -> int | None:
    """Which of the boxes (P, 4), enlarged, contains the point, its middle the nearest."""
    low, high = boxes[:, :2], boxes[:, 2:]
    margin = CLICK_MARGIN * (high - low).max(-1, keepdims=True, initial=0)
    inside = ((low - margin <= point) & (point <= high + margin)).all(-1)
    if not inside.any():
        return None
    away = np.linalg.norm((low + high) / 2 - point, axis=-1)
    return int(np.where(inside, away, np.inf).argmin())


def _areas(boxes: Array) -> Array:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(-1))
