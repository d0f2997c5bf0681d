"""NPZ and NPY files, read without pickle.

NPZ: ``keypoints`` (T, P, J, 2 or 3), (T, J, 2 or 3) or (J, 2 or 3), the third number a score;
optional ``scores``, ``times``, ``ids``, ``skeleton`` (a name) and ``image_size`` (width, height).
Our own ``poses.npz`` is such a file: its skeleton and camera are JSON. NPY: the keypoints alone.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError, one_line
from ampose.keypoint_files.contents import Array, Contents
from ampose.keypoint_files.json_values import parse_json, whole
from ampose.keypoint_files.naming import brief, skeleton_of_count
from ampose.keypoint_files.people import MAX_BYTES
from ampose.skeletons import Skeleton, get_skeleton

_BROKEN = (
    ValueError,  # also pickled objects and wrong headers
    EOFError,
    MemoryError,  # a header that promises more than there is
    NotImplementedError,  # exotic compression
    RuntimeError,  # encryption
    zipfile.BadZipFile,
    zlib.error,
)


def read_arrays(
    path: Path, needed: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, NDArray[Any]]:
    """Arrays of an NPZ file by key; optional ones only where the file has them.

    Raises:
        InputError: a broken file, pickled objects, more than 2 GB, or a needed key is missing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_BYTES:
            raise InputError(f"{size / 1e9:.1f} GB when unpacked; 2 GB is the limit: split it")
        with np.load(path, allow_pickle=False) as archive:
            keys = archive.files
            arrays = {key: archive[key] for key in (*needed, *optional) if key in keys}
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"not a readable NPZ file: {one_line(error)}") from None
    if lacking := [key for key in needed if key not in arrays]:
        raise InputError(f"NPZ file without {brief(lacking)}; it holds {brief(keys) or 'nothing'}")
    if strange := [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise InputError(f"{brief(strange)} in the NPZ file is no array")
    return arrays


def read_npz(path: Path, asked: Skeleton | None) -> Contents:
    """Keypoints in an NPZ file."""
    arrays = read_arrays(
        path,
        needed=("keypoints",),
        optional=("scores", "times", "ids", "skeleton", "image_size", "camera"),
    )
    points = _points(arrays["keypoints"], arrays.get("scores"))
    named = _skeleton_name(arrays["skeleton"]) if "skeleton" in arrays else None
    warnings: tuple[str, ...] = ()
    if asked and named and asked != get_skeleton(named):
        warnings = (f"the file's joint set is {named}, but {asked.name} was asked for",)
    if asked is None and named:
        asked = get_skeleton(named)
    return Contents(
        points,
        skeleton_of_count(points.shape[2], asked),
        ids=_ids(arrays["ids"], points.shape[1]) if "ids" in arrays else None,
        times=_times(arrays["times"], len(points)) if "times" in arrays else None,
        image_size=_image_size(arrays),
        warnings=warnings,
    )


def read_npy(path: Path, asked: Skeleton | None) -> Contents:
    """Keypoints in an NPY file."""
    try:
        keypoints = np.load(path, allow_pickle=False)
    except _BROKEN as error:
        raise InputError(f"not a readable NPY file: {one_line(error)}") from None
    points = _points(keypoints, None)
    return Contents(points, skeleton_of_count(points.shape[2], asked))


def _points(keypoints: NDArray[Any], scores: NDArray[Any] | None) -> Array:
    """(T, P, J, 3) float32 from any of the accepted shapes."""
    _need_numbers("keypoints", keypoints)
    shape = keypoints.shape
    if not 2 <= len(shape) <= 4 or shape[-1] not in (2, 3):
        raise InputError(
            "keypoints must be (T, P, J, 2 or 3), (T, J, 2 or 3) or (J, 2 or 3), "
            f"got shape {shape}"
        )
    if scores is None:
        scores = keypoints[..., 2] if shape[-1] == 3 else np.full(shape[:-1], np.nan)
    elif shape[-1] == 3:
        raise InputError("scores are given twice: as 'scores' and in 'keypoints'")
    _need_numbers("scores", scores)
    if scores.shape != shape[:-1]:
        raise InputError(f"scores must have shape {shape[:-1]}, got {scores.shape}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, refused later
        points = np.concatenate([keypoints[..., :2], scores[..., None]], -1).astype(np.float32)
    return np.expand_dims(points, {4: (), 3: (1,), 2: (0, 1)}[len(shape)])


def _ids(ids: NDArray[Any], people: int) -> NDArray[np.int64]:
    if ids.shape != (people,) or ids.dtype.kind not in "iu":
        raise InputError(f"ids must be {people} whole numbers, got {ids.dtype} of {ids.shape}")
    if len(np.unique(ids)) != people:
        raise InputError("ids must be unique: two people have the same")
    return ids.astype(np.int64)


def _times(times: NDArray[Any], frames: int) -> Array | None:
    """Seconds; None for photos, which our own files put all at 0."""
    _need_numbers("times", times)
    if times.shape != (frames,):
        raise InputError(f"times must be {frames} numbers, one per frame, got shape {times.shape}")
    seconds = times.astype(np.float64)
    if not np.isfinite(seconds).all():
        raise InputError("times must be finite")
    if frames > 1 and not seconds.any():
        return None
    if (late := np.flatnonzero(np.diff(seconds) <= 0)).size:
        raise InputError(f"times must increase: frame {late[0] + 1} is not after frame {late[0]}")
    return seconds


def _image_size(arrays: dict[str, NDArray[Any]]) -> tuple[int, int] | None:
    """From ``image_size``, or from the camera of our own files where all frames share a size."""
    if "image_size" in arrays:
        sizes = [arrays["image_size"].tolist()]
    elif "camera" in arrays:
        cameras = _json("camera", arrays["camera"])
        cameras = cameras if isinstance(cameras, list) else [cameras]
        sizes = [camera.get("size") for camera in cameras if isinstance(camera, dict)]
    else:
        return None
    if not sizes or any(size != sizes[0] for size in sizes):
        return None
    if not isinstance(sizes[0], list) or len(sizes[0]) != 2:
        raise InputError(f"image_size must be width and height, got {str(sizes[0])[:40]}")
    width, height = (whole(side, "image_size") for side in sizes[0])
    return width, height


def _skeleton_name(array: NDArray[Any]) -> str:
    """A plain name, or the JSON of our own files."""
    text = str(array)
    described = _json("skeleton", array) if text.startswith("{") else {"name": text}
    name = described.get("name")
    if not isinstance(name, str):
        raise InputError("the skeleton has no name")
    return name


def _json(key: str, array: NDArray[Any]) -> Any:
    try:
        return parse_json(str(array))
    except InputError as error:
        raise InputError(f"{key}: {error}") from None


def _need_numbers(key: str, array: NDArray[Any]) -> None:
    if array.dtype.kind not in "fiu":
        raise InputError(f"{key} must be numbers, got {array.dtype}")
