"""Which moments a report shows, and their pictures: from the video if it is there, else drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ampose import media
from ampose.analysis import Event
from ampose.cameras import TO_Y_UP
from ampose.errors import InputError
from ampose.export.takes import has_times
from ampose.poses import PoseSequence
from ampose.render.skeleton2d import draw_skeleton_2d
from ampose.render.skeleton3d import CAMERA_VIEW, Scale, draw_people, empty_panel, place_people
from ampose.report.contents import KeyFrame

Array = NDArray[np.floating]
Picture = NDArray[np.uint8]


class Hide(Protocol):
    """Covers faces.

    Attributes:
        warnings: what a user should know of it.
    """

    warnings: tuple[str, ...]

    def __call__(self, image: Picture, keypoints: Array, scores: Array) -> Picture:
        """A picture with covered faces; keypoints (P, 17, 2) are in its pixels."""


EVENLY = 6
"""How many moments are shown where no events choose them."""

AT_MOST = 8
"""The most moments shown, however many events there are."""

_SIDES = 560, 640
"""Largest width and height of a picture, pixels."""

_LONGEST = 1920
"""Longer side, pixels, to which pictures are reduced until it is known which part is shown."""

_AROUND = 0.3
"""Margin around the box that holds the people, as a share of the box."""

_SAME_TIME = 0.001
"""How far, in seconds, a video's frame may be from the result's."""


def key_moments(sequence: PoseSequence, events: Sequence[Event]) -> list[tuple[int, str]]:
    """Frames and their labels: the first event of each kind, else evenly spread frames.

    Of photos, the first ones.
    """
    present = np.flatnonzero(sequence.valid.any((1, 2)))
    if not has_times(sequence.times):
        several = sequence.frame_count > 1
        return [(int(f), f"photo {f}" if several else "") for f in present[:AT_MOST]]
    several = len({event.person for event in events}) > 1
    named: dict[int, list[str]] = {}
    first = {(e.name, e.person): e for e in sorted(events, key=lambda e: -e.frame)}
    for event in sorted(first.values(), key=lambda e: e.frame)[:AT_MOST]:
        who = f" (person {event.person})" * several
        named.setdefault(event.frame, []).append(event.name.replace("_", " ") + who)
    if not named and len(present):
        places = np.linspace(0, len(present) - 1, min(EVENLY, len(present)))
        named = {int(present[place]): [] for place in places.round().astype(int)}
    return [
        (frame, ", ".join([*names, f"{sequence.times[frame]:.2f} s"]))
        for frame, names in sorted(named.items())
    ]


def key_frames(
    everybody: PoseSequence,
    shown: PoseSequence,
    events: Sequence[Event],
    source: Path | None,
    *,
    guessed: bool = False,
    hide: Hide | None = None,
) -> tuple[tuple[KeyFrame, ...], str]:
    """The moments with their pictures, and a line that says where these are from.

    Args:
        everybody: the whole recording, whose faces are to be covered.
        shown: the people who are shown.
        events: the moments to choose from.
        source: the video, photo or folder, if it was found.
        guessed: `source` only has the right name; skeletons are drawn if it does not fit.
        hide: covers faces.

    Raises:
        InputError: `source` does not fit, or cannot be read, and was not guessed.
    """
    moments = key_moments(shown, events)
    frames = [frame for frame, _ in moments]
    found, note = _from_source(shown, frames, source, guessed=guessed)
    if found:
        window = _window(shown, frames)
        if hide:
            found = {frame: _hidden(everybody, frame, found[frame], hide) for frame in found}
        pictures = [_overlaid(shown, frame, found[frame], window) for frame in frames]
    else:
        pictures = list(_drawn(shown, frames))
    made = tuple(
        KeyFrame(frame, label, picture, _placed(shown, frame) * TO_Y_UP)
        for (frame, label), picture in zip(moments, pictures, strict=True)
    )
    return made, note


def _from_source(
    sequence: PoseSequence, frames: list[int], source: Path | None, *, guessed: bool
) -> tuple[dict[int, Picture], str]:
    """A picture of each frame, or None, and a line that says where from or why not."""
    drawn = "Skeletons are drawn as the camera sees them"
    if not frames:
        return {}, ""
    if source is None:
        return {}, f"{drawn}: the recording itself was not found beside the result."
    try:
        found = dict(zip(frames, _read(sequence, frames, source), strict=True))
    except (InputError, StopIteration, RuntimeError) as error:
        if guessed:
            return {}, f"{drawn}: {source.name} was found, but is not what the result came from."
        why = error if isinstance(error, InputError) else f"{source} lacks frames or is damaged"
        raise InputError(f"{why}: it is not what the result came from") from error
    return found, f"Pictures are from {source.name}."


def _read(sequence: PoseSequence, frames: list[int], source: Path) -> list[Picture]:
    """Pictures of frames.

    Raises:
        InputError: it cannot be read, or is not what the sequence was made from.
    """
    options = sequence.provenance.get("options", {})
    kind = media.media_kind(source)
    if kind == "video" and sequence.frame_count > 1 and not has_times(sequence.times):
        raise InputError(f"{source} is a video, and the result is of photos")
    if kind == "video":
        rate = options.get("capture_fps")
        with media.Video(source, capture_fps=rate) as video:
            stretch = video.fps / rate if rate else 1.0
            half = 0.5 / video.fps
        read = (_at(source, float(sequence.times[frame]), stretch, half, rate) for frame in frames)
    else:
        paths = [source] if kind == "photo" else media.photo_paths(source)
        if len(paths) != sequence.frame_count:
            raise InputError(f"{source} does not hold {sequence.frame_count} photos")
        read = (media.load_photo(paths[frame]) for frame in frames)
    pictures = []
    for frame, found in zip(frames, read, strict=True):
        if found.size != tuple(sequence.camera(frame).size):
            raise InputError(f"{source} has pictures of another size")
        pictures.append(_small(found.image))
    return pictures


def _at(path: Path, time: float, stretch: float, half: float, rate: float | None) -> media.Frame:
    """The frame of a video at a real time, in seconds: the file's times `stretch`."""
    start = max(0.0, time / stretch - half)
    with media.Video(path, start=start, capture_fps=rate) as video:
        frame = next(video.frames(lambda seconds: seconds > time - _SAME_TIME))
    if frame.time > time + _SAME_TIME:
        raise InputError(f"{path} has no frame at {time:.3f} s")
    return frame


