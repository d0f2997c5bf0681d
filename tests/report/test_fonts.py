from __future__ import annotations

from pathlib import Path

import pytest

from ampose.report import fonts
from ampose.report.fonts import Fonts


def test_our_own_font_is_enough_for_latin_greek_and_cyrillic() -> None:
    found = Fonts(["naïve Ελλάδα видео ± → …"])
    assert found.families == ["DejaVu Sans"]
    assert found.pdf_fonts == 42
    assert found.printable("naïve Ελλάδα") == "naïve Ελλάδα"


def test_letters_that_no_font_has_become_code_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_others", list)
    found = Fonts(["a試"])
    assert found.printable("a試") == "a<U+8A66>"
    assert found.printable(found.printable("a試")) == "a<U+8A66>"


def test_fonts_of_the_machine_are_asked_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        ("Broken", True, {0x8A66, 0x9A13}),
        ("Useless", True, {0x41}),
        ("Half", True, {0x8A66}),
        ("PostScript", False, {0x8A66, 0x9A13}),
        ("Late", True, {0x9A13}),
    ]
    monkeypatch.setattr(fonts, "_others", lambda: others)
    monkeypatch.setattr(fonts, "_can_be_used", lambda name, kind, letter: name != "Broken")
    found = Fonts(["試験"])
    assert found.families == ["DejaVu Sans", "Half", "PostScript"]
    assert found.pdf_fonts == 3
    assert found.printable("試験") == "試験"


def test_the_kind_of_outlines(tmp_path: Path) -> None:
    plain = tmp_path / "plain.ttf"
    plain.write_bytes(b"\x00\x01\x00\x00rest")
    postscript = tmp_path / "postscript.otf"
    postscript.write_bytes(b"OTTOrest")
    collection = tmp_path / "collection.ttc"
    collection.write_bytes(b"ttcf" + bytes(8) + (20).to_bytes(4, "big") + bytes(4) + b"OTTO")
    found = [fonts._is_truetype(str(path)) for path in (plain, postscript, collection)]
    assert found == [True, False, False]
