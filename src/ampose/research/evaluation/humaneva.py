"""HumanEva-I as VideoPose3D reports it (Pavllo et al., CVPR 2019; its ``--by-subject``).

A cell is one action of one subject: the mean over all frames of its takes and of the three
cameras, and over all 15 joints. Averages weigh the cells equally, whatever their frames. P-MPJPE
is what papers print. S3's Walking is scored with its misplaced head, as VideoPose3D does (see
`ampose.research.data.humaneva`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.metrics import aligned_joint_errors, joint_errors
from ampose.research.data.humaneva import ACTIONS, SUBJECTS
from ampose.research.data.pose_set import PoseSet
from ampose.research.data.videopose3d import action_name
from ampose.research.evaluation.rounded import Rounded

Array = NDArray[np.floating]

AVERAGE = "average"


@dataclass(frozen=True)
class Score(Rounded):
    """One cell or average of the table: errors in millimetres over `frames` frames.

    `action` and `subject` are `AVERAGE` where the row is an average over them.
    """

    action: str
    subject: str
    frames: int
    mpjpe: float
    p_mpjpe: float


def score(predicted: Array, poses: PoseSet) -> list[Score]:
    """The table of a part of HumanEva-I.

    Args:
        predicted: (N, 15, 3) metres, camera axes, relative to the root. MPJPE is of the joints as
            given: to have the predicted root at zero, subtract it first.
        poses: N frames from `ampose.research.data.humaneva.load_humaneva`.

    Returns:
        Row by row the actions in the order of `ACTIONS`, then their average; in each the subjects,
        then their average. Cells without a scored frame are left out, and so are averages of
        nothing.

    Raises:
        ValueError: the shapes differ, or a number is not finite.
    """
    cells = list(_cells(predicted, poses))
    table = []
    for action in (*ACTIONS, AVERAGE):
        for subject in (*SUBJECTS, AVERAGE):
            members = [
                cell
                for cell in cells
                if action in (cell.action, AVERAGE) and subject in (cell.subject, AVERAGE)
            ]
            if members:
                table.append(
                    Score(
                        action,
                        subject,
                        sum(cell.frames for cell in members),
                        float(np.mean([cell.mpjpe for cell in members])),
                        float(np.mean([cell.p_mpjpe for cell in members])),
                    )
                )
    return table


def _cells(predicted: Array, poses: PoseSet) -> Iterator[Score]:
    errors = joint_errors(predicted, poses.targets).mean(-1)
    aligned = aligned_joint_errors(predicted, poses.targets).mean(-1)
    actions = poses.per_frame(np.array([action_name(take) for take in poses.actions]))
    subjects = poses.per_frame(poses.subjects)
    for action in ACTIONS:
        for subject in SUBJECTS:
            frames = poses.scored & (actions == action) & (subjects == subject)
            if frames.any():
                yield Score(
                    action,
                    subject,
                    int(frames.sum()),
                    float(errors[frames].mean()),
                    float(aligned[frames].mean()),
                )
