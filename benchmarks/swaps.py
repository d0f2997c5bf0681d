"""Left/right swaps planted into known motion: how many `ampose.motion.swaps` finds and undoes.

    python benchmarks/swaps.py DATA [-o results/swaps.csv] [--sets cmu-val ...]

DATA holds the open-mocap packs. Every motion of a set is filmed (see ``takes.py``), exact and
detector-like, and in each take one stretch of every kind and length is planted, one at a time,
somewhere at random. Kinds: arms, forearms (elbows and wrists), legs, lower legs (knees and ankles)
and body. Rows without a kind are takes without a swap; in rows of length ``most``, not part of
``all``, two thirds of a take are swapped.

* Visible: an exchange of two joints that lie within `VISIBLE_DEVIATIONS` standard deviations of
  the noise of their difference means nothing. A swapped frame is visible if a pair of it
  is further apart than that in the exact picture (of exact keypoints, too).
* Found: in a swapped frame, every visible pair of joints has its sides back, and none was
  exchanged that had not been; of visible frames. Of all: every pair of every swapped frame. A
  stretch is found if all its visible frames are.
* Precision: how many of the changed frames were swapped; and how many of the reported stretches
  share a frame with the planted one.
* Clean frames changed: of all frames without a planted swap, in any joint.
* MPJPE of the lifted pose in the swapped frames: without the swap, with it, and repaired.

Methods: ``greedy`` gives shoulders, forearms, hips and lower legs, in frame after frame, the sides
nearer to the frame before. ``continuity`` is the package's without a lifter, ``full`` with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import takes

import ampose
from ampose.cameras import Camera
from ampose.lifting.lifter import LiftedPeople
from ampose.metrics import joint_errors
from ampose.motion.swaps import Swap, Unswapped, lifted_misfit, undo_swaps
from ampose.skeletons import H36M_17, Skeleton

Array = np.ndarray[Any, Any]
Method = Callable[[Array, Array, Array], Unswapped]

INPUTS = ("exact", "detector")
LENGTHS = (1, 2, 5, 10, 20, 30)
"""Frames, at 25 frames/s."""

MOST = "most"
"""In the column of lengths: `MOST_SHARE` of the take, which continuity alone must get wrong."""
MOST_SHARE = 2 / 3

_FOREARMS, _LOWER_LEGS = ("elbow", "wrist"), ("knee", "ankle")
KINDS = {
    "arms": ("shoulder", *_FOREARMS),
    "forearms": _FOREARMS,
    "legs": ("hip", *_LOWER_LEGS),
    "lower legs": _LOWER_LEGS,
    "body": ("shoulder", *_FOREARMS, "hip", *_LOWER_LEGS),
}
PARTS = {
    "shoulders": ("shoulder",),
    "forearms": _FOREARMS,
    "hips": ("hip",),
    "lower legs": _LOWER_LEGS,
}
"""What ``greedy`` looks at one by one."""

ALL = "all"
"""In the columns of kinds and lengths: all of them."""

VISIBLE_DEVIATIONS = 3.0
NOISE = {"hip": 0.02}
"""Of the larger side of the box, per axis and joint; see the protocol's `detector_like`."""
USUAL_NOISE = 0.01


class RememberingLifter(ampose.Lifter):
    """A lifter that lifts nothing twice: the ways of different plants coincide in most frames."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[bytes, LiftedPeople] = {}

    def forget(self) -> None:
        """Makes room; after each camera."""
        self._known.clear()

    def lift_people(
        self, keypoints: Array, scores: Array, skeleton: Skeleton, camera: Camera
    ) -> LiftedPeople:
        """As `ampose.Lifter` does; scores must follow from the keypoints."""
        names = [row.tobytes() for row in keypoints]
        new = [place for place, name in enumerate(names) if name not in self._known]
        if new:
            lifted = super().lift_people(keypoints[new], scores[new], skeleton, camera)
            fields = vars(lifted)
            for row, place in enumerate(new):
                part = {key: value[row : row + 1] for key, value in fields.items()}
                self._known[names[place]] = LiftedPeople(**part)
        found = [self._known[name] for name in names]
        keys = vars(found[0])
        return LiftedPeople(
            **{key: np.concatenate([getattr(one, key) for one in found]) for key in keys}
        )


@dataclass
class Tally:
    """Counts of one row, summed over takes."""

    takes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    errors: dict[str, list[Array]] = field(default_factory=dict)

    def row(self) -> dict[str, str]:
        """The row's columns, percent and millimetres."""
        count = self.counts

        def share(part: str, whole: str) -> str:
            return f"{100 * count[part] / count[whole]:.2f}" if count[whole] else ""

        millimetres = {
            f"mpjpe_{name}_mm": f"{np.concatenate(errors).mean():.1f}"
            for name, errors in self.errors.items()
        }
        return {
            "takes": str(self.takes),
            "swapped_frames": str(count["swapped"]),
            "visible_frames": str(count["visible"]),
            "found_of_visible_percent": share("found visible", "visible"),
            "found_of_all_percent": share("found", "swapped"),
            "precision_frames_percent": share("changed swapped", "changed"),
            "stretches": str(count["visible stretches"]),
            "found_of_stretches_percent": share("found stretches", "visible stretches"),
            "precision_stretches_percent": share("right reports", "reports"),
            "clean_frames": str(count["clean"]),
            "clean_changed_percent": share("changed clean", "clean"),
            "mpjpe_unswapped_mm": "",
            "mpjpe_swapped_mm": "",
            "mpjpe_repaired_mm": "",
            **millimetres,
        }


