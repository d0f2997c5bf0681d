"""Iterators read by a thread of their own, so that the links of a chain work at the same time.

Both give what their source gives, and its exception where it raises one. Nothing starts before the
first item is asked for; closing the iterator (or dropping it) ends the thread and closes the
source. At any time there is one thread for the source and one that reads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")

_LOOK_UP = 0.1
"""Seconds between checks for what wakes no waiting thread: Ctrl-C on Windows, and `stop`."""

_PATIENCE = 2.0
"""Seconds to wait for a source that was told to end; a camera may never answer. Its thread is a
daemon and then ends with the process."""


def ahead(source: Iterable[Item], depth: int = 2) -> Generator[Item]:
    """Every item in order, up to `depth` of them made before they are asked for.

    Raises:
        ValueError: `depth` below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be 1 or more, got {depth}")
    return _read(source, _Counter(depth))


def latest(
    source: Iterable[Item],
    dropped: Callable[[], object] | None = None,
    stop: threading.Event | None = None,
) -> Generator[Item]:
    """The newest item whenever one is asked for; those that it replaced are dropped.

    The source never waits for the reader. Its last item is always given.

    Args:
        source: gives the items.
        dropped: called for each that was dropped, by the source's thread.
        stop: once set, the iterator ends at once, even where the source is stuck.
    """
    return _read(source, _Counter(1, replace=True, dropped=dropped), stop)


class _Counter(Generic[Item]):
    """Items between one thread that puts and one that takes, as over a shop's counter."""

    def __init__(
        self, depth: int, *, replace: bool = False, dropped: Callable[[], object] | None = None
    ) -> None:
        self._items: deque[Item] = deque()
        self._depth = depth
        self._replace = replace
        self._dropped = dropped
        self._changed = threading.Condition()
        self._ended = False
        self._left = False
        self._error: BaseException | None = None

    def put(self, item: Item) -> bool:
        """Lays an item down; False if nobody takes any more."""
        replaced = 0
        with self._changed:
            while self._replace and len(self._items) >= self._depth:
                self._items.popleft()
                replaced += 1
            self._changed.wait_for(lambda: self._left or len(self._items) < self._depth)
            self._items.append(item)
            self._changed.notify_all()
            left = self._left
        if self._dropped:
            for _ in range(replaced):
                self._dropped()
        return not left

    def end(self, error: BaseException | None) -> None:
        """Says that nothing more will come, and why if that is an error."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def take(self, stop: threading.Event | None) -> list[Item]:
        """The next item, alone in a list; an empty list after the last.

        Raises:
            BaseException: what ended the source.
        """
        with self._changed:
            while not (stop and stop.is_set()):
                if self._items:
                    item = self._items.popleft()
                    self._changed.notify_all()
                    return [item]
                if self._error:
                    raise self._error
                if self._ended:
                    break
                self._changed.wait(_LOOK_UP)
        return []

    def leave(self) -> None:
        """Says that nobody takes any more."""
        with self._changed:
            self._left = True
            self._items.clear()
            self._changed.notify_all()


def _read(
    source: Iterable[Item], counter: _Counter[Item], stop: threading.Event | None = None
) -> Generator[Item]:
    thread = threading.Thread(target=_serve, args=(source, counter), daemon=True)
    del source  # the thread closes it
    thread.start()
    try:
        while taken := counter.take(stop):
            yield taken.pop()
    finally:
        counter.leave()
        thread.join(_PATIENCE)


def _serve(source: Iterable[Item], counter: _Counter[Item]) -> None:
    error: BaseException | None = None
    try:
        for item in source:
            if not counter.put(item):
                break
            del item  # a frame is megabytes; the next may be long in coming
    except BaseException as raised:  # noqa: BLE001 - whatever it is, the reader is told
        error = raised
    try:
        if isinstance(source, Generator):
            source.close()
    except BaseException as raised:  # noqa: BLE001
        error = error or raised
    counter.end(error)
