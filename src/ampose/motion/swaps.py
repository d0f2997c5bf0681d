"""Left and right exchanged by the detector: found over a sequence, and put back.

What can be exchanged are the arms, whole or from the elbow on, the legs, whole or from the knee
on, and the whole body, face included: arms and legs each in one of three ways, which makes nine
ways for a frame. The most probable way through them over all frames is found exactly
(Viterbi), by

* continuity in the picture: the vector from right to left of each pair of joints goes on as it
  went in the two frames before. Exchanging the sides turns its sign and nothing else, so neither
  the camera's motion nor the person's through the picture matters. Where left and right coincide,
  the velocity tells a crossing from a swap;
* plausibility in space: how badly the lifted body fits the keypoints in each of the nine ways, for
  a lifter has seen no bodies that are half back to front. This has an absolute sign, which
  continuity has not: it says on which side of a jump the error is;
* swaps being rare: they come and go at rates per second.

Pairs of which a joint is missing say nothing. Constants were chosen on cmu-val with
``benchmarks/swaps.py``, where `NOISE` of 0.008 to 0.02, `ACCELERATION` of 4 to 10 and `TAIL` of 2
to 5 change less than one frame in a thousand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ampose.cameras import Camera
from ampose.geometry import box_of_seen, larger_side
from ampose.lifting import Lifter
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]
Bools = NDArray[np.bool_]
Indices = NDArray[np.int64]

Misfit = Callable[[Array, Array], Array]
"""Keypoints (N, J, 2) and scores (N, J) to (N,): how far they are from any body that the lifter
knows, relative to the person's size; NaN where that cannot be said. See `lifted_misfit`."""

STARTS_PER_SECOND, ENDS_PER_SECOND = 0.05, 2.0
"""How often a swap begins while there is none, and how soon it ends again: the prior."""

NOISE = 0.012
"""Detector noise of a pair's vector, per axis, body sizes."""

ACCELERATION = 6.0
"""How far a pair's vector is from a straight course, body sizes per second squared."""

SPEED = 1.5
"""How fast a pair's vector changes where no course is known, body sizes per second."""

TAIL = 3.0
"""Degrees of freedom of Student's distribution of those deviations: kicks and outliers happen."""

MISFIT_WEIGHT = 8.0
"""Logarithm of the likelihood ratio, per logarithm of the ratio of misfits."""

MISFIT_FLOOR = 0.01
"""Body sizes: misfits below this are noise."""

MISFIT_CAP = 5.0
"""One frame's misfit says no more than this, as a logarithm of likelihoods."""

MISFIT_SECONDS = 2.0
"""Time over which the errors of misfits are alike, so that its frames count as one together. With
less, what the lifter prefers in some motions would turn whole clips over."""

MISFIT_STEP = 0.2
"""Seconds from one lifted frame to the next; those between would say nothing new."""

SIZE_SECONDS = 1.0
"""A person's size in the picture is the median over this time."""

_GROUPS = ("shoulders", "forearms", "hips", "lower legs", "rest")
"""Joints that are only ever exchanged together; the rest is the face."""

_GROUP_OF = {
    "shoulder": "shoulders",
    **dict.fromkeys(("elbow", "wrist", "hand", "pinky", "index", "thumb"), "forearms"),
    "hip": "hips",
    **dict.fromkeys(("knee", "ankle", "heel", "big_toe", "small_toe"), "lower legs"),
}

_KINDS: tuple[frozenset[str], ...] = tuple(
    frozenset({"body"} if way == ("arms", "legs") else filter(None, way))
    for way in itertools.product(("", "arms", "forearms"), ("", "legs", "lower legs"))
)
"""The swaps of each way; whole arms and whole legs at once are one swap."""

_EXCHANGES = {
    "arms": ("shoulders", "forearms"),
    "forearms": ("forearms",),
    "legs": ("hips", "lower legs"),
    "lower legs": ("lower legs",),
    "body": _GROUPS,
}
"""Groups that a swap exchanges."""

_WAYS = len(_KINDS)

