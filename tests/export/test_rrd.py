from __future__ import annotations

from pathlib import Path

import pytest

from ampose.export import write_rrd
from tests.export.recordings import absent, recording, walking


def test_a_recording_that_names_everybody(tmp_path: Path):
    """Written whole, where rerun is installed; its reader is no part of its stable interface."""
    pytest.importorskip("rerun")
    write_rrd(recording(walking(), absent(walking(seed=1), 3)), tmp_path / "poses.rrd")
    content = (tmp_path / "poses.rrd").read_bytes()
    assert content.startswith(b"RRF")
    assert [path.name for path in tmp_path.iterdir()] == ["poses.rrd"]
    assert b"person_3" in content
    assert b"person_4" in content
