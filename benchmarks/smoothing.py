"""Measures what outlier removal, gap filling and filters do to lifted motion.

    python benchmarks/smoothing.py DATA [--sets cmu-val ...] [-o results/smoothing.csv]

DATA is the folder of the open-mocap packs. Takes (``benchmarks/takes.py``, template bones, 25
frames/s) are lifted by the built-in weights with the true camera. 2D is exact, or detector-like:
noise that correlates by 0.8 from one frame to the next, and 2 % of joints missing. Three tables:

``smoothing.csv``, filters. Errors of root-relative joints in camera axes, means over frames:

* MPJPE and P-MPJPE; MPJPE of wrists and ankles that move faster than `FAST`, relative to the
  root: what a filter costs where it hurts most.
* Velocity error: MPJVE, here in mm/s. Acceleration error: mm/s^2, mean norm of the difference of
  second differences (Kanazawa et al., CVPR 2019), see `ampose.metrics.acceleration_error`.
* Root: mean distance of the estimated root from the true one.

``as lifted`` is what the lifter gives; all other rows have outliers removed and short gaps filled
in 2D. A filter works on 2D keypoints before lifting, on 3D joints and root after it, or on both.
``truth`` rows filter the true motion: what is lost of it.

``smoothing_outliers.csv``. Planted are jumps of single joints by 10 to 50 % of the person's box,
in any direction, 1 to 4 frames long, 2 % of all joints. Found: share of the planted ones that
were removed. False: share of the others that were removed, where there is a jump somewhere
(beside), and in takes without any (clean). MPJPE as planted, after removal and filling, and
without outliers but filled.

``smoothing_gaps.csv``. Gaps by the time from the last frame before to the first after them. One
joint is hidden in 2D, a knee, ankle, elbow and wrist in turn: its error when it is filled before
lifting, when the lifter guesses it, and when it is seen. Or a person is hidden: errors of joints
and root when filled in 3D, when every joint is filled in 2D and then lifted, and when seen. MPJPE
of the gap's frames.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import takes

import ampose
from ampose.errors import InputError
from ampose.metrics import acceleration_error, joint_errors, mpjpe, mpjve, p_mpjpe
from ampose.motion.filters import Filter, smooth
from ampose.motion.gaps import Curve, fill_gaps
from ampose.motion.outliers import remove_outliers
from ampose.research.data.open_mocap import FRAMES_PER_SECOND
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]
Row = dict[str, object]

SEED = 0
INPUTS = ("exact", "detector-like")

FAST = 3.0
"""Metres per second, relative to the root."""
_QUICK_JOINTS = H36M_17.indices(("right_ankle", "left_ankle", "left_wrist", "right_wrist"))

SETTINGS: tuple[tuple[str, Filter, float | None], ...] = (
    *(("3D", "butterworth", cutoff) for cutoff in (2, 3, 4, 5, 6, 8)),
    *(("2D", "butterworth", cutoff) for cutoff in (3, 4, 6)),
    *(("both", "butterworth", cutoff) for cutoff in (4, 6)),
    *(("3D", "savitzky-golay", cutoff) for cutoff in (3, 4, 6)),
    *(("3D", "one-euro", cutoff) for cutoff in (1, 3)),
    *(("truth", "butterworth", cutoff) for cutoff in (3, 4, 6)),
)
"""What is filtered, by what, and its cut-off in Hz."""

OUTLIER_SHARE = 0.02
OUTLIER_JUMPS = 0.1, 0.5
OUTLIER_FRAMES = 4

GAP_FRAMES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25)
GAP_MARGIN = 8
"""Frames seen before and after a gap, at least."""
GAP_JOINTS = ("knee", "ankle", "elbow", "wrist")


@dataclass(frozen=True, eq=False)
class Sample:
    """A take and its 2D.

    Attributes:
        take: what is seen.
        keypoints: 2D input to (T, 17, 2) pixels, NaN where missing.
        number: of the take in its set; a seed.
    """

    take: takes.Take
    keypoints: Mapping[str, Array]
    number: int

    @property
    def times(self) -> Array:
        """(T,) seconds."""
        return self.take.motion.times

    @property
    def truth(self) -> Array:
        """(T, 17, 3) metres, camera axes, relative to the root."""
        joints = self.take.joints
        return joints - joints[:, :1]

    @property
    def root(self) -> Array:
        """(T, 1, 3) metres, camera axes."""
        return self.take.joints[:, :1]

    def lift(self, lifter: ampose.Lifter, keypoints: Array) -> tuple[Array, Array]:
        """Joints (T, 17, 3) and root (T, 1, 3), metres, of keypoints (T, 17, 2)."""
        camera = self.take.camera
        lifted = lifter.lift(keypoints, image_size=camera.size, camera=camera)
        return lifted.joints[:, 0].astype(float), lifted.root.astype(float)


def samples(name: str, data: Path) -> Iterator[Sample]:
    """The takes of a set, each with a camera and 2D of its own seed."""
    for number, motion in enumerate(takes.motions(name, data, bones="template")):
        rng = np.random.default_rng([SEED, number])
        take = takes.filmed(motion, rng)
        seen = dict(zip(INPUTS, (take.keypoints, take.detected(rng)), strict=True))
        yield Sample(take, seen, number)


class Means:
    """Weighted means by row and column."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(dict)

    def add(
        self, row: tuple[str, ...], column: str, values: Array | float, times: int = 1
    ) -> None:
        """Adds the values, or a mean of so many."""
        numbers = np.asarray(values, float)
        total = self._sums[row].setdefault(column, [0.0, 0.0])
        total[0] += float(numbers.sum()) * times
        total[1] += numbers.size * times

    def rows(self, names: Sequence[str], decimals: int = 1) -> list[Row]:
        """The table; a mean over nothing is empty."""
        columns = list(dict.fromkeys(c for sums in self._sums.values() for c in sums))
        table: list[Row] = []
        for key, sums in self._sums.items():
            means = {
                c: sums[c][0] / sums[c][1] if c in sums and sums[c][1] else None for c in columns
            }
            cells = {c: "" if m is None else f"{m:.{decimals}f}" for c, m in means.items()}
            table.append({**dict(zip(names, key, strict=True)), **cells})
        return table


