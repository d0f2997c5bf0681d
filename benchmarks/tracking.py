"""Scores identities over time on people who cross each other's way, beside nearest-box matching.

    python benchmarks/tracking.py DATA [--sets cmu-val ...] [-o results/tracking.csv]

DATA holds the open-mocap packs. A sequence puts two or four walks of a set (`LEAST_WAY` metres or
more from their beginning to their end) into one world: each is turned to lead across the picture,
to the left or to the right, give or take `SLANT` degrees, and passes the middle of the scene about
half-way, each person in a lane of their own, so that the nearer ones cover the others. Cameras are
those of the protocol (`takes.camera_for`), those that look along the lanes left out. A drawn
sequence counts only if somebody disappears for `LEAST_HIDDEN` frames or more. 25 frames/s.

* Hidden: a joint that lies behind a nearer person's body in the picture, a capsule around each
  bone. Of whom more than `HIDDEN_SHARE` of the joints are hidden nothing is found, and nothing is
  expected to be.
* Found: the protocol's detector-like 2D without the hidden joints. In `MISSED` of the frames of a
  person they are not found at all; in `FALSE` of the frames something is found that is nobody:
  half of these are somebody's pose again with `DOUBLE_NOISE`, half are poses where nobody is.
* Crossings: two people whose boxes overlap change sides. Occlusions: unbroken times of being
  hidden between two of being seen.
* Identity switches: mismatches of CLEAR MOT (Bernardin and Stiefelhagen, 2008): frames in which
  somebody is matched to another identity than when last matched.
* IDF1: Ristani et al., 2016: the F1 score under the best one-to-one assignment of true and found
  identities over the whole sequence.
* A true and a found pose can be matched if their OKS is `MATCH_OKS` or more.

Methods: ``identities`` is `ampose.motion.identities`; ``nearest box`` gives each box the identity
of the nearest one left (middles no further apart than the longer side of the larger box; the
nearest pairs first), remembered for the same time. The constants of ``identities`` were tuned on
cmu-val, mostly on draws of other seeds; those of ``nearest box`` were not tuned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment
from takes import Motion, Take, arguments_of, camera_for, motions, run, write_results

from ampose.cameras import MIN_VISIBLE_JOINTS, Camera
from ampose.detection.similarity import oks, prominence
from ampose.errors import InputError
from ampose.geometry import rotation_about
from ampose.motion.identities import REMEMBER_SECONDS, Identities
from ampose.poses import Pose2D
from ampose.research.data.open_mocap import FRAMES_PER_SECOND
from ampose.research.evaluation.open_protocol import SETS
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]

PEOPLE = (2, 4)
SEQUENCES = 40
"""For each number of people."""
SEED = 0

LEAST_WAY = 2.5
"""Metres from the first to the last place of a walk."""
SLANT = 25.0
"""Degrees off the way straight across; the protocol's cameras may add as much."""
LANE = (0.5, 1.0)
"""Metres from one lane to the next."""
EARLY = 0.4
"""Seconds before or after half-time at which somebody passes the middle."""
LEAST_HIDDEN = 5
"""Frames."""

HIDDEN_SHARE = 0.6
MISSED = 0.03
FALSE = 0.05
DOUBLE_NOISE = 0.05
"""Standard deviation of a repeated pose, of the larger side of its box."""
MATCH_OKS = 0.5

_BEHIND = 0.1
"""Metres that a joint must be deeper than a bone to be hidden by it."""
_RADII = {"pelvis": 0.12, "spine": 0.15, "thorax": 0.15, "neck_nose": 0.09, "head_top": 0.11}
_RADII |= {"shoulder": 0.09, "hip": 0.10, "knee": 0.08, "ankle": 0.06, "elbow": 0.05}
_RADII |= {"wrist": 0.04}
"""Metres around the bone that ends in a joint of that name; a clothed adult's."""


@dataclass(frozen=True)
class Crowd:
    """Several people before one camera.

    Attributes:
        takes: one for each person, all of T frames and with one camera.
    """

    takes: tuple[Take, ...]

    @property
    def times(self) -> Array:
        """(T,) seconds."""
        return self.takes[0].motion.times

    def hidden(self) -> Array:
        """(P, T, 17) which joints lie behind another person."""
        camera = self.takes[0].camera
        bodies = [take.joints for take in self.takes]
        return np.stack(
            [
                np.any(
                    [covered(own, other, camera) for k, other in enumerate(bodies) if k != i],
                    axis=0,
                )
                for i, own in enumerate(bodies)
            ]
        )

    def gone(self) -> Array:
        """(P, T) who is hidden too far to be found."""
        return np.asarray(self.hidden().mean(-1) > HIDDEN_SHARE)


