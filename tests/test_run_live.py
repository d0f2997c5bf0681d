"""A live run in this process; `tests.cli.test_live` has the command and its Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import av
import numpy as np
import pytest

import ampose
from ampose import InputError, Options, media, pipeline, running
from ampose.export import read_npz
from ampose.poses import Pose2D
from tests.cli.clips import SIZE, clip, person, photo
from tests.test_pipeline import Fixed, body, played

PATIENCE = 30


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the detector, so that a run costs nothing."""

    def see(detector: Fixed) -> None:
        monkeypatch.setattr(running, "load_detector", lambda *_, **__: detector)

    see(Fixed(body(20), body(150)))
    return see


def test_a_video_played_as_if_live(tmp_path: Path, sees: Any) -> None:
    told: list[pipeline.LiveReport] = []
    source = clip(tmp_path / "a.mp4", [person()[0]] * 8)
    report = pipeline.run_live(source, tmp_path / "out", port=0, tell=told.append)
    assert told[0].url == report.url
    assert told[0].url.startswith("http://127.0.0.1:")
    assert report.status.shown >= 1
    assert report.status.shown + report.status.dropped == 8
    assert report.status.people == 2
    stages = [stage.stage for stage in report.stages]
    # No real detector, so nothing is found or refined.
    assert stages == ["decode", "lift", "motion", "draw", "show", "convert", "encode"]
    assert report.sequence is not None
    assert report.sequence.frame_count == report.status.shown
    assert report.sequence.times[-1] == pytest.approx(0.28)  # the last frame is always shown
    assert (np.diff(report.sequence.times) > 0).all()
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["overlay.mp4", "poses.json", "poses.npz"]
    back = read_npz(tmp_path / "out" / "poses.npz")
    np.testing.assert_array_equal(back.joints, report.sequence.joints)
    assert back.provenance["source"] == "a.mp4"
    _, times = played(tmp_path / "out" / "overlay.mp4")
    assert times == pytest.approx(back.times - back.times[0], abs=1e-3)


def test_without_a_folder_nothing_is_kept(tmp_path: Path, sees: Any) -> None:
    source = clip(tmp_path / "a.mp4")
    report = pipeline.run_live(source, port=0)
    assert report.sequence is None
    assert report.status.shown >= 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_find_and_refine_are_timed_apart(tmp_path: Path) -> None:
    report = pipeline.run_live(clip(tmp_path / "a.mp4", times=[0, 500, 1000]), port=0)
    calls = {stage.stage: stage.calls for stage in report.stages}
    assert calls["find"] == 1  # the person is followed from the first frame on
    assert calls["refine"] >= 1
    assert all(0 < stage.mean < 60 for stage in report.stages)


class Burst:
    """Ten frames at once, and then no more."""

    def __init__(self, *_: Any) -> None:
        self.started = perf_counter()

    def __iter__(self) -> Iterator[media.Frame]:
        for index in range(10):
            yield media.Frame(person()[0], SIZE, index / 25, index, "a.mp4")
        Slow.all_came.set()


class Slow(Fixed):
    """Looks at its first frame until all frames have come."""

    all_came = threading.Event()

    def detect(self, image: np.ndarray) -> list[Pose2D]:
        assert self.all_came.wait(PATIENCE)
        return super().detect(image)


def test_a_step_that_is_too_slow_sees_the_newest_frame_and_the_rest_is_dropped(
    tmp_path: Path, sees: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Slow.all_came.clear()
    sees(Slow(body(20)))
    monkeypatch.setattr(media, "Playback", Burst)
    report = pipeline.run_live(clip(tmp_path / "a.mp4"), tmp_path / "out", port=0)
    assert report.sequence is not None
    assert report.sequence.times[-1] == pytest.approx(9 / 25)
    assert 1 <= report.status.shown <= 2
    assert report.status.shown + report.status.dropped == 10


def test_choosing_and_smoothing(tmp_path: Path, sees: Any) -> None:
    moving = clip(tmp_path / "a.mp4", person(6))
    with_all = pipeline.run_live(moving, tmp_path / "all", port=0)
    report = pipeline.run_live(moving, tmp_path / "one", Options(person="1"), port=0)
    assert with_all.sequence is not None
    assert report.sequence is not None
    assert with_all.sequence.ids.tolist() == [0, 1]
    assert report.sequence.ids.tolist() == [1]
    assert "motion" in [stage.stage for stage in report.stages]
    assert report.sequence.provenance["filter"] == "one-euro"
    raw = pipeline.run_live(moving, options=Options(filter="none"), port=0)
    assert "motion" not in [stage.stage for stage in raw.stages]
    with pytest.raises(InputError, match="longest needs the whole recording"):
        pipeline.run_live(moving, options=Options(person="longest"), port=0)


@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        (Options(filter="savitzky-golay", cutoff=2), "--filter, --cutoff"),
        (Options(cutoff=2, world=False, pitch=3), "--cutoff, --no-world, --pitch"),
        (Options(filter="one-euro", cutoff=2, height=1.8), None),
        (Options(filter="none"), None),
        (Options(), None),
    ],
)
def test_options_that_mean_nothing_live_are_named(
    tmp_path: Path, sees: Any, options: Options, ignored: str | None
) -> None:
    source = clip(tmp_path / "a.mp4")
    report = pipeline.run_live(source, tmp_path / "out", options, port=0)
    assert report.sequence is not None
    told = [warning for warning in report.sequence.warnings if "were ignored" in warning]
    line = f"Options that mean nothing for what is live were ignored: {ignored}."
    assert told == ([line] if ignored else [])


class Broken(Fixed):
    def detect(self, image: np.ndarray) -> list[Pose2D]:
        raise ZeroDivisionError("in the\nmiddle")


