from __future__ import annotations

from pathlib import Path

from ampose.data import DEMO_CLIP
from ampose.media.sources import find_source


def test_the_first_folder_that_has_it(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two" / "a.mp4").touch()
    folders = (tmp_path / "one", tmp_path / "two")
    assert find_source("a.mp4", folders) == tmp_path / "two" / "a.mp4"
    (tmp_path / "one" / "a.mp4").mkdir()  # photos
    assert find_source("a.mp4", folders) == tmp_path / "one" / "a.mp4"
    assert find_source("b.mp4", folders) is None
    assert find_source("", folders) is None
    assert find_source("demo.mp4", folders) == DEMO_CLIP


def test_a_name_is_no_path(tmp_path: Path) -> None:
    """A result from elsewhere may say anything."""
    (tmp_path / "secret.mp4").touch()
    (tmp_path / "in").mkdir()
    assert find_source("../secret.mp4", (tmp_path / "in",)) is None
    assert find_source(str(tmp_path / "secret.mp4"), (tmp_path / "in",)) is None
