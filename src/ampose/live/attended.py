"""A job in a thread, while the main thread tells how it goes and listens for Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from ampose.errors import InputError, one_line

Result = TypeVar("Result")

TELL_EVERY = 0.5
"""Seconds between two calls of `tell`."""


def attended(
    job: Callable[[], Result], stop: threading.Event, tell: Callable[[], object] | None = None
) -> Result:
    """Waits for `job` and gives what it returns.

    The first Ctrl-C sets `stop`, on which the job is expected to finish what it has begun; a
    second one raises KeyboardInterrupt here.

    Args:
        job: done in a thread of its own.
        stop: set on Ctrl-C, and when this returns for whatever reason.
        tell: called now and then while waiting.

    Raises:
        InputError: the job failed, for whatever reason; the message is one line.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(job())
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            done.set()

    # Not Thread.join: interrupted by Ctrl-C, it takes a thread that runs for one that has ended.
    done = threading.Event()
    try:
        threading.Thread(target=work, daemon=True).start()
        _wait(done, stop, tell)
    finally:
        stop.set()
    if not errors:
        return results[0]
    (error,) = errors
    if isinstance(error, InputError | OSError):
        raise error
    raise InputError(f"the run broke off: {type(error).__name__}: {one_line(error)}") from error


def _wait(done: threading.Event, stop: threading.Event, tell: Callable[[], object] | None) -> None:
    while True:
        try:
            while not done.wait(TELL_EVERY):
                if tell:
                    tell()
            return
        except KeyboardInterrupt:
            if stop.is_set():
                raise
            stop.set()
