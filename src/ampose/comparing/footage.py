"""Frames of what a recording was made from, with covered faces if wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose import media
from ampose.detection import load_detector
from ampose.errors import InputError
from ampose.motion.following import VideoDetector
from ampose.poses import PoseSequence
from ampose.render.faces import blur_heads
from ampose.render.heads import HELD_SECONDS
from ampose.render.privacy import FaceCover

Array = NDArray[np.floating]
Picture = NDArray[np.uint8]


_ROUNDING = 1e-3
"""Seconds by which rounding in files may move a time."""


class Footage:
    """Pictures of a recording's frames, read from front to back.

    Args:
        sequence: the recording, whose times and options say which pictures its frames were.
        source: video, or folder of photos.
        blur: whether to cover everybody's face, which takes a pass of its own.

    Raises:
        InputError: the source cannot be read, or is not what the recording was made from.
    """

    def __init__(self, sequence: PoseSequence, source: Path, *, blur: bool) -> None:
        self._source = source
        self._times = np.asarray(sequence.times, np.float64)
        self._sizes = [tuple(camera.size) for camera in sequence.cameras]
        self._rate = sequence.provenance.get("options", {}).get("capture_fps")
        self._kind = media.media_kind(source)
        self._blur = blur
        if self._kind == "video":
            with self._video() as video:
                self._half = 0.5 / (self._rate or video.fps) + _ROUNDING
        elif self._kind == "folder":
            paths = media.photo_paths(source)
            if len(paths) != len(self._times):
                raise self._not_it(f"it holds {len(paths)} photos, not {len(self._times)}")
        else:
            raise self._not_it("it is a photo")
        next(self.pictures([0], faces=True))  # so that it is refused at once, if at all

    def pictures(self, frames: Sequence[int], *, faces: bool = False) -> Iterator[Picture]:
        """Pictures (H, W, 3) uint8 RGB of frames.

        Args:
            frames: numbers, in an order that never goes back.
            faces: show them even if they were to be covered.

        Raises:
            InputError: it has no picture of a frame.
        """
        wanted = sorted(set(frames))
        heads = self._heads(wanted) if self._blur and not faces else None
        found = self._read(wanted)
        number, image = -1, np.zeros((0, 0, 3), np.uint8)
        for frame in frames:
            if frame != number:
                number = frame
                image = next(found).image
                if heads is not None:
                    image = blur_heads(image, heads[frame])
            yield image

    def _heads(self, wanted: list[int]) -> dict[int, Array]:
        """Where everybody's head is in each frame, for which the frames around it are used too."""
        early, late = self._times[wanted[0]] - HELD_SECONDS, self._times[wanted[-1]] + HELD_SECONDS
        around = np.flatnonzero((self._times >= early) & (self._times <= late)).tolist()
        detector = load_detector()
        video, cover = VideoDetector(detector), FaceCover(detector, moving=True)
        for number, frame in zip(around, self._read(around), strict=True):
            time = float(self._times[number])
            video.detect(frame.image, time)
            cover.note(frame.image, video.found, time)
        return dict(zip(around, cover.heads(), strict=True))

    def _read(self, wanted: list[int]) -> Iterator[media.Frame]:
        frames = self._of_video(wanted) if self._kind == "video" else self._of_folder(wanted)
        for frame, number in zip(frames, wanted, strict=True):
            size = self._sizes[0 if len(self._sizes) == 1 else number]
            if tuple(frame.size) != size:
                raise self._not_it(
                    f"its pictures have {frame.size[0]} x {frame.size[1]} pixels, not "
                    f"{size[0]} x {size[1]}"
                )
            yield frame

    def _of_folder(self, wanted: list[int]) -> Iterator[media.Frame]:
        paths = media.photo_paths(self._source)
        return (media.load_photo(paths[number]) for number in wanted)

    def _of_video(self, wanted: list[int]) -> Iterator[media.Frame]:
        """The frame nearest to each time, at most half a frame away."""
        times = self._times[wanted]

        def near(time: float) -> bool:
            place = int(np.searchsorted(times, time - self._half))
            return place < len(times) and times[place] <= time + self._half

        with self._video() as video:
            frames = video.frames(near)
            frame, later = next(frames, None), next(frames, None)
            for time in times:
                while frame and later and abs(later.time - time) <= abs(frame.time - time):
                    frame, later = later, next(frames, None)
                if frame is None or abs(frame.time - time) > self._half:
                    raise self._not_it(f"it has no frame at {time:.2f} s")
                yield frame

    def _video(self) -> media.Video:
        return media.Video(self._source, capture_fps=self._rate)

    def _not_it(self, why: str) -> InputError:
        return InputError(f"{self._source} is not what the recording was made from: {why}")
