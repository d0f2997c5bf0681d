"""Scores a person's place in the world: root, gravity and floor, on open motion and real video.

    python benchmarks/place.py DATA [--clips MEDIA] [-o results/place.csv] [--sets cmu-val ...]

DATA holds the open-mocap packs, MEDIA the four calibrated clips (see `real_video`). People have
their own bones. What is measured is the chain lift, `measured_body`, `fit_to_bones`, `root_path`,
`stance_of`, `find_world`; nothing is filtered before. Each take is one clip of one static camera;
columns are medians over the takes.

* focal, height: known, or the stated default. A height that is known is the `stature` of the true
  bones, of the clips of those that were triangulated.
* Root: median distance between estimated and true root over the frames, percent of the true
  distance; in the clips the root is the middle of the hips. Beside it that of the lifter's frames
  by themselves, and of the naive way: the middle of the keypoints' box, as far away as a body of
  the known height, or 1.7 m, fills its height.
* Tilt: angle between estimated and true up, degrees: its median, its 90th percentile over the
  takes, that of a camera taken to be level, and that with the true pitch given. Within sigma:
  share of takes whose tilt is off by less than the stated standard deviation, and than twice that.
* Floor: how far the camera's height above the floor is off, centimetres. The packs' floor is only
  about 0, and in the clips the person walks on a beam, which is not the calibration's 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import real_video
from steady_bones import SEED, Seen, takes_of
from takes import arguments_of, run, write_results

import ampose
from ampose.cameras import Camera
from ampose.geometry import bone_lengths
from ampose.motion.body_fit import fit_to_bones
from ampose.motion.bones import same_sides, stature
from ampose.motion.floor import World, find_world
from ampose.motion.place import root_path
from ampose.motion.stance import CAMERA_UP, stance_of
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]

INPUTS = ("exact", "detector")
KNOWN = ("known", "unknown")
NAIVE_HEIGHT = 1.7
CLIPS_PER_SECOND = 60
PELVIS = [0]


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a take.

    Attributes:
        root: (T, 3) metres, camera axes; the middle of `joints` of the person.
        joints: whose middle the root is.
        up: (3,) camera axes.
        camera_height: metres above the floor.
        stature: metres, of the true bones.
    """

    root: Array
    joints: list[int]
    up: Array
    camera_height: float
    stature: float


def score(
    seen: Seen, truth: Truth, lifter: ampose.Lifter, height: float | None
) -> dict[str, float]:
    """The columns of one take."""
    body = seen.body(lifter, height=height)
    fit = fit_to_bones(body.joints, seen.rays, seen.scores, body.lengths, sigma=body.sigma)
    path = root_path(fit.joints, seen.rays, seen.scores, seen.times)
    stance = stance_of(fit.joints, path, seen.times, body.lengths)
    pitch = float(np.degrees(np.arcsin(-truth.up[2])))
    world, with_pitch = find_world([stance]), find_world([stance], pitch=pitch)
    if world is None or with_pitch is None:
        raise ValueError("nobody was lifted")
    tilt = between(world.rotation[1], truth.up)
    return {
        "root_percent": off(path + fit.joints[:, truth.joints].mean(1), truth),
        "lifter_root_percent": off(seen.root + seen.joints[:, truth.joints].mean(1), truth),
        "naive_root_percent": off(naive_root(seen, height or NAIVE_HEIGHT), truth),
        "tilt_degrees": tilt,
        "level_tilt_degrees": between(CAMERA_UP, truth.up),
        "pitch_given_tilt_degrees": between(with_pitch.rotation[1], truth.up),
        "sigma_degrees": world.tilt_sigma,
        "floor_cm": 100 * abs(camera_height(world) - truth.camera_height),
        "footfalls": len(stance.footfalls),
    }


def camera_height(world: World) -> float:
    """Metres above the floor."""
    return float(world.translation[1])


def off(root: Array, truth: Truth) -> float:
    """Median distance from the true root, percent of its distance from the camera."""
    away = np.linalg.norm(truth.root, axis=-1)
    return float(100 * np.nanmedian(np.linalg.norm(root - truth.root, axis=-1) / away))


def naive_root(seen: Seen, height: float) -> Array:
    """(T, 3) the middle of the box, where a body of this height fills its height."""
    low, high = np.nanmin(seen.keypoints, axis=1), np.nanmax(seen.keypoints, axis=1)
    depth = seen.camera.focal[1] * height / (high - low)[:, 1]
    return np.asarray(seen.camera.rays((low + high) / 2) * depth[:, None])


def between(one: Array, other: Array) -> float:
    """Angle in degrees."""
    return float(np.degrees(np.arccos(np.clip(one @ other, -1, 1))))


