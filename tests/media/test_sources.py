from __future__ import annotations

from pathlib import Path

import pytest

from ampose.data import DEMO_CLIP
from ampose.media.sources import find_source
from tests.cli.clips import clip, nobody, photo


def test_beside_the_poses_above_them_and_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in" / "result").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    poses = tmp_path / "in" / "result" / "poses.npz"
    assert find_source("a.mp4", poses) is None
    clip(Path("a.mp4"), [nobody()])
    assert find_source("a.mp4", poses) == Path("a.mp4")
    above = clip(tmp_path / "in" / "a.mp4", [nobody()])
    assert find_source("a.mp4", poses) == above
    photo(tmp_path / "in" / "result" / "a.mp4" / "1.png")
    assert find_source("a.mp4", poses) == tmp_path / "in" / "result" / "a.mp4"
    monkeypatch.chdir(poses.parent)
    assert find_source("a.mp4", Path("poses.npz")) == tmp_path / "in" / "result" / "a.mp4"
    assert find_source("", poses) is None
    assert find_source("demo.mp4", poses) == DEMO_CLIP


def test_what_shows_nothing_is_none(tmp_path: Path) -> None:
    """Keypoints of ``ampose lift``, as a file and as a folder of OpenPose; and odd names."""
    result = tmp_path / "result"
    (result / "a").mkdir(parents=True)
    (result / "a" / "1.json").write_text("{}")
    (result / "b.json").write_text("{}")
    (result / "c.mp4").touch()
    for name in ("a", "b.json", "c.mp4", "d" * 300):
        assert find_source(name, result / "poses.npz") is None
    shown = photo(tmp_path / "b.json.png").rename(tmp_path / "b.json")
    assert find_source("b.json", result / "poses.npz") == shown


def test_a_name_is_no_path(tmp_path: Path) -> None:
    """A result from elsewhere may say anything."""
    secret = clip(tmp_path / "secret.mp4", [nobody()])
    poses = tmp_path / "in" / "result" / "poses.npz"
    assert find_source("../../secret.mp4", poses) is None
    assert find_source(str(secret), poses) is None
    poses.parent.mkdir(parents=True)
    beside = clip(poses.parent / "secret.mp4", [nobody()])
    assert find_source("../../secret.mp4", poses) == beside
