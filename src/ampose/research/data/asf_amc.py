"""Acclaim's pair of motion capture files: ASF, a skeleton, and AMC, its movement.

An ASF file has sections that begin with a colon. ``:units`` gives ``length`` and ``angle``;
``:root`` the order of the root's six channels; ``:bonedata``, between ``begin`` and ``end``, a
bone's ``direction`` and ``length`` in the pose without movement, ``axis``, three angles that turn
its own axes, and ``dof``, the angles that move it; ``:hierarchy`` a parent and its children per
line. An AMC file gives, after each frame's number, one line per bone that moves: its name and its
angles. Nothing says how many frames make a second.

A bone turns by ``C M C^-1`` against its parent, C from ``axis`` and M from its angles, both
``Rz Ry Rx`` where the order is X, Y, Z (the first-named turns first). It begins where its parent
ends and ends at ``direction * length`` beyond, turned. As in the libraries of CMU and of HDM05, a
length divided by the ``length`` of ``:units`` is inches (mocap.cs.cmu.edu/faqs.php), and angles
are degrees.

Source: Lander, "Working with Motion Capture File Formats", Game Developer, January 1998.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.research.data.motion_files import brief, euler_rotations, lines, numbers, wrong
from ampose.research.data.pose_set import DatasetError

Array = NDArray[np.floating]
Lines = list[tuple[int, list[str]]]

ROOT = "root"

_INCH_METRES = 0.0254
_TURNS = {"rx": 0, "ry": 1, "rz": 2}
_PLACES = ("tx", "ty", "tz")
_SECTIONS = (":units", ":root", ":bonedata", ":hierarchy")


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone of a skeleton.

    Attributes:
        name: such as ``"lfemur"``.
        parent: name of the bone at whose end it begins, or `ROOT`.
        offset: (3,) metres, from its beginning to its end in the pose without movement.
        axes: (3, 3) rotation from its own axes to the file's in that pose.
        turns: axes (0, 1 or 2) about which its channels turn it, in the order of turning.
    """

    name: str
    parent: str
    offset: Array
    axes: Array
    turns: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class AsfSkeleton:
    """What an ASF file holds.

    Attributes:
        path: of the file.
        unit: metres per unit of length.
        root_channels: their order, ``"tx"`` to ``"rz"``.
        bones: parents before children.
    """

    path: Path
    unit: float
    root_channels: tuple[str, ...]
    bones: tuple[Bone, ...]

    @property
    def channel_counts(self) -> dict[str, int]:
        """Channels of the root and of every bone, in the order of a motion's columns."""
        return {ROOT: len(self.root_channels)} | {b.name: len(b.turns) for b in self.bones}

    def bone_ends(self, motion: Array) -> dict[str, Array]:
        """Where every bone ends and, as `ROOT`, where the root is: forward kinematics.

        Args:
            motion: (F, C) as from `read_amc`.

        Returns:
            Name to (F, 3) metres, axes of the file: y is up in both libraries.
        """
        counts = self.channel_counts
        parts = np.split(motion, np.cumsum(list(counts.values()))[:-1], axis=1)
        channels = dict(zip(counts, parts, strict=True))
        root = dict(zip(self.root_channels, channels[ROOT].T, strict=True))
        order = [name for name in self.root_channels if name in _TURNS]
        places: dict[str, Array] = {
            ROOT: np.stack([root[name] for name in _PLACES], axis=1) * self.unit
        }
        turned = {
            ROOT: _turned([_TURNS[name] for name in order], np.stack([root[n] for n in order], 1))
        }
        for bone in self.bones:
            rotation = turned[bone.parent]
            if bone.turns:
                moved = _turned(bone.turns, channels[bone.name])
                rotation = rotation @ (bone.axes @ moved @ bone.axes.T)
            turned[bone.name] = rotation
            places[bone.name] = places[bone.parent] + rotation @ bone.offset
        return places


def _turned(axes: Sequence[int], degrees: Array) -> Array:
    """Rotations (F, 3, 3) by angles (F, K), of which the first turns first."""
    return euler_rotations(axes[::-1], degrees[:, ::-1])