_EXCHANGED = np.array(
    [[any(group in _EXCHANGES[kind] for kind in way) for group in _GROUPS] for way in _KINDS]
)
"""(9, 5) which groups a way exchanges."""


def _picker() -> Array:
    """(5 * 4, 9^3): the course of each group in every three ways in a row, as one of four."""
    turns = _EXCHANGED[:, None] != _EXCHANGED[None]
    course = 2 * turns[:, :, None] + turns[None]
    return np.asarray((course[..., None] == np.arange(4)).reshape(_WAYS**3, -1).T, np.float64)


_COURSES = _picker()

_STARTED = np.array([[len(after - before) for after in _KINDS] for before in _KINDS])
_ENDED = _STARTED.T
_LASTED = np.array([[len(after & before) for after in _KINDS] for before in _KINDS])
"""(9, 9) number of swaps that start, end and last from one way to the next."""

_EVEN_STEPS = 6.0
"""Variance of a straight course's error at even steps, of the noise's in one frame: 1 + 4 + 1."""

_SHORTEST_STEP = 1e-4
"""Seconds; so that frames with the same time do no harm."""

_CHUNK = 1000
"""Frames whose costs are held at once: 729 numbers each."""


@dataclass(frozen=True)
class Swap:
    """Sides exchanged over a stretch of frames.

    Attributes:
        kind: "arms", "forearms" (elbows and wrists), "legs", "lower legs" (knees and below) or
            "body".
        first, last: frames.
    """

    kind: str
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Unswapped:
    """Keypoints with left and right put back.

    Attributes:
        keypoints: (T, J, 2).
        scores: (T, J), gone along with their keypoints.
        changed: (T, J) joints that have changed place with their other side.
        swaps: what was undone, in order of time.
    """

    keypoints: Array
    scores: Array
    changed: Bools
    swaps: tuple[Swap, ...]


def undo_swaps(
    keypoints: Array,
    scores: Array,
    times: Array,
    skeleton: Skeleton,
    *,
    misfit: Misfit | None = None,
) -> Unswapped:
    """Finds where a detector exchanged left and right of one person, and puts them back.

    Args:
        keypoints: (T, J, 2) pixels, NaN where not seen. All of a frame may be NaN.
        scores: (T, J).
        times: (T,) seconds, increasing; gaps and uneven steps are allowed.
        skeleton: names the J joints.
        misfit: see `lifted_misfit`. Without it the longer part of a clip counts as right.
    """
    mirror = np.array(skeleton.mirror)
    groups = _joint_groups(skeleton)
    seen = np.asarray(np.isfinite(keypoints).all(-1))
    frames = np.flatnonzero((seen & (groups >= 0)).any(-1))
    exchanged = np.zeros(seen.shape, bool)
    swaps: tuple[Swap, ...] = ()
    if len(frames):
        joints = _EXCHANGED[:, groups] & (groups >= 0)
        points, confidence, moments = keypoints[frames], scores[frames], times[frames]
        courses = _continuity(points, moments, skeleton, groups)
        wrong = np.zeros((len(frames), _WAYS))
        if misfit is not None:
            some = _samples(moments)
            fits = [
                misfit(
                    _exchange(points[some], way, mirror), _exchange(confidence[some], way, mirror)
                )
                for way in joints
            ]
            wrong[some] = _implausibility(np.stack(fits, axis=-1), moments[some])
        ways = _best_ways(courses, wrong, moments)
        exchanged[frames] = joints[ways]
        swaps = _swaps(ways, frames)
    return Unswapped(
        _exchange(keypoints, exchanged, mirror),
        _exchange(scores, exchanged, mirror),
        exchanged & (seen | seen[:, mirror]),
        swaps,
    )


def lifted_misfit(lifter: Lifter, skeleton: Skeleton, camera: Camera) -> Misfit:
    """How badly the lifted body, put where it fits best, covers the keypoints it was lifted from.

    The root mean square distance over the Human3.6M joints that were seen, divided by the larger
    side of their box.
    """

    def misfit(keypoints: Array, scores: Array) -> Array:
        people = lifter.lift_people(keypoints, scores, skeleton, camera)
        places = camera.project(people.joints.astype(np.float64) + people.root[:, None])
        found = people.keypoints.astype(np.float64)
        return _root_mean_square(places - found) / _size(found)

    return misfit


