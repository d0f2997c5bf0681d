"""`load_keypoints`: which reader reads a file, and the checks that hold for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ampose.errors import InputError
from ampose.keypoint_files.alphapose import is_alphapose, read_alphapose
from ampose.keypoint_files.coco import is_annotations, is_results, read_annotations, read_results
from ampose.keypoint_files.contents import Array, Contents, KeypointFile
from ampose.keypoint_files.json_values import parse_json, read_text
from ampose.keypoint_files.naming import brief
from ampose.keypoint_files.numpy_files import read_npy, read_npz
from ampose.keypoint_files.openpose import is_openpose, read_openpose, read_openpose_folder
from ampose.keypoint_files.people import MAX_BYTES
from ampose.keypoint_files.tables import read_csv
from ampose.skeletons import Skeleton, get_skeleton

DEFAULT_FPS = 30.0
"""Frames per second where neither the file nor the user says."""


class _JsonFormat(NamedTuple):
    recognises: Callable[[Any], bool]
    read: Callable[[Any, Skeleton | None], Contents]


_JSON_FORMATS = (
    _JsonFormat(is_annotations, read_annotations),
    _JsonFormat(is_results, read_results),
    _JsonFormat(is_alphapose, read_alphapose),
    _JsonFormat(is_openpose, read_openpose),
)
_ACCEPTED = (
    "accepted are COCO JSON (annotations or results), AlphaPose JSON, OpenPose JSON (a file or a "
    "folder of *_keypoints.json), NPZ, NPY and CSV"
)


def load_keypoints(
    path: Path,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    fps: float | None = None,
) -> KeypointFile:
    """2D keypoints from a file, or from a folder of OpenPose JSON; its content says what it is.

    A point is missing where x or y is NaN (null, empty) or where x, y and score are all 0. Frames
    that the file numbers keep their numbers: a gap makes no rows, only a step in time.

    Args:
        path: the file or folder.
        skeleton: name of the joint set. Needed unless the file names its joints or its format
            does: 25 in OpenPose's are BODY_25, 26 in AlphaPose's are Halpe's. Never guessed from
            a count. Overrides what the file says, with a warning.
        image_size: (width, height) in pixels; overrides the file's.
        fps: frames per second of the video, for `KeypointFile.times`; 30 where unknown, with a
            warning. A file with its own times needs none.

    Raises:
        InputError: unreadable, empty or unknown file, infinite values, a joint set that is not
            named or does not fit, or an option that makes no sense.
    """
    asked = None if skeleton is None else get_skeleton(skeleton)
    if image_size is not None and min(image_size) < 1:
        raise InputError(f"image size must be width and height in pixels, got {image_size}")
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise InputError(f"fps must be a positive number, got {fps:g}")
    try:
        return _checked(_read(Path(path), asked), image_size, fps)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read(path: Path, asked: Skeleton | None) -> Contents:
    if path.is_dir():
        return read_openpose_folder(path, asked)
    if path.exists() and not path.is_file():  # what is read of a pipe is gone the second time
        raise InputError("a pipe or a device; save it to a file first")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"{size / 1e9:.1f} GB; 2 GB is the limit: split the file")
    with path.open("rb") as file:
        head = file.read(6)
    if head.startswith(b"PK"):
        return read_npz(path, asked)
    if head == b"\x93NUMPY":
        return read_npy(path, asked)
    return _read_text(path, asked)


def _read_text(path: Path, asked: Skeleton | None) -> Contents:
    try:
        text = read_text(path).strip()
    except InputError as error:
        raise InputError(f"{error}; {_ACCEPTED}") from None
    if not text:
        raise InputError("the file is empty")
    if text[0] not in "[{":
        return read_csv(text, asked)
    document = parse_json(text)
    for known in _JSON_FORMATS:
        if known.recognises(document):
            return known.read(document, asked)
    raise InputError(f"JSON, but not of keypoints: {_describe(document)}; {_ACCEPTED}")


def _describe(document: Any) -> str:
    kind = "an object" if isinstance(document, dict) else "a list"
    if not document:
        return f"{kind} that is empty"
    if isinstance(document, dict):
        return f"{kind} with {brief(list(document))}"
    if isinstance(document[0], dict):
        return f"{kind} of objects with {brief(list(document[0]))}"
    return f"{kind} of {type(document[0]).__name__}"


def _checked(
    contents: Contents, image_size: tuple[int, int] | None, fps: float | None
) -> KeypointFile:
    _refuse_infinite(contents)
    keypoints, scores, point_notes = _points(contents.points)
    times, time_notes = _times(contents, fps)
    people = scores.shape[1]
    ids = np.arange(people, dtype=np.int64) if contents.ids is None else contents.ids
    nobody = () if scores.size else ("there is nobody in the file",)
    size, size_notes = _size(contents.image_size, image_size)
    return KeypointFile(
        keypoints,
        scores,
        ids,
        times,
        contents.skeleton,
        size,
        contents.warnings + nobody + point_notes + time_notes + size_notes,
        timed=contents.times is not None or fps is not None,
        identified=contents.ids is not None or people == 1,
    )


def _refuse_infinite(contents: Contents) -> None:
    for row, person, joint, axis in np.argwhere(np.isinf(contents.points))[:1]:
        frame = row if contents.frames is None else contents.frames[row]
        raise InputError(
            f"infinite {('x', 'y', 'score')[axis]} in frame {frame}, person {person}, "
            f"joint {contents.skeleton.joints[joint]}; write NaN where a joint is missing"
        )


def _points(points: Array) -> tuple[Array, Array, tuple[str, ...]]:
    """Keypoints, scores and warnings from x, y, score."""
    missing = np.isnan(points[..., :2]).any(-1) | (points == 0).all(-1)
    keypoints = np.where(missing[..., None], np.nan, points[..., :2])
    given = np.where(np.isnan(points[..., 2]), 1, points[..., 2])
    scores = np.where(missing, 0, np.clip(given, 0, 1))
    notes: tuple[str, ...] = ()
    if outside := int((~missing & (given != scores)).sum()):
        notes += (f"{outside} scores were not within 0 to 1 and were cut to it",)
    if zeros := int((keypoints == 0).all(-1).sum()):
        notes += (f"{zeros} points lie exactly at (0, 0); a missing joint should be NaN",)
    return keypoints.astype(np.float32), scores.astype(np.float32), notes


def _times(contents: Contents, fps: float | None) -> tuple[Array, tuple[str, ...]]:
    if contents.times is not None:
        ignored = ("the file has its own times: fps is not used",) if fps else ()
        return contents.times, ignored
    frames = contents.frames
    numbers = np.arange(len(contents.points)) if frames is None else frames
    if fps is None and len(numbers) > 1:
        note = f"frames per second are not known: {DEFAULT_FPS:g} is assumed, give --fps"
        return numbers / DEFAULT_FPS, (note,)
    return numbers / (fps or DEFAULT_FPS), ()


def _size(
    found: tuple[int, int] | None, given: tuple[int, int] | None
) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    if given is None:
        if found and min(found) < 1:
            raise InputError(f"image size must be at least 1 x 1 pixel, got {found}")
        return found, ()
    if found and found != given:
        return given, (f"the file's image size is {found}, but {given} was given",)
    return given, ()