def read_asf(path: Path) -> AsfSkeleton:
    """Reads a skeleton.

    Raises:
        DatasetError: the file cannot be read, is cut short or of another kind, or holds what is
            not read: angles in radians, channels other than a place for the root and turns, a
            root that does not start from zero.
    """
    sections = _sections(path)
    unit = _unit(path, sections[":units"])
    root_channels = _root_channels(path, sections[":root"])
    parents = _parents(path, sections[":hierarchy"])
    bones = {b.name: b for b in _bones(path, sections[":bonedata"], parents, unit)}
    for line, parent, child in parents.values():
        for name in (parent, child):
            if name not in bones and name != ROOT:
                raise wrong(path, line, f"no bone {brief([name])} in :bonedata")
    sorted_bones: list[Bone] = []
    known = {ROOT}
    while ready := [b for b in bones.values() if b.parent in known and b.name not in known]:
        sorted_bones += ready
        known.update(bone.name for bone in ready)
    if loose := bones.keys() - known:
        line = parents[min(loose)][0]
        raise wrong(path, line, f"{min(loose)} does not hang on the root")
    return AsfSkeleton(path, unit, root_channels, tuple(sorted_bones))


def _sections(path: Path) -> dict[str, Lines]:
    sections: dict[str, Lines] = {}
    current: Lines | None = None
    for line, words in lines(path):
        if words[0].startswith(":"):
            current = sections.setdefault(words[0].lower(), [])
        elif current is None:
            raise wrong(path, line, f"an ASF file begins with :version, got {brief(words)}")
        else:
            current.append((line, words))
    if missing := [name for name in _SECTIONS if name not in sections]:
        raise DatasetError(
            f"{path}: no section {', '.join(missing)}; it is no ASF file or is cut short"
        )
    return sections


def _unit(path: Path, section: Lines) -> float:
    for line, words in section:
        if words[0] == "angle" and words[1:] != ["deg"]:
            raise wrong(path, line, f"only angles in deg are read, got {brief(words)}")
    for line, words in section:
        if words[0] == "length":
            (length,) = _numbers(path, line, words[1:], 1)
            if length <= 0:
                raise wrong(path, line, f"a length above 0 needed, got {brief(words)}")
            return _INCH_METRES / length
    raise DatasetError(f"{path}: no length in :units")


def _root_channels(path: Path, section: Lines) -> tuple[str, ...]:
    keys = {words[0]: (line, words[1:]) for line, words in section}
    for key in ("order", "axis", "position", "orientation"):
        if key not in keys:
            raise DatasetError(f"{path}: no {key} in :root")
    line, words = keys["order"]
    order = tuple(word.lower() for word in words)
    if sorted(order) != sorted((*_PLACES, *_TURNS)):
        raise wrong(path, line, f"TX TY TZ RX RY RZ in some order needed, got {brief(words)}")
    line, words = keys["axis"]
    if [f"r{axis.lower()}" for axis in "".join(words)] != [n for n in order if n in _TURNS]:
        raise wrong(
            path, line, f"another order of turns than that of the channels: {brief(words)}"
        )
    for key in ("position", "orientation"):
        line, words = keys[key]
        if any(_numbers(path, line, words, 3)):
            raise wrong(path, line, f"only a root that starts from 0 0 0 is read: {brief(words)}")
    return order


def _parents(path: Path, section: Lines) -> dict[str, tuple[int, str, str]]:
    """Child to the line that names it, its parent, and itself."""
    parents: dict[str, tuple[int, str, str]] = {}
    for line, (parent, *children) in section:
        if parent in ("begin", "end"):
            continue
        for child in children:
            if child in parents or child == ROOT:
                raise wrong(path, line, f"{brief([child])} gets a second parent")
            parents[child] = line, parent, child
    return parents


def _bones(
    path: Path, section: Lines, parents: Mapping[str, tuple[int, str, str]], unit: float
) -> Iterator[Bone]:
    record: dict[str, tuple[int, list[str]]] | None = None
    found: set[str] = set()
    line = 1
    for line, words in section:
        if words[0] == "begin" and record is None:
            record = {}
        elif record is None:
            raise wrong(path, line, f"begin expected, got {brief(words)}")
        elif words[0] == "end":
            for key in ("name", "direction", "length", "axis"):
                if not record.get(key, (line, []))[1]:
                    raise wrong(path, line, f"the bone that ends here has no {key}")
            bone = _bone(path, record, parents, unit)
            if bone.name in found:
                raise wrong(path, line, f"a second bone {bone.name}")
            found.add(bone.name)
            yield bone
            record = None
        else:  # of limits, further lines begin with a bracket
            record[words[0]] = line, words[1:]
    if record is not None:
        raise wrong(path, line, "the file ends or goes on before the bone's end")


