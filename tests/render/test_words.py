from __future__ import annotations

from ampose.render.words import visible


def test_what_is_not_seen_is_told() -> None:
    assert visible("a\n b\tc") == "a b c"
    assert visible("exe.\u202egpm\x00") == "exe.<U+202E>gpm<U+0000>"
