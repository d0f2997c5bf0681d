from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ampose.research.data import open_mocap_clips
from ampose.research.data.open_mocap import load_pack
from ampose.research.data.open_mocap_clips import (
    Comparison,
    Key,
    KnownClip,
    compared,
    difference,
    digest,
    known_clips,
    sketch,
    split_of,
)
from tests.research.packs import poses, write_pack


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

    def test_splits(self) -> None:
        counts = Counter((key[0], split_of(key)) for key in known_clips())
        assert counts == {
            ("cmu", "train"): 188,
            ("cmu", "val"): 54,
            ("cmu", "test"): 83,
            ("hdm05", "test"): 287,
        }

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


class TestCompared:
    """A pack of a training, a validation and two test clips, of 50 frames each, beside ours."""

    clips = ("14", "1"), ("8", "1"), ("2", "1"), ("2", "2")
    splits = ("train", "val", "test", "test")

    @pytest.fixture(autouse=True)
    def ours(self, monkeypatch: pytest.MonkeyPatch) -> dict[Key, KnownClip]:
        """All four; clip k is that of seed k."""
        table = {("cmu", *each): known(clip(50, k)) for k, each in enumerate(self.clips)}
        monkeypatch.setattr(open_mocap_clips, "known_clips", lambda: table)
        return table

    def compare(self, path: Path, order: tuple[int, ...] = (0, 1, 2, 3), **changes) -> Comparison:
        """What is said of a pack of these clips."""
        arrays = {
            "positions": np.concatenate([clip(50, k) for k in order]),
            "clip_start": np.arange(len(order) + 1) * 50,
            "subject": np.array([self.clips[k][0] for k in order]),
            "trial": np.array([self.clips[k][1] for k in order]),
            "skeleton": np.array(["asf-own"] * len(order)),
            "description": np.array(["walk"] * len(order)),
            "split": np.array([self.splits[k] for k in order]),
        }
        found = compared(load_pack(write_pack(path / "cmu.npz", **arrays | changes)))
        assert found is not None
        return found

    def test_the_same(self, tmp_path: Path) -> None:
        found = self.compare(tmp_path)
        assert (found, found.comparable) == (Comparison(3, 0, 0, 0, in_order=True), True)

    def test_training_clips_do_not_count(self, tmp_path: Path) -> None:
        assert self.compare(tmp_path, (1, 2, 3)).comparable
        assert self.compare(tmp_path, (1, 2, 0, 3, 0)).comparable

    def test_clips_that_differ(self, tmp_path: Path) -> None:
        positions = np.concatenate([clip(50, k) for k in (0, 1, 2, 9)])
        found = self.compare(tmp_path, positions=positions)
        assert (found, found.comparable) == (Comparison(2, 1, 0, 0, in_order=True), False)

    def test_clips_that_are_missing(self, tmp_path: Path) -> None:
        found = self.compare(tmp_path, (0, 1, 3))
        assert (found, found.comparable) == (Comparison(2, 0, 1, 0, in_order=True), False)

    def test_clips_that_are_new(self, tmp_path: Path, ours: dict[Key, KnownClip]) -> None:
        del ours["cmu", "2", "1"]
        found = self.compare(tmp_path)
        assert (found, found.comparable) == (Comparison(2, 0, 0, 1, in_order=True), False)

    def test_a_clip_that_comes_twice(self, tmp_path: Path) -> None:
        found = self.compare(tmp_path, (1, 2, 3, 3))
        assert (found, found.comparable) == (Comparison(3, 0, 0, 1, in_order=True), False)

    def test_another_order(self, tmp_path: Path) -> None:
        found = self.compare(tmp_path, (0, 1, 3, 2))
        assert (found, found.comparable) == (Comparison(3, 0, 0, 0, in_order=False), False)
        assert self.compare(tmp_path, (2, 1, 0, 3)).comparable  # each split is its own set

    def test_another_split(self, tmp_path: Path) -> None:
        found = self.compare(tmp_path, split=np.array(["train", "test", "test", "test"]))
        assert found == Comparison(2, 0, 1, 1, in_order=True)

    def test_what_the_protocol_leaves_out(self, tmp_path: Path) -> None:
        skeleton = np.array(["asf-own", "asf-own", "daz-fixed", "bvh-own"])
        assert self.compare(tmp_path, skeleton=skeleton) == Comparison(2, 0, 1, 0, in_order=True)

    def test_a_pack_that_has_no_such_clips(self, tmp_path: Path) -> None:
        assert compared(load_pack(write_pack(tmp_path / "mesh2motion.npz"))) is None
