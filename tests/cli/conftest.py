from __future__ import annotations

from pathlib import Path

import pytest

from tests.research.training.commands import Command, command


@pytest.fixture
def ampose(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """The command, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return command(monkeypatch, capfd)
