"""GLB, the binary form of glTF 2.0: everybody in one file, with their true times.

Metres, y up; see `takes` for the axes, and `rig` for names and rest pose. Every person is a node
``Person <id>`` with the rig's joints below it, and a skin of sticks, one for each bone: blue left,
red right, grey between. Bind pose is the rest pose, standing on the floor; before anything plays,
nodes show the first pose. One animation holds all people. Its keyframes are the recording's frames
in which a person is there, at seconds since the first frame; while absent, a person has scale 0,
which hides them. Photos without times switch from pose to pose by the second.

The first frame's own time is ``start_seconds`` in ``asset.extras``, next to `takes.notes`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ampose._version import __version__
from ampose.export.gltf import BYTE, Document
from ampose.export.rig import PARENTS, RIG, rest_offsets
from ampose.export.sticks import SIDES, sticks
from ampose.export.takes import Take, has_times, notes, takes
from ampose.export.writing import replacing
from ampose.motion.bones import ANKLE_SHARE, stature
from ampose.poses import PoseSequence

Array = NDArray[np.floating]

COLOURS = {"centre": (0.2, 0.2, 0.2), "left": (0.0, 0.17, 0.45), "right": (0.67, 0.11, 0.0)}
"""Linear red, green and blue: grey, and Okabe and Ito's blue and vermilion."""


def write_glb(sequence: PoseSequence, path: Path | str) -> None:
    """Write everybody who is there in at least one frame; of nobody, an empty scene.

    Raises:
        InputError: the file cannot be written, or the joints are not Human3.6M's. Nothing is
            left behind.
    """
    document = Document()
    moving = has_times(sequence.times)
    people = takes(sequence)
    extras: dict[str, Any] = {"notes": list(notes(sequence, people))}
    if moving:
        extras["start_seconds"] = float(sequence.times[0])
    if people:
        for side in SIDES:
            surface = {"baseColorFactor": [*COLOURS[side], 1], "metallicFactor": 0}
            document.add("materials", {"name": side, "pbrMetallicRoughness": surface})
    motion = _Motion(document, "LINEAR" if moving else "STEP")
    roots = [root for take in people for root in _add_person(document, motion, take)]
    document.add("scenes", {"nodes": roots} if roots else {})
    if motion.channels:
        tracks = {"channels": motion.channels, "samplers": motion.samplers}
        document.add("animations", {"name": "Motion", **tracks})
    asset = {"generator": f"ampose {__version__}", "extras": extras}
    with replacing(path) as file:
        file.write(document.glb(asset))


class _Motion:
    """The channels and samplers of the animation."""

    def __init__(self, document: Document, course: str) -> None:
        self.channels: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []
        self._document = document
        self._course = course

    def add(
        self, node: int, what: str, seconds: int, values: Array, course: str | None = None
    ) -> None:
        """What ("translation", "rotation", "scale") a node does at an accessor's seconds."""
        output = self._document.array(values)
        sampler = {"input": seconds, "output": output, "interpolation": course or self._course}
        self.samplers.append(sampler)
        target = {"node": node, "path": what}
        self.channels.append({"sampler": len(self.samplers) - 1, "target": target})


def _add_person(document: Document, motion: _Motion, take: Take) -> tuple[int, int]:
    """The nodes that belong in the scene: the person, with all joints, and the skin.

    The skin stands beside the joints, not below them: by the format, they alone move it.
    """
    turns = _quaternions(take.turns)
    places = rest_offsets(take.lengths)
    places[0] = take.hips[0]
    first = document.count("nodes") + 1
    person = document.add("nodes", {"name": f"Person {take.id}", "children": [first]})
    for index, joint in enumerate(RIG):
        node: dict[str, Any] = {
            "name": joint.name,
            "translation": places[index].tolist(),
            "rotation": turns[0, index].tolist(),
        }
        children = [first + child for child, parent in enumerate(PARENTS) if parent == index]
        document.add("nodes", node | ({"children": children} if children else {}))
    _move(motion, document, take, turns, person)
    return person, document.add("nodes", _skin(document, take, first))


def _move(motion: _Motion, document: Document, take: Take, turns: Array, person: int) -> None:
    if len(take.frames) > 1:
        seconds = document.array(take.seconds, bounds=True)
        motion.add(person + 1, "translation", seconds, take.hips)
        for index, joint in enumerate(RIG):
            if index == 0 or joint.to:
                motion.add(person + 1 + index, "rotation", seconds, turns[:, index])
    there = np.isin(np.arange(len(take.times)), take.frames)
    if not there.all():
        changes = np.flatnonzero(np.diff(there, prepend=not there[0]))
        seconds = document.array(take.times[changes], bounds=True)
        scale = np.repeat(there[changes, None].astype(float), 3, axis=1)
        motion.add(person, "scale", seconds, scale, "STEP")


def _skin(document: Document, take: Take, first: int) -> dict[str, Any]:
    """A node with the sticks, moved by the joints from node `first` on."""
    rest = _standing(take.lengths)
    primitives = []
    for material, side in enumerate(SIDES):
        body = sticks(take.lengths, rest, side)
        movers, weights = np.zeros((2, len(body.joints), 4))
        movers[:, 0], weights[:, 0] = body.joints, 1
        attributes = {
            "POSITION": document.array(body.places, bounds=True, vertex=True),
            "NORMAL": document.array(body.normals, vertex=True),
            "JOINTS_0": document.array(movers, BYTE, vertex=True),
            "WEIGHTS_0": document.array(weights, vertex=True),
        }
        primitives.append({"attributes": attributes, "material": material})
    name = f"Person {take.id} sticks"
    # The inverse of a joint's place, column by column; in the rest pose no joint is turned.
    bind = np.tile(np.eye(4), (len(rest), 1, 1))
    bind[:, 3, :3] = -rest
    joints = list(range(first, first + len(RIG)))
    inverse = document.array(bind.reshape(-1, 16))
    return {
        "name": name,
        "mesh": document.add("meshes", {"name": name, "primitives": primitives}),
        "skin": document.add("skins", {"joints": joints, "inverseBindMatrices": inverse}),
    }


def _standing(lengths: Array) -> Array:
    """(N, 3) metres, the joints in the rest pose, above the floor."""
    places = rest_offsets(lengths)
    for index, parent in enumerate(PARENTS[1:], 1):
        places[index] += places[parent]
    places[:, 1] += ANKLE_SHARE * stature(lengths) - places[:, 1].min()
    return places


def _quaternions(turns: Array) -> Array:
    """(K, N, 4) x, y, z, w; signs do not jump, for programs that do not take the shorter way."""
    out = Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_quat().reshape(*turns.shape[:2], 4)
    back = (out[1:] * out[:-1]).sum(-1) < 0
    out[1:][np.logical_xor.accumulate(back, axis=0)] *= -1
    return np.asarray(out)
