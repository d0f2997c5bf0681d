from __future__ import annotations

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.motion.choice import Choice, LiveChoice, chosen, parse_choice

IDS = np.array([0, 3, 7])


def box(left: float, top: float, width: float, height: float) -> np.ndarray:
    """Three joints of which one was not seen."""
    return np.array([[left, top], [left + width, top + height], [np.nan, np.nan]])


NOBODY = np.full((3, 2), np.nan)


def scene() -> np.ndarray:
    """(10, 3, 3, 2): small throughout, large for three frames, larger than the first for nine."""
    return np.array(
        [
            [
                box(0, 0, 10, 10),
                box(100, 0, 20, 30) if 4 <= frame < 7 else NOBODY,
                box(200, 0, 12, 11) if frame else NOBODY,
            ]
            for frame in range(10)
        ]
    )


class TestParse:
    @pytest.mark.parametrize("word", ["all", "largest", "longest"])
    def test_words(self, word: str):
        assert parse_choice(word) == Choice(word)
        assert parse_choice(f" {word.upper()} ") == Choice(word)

    def test_ids_and_places(self):
        assert parse_choice("12") == Choice("id", id=12)
        assert parse_choice("640,360") == Choice("click", point=(640, 360))
        assert parse_choice("640.5, 0") == Choice("click", point=(640.5, 0))

    @pytest.mark.parametrize(
        "text", ["", "tallest", "-1", "1.5", "1,2,3", "1,", "-1,5", "nan,1", 10 * "1"]
    )
    def test_anything_else_is_refused(self, text: str):
        with pytest.raises(InputError, match="--person must be all, largest") as error:
            parse_choice(text)
        assert repr(text) in str(error.value)


class TestChosen:
    def test_all(self):
        assert chosen(Choice("all"), IDS, scene()) == [0, 1, 2]

    def test_largest_is_large_and_long(self):
        # Sums of areas: 10 x 100, 3 x 600, 9 x 132.
        assert chosen(Choice("largest"), IDS, scene()) == [1]
        shorter = scene()
        shorter[4:6, 1] = np.nan
        assert chosen(Choice("largest"), IDS, shorter) == [2]

    def test_longest(self):
        assert chosen(Choice("longest"), IDS, scene()) == [0]
        assert chosen(Choice("longest"), IDS, scene()[1:]) == [2]  # as long, and larger

    def test_id(self):
        assert chosen(Choice("id", id=7), IDS, scene()) == [2]
        with pytest.raises(InputError, match=r"no person 1; ids are 0, 3, 7"):
            chosen(Choice("id", id=1), IDS, scene())

    def test_click_finds_the_first_frame_with_somebody_there(self):
        assert chosen(Choice("click", point=(110, 15)), IDS, scene()) == [1]
        with pytest.raises(InputError, match=r"nobody is ever at 500,5; ids are 0, 3, 7"):
            chosen(Choice("click", point=(500, 5)), IDS, scene())

    def test_click_is_on_who_is_there_first(self):
        one_after_the_other = np.array([[box(0, 0, 9, 9), NOBODY], [NOBODY, box(0, 0, 9, 9)]])
        assert chosen(Choice("click", point=(5, 5)), IDS[:2], one_after_the_other) == [0]

    def test_click_on_two_is_the_nearer(self):
        both = np.array([[box(0, 0, 100, 100), box(40, 40, 40, 40), NOBODY]])
        assert chosen(Choice("click", point=(65, 65)), IDS, both) == [1]
        assert chosen(Choice("click", point=(45, 45)), IDS, both) == [0]

    def test_click_a_little_outside(self):
        one = np.array([[box(0, 100, 50, 100)]])
        assert chosen(Choice("click", point=(25, 91)), IDS[:1], one) == [0]
        with pytest.raises(InputError):
            chosen(Choice("click", point=(25, 89)), IDS[:1], one)

    @pytest.mark.parametrize("frames", [0, 1, 5])
    def test_nobody(self, frames: int):
        empty = np.empty((frames, 0, 17, 2))
        for rule in ("all", "largest", "longest"):
            assert chosen(Choice(rule), IDS[:0], empty) == []
        for choice in (Choice("id"), Choice("click")):
            with pytest.raises(InputError, match="nobody was found"):
                chosen(choice, IDS[:0], empty)

    def test_never_seen(self):
        assert chosen(Choice("largest"), IDS, np.full((4, 3, 3, 2), np.nan)) == [0]


class TestLive:
    def test_largest_stays_until_gone(self):
        live = LiveChoice(Choice("largest"), remember=2)
        small, large = box(0, 0, 10, 10), box(50, 0, 20, 20)
        two = np.array([3, 5])
        assert live.update(two, np.array([small, NOBODY]), 0) == [0]
        assert live.update(two, np.array([small, large]), 1) == [0]
        assert live.update(two[1:], large[None], 2) == []  # not gone yet
        assert live.update(two, np.array([small, large]), 2.5) == [0]
        assert live.update(two[1:], large[None], 4.5) == []  # two seconds are not too long
        assert live.update(two[1:], large[None], 4.6) == [0]
        assert live.update(two, np.array([small, large]), 5) == [1]

    def test_nobody_yet(self):
        live = LiveChoice(Choice("largest"))
        assert live.update(IDS[:0], np.empty((0, 3, 2)), 0) == []
        assert live.update(IDS[:1], box(0, 0, 1, 1)[None], 9) == [0]

    def test_click_is_for_good(self):
        live = LiveChoice(Choice("click", point=(105, 5)), remember=1)
        assert live.update(IDS[:1], box(0, 0, 10, 10)[None], 0) == []
        assert live.update(IDS[:2], np.array([box(0, 0, 10, 10), box(100, 0, 10, 10)]), 1) == [1]
        assert live.update(IDS[:1], box(100, 0, 10, 10)[None], 9) == []
        assert live.update(IDS[1:2], box(500, 0, 10, 10)[None], 20) == [0]

    def test_id_and_all(self):
        frame = scene()[5]
        assert LiveChoice(Choice("id", id=3)).update(IDS, frame, 0) == [1]
        assert LiveChoice(Choice("id", id=3)).update(IDS, scene()[0], 0) == []  # not seen
        assert LiveChoice(Choice("id", id=4)).update(IDS, frame, 0) == []
        assert LiveChoice(Choice("all")).update(IDS, frame, 0) == [0, 1, 2]

    def test_longest_is_refused(self):
        with pytest.raises(InputError, match="needs the whole recording"):
            LiveChoice(Choice("longest"))