def pairs_of(parts: Sequence[str]) -> Array:
    """(J,) which joints of Human3.6M's have one of these names, left or right."""
    return np.array([joint.partition("_")[2] in parts for joint in H36M_17.joints])


def exchange(values: Array, joints: Array) -> Array:
    """`values` (T, J, ...) with the sides of some `joints` (T, J) exchanged."""
    mask = joints.reshape(*joints.shape, *[1] * (values.ndim - 2))
    return np.where(mask, values[:, list(H36M_17.mirror)], values)


def visible(exact: Array) -> Array:
    """(T, J) whether a joint's two sides are apart in the picture."""
    noise = np.array([NOISE.get(j.partition("_")[2], USUAL_NOISE) for j in H36M_17.joints])
    side = np.ptp(exact, axis=1).max(-1, keepdims=True)
    apart = np.linalg.norm(exact - exact[:, list(H36M_17.mirror)], axis=-1)
    return np.asarray(apart > VISIBLE_DEVIATIONS * np.sqrt(2) * noise * side)


def greedy(keypoints: Array, scores: Array) -> Unswapped:
    """Frame after frame, each part of `PARTS` on the sides that are nearer to the frame before."""
    out, changed = keypoints.copy(), np.zeros(scores.shape, bool)
    mirror, swaps = list(H36M_17.mirror), []
    for name, parts in PARTS.items():
        joints = pairs_of(parts)
        for frame in range(1, len(out)):
            before, as_is, turned = out[frame - 1], out[frame], out[frame, mirror]
            further = np.square(turned - before) - np.square(as_is - before)
            if np.nansum(further[joints]) < 0:
                out[frame, joints] = turned[joints]
                changed[frame, joints] = True
        edges = np.diff(changed[:, joints].any(-1).astype(int), prepend=0, append=0)
        bounds = zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0) - 1, strict=True)
        swaps += [Swap(name, int(first), int(last)) for first, last in bounds]
    return Unswapped(out, exchange(scores, changed), changed, tuple(swaps))


def count(tally: Tally, found: Unswapped, planted: Array, apart: Array) -> None:
    """Adds a take's frames: `planted` and `apart`, visible, are (T, J)."""
    swapped, changed = planted.any(-1), found.changed.any(-1)
    seen = (planted & apart).any(-1)
    wrong = found.changed != planted
    right, right_visible = ~wrong.any(-1), ~(wrong & (apart | ~planted)).any(-1)
    reports = [swapped[swap.first : swap.last + 1].any() for swap in found.swaps]
    tally.takes += 1
    tally.counts.update(
        {
            "swapped": int(swapped.sum()),
            "found": int((swapped & right).sum()),
            "visible": int(seen.sum()),
            "found visible": int((seen & right_visible).sum()),
            "changed": int(changed.sum()),
            "changed swapped": int((changed & swapped).sum()),
            "clean": int((~swapped).sum()),
            "changed clean": int((changed & ~swapped).sum()),
            "visible stretches": int(seen.any()),
            "found stretches": int(seen.any() and bool(right_visible[seen].all())),
            "reports": len(reports),
            "right reports": int(sum(reports)),
        }
    )


def methods(lifter: ampose.Lifter, take: takes.Take) -> dict[str, Method]:
    """The methods by name."""
    misfit = lifted_misfit(lifter, H36M_17, take.camera)
    return {
        "greedy": lambda keypoints, scores, _: greedy(keypoints, scores),
        "continuity": lambda *arrays: undo_swaps(*arrays, H36M_17),
        "full": lambda *arrays: undo_swaps(*arrays, H36M_17, misfit=misfit),
    }