def _joint_groups(skeleton: Skeleton) -> Indices:
    """(J,) index in `_GROUPS`; -1 for joints that have no other side."""
    out = np.full(len(skeleton), -1)
    for left, right in skeleton.pairs:
        part = skeleton.joints[left].removeprefix("left_")
        out[[left, right]] = _GROUPS.index(_GROUP_OF.get(part, "rest"))
    return out


def _exchange(values: Array, exchanged: Bools, mirror: Indices) -> Array:
    """`values` (T, J, ...) with each joint in `exchanged` (J,) or (T, J) from its other side."""
    mask = np.broadcast_to(exchanged, values.shape[:2])
    return np.where(mask.reshape(*mask.shape, *[1] * (values.ndim - 2)), values[:, mirror], values)


def _continuity(points: Array, times: Array, skeleton: Skeleton, groups: Indices) -> Array:
    """Costs (T, 5 * 4) of the four courses of each group, negative logarithms of likelihoods.

    A course is whether the group turns on the way into the frame, plus twice whether it did on
    the way into the frame before.
    """
    left, right = np.transpose(skeleton.pairs)
    vectors = points[:, left] - points[:, right]
    deviation = _deviations(vectors, times) / _steady_size(points, times)[:, None, None]
    # A plane's Student distribution, without what is the same for all courses.
    costs = np.nan_to_num((TAIL + 2) / 2 * np.log1p(np.square(deviation) / TAIL))
    of_group = np.eye(len(_GROUPS))[groups[left]]
    return np.asarray(np.einsum("tpc,pg->tgc", costs, of_group).reshape(len(points), -1))


def _deviations(vectors: Array, times: Array) -> Array:
    """How far `vectors` (T, P, 2) are from where they were going, (T, P, 4 courses).

    In standard deviations for a person of size 1, NaN where nothing is known. They were going on
    in a straight course if they were seen in both frames before, and else stayed where they were
    seen last.
    """
    seen = np.asarray(np.isfinite(vectors).all(-1))
    count = np.arange(len(vectors))[:, None]
    last = np.maximum.accumulate(np.where(seen, count, -1))[:-1]
    known = np.zeros_like(seen)
    known[1:] = seen[1:] & (last >= 0)
    before = np.zeros_like(vectors)
    before[1:] = np.take_along_axis(vectors, last[..., None].clip(0), axis=0)
    age = np.zeros(seen.shape)
    age[1:] = times[1:, None] - times[last.clip(0)]
    stay = np.hypot(NOISE, SPEED * age)

    straight = np.zeros_like(seen)
    straight[2:] = seen[2:] & seen[1:-1] & seen[:-2]
    earlier = np.zeros_like(vectors)
    earlier[2:] = vectors[:-2]
    step = np.diff(times, prepend=times[:1])
    previous = np.concatenate([step[:1], step[:-1]])
    ahead = step / np.where(previous > 0, previous, np.inf)
    noise = NOISE * np.sqrt((1 + (1 + ahead) ** 2 + ahead**2) / _EVEN_STEPS)
    bend = np.hypot(noise, ACCELERATION * step * (step + previous) / 2)[:, None]
    straight &= bend < stay

    spread = np.where(straight, bend, stay)
    pull = np.where(straight, ahead[:, None], 0)[..., None]
    course = []
    for turned_before, turns in itertools.product((1, -1), (1, -1)):
        expected = before + pull * (before - turned_before * np.nan_to_num(earlier))
        course.append(np.linalg.norm(turns * vectors - expected, axis=-1) / spread)
    return np.where(known[..., None], np.stack(course, axis=-1), np.nan)


def _steady_size(points: Array, times: Array) -> Array:
    """(T,) pixels: `_size`, the median over `SIZE_SECONDS`."""
    size = _size(points)
    if len(times) < 2:
        return size
    step = float(np.median(np.diff(times)))
    width = 2 * round(SIZE_SECONDS / max(step, 1e-3) / 2) + 1
    return np.asarray(median_filter(size, min(width, 2 * len(size) - 1), mode="nearest"))


