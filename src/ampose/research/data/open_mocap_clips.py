"""Which clips our own open-mocap packs hold, and whether others are the same.

``open_mocap_clips.csv`` has a row per clip of ``cmu.npz`` and ``hdm05.npz`` that lies on its own
skeleton and came from ASF/AMC or BVH files, in the order of the packs: 612 of 800, the others were
retargeted or came from FBX files. It holds facts, no motion:

* ``frames`` and ``sha256``, the first 16 digits of the digest of the clip's positions (int16,
  little-endian, frame by frame). One rounding that falls the other way changes it, and then it
  says nothing about how much.
* ``sketch``, eight numbers that do. Each is the sum of all coordinates with random signs, over the
  square root of their count, rounded. The mean square of the eight differences between two clips
  is an unbiased estimate of the mean square difference of their coordinates, whatever it is that
  differs (Johnson-Lindenstrauss; Achlioptas, JCSS 2003); chance moves its root by a quarter. So
  flipped roundings (0.06 mm at most), another conversion (1 mm), a shift by one captured frame
  (5 mm) and another clip (100 mm) are told apart; a change of so few coordinates that the whole
  stays within `SAME_MILLIMETRES` is not seen. Poses cannot be had from it: eight numbers stand for
  500 to 60,000.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, shake_128
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.metrics import MILLIMETRES_PER_METRE
from ampose.research.data.open_mocap import OWN_SKELETONS, UNIT_METRES, Pack

Positions = NDArray[np.int16]
Key = tuple[str, str, str]
"""Pack, subject and trial."""

SAME_MILLIMETRES = 0.2
"""Clips whose joints are this near each other, root mean square, count as the same."""

SCORED = ("val", "test")
"""The splits that results are measured on; of their clips, those on their own skeleton."""

_SPLITS = {"val": {"8", "35", "135"}, "test": {"2", "5", "6", "127"}}
"""CMU's; all others train. All of HDM05 tests."""

_TABLE = Path(__file__).with_name("open_mocap_clips.csv")


@dataclass(frozen=True)
class KnownClip:
    """A clip of our own packs.

    Attributes:
        skeleton, description: as in the pack; HDM05's description is in the trial's name.
        frames: at 25 frames/s.
        digest: 16 hexadecimal digits, as from `digest`.
        sketch: 8 numbers, those of `sketch` rounded.
    """

    skeleton: str
    description: str
    frames: int
    digest: str
    sketch: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """The clips of a pack that scores are from, beside those of ours.

    Attributes:
        same, differ, missing, new: their numbers.
        in_order: whether those that ours have too come as ours do. The protocol draws frames by
            their places, so the same clips in another order make other test sets.
    """

    same: int
    differ: int
    missing: int
    new: int
    in_order: bool

    @property
    def comparable(self) -> bool:
        """Whether scores on them compare with ours."""
        return self.in_order and not (self.differ or self.missing or self.new)


@cache
def known_clips() -> Mapping[Key, KnownClip]:
    """All clips of our own packs, in their order."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {
            (row["pack"], row["subject"], row["trial"]): KnownClip(
                row["skeleton"],
                row["description"],
                int(row["frames"]),
                row["sha256"],
                tuple(map(int, row["sketch"].split())),
            )
            for row in csv.DictReader(file)
        }


def digest(positions: Positions) -> str:
    """Digest of a clip (F, 17, 3) in units of 0.1 mm: 16 hexadecimal digits."""
    return sha256(positions.astype("<i2").tobytes()).hexdigest()[:16]


def sketch(positions: Positions) -> NDArray[np.float64]:
    """Sketch of a clip (F, 17, 3) in units of 0.1 mm: 8 sums with random signs."""
    # The signs are the bits of a standard function, so that no library can change them.
    stream = shake_128(b"ampose open-mocap").digest(positions.size)
    signs = 2 * np.unpackbits(np.frombuffer(stream, np.uint8)).reshape(-1, 8).astype(np.int64) - 1
    return np.asarray(positions.ravel() @ signs / np.sqrt(positions.size))


def difference(positions: Positions, known: KnownClip) -> str | None:
    """How a clip (F, 17, 3) in units of 0.1 mm differs from ours; None where it is the same."""
    if len(positions) != known.frames:
        return f"{len(positions)} frames, ours has {known.frames}"
    if digest(positions) == known.digest:
        return None
    apart = np.sqrt(3 * np.mean((sketch(positions) - known.sketch) ** 2))  # of 3 coordinates
    millimetres = apart * UNIT_METRES * MILLIMETRES_PER_METRE
    if millimetres <= SAME_MILLIMETRES:
        return None
    return f"about {millimetres:.2g} mm from ours"


def split_of(key: Key) -> str:
    """The split that a clip belongs to."""
    pack, subject, _ = key
    if pack == "hdm05":
        return "test"
    return next((split for split, subjects in _SPLITS.items() if subject in subjects), "train")


def compared(pack: Pack) -> Comparison | None:
    """The `SCORED` clips of a pack beside ours; None where we have none of a pack of its name.

    What is compared is ``positions``: not ``root``, which only windows in time need.
    """
    ours = [
        (split, key)
        for split in SCORED
        for key in known_clips()
        if key[0] == pack.name and split_of(key) == split
    ]
    if not ours:
        return None
    own = np.isin(pack.skeleton, OWN_SKELETONS)
    theirs = [
        (split, (pack.name, str(pack.subject[clip]), str(pack.trial[clip])), clip)
        for split in SCORED
        for clip in np.flatnonzero(own & (pack.split == split))
    ]
    left, found, differ = set(ours), [], 0
    for split, key, clip in theirs:
        if (split, key) in left:  # a clip that comes again is a new one
            left.remove((split, key))
            found.append((split, key))
            positions = np.round(pack.positions[pack.clips == clip] / UNIT_METRES)
            differ += difference(positions.astype(np.int16), known_clips()[key]) is not None
    return Comparison(
        same=len(found) - differ,
        differ=differ,
        missing=len(left),
        new=len(theirs) - len(found),
        in_order=found == [each for each in ours if each not in left],
    )
