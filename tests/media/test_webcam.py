"""Without a camera: FFmpeg's test picture stands in for one, through the same calls."""

from __future__ import annotations

import errno
import itertools
import sys
from typing import Any

import av
import numpy as np
import pytest

from ampose.errors import InputError
from ampose.media import Webcam, camera_number, webcam
from ampose.media.webcam import _System

PICTURE = "testsrc=size=320x240:rate=25:duration={seconds}"


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    if "lavfi" not in av.formats_available:
        pytest.skip("this FFmpeg has no test pictures")
    system = _System("lavfi", PICTURE.format(seconds=1), False, ({"nosuch": "0"}, {}))
    monkeypatch.setitem(webcam._SYSTEMS, sys.platform, system)


def test_which_sources_are_cameras() -> None:
    assert [camera_number(s) for s in ("camera:0", "camera:12")] == [0, 12]
    assert [camera_number(s) for s in ("camera", "a.mp4", "x/camera:0", "")] == [None] * 4
    for bad in ("camera:", "camera:x", "camera:-1", "camera:0.5", "camera:٣", "camera:0 "):
        with pytest.raises(InputError, match=r"is no camera; give its number, such as camera:0"):
            camera_number(bad)


def test_frames_as_they_come(plugged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = itertools.count(50.0, 0.5)
    monkeypatch.setattr(webcam, "perf_counter", lambda: next(moments))
    camera = Webcam(0)
    assert (camera.name, camera.size, camera.fps) == ("camera:0", (320, 240), 25)
    frames = list(camera)
    assert [frame.index for frame in frames] == list(range(25))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(25) / 2)
    assert camera.started == 50.5  # the first reading of the clock was on opening
    first = frames[0]
    assert (first.name, first.size, first.camera) == ("camera:0", (320, 240), None)
    assert first.image.shape == (240, 320, 3)
    assert first.image.dtype == np.uint8
    assert len(np.unique(first.image.reshape(-1, 3), axis=0)) > 8  # bars of colour
    assert camera.warnings == []


def test_leaving_early_lets_go_of_the_camera(plugged: None) -> None:
    camera = Webcam(0)
    frames = iter(camera)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    with pytest.raises((AssertionError, ValueError, av.FFmpegError)):
        next(camera._container.demux(camera._stream))


def test_unplugging(plugged: None) -> None:
    camera = Webcam(0)
    opened, given = camera._container, 0

    class Unplugged:
        def demux(self, stream: Any) -> Any:
            yield from itertools.islice(opened.demux(stream), 3)
            raise av.error.OSError(errno.ENODEV, "No such device")

        def close(self) -> None:
            opened.close()

    camera._container = Unplugged()  # type: ignore[assignment]
    given = len(list(camera))
    assert given == 3
    assert len(camera.warnings) == 1
    assert camera.warnings[0].startswith("camera:0 stopped: ")
    assert "No such device" in camera.warnings[0]


@pytest.mark.parametrize(
    ("number", "complaint"),
    [
        (errno.ENOENT, "there is no camera:3; found: camera:0 (Inside), camera:2 (Above)"),
        (errno.EACCES, "no permission to use camera:3; allow it"),
        (errno.EBUSY, "camera:3 is in use by another program; close that first"),
        (errno.EINVAL, "camera:3 cannot be used: [Errno 22] no sense; found: camera:0 (Inside)"),
    ],
)
def test_cameras_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, number: int, complaint: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "no sense")

    monkeypatch.setattr(av, "open", refuse)
    monkeypatch.setattr(webcam, "_listed", lambda _: {2: "Above", 0: "Inside"})
    with pytest.raises(InputError) as told:
        Webcam(3)
    assert complaint in str(told.value)
    assert "\n" not in str(told.value)


class Device:
    def __init__(self, name: str, description: str, *media_types: str) -> None:
        self.name, self.description, self.media_types = name, description, list(media_types)


def test_cameras_are_listed_as_each_system_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for system, devices in {
        "linux": [Device("/dev/video0", "Inside"), Device("/dev/video2", "Above", "video")],
        "darwin": [
            Device("0", "Inside", "video"),
            Device("2", "Above"),
            Device("0", "M", "audio"),
        ],
    }.items():
        monkeypatch.setattr(av, "enumerate_input_devices", lambda _, d=devices: d, raising=False)
        assert webcam._listed(webcam._SYSTEMS[system]) == {0: "Inside", 2: "Above"}
    named = [Device("@pnp", "Microphone", "audio"), Device("@usb", "USB Camera", "video")]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda _: named, raising=False)
    assert webcam._listed(webcam._SYSTEMS["win32"]) == {0: "USB Camera"}
    monkeypatch.delattr(av, "enumerate_input_devices")  # as in older versions
    assert webcam._listed(webcam._SYSTEMS["linux"]) == {}


def test_windows_opens_cameras_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(place: str, **options: Any) -> None:
        asked.append((place, options["format"]))
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(av, "open", refuse)
    monkeypatch.setattr(webcam, "_listed", lambda _: {0: "USB Camera"})
    with pytest.raises(InputError, match="cannot be used"):
        Webcam(0)
    assert asked[0] == ("video=USB Camera", "dshow")
    with pytest.raises(InputError, match=r"there is no camera:1; found: camera:0 \(USB Camera\)"):
        Webcam(1)


def test_an_unknown_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "toaster")
    with pytest.raises(InputError, match="cameras are not supported on toaster"):
        Webcam(0)


def test_no_camera_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOENT, "none")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(av, "open", refuse)
    monkeypatch.setattr(webcam, "_listed", lambda _: {})
    with pytest.raises(InputError, match=r"there is no camera:0; no camera was found .*realtime"):
        Webcam(0)
