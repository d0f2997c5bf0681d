"""Training batches: what one is, how steps and epochs follow each other, windows in time.

Step k's batch depends on the seed and on k only, so a run that was interrupted, or that several
processes share, sees the same poses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ampose.research.data.pose_set import PoseSet

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Batch:
    """Training samples.

    Attributes:
        inputs: (B, T, J, C) float32, normalised keypoints.
        targets: (B, J, 3) float32 metres, root-relative: the pose of the middle frame.
        rays: (B, J, 2) float32 and
        root_depth: (B,) float32 metres, as in `PoseSet`; both None without a refiner.
    """

    inputs: Array
    targets: Array
    rays: Array | None = None
    root_depth: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def part(self, rank: int, count: int) -> Batch:
        """The share of one of `count` processes."""
        rows = slice(rank, None, count)
        return Batch(
            self.inputs[rows],
            self.targets[rows],
            None if self.rays is None else self.rays[rows],
            None if self.root_depth is None else self.root_depth[rows],
        )


@dataclass(frozen=True)
class Plan:
    """Steps and epochs of a run.

    Attributes:
        poses: samples in one epoch.
        epochs: passes over them.
        batch: samples per step; the last step of an epoch takes what is left.
    """

    poses: int
    epochs: int
    batch: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one pass."""
        return math.ceil(self.poses / self.batch)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    def samples(self, step: int) -> range:
        """Where a step's samples are in the order of its epoch."""
        first = step % self.steps_per_epoch * self.batch
        return range(first, min(first + self.batch, self.poses))

    def seen(self, steps: int) -> int:
        """Samples seen after that many steps."""
        epoch, more = divmod(steps, self.steps_per_epoch)
        return epoch * self.poses + more * self.batch


class Source(Protocol):
    """Where batches come from."""

    @property
    def poses(self) -> int:
        """Samples in one epoch."""

    def step(self, plan: Plan, seed: int, step: int) -> Batch:
        """The batch of a step; thread-safe."""


class WindowSource:
    """All frames of a pose set, each with its neighbours in time, in a new order every epoch.

    Args:
        poses: the training set.
        frames: T, odd; a window reaches (T - 1) / 2 frames to both sides.
        mirrored: whether every sample comes a second time in each epoch, mirrored.
        oracle: also give rays and root depth.
    """

    def __init__(
        self, poses: PoseSet, *, frames: int = 1, mirrored: bool = False, oracle: bool = False
    ) -> None:
        self._set = poses
        self._frames = frames
        self._mirrored = mirrored
        self._oracle = oracle

    @property
    def poses(self) -> int:
        """Samples in one epoch."""
        return len(self._set) * (2 if self._mirrored else 1)

    def step(self, plan: Plan, seed: int, step: int) -> Batch:
        """The batch of a step."""
        order = _order(plan.poses, seed, step // plan.steps_per_epoch)
        places = plan.samples(step)
        copy, frames = np.divmod(order[places.start : places.stop], len(self._set))
        batch = Batch(
            np.ascontiguousarray(windows(self._set, frames, self._frames)),
            np.ascontiguousarray(self._set.targets[frames]),
            np.ascontiguousarray(self._set.rays[frames]) if self._oracle else None,
            np.ascontiguousarray(self._set.root_depth[frames]) if self._oracle else None,
        )
        flipped = (copy % 2 == 1) & self._mirrored  # a plan may go round the set several times
        mirror = self._set.joints.mirror
        for array in (batch.inputs, batch.targets, batch.rays):
            if array is not None and flipped.any():
                array[flipped] = mirrored(array[flipped], mirror)
        return batch


@lru_cache(maxsize=2)
def _order(poses: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(poses)


def windows(poses: PoseSet, frames: NDArray[np.int64], length: int) -> Array:
    """Inputs around each frame, (B, T, J, C); beyond a clip's ends its end frame is repeated."""
    return np.asarray(poses.inputs[neighbours(poses.starts, frames, length)])


def neighbours(
    starts: NDArray[np.int64], frames: NDArray[np.int64], length: int
) -> NDArray[np.int64]:
    """Frames (B, T) of the windows around some (B,); clip c is ``starts[c]`` to ``starts[c + 1]``.

    Beyond a clip's ends its end frame is repeated.
    """
    clip = np.searchsorted(starts, frames, side="right") - 1
    first, last = starts[clip], starts[clip + 1] - 1
    around = frames[:, None] + np.arange(length) - length // 2
    return np.asarray(around.clip(first[:, None], last[:, None]))


def repeated(usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Index (B, T) of the frame that each frame of a window shows, where some are not `usable`.

    On either side of the middle, from the first frame that is not usable (B, T), the last one
    before it is repeated, as at the ends of a clip. The middle frame counts as usable.
    """
    length = usable.shape[1]
    middle = length // 2
    before, after = (
        np.logical_and.accumulate(side, axis=1).sum(1)[:, None]
        for side in (usable[:, :middle][:, ::-1], usable[:, middle + 1 :])
    )
    return np.asarray(np.arange(length).clip(middle - before, middle + after))


def mirrored(array: Array, mirror: tuple[int, ...]) -> Array:
    """Joints (..., J, C) of the mirror image: left and right exchanged, x negated.

    With more than three channels the third is an x too (`PoseSet.inputs` with toe directions).
    """
    out = array[..., list(mirror), :]
    out[..., 0] *= -1
    if array.shape[-1] > 3:
        out[..., 2] *= -1
    return np.asarray(out)
