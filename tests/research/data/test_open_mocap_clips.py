from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest

from ampose.research.data import open_mocap_clips
from ampose.research.data.open_mocap_clips import (
    KnownClip,
    difference,
    digest,
    known_clips,
    sketch,
)
from tests.research.packs import poses


def clip(frames: int, seed: int) -> np.ndarray:
    """A clip in units of 0.1 mm."""
    return np.round(poses(frames, seed) * 1e4).astype(np.int16)


def known(positions: np.ndarray) -> KnownClip:
    numbers = tuple(np.round(sketch(positions)).astype(int).tolist())
    return KnownClip("asf-own", "walk", len(positions), digest(positions), numbers)


class TestTable:
    def test_counts_are_those_of_the_packs(self) -> None:
        clips = known_clips()
        kinds = Counter((pack, each.skeleton) for (pack, *_), each in clips.items())
        assert kinds == {
            ("cmu", "asf-own"): 261,
            ("cmu", "bvh-own"): 64,
            ("hdm05", "asf-own"): 287,
        }
        frames = Counter()
        for (pack, *_), each in clips.items():
            frames[pack] += each.frames
        assert frames == {"cmu": 73_181 + 6_724, "hdm05": 14_646}

    def test_rows(self) -> None:
        for (pack, _, trial), each in known_clips().items():
            assert len(each.sketch) == 8
            assert len(bytes.fromhex(each.digest)) == 8
            assert bool(each.description) == (pack == "cmu")
            assert trial[-1].isdigit()
        walk = known_clips()["cmu", "8", "11"]
        assert (walk.frames, walk.description) == (78, "slow walk/stride")

    def test_it_is_small_and_lies_beside_the_code(self) -> None:
        size = open_mocap_clips._TABLE.stat().st_size
        assert size / len(known_clips()) < 110  # bytes for a clip of 20 kB and more


class TestDigest:
    def test_by_hand(self) -> None:
        positions = np.zeros((1, 17, 3), np.int16)
        positions[0, 0, 1], positions[0, 16, 2] = 258, -2
        written = b"\0\0\x02\x01" + bytes(96) + b"\xfe\xff"
        assert digest(positions) == hashlib.sha256(written).hexdigest()[:16]


class TestSketch:
    def test_by_hand(self) -> None:
        # One coordinate alone comes with the signs of one byte, the most significant bit first.
        stream = hashlib.shake_128(b"ampose open-mocap").digest(3 * 51)
        positions = np.zeros((3, 17, 3), np.int16)
        positions[1, 2, 0] = 100
        byte = stream[51 + 6]
        signs = np.array([1 if byte & 1 << bit else -1 for bit in range(7, -1, -1)])
        np.testing.assert_allclose(sketch(positions), 100 * signs / np.sqrt(153))

    def test_it_estimates_the_distance(self) -> None:
        # The mean over clips of (estimate / truth)^2 is 1, its deviation 1/2 / sqrt(clips).
        ratios = []
        for seed in range(200):
            one, other = clip(5, seed), clip(5, seed + 1000)
            truth = np.mean((one.astype(float) - other) ** 2)
            ratios.append(np.mean((sketch(one) - sketch(other)) ** 2) / truth)
        assert np.mean(ratios) == pytest.approx(1, abs=0.12)
        assert 0.35 < np.std(ratios) < 0.65

    def test_large_clips_do_not_overflow(self) -> None:
        positions = np.full((2000, 17, 3), 32767, np.int16)
        assert np.abs(sketch(positions)).max() <= 32767 * np.sqrt(positions.size)


class TestDifference:
    def test_none(self) -> None:
        assert difference(clip(20, 0), known(clip(20, 0))) is None

    def test_one_rounding(self) -> None:
        flipped = clip(20, 0)
        flipped[3, 4, 1] += 1
        assert digest(flipped) != digest(clip(20, 0))
        assert difference(flipped, known(clip(20, 0))) is None

    def test_frames(self) -> None:
        found = difference(clip(20, 0)[1:], known(clip(20, 0)))
        assert found == "19 frames, ours has 20"

    @pytest.mark.parametrize("millimetres", [1, 10, 100])
    def test_how_far(self, millimetres: int) -> None:
        rng = np.random.default_rng(millimetres)
        noise = rng.normal(0, 10 * millimetres / np.sqrt(3), (60, 17, 3))
        found = difference((clip(60, 0) + noise).astype(np.int16), known(clip(60, 0)))
        assert found is not None
        about, number, *rest = found.split(" ")
        assert [about, *rest] == ["about", "mm", "from", "ours"]
        assert millimetres / 2 < float(number) < millimetres * 2

    def test_axes_order_and_time(self) -> None:
        ours = known(clip(60, 0))
        for other in (-clip(60, 0), clip(60, 0)[..., [0, 2, 1]], clip(60, 0)[::-1]):
            assert "mm from ours" in (difference(other, ours) or "")
