"""AlphaPose results: COCO's layout with image names, such as ``"image_id": "12.jpg"``.

26 joints in this layout are Halpe's; 17 are not named by it. Rows are the named images in natural
order; where names end in numbers and otherwise agree, those are the frame numbers. ``idx`` gives
identities where every person has one.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from ampose.errors import InputError
from ampose.keypoint_files.contents import Contents
from ampose.keypoint_files.frames import frame_numbers
from ampose.keypoint_files.json_values import first_object, objects, triples, whole
from ampose.keypoint_files.naming import skeleton_of_count
from ampose.keypoint_files.people import Person, arrange
from ampose.media.folders import natural_key
from ampose.skeletons import HALPE_26, Skeleton


def is_alphapose(document: Any) -> bool:
    """Whether this is ``[{"image_id": "12.jpg", "keypoints": [...]}]``."""
    first = first_object(document)
    return {"image_id", "keypoints"} <= first.keys() and isinstance(first["image_id"], str)


def read_alphapose(document: Any, asked: Skeleton | None) -> Contents:
    """A list of detections in named images."""
    people = [_person(record) for record in objects(document, "the results")]
    count = len(people[0].points)
    named = HALPE_26 if asked is None and count == len(HALPE_26) else asked
    skeleton = skeleton_of_count(count, named)
    frames = sorted({person.frame for person in people}, key=natural_key)
    points, ids, warnings = arrange(people, frames, skeleton)
    numbers = frame_numbers([PurePath(frame).stem for frame in frames])
    return Contents(points, skeleton, ids, frames=numbers, warnings=warnings)


def _person(record: dict[str, Any]) -> Person[str]:
    frame = record.get("image_id")
    if not isinstance(frame, str):
        raise InputError(
            f"image_id must be a name as in the first record, got {str(frame)[:40]!r}"
        )
    where = f"image {frame[:80]!r}"
    idx = record.get("idx")
    if isinstance(idx, list) and len(idx) == 1:  # how its tracker writes it
        idx = idx[0]
    identity = None if idx is None else whole(idx, f"{where}: idx")
    return Person(frame, identity, triples(record.get("keypoints"), where))
