from __future__ import annotations

from pathlib import Path

import pytest

from ampose import export
from ampose.formats import write_formats
from tests.export.recordings import recording, walking


def test_places_may_be_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``ampose.run`` takes them."""
    monkeypatch.chdir(tmp_path)
    sequence = recording(walking())
    for write in (export.write_bvh, export.write_c3d, export.write_trc):
        (path,) = write(sequence, ".")
        assert path.is_file()
    for write in (export.write_csv, export.write_wide_csv, export.write_glb, export.write_json):
        write(sequence, "file")
        assert Path("file").stat().st_size
    export.write_npz(sequence, "poses.npz")
    assert export.read_npz("poses.npz").frame_count == sequence.frame_count
    write_formats(sequence, ".", ["mot"])
    assert list(Path().glob("*.mot"))
