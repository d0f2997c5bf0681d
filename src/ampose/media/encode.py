"""Writes videos and pictures under another name first, so that none is left half-written."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from ampose.errors import InputError
from ampose.files import written_beside

_ENCODERS = {
    "libx264": {"crf": "23", "preset": "veryfast"},
    "libsvtav1": {"crf": "35", "preset": "10"},
}
"""Encoders; the first that this PyAV was built with is used."""

_TIME_BASE = Fraction(1, 90_000)
_BT709 = 1


def encodable(image: NDArray[np.uint8]) -> VideoFrame:
    """A picture (H, W, 3) uint8 RGB as `VideoWriter` needs it, made in the thread that calls this.

    An odd side is padded by one pixel.
    """
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, [(0, height % 2), (0, width % 2), (0, 0)], "edge")
    frame = VideoFrame.from_ndarray(image, "rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU709")


class VideoWriter:
    """An MP4 of H.264, or of AV1 where PyAV lacks libx264, that starts playing while it loads.

    Use it in a ``with`` block: an exception inside deletes what was written; `close` puts the file
    in place.

    Args:
        path: the file to write; an existing one is replaced when closing.
        size: (width, height) of every picture; an odd side is padded by one pixel.
        fps: the usual frame rate; frames may come at any increasing times.
        threads: for encoding; as many as the encoder likes if None.

    Raises:
        InputError: the place cannot be written to, or the disk is full.
    """

    def __init__(
        self, path: Path | str, size: tuple[int, int], fps: float, threads: int | None = None
    ) -> None:
        self.path = Path(path)
        self.size = size
        self._partial = self.path.with_name(f"{self.path.stem}.partial{self.path.suffix}")
        self._first: float | None = None
        self._last_pts = -1
        self._duration = max(1, round(1 / fps / _TIME_BASE))
        codec = next(name for name in _ENCODERS if name in av.codecs_available)
        try:
            self._partial.touch()  # PyAV opens the file only for its first packet
            self._container = av.open(
                str(self._partial), "w", format="mp4", options={"movflags": "+faststart"}
            )
        except (av.FFmpegError, OSError) as error:
            raise _unwritable(self.path, error) from None
        rate = Fraction(fps).limit_denominator(1001)
        stream = self._container.add_stream(codec, rate=rate, options=_ENCODERS[codec])
        assert isinstance(stream, VideoStream)
        self._encoded = size[0] + size[0] % 2, size[1] + size[1] % 2
        stream.width, stream.height = self._encoded
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count = threads or 0
        context.time_base = _TIME_BASE
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        self._stream = stream

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._discard()

    def write(self, picture: NDArray[np.uint8] | VideoFrame, time: float) -> None:
        """Adds one picture to be shown from `time`, in seconds.

        The video begins with its first picture, whatever that one's time.

        Args:
            picture: (H, W, 3) RGB, or what `encodable` makes of it.
            time: seconds, later than that of the picture before.

        Raises:
            ValueError: another size than announced, or a time that is not later than the last.
        """
        if isinstance(picture, VideoFrame):
            frame, size, due = picture, (picture.width, picture.height), self._encoded
        else:
            frame, size, due = encodable(picture), picture.shape[1::-1], self.size
        if size != due:
            raise ValueError(f"a picture of size {due} is due, got {size}")
        self._first = time if self._first is None else self._first
        pts = round((time - self._first) / _TIME_BASE)
        if pts <= self._last_pts:
            raise ValueError(f"the times of a video must increase; {time:g} s does not")
        self._last_pts = pts
        frame.pts, frame.time_base, frame.duration = pts, _TIME_BASE, self._duration
        self._encode(frame)

    def close(self) -> None:
        """Finishes the file and puts it in place."""
        if self._last_pts < 0:
            self._discard()
            raise ValueError(f"no picture was written to {self.path}")
        self._encode(None)
        try:
            self._container.close()
            self._partial.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            self._discard()
            raise _unwritable(self.path, error) from None

    def _encode(self, frame: VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            self._discard()
            raise _unwritable(self.path, error) from None

    def _discard(self) -> None:
        # What the system refuses here follows from an error that is told already.
        try:
            with contextlib.suppress(av.FFmpegError, OSError):
                self._container.close()
        finally:
            with contextlib.suppress(OSError):
                self._partial.unlink(missing_ok=True)


def write_png(path: Path | str, image: NDArray[np.uint8]) -> None:
    """Writes (H, W, 3) uint8 RGB as a PNG.

    Raises:
        InputError: the place cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        with written_beside(path) as partial:
            Image.fromarray(image).save(partial, format="PNG")
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError | av.FFmpegError) -> InputError:
    return InputError(f"{path} cannot be written: {error.strerror or error}")