def plant(frames: int, parts: Sequence[str], length: int, place: float) -> Array:
    """(T, 17) joints to exchange over a stretch; `place`, 0 to 1, says where it begins."""
    first = int(place * (frames - length + 1))
    planted = np.zeros((frames, len(H36M_17)), bool)
    planted[first : first + length, pairs_of(parts)] = True
    return planted


def plants(frames: int, rng: np.random.Generator) -> dict[tuple[str, str], Array]:
    """Every kind and length, and none, as (T, 17) joints to exchange."""
    out = {("", ""): np.zeros((frames, len(H36M_17)), bool)}
    for kind, parts in KINDS.items():
        for length in LENGTHS:
            out[kind, str(length)] = plant(frames, parts, length, rng.random())
    for kind, parts in KINDS.items():
        out[kind, MOST] = plant(frames, parts, round(MOST_SHARE * frames), rng.random())
    return out


def errors(lifter: ampose.Lifter, keypoints: Array, take: takes.Take, frames: Array) -> Array:
    """Millimetres (n, 17) of some frames (T,), lifted."""
    lifted = lifter.lift_people(
        keypoints[frames], confidence(keypoints[frames]), H36M_17, take.camera
    )
    true = take.joints[frames]
    finite = np.isfinite(lifted.joints).all((1, 2))
    return joint_errors(lifted.joints[finite], (true - true[:, :1])[finite])


def confidence(keypoints: Array) -> Array:
    """Scores: 1 where seen, else 0."""
    return np.isfinite(keypoints).all(-1).astype(np.float64)


def scored_take(
    lifter: RememberingLifter, take: takes.Take, keypoints: Array, rng: np.random.Generator
) -> Iterator[tuple[tuple[str, str, str], Unswapped, Array, dict[str, Array]]]:
    """Method, kind and length; what was found; what was planted; errors by name."""
    for key, planted in plants(len(keypoints), rng).items():
        swapped = exchange(keypoints, planted)
        frames = planted.any(-1)
        for name, undo in methods(lifter, take).items():
            found = undo(swapped, confidence(swapped), take.motion.times)
            poses = {"unswapped": keypoints, "swapped": swapped, "repaired": found.keypoints}
            yield (
                (name, *key),
                found,
                planted,
                {kind: errors(lifter, xy, take, frames) for kind, xy in poses.items()}
                if frames.any()
                else {},
            )


def rows_of(kind: str, length: str) -> list[tuple[str, str]]:
    """The rows, by kind and length, in which a plant counts."""
    if not kind:
        return [(kind, length)]
    if length == MOST:
        return [(kind, MOST), (ALL, MOST)]
    return [(kind, length), (kind, ALL), (ALL, ALL)]


def score(name: str, data: Path, lifter: RememberingLifter) -> Iterator[dict[str, str]]:
    """Rows of a set."""
    tallies: dict[tuple[str, str, str, str], Tally] = {}
    for number, motion in enumerate(takes.motions(name, data)):
        print(f"{name}: {motion.name}, {motion.description}", flush=True)
        take = takes.filmed(motion, np.random.default_rng([0, number]))
        apart = visible(take.keypoints)
        for place, seen_as in enumerate(INPUTS):
            rng = np.random.default_rng([0, number, place])
            keypoints = take.detected(rng) if seen_as == "detector" else take.keypoints
            lifter.forget()
            for key, found, planted, wrong in scored_take(lifter, take, keypoints, rng):
                method, kind, length = key
                for row in rows_of(kind, length):
                    tally = tallies.setdefault((seen_as, method, *row), Tally())
                    count(tally, found, planted, apart)
                    for each, millimetres in wrong.items():
                        tally.errors.setdefault(each, []).append(millimetres)
    for (seen_as, method, kind, length), tally in tallies.items():
        columns = {"set": name, "input": seen_as, "method": method, "kind": kind}
        yield {**columns, "frames": length, **tally.row()}


def main() -> None:
    """Runs the benchmark and writes its table."""
    arguments = takes.arguments_of(__doc__ or "", Path("results/swaps.csv")).parse_args()
    lifter = RememberingLifter()
    takes.write_results(
        arguments.out,
        *(score(name, arguments.data, lifter) for name in arguments.sets),
        what="planted left/right swaps, found and undone; H36M_17, true camera, 25 frames/s",
        **lifter.provenance,
    )


if __name__ == "__main__":
    takes.run(main)
