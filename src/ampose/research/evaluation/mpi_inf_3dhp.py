"""Scores on MPI-INF-3DHP's test set, by the conventions under which they are published.

PCK is the share of joints less than 150 mm off, AUC the mean of PCK over smaller thresholds, both
in percent, MPJPE the mean error in millimetres; poses are relative to the pelvis. Papers differ in
the joints, the thresholds and the way from sequences to one number, so a score means little
without the name of its `Convention`. "Less" is strict in all of them; hence PCK at 0 mm is 0, and
a perfect prediction has an AUC of 30/31 with the thresholds of the official tool.

The official tool is ``test_util`` of the test set: ``mpii_get_pck_auc_joint_groups.m`` names the
joints, ``mpii_compute_3d_pck.m`` weights its groups by their joints and so counts every joint
once, ``mpii_evaluate_errors.m`` reports each sequence and all frames together. Copies exist whose
groups hold all 17 joints; the one meant here has 14. The README gives a scene the mean of its
sequences weighted by frames, which is the mean over its frames.

Only frames that the set scores count; their number comes from the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.metrics import auc, joint_errors, pck
from ampose.research.data.mpi_inf_3dhp import mpi_names
from ampose.research.data.mpi_inf_3dhp_takes import SCENES
from ampose.research.data.pose_set import PoseSet
from ampose.research.evaluation.rounded import Rounded
from ampose.skeletons import H36M_16, MPI_3DHP_17

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Convention:
    """One way of scoring.

    Attributes:
        name: what users type.
        joints: names of the joints that PCK and AUC count, as `mpi_names` gives them.
        mpjpe_joints: the same for MPJPE.
        thresholds: of AUC, millimetres.
        aggregation: what several sequences together have: the mean over their frames, or the
            plain mean of their scores.
        description: whose it is and what is known of it.
    """

    name: str
    joints: tuple[str, ...]
    mpjpe_joints: tuple[str, ...]
    thresholds: tuple[float, ...]
    aggregation: Literal["frames", "sequences"]
    description: str


@dataclass(frozen=True)
class SceneScore(Rounded):
    """Scores of one group of frames: PCK and AUC in percent, MPJPE in millimetres.

    `mpjpe` is NaN where the set lacks a joint that the convention's MPJPE counts.
    """

    group: str
    frames: int
    pck: float
    auc: float
    mpjpe: float


_17 = MPI_3DHP_17.joints
_16 = mpi_names(H36M_16)
_14 = tuple(joint for joint in _17 if joint not in ("pelvis", "spine", "head"))
_BY_5_MM = tuple(float(threshold) for threshold in range(0, 151, 5))
_BY_1_MM = tuple(float(threshold) for threshold in range(150))

CONVENTIONS = {
    convention.name: convention
    for convention in (
        Convention(
            *("official", _14, _17, _BY_5_MM, "frames"),
            "the test set's tool: 14 joints without pelvis, spine and the joint between neck and "
            "head top; MPJPE over 17 with the pelvis, whose error is 0",
        ),
        Convention(
            *("p-stmo", _14, _17, _BY_5_MM, "frames"),
            "Shan et al., ECCV 2022: the tool's sequences, averaged by their frames; the numbers "
            "of official",
        ),
        Convention(
            *("thesis-scenes", _14, _17, _BY_5_MM, "frames"),
            "Table 4.4 of the thesis: its totals are the frame-weighted means of its scenes; the "
            "joints are not stated, official's are assumed",
        ),
        Convention(
            *("d3dp", _14, _17, _BY_5_MM, "sequences"),
            "Shan et al., ICCV 2023, and those that follow it: plain mean of the tool's 6 "
            "sequences, long or short",
        ),
        Convention(
            *("graphmlp", _17, _17, _BY_1_MM, "frames"),
            "Li et al., arXiv 2022: 17 joints with the pelvis; AUC over 0, 1 .. 149 mm",
        ),
        Convention(
            *("poseaug", _16, _16, _BY_5_MM, "frames"),
            "Gong et al., CVPR 2021, also HTNet, across datasets: Human3.6M's 16 joints with the "
            "pelvis",
        ),
        Convention(
            *("srnet", _17, _17, _BY_5_MM, "frames"),
            "Zeng et al., ECCV 2020, also FMPose3D: 17 joints with the pelvis",
        ),
    )
}
"""By name; ``official`` first."""


def score_mpi_inf_3dhp(
    predicted: Array, chosen: PoseSet, convention: str = "official"
) -> list[SceneScore]:
    """Scores of every test sequence, every scene (GS, noGS, outdoor) and all together.

    Args:
        predicted: (N, J, 3) metres, camera axes, relative to the predicted pelvis, for every
            frame of `chosen`. Some programs subtract the pelvis, others set it to 0 and leave the
            rest; one of the two must have been done.
        chosen: the test part from `load_mpi_inf_3dhp`, in any of its joint sets.
        convention: a name in `CONVENTIONS`.

    Returns:
        Groups in the order TS1 .. TS6, GS, noGS, outdoor, all; those without frames are left out.

    Raises:
        InputError: unknown convention, or one that counts a joint which the set does not have.
        ValueError: another dataset, no scored frames, or predictions of another shape, not
            relative to the pelvis or not finite.
    """
    if convention not in CONVENTIONS:
        raise InputError(
            f"unknown convention {convention!r}; choose from {', '.join(CONVENTIONS)}"
        )
    rules = CONVENTIONS[convention]
    if not set(chosen.subjects) <= set(SCENES):
        raise ValueError(f"{chosen.name} is not the test part of MPI-INF-3DHP")
    if predicted.shape != chosen.targets.shape:
        raise ValueError(
            f"predictions must be {chosen.targets.shape} as the targets are, got {predicted.shape}"
        )
    names = mpi_names(chosen.joints)
    if missing := [joint for joint in rules.joints if joint not in names]:
        raise InputError(
            f"{convention} counts {', '.join(missing)}, which {chosen.skeleton} does not have"
        )
    scored = np.flatnonzero(chosen.scored)
    if not len(scored):
        raise ValueError(f"{chosen.name}: no scored frames")
    if predicted[scored, chosen.joints.root].any():
        raise ValueError("predictions must be relative to the pelvis: subtract it or set it to 0")
    errors = joint_errors(predicted[scored], chosen.targets[scored])
    sequences = chosen.per_frame(chosen.subjects)[scored]
    rows = [
        _sequence(name, errors[sequences == name], names, rules)
        for name in SCENES
        if name in sequences
    ]
    scenes = [
        _together(scene, [row for row in rows if SCENES[row.group] == scene], rules)
        for scene in dict.fromkeys(SCENES[row.group] for row in rows)
    ]
    return [*rows, *scenes, _together("all", rows, rules)]


def frame_weighted(values: Sequence[float], frames: Sequence[int]) -> float:
    """The mean over all frames of groups whose means and numbers of frames are given."""
    return float(np.average(values, weights=frames))


def _sequence(name: str, errors: Array, names: tuple[str, ...], rules: Convention) -> SceneScore:
    counted = errors[:, [names.index(joint) for joint in rules.joints]]
    whole = set(rules.mpjpe_joints) <= set(names)
    columns = [names.index(joint) for joint in rules.mpjpe_joints] if whole else []
    return SceneScore(
        name,
        len(errors),
        pck(counted),
        auc(counted, np.array(rules.thresholds)),
        float(errors[:, columns].mean()) if whole else float("nan"),
    )


def _together(group: str, rows: Sequence[SceneScore], rules: Convention) -> SceneScore:
    frames = [row.frames for row in rows]

    def mean(values: list[float]) -> float:
        by_frames = rules.aggregation == "frames"
        return frame_weighted(values, frames) if by_frames else float(np.mean(values))

    return SceneScore(
        group,
        sum(frames),
        mean([row.pck for row in rows]),
        mean([row.auc for row in rows]),
        mean([row.mpjpe for row in rows]),
    )
