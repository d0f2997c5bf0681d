from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Generator

import pytest

from ampose.flow import ahead, latest

PATIENCE = 30
"""Seconds within which another thread certainly gets its turn."""


class Picture:
    """Something of which one can tell whether it is still held."""


class Source:
    """Counts up; goes on only when it is let, and says how far it is."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.given = 0
        self.closed = threading.Event()
        self._moved = threading.Condition()
        self._allowed = 0

    def allow(self, count: int) -> None:
        with self._moved:
            self._allowed += count
            self._moved.notify_all()

    def wait_until(self, given: int) -> None:
        with self._moved:
            assert self._moved.wait_for(lambda: self.given >= given, PATIENCE)

    def __call__(self) -> Generator[int]:
        try:
            for number in range(self.count):
                with self._moved:
                    assert self._moved.wait_for(lambda n=number: self._allowed > n, PATIENCE)
                yield number
                with self._moved:  # what asked for the next one has dealt with this one
                    self.given += 1
                    self._moved.notify_all()
        finally:
            self.closed.set()


@pytest.mark.parametrize("depth", [1, 2, 7])
def test_ahead_gives_everything_in_order(depth: int) -> None:
    assert list(ahead(range(100), depth)) == list(range(100))
    assert list(ahead([], depth)) == []


def test_chains_of_links_give_everything_in_order() -> None:
    doubled = (2 * item for item in ahead(range(300)))
    added = (item + 1 for item in ahead(doubled))
    assert list(ahead(added)) == [2 * item + 1 for item in range(300)]


def test_links_work_at_the_same_time() -> None:
    """Each waits for the other; one after the other they would wait for ever."""
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def first() -> Generator[int]:
        yield 0
        meeting.wait()
        yield 1

    items = ahead(first())
    assert next(items) == 0
    meeting.wait()
    assert list(items) == [1]


def test_ahead_makes_no_more_than_its_depth_in_advance() -> None:
    source = Source(10)
    source.allow(10)
    items = ahead(source(), 3)
    assert next(items) == 0
    source.wait_until(4)  # one was taken, three lie ready
    assert source.given == 4
    next(items)
    source.wait_until(5)
    assert source.given == 5
    items.close()


def test_nothing_starts_before_it_is_asked_for() -> None:
    started = threading.Event()

    def source() -> Generator[int]:
        started.set()
        yield 0

    threads = threading.active_count()
    items = ahead(source())
    assert threading.active_count() == threads
    assert not started.is_set()
    assert list(items) == [0]
    assert started.is_set()


@pytest.mark.parametrize("link", [ahead, latest])
def test_errors_come_through_after_what_was_made(link: Callable[..., Generator[int]]) -> None:
    def source() -> Generator[int]:
        yield 1
        raise KeyError("broken")

    items = link(item for item in link(source()))
    assert next(items) == 1
    with pytest.raises(KeyError, match="broken"):
        next(items)


@pytest.mark.parametrize("link", [ahead, latest])
def test_closing_ends_the_threads_and_closes_the_source(
    link: Callable[..., Generator[int]],
) -> None:
    before = threading.active_count()
    source = Source(10**6)
    source.allow(10**6)
    kept = source()  # held here, so that it is not closed for want of anybody who holds it
    items = link(item for item in link(kept))
    next(items)
    assert threading.active_count() == before + 2
    items.close()
    assert source.closed.wait(PATIENCE)
    assert threading.active_count() == before


def test_dropping_the_iterator_ends_the_thread_too() -> None:
    before = threading.active_count()
    source = Source(10**6)
    source.allow(10**6)
    items = ahead(source())
    next(items)
    del items
    gc.collect()
    assert source.closed.wait(PATIENCE)
    assert threading.active_count() == before


def test_an_error_while_closing_is_told() -> None:
    def source() -> Generator[int]:
        try:
            yield 1
        finally:
            raise OSError("cannot close")

    items = ahead(source())
    with pytest.raises(OSError, match="cannot close"):
        list(items)


def test_a_slow_reader_gets_the_latest_and_the_rest_is_dropped() -> None:
    source, dropped = Source(10), []
    items = latest(source(), lambda: dropped.append(1))
    source.allow(1)
    assert next(items) == 0
    source.allow(5)  # 1 to 5 come while nobody looks
    source.wait_until(6)
    assert next(items) == 5
    assert len(dropped) == 4
    source.allow(4)
    source.wait_until(10)
    assert list(items) == [9]  # the last is given, whatever happens
    assert len(dropped) == 4 + 3


def test_a_fast_reader_drops_nothing() -> None:
    source, dropped = Source(5), []
    items = latest(source(), lambda: dropped.append(1))
    for number in range(5):
        source.allow(1)
        assert next(items) == number
    assert list(items) == dropped == []


def test_what_was_dropped_is_let_go() -> None:
    """At most two frames are alive: the one that is read and the one that lies ready."""
    alive: weakref.WeakSet[Picture] = weakref.WeakSet()
    most = []
    gate = threading.Event()

    def source() -> Generator[Picture]:
        for _ in range(50):
            frame = Picture()
            alive.add(frame)
            yield frame
            del frame
            most.append(len(alive))
        gate.set()

    items = latest(source())
    kept = next(items)
    assert gate.wait(PATIENCE)
    assert max(most) <= 3  # a moment longer the one that is being replaced
    assert len(alive) <= 2
    del kept
    items.close()


def test_stop_ends_it_even_where_the_source_is_stuck() -> None:
    stop, freed = threading.Event(), threading.Event()

    def stuck() -> Generator[int]:
        yield 0
        freed.wait()

    items = latest(stuck(), stop=stop)
    assert next(items) == 0
    stop.set()
    assert next(items, None) is None
    freed.set()


def test_depth_below_one() -> None:
    with pytest.raises(ValueError, match="depth must be 1 or more, got 0"):
        ahead([], 0)
