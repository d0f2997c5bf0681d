from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.flow import Series, Stages, made_at, share_threads, untimed
from ampose.flow.series import RECENT

PATIENCE = 30


def test_a_series_tells_of_all_its_numbers_and_of_the_last() -> None:
    series = Series()
    assert all(map(math.isnan, (series.mean, series.percentile(50), series.recent_mean(3))))
    for value in range(10):
        series.add(value)
    assert (series.count, series.total, series.mean) == (10, 45, 4.5)
    assert series.percentile(50) == 4.5
    assert series.recent_mean(4) == pytest.approx(7.5)
    for value in range(10, 3 * RECENT):
        series.add(value)
    assert series.mean == (3 * RECENT - 1) / 2
    assert series.percentile(0) == 2 * RECENT
    assert series.percentile(100) == 3 * RECENT - 1
    assert series.recent_mean(10**9) == np.mean(np.arange(2 * RECENT, 3 * RECENT))


def test_stages_are_timed_each_for_itself() -> None:
    at = Stages(clock=iter([0, 1, 10, 13, 20, 22.5]).__next__)
    for stage in ("find", "refine", "find"):
        with at(stage):
            pass
    found, refined = at.times()
    assert (found.stage, found.calls, found.mean) == ("find", 2, 1.75)
    assert found.high == pytest.approx(np.percentile([1, 2.5], 95))
    assert (refined.stage, refined.calls, refined.mean) == ("refine", 1, 3)


def test_an_error_in_a_stage_frees_its_place() -> None:
    at = Stages(1)
    with pytest.raises(KeyError), at("find"):
        raise KeyError
    with at("find"):
        pass


def test_no_more_stages_compute_than_there_are_places() -> None:
    at, inside, third, leave = (
        Stages(2),
        threading.Barrier(3),
        threading.Event(),
        threading.Event(),
    )

    def stay(stage: str) -> None:
        with at(stage):
            inside.wait(PATIENCE)
            assert leave.wait(PATIENCE)

    def come(stage: str) -> None:
        with at(stage):
            third.set()

    workers = [threading.Thread(target=stay, args=(stage,)) for stage in "ab"]
    for worker in workers:
        worker.start()
    inside.wait(PATIENCE)  # two compute at once
    workers.append(threading.Thread(target=come, args=("c",)))
    workers[-1].start()
    assert not third.wait(0.05)
    leave.set()
    assert third.wait(PATIENCE)
    for worker in workers:
        worker.join()


def test_items_made_at_a_stage() -> None:
    at = Stages()
    assert list(made_at(at, "decode", "abc")) == ["a", "b", "c"]
    assert at.times()[0].calls == 4  # the last call says that there is no more
    assert list(made_at(untimed, "decode", [])) == []


def test_a_stage_of_many_threads_waits_for_as_many_places() -> None:
    at, entered, leave = Stages(2, threads={"refine": 2}), threading.Event(), threading.Event()

    def come() -> None:
        with at("refine"):
            entered.set()
            assert leave.wait(PATIENCE)

    worker = threading.Thread(target=come)
    with at("decode"):
        worker.start()
        assert not entered.wait(0.05)
    assert entered.wait(PATIENCE)
    leave.set()
    with at("decode"):
        pass
    worker.join()


def test_threads_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ampose.flow.threads.processors", lambda: 6)
    shares = {
        total: (share.detector, share.lifter, share.codec, share.overlap)
        for total in (1, 2, 3, 4, 16)
        if (share := share_threads(total))
    }
    assert shares == {
        1: (1, 1, 1, False),
        2: (2, 2, 1, True),
        3: (3, 3, 1, True),
        4: (4, 4, 1, True),
        16: (16, 16, 4, True),
    }
    live = share_threads(4, live=True)
    assert (live.detector, live.lifter, live.codec) == (2, 1, 1)
    assert share_threads().total == 6
    # As many places as threads, unless the machine has no more processors anyway.
    assert [share_threads(total).places for total in (1, 2, 6, 16, None)] == [1, 2] + [None] * 3
    with pytest.raises(InputError, match="threads must be 1 or more, got 0"):
        share_threads(0)