@pytest.mark.parametrize("out", [None, "x/out"])
def test_an_error_in_a_thread_ends_the_run(tmp_path: Path, sees: Any, out: str | None) -> None:
    sees(Broken())
    source = clip(tmp_path / "a.mp4")
    before = threading.active_count()
    with pytest.raises(InputError, match="the run broke off: ZeroDivisionError: in the middle"):
        pipeline.run_live(source, out and tmp_path / out, port=0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    for thread in threading.enumerate():
        if "_serve" in thread.name:
            thread.join(PATIENCE)
    assert threading.active_count() <= before + 1  # the page's may still be on its way out


def test_a_full_disk_ends_the_run(
    tmp_path: Path, sees: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise InputError("overlay.mp4 cannot be written: No space left on device")

    monkeypatch.setattr(media.VideoWriter, "write", full)
    with pytest.raises(InputError, match="No space left"):
        pipeline.run_live(clip(tmp_path / "a.mp4"), tmp_path / "out", port=0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_what_cannot_be_live(tmp_path: Path, sees: Any) -> None:
    with pytest.raises(InputError, match=r"a.png is a photo; only a camera or a video can be"):
        pipeline.run_live(photo(tmp_path / "a.png"), port=0)
    with pytest.raises(InputError, match=r"camera:0 has no end; use ampose.stream"):
        ampose.run("camera:0")
    with pytest.raises(InputError, match=r"camera:first is no camera"):
        next(ampose.stream("camera:first"))


def test_a_camera(tmp_path: Path, sees: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stand:
        """A camera that is unplugged after three frames."""

        fps, started = 25.0, perf_counter()

        def __init__(self, number: int, at: Any) -> None:
            assert number == 2
            self.warnings: list[str] = []

        def __iter__(self) -> Iterator[media.Frame]:
            for index in range(3):
                yield media.Frame(person()[0], SIZE, index / 25, index, "camera:2")
            self.warnings.append("camera:2 stopped: gone.")

        def close(self) -> None:
            pass

    monkeypatch.setattr(media, "Webcam", Stand)
    report = pipeline.run_live("camera:2", tmp_path / "out", port=0)
    assert report.sequence is not None
    assert report.sequence.provenance["source"] == "camera:2"
    assert "camera:2 stopped: gone." in report.sequence.warnings
    assert (tmp_path / "out" / "overlay.mp4").exists()
    frames = list(ampose.stream("camera:2"))
    assert frames[-1].index == 2


def test_delay_is_from_the_frames_own_moment(
    tmp_path: Path, sees: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Earlier:
        """One frame, of 3000 seconds ago."""

        def __init__(self, *_: Any) -> None:
            self.started = perf_counter() - 5000

        def __iter__(self) -> Iterator[media.Frame]:
            yield media.Frame(person()[0], SIZE, 2000.0, 0, "a.mp4")

    monkeypatch.setattr(media, "Playback", Earlier)
    report = pipeline.run_live(clip(tmp_path / "a.mp4"), port=0)
    assert 3000 < report.status.delay < 3000 + 10 * PATIENCE


def test_files_by_one_thread_and_by_several_are_the_same(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4")
    results = [
        ampose.run(source, tmp_path / str(threads), ampose.Options(threads=threads))
        for threads in (1, 2)
    ]
    np.testing.assert_allclose(results[0].joints, results[1].joints, atol=1e-6)
    pictures = []
    for threads in (1, 2):
        with av.open(str(tmp_path / str(threads) / "overlay.mp4")) as container:
            pictures.append([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])
    np.testing.assert_array_equal(*pictures)


def test_a_stream_that_is_left_ends_its_threads(tmp_path: Path, sees: Any) -> None:
    before = threading.active_count()
    frames = ampose.stream(clip(tmp_path / "a.mp4", [person()[0]] * 60))
    next(frames)
    assert threading.active_count() > before
    frames.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


class Held:
    """A camera that knows whether somebody holds it."""

    fps, started, held = 25.0, 0.0, False

    def __init__(self, *_: Any) -> None:
        type(self).held = True
        self.warnings: list[str] = []

    def __iter__(self) -> Iterator[media.Frame]:
        yield media.Frame(person()[0], SIZE, 0.0, 0, "camera:0")

    def close(self) -> None:
        type(self).held = False


def test_a_camera_is_let_go_whatever_happens(
    tmp_path: Path, sees: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "Webcam", Held)
    frames = ampose.stream("camera:0")
    assert Held.held
    frames.close()  # type: ignore[attr-defined]
    assert not Held.held
    assert list(frames) == []
    assert len(list(ampose.stream("camera:0"))) == 1
    assert not Held.held
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="holds files already"):
        pipeline.run_live("camera:0", tmp_path, port=0)
    assert not Held.held
    with pytest.raises(InputError, match="no model file"):
        ampose.stream("camera:0", Options(weights=tmp_path / "none.onnx"))
    assert not Held.held


def test_a_video_is_closed_where_a_run_is_refused(
    tmp_path: Path, sees: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: set[media.Video] = set()

    class Noted(media.Video):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            opened.add(self)

        def close(self) -> None:
            super().close()
            opened.discard(self)

    monkeypatch.setattr(media, "Video", Noted)
    source = clip(tmp_path / "a.mp4")
    for refused in (ampose.run, pipeline.run_live):
        with pytest.raises(InputError, match="holds files already"):
            refused(source, tmp_path)
    with pytest.raises(InputError, match=r"none\.onnx"):
        ampose.run(source, options=Options(weights=tmp_path / "none.onnx"))
    ampose.run(source, tmp_path / "out")
    assert not opened
