from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ampose.media import Playback, Video, playback
from tests.cli.clips import clip, nobody


class Clock:
    """A clock that only waiting and decoding move on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.stopped = False
        self.decoding = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += max(0.0, seconds)
        return self.stopped

    def play(self, path: Path) -> tuple[Playback, list[int]]:
        dropped: list[int] = []
        video = Video(path)
        given = video.frames

        def slowly(wanted):  # type: ignore[no-untyped-def]
            def asked(time: float) -> bool:
                self.now += self.decoding
                return wanted(time)

            return given(asked)

        video.frames = slowly  # type: ignore[method-assign]
        stop: threading.Event = self  # type: ignore[assignment]
        return Playback(video, stop, lambda: dropped.append(1)), dropped


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(playback, "perf_counter", made)
    return made


def ten(path: Path, times: list[int] | None = None) -> Path:
    return clip(path, [nobody((64, 48))] * 10, times=times)


def test_frames_come_at_their_own_times(tmp_path: Path, clock: Clock) -> None:
    times = [0, 10, 200, 210, 300, 400, 410, 420, 500, 900]
    played, dropped = clock.play(ten(tmp_path / "a.mkv", times))
    came = [(frame.time, clock.now - played.started) for frame in played]
    assert [time for time, _ in came] == pytest.approx([ms / 1000 for ms in times])
    assert [moment for _, moment in came] == pytest.approx([ms / 1000 for ms in times])
    assert played.started == 100
    assert dropped == []


def test_a_slow_reader_makes_frames_late_and_late_ones_are_dropped(
    tmp_path: Path, clock: Clock
) -> None:
    played, dropped = clock.play(ten(tmp_path / "a.mp4"))
    seen = []
    for frame in played:
        seen.append(frame.index)
        clock.now += 0.1  # 2.5 frames of 40 ms
    # Of those that were due meanwhile, the one whose successor is not due yet is the next.
    assert seen == [0, 2, 4, 7, 9]
    assert len(dropped) == 5


def test_decoding_slower_than_life_still_shows_something(tmp_path: Path, clock: Clock) -> None:
    clock.decoding = 0.15
    played, dropped = clock.play(ten(tmp_path / "a.mp4"))
    seen = [frame.index for frame in played]
    assert seen[0] == 0
    assert 3 <= len(seen) < 10
    assert len(seen) + len(dropped) == 10


def test_from_the_middle_of_a_video_nobody_waits_for_its_beginning(
    tmp_path: Path, clock: Clock
) -> None:
    path = ten(tmp_path / "a.mp4")
    played = Playback(Video(path, start=0.2), clock, lambda: None)  # type: ignore[arg-type]
    came = [(frame.time, clock.now - 100) for frame in played]
    assert [time for time, _ in came] == pytest.approx([0.2, 0.24, 0.28, 0.32, 0.36])
    assert [moment for _, moment in came] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_stopping(tmp_path: Path, clock: Clock) -> None:
    played, _ = clock.play(ten(tmp_path / "a.mp4"))
    frames = iter(played)
    next(frames)
    clock.stopped = True
    assert list(frames) == []
