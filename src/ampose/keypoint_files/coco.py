"""COCO keypoints: result lists and annotation files.

Coordinates are taken as they stand: no half pixel is added or removed. There is one row per image,
in the order of the image ids, which also count as frame numbers: ids 1, 2, 5 are three rows at 1,
2 and 5 / fps. PoseTrack's ``track_id`` gives identities where every person has one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ampose.errors import InputError
from ampose.keypoint_files.contents import Contents
from ampose.keypoint_files.json_values import first_object, objects, triples, whole
from ampose.keypoint_files.naming import joint_name, skeleton_of_count, skeleton_of_joints
from ampose.keypoint_files.people import Person, arrange
from ampose.skeletons import Skeleton


def is_results(document: Any) -> bool:
    """Whether this is ``[{"image_id": 1, "keypoints": [...]}]``."""
    first = first_object(document)
    return {"image_id", "keypoints"} <= first.keys() and not isinstance(first["image_id"], str)


def read_results(document: Any, asked: Skeleton | None) -> Contents:
    """A list of detections. Its joints have no names: `asked` must name them."""
    people = [_person(record) for record in objects(document, "the results")]
    skeleton = skeleton_of_count(len(people[0].points), asked)
    return _contents(people, {person.frame for person in people}, skeleton)


def is_annotations(document: Any) -> bool:
    """Whether this is ``{"images": [...], "annotations": [...]}``."""
    return isinstance(document, dict) and {"images", "annotations"} <= document.keys()


def read_annotations(document: Any, asked: Skeleton | None) -> Contents:
    """A data set. Visibility 0 is missing, 1 and 2 are score 1; unlabelled people are left out."""
    images = objects(document["images"], "'images'")
    frames = {whole(image.get("id"), "image id") for image in images}
    records = objects(document["annotations"], "'annotations'")
    people = [_labelled(_person(record)) for record in records if "keypoints" in record]
    people = [person for person in people if not np.isnan(person.points).all()]
    if strays := {person.frame for person in people} - frames:
        raise InputError(f"annotations of image {min(strays)}, which 'images' does not list")

    names = _joint_names(document.get("categories", []))
    notes: tuple[str, ...] = ()
    if names is None and people:
        skeleton = skeleton_of_count(len(people[0].points), asked)
    elif names is None:
        if asked is None:
            raise InputError("the file names no joints: name its joint set with --skeleton")
        skeleton = asked
    elif asked and len(asked) == len(names) and not set(names) <= set(asked.joints):
        skeleton = asked
        notes = (f"the file's joint names are not those of {asked.name}, which was asked for",)
    else:
        skeleton = skeleton_of_joints(names, asked)
        people = [_in_order(person, names, skeleton) for person in people]

    size, size_notes = _image_size(images)
    contents = _contents(people, frames, skeleton)
    return replace(contents, image_size=size, warnings=notes + size_notes + contents.warnings)


def _person(record: dict[str, Any]) -> Person[int]:
    frame = whole(record.get("image_id"), "image_id")
    track = record.get("track_id")
    identity = None if track is None else whole(track, f"image {frame}: track_id")
    return Person(frame, identity, triples(record.get("keypoints"), f"image {frame}"))


def _labelled(person: Person[int]) -> Person[int]:
    """Visibility as score."""
    visibility = person.points[:, 2:]
    points = np.where(visibility == 0, np.nan, person.points)
    points[:, 2] = np.minimum(points[:, 2], 1)
    return person._replace(points=points)


def _joint_names(categories: Any) -> list[str] | None:
    """The joint names on which all categories agree; None if there are none."""
    lists = [c["keypoints"] for c in objects(categories, "'categories'") if c.get("keypoints")]
    if not lists:
        return None
    if any(names != lists[0] for names in lists):
        raise InputError("the categories have different joints: give one category at a time")
    if not isinstance(lists[0], list) or not all(isinstance(name, str) for name in lists[0]):
        raise InputError("the keypoints of a category must be a list of joint names")
    names = [joint_name(name) for name in lists[0]]
    if len(set(names)) != len(names):
        raise InputError("a category names a joint twice")
    return names


def _in_order(person: Person[int], names: list[str], skeleton: Skeleton) -> Person[int]:
    if len(person.points) != len(names):
        raise InputError(
            f"image {person.frame}: {len(person.points)} joints, the category has {len(names)}"
        )
    points = np.full((len(skeleton), 3), np.nan)
    points[skeleton.indices(names)] = person.points
    return person._replace(points=points)


def _image_size(images: list[dict[str, Any]]) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    sizes = {
        (whole(image["width"], "image width"), whole(image["height"], "image height"))
        for image in images
        if "width" in image and "height" in image
    }
    if len(sizes) > 1:
        return None, (f"the images have {len(sizes)} different sizes: none is taken over",)
    return next(iter(sizes), None), ()


def _contents(people: list[Person[int]], frames: set[int], skeleton: Skeleton) -> Contents:
    rows = sorted(frames)
    points, ids, warnings = arrange(people, rows, skeleton)
    return Contents(points, skeleton, ids, frames=np.array(rows, np.int64), warnings=warnings)
