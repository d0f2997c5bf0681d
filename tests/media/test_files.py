from __future__ import annotations

from pathlib import Path

import pytest

from ampose.errors import InputError
from ampose.media.files import check_file


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", "is empty"),
        ("folder", "is a folder; give a file"),
        ("none", "does not exist; check the path"),
        (300 * "n", "cannot be read: File name too long"),
    ],
)
def test_what_is_no_file(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as raised:
        check_file(tmp_path / name)
    assert str(raised.value) == f"{tmp_path / name} {message}"


def test_a_file_of_one_byte_will_do(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0")
    check_file(tmp_path / "a")
