"""Biovision's motion capture file, BVH: a skeleton and its movement in one file.

``HIERARCHY`` nests joints in braces. Each has an ``OFFSET`` from its parent in the pose without
movement and ``CHANNELS``, the values that move it: places, which add to the offset, and turns,
applied in their order from left to right (``Zrotation Yrotation Xrotation`` is ``Rz Ry Rx``). An
``End Site`` has an offset alone. ``MOTION`` gives the number of frames, the seconds of one, and a
line per frame with the channels of all joints in their order. Nothing says what the unit of length
is.

Source: Meredith and Maddock, "Motion Capture File Formats Explained", University of Sheffield,
CS-01-11, 2001.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.research.data.motion_files import brief, euler_rotations, lines, numbers, wrong
from ampose.research.data.pose_set import DatasetError

Array = NDArray[np.floating]

_AXES = "XYZ"
_PLACES = tuple(f"{axis}position" for axis in _AXES)
_TURNS = tuple(f"{axis}rotation" for axis in _AXES)


@dataclass(frozen=True, eq=False)
class Joint:
    """One joint.

    Attributes:
        name: an ``End Site`` is called after its parent, such as ``"Head end"``.
        parent: index of its parent; -1 for the root.
        offset: (3,) from its parent, unit and axes of the file.
        channels: such as ``("Zrotation", "Yrotation", "Xrotation")``.
    """

    name: str
    parent: int
    offset: Array
    channels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bvh:
    """What a BVH file holds.

    Attributes:
        joints: parents before children.
        motion: (F, C) float64, the channels of all joints, degrees and the file's unit of length.
        frame_time: seconds.
    """

    joints: tuple[Joint, ...]
    motion: Array
    frame_time: float

    def joint_places(self, unit: float) -> dict[str, Array]:
        """Where every joint is: forward kinematics.

        Args:
            unit: metres per unit of length.

        Returns:
            Name to (F, 3) metres, axes of the file.
        """
        places: list[Array] = []
        turned: list[Array] = []
        first = 0
        for joint in self.joints:
            values = self.motion[:, first : first + len(joint.channels)]
            first += len(joint.channels)
            place = np.tile(joint.offset, (len(values), 1))
            for k, channel in enumerate(joint.channels):
                if channel in _PLACES:
                    place[:, _PLACES.index(channel)] += values[:, k]
            turns = [k for k, channel in enumerate(joint.channels) if channel in _TURNS]
            axes = [_TURNS.index(joint.channels[k]) for k in turns]
            rotation = euler_rotations(axes, values[:, turns]) if axes else np.eye(3)
            if joint.parent >= 0:
                parent = turned[joint.parent]
                place = places[joint.parent] + (parent @ place[..., None])[..., 0]
                rotation = parent @ rotation
            places.append(place)
            turned.append(rotation)
        return {j.name: place * unit for j, place in zip(self.joints, places, strict=True)}


def read_bvh(path: Path) -> Bvh:
    """Reads a file.

    Raises:
        DatasetError: the file cannot be read, is cut short or of another kind, its braces do not
            match, two joints have one name, a frame has another number of values than there are
            channels, or there are not as many frames as it says.
    """
    reader = _Reader(path)
    joints = _joints(reader)
    if reader.after("MOTION"):
        raise reader.wrong("nothing may follow MOTION on its line")
    count = "".join(reader.after("Frames:"))
    if not count.isdecimal() or not 0 < len(count) < 10 or not int(count):
        raise reader.wrong(f"a number of frames needed, got {brief([count])}")
    (frame_time,) = reader.numbers(reader.after("Frame", "Time:"), 1)
    if frame_time <= 0:
        raise reader.wrong(f"a time above 0 needed, got {frame_time:g}")
    channels = sum(len(joint.channels) for joint in joints)
    values = array("d")
    for frame in range(int(count)):
        values.extend(reader.numbers(reader.next(f"frame {frame + 1} of {count}"), channels))
    if not reader.at_end():
        raise reader.wrong(f"more lines than the {count} frames that the file announces")
    return Bvh(joints, np.frombuffer(values).reshape(-1, channels), frame_time)


class _Reader:
    """Goes through the lines of a file; its errors name the one where it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 1
        self._rest = lines(path)

    def wrong(self, finding: str) -> DatasetError:
        return wrong(self._path, self._line, finding)

    def next(self, wanted: str) -> list[str]:
        """The words of the next line, where `wanted` should be."""
        try:
            self._line, words = next(self._rest)
        except StopIteration:
            raise self.wrong(f"the file ends before {wanted}") from None
        return words

    def at_end(self) -> bool:
        try:
            self._line, _ = next(self._rest)
        except StopIteration:
            return True
        return False

    def after(self, *start: str) -> list[str]:
        """What follows `start` on the next line."""
        words = self.next(" ".join(start))
        if words[: len(start)] != list(start):
            raise self.wrong(f"{' '.join(start)} expected, got {brief(words)}")
        return words[len(start) :]

    def numbers(self, words: list[str], count: int) -> list[float]:
        if len(words) != count:
            raise self.wrong(f"{count} number(s) needed, got {len(words)}: {brief(words)}")
        return numbers(self._path, self._line, words)


def _joints(reader: _Reader) -> tuple[Joint, ...]:
    joints: list[Joint] = []
    parents = [-1]  # from the root to where the reader is
    if reader.after("HIERARCHY"):
        raise reader.wrong("nothing may follow HIERARCHY on its line")
    while not joints or len(parents) > 1:
        words = reader.next("the end of the hierarchy")
        if words == ["}"] and joints:
            parents.pop()
            continue
        match words:
            case ["ROOT", name] if not joints:
                joint = _joint(reader, name, -1)
            case ["JOINT", name] if joints:
                joint = _joint(reader, name, parents[-1])
            case ["End", "Site"] if joints:
                joint = _joint(reader, f"{joints[parents[-1]].name} end", parents[-1], moves=False)
            case _:
                wanted = "JOINT, End Site or }" if joints else "ROOT"
                raise reader.wrong(f"{wanted} expected, got {brief(words)}")
        if any(joint.name == other.name for other in joints):
            raise reader.wrong(f"a second joint {brief([joint.name])}")
        parents.append(len(joints))
        joints.append(joint)
    return tuple(joints)


def _joint(reader: _Reader, name: str, parent: int, *, moves: bool = True) -> Joint:
    if reader.after("{"):
        raise reader.wrong("nothing may follow { on its line")
    offset = np.array(reader.numbers(reader.after("OFFSET"), 3))
    if not moves:
        return Joint(name, parent, offset, ())
    count, *channels = reader.after("CHANNELS") or [""]
    known = {*_PLACES, *_TURNS} & {*channels}
    if count != str(len(channels)) or len(known) != len(channels):
        raise reader.wrong(
            f"CHANNELS, their number, and as many of {', '.join((*_PLACES, *_TURNS))} needed"
        )
    return Joint(name, parent, offset, tuple(channels))
