from __future__ import annotations

from pathlib import Path

import pytest

from ampose.files import sha256_of, written_beside


def test_the_digest_of_a_file_is_the_one_of_fips_180(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of(tmp_path / "f") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_file_is_in_place_when_the_block_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("old")
    with written_beside(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_interruption_keeps_the_old_file_and_leaves_no_other(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "f.csv"
    path.write_text("old")
    with pytest.raises(error), written_beside(path) as beside:  # noqa: PT012 - half-written
        beside.write_text("ne")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
