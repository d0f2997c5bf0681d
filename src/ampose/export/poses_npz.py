"""``poses.npz``: every key of a `PoseSequence`, without pickle.

Arrays keep the types that `PoseSequence` states. ``schema_version``, ``skeleton``, ``camera``,
``world_frame``, ``quality``, ``provenance`` and ``warnings`` are 0-d unicode strings, all but the
first holding JSON.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.export.header import header
from ampose.export.writing import replacing
from ampose.keypoint_files.json_values import parse_json
from ampose.keypoint_files.numpy_files import read_arrays
from ampose.poses import CHANGES, SCHEMA_VERSION, PoseSequence
from ampose.skeletons import Skeleton

ARRAYS = {
    "joints": np.float32,
    "root": np.float32,
    "sigma": np.float32,
    "keypoints": np.float32,
    "scores": np.float32,
    "valid": np.bool_,
    "filled": np.bool_,
    "repaired": np.bool_,
    "corrected": np.bool_,
    "world": np.float32,
    "ids": np.int64,
    "times": np.float64,
}
"""Array keys and their types, as `PoseSequence` states them."""

_STRINGS = (
    "schema_version",
    "skeleton",
    "camera",
    "provenance",
    "warnings",
    "world_frame",
    "quality",
)

_SINCE_1_1 = (*CHANGES, "world", "world_frame", "quality")
"""Keys that older files do not have."""


def write_npz(sequence: PoseSequence, path: Path | str) -> None:
    """Write `sequence` to `path`; the same sequence gives the same bytes.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
    """
    values = header(sequence)
    arrays: dict[str, NDArray[Any]] = {
        key: np.asarray(getattr(sequence, key), dtype) for key, dtype in ARRAYS.items()
    }
    arrays["schema_version"] = np.array(values.pop("schema_version"))
    arrays |= {key: np.array(json.dumps(v, allow_nan=False)) for key, v in values.items()}
    # Not np.savez: before NumPy 2.1 it cannot be told to refuse pickle, and it stamps the time.
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for key, array in arrays.items():
            member = zipfile.ZipInfo(f"{key}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def read_npz(path: Path | str) -> PoseSequence:
    """The sequence in a file of `write_npz`; keys that a later version added are passed over.

    Raises:
        InputError: not such a file, of another major version, or with keys, types or shapes
            other than those of a `PoseSequence`.
    """
    path = Path(path)
    try:
        needed = [key for key in (*ARRAYS, *_STRINGS) if key not in _SINCE_1_1]
        return _sequence(read_arrays(path, needed, optional=_SINCE_1_1))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a readable poses.npz: {error}") from error


def _sequence(arrays: dict[str, NDArray[Any]]) -> PoseSequence:
    types = {key: dtype for key, dtype in ARRAYS.items() if key in arrays}
    for key, dtype in types.items():
        if arrays[key].dtype != dtype or not arrays[key].ndim:
            raise ValueError(
                f"{key} must be an array of {np.dtype(dtype)}, got {arrays[key].dtype}"
            )
    texts = [key for key in _STRINGS if key in arrays]
    for key in texts:
        if arrays[key].dtype.kind != "U" or arrays[key].ndim:
            raise ValueError(f"{key} must be one string")
    version = str(arrays["schema_version"])
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise ValueError(f"schema version {version!r}; this program reads {SCHEMA_VERSION}")
    told: dict[str, Any] = {key: parse_json(str(arrays[key])) for key in texts[1:]}
    skeleton, camera = told["skeleton"], told["camera"]
    return PoseSequence(
        **{key: arrays[key] for key in types},
        cameras=tuple(map(_camera, camera if isinstance(camera, list) else [camera])),
        skeleton=Skeleton(skeleton["name"], tuple(skeleton["joints"]), tuple(skeleton["parents"])),
        provenance=dict(told["provenance"]),
        warnings=tuple(told["warnings"]),
        world_frame=dict(told.get("world_frame", {})),
        quality=dict(told.get("quality", {})),
    )


def _camera(values: dict[str, Any]) -> Camera:
    """The inverse of `Camera.as_dict`."""
    tuples = {key: tuple(values[key]) for key in ("size", "focal", "centre", "distortion")}
    return Camera(
        **tuples,
        rotation=np.array(values["rotation"], np.float64).reshape(3, 3),
        translation=np.array(values["translation"], np.float64).reshape(3),
        source=values["source"],
    )