class Method(Protocol):
    """Gives poses their identities, frame after frame."""

    def update(self, poses: Sequence[Pose2D], time: float) -> list[Pose2D]:
        """The poses of the next frame with `Pose2D.id`."""


def covered(joints: Array, body: Array, camera: Camera) -> Array:
    """(T, 17) which joints (T, 17, 3) a body (T, 17, 3) hides; camera axes, metres."""
    parents, children = np.transpose(H36M_17.edges)
    place, ends = camera.project(joints), camera.project(body)
    depth = (body[:, parents, 2] + body[:, children, 2]) / 2
    radius = np.array([_radius(child) for child in children])
    start, way = ends[:, None, parents], (ends[:, children] - ends[:, parents])[:, None]
    off = place[:, :, None] - start
    along = ((off * way).sum(-1) / (way**2).sum(-1).clip(1e-9)).clip(0, 1)
    distance = np.linalg.norm(off - along[..., None] * way, axis=-1)
    inside = distance < (radius * camera.focal[0] / depth)[:, None]
    behind = joints[:, :, None, 2] > depth[:, None] + _BEHIND
    return np.asarray((inside & behind).any(-1))


def _radius(child: int) -> float:
    name, side = H36M_17.joints[child], H36M_17.side(child)
    return _RADII[name.removeprefix(f"{side}_")]


def crowds(walks: Sequence[Motion], people: int, count: int, seed: int) -> Iterator[Crowd]:
    """Sequences of so many people in which somebody disappears for a while."""
    rng = np.random.default_rng([seed, people])
    while count:
        crowd = drawn(walks, people, rng)
        gone = crowd.gone()
        if any(end - start >= LEAST_HIDDEN for row in gone for start, end in between(row)):
            count -= 1
            yield crowd


