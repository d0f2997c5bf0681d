"""Videos as a stream of upright RGB frames with their real times."""

from __future__ import annotations

import contextlib
import itertools
import math
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.media.files import check_file
from ampose.media.frames import Frame, reduced_size

_TERMINAL_ART = "tty"  # FFmpeg plays any .txt file as such
_STILL_BRANDS = ("heic", "heix", "mif1", "avif")  # photos, of which FFmpeg shows single tiles
_TOLERANCE = 1e-6  # seconds; times are exact fractions, the user's are rounded decimals
_MISSING_END = 0.5  # seconds of the announced duration that may be absent without a word


class Video:
    """A video file, checked when it is opened, read once from front to back.

    Iterating gives `Frame`s at their presentation times, variable frame rates included, in seconds
    from the start of the file. Rotation and mirroring that the file asks for are done, as players
    do them, and pixels that are not square are made so. A file that breaks off gives its good
    frames and a warning.

    Attributes:
        path: the file.
        size: (width, height) of the upright picture.
        fps: average frames per second, as the file says.
        duration: seconds of file time; None if the file does not say.
        frame_count: about how many frames iterating will give; None if unknown.
        warnings: what a user should know; complete once iterating has ended.

    Args:
        path: a file of any kind that FFmpeg decodes, recognised by its content.
        start: seconds of file time; earlier frames are left out (by seeking, where the file can).
        end: seconds of file time; frames at `end` or later are left out.
        capture_fps: the camera's rate, for slow motion: a file that plays 240 frames per second at
            30 has all its times divided by 8, so that they are real seconds.
        threads: for decoding; as many as FFmpeg likes if None.

    Raises:
        InputError: the file is missing, unreadable, no video, without a frame that can be decoded
            or without one from `start` to `end`; or an argument makes no sense.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        start: float | None = None,
        end: float | None = None,
        capture_fps: float | None = None,
        threads: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.warnings: list[str] = []
        self._threads = threads
        self._start = 0.0 if start is None else start
        self._end = math.inf if end is None else end
        if not 0 <= self._start < self._end:
            until = "" if end is None else f" and end {end:g} s"
            raise InputError(
                f"start {self._start:g} s{until} given; start must be 0 or more and before end"
            )
        if capture_fps is not None and not 0 < capture_fps < math.inf:
            raise InputError(
                f"capture rate must be above 0 frames per second, got {capture_fps:g}"
            )
        check_file(self.path)
        self._open()
        try:
            self._read_header(capture_fps)
            frames = self._from_start()
            first = next(frames, None)
            if first is None or first[0] >= self._end - _TOLERANCE:
                raise InputError(self._why_no_frame())
        except BaseException:
            self.close()
            raise
        self._set_geometry(first[1])
        self._frames: Iterator[tuple[float, VideoFrame]] | None = itertools.chain([first], frames)

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; done by leaving a ``with`` block."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, wanted: Callable[[float], bool] = lambda _: True) -> Iterator[Frame]:
        """The frames for whose times `wanted` is true.

        The others are decoded, because later frames need them, but not made into pictures.
        """
        if self._frames is None:
            raise RuntimeError("a Video is read once; open it again")
        frames, self._frames = self._frames, None
        index = 0
        for index, (time, picture) in enumerate(frames):
            if time >= self._end - _TOLERANCE:
                break
            seconds = time * self._stretch
            if wanted(seconds):
                image = self._upright(picture)
                yield Frame(image, self.size, seconds, index, self.path.name)
        else:
            index += 1
            if self._expected_end - self._shown_until > max(
                _MISSING_END, 0.05 * self._expected_end
            ):
                self._damaged = True
        self._warn(index)

    def _warn(self, count: int) -> None:
        if self._damaged:
            self.warnings.append(
                f"{self.path.name} is damaged or cut off: {count} frames could be read, "
                f"the last at {self._last:.2f} s"
            )
        if self._moved:
            self.warnings.append(
                f"{self.path.name}: {self._moved} frames were not later than the frame before; "
                "their times were counted on from it"
            )

    # Opening

    def _open(self) -> None:
        """(Re)opens the file at its beginning."""
        self._damaged = False
        self._moved = 0
        self._last: float = -math.inf
        self._shown_until: float = 0.0
        container = _open_container(self.path)
        if container is None:
            raise InputError(self._not_a_video())
        self._container = container
        streams = [
            stream
            for stream in container.streams.video
            if not stream.disposition & Disposition.attached_pic  # the cover of a song
        ]
        brand = container.metadata.get("major_brand")
        if not streams or container.format.name == _TERMINAL_ART or brand in _STILL_BRANDS:
            container.close()
            raise InputError(self._not_a_video())
        self._stream: VideoStream = streams[0]
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = self._threads or 0

    def _read_header(self, capture_fps: float | None) -> None:
        stream, container = self._stream, self._container
        self.fps = float(stream.average_rate or stream.guessed_rate or 25)
        self._stretch: float = self.fps / capture_fps if capture_fps else 1.0
        starts = [
            s.start_time * s.time_base
            for s in container.streams
            if s.start_time is not None and s.time_base is not None
        ]
        self._origin = min(starts, default=Fraction(0))
        whole = None if container.duration is None else container.duration / av.time_base
        own = (
            None
            if stream.duration is None or stream.time_base is None
            else float(stream.duration * stream.time_base)
        )
        self.duration = own if whole is None else whole
        self._expected_end: float = own or self.duration or 0.0
        self.frame_count = self._estimate_count()

    def _estimate_count(self) -> int | None:
        if self._start == 0 and self._end == math.inf and self._stream.frames:
            return self._stream.frames
        end = self._end if self.duration is None else min(self._end, self.duration)
        return None if end == math.inf else max(0, round((end - self._start) * self.fps))

    def _set_geometry(self, frame: VideoFrame) -> None:
        self._quarter_turns = quarter_turns(frame.rotation)
        self._mirrored = is_mirrored(frame)
        aspect = float(self._stream.sample_aspect_ratio or 1)
        stored = (
            round(frame.width * max(aspect, 1)),
            round(frame.height / min(aspect, 1)),
        )
        self.size = stored if self._quarter_turns % 2 == 0 else (stored[1], stored[0])
        self._stored_size = reduced_size(stored)

    def _not_a_video(self) -> str:
        return f"{self.path} is not a video that can be read; MP4, MOV, MKV, WebM and AVI can"

    def _why_no_frame(self) -> str:
        if self._last == -math.inf:
            return f"no frame of {self.path} can be decoded; it is damaged or not a video"
        until = "on" if self._end == math.inf else f"to {self._end:g} s"
        return (
            f"{self.path} has no frame from {self._start:g} s {until}; "
            f"its last frame read is at {self._last:.2f} s"
        )

    # Reading

    def _from_start(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames at `start` or later, with their file times."""
        frames = self._after_seek() if self._start > 0 else self._timed()
        return itertools.dropwhile(lambda f: f[0] < self._start - _TOLERANCE, frames)

    def _after_seek(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames from the last key frame before `start`; from the first one if that fails."""
        base = self._stream.time_base or Fraction(1, av.time_base)
        try:
            offset = math.floor((Fraction(self._start) + self._origin) / base)
            self._container.seek(offset, stream=self._stream)
            frames = self._timed()
            first = next(frames, None)
        except (av.FFmpegError, OSError, OverflowError):
            first = None
        # Some containers seek too far, and where times are missing a seek loses count.
        if first and first[1].pts is not None and first[0] <= self._start + _TOLERANCE:
            return itertools.chain([first], frames)
        self.close()
        self._open()
        return self._timed()

    def _timed(self) -> Iterator[tuple[float, VideoFrame]]:
        """Every frame with its file time; one missing or not increasing is counted on."""
        for frame in self._decoded():
            if frame.pts is not None and frame.time_base is not None:
                time = float(frame.pts * frame.time_base - self._origin)
                if time <= self._last:
                    time = self._last + 1 / self.fps
                    self._moved += 1
            else:
                time = 0.0 if self._last == -math.inf else self._last + 1 / self.fps
            self._last = time
            own = 0 if frame.time_base is None else float(frame.duration * frame.time_base)
            self._shown_until = time + max(own, 1 / self.fps)
            yield time, frame

    def _decoded(self) -> Iterator[VideoFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    self._damaged = True
                    continue
                for frame in frames:
                    if frame.is_corrupt:
                        self._damaged = True
                    else:
                        yield frame
        except (av.FFmpegError, OSError):
            self._damaged = True

    def _upright(self, frame: VideoFrame) -> NDArray[np.uint8]:
        width, height = self._stored_size
        image = frame.to_ndarray(format="rgb24", width=width, height=height)
        if self._mirrored:
            image = image[::-1]
        return np.ascontiguousarray(np.rot90(image, self._quarter_turns), np.uint8)


def _open_container(path: Path) -> InputContainer | None:
    # Front to back, FFmpeg reads a fragmented file up to where it breaks off; as it jumps about
    # by default, it refuses some of them.
    for extra in ({}, {"seekable": "0"}):
        with contextlib.suppress(av.FFmpegError, OSError):
            # "file:" because FFmpeg takes "a:b.mp4" for a protocol; the whitelist keeps playlists
            # off the network.
            return av.open(
                f"file:{path}",
                options={"protocol_whitelist": "file"} | extra,
                metadata_errors="replace",
            )
    return None


def quarter_turns(degrees: float) -> int:
    """Counterclockwise quarter turns, 0 to 3, that set a frame upright.

    `degrees` is FFmpeg's display rotation, counterclockwise: a phone held upright writes -90.
    """
    return round(degrees / 90) % 4


def is_mirrored(frame: VideoFrame) -> bool:
    """Whether players show it mirrored, as some phones want it of their front camera.

    FFmpeg tells the rotation alone, where the x axis goes: that of the frame turned top to bottom.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return False
    a, b, _, c, d = struct.unpack_from("=5i", matrix)
    return bool(a * d < b * c)
