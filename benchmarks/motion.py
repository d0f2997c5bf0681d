"""Scores the whole chain of `ampose.motion` on open motion, and the chain without each step.

    python benchmarks/motion.py DATA [-o results/motion.csv] [--sets cmu-val ...]

DATA holds the open-mocap packs. Every take (see `takes`) shows one person on their own bones, with
the true focal length and the true height. 2D is exact or detector-like, by the protocol; no other
faults are added, so that swap repair and outlier removal have nothing to gain and can only do harm
(see ``swaps.py`` and ``smoothing.py`` for what they find).

MPJPE, P-MPJPE and acceleration error (mm/s^2) are means over takes, relative to the root, in
camera axes. Bones: variation of their lengths in percent. Root: median over takes of the median
distance from the true root, of the person's distance, in percent. Tilt: median angle in degrees
between the world's up and the true one. Within: how many of the errors of joints along camera axes
lie within one and two `sigma`, in percent, where there is one; the root does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import takes
from steady_bones import INPUTS, SEED, takes_of

import ampose
from ampose.errors import InputError
from ampose.geometry import bone_lengths
from ampose.metrics import acceleration_error, bone_length_variation, mpjpe, p_mpjpe
from ampose.motion.bones import stature
from ampose.motion.cleaning import Repairs, motion_of
from ampose.motion.tracks import Tracks
from ampose.poses import PoseSequence
from ampose.research.data.open_mocap import FRAMES_PER_SECOND
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]

CHAINS = {
    "frame by frame": Repairs.none(),
    "all steps": Repairs(),
    "without swaps": Repairs(swaps=False),
    "without outliers": Repairs(outliers=False),
    "without gaps": Repairs(gaps=False),
    "without filter": Repairs(filter="none"),
    "without bones and world": Repairs(bones=False),
    "without root": Repairs(root=False),
}


def score(take: takes.Take, result: PoseSequence) -> dict[str, float]:
    """The columns of one take, not rounded; NaN where a chain gives no world."""
    truth = take.joints - take.joints[:, :1]
    joints = result.joints[:, 0].astype(float)
    away = np.linalg.norm(take.joints[:, 0], axis=-1)
    off = np.linalg.norm(result.root[:, 0] - take.joints[:, 0], axis=-1)
    tilt = np.nan
    if result.world_frame:
        up = result.cameras[0].rotation[:, 1] @ take.camera.rotation[:, 1]
        tilt = float(np.degrees(np.arccos(np.clip(up, -1, 1))))
    in_sigmas = np.abs(joints - truth)[:, 1:] / result.sigma[:, 0, 1:]
    in_sigmas = in_sigmas[np.isfinite(in_sigmas)]

    def percent_within(sigmas: int) -> float:
        return float(100 * (in_sigmas <= sigmas).mean()) if in_sigmas.size else np.nan

    return {
        "mpjpe_mm": mpjpe(joints, truth),
        "p_mpjpe_mm": p_mpjpe(joints, truth),
        "acceleration_mm_per_s2": acceleration_error(joints, truth, FRAMES_PER_SECOND),
        "bone_variation_percent": bone_length_variation(joints, H36M_17),
        "root_percent": 100 * float(np.median(off / away)),
        "tilt_degrees": tilt,
        "within_1_sigma_percent": percent_within(1),
        "within_2_sigma_percent": percent_within(2),
    }


def moved(
    take: takes.Take, keypoints: Array, lifter: ampose.Lifter, chain: Repairs
) -> PoseSequence:
    """What a chain makes of keypoints (T, 17, 2) of a take, told the person's height."""
    camera = replace(take.camera, rotation=np.eye(3), translation=np.zeros(3))
    scores = np.isfinite(keypoints).all(-1).astype(float)
    one = np.zeros(1, int)
    tracks = Tracks(keypoints[:, None], scores[:, None], one, take.motion.times, H36M_17, camera)
    height = stature(bone_lengths(take.joints[0], H36M_17))
    return motion_of(tracks, lifter, replace(chain, height=height))


def rows_of(name: str, data: Path, lifter: ampose.Lifter) -> Iterator[dict[str, str]]:
    """The rows of one set.

    Raises:
        InputError: the pack cannot be read, or holds no take.
    """
    for kind in INPUTS:
        scores: dict[str, list[dict[str, float]]] = {chain: [] for chain in CHAINS}
        for count, (take, keypoints, _) in enumerate(takes_of(name, data, "native", kind)):
            for chain, repairs in CHAINS.items():
                scores[chain].append(score(take, moved(take, keypoints, lifter, repairs)))
            print(f"\r{name}, {kind}: {count + 1} takes", end="", flush=True)
        print()
        if not scores["all steps"]:
            raise InputError(f"{name} holds no motion of {takes.SHORTEST:g} s or more")
        for chain, of_takes in scores.items():
            case = {"set": name, "input": kind, "chain": chain, "takes": str(len(of_takes))}
            yield case | summary(of_takes)


def summary(scores: Sequence[dict[str, float]]) -> dict[str, str]:
    """Means over takes, but medians of root and tilt; empty where there is none."""
    out = {}
    for column in scores[0]:
        values = np.array([each[column] for each in scores])
        middle = np.median if column in ("root_percent", "tilt_degrees") else np.mean
        out[column] = "" if np.isnan(values).all() else f"{middle(values[~np.isnan(values)]):.2f}"
    return out


def main() -> None:
    """Runs the benchmark and writes its table."""
    arguments = takes.arguments_of(__doc__ or "", Path("results/motion.csv")).parse_args()
    lifter = ampose.Lifter()
    takes.write_results(
        arguments.out,
        *(rows_of(name, arguments.data, lifter) for name in arguments.sets),
        what="the chain of motion on native bones, focal length and height known",
        seed=str(SEED),
        **lifter.provenance,
    )


if __name__ == "__main__":
    takes.run(main)
