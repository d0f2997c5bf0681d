from __future__ import annotations

import io
import signal
import socket
import subprocess
from http.client import HTTPConnection
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ampose import pipeline
from ampose.cli.live import summary
from ampose.export import read_npz
from ampose.flow import StageTime
from ampose.live import Meter
from tests.cli.clips import clip, nobody, person, photo
from tests.cli.test_main import PROGRAM
from tests.research.training.commands import Command, assert_one_line

PATIENCE = 60


def slideshow(path: Path) -> Path:
    """Two minutes of video in few frames."""
    return clip(path, list(person()) * 40, times=range(0, 120_000, 1000))


def started(folder: Path, *words: str) -> tuple[subprocess.Popen[str], int]:
    """The command in a process of its own, and the port of its page."""
    process = subprocess.Popen(
        [*PROGRAM, "run", *words, "--realtime", "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("Live at http://127.0.0.1:")
    return process, int(line.split("/ ")[0].rsplit(":", 1)[1])


def a_picture(port: int) -> Image.Image:
    """The next picture of the stream; there is one, so the run is well under way."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/overlay.mjpeg")
    stream = connection.getresponse()
    assert stream.readline() == b"--frame\r\n"
    lengths = [line for line in iter(stream.readline, b"\r\n") if b"Length" in line]
    picture = Image.open(io.BytesIO(stream.read(int(lengths[0].split()[1]))))
    picture.load()
    return picture


def ended(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    return out


@pytest.mark.parametrize("recorded", [True, False])
def test_ctrl_c_ends_it_with_a_summary(tmp_path: Path, recorded: bool) -> None:
    slideshow(tmp_path / "a.mkv")
    process, port = started(tmp_path, "a.mkv", *(("-o", "out") if recorded else ()))
    assert a_picture(port).size == (1012, 960)
    out = ended(process)
    assert " frames shown, " in out
    assert " frames/s; delay " in out
    for stage in ("decode", "find", "refine", "lift", "draw", "show"):
        assert f"\n{stage}" in out
    if not recorded:
        assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]
        return
    assert "Open out/overlay.mp4 to look at them.\n" in out
    result = read_npz(tmp_path / "out" / "poses.npz")
    assert result.frame_count >= 1
    with av.open(str(tmp_path / "out" / "overlay.mp4")) as container:
        assert len(list(container.decode(video=0))) == result.frame_count
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv", "out"]


def test_a_video_ends_by_itself(ampose: Command) -> None:
    said = ampose("run", clip(Path("a.mp4")), "--realtime", "--port", 0, "-o", "out")
    assert (said.code, said.err) == (0, "")
    first, *rest = said.out.splitlines()
    assert first.startswith("Live at http://127.0.0.1:")
    assert "Results in out: poses.npz, poses.json" in rest
    assert np.isfinite(read_npz(Path("out/poses.npz")).joints).all()


@pytest.mark.parametrize("recorded", [True, False])
def test_what_limits_it_is_said_once(ampose: Command, recorded: bool) -> None:
    out = ("-o", "out") if recorded else ()
    said = ampose("run", clip(Path("a.mp4")), "--realtime", "--port", 0, "--pitch", 10, *out)
    assert (said.code, said.err) == (0, "")
    ignored = "note: Options that mean nothing for what is live were ignored: --pitch.\n"
    assert said.out.count(ignored) == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("camera:999",), "there is no camera:999; "),
        (("camera:front",), "camera:front is no camera; give its number, such as camera:0"),
        (("a.png", "--realtime"), "a.png is a photo; only a camera or a video can be live"),
        (("no.mp4", "--realtime"), "no.mp4 does not exist"),
        (("a.mp4",), "Missing option '--out'"),
        (("a.mp4", "-o", "out", "--port", "0"), "--port is for a camera or --realtime"),
        (("a.mp4", "--realtime", "--port", "70000"), "--port must be 0 to 65,535, got 70000"),
        (("a.mp4", "--realtime", "-o", "a.png"), "a.png is a file; -o takes a folder"),
    ],
)
def test_bad_words(ampose: Command, words: tuple[str, ...], complaint: str) -> None:
    photo(Path("a.png"), nobody((64, 48)))
    clip(Path("a.mp4"), [nobody((64, 48))])
    said = ampose("run", *words)
    assert (said.code, "Traceback" in said.err) == (2, False)
    assert said.err.startswith("ampose: ")
    assert said.err.count("\n") == 1
    assert complaint in said.err
    assert sorted(path.name for path in Path().iterdir()) == ["a.mp4", "a.png"]


def test_a_port_in_use(ampose: Command) -> None:
    clip(Path("a.mp4"), [nobody((64, 48))])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = ampose("run", "a.mp4", "--realtime", "--port", port, "-o", "out")
    assert_one_line(said, f"port {port} is in use; give another --port")
    assert not Path("out").exists()


def test_the_summary() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    for _ in range(101):
        meter.show(now - 0.05, 1)
        now += 0.04
    meter.drop()
    stages = (StageTime("find", 4, 0.0171, 0.0182), StageTime("refine", 202, 0.021, 0.0234))
    report = pipeline.LiveReport("http://127.0.0.1:1/", meter.status, stages)
    assert list(summary(report)) == [
        "101 frames shown, 1 dropped, 25.0 frames/s; delay 50 ms (median), 50 ms (95 %)",
        "stage     mean ms  95 % ms  per frame",
        "find         17.1     18.2       0.04",
        "refine       21.0     23.4       2.00",
    ]
    empty = list(summary(pipeline.LiveReport("", Meter().status, stages[:1])))
    assert empty[0] == "0 frames shown, 0 dropped, - frames/s; delay - ms (median), - ms (95 %)"
    assert empty[2].endswith("-")
