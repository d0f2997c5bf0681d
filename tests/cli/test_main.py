"""What holds for every command: help, exit codes, errors in one line, no tracebacks."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ampose import Options, __version__, pipeline
from ampose.cli.main import main
from ampose.export import write_npz
from tests.cli.clips import clip, person, photo
from tests.export.recordings import recording, walking
from tests.research.training.commands import Command, assert_one_line

# A job in the background ignores Ctrl-C, and so would what it starts.
PROGRAM = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from ampose.cli.main import main; main()",
)


def test_version(ampose: Command) -> None:
    assert ampose("--version") == (0, f"ampose {__version__}\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        *(
            (name, "--help")
            for name in ("run", "lift", "demo", "angles", "events", "report", "compare", "export")
        ),
    ],
)
def test_help(ampose: Command, words: tuple[str, ...]) -> None:
    said = ampose(*words)
    assert (said.code, said.err) == (0, "")
    assert "Usage: " in said.out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nosuch",), "No such command 'nosuch'"),
        (("run",), "Missing"),
        (("run", "a.jpg"), "Missing option '--out'"),
        (("run", "a.jpg", "-o", "o", "--nosuch"), "No such option"),
        (("run", "a.jpg", "-o", "o", "--fov", "wide"), "Invalid value for '--fov'"),
        (("lift", "a.json", "-o", "o", "--fps", "x"), "Invalid value for '--fps'"),
    ],
)
def test_wrong_words(ampose: Command, words: tuple[str, ...], complaint: str) -> None:
    said = ampose(*words)
    assert (said.code, said.out) == (2, "")
    assert complaint in said.err
    assert "Traceback" not in said.err
    assert not list(Path().iterdir())


def test_demo(ampose: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ampose.data.DEMO_CLIP", clip(Path("short.mp4").absolute()))
    said = ampose("demo", "--threads", 1)
    assert (said.code, said.err) == (0, "")
    assert "3 frame(s), 1 person\n" in said.out
    assert "Open ampose-demo/overlay.mp4 to look at them.\n" in said.out
    assert_one_line(ampose("demo"), "ampose-demo holds files already", "--force")
    assert ampose("demo", "--force").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c(tmp_path: Path, number: signal.Signals) -> None:
    """In a process of its own, in the middle of a video."""
    source = clip(tmp_path / "a.mp4", list(person()) * 60)
    process = subprocess.Popen(
        [*PROGRAM, "run", str(source), "-o", "x/out"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("x/.*/*")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_ctrl_c_before_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """While commands are built, which takes longest of what is quick."""

    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ampose.cli.main.app", interrupted)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130


def test_a_full_disk_behind_standard_output(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    photo(tmp_path / "a.png")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "run", "a.png", "-o", "out"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (2, f"ampose: {os.strerror(errno.ENOSPC)}\n")


# --config


def test_a_path_that_standard_output_cannot_say(tmp_path: Path) -> None:
    """Results are there: the line that says where does not fail."""
    write_npz(recording(walking(3)), tmp_path / "poses.npz")
    out = tmp_path / "出"
    words = ("export", str(tmp_path), "-o", str(out), "--format", "csv")
    done = subprocess.run(
        [*PROGRAM, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u51fa: poses.csv" in done.stdout
    assert (out / "poses.csv").exists()


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a run was asked for; nothing is run."""
    asked: dict[str, Any] = {}

    def run(source: Path, out: Path, options: Options, **more: Any) -> None:
        asked.update(vars(options), source=source, out=out, force=more["force"])

    monkeypatch.setattr(pipeline, "run", run)
    monkeypatch.setattr("ampose.cli.run.tell", lambda *_: None)
    return asked


def test_any_option_can_come_from_a_file(ampose: Command, options: dict[str, Any]) -> None:
    Path("a.toml").write_text(
        'fov = 70\ncapture-fps = 240.5\nmin_score = 0.3\nforce = true\ndetector = "x.onnx"\n'
    )
    assert ampose("run", "a.mp4", "-o", "out", "--config", "a.toml").code == 0
    wanted = {"fov": 70, "capture_fps": 240.5, "min_score": 0.3, "force": True}
    assert wanted.items() <= options.items()
    assert (options["detector"], options["mapping"]) == (Path("x.onnx"), "hybrid")


def test_the_command_line_wins_over_the_file(ampose: Command, options: dict[str, Any]) -> None:
    Path("a.toml").write_text("fov = 70\nthreads = 3")
    assert ampose("run", "a.mp4", "-o", "out", "--fov", 50, "--config", "a.toml").code == 0
    assert (options["fov"], options["threads"]) == (50, 3)


def test_the_source_can_come_from_a_file(ampose: Command, options: dict[str, Any]) -> None:
    Path("a.toml").write_text('source = "a.mp4"\nout = "results"')
    assert ampose("run", "--config", "a.toml").code == 0
    assert (options["source"], options["out"]) == (Path("a.mp4"), Path("results"))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"nosuch = 1", "run has no option nosuch; it has blur-faces, bones"),
        (b"config = 'b.toml'", "run has no option config"),
        (b"help = true", "run has no option help"),
        (b"fov = [", "not TOML"),
        (b"\xff\xfe", "not TOML"),
        (b"fov = [70]", "fov must be text, a number, true or false"),
        (b"[run]\nfov = 70", "run has no option run"),
        (b"fov = 700", "--fov must be 1 to 170 degrees, got 700"),
    ],
)
def test_files_that_will_not_do(ampose: Command, content: bytes, complaint: str) -> None:
    Path("a.toml").write_bytes(content)
    assert_one_line(ampose("run", "a.jpg", "-o", "out", "--config", "a.toml"), complaint)
    assert not Path("out").exists()


def test_values_of_the_wrong_kind(ampose: Command) -> None:
    Path("a.toml").write_text("fov = 'wide'")
    said = ampose("run", "a.jpg", "-o", "out", "--config", "a.toml")
    assert (said.code, said.out) == (2, "")
    assert "Invalid value for '--fov'" in said.err


def test_a_missing_file(ampose: Command) -> None:
    said = ampose("lift", "a.json", "-o", "out", "--config", "nowhere.toml")
    assert_one_line(said, "nowhere.toml: cannot read the configuration (No such file")
    said = ampose("lift", "a.json", "-o", "out", "--config", ".")
    assert_one_line(said, ".: cannot read the configuration (Is a directory)")
