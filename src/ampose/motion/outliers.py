"""Single 2D joints that jump away for a few frames and come back, found and removed.

A jump is told from motion by its two edges. A joint that is really kicked out and back gathers
speed over several frames; an outlier leaves its path from one frame to the next, and comes back as
suddenly. What counts as sudden depends on the person's size, and on how this joint accelerates
around that time, be it from noise or from a kick.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, percentile_filter

from ampose.geometry import box_of_seen, larger_side
from ampose.motion.stretches import Array, Mask, check, present

LEAST_JUMP = 0.05
"""Share of the larger side of the person's box; less is noise, and does little harm."""

LEAST_RATIO = 3.0
"""Least ratio of a jump to the joint's usual change of speed around it. Tuned on cmu-val, as are
the next two: without a false alarm on its clean takes, karate kicks at 25 frames/s included."""

USUAL_PERCENTILE = 80
"""Of the changes of speed around a frame: what is usual. A fifth of them may be outliers, and a
kick that takes a quarter of the time is usual."""

USUAL_WINDOW = 0.8
"""Seconds over which that is taken."""

USUAL_FRAMES = 11
"""At least, where frames are few, for a percentile to mean something."""

LONGEST_JUMP = 0.2
"""Seconds from an outlier's first frame to its last; what lasts longer may be a motion."""

LONGEST_REACH = 0.25
"""Seconds that three frames may span for a speed to be carried on from two of them to the third.
Below 8 frames/s nothing is judged."""

SIZE_WINDOW = 1.0
"""Seconds of a running median of the person's size, so that no outlier changes it."""

_EDGE = 2
"""Frames needed on either side of a jump."""


def remove_outliers(keypoints: Array, times: Array) -> tuple[Array, Mask]:
    """Makes single joints absent that jump away for up to `LONGEST_JUMP` seconds.

    What all joints of a frame share, such as the shaking of a camera held in the hand, is no jump.
    Joints of a limb that swaps sides do jump: repair swaps first. The first two and last two
    frames in which a joint is there cannot be judged, nor can frames far apart in time.

    Args:
        keypoints: (T, J, 2) pixels of one person; NaN where missing.
        times: (T,) seconds, increasing, evenly or not.

    Returns:
        the keypoints, NaN where missing or removed, and the mask (T, J) of the removed ones.

    Raises:
        ValueError: shapes that do not fit, or times that do not increase.
    """
    if keypoints.ndim != 3:
        raise ValueError(f"keypoints (T, J, 2) needed, got {keypoints.shape}")
    check(keypoints, times)
    out = keypoints.copy()
    out[~present(keypoints)] = np.nan
    removed = np.zeros(keypoints.shape[:2], bool)
    if len(times) <= 2 * _EDGE or not np.isfinite(out).any():
        return out, removed
    size = _size(out, times)
    paths = out.astype(np.float64) - _shared_path(out)[:, None]
    for joint in range(out.shape[1]):
        frames = np.flatnonzero(np.isfinite(paths[:, joint]).all(-1))
        jumps = _jumps(paths[frames, joint], times[frames], size[frames])
        removed[frames[jumps], joint] = True
    out[removed] = np.nan
    return out, removed


def _size(keypoints: Array, times: Array) -> Array:
    """(T,) larger side of the person's box, a running median; known everywhere."""
    side = larger_side(box_of_seen(keypoints)).astype(np.float64)
    known = np.flatnonzero(np.isfinite(side))
    # A wider window than both ends need has the same medians, and can cost any time.
    window = min(_frames(SIZE_WINDOW, times), 2 * len(known) - 1)
    smooth = median_filter(side[known], window, mode="nearest")
    return np.asarray(np.interp(np.arange(len(times)), known, smooth))


def _shared_path(keypoints: Array) -> Array:
    """(T, 2) how far the person as a whole has moved: sums of the joints' median steps.

    Steps lead from each frame that shows the person to the next, however far apart; those without
    a common joint are not known, and left out.
    """
    frames = np.flatnonzero(present(keypoints).any(-1))
    steps = np.diff(keypoints[frames].astype(np.float64), axis=0)
    known = np.flatnonzero(present(steps).any(-1))
    path = np.zeros((len(keypoints), 2))
    path[frames[known + 1]] = np.nanmedian(steps[known], axis=1)
    return np.cumsum(path, axis=0)


def _jumps(path: Array, times: Array, size: Array) -> NDArray[np.bool_]:
    """Which frames (n,) of one joint's path (n, 2), all of them known, jump away and come back."""
    count = len(path)
    found = np.zeros(count, bool)
    if count <= 2 * _EDGE:
        return found
    leave, come_back = _surprise(path, times), _surprise(path[::-1], -times[::-1])[::-1]
    # Whatever the length of a jump, the frames around it are no surprise from one of the sides.
    usual = percentile_filter(
        np.minimum(leave, come_back),
        USUAL_PERCENTILE,
        size=min(max(_frames(USUAL_WINDOW, times), USUAL_FRAMES), count),
        mode="nearest",
    )
    least = np.maximum(LEAST_JUMP * size, LEAST_RATIO * usual)
    leave, come_back = (np.where(np.isfinite(each), each, 0) for each in (leave, come_back))
    candidates: list[tuple[float, int, int]] = []
    longest = min(_frames(LONGEST_JUMP, times), count - 2 * _EDGE)
    for length in range(1, longest + 1):
        first = np.arange(_EDGE, count - _EDGE - length + 1)
        last = first + length - 1
        first = first[(leave[first] > least[first]) & (come_back[last] > least[first])]
        first = first[times[first + length - 1] - times[first] <= LONGEST_JUMP]
        off = _off_line(path, times, first, length)
        edges = np.minimum(leave[first], come_back[first + length - 1])
        ratio = np.minimum(off, edges) / least[first]
        clear = ratio > 1
        candidates += [
            (float(r), int(f), length) for r, f in zip(ratio[clear], first[clear], strict=True)
        ]
    for _, start, length in sorted(candidates, reverse=True):
        # What touches a clearer jump is the way back from it.
        if not found[start - 1 : start + length + 1].any():
            found[start : start + length] = True
    return found


def _surprise(path: Array, times: Array) -> Array:
    """(n,) distance from where the two frames before lead; infinite where they lead nowhere."""
    out = np.full(len(path), np.inf)
    steps = np.diff(times)
    velocity = np.diff(path, axis=0) / steps[:, None]
    expected = path[1:-1] + velocity[:-1] * steps[1:, None]
    out[2:] = np.linalg.norm(path[2:] - expected, axis=-1)
    out[2:][np.abs(times[2:] - times[:-2]) > LONGEST_REACH] = np.inf
    return out


def _off_line(path: Array, times: Array, first: NDArray[np.int64], length: int) -> Array:
    """Least distance of each jump's frames from the line between the frames on its two sides."""
    before, after = (first - 1)[:, None], (first + length)[:, None]
    inside = first[:, None] + np.arange(length)
    share = (times[inside] - times[before]) / (times[after] - times[before])
    line = path[before] + share[..., None] * (path[after] - path[before])
    return np.asarray(np.linalg.norm(path[inside] - line, axis=-1).min(1))


def _frames(seconds: float, times: Array) -> int:
    """An odd number of frames that takes about so long, at least one."""
    return 2 * math.floor(seconds / float(np.median(np.diff(times))) / 2) + 1
