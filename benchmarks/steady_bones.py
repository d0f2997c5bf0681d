"""Scores constant bone lengths: lifted poses before and after, on open motion.

    python benchmarks/steady_bones.py DATA [-o results/steady_bones.csv] [--sets cmu-val ...]

DATA holds the open-mocap packs. Every take (see `takes`) is lifted with its true focal length by
the built-in lifter, nothing is filtered, and each row is one way to answer:

* lifted: frame by frame, as the lifter answers.
* median lengths: lifted directions, each bone as long as in most frames (`lifted_lengths`).
* fitted: lengths and poses fitted to the clip's keypoints (`measured_body`, `fit_to_bones`).
* fitted, relifted: the same, lifted anew as a typical body's (`measured_body` with `relift`).
* fitted, true lengths: as relifted, then fitted to the subject's true proportions: what is left.

Sizes are the default stature but for the first two rows, so MPJPE holds the error of size that a
single view does not show; P-MPJPE does not. Lengths off: mean over the bones of how far each
length's share of their sum is from the truth. Residual: median distance of the projected joints
from the keypoints, of the larger side of the box; root as fitted by each answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import takes

import ampose
from ampose.cameras import Camera
from ampose.geometry import bone_lengths
from ampose.lifting.root import estimate_root
from ampose.metrics import aligned_joint_errors, bone_length_variation, joint_errors
from ampose.motion.body import Body, Relift, measured_body, reprojection_residual
from ampose.motion.body_fit import fit_to_bones
from ampose.motion.bones import lifted_lengths, same_sides, scaled_to_height, stature, with_lengths
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]

BONES = ("native", "template")
INPUTS = ("exact", "detector")
SEED = 0


@dataclass(frozen=True, eq=False)
class Seen:
    """One person's keypoints from one camera, and what the lifter makes of them.

    Attributes:
        keypoints: (T, 17, 2) pixels.
        scores: (T, 17).
        times: (T,) seconds.
        camera: its world is its own axes.
        joints: (T, 17, 3) metres, root-relative, camera axes.
        root: (T, 3) metres, camera axes, as the lifter has it.
        sigma: (T, 17, 3) metres.
    """

    keypoints: Array
    scores: Array
    times: Array
    camera: Camera
    joints: Array
    root: Array
    sigma: Array

    @classmethod
    def lifted(
        cls, lifter: ampose.Lifter, keypoints: Array, scores: Array, times: Array, camera: Camera
    ) -> Seen:
        """Lifts keypoints of Human3.6M's joints."""
        own = replace(camera, rotation=np.eye(3), translation=np.zeros(3))
        people = lifter.lift_people(keypoints, scores, H36M_17, own)
        found = (people.joints, people.root, people.sigma)
        return cls(keypoints, scores, times, own, *(part.astype(float) for part in found))

    @property
    def rays(self) -> Array:
        """(T, 17, 3)."""
        return self.camera.rays(self.keypoints)

    def body(
        self, lifter: ampose.Lifter, *, height: float | None = None, relift: bool = True
    ) -> Body:
        """The person's bones, and joints lifted knowing them."""

        def again(keypoints: Array, scores: Array) -> tuple[Array, Array]:
            people = lifter.lift_people(keypoints, scores, H36M_17, self.camera)
            return people.joints, people.sigma

        chosen: Relift | None = again if relift else None
        body = measured_body(
            self.joints,
            self.sigma,
            self.keypoints,
            self.scores,
            self.times,
            self.camera,
            height=height,
            relift=chosen,
        )
        if body is None:
            raise ValueError("nobody was lifted")
        return body


def takes_of(
    name: str, data: Path, bones: str, kind: str
) -> Iterator[tuple[takes.Take, Array, Array]]:
    """Takes of a set with keypoints (T, 17, 2) and scores; one camera whatever the input."""
    for number, motion in enumerate(takes.motions(name, data, bones=bones)):
        rng = np.random.default_rng((SEED, number))
        take = takes.filmed(motion, rng)
        keypoints = take.keypoints if kind == "exact" else take.detected(rng)
        yield take, keypoints, np.isfinite(keypoints).all(-1).astype(float)


