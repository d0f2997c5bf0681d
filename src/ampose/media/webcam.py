"""A camera on this machine, through FFmpeg's devices."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ampose.errors import InputError, one_line
from ampose.flow import At, untimed
from ampose.media.frames import Frame, reduced_size

DEFAULT_CAMERA_FPS = 30.0
"""Frames per second asked for, and assumed if the camera does not say how many it gives."""

WANTED_SIZE = (1280, 720)
"""Width and height asked for; a camera that lacks it is used at its own."""

_PREFIX = "camera:"
_WANTED = {
    "video_size": f"{WANTED_SIZE[0]}x{WANTED_SIZE[1]}",
    "framerate": f"{DEFAULT_CAMERA_FPS:g}",
}


@dataclass(frozen=True)
class _System:
    """How an operating system's cameras are opened.

    Attributes:
        format: FFmpeg's name of the devices.
        place: what FFmpeg opens, from the camera's number and its name.
        by_name: whether the name is needed, so that cameras must be listed first.
        attempts: options to try, best first.
    """

    format: str
    place: str
    by_name: bool
    attempts: tuple[dict[str, str], ...]


_SYSTEMS = {
    # Uncompressed 720p is more than USB 2 carries at 30 frames per second: JPEG first.
    "linux": _System(
        "v4l2", "/dev/video{number}", False, ({"input_format": "mjpeg", **_WANTED}, _WANTED, {})
    ),
    "darwin": _System(
        "avfoundation",
        "{number}:none",
        False,
        (_WANTED, {"framerate": _WANTED["framerate"]}, {}),
    ),
    "win32": _System("dshow", "video={name}", True, (_WANTED, {})),
}


def camera_number(source: str) -> int | None:
    """The number in ``camera:0``; None for what does not begin with ``camera:``.

    Raises:
        InputError: something else than a number follows.
    """
    if not source.startswith(_PREFIX):
        return None
    number = source.removeprefix(_PREFIX)
    if not re.fullmatch("[0-9]{1,3}", number):
        raise InputError(f"{source} is no camera; give its number, such as camera:0")
    return int(number)


class Webcam:
    """A camera's frames as they come, until it is closed or unplugged.

    A frame's time is that of its arrival, as no camera tells how long it took itself.

    Attributes:
        name: ``camera:0``.
        size: (width, height) of the frames.
        fps: frames per second, as the camera says.
        started: `time.perf_counter` at time 0, the arrival of the first frame.
        warnings: what a user should know; complete once iterating has ended.

    Args:
        number: counted from 0, as the operating system does.
        at: surrounds the stage ``decode`` of each frame.

    Raises:
        InputError: there is no such camera, or it cannot be used.
    """

    def __init__(self, number: int, at: At = untimed) -> None:
        self.name = f"{_PREFIX}{number}"
        self.warnings: list[str] = []
        self.started = perf_counter()
        self._at = at
        self._container = self._open(number)
        if not self._container.streams.video:
            self._container.close()
            raise InputError(f"{self.name} gives no pictures")
        self._stream = self._container.streams.video[0]
        # Frames that threads decode side by side come out later by as many frames.
        self._stream.thread_type = "SLICE"
        self.size = self._stream.width, self._stream.height
        self.fps = float(self._stream.average_rate or DEFAULT_CAMERA_FPS)

    def _open(self, number: int) -> InputContainer:
        system = _SYSTEMS.get(sys.platform)
        if system is None:
            raise InputError(f"cameras are not supported on {sys.platform}; give a video file")
        listed = _listed(system)
        if system.by_name and number not in listed:
            raise InputError(f"there is no {self.name}; {_told(listed)}")
        place = system.place.format(number=number, name=listed.get(number, ""))
        problem: Exception | None = None
        for options in system.attempts:
            try:
                return av.open(place, format=system.format, options=options)
            except (av.FFmpegError, OSError, ValueError) as error:
                problem = error
        raise InputError(self._why_not(problem, listed))

    def _why_not(self, problem: Exception | None, listed: dict[int, str]) -> str:
        assert problem is not None
        match getattr(problem, "errno", None):
            case errno.ENOENT | errno.ENODEV | errno.ENXIO:
                return f"there is no {self.name}; {_told(listed)}"
            case errno.EACCES | errno.EPERM:
                return (
                    f"no permission to use {self.name}; allow it in the system's settings (on "
                    "Linux, be in the group video)"
                )
            case errno.EBUSY:
                return f"{self.name} is in use by another program; close that first"
        return f"{self.name} cannot be used: {one_line(problem)}; {_told(listed)}"

    def close(self) -> None:
        """Lets go of the camera."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        first = None
        try:
            for index, (arrived, size, image) in enumerate(self._pictures()):
                if first is None:
                    first = self.started = arrived
                yield Frame(image, size, arrived - first, index, self.name)
        finally:
            self.close()

    def _pictures(self) -> Iterator[tuple[float, tuple[int, int], NDArray[np.uint8]]]:
        """Moments of arrival, full sizes and RGB pictures."""
        try:
            for packet in self._container.demux(self._stream):
                arrived = perf_counter()
                with self._at("decode"):
                    pictures = _decoded(packet)
                for size, image in pictures:
                    yield arrived, size, image
        except (av.FFmpegError, OSError) as error:
            self.warnings.append(f"{self.name} stopped: {one_line(error)}.")


def _decoded(packet: Packet[VideoStream]) -> list[tuple[tuple[int, int], NDArray[np.uint8]]]:
    """Full sizes and RGB pictures of a packet, usually one; none of a damaged one."""
    try:
        frames = packet.decode()
    except av.FFmpegError:
        return []
    pictures = []
    for frame in frames:
        size = frame.width, frame.height
        width, height = reduced_size(size)
        image = frame.to_ndarray(format="rgb24", width=width, height=height)
        pictures.append((size, np.asarray(image, np.uint8)))
    return pictures


def _listed(system: _System) -> dict[int, str]:
    """Names of the cameras by number, as far as FFmpeg and this PyAV can list them."""
    try:
        devices = av.enumerate_input_devices(system.format)
    except (AttributeError, ValueError, OSError):
        return {}
    cameras = [d for d in devices if not d.media_types or "video" in d.media_types]
    if system.by_name:
        return {number: camera.description for number, camera in enumerate(cameras)}
    found = {}
    for camera in cameras:
        if digits := re.search("[0-9]+$", camera.name):
            found[int(digits[0])] = camera.description
    return found


def _told(listed: dict[int, str]) -> str:
    if not listed:
        return "no camera was found on this machine; give a video file with --realtime instead"
    names = ", ".join(f"{_PREFIX}{number} ({name})" for number, name in sorted(listed.items()))
    return f"found: {names}"
