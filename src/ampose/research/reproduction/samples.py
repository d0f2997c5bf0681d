"""Which frames the figures show: evenly spaced ones, so that nobody picks them.

Of N frames in the order of the test set, sample k of n is frame ``floor((k + 1/2) N / n)``. Frames
of Human3.6M and MPI-INF-3DHP are in the order of their files, those of HDM05 by class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.research.data.pose_set import PoseSet
from ampose.research.evaluation.open_protocol import LiftInputs, load_set, predict
from ampose.research.reproduction.laboratory import DATASETS, Laboratory
from ampose.skeletons import H36M_17, Skeleton

Array = NDArray[np.floating]

COUNT = 5
"""Samples of a figure."""


@dataclass(frozen=True)
class Samples:
    """What a figure shows; shapes and units as `lift_figure` takes them."""

    keypoints: Array
    predicted: Array
    target: Array
    skeleton: Skeleton
    titles: Sequence[str]
    caption: str
    is_trial: bool = False


@dataclass(frozen=True)
class Shown:
    """One of the thesis's figures.

    Attributes:
        title: what it shows.
        recipe: whose poses.
        dataset: of the frames, a name as in `Licensed`.
        scenes: only clips of these actions, on MPI-INF-3DHP their scenes; empty for all.
    """

    title: str
    recipe: str
    dataset: str
    scenes: tuple[str, ...] = ()


FIGURES = {
    "4.3": Shown("Poses on Human3.6M", "h36m-cpn-17", "human3.6m"),
    "4.4": Shown(
        "Poses in indoor scenes of MPI-INF-3DHP", "h36m-gt-16", "mpi-inf-3dhp", ("GS", "noGS")
    ),
    "4.5": Shown(
        "Poses in outdoor scenes of MPI-INF-3DHP", "h36m-gt-16", "mpi-inf-3dhp", ("outdoor",)
    ),
}
"""By number. The thesis shows photographs too; the keypoint files have none."""

OPEN_SET = "hdm05"


def spaced(frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `COUNT` of some frames, evenly spaced in their order."""
    count = min(COUNT, len(frames))
    places = (np.arange(count) + 0.5) * len(frames) / count
    return np.asarray(frames[places.astype(int)])


def licensed_samples(shown: Shown, laboratory: Laboratory) -> Samples:
    """Frames of a licensed test set; the run is trained if it is missing and may be.

    Raises:
        NotMeasuredError: data or run is not at hand.
        ValueError: the folder of the run holds another one, or no frame is of the scenes.
    """
    specimen = laboratory.specimen(laboratory.recipe(shown.recipe), shown.dataset)
    poses = specimen.poses
    actions = poses.per_frame(poses.actions)
    wanted = poses.scored & (np.isin(actions, shown.scenes) if shown.scenes else True)
    if not wanted.any():
        raise ValueError(f"{poses.name}: no scored frame of {', '.join(shown.scenes)}")
    chosen = alone(poses, spaced(np.flatnonzero(wanted)))
    return Samples(
        chosen.inputs[..., :2],
        specimen.predict(chosen),
        chosen.targets,
        chosen.joints,
        [
            f"{subject}, {action}, camera {camera}"
            for subject, action, camera in zip(
                chosen.subjects, chosen.actions, chosen.cameras, strict=True
            )
        ],
        f"{DATASETS[shown.dataset]}, lifted by {shown.recipe}; {_rule(len(chosen), 'test')}",
        specimen.is_trial,
    )


def alone(poses: PoseSet, frames: NDArray[np.int64]) -> PoseSet:
    """Some frames as clips of their own, for lifters that see one frame."""
    return replace(
        poses,
        inputs=np.asarray(poses.inputs[frames]),
        targets=np.asarray(poses.targets[frames]),
        rays=np.asarray(poses.rays[frames]),
        root_depth=np.asarray(poses.root_depth[frames]),
        scored=np.asarray(poses.scored[frames]),
        starts=np.arange(len(frames) + 1),
        subjects=poses.per_frame(poses.subjects)[frames],
        actions=poses.per_frame(poses.actions)[frames],
        cameras=poses.per_frame(poses.cameras)[frames],
    )


def open_samples(data: Path, lift: LiftInputs, name: str) -> Samples:
    """Frames of HDM05 by the open-mocap protocol: template bones, detector-like 2D, focal known.

    Args:
        data: folder of the packs.
        lift: a lifter.
        name: of the lifter.

    Raises:
        ValueError: the pack is missing or unusable.
    """
    chosen = load_set(OPEN_SET, data)
    frames = spaced(np.argsort(chosen.classes, kind="stable"))
    pixels = chosen.pixels["template", "detector"][frames]
    seen = replace(chosen, focal=chosen.focal[frames])
    return Samples(
        pixels,
        predict(lift, seen, pixels, focal="known"),
        chosen.joints["template"][frames],
        H36M_17,
        [str(each) for each in chosen.classes[frames]],
        f"HDM05, detector-like 2D, lifted by {name}; {_rule(len(frames), 'test, by class')}",
    )


def _rule(count: int, of_what: str) -> str:
    return f"{count} frames evenly spaced over those of the {of_what}"
