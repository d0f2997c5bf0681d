"""The benchmark of the whole way on a handful of frames; what it measures is not looked at."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pipeline as benchmark
import pytest

from ampose import media, onnx_models, running
from ampose.errors import InputError
from ampose.flow import Threads
from ampose.research.evaluation.provenance import read_table
from tests.cli.clips import clip

FILE_STAGES = ("decode", "find", "refine", "motion", "draw", "convert", "encode")
LIVE_STAGES = ("decode", "find", "refine", "lift", "motion", "draw", "show")


@pytest.fixture
def short(tmp_path: Path) -> Path:
    return clip(tmp_path / "short.mp4")


def test_the_clips(tmp_path: Path, short: Path) -> None:
    for people in (1, 2):
        made = benchmark.compose(short, tmp_path / f"{people}.mp4", people, 7)
        with media.Video(made) as video:
            assert video.fps == benchmark.FPS
            frames = [frame.image.astype(int) for frame in video]
        assert [frame.shape for frame in frames] == [(720, 1280, 3)] * 7
        width = 408  # 272 x 480 made 720 high
        left = (1280 // people - width) // 2
        shown = frames[0][:, left : left + width]
        bars = frames[0][:, : left - 8]
        assert np.abs(bars - benchmark.BACKGROUND).max() < 20
        assert shown.std() > 30
        if people == 2:
            mirrored = frames[0][:, 640 + left : 640 + left + width][:, ::-1]
            assert np.abs(mirrored - shown).mean() < 4
        # 0 1 2 1 0 1 2: forwards and backwards.
        assert np.abs(frames[1] - frames[3]).mean() < np.abs(frames[1] - frames[2]).mean() + 1


def test_files_and_live(
    tmp_path: Path,
    short: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(benchmark, "FOLLOWED", 2)
    out = tmp_path / "out.csv"
    words = ["pipeline.py", short, "-o", out, "--frames", 5, "--repeats", 1]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    benchmark.main()
    notes, rows = read_table(out, ("case", "quantity", "unit", "median", "lowest", "highest"))
    assert "mirror image side by side" in notes["clips"]
    found = {(row["case"], row["quantity"]): float(row["median"]) for row in rows}
    assert found["machine", "detectors at once, of ideal"] > 0
    for case, asked in benchmark.CASES.items():
        stages = FILE_STAGES + ("blur",) * asked.covered
        alone = [found[case, f"alone: {stage}"] for stage in stages]
        assert min(alone) > 0
        total = found[case, "alone: sum"]
        assert total == pytest.approx(sum(alone), rel=0.02)
        share = found[case, "file"] * total / 1000 / 2
        assert found[case, "file, of ideal"] == pytest.approx(share, rel=0.02)
        assert found[case, "live, median delay"] > 0
        for stage in LIVE_STAGES:
            assert found[case, f"live: {stage}"] > 0
    assert found["two people", "alone: refine"] > 1.5 * found["one person", "alone: refine"]
    assert "repeat 1 of 1" in capsys.readouterr().out
    assert running.Stages is benchmark.Stages  # as it was


def test_settings(tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[Threads, ort.SessionOptions]] = []

    def process(*_: object) -> benchmark.FileRun:
        share = running.share_threads(None)
        used.append((share, onnx_models.session_options(share.detector)))
        return benchmark.FileRun(10, 2.0)

    monkeypatch.setattr(benchmark, "process", process)
    monkeypatch.setattr(benchmark, "measure_machine", lambda *_: None)
    rows = benchmark.measure(short, 3, 4, 2, settings=True)
    assert [row["case"] for row in rows] == [str(setting) for setting in benchmark.SETTINGS]
    assert len({row["case"] for row in rows}) == len(rows)
    assert {row["median"] for row in rows} == {"5"}
    for setting, (share, options) in zip(benchmark.SETTINGS, used, strict=False):
        assert share.overlap == setting.overlap
        assert share.places == (4 if setting.bounded else None)
        assert share.detector == options.intra_op_num_threads == (setting.network or 4)
        entry = options.get_session_config_entry("session.intra_op.allow_spinning")
        assert entry == str(int(setting.spinning))
        parallel = options.execution_mode == ort.ExecutionMode.ORT_PARALLEL
        assert parallel == setting.parallel


def test_the_package_runs_as_one_of_the_settings() -> None:
    """What was measured as best is what users get on two processors."""
    usual = running.share_threads(2)
    assert usual.overlap
    assert usual.detector == 2
    assert not onnx_models.SPINNING


@pytest.mark.parametrize("words", [("--frames", "1"), ("--threads", "0"), ("--repeats", "0")])
def test_arguments_that_cannot_be(
    words: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pipeline.py", "a.mp4", *words])
    with pytest.raises(SystemExit) as ended:
        benchmark.main()
    assert ended.value.code == 2
    assert "must be at least 1" in capsys.readouterr().err


def test_a_video_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        benchmark.measure(tmp_path / "a.mp4", 3, 2, 1, settings=False)
