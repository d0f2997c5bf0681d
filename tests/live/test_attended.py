from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest

from ampose.errors import InputError
from ampose.live import attended

PATIENCE = 30


@pytest.fixture(autouse=True)
def interrupts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Python's own handler, also where the tests run in the background and ignore Ctrl-C."""
    # Not by attribute: the package's is the function of the same name.
    monkeypatch.setattr(sys.modules["ampose.live.attended"], "TELL_EVERY", 0.01)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_gives_what_the_job_gives() -> None:
    stop = threading.Event()
    assert attended(lambda: 3, stop) == 3
    assert stop.is_set()


def test_it_tells_while_it_waits() -> None:
    told = threading.Event()
    assert attended(lambda: told.wait(PATIENCE), threading.Event(), told.set)


def test_ctrl_c_lets_the_job_finish() -> None:
    stop, waiting = threading.Event(), threading.Event()

    def job() -> str:
        assert waiting.wait(PATIENCE)
        signal.raise_signal(signal.SIGINT)  # handled by the main thread
        assert stop.wait(PATIENCE)
        return "complete"

    assert attended(job, stop, waiting.set) == "complete"


def test_ctrl_c_while_telling() -> None:
    stop = threading.Event()

    def tell() -> None:
        if not stop.is_set():
            raise KeyboardInterrupt

    assert attended(lambda: stop.wait(PATIENCE), stop, tell)


def test_a_second_ctrl_c_goes_through() -> None:
    stop, again, never = threading.Event(), threading.Event(), threading.Event()

    def tell() -> None:
        if again.is_set():
            raise KeyboardInterrupt
        if not stop.is_set():
            again.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attended(never.wait, stop, tell)
    assert stop.is_set()
    never.set()


def raising(error: Exception) -> NoReturn:
    raise error


def test_errors_are_told_in_one_line() -> None:
    for error in (InputError("no camera"), OSError(28, "disk full")):
        with pytest.raises(type(error)) as told:
            attended(lambda error=error: raising(error), threading.Event())
        assert told.value is error
    stop = threading.Event()
    with pytest.raises(InputError, match="the run broke off: ZeroDivisionError: one two"):
        attended(lambda: raising(ZeroDivisionError("one\n  two")), stop)
    assert stop.is_set()