def _bone(
    path: Path,
    record: Mapping[str, tuple[int, list[str]]],
    parents: Mapping[str, tuple[int, str, str]],
    unit: float,
) -> Bone:
    line, (name, *_) = record["name"]
    if name not in parents:
        raise wrong(path, line, f"{brief([name])} is not in :hierarchy")
    (length,) = _numbers(path, *record["length"], 1)
    direction = _numbers(path, *record["direction"], 3)
    line, (*angles, order) = record["axis"]
    axes = [f"r{axis.lower()}" for axis in order]
    if sorted(axes) != list(_TURNS):
        raise wrong(
            path, line, f"three angles and XYZ in some order needed, got {brief([*angles, order])}"
        )
    own = _turned([_TURNS[axis] for axis in axes], np.array([_numbers(path, line, angles, 3)]))
    line, words = record.get("dof", (line, []))
    turns = [word.lower() for word in words]
    if len({*turns} & {*_TURNS}) != len(turns):
        raise wrong(path, line, f"only rx, ry and rz are read, got {brief(words)}")
    return Bone(
        name,
        parents[name][1],
        np.array(direction) * length * unit,
        own[0],
        tuple(_TURNS[turn] for turn in turns),
    )


def _numbers(path: Path, line: int, words: list[str], count: int) -> list[float]:
    if len(words) != count:
        raise wrong(path, line, f"{count} number(s) needed, got {brief(words)}")
    return numbers(path, line, words)


def read_amc(path: Path, skeleton: AsfSkeleton) -> Array:
    """Reads the movement of a skeleton.

    Returns:
        (F, C) float64, degrees and the skeleton's unit of length: the channels of the root, then
        those of every bone in the order of `AsfSkeleton.bones`.

    Raises:
        DatasetError: the file cannot be read, holds no frame or ends within one, does not fit the
            skeleton, or its frames' numbers do not follow each other.
    """
    counts = skeleton.channel_counts
    order: list[str] = []
    values = array("d")
    for frame in _frames(path):
        order = order or _order(path, frame, skeleton)
        for line, words in _in_order(path, frame, order):
            if len(words) - 1 != counts[words[0]]:
                raise wrong(
                    path,
                    line,
                    f"{words[0]} has {counts[words[0]]} channel(s) in {skeleton.path.name}, "
                    f"got {brief(words)}",
                )
            values.extend(numbers(path, line, words[1:]))
    names = np.repeat(order, [counts[name] for name in order])
    columns = np.concatenate([np.flatnonzero(names == name) for name in counts])
    return np.asarray(np.frombuffer(values).reshape(-1, len(names))[:, columns])


@dataclass(frozen=True)
class _Frame:
    line: int
    number: int
    bones: Lines


def _frames(path: Path) -> Iterator[_Frame]:
    frame: _Frame | None = None
    for line, words in lines(path):
        if words[0].startswith(":"):
            if words[0].upper() == ":RADIANS":
                raise wrong(path, line, "only angles in degrees are read")
        elif len(words) == 1 and words[0].isdecimal() and len(words[0]) < 10:
            number = int(words[0])
            if frame is not None:
                yield frame
                if number != frame.number + 1:
                    raise wrong(path, line, f"frame {frame.number + 1} expected, got {number}")
            frame = _Frame(line, number, [])
        elif frame is None:
            raise wrong(path, line, f"the number of a frame expected, got {brief(words)}")
        else:
            frame.bones.append((line, words))
    if frame is None:
        raise DatasetError(f"{path}: no frame; it is no AMC file or is cut short")
    yield frame


def _order(path: Path, frame: _Frame, skeleton: AsfSkeleton) -> list[str]:
    """Names in the order of the first frame, which every other frame must have."""
    counts = skeleton.channel_counts
    order: list[str] = []
    for line, words in frame.bones:
        if words[0] not in counts:
            raise wrong(path, line, f"{skeleton.path.name} has no bone {brief(words[:1])}")
        if words[0] in order:
            raise wrong(path, line, f"a second {words[0]} in frame {frame.number}")
        order.append(words[0])
    if missing := [name for name, count in counts.items() if count and name not in order]:
        raise wrong(path, frame.line, f"frame {frame.number} lacks {', '.join(missing)}")
    return order


def _in_order(path: Path, frame: _Frame, order: list[str]) -> Lines:
    for (line, words), name in zip(frame.bones, [*order, "the next frame"], strict=False):
        if words[0] != name:
            raise wrong(path, line, f"{name} expected, got {brief(words)}")
    if len(frame.bones) < len(order):
        line = frame.bones[-1][0] if frame.bones else frame.line
        absent = order[len(frame.bones)]
        raise wrong(path, line, f"frame {frame.number} ends here, before {absent}")
    return frame.bones