def repaired(keypoints: Array, times: Array) -> Array:
    """Outliers removed, short gaps filled."""
    return fill_gaps(remove_outliers(keypoints, times)[0], times)[0]


def score_filters(means: Means, name: str, sample: Sample, lifter: ampose.Lifter) -> None:
    """Adds the errors of one take under all `SETTINGS`."""
    times = sample.times
    for kind, keypoints in sample.keypoints.items():
        row = partial(_row, name, kind)
        add = partial(add_errors, means, sample)
        add(row("as lifted"), *sample.lift(lifter, keypoints))
        whole = repaired(keypoints, times)
        plain = sample.lift(lifter, whole)
        add(row("none"), *plain)
        for side, method, cutoff in SETTINGS:
            filtered = partial(_filtered, times=times, method=method, cutoff=cutoff)
            source = plain
            if side == "truth":
                if kind != INPUTS[0]:
                    continue
                source = sample.truth, sample.root
            elif side != "3D":
                source = sample.lift(lifter, filtered(whole))
            if side != "2D":
                source = filtered(source[0]), filtered(source[1])
            add(row(method, side, f"{cutoff:g}"), *source)


def _row(name: str, kind: str, method: str, side: str = "", cutoff: str = "") -> tuple[str, ...]:
    return name, kind, method, side, cutoff


def _filtered(values: Array, times: Array, method: Filter, cutoff: float | None) -> Array:
    return smooth(values, times, method, cutoff=cutoff)[0]


