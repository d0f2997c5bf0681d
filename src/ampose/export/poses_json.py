"""``poses.json``: the keys of ``poses.npz`` as JSON; `json_schema` describes it.

Arrays are nested lists, such as ``joints[frame][person][joint] = [x, y, z]``. A point with any
coordinate NaN is ``null`` as a whole, never a list with holes. Numbers are rounded to `DECIMALS`.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ampose.export.header import header
from ampose.export.writing import replacing
from ampose.poses import CHANGES, PoseSequence

DECIMALS = {
    "joints": 5,
    "root": 5,
    "sigma": 5,
    "keypoints": 2,
    "scores": 4,
    "world": 5,
    "times": 6,
}
"""Digits after the point: a hundredth of a millimetre, of a pixel, a microsecond."""

_POINTS = ("joints", "root", "sigma", "keypoints", "world")  # the last axis is a point
_KEYS = (
    *("ids", "times", "joints", "root", "sigma", "keypoints", "scores", "valid"),
    *CHANGES,
    "world",
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``poses.json``."""
    text = files("ampose.export").joinpath("poses.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def write_json(sequence: PoseSequence, path: Path | str) -> None:
    """Write `sequence` to `path`, frame by frame.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
        ValueError: an infinite number, for which JSON has no word.
    """
    with replacing(path) as file:
        for place, (key, value) in enumerate(header(sequence).items()):
            file.write(b",\n" if place else b"{\n")
            file.write(f'"{key}": {_dump(value)}'.encode())
        for key in _KEYS:
            file.write(f',\n"{key}": '.encode())
            _write_rows(file, key, getattr(sequence, key))
        file.write(b"\n}\n")


def _write_rows(file: BinaryIO, key: str, array: NDArray[Any]) -> None:
    """A list with one line per item of the first axis."""
    file.write(b"[")
    for place, row in enumerate(array):
        file.write(b",\n" if place else b"\n")
        file.write(_dump(_nested(key, np.asarray(row))).encode())
    file.write(b"]")


def _nested(key: str, row: NDArray[Any]) -> Any:
    if key not in DECIMALS:
        return row.tolist()
    absent = np.isnan(row)
    if key in _POINTS:
        absent = absent.any(-1)
    rounded = np.round(row.astype(np.float64), DECIMALS[key]) + 0.0  # + 0.0: no "-0.0"
    return _with_nulls(rounded.tolist(), absent.tolist())


def _with_nulls(values: Any, absent: Any) -> Any:
    if isinstance(absent, bool):
        return None if absent else values
    return [_with_nulls(v, a) for v, a in zip(values, absent, strict=True)]


def _dump(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
