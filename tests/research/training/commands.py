"""The command line in this process, or in one that has no torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

import pytest

from ampose.cli.main import main


class Said(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Said]
Step = tuple[int, int]


def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """``ampose`` with these words."""

    def ampose(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["ampose", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), *capfd.readouterr())

    return ampose


def without_torch(*words: object, missing: str = "torch") -> Said:
    """``ampose`` with these words where torch, or another package, is not installed."""
    program = f"import sys; sys.modules[{missing!r}] = None; import ampose.cli.main as m; m.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True
    )
    return Said(done.returncode, done.stdout, done.stderr)


def assert_one_line(said: Said, *parts: str) -> None:
    """Bad input: exit code 2, nothing on standard output and one line that holds the parts."""
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("ampose: ")
    assert said.err.count("\n") == 1
    for part in parts:
        assert part in said.err


def steps_shown(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> dict[str, list[Step]]:
    """What a command's bars, by their names, are told from now on: done and in all."""
    told: dict[str, list[Step]] = {}

    @contextmanager
    def bar(label: str) -> Iterator[Callable[[int, int], None]]:
        steps = told.setdefault(label, [])
        yield lambda done, total: steps.append((done, total))

    monkeypatch.setattr(module, "progress_bar", bar)
    return told