def drawn(walks: Sequence[Motion], people: int, rng: np.random.Generator) -> Crowd:
    """People whose ways cross, and a camera that sees them pass."""
    chosen = [walks[i] for i in rng.choice(len(walks), people, replace=False)]
    frames = min(len(walk.joints) for walk in chosen)
    lanes = rng.permutation(people) * rng.uniform(*LANE)
    placed = []
    for walk, lane in zip(chosen, lanes, strict=True):
        first = rng.integers(len(walk.joints) - frames + 1)
        joints = walk.joints[first : first + frames]
        way = joints[-1, 0] - joints[0, 0]
        heading = np.arctan2(-way[2], way[0])  # about y, from x
        wanted = np.pi * rng.integers(2) + np.radians(rng.uniform(-SLANT, SLANT))
        joints = joints @ rotation_about(1, wanted - heading).T
        early = round(rng.uniform(-EARLY, EARLY) * FRAMES_PER_SECOND)
        passing = joints[np.clip(frames // 2 + early, 0, frames - 1), 0]
        to = np.array([0, passing[1], lane])
        placed.append(replace(walk, joints=joints - passing + to))
    world = np.stack([walk.joints for walk in placed])
    while True:
        camera = camera_for(world, rng)
        if abs(camera.rotation[2, 2]) > abs(camera.rotation[2, 0]):  # across, not along
            return Crowd(tuple(Take(walk, camera) for walk in placed))


def between(gone: Array) -> list[tuple[int, int]]:
    """(start, end) of the runs of True with False before and after, in a row (T,)."""
    edges = np.flatnonzero(np.diff(gone.astype(int)))
    if gone[0]:
        edges = edges[1:]
    return [(int(a) + 1, int(b) + 1) for a, b in zip(edges[::2], edges[1::2], strict=False)]


def crossings(crowd: Crowd) -> int:
    """How often two people whose boxes overlap change sides."""
    count = 0
    boxes = [np.concatenate([t.keypoints.min(1), t.keypoints.max(1)], 1) for t in crowd.takes]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
            overlap = (high > low).all(-1)
            left = (a[:, 0] + a[:, 2]) < (b[:, 0] + b[:, 2])
            count += int((np.diff(left) & overlap[1:]).sum())
    return count


def posed(points: Array, identity: int | None = None) -> Pose2D:
    """Keypoints (17, 2), NaN where missing, as a pose."""
    points = points.astype(np.float32)
    seen = np.isfinite(points).all(-1)
    box = np.concatenate([points[seen].min(0), points[seen].max(0)])
    return Pose2D(points, seen.astype(np.float32), box, H36M_17, identity)


def truth(crowd: Crowd) -> list[list[Pose2D]]:
    """The people who are there to be found in each frame."""
    gone = crowd.gone()
    places = [take.keypoints for take in crowd.takes]
    return [
        [posed(place[t], i) for i, place in enumerate(places) if not gone[i, t]]
        for t in range(len(crowd.times))
    ]


def detections(crowd: Crowd, rng: np.random.Generator) -> list[list[Pose2D]]:
    """What is found in each frame."""
    hidden = crowd.hidden()
    places = np.stack([take.detected(rng) for take in crowd.takes])
    places[hidden] = np.nan
    there = ~crowd.gone() & (np.isfinite(places).all(-1).sum(-1) >= MIN_VISIBLE_JOINTS)
    there &= rng.random(there.shape) >= MISSED
    size = np.array(crowd.takes[0].camera.size)
    frames = []
    for t in range(len(crowd.times)):
        found = [posed(place) for place in places[there[:, t], t]]
        if found and rng.random() < FALSE:
            points = found[rng.integers(len(found))].keypoints
            side = np.nanmax(np.nanmax(points, 0) - np.nanmin(points, 0))
            noise = DOUBLE_NOISE * side * rng.standard_normal(points.shape)
            elsewhere = rng.uniform(0, size) - np.nanmean(points, 0)
            found.append(posed(points + (noise if rng.random() < 0.5 else elsewhere)))
        frames.append(found)
    return frames


class NearestBox:
    """The identity of the nearest box: the plain way."""

    def __init__(self, remember: float = REMEMBER_SECONDS) -> None:
        self._remember = remember
        self._known: dict[int, tuple[Pose2D, float]] = {}
        self._next = 0

    def update(self, poses: Sequence[Pose2D], time: float) -> list[Pose2D]:
        """The poses of the next frame with `Pose2D.id`."""
        left = sorted(poses, key=prominence, reverse=True)
        known = {i: p for i, (p, seen) in self._known.items() if time - seen <= self._remember}
        pairs = sorted(
            (_apart(pose, last), number, identity)
            for number, pose in enumerate(left)
            for identity, last in known.items()
            if _apart(pose, last) <= max((p.box[2:] - p.box[:2]).max() for p in (pose, last))
        )
        given: dict[int, int] = {}
        for _, number, identity in pairs:
            if number not in given and identity not in given.values():
                given[number] = identity
        out = []
        for number, pose in enumerate(left):
            if number not in given:
                given[number], self._next = self._next, self._next + 1
            out.append(replace(pose, id=given[number]))
            self._known[given[number]] = pose, time
        return out


def _apart(a: Pose2D, b: Pose2D) -> float:
    return float(np.linalg.norm((a.box[:2] + a.box[2:] - b.box[:2] - b.box[2:]) / 2))


METHODS: dict[str, type[Identities] | type[NearestBox]] = {
    "identities": Identities,
    "nearest box": NearestBox,
}

Matchable = Sequence[tuple[Sequence[int], Sequence[int], Array]]
"""Frames: true identities, found identities, and (true, found) similarity, 0 if no match."""


def matchable(true: list[list[Pose2D]], found: list[list[Pose2D]]) -> Matchable:
    """Who could be whom, frame by frame."""
    frames = []
    for here, there in zip(true, found, strict=True):
        alike = np.array([[oks(a, b) for b in there] for a in here]).reshape(len(here), len(there))
        alike[alike < MATCH_OKS] = 0
        frames.append(([p.id or 0 for p in here], [p.id or 0 for p in there], alike))
    return frames


def identity_switches(frames: Matchable) -> int:
    """CLEAR MOT's mismatches.

    Somebody matched in the frame before stays so while that is possible; the others are matched so
    that the similarities' sum is the largest. A mismatch is a match to another identity than at
    the last match, however long ago.
    """
    switches = 0
    last: dict[int, int] = {}
    before: dict[int, int] = {}
    for true, found, alike in frames:
        now = {}
        left = alike.copy()
        for t, f in before.items():
            if t in true and f in found and alike[true.index(t), found.index(f)] > 0:
                now[t] = f
                left[true.index(t)] = 0
                left[:, found.index(f)] = 0
        for row, column in zip(*linear_sum_assignment(left, maximize=True), strict=True):
            if left[row, column] > 0:
                now[true[row]] = found[column]
        switches += sum(last.get(t, f) != f for t, f in now.items())
        last |= now
        before = now
    return switches


def identity_counts(frames: Matchable) -> tuple[int, int, int]:
    """IDTP, IDFP and IDFN under the one-to-one assignment of identities with the most IDTP."""
    trues = sorted({t for true, _, _ in frames for t in true})
    founds = sorted({f for _, found, _ in frames for f in found})
    together = np.zeros((len(trues), len(founds)), int)
    for true, found, alike in frames:
        rows = [trues.index(t) for t in true]
        columns = [founds.index(f) for f in found]
        together[np.ix_(rows, columns)] += alike > 0
    hits = int(together[linear_sum_assignment(together, maximize=True)].sum())
    return (
        hits,
        sum(len(found) for _, found, _ in frames) - hits,
        sum(len(true) for true, _, _ in frames) - hits,
    )


def score(sequences: Sequence[Crowd], method: str) -> dict[str, float]:
    """Identity switches and IDF1 of one method over all sequences."""
    switches = hits = false = missed = 0
    for number, crowd in enumerate(sequences):
        tracker: Method = METHODS[method]()
        frames = detections(crowd, np.random.default_rng([SEED, number]))
        found = [tracker.update(f, t) for f, t in zip(frames, crowd.times, strict=True)]
        pairs = matchable(truth(crowd), found)
        switches += identity_switches(pairs)
        counts = identity_counts(pairs)
        hits, false, missed = hits + counts[0], false + counts[1], missed + counts[2]
    return {"identity_switches": switches, "idf1": 2 * hits / (2 * hits + false + missed)}


def rows_of(name: str, data: Path) -> Iterator[dict[str, str]]:
    """The rows of one set: for each number of people one for each method.

    Raises:
        InputError: the set is unknown, or has too few walks.
    """
    if name not in SETS:
        raise InputError(f"unknown set {name}; known are {', '.join(SETS)}")
    walks = [m for m in motions(name, data) if way(m) >= LEAST_WAY]
    if len(walks) < max(PEOPLE):
        raise InputError(f"{name} has {len(walks)} walks of {LEAST_WAY:g} m; {max(PEOPLE)} needed")
    for people in PEOPLE:
        sequences = list(crowds(walks, people, SEQUENCES, SEED))
        held = {
            "frames": sum(len(crowd.times) for crowd in sequences),
            "crossings": sum(crossings(crowd) for crowd in sequences),
            "occlusions": sum(len(between(row)) for crowd in sequences for row in crowd.gone()),
        }
        for method in METHODS:
            got = score(sequences, method)
            row = {"set": name, "people": people, "method": method, "sequences": SEQUENCES} | held
            row |= {"identity_switches": got["identity_switches"]}
            row |= {"idf1_percent": f"{100 * got['idf1']:.1f}"}
            yield {key: str(value) for key, value in row.items()}


def way(motion: Motion) -> float:
    """Metres over the floor from the first to the last place."""
    return float(np.linalg.norm((motion.joints[-1, 0] - motion.joints[0, 0])[[0, 2]]))


def main() -> None:
    """Runs the benchmark and writes its table."""
    arguments = arguments_of(__doc__ or "", Path("results/tracking.csv")).parse_args()
    write_results(
        arguments.out,
        *(rows_of(name, arguments.data) for name in arguments.sets),
        what="identities of people who cross; switches as CLEAR MOT counts them, IDF1 in %",
        hidden=f"not to be found with more than {HIDDEN_SHARE:.0%} of the joints hidden",
        faults=f"{MISSED:.0%} of people missed, false finds in {FALSE:.0%} of the frames",
        seed=str(SEED),
    )


if __name__ == "__main__":
    run(main)
