"""The binary form of glTF 2.0: lists of JSON objects, and one buffer of arrays that they point to.

Source: Khronos, glTF 2.0 Specification (ISO/IEC 12113:2022), sections 3 and 4.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT, BYTE = 5126, 5121

_ARRAY_BUFFER = 34962
_TYPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (16,): "MAT4"}
_STORED = {FLOAT: "<f4", BYTE: "u1"}


class Document:
    """Collects objects by kind, such as "nodes", and the arrays they use."""

    def __init__(self) -> None:
        self._lists: dict[str, list[dict[str, Any]]] = {}
        self._binary = bytearray()

    def count(self, kind: str) -> int:
        """How many items of a kind there are."""
        return len(self._lists.get(kind, []))

    def add(self, kind: str, item: dict[str, Any]) -> int:
        """The place of a new item in the list of its kind."""
        items = self._lists.setdefault(kind, [])
        items.append(item)
        return len(items) - 1

    def array(
        self,
        values: NDArray[Any],
        kind: int = FLOAT,
        *,
        bounds: bool = False,
        vertex: bool = False,
    ) -> int:
        """The accessor of an array (count, ...) of single numbers, 3, 4 or 16.

        Args:
            values: the array.
            kind: `FLOAT`, or `BYTE` for fours of small whole numbers: every array begins, as it
                must, at a multiple of four bytes.
            bounds: states its smallest and largest values, which times and places must have.
            vertex: it belongs to the vertices of a mesh.
        """
        values = np.ascontiguousarray(values, _STORED[kind])
        view = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": values.nbytes}
        if vertex:
            view["target"] = _ARRAY_BUFFER
        self._binary += values.tobytes()
        accessor = {
            "bufferView": self.add("bufferViews", view),
            "componentType": kind,
            "count": len(values),
            "type": _TYPES[values.shape[1:]],
        }
        if bounds:
            columns = values.reshape(len(values), -1)
            accessor["min"], accessor["max"] = columns.min(0).tolist(), columns.max(0).tolist()
        return self.add("accessors", accessor)

    def glb(self, asset: dict[str, Any]) -> bytes:
        """The file: header, JSON and, if there are arrays, their bytes."""
        if self._binary:
            self._lists["buffers"] = [{"byteLength": len(self._binary)}]
        document = {"asset": {"version": "2.0", **asset}, "scene": 0, **self._lists}
        text = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
        chunks = _chunk(b"JSON", text + b" " * (-len(text) % 4))
        if self._binary:
            chunks += _chunk(b"BIN\0", bytes(self._binary))
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("<I4s", len(content), kind) + content