def add_errors(
    means: Means, sample: Sample, row: tuple[str, ...], joints: Array, root: Array
) -> None:
    """Adds the errors of lifted joints (T, 17, 3) and root (T, 1, 3)."""
    truth, frames, rate = sample.truth, len(joints), FRAMES_PER_SECOND
    means.add(row, "mpjpe_mm", mpjpe(joints, truth), frames)
    means.add(row, "p_mpjpe_mm", p_mpjpe(joints, truth), frames)
    speed = np.linalg.norm(np.gradient(truth, 1 / rate, axis=0), axis=-1)[:, _QUICK_JOINTS]
    quick = joint_errors(joints, truth)[:, _QUICK_JOINTS]
    means.add(row, "fast_mpjpe_mm", quick[speed > FAST])
    means.add(row, "velocity_mm_per_s", mpjve(joints, truth) * rate, frames - 1)
    acceleration = acceleration_error(joints, truth, rate)
    means.add(row, "acceleration_mm_per_s2", acceleration, frames - 2)
    means.add(row, "root_mm", joint_errors(root, sample.root))


def planted(keypoints: Array, size: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Keypoints (T, J, 2) with outliers, and where they are, (T, J).

    Args:
        keypoints: pixels, NaN where missing.
        size: (T,) larger side of the person's box, pixels.
        rng: decides everything.
    """
    frames, joints = keypoints.shape[:2]
    length = rng.integers(1, OUTLIER_FRAMES + 1, (frames, joints))
    starts = rng.random((frames, joints)) < OUTLIER_SHARE / ((1 + OUTLIER_FRAMES) / 2)
    angle = rng.uniform(0, 2 * np.pi, (frames, joints))
    jump = rng.uniform(*OUTLIER_JUMPS, (frames, joints)) * size[:, None]
    out, where = keypoints.copy(), np.zeros((frames, joints), bool)
    for frame, joint in np.argwhere(starts):
        part = slice(frame, frame + length[frame, joint])
        if where[part, joint].any():
            continue  # one at a time, so that none is larger than it should be
        way = np.array([np.cos(angle[frame, joint]), np.sin(angle[frame, joint])])
        out[part, joint] += jump[frame, joint] * way
        where[part, joint] = True
    return out, where & np.isfinite(keypoints).all(-1)


def score_outliers(means: Means, name: str, sample: Sample, lifter: ampose.Lifter) -> None:
    """Adds the shares found, and what that does to lifting, of one take."""
    size = np.ptp(sample.take.keypoints, axis=1).max(-1)
    rng = np.random.default_rng([SEED, sample.number, 1])
    for kind, keypoints in sample.keypoints.items():
        row, seen = (name, kind), np.isfinite(keypoints).all(-1)
        bad, where = planted(keypoints, size, rng)
        cleaned, removed = remove_outliers(bad, sample.times)
        means.add(row, "found_percent", 100.0 * removed[where])
        means.add(row, "false_beside_percent", 100.0 * removed[seen & ~where])
        alarms = remove_outliers(keypoints, sample.times)[1]
        means.add(row, "false_clean_percent", 100.0 * alarms[seen])
        for column, xy in (
            ("planted_mpjpe_mm", fill_gaps(bad, sample.times)[0]),
            ("repaired_mpjpe_mm", fill_gaps(cleaned, sample.times)[0]),
            ("clean_mpjpe_mm", fill_gaps(keypoints, sample.times)[0]),
        ):
            joints, _ = sample.lift(lifter, xy)
            means.add(row, column, mpjpe(joints, sample.truth), len(joints))


def score_gaps(means: Means, name: str, sample: Sample, lifter: ampose.Lifter) -> None:
    """Adds the errors of gaps planted in one take."""
    rng = np.random.default_rng([SEED, sample.number, 2])
    times = sample.times
    for kind, keypoints in sample.keypoints.items():
        xy = repaired(keypoints, times)
        seen = sample.lift(lifter, xy)
        for length in GAP_FRAMES:
            places = len(times) - length - 2 * GAP_MARGIN
            if places < 1:
                continue
            seconds = f"{(length + 1) / FRAMES_PER_SECOND:.2f}"
            for joint in GAP_JOINTS:
                side = ("left", "right")[rng.integers(2)]
                hidden = H36M_17.index(f"{side}_{joint}")
                start = GAP_MARGIN + rng.integers(places)
                gap = slice(start, start + length)
                row = name, kind, "joint", seconds
                for column, joints in hide_joint(sample, lifter, xy, gap, hidden).items():
                    error = joint_errors(joints, sample.truth[gap])
                    means.add(row, f"{column}_mm", error[:, hidden])
            start = GAP_MARGIN + rng.integers(places)
            gap = slice(start, start + length)
            ways = hide_person(sample, lifter, xy, seen, gap) | {
                "seen": (seen[0][gap], seen[1][gap])
            }
            for column, (joints, root) in ways.items():
                row = name, kind, "person", seconds
                means.add(row, f"{column}_mm", joint_errors(joints, sample.truth[gap]))
                row = name, kind, "root", seconds
                means.add(row, f"{column}_mm", joint_errors(root, sample.root[gap]))


def hide_joint(
    sample: Sample, lifter: ampose.Lifter, xy: Array, gap: slice, joint: int
) -> dict[str, Array]:
    """The gap's frames lifted with one joint filled, guessed or seen: (n, 17, 3) each."""
    holed = xy.copy()
    holed[gap, joint] = np.nan
    ways = {curve: _filled(holed, sample.times, curve)[gap] for curve in get_args(Curve)}
    ways |= {"guessed": holed[gap], "seen": xy[gap]}
    joints, _ = sample.lift(lifter, np.concatenate(list(ways.values())))
    return dict(zip(ways, np.split(joints, len(ways)), strict=True))


def hide_person(
    sample: Sample,
    lifter: ampose.Lifter,
    xy: Array,
    seen: tuple[Array, Array],
    gap: slice,
) -> dict[str, tuple[Array, Array]]:
    """Joints (n, 17, 3) and root (n, 1, 3) of frames without a person, filled in 3D or in 2D."""
    holed = [values.copy() for values in (xy, *seen)]
    for values in holed:
        values[gap] = np.nan
    ways = {}
    for curve in get_args(Curve):
        joints, root = (_filled(values, sample.times, curve)[gap] for values in holed[1:])
        ways[curve] = joints, root
    ways["pchip_2d"] = sample.lift(lifter, _filled(holed[0], sample.times, "pchip")[gap])
    return ways


def _filled(values: Array, times: Array, curve: Curve) -> Array:
    """However long the gap."""
    return fill_gaps(values, times, longest=np.inf, curve=curve)[0]


def measure(names: Sequence[str], data: Path, lifter: ampose.Lifter) -> dict[str, list[Row]]:
    """The three tables, by what is added to the name of the file.

    Raises:
        InputError: a pack cannot be read, or holds no take.
    """
    filters, outliers, gaps = Means(), Means(), Means()
    for name in names:
        count = frames = 0
        for sample in samples(name, data):
            score_filters(filters, name, sample, lifter)
            score_outliers(outliers, name, sample, lifter)
            score_gaps(gaps, name, sample, lifter)
            count, frames = count + 1, frames + len(sample.times)
            print(f"\r{name}: {count} takes, {frames} frames", end="", flush=True)
        print()
        if not count:
            raise InputError(f"{name} holds no motion of {takes.SHORTEST:g} s or more")
    return {
        "": filters.rows(("set", "2d", "filter", "filtered", "cutoff_hz")),
        "_outliers": outliers.rows(("set", "2d"), decimals=3),
        "_gaps": gaps.rows(("set", "2d", "hidden", "gap_s")),
    }


def main() -> None:
    """Runs the benchmark and writes its tables."""
    arguments = takes.arguments_of(__doc__ or "", Path("results/smoothing.csv")).parse_args()
    lifter = ampose.Lifter()
    tables = measure(arguments.sets, arguments.data, lifter)
    notes = {
        "what": "means over takes on template bones at 25 frames/s, true camera; see the script",
        "seed": str(SEED),
        **lifter.provenance,
        **circumstances(),
    }
    for suffix, rows in tables.items():
        path = arguments.out.with_name(arguments.out.stem + suffix + arguments.out.suffix)
        write_table(path, rows, notes)
        print(path)


if __name__ == "__main__":
    takes.run(main)