def answers(seen: Seen, lifter: ampose.Lifter, truth: Array) -> dict[str, tuple[Array, Array]]:
    """Joints (T, 17, 3) and lengths (16,) of every row; `truth` are the true lengths."""
    found = lifted_lengths(seen.joints, seen.root, seen.scores, seen.sigma)
    if found is None:
        raise ValueError("nobody was lifted")
    out = {
        "lifted": (seen.joints, found),
        "median lengths": (with_lengths(seen.joints, found), found),
    }
    plain, body = seen.body(lifter, relift=False), seen.body(lifter)
    right = scaled_to_height(truth, body.stature)
    for name, one, lengths in (
        ("fitted", plain, plain.lengths),
        ("fitted, relifted", body, body.lengths),
        ("fitted, true lengths", body, right),
    ):
        fit = fit_to_bones(one.joints, seen.rays, seen.scores, lengths, sigma=one.sigma)
        out[name] = (fit.joints, lengths)
    return out


def score(seen: Seen, joints: Array, lengths: Array, target: Array) -> dict[str, float]:
    """Columns of one answer to one take, against the true joints (T, 17, 3), root-relative."""
    both = np.isfinite(joints).all((1, 2))
    truth = same_sides(np.median(bone_lengths(target, H36M_17), axis=0))
    root = estimate_root(joints, seen.rays, seen.scores)
    residual = reprojection_residual(joints, root, seen.keypoints, seen.scores, seen.camera)
    return {
        "frames": both.sum(),
        "mpjpe_mm": joint_errors(joints[both], target[both]).mean(),
        "p_mpjpe_mm": aligned_joint_errors(joints[both], target[both]).mean(),
        "bone_variation_percent": bone_length_variation(joints[both], H36M_17),
        "lengths_off_percent": 100
        * np.abs(lengths / lengths.sum() * truth.sum() / truth - 1).mean(),
        "stature_m": stature(lengths),
        "residual_of_box_percent": 100 * residual.of_box,
    }


def mean_of(scores: Sequence[dict[str, float]]) -> dict[str, str]:
    """Means over the takes, each by its frames."""
    frames = np.array([score["frames"] for score in scores])
    means = {
        name: np.average([score[name] for score in scores], weights=frames)
        for name in scores[0]
        if name != "frames"
    }
    return {"takes": f"{len(scores)}", "frames": f"{frames.sum():.0f}"} | {
        name: f"{value:.2f}" for name, value in means.items()
    }


def rows_of(name: str, data: Path, lifter: ampose.Lifter) -> Iterator[dict[str, str]]:
    """The rows of one set."""
    for bones in BONES:
        for kind in INPUTS:
            scores: dict[str, list[dict[str, float]]] = {}
            for take, keypoints, confidence in takes_of(name, data, bones, kind):
                seen = Seen.lifted(lifter, keypoints, confidence, take.motion.times, take.camera)
                target = take.joints - take.joints[:, :1]
                truth = same_sides(np.median(bone_lengths(target, H36M_17), axis=0))
                for row, (joints, lengths) in answers(seen, lifter, truth).items():
                    scores.setdefault(row, []).append(score(seen, joints, lengths, target))
            for row, each in scores.items():
                yield {"set": name, "bones": bones, "input": kind, "answer": row, **mean_of(each)}


def main() -> None:
    """Runs the benchmark and writes its table."""
    arguments = takes.arguments_of(__doc__ or "", Path("results/steady_bones.csv")).parse_args()
    lifter = ampose.Lifter()
    takes.write_results(
        arguments.out,
        *(rows_of(name, arguments.data, lifter) for name in arguments.sets),
        what="lifted poses with constant bone lengths; means over frames",
        seed=str(SEED),
        **lifter.provenance,
    )


if __name__ == "__main__":
    takes.run(main)
