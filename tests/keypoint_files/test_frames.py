from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.keypoint_files.frames import frame_numbers, natural_key


@given(st.permutations(["1", "01", "a2b3", "a2b10", "a10b1", "b"]))
def test_natural_order(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == ["01", "1", "a2b3", "a2b10", "a10b1", "b"]


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
