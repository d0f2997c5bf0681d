"""A lifter on a licensed dataset: the part to load, the lifter's answers on it, its scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ampose.research.data.batches import mirrored, windows
from ampose.research.data.human36m import TEST_SUBJECTS, TRAIN_SUBJECTS, load_human36m
from ampose.research.data.humaneva import load_humaneva
from ampose.research.data.mpi_inf_3dhp import load_mpi_inf_3dhp
from ampose.research.data.pose_set import PoseSet
from ampose.research.evaluation import human36m, humaneva, mpi_inf_3dhp
from ampose.research.evaluation.rounded import Rounded
from ampose.research.models.refiner import Refined
from ampose.research.models.zoo import ModelConfig
from ampose.research.recipes import Licensed
from ampose.skeletons import HUMANEVA_15

Array = NDArray[np.floating]

BATCH = 2048

AS_PUBLISHED = "as published"
TRIAL = "generated or partial"
UNKNOWN = "not checked: no frame counts of this dataset were published"


def load_part(
    licensed: Licensed, model: ModelConfig, data: Path, part: Literal["train", "test"]
) -> PoseSet:
    """The training or the test part of a dataset, in the joint set of a model.

    Raises:
        DatasetError: a file is missing or not what it should be.
        ValueError: the dataset does not have the model's joint set.
    """
    if licensed.dataset == "human3.6m":
        subjects = TRAIN_SUBJECTS if part == "train" else TEST_SUBJECTS
        return load_human36m(
            data,
            keypoints=licensed.keypoints,
            skeleton=model.skeleton,
            subjects=subjects,
            toes=licensed.toes,
        )
    if licensed.dataset == "mpi-inf-3dhp":
        return load_mpi_inf_3dhp(data, part=part, skeleton=model.skeleton)
    if model.skeleton != HUMANEVA_15.name:
        raise ValueError(f"HumanEva-I has the joints {HUMANEVA_15.name}, not {model.skeleton}")
    return load_humaneva(data, part=part, keypoints=licensed.keypoints)


def standing(dataset: str, poses: PoseSet) -> str:
    """Whether a set is the published one, `AS_PUBLISHED`, `TRIAL` or `UNKNOWN` (HumanEva-I)."""
    if dataset == "humaneva":
        return UNKNOWN
    return AS_PUBLISHED if poses.official else TRIAL


@torch.no_grad()
def predict(model: nn.Module, poses: PoseSet, *, mirror: bool, device: str = "cpu") -> Array:
    """Root-relative joints (N, J, 3) in metres, camera axes, of every frame of a set.

    Args:
        model: a lifter; one with a refiner gives the refined poses, for which it is shown the
            oracle's rays and root depth.
        poses: the set.
        mirror: average the prediction with that for the mirror image, mirrored back.
        device: where to compute.

    Raises:
        ValueError: the set has another joint set or other channels than the lifter takes.
    """
    model.eval()
    config: ModelConfig = model.config  # type: ignore[assignment]
    channels = poses.inputs.shape[-1]
    if (config.skeleton, config.channels) != (poses.skeleton, channels):
        raise ValueError(
            f"the lifter takes {config.channels} channels of {config.skeleton}; {poses.name} has "
            f"{channels} of {poses.skeleton}"
        )
    order, root = poses.joints.mirror, poses.joints.root
    out = np.empty((len(poses), len(order), 3), np.float32)

    def lift(inputs: Array, rays: Array, depth: Array) -> Array:
        arrays = (inputs, rays, depth) if isinstance(model, Refined) else (inputs,)
        tensors = [torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in arrays]
        answer = model(*tensors)
        return np.asarray((answer[1] if isinstance(model, Refined) else answer).float().cpu())

    for first in range(0, len(poses), BATCH):
        frames = np.arange(first, min(first + BATCH, len(poses)))
        inputs = windows(poses, frames, config.frames)
        rays, depth = poses.rays[frames], poses.root_depth[frames]
        joints = lift(inputs, rays, depth)
        if mirror:
            other = lift(mirrored(inputs, order), mirrored(rays, order), depth)
            joints = (joints + mirrored(other, order)) / 2
        out[frames] = joints - joints[:, root, None]
    return out


def score(
    dataset: str, predicted: Array, poses: PoseSet, convention: str = "official"
) -> list[dict[str, str | int | float]]:
    """The rows of a dataset's own protocol, errors rounded to one decimal.

    Args:
        dataset: name as in `Licensed`.
        predicted: (N, J, 3) metres, camera axes, root-relative.
        poses: the set.
        convention: how to count on MPI-INF-3DHP; see `CONVENTIONS` there.
    """
    scores: Sequence[Rounded]
    if dataset == "mpi-inf-3dhp":
        scores = mpi_inf_3dhp.score_mpi_inf_3dhp(predicted, poses, convention)
    elif dataset == "human3.6m":
        scores = human36m.score_human36m(predicted, poses)
    else:
        scores = humaneva.score(predicted, poses)
    return [score.row() for score in scores]


def conventions(dataset: str, convention: str = "official") -> str:
    """How the rows of `score` are counted, in words."""
    if dataset == "mpi-inf-3dhp":
        rules = mpi_inf_3dhp.CONVENTIONS[convention]
        return f"predicted pelvis subtracted; {rules.name}: {rules.description}"
    if dataset == "human3.6m":
        return human36m.CONVENTIONS["subtract"]
    return (
        "mm; predicted root subtracted; mean over 15 joints with the root; all cameras and takes "
        "of an action and a subject; averages weigh the cells equally"
    )