def _small(image: Picture) -> Picture:
    """The picture, no larger than needed to show a part of it."""
    size = media.reduced_size((image.shape[1], image.shape[0]), _LONGEST)
    if size == (image.shape[1], image.shape[0]):
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _window(sequence: PoseSequence, frames: list[int]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom, as shares of the picture, of what all the moments show."""
    shares = np.concatenate(
        [
            (sequence.keypoints[frame] / np.asarray(sequence.camera(frame).size)).reshape(-1, 2)
            for frame in frames
        ]
    )
    shares = shares[np.isfinite(shares).all(-1)]
    if not len(shares):
        return 0.0, 0.0, 1.0, 1.0
    size = np.asarray(sequence.camera(frames[0]).size)
    low, high = shares.min(0), shares.max(0)
    margin = _AROUND * ((high - low) * size).max() / size  # as wide as high
    left, top = (low - margin).clip(0, 1)
    right, bottom = (high + margin).clip(0, 1)
    if right - left < 0.02 or bottom - top < 0.02:
        return 0.0, 0.0, 1.0, 1.0
    return float(left), float(top), float(right), float(bottom)


def _in_picture(sequence: PoseSequence, frame: int, image: Picture) -> Array:
    """Keypoints (P, J, 2) in the pixels of a picture that may have been reduced."""
    scale = np.array([image.shape[1], image.shape[0]]) / sequence.camera(frame).size
    return np.asarray(sequence.keypoints[frame] * scale)


def _hidden(sequence: PoseSequence, frame: int, image: Picture, hide: Hide) -> Picture:
    return hide(image, _in_picture(sequence, frame, image), sequence.scores[frame])


def _overlaid(
    sequence: PoseSequence,
    frame: int,
    image: Picture,
    window: tuple[float, float, float, float],
) -> Picture:
    """The window of the picture with the 2D skeletons on it."""
    height, width = image.shape[:2]
    keypoints = _in_picture(sequence, frame, image)
    left, top = int(window[0] * width), int(window[1] * height)
    right, bottom = (
        max(left + 1, round(window[2] * width)),
        max(top + 1, round(window[3] * height)),
    )
    part = image[top:bottom, left:right]
    zoom = min(_SIDES[0] / part.shape[1], _SIDES[1] / part.shape[0])
    size = max(1, round(part.shape[1] * zoom)), max(1, round(part.shape[0] * zoom))
    picture = np.array(Image.fromarray(part).resize(size, Image.Resampling.LANCZOS))
    places = (keypoints - (left, top)) * zoom
    several = len(sequence.ids) > 1
    for person, identity in enumerate(sequence.ids.tolist()):
        draw_skeleton_2d(picture, places[person], sequence.skeleton, identity, label=several)
    return picture


def _drawn(sequence: PoseSequence, frames: list[int]) -> Iterator[Picture]:
    """The 3D skeletons from the camera's side, at one scale."""
    placed = [_placed(sequence, frame) for frame in frames]
    scale = Scale()
    for each in placed:
        scale.grow(each)
    side = _SIDES[0]
    for frame, each in zip(frames, placed, strict=True):
        panel = empty_panel(side, CAMERA_VIEW, scale.span)
        seen = np.asarray(np.isfinite(sequence.keypoints[frame]).all(-1))
        ids = sequence.ids.tolist()
        draw_people(panel, CAMERA_VIEW, scale.span, each, seen, sequence.skeleton, ids)
        yield panel


def _placed(sequence: PoseSequence, frame: int) -> Array:
    joints = np.where(sequence.valid[frame][..., None], sequence.joints[frame], np.nan)
    return place_people(joints, sequence.root[frame])
