"""OpenPose JSON: one file per frame, ``{"people": [{"pose_keypoints_2d": [...]}]}``.

A folder of ``*_keypoints.json`` is a sequence in natural order; where the names end in numbers and
otherwise agree, those are the frame numbers. 25 joints in this layout are BODY_25. ``person_id``
gives identities where every person has one; -1 is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ampose.errors import InputError
from ampose.keypoint_files.contents import Contents
from ampose.keypoint_files.frames import frame_numbers
from ampose.keypoint_files.json_values import objects, parse_json, read_text, triples, whole
from ampose.keypoint_files.naming import skeleton_of_count
from ampose.keypoint_files.people import MAX_BYTES, Person, arrange
from ampose.media.folders import natural_key
from ampose.skeletons import BODY_25, Skeleton

_SUFFIX = "_keypoints.json"
_UNREADABLE = {18: "COCO_18", 15: "MPI_15"}


def is_openpose(document: Any) -> bool:
    """Whether this is ``{"people": [...]}``."""
    return isinstance(document, dict) and "people" in document


def read_openpose(document: Any, asked: Skeleton | None) -> Contents:
    """One frame."""
    return _contents({"0": document}, asked)


def read_openpose_folder(folder: Path, asked: Skeleton | None) -> Contents:
    """Every ``*_keypoints.json`` in a folder, as frames."""
    paths = [path for path in folder.iterdir() if path.name.endswith(_SUFFIX)]
    if not paths:
        raise InputError(f"the folder holds no *{_SUFFIX} files of OpenPose")
    if sum(path.stat().st_size for path in paths) > MAX_BYTES:
        raise InputError("the files are larger than 2 GB together: split the folder")
    documents = {}
    for path in sorted(paths, key=lambda path: natural_key(path.name)):
        try:
            document = parse_json(read_text(path))
            if not is_openpose(document):
                raise InputError("no OpenPose file: it has no 'people'")
        except InputError as error:
            raise InputError(f"{path.name}: {error}") from None
        documents[path.name.removesuffix(_SUFFIX)] = document
    return _contents(documents, asked)


def _contents(documents: Mapping[str, Any], asked: Skeleton | None) -> Contents:
    people = [
        person
        for frame, document in documents.items()
        for person in _people(frame, document["people"])
    ]
    skeleton = _skeleton(len(people[0].points), asked) if people else asked or BODY_25
    points, ids, warnings = arrange(people, list(documents), skeleton)
    numbers = frame_numbers(list(documents))
    return Contents(points, skeleton, ids, frames=numbers, warnings=warnings)


def _people(frame: str, people: Any) -> list[Person[str]]:
    where = f"frame {frame[:80]!r}"
    found = []
    for person in objects(people, f"{where}: 'people'"):
        points = triples(person.get("pose_keypoints_2d", []), where)
        if len(points):  # a hand or a face may come without a body
            found.append(Person(frame, _identity(person.get("person_id"), where), points))
    return found


def _identity(person_id: Any, where: str) -> int | None:
    first = person_id[0] if isinstance(person_id, list) and person_id else -1
    identity = whole(first, f"{where}: person_id")
    return None if identity < 0 else identity


def _skeleton(count: int, asked: Skeleton | None) -> Skeleton:
    if asked is None and count in _UNREADABLE:
        raise InputError(
            f"OpenPose's {_UNREADABLE[count]} ({count} joints) is not among the known joint sets: "
            "run OpenPose with --model_pose BODY_25"
        )
    return skeleton_of_count(count, BODY_25 if asked is None and count == len(BODY_25) else asked)
