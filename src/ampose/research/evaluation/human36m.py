"""The protocols of Human3.6M: errors per action, and their mean.

Protocol 1 is MPJPE, protocol 2 P-MPJPE; N-MPJPE and MPJVE are those of Pavllo et al., CVPR 2019.
`CONVENTIONS` says what published scores differ in, and is printed with every table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.metrics import mpjpe, mpjve, n_mpjpe, p_mpjpe
from ampose.research.data.human36m import ACTIONS
from ampose.research.data.pose_set import PoseSet
from ampose.research.data.videopose3d import action_name
from ampose.research.evaluation.rounded import Rounded

Array = NDArray[np.floating]

Root = Literal["subtract", "zero"]
"""How predictions come to have their root at zero: the predicted root is subtracted from all
joints (SemGCN, GraFormer, Modulated GCN), or set to zero alone (Cai et al., MHFormer and its
relatives)."""

AVERAGE = "average"

_REST = (
    "mean over all joints, of which the root has no error; per action over all frames, cameras "
    "and subjects; average: unweighted mean of the 15 actions; MPJVE: differences of neighbouring "
    "frames of one clip, mm per frame at 50 frames/s"
)
CONVENTIONS: dict[Root, str] = {
    "subtract": f"predicted root subtracted; {_REST}",
    "zero": f"predicted root set to zero; {_REST}",
}


@dataclass(frozen=True)
class ActionScore(Rounded):
    """Errors of one action, or their mean over the actions (`AVERAGE`).

    Attributes:
        action: one of `ACTIONS`, or `AVERAGE`.
        frames: how many were scored.
        mpjpe, p_mpjpe, n_mpjpe: millimetres.
        mpjve: millimetres per frame; NaN where no clip has two frames.
    """

    action: str
    frames: int
    mpjpe: float
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float


def score_human36m(
    predicted: Array, chosen: PoseSet, *, root: Root = "subtract"
) -> list[ActionScore]:
    """The scores of the 15 actions in the order of `ACTIONS`, then their average.

    Args:
        predicted: (N, J, 3) metres, camera axes.
        chosen: N frames from `load_human36m`, of all actions.
        root: how the predicted root is taken away.

    Raises:
        ValueError: the shapes differ, a number is not finite, a pose has no extent, an action is
            missing, or the set has frames that a test does not count.
    """
    if predicted.shape != chosen.targets.shape:
        raise ValueError(
            f"{chosen.name}: predictions must be {chosen.targets.shape}, got {predicted.shape}"
        )
    if not chosen.scored.all():
        raise ValueError(f"{chosen.name}: the protocol counts every frame of Human3.6M")
    actions = np.array([action_name(take) for take in chosen.actions])
    if wrong := sorted(set(ACTIONS) ^ set(actions.tolist())):
        raise ValueError(
            f"{chosen.name}: the protocol is a mean over the {len(ACTIONS)} actions; missing or "
            f"unknown: {', '.join(wrong)}"
        )
    # Clip by clip, which bounds the memory.
    errors = np.array(
        [_errors(predicted[clip], chosen.targets[clip], chosen, root) for clip in chosen.clips()]
    )
    frames = np.diff(chosen.starts)
    weights = np.stack([frames, frames, frames, frames - 1], axis=-1)
    scores = []
    for action in ACTIONS:
        members = actions == action
        with np.errstate(invalid="ignore"):  # no velocity where no clip has two frames
            means = (errors * weights)[members].sum(0) / weights[members].sum(0)
        scores.append(ActionScore(action, int(frames[members].sum()), *means.tolist()))
    means = np.mean([(s.mpjpe, s.p_mpjpe, s.n_mpjpe, s.mpjve) for s in scores], axis=0)
    return [*scores, ActionScore(AVERAGE, len(predicted), *means.tolist())]


def _errors(
    predicted: Array, target: Array, chosen: PoseSet, root: Root
) -> tuple[float, float, float, float]:
    """MPJPE, P-MPJPE, N-MPJPE and MPJVE of one clip, (F, J, 3); a frame alone has no velocity."""
    place = chosen.joints.root
    if root == "subtract":
        predicted = predicted - predicted[:, [place]]
    else:
        predicted = predicted.copy()
        predicted[:, place] = 0
    return (
        mpjpe(predicted, target),
        p_mpjpe(predicted, target),
        n_mpjpe(predicted, target),
        mpjve(predicted, target) if len(predicted) > 1 else 0.0,
    )
