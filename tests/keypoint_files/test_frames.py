from __future__ import annotations

import pytest

from ampose.keypoint_files.frames import frame_numbers


@pytest.mark.parametrize(
    ("stems", "numbers"),
    [
        (["clip_0003", "clip_0007"], [3, 7]),
        (["12"], [12]),
        (["a1", "b2"], None),
        (["a1", "a01"], None),
        (["a1", "a"], None),
        (["9" * 19], None),
        ([], None),
    ],
)
def test_frame_numbers(stems: list[str], numbers: list[int] | None) -> None:
    found = frame_numbers(stems)
    assert (None if found is None else found.tolist()) == numbers
