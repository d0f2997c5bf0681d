from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ampose.render import canvas, letters
from ampose.render.letters import font_with

matplotlib = pytest.importorskip("matplotlib")
DEJAVU = Path(matplotlib.get_data_path(), "fonts/ttf")


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that holds all fonts of the machine: none yet."""
    monkeypatch.setattr(letters, "_FOLDERS", (str(tmp_path), "/no/such/folder"))
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    letters._files.cache_clear()
    font_with.cache_clear()
    canvas._text_mask.cache_clear()


def test_our_own_is_enough_for_what_we_write(fonts: Path) -> None:
    shutil.copy(DEJAVU / "DejaVuSans.ttf", fonts)
    for text in ("", "a.mp4", "< camera  0.5 m", "± 7° …"):
        assert font_with(text) is None


def test_a_plain_font_that_has_all_of_it(fonts: Path) -> None:
    (fonts / "damaged.ttf").write_bytes(bytes(10**6))  # larger, so asked first
    (fonts / "notes.txt").write_text("видео")
    shutil.copy(DEJAVU / "DejaVuSans-Bold.ttf", fonts)
    assert font_with("видео.mp4") == fonts / "DejaVuSans-Bold.ttf"  # better than none
    (fonts / "more").mkdir()
    shutil.copy(DEJAVU / "DejaVuSans.ttf", fonts / "more")
    forget()
    assert font_with("видео.mp4") == fonts / "more/DejaVuSans.ttf"
    assert font_with("видео 試.mp4") is None  # which DejaVu has not


def test_letters_are_drawn_whole_and_differ(fonts: Path) -> None:
    def drawn(text: str) -> np.ndarray:
        out = np.zeros((60, 60, 3), np.uint8)
        canvas.draw_text(out, (10, 20), text, (255, 255, 255), size=20)
        return out[..., 0]

    assert np.array_equal(drawn("ÅÄ"), drawn("ÉÄ"))  # boxes
    shutil.copy(DEJAVU / "DejaVuSans.ttf", fonts)
    forget()
    assert not np.array_equal(drawn("ÅÄ"), drawn("ÉÄ"))
    rows = np.flatnonzero(drawn("Å").any(1))
    assert rows[0] == 20
    assert len(rows) > len(np.flatnonzero(drawn("A").any(1))) + 2  # with its ring
