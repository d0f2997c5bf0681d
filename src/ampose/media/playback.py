"""A video file played as if a camera saw it now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import perf_counter

from ampose.flow import At, made_at, untimed
from ampose.media.frames import Frame
from ampose.media.videos import Video

_LONGEST_GAP = 0.25
"""Seconds without a frame after which a late one is given all the same: a machine too slow to
decode in time shows a slow video rather than none."""


class Playback:
    """Frames of a video at their own times.

    No frame comes before its time. One whose successor is already due is dropped, as a camera
    would have overwritten it.

    Attributes:
        started: `time.perf_counter` at time 0 of the file.

    Args:
        video: read once, to its end.
        stop: once set, no more frames come.
        dropped: called for each frame that came too late.
        at: surrounds the stage ``decode`` of each frame.
    """

    def __init__(
        self,
        video: Video,
        stop: threading.Event,
        dropped: Callable[[], object],
        at: At = untimed,
    ) -> None:
        self.started = perf_counter()
        self._given = float("-inf")
        self._video = video
        self._stop = stop
        self._dropped = dropped
        self._at = at

    def __iter__(self) -> Iterator[Frame]:
        for frame in made_at(self._at, "decode", self._video.frames(self._is_wanted)):
            if self._given == float("-inf"):
                self.started = perf_counter() - frame.time
            if self._stop.wait(self.started + frame.time - perf_counter()):
                return
            self._given = perf_counter()
            yield frame

    def _is_wanted(self, time: float) -> bool:
        now = perf_counter()
        late = now - self.started - time > 1 / self._video.fps
        recent = now - self._given < _LONGEST_GAP
        if late and recent:
            self._dropped()
        return not (late and recent)