def summary(scores: Sequence[dict[str, float]]) -> dict[str, str]:
    """The columns of several takes."""
    tilt = np.array([score["tilt_degrees"] for score in scores])
    sigma = np.array([score["sigma_degrees"] for score in scores])
    columns = {name: np.median([score[name] for score in scores]) for name in scores[0]}
    columns["tilt_p90_degrees"] = np.percentile(tilt, 90)
    columns["within_sigma_percent"] = 100 * (tilt < sigma).mean()
    columns["within_two_sigma_percent"] = 100 * (tilt < 2 * sigma).mean()
    return {"takes": f"{len(scores)}"} | {name: f"{v:.2f}" for name, v in columns.items()}


def rows_of_set(name: str, data: Path, lifter: ampose.Lifter) -> Iterator[dict[str, str]]:
    """Rows of a set's takes: of those that walk, and of all."""
    for kind in INPUTS:
        for focal in KNOWN:
            scores: dict[tuple[str, str], list[dict[str, float]]] = {}
            for take, keypoints, confidence in takes_of(name, data, "native", kind):
                camera = take.camera if focal == "known" else Camera.assumed(take.camera.size)
                seen = Seen.lifted(lifter, keypoints, confidence, take.motion.times, camera)
                truth = truth_of(take.joints, take.camera)
                for height in KNOWN:
                    metres = truth.stature if height == "known" else None
                    found = score(seen, truth, lifter, metres)
                    if "walk" in take.motion.description.lower():
                        scores.setdefault((height, "walk"), []).append(found)
                    scores.setdefault((height, "all"), []).append(found)
            for (height, clips), each in scores.items():
                case = {"set": name, "clips": clips, "input": kind}
                yield {**case, "focal": focal, "height": height, **summary(each)}


def truth_of(joints: Array, camera: Camera) -> Truth:
    """Of joints (T, 17, 3) in camera axes, seen from a world that is y up."""
    lengths = same_sides(np.median(bone_lengths(joints, H36M_17), axis=0))
    height = float(-camera.rotation[:, 1] @ camera.translation)
    return Truth(joints[:, 0], PELVIS, camera.rotation[:, 1], height, stature(lengths))


def rows_of_clips(
    recording: real_video.Recording, lifter: ampose.Lifter
) -> Iterator[dict[str, str]]:
    """Rows of the calibrated clips, whose world is z up; each view against the other three."""
    scores: dict[tuple[str, str, str], dict[str, float]] = {}
    for view in real_video.VIEWS:
        true = recording.cameras[view]
        others = real_video.others(view)
        joints = true.to_camera(recording.reference(recording.cameras, others))
        lengths = same_sides(np.nanmedian(bone_lengths(joints, H36M_17), axis=0))
        up = true.rotation[:, 2]
        truth = Truth(
            joints[:, real_video.HIPS].mean(1),
            list(real_video.HIPS),
            up,
            float(-up @ true.translation),
            stature(lengths),
        )
        keypoints = recording.keypoints[view].astype(float)
        times = np.arange(len(keypoints)) / CLIPS_PER_SECOND
        for focal in KNOWN:
            camera = true if focal == "known" else Camera.assumed(true.size)
            confidence = recording.scores[view].astype(float)
            seen = Seen.lifted(lifter, keypoints, confidence, times, camera)
            for height in KNOWN:
                metres = truth.stature if height == "known" else None
                scores[view, focal, height] = score(seen, truth, lifter, metres)
    for focal in KNOWN:
        for height in KNOWN:
            for views in (*([view] for view in real_video.VIEWS), list(real_video.VIEWS)):
                name = views[0] if len(views) == 1 else "four clips"
                case = {"set": name, "clips": "all", "input": "built-in detector"}
                each = [scores[view, focal, height] for view in views]
                yield {**case, "focal": focal, "height": height, **summary(each)}


def main() -> None:
    """Runs the benchmark and writes its table."""
    parser = arguments_of(__doc__ or "", Path("results/place.csv"))
    parser.add_argument("--clips", type=Path, metavar="MEDIA")
    arguments = parser.parse_args()
    lifter = ampose.Lifter()
    rows = [rows_of_set(name, arguments.data, lifter) for name in arguments.sets]
    if arguments.clips:
        rows.append(rows_of_clips(real_video.Recording.detected(arguments.clips), lifter))
    write_results(
        arguments.out,
        *rows,
        what="root, tilt and floor from one camera, native bones; medians over takes",
        seed=str(SEED),
        **lifter.provenance,
    )


if __name__ == "__main__":
    run(main)