def _size(points: Array) -> Array:
    """(T,) larger side of the box of the seen among `points` (T, J, 2); infinite if it is 0."""
    side = larger_side(box_of_seen(points))
    return np.where(side > 0, side, np.inf)


def _root_mean_square(offsets: Array) -> Array:
    """(T,) of `offsets` (T, J, 2) over the joints that have one; NaN if none has."""
    squared = np.square(offsets).sum(-1)
    counted = np.isfinite(squared)
    count = counted.sum(-1)
    total = np.where(counted, squared, 0).sum(-1)
    return np.sqrt(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _samples(times: Array) -> Indices:
    """Frames that are looked at in space: the first of every `MISFIT_STEP`."""
    return np.flatnonzero(np.diff(np.floor((times - times[0]) / MISFIT_STEP), prepend=-1))


def _implausibility(misfits: Array, times: Array) -> Array:
    """Costs (T, 9) from misfits (T, 9) of the ways; none where one of them is unknown."""
    ratio = np.log(misfits + MISFIT_FLOOR)
    ratio -= ratio.min(-1, keepdims=True)
    costs = np.nan_to_num((MISFIT_WEIGHT * ratio).clip(max=MISFIT_CAP))
    step = np.diff(times, prepend=times[:1] - MISFIT_STEP)
    return np.asarray(costs * (step / MISFIT_SECONDS).clip(0, 1)[:, None])


def _best_ways(courses: Array, wrong: Array, times: Array) -> Indices:
    """(T,) number of each frame's way, on the path with the lowest sum of costs.

    Where a vector was going depends on two frames, so the states are pairs of ways in a row.
    """
    count, ways = len(times), _WAYS
    share = STARTS_PER_SECOND / (STARTS_PER_SECOND + ENDS_PER_SECOND)
    value = np.full((ways, ways), np.inf)
    swaps = np.array([len(kinds) for kinds in _KINDS])
    np.fill_diagonal(value, wrong[0] - np.log(share) * swaps)
    came_from = np.zeros((count, ways, ways), np.int8)
    for first in range(1, count, _CHUNK):
        part = slice(first, min(first + _CHUNK, count))
        prior = _prior(times[part] - times[first - 1 : part.stop - 1], share)
        costs = (courses[part] @ _COURSES).reshape(-1, ways, ways, ways)
        costs += (prior + wrong[part, None])[:, None]
        for frame, cost in zip(range(part.start, part.stop), costs, strict=True):
            total = value[..., None] + cost
            came_from[frame] = total.argmin(0)
            value = total.min(0)
    path = np.zeros(count, np.int64)
    earlier, path[-1] = np.unravel_index(value.argmin(), value.shape)
    for frame in range(count - 1, 0, -1):
        path[frame - 1], earlier = earlier, came_from[frame, earlier, path[frame]]
    return path


def _prior(steps: Array, share: float) -> Array:
    """Costs (T, 9, 9) of going from one way to the next over `steps` (T,) seconds.

    Each swap is a process that is switched on and off at random, at the two rates.
    """
    mixed = -np.expm1(-(STARTS_PER_SECOND + ENDS_PER_SECOND) * steps.clip(_SHORTEST_STEP))
    start, end = share * mixed, (1 - share) * mixed
    return np.asarray(
        -np.log(start)[:, None, None] * _STARTED
        - np.log(end)[:, None, None] * _ENDED
        - np.log1p(-end)[:, None, None] * _LASTED
    )


def _swaps(ways: Indices, frames: Indices) -> tuple[Swap, ...]:
    """The swaps of a path; `frames` (T,) are the numbers of its frames."""
    found = []
    for kind in _EXCHANGES:
        on = np.array([kind in kinds for kinds in _KINDS])[ways].astype(np.int8)
        edges = np.diff(on, prepend=0, append=0)
        bounds = zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0) - 1, strict=True)
        found += [Swap(kind, int(frames[first]), int(frames[last])) for first, last in bounds]
    return tuple(sorted(found, key=lambda swap: (swap.first, swap.kind)))
