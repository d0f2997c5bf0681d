"""A reader of binary glTF 2.0 by its specification, as far as skins and their motion need it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

COMPONENTS = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A file; checks what every reader relies on."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        chunks, place = [], 12
        while place < len(data):
            size, kind = struct.unpack_from("<I4s", data, place)
            assert size % 4 == 0
            chunks.append((kind, data[place + 8 : place + 8 + size]))
            place += 8 + size
        assert [kind for kind, _ in chunks] == [b"JSON", b"BIN\0"][: len(chunks)]
        self.json: dict[str, Any] = json.loads(chunks[0][1])
        self.binary = chunks[1][1] if len(chunks) > 1 else b""
        if self.binary:
            assert self.json["buffers"][0]["byteLength"] == len(self.binary)
        self.nodes = self.json.get("nodes", [])

    def array(self, accessor: int) -> np.ndarray:
        told = self.json["accessors"][accessor]
        view = self.json["bufferViews"][told["bufferView"]]
        kind = np.dtype(COMPONENTS[told["componentType"]])
        width = WIDTHS[told["type"]]
        assert view["byteOffset"] % 4 == 0
        assert view["byteLength"] == told["count"] * width * kind.itemsize
        values = np.frombuffer(self.binary, kind, told["count"] * width, view["byteOffset"])
        values = values.reshape(-1, width)
        if "min" in told:
            np.testing.assert_array_equal(values.min(0), np.float32(told["min"]))
            np.testing.assert_array_equal(values.max(0), np.float32(told["max"]))
        return values[:, 0] if width == 1 else values

    @property
    def tracks(self) -> dict[tuple[int, str], tuple[np.ndarray, np.ndarray, str]]:
        """Of a node's property: seconds, values and the course between them."""
        (animation,) = self.json["animations"]
        out = {}
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            key = channel["target"]["node"], channel["target"]["path"]
            assert key not in out
            seconds = self.array(sampler["input"])
            assert (np.diff(seconds) > 0).all()
            assert "min" in self.json["accessors"][sampler["input"]]
            out[key] = seconds, self.array(sampler["output"]), sampler["interpolation"]
        return out

    def matrices(self, second: float | None = None) -> np.ndarray:
        """(nodes, 4, 4) of all nodes in the world, at a moment or before anything plays."""
        tracks = {} if second is None else self.tracks
        local = np.tile(np.eye(4), (len(self.nodes), 1, 1))
        for index, node in enumerate(self.nodes):
            now = {
                what: _at(*tracks[index, what], second, what)
                if (index, what) in tracks
                else node.get(what, usual)
                for what, usual in (
                    ("translation", [0, 0, 0]),
                    ("rotation", [0, 0, 0, 1]),
                    ("scale", [1, 1, 1]),
                )
            }
            turn = Rotation.from_quat(now["rotation"]).as_matrix()
            local[index, :3, :3] = turn * now["scale"]
            local[index, :3, 3] = now["translation"]
        parents = {
            child: p for p, node in enumerate(self.nodes) for child in node.get("children", ())
        }
        out = np.empty_like(local)
        done: set[int] = set()

        def place(index: int) -> np.ndarray:
            if index not in done:
                above = place(parents[index]) if index in parents else np.eye(4)
                out[index] = above @ local[index]
                done.add(index)
            return out[index]

        for index in range(len(local)):
            place(index)
        return out

    def joints(self, person: str, second: float | None = None) -> dict[str, np.ndarray]:
        """(3,) metres of the joints below a node, by name."""
        matrices = self.matrices(second)
        found, waiting = {}, list(self.named(person)["children"])
        while waiting:
            index = waiting.pop()
            found[self.nodes[index]["name"]] = matrices[index][:3, 3]
            waiting += self.nodes[index].get("children", [])
        return found

    def vertices(self, person: str, second: float | None = None) -> np.ndarray:
        """(V, 3) metres of the skin as it is drawn."""
        matrices = self.matrices(second)
        node = self.named(f"{person} sticks")
        skin = self.json["skins"][node["skin"]]
        bind = self.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(-1, -2)
        moved = matrices[skin["joints"]] @ bind
        out = []
        for primitive in self.json["meshes"][node["mesh"]]["primitives"]:
            at = {key: self.array(place) for key, place in primitive["attributes"].items()}
            places = np.concatenate([at["POSITION"], np.ones((len(at["POSITION"]), 1))], axis=1)
            each = np.einsum("vkij,vj->vki", moved[at["JOINTS_0"]], places)
            out.append((at["WEIGHTS_0"][..., None] * each).sum(1)[:, :3])
        return np.concatenate(out)

    def named(self, name: str) -> dict[str, Any]:
        (node,) = [node for node in self.nodes if node["name"] == name]
        return dict(node)


def _at(
    seconds: np.ndarray, values: np.ndarray, course: str, second: float | None, what: str
) -> np.ndarray:
    second = float(np.clip(np.float32(second), seconds[0], seconds[-1]))
    if course == "STEP" or len(seconds) == 1:
        return np.asarray(values[np.searchsorted(seconds, second, "right") - 1])
    if what == "rotation":
        return np.asarray(Slerp(seconds, Rotation.from_quat(values))(second).as_quat())
    return np.array([np.interp(second, seconds, column) for column in values.T])
