"""Scores the shipped lifter on real video, against triangulation by the other cameras.

    python benchmarks/real_video.py MEDIA [-o results/real_video.csv]

MEDIA holds ``cam01.mp4`` to ``cam04.mp4`` and ``Calib.qca.txt`` of Pose2Sim's single-person demo
(four synchronised cameras, 100 frames). For each view the other three views' 2D detections are
triangulated, the view itself is lifted from its own detections with its true focal length, and
the two are compared. Nothing was tuned on these clips.

* 2D: the built-in detector, mapped to Human3.6M's joints (hybrid) in every view, so that both
  sides use one definition of the hips.
* Joints: the 12 of the limbs, shoulders to wrists and hips to ankles.
* P-MPJPE: after rotation, translation and scale per frame. Bone-scaled MPJPE: the lifted pose
  scaled so that its limb bones are as long in total as the reference's, both relative to the
  middle of the hips, in camera axes, not rotated.
* Spread of the reference: mean reprojection residual of the three views, and how far a joint
  moves when one of the three is left out.

The calibration is for 1088 pixels of width; cam01 and cam02 are 1080 wide. Whether they were
cropped or scaled is settled by the residual of triangulating all four views.
"""

from __future__ import annotations

import argparse
import itertools
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import ampose
from ampose.cameras import Camera
from ampose.metrics import aligned_joint_errors, joint_errors
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]

VIEWS = ("cam01", "cam02", "cam03", "cam04")
CALIBRATED_WIDTH = 1088
SUBPIXELS = 64
"""The calibration file gives intrinsics in 1/64 pixel."""

LIMBS = H36M_17.indices(
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
HIPS = H36M_17.indices(("left_hip", "right_hip"))
LIMB_BONES = [(p, c) for p, c in H36M_17.edges if p in LIMBS and c in LIMBS]
MIN_SCORE = 0.3
"""Detections below this are not triangulated."""


def read_calibration(path: Path) -> dict[str, Camera]:
    """Cameras of a Qualisys file for the calibrated width; rotation and translation in metres."""
    cameras = {}
    for element in ET.parse(path).getroot().iter("camera"):
        inner, pose = element.find("intrinsic"), element.find("transform")
        if inner is None or pose is None:
            raise ValueError(f"{path}: a camera without intrinsics or pose")
        number = {key: float(value) for key, value in (inner.attrib | pose.attrib).items()}
        # Rows of the file's matrix are the camera's axes x right, y up, z backward.
        turn = np.array([[number[f"r{i}{j}"] for j in (1, 2, 3)] for i in (1, 2, 3)])
        turn[1:] *= -1
        centre = np.array([number[axis] for axis in "xyz"]) / 1000
        cameras[element.attrib["serial"]] = Camera(
            size=(CALIBRATED_WIDTH, 1920),
            focal=(number["focalLengthU"] / SUBPIXELS, number["focalLengthV"] / SUBPIXELS),
            centre=(number["centerPointU"] / SUBPIXELS, number["centerPointV"] / SUBPIXELS),
            distortion=(
                number["radialDistortion1"],
                number["radialDistortion2"],
                number["tangentalDistortion1"],
                number["tangentalDistortion2"],
                number["radialDistortion3"],
            ),
            rotation=turn,
            translation=-turn @ centre,
        )
    return cameras


def width_options(camera: Camera, width: int) -> dict[str, Camera]:
    """The ways in which a clip can be narrower than its calibration."""
    lost = camera.size[0] - width
    if not lost:
        return {"as calibrated": camera}
    cx, cy = camera.centre
    cropped = {
        name: replace(camera, size=(width, camera.size[1]), centre=(cx - share * lost, cy))
        for name, share in (("cut right", 0), ("cut both", 0.5), ("cut left", 1))
    }
    return cropped | {"scaled": camera.resized((width, camera.size[1]))}


def triangulate(rays: list[Array], scores: list[Array], cameras: list[Camera]) -> Array:
    """World points (T, J, 3) nearest to the viewing rays of several views, weighted by score.

    Linear least squares on ``x (r3 X + t3) = r1 X + t1`` and the same for y; NaN with fewer than
    two views.
    """
    normal = np.zeros((*rays[0].shape[:2], 3, 3))
    right = np.zeros((*rays[0].shape[:2], 3))
    views = np.zeros(rays[0].shape[:2], int)
    for ray, score, camera in zip(rays, scores, cameras, strict=True):
        usable = np.isfinite(ray).all(-1) & (score >= MIN_SCORE)
        weight = np.where(usable, score, 0)
        for axis in (0, 1):
            coordinate = np.where(usable, ray[..., axis], 0)[..., None]
            row = coordinate * camera.rotation[2] - camera.rotation[axis]
            value = camera.translation[axis] - coordinate[..., 0] * camera.translation[2]
            normal += weight[..., None, None] * row[..., :, None] * row[..., None, :]
            right += (weight * value)[..., None] * row
        views += usable
    points = np.full(right.shape, np.nan)
    enough = views >= 2
    points[enough] = np.linalg.solve(normal[enough], right[enough][..., None])[..., 0]
    return points


class Recording:
    """Detections of all views, and the cameras they fit best."""

    def __init__(self, media: Path) -> None:
        self.keypoints: dict[str, Array] = {}
        self.scores: dict[str, Array] = {}
        widths = {}
        for view in VIEWS:
            result = ampose.run(media / f"{view}.mp4")
            main = int(result.scores.sum((0, 2)).argmax())
            self.keypoints[view] = result.keypoints[:, main]
            self.scores[view] = result.scores[:, main]
            widths[view] = result.camera(0).size[0]
            print(f"{view}: {result.frame_count} frames, {result.person_count} person(s)")
        calibrated = read_calibration(media / "Calib.qca.txt")
        options = [width_options(calibrated[view], widths[view]) for view in VIEWS]
        self.cameras, self.choice, self.residual = {}, "", np.inf
        for names in itertools.product(*options):
            cameras = {v: o[n] for v, o, n in zip(VIEWS, options, names, strict=True)}
            residual = self.reprojection(self.reference(cameras, VIEWS), cameras, VIEWS)
            print(f"  {', '.join(names)}: {residual:.2f} px")
            if residual < self.residual:
                self.cameras, self.residual = cameras, residual
                self.choice = ", ".join(names)

    def reference(self, cameras: dict[str, Camera], views: tuple[str, ...]) -> Array:
        """World points (T, J, 3) triangulated from some views."""
        return triangulate(
            [cameras[view].rays(self.keypoints[view].astype(float)) for view in views],
            [self.scores[view] for view in views],
            [cameras[view] for view in views],
        )

    def reprojection(
        self, points: Array, cameras: dict[str, Camera], views: tuple[str, ...]
    ) -> float:
        """Mean distance in pixels between detections and the points' projections, limb joints."""
        misses = []
        for view in views:
            found = cameras[view].project(cameras[view].to_camera(points))
            miss = np.linalg.norm(found - self.keypoints[view], axis=-1)[:, LIMBS]
            misses.append(miss[self.scores[view][:, LIMBS] >= MIN_SCORE])
        together = np.concatenate(misses)
        return float(np.nanmean(together))

    def score(self, view: str, lifter: ampose.Lifter) -> dict[str, str | int]:
        """Lifts one view and compares it with the triangulation of the others."""
        others = tuple(other for other in VIEWS if other != view)
        world = self.reference(self.cameras, others)
        target = self.cameras[view].to_camera(world)
        lifted = lifter.lift(
            self.keypoints[view],
            image_size=self.cameras[view].size,
            scores=self.scores[view],
            camera=self.cameras[view],
        ).joints[:, 0]
        whole = np.isfinite(target[:, LIMBS]).all((1, 2)) & np.isfinite(lifted).all((1, 2))
        target, lifted = target[whole].astype(float), lifted[whole].astype(float)
        aligned = aligned_joint_errors(lifted[:, LIMBS], target[:, LIMBS])
        scale = limb_length(target) / limb_length(lifted)
        centred = [x - x[:, HIPS].mean(1, keepdims=True) for x in (lifted, target)]
        direct = joint_errors(scale[:, None, None] * centred[0][:, LIMBS], centred[1][:, LIMBS])
        moved = [
            joint_errors(*(x[whole][:, LIMBS][finite] for x in (without, world))).mean()
            for pair in itertools.combinations(others, 2)
            for without in [self.reference(self.cameras, pair)]
            for finite in [np.isfinite(without[whole][:, LIMBS]).all((1, 2))]
        ]
        return {
            "view": view,
            "frames": int(whole.sum()),
            "p_mpjpe_limbs_mm": f"{aligned.mean():.1f}",
            "bone_scaled_mpjpe_mm": f"{direct.mean():.1f}",
            "reference_residual_px": f"{self.reprojection(world, self.cameras, others):.1f}",
            "reference_change_one_view_less_mm": f"{np.mean(moved):.1f}",
        }


def limb_length(joints: Array) -> Array:
    """Total length of the limb bones of each frame, (T,)."""
    parents, children = np.transpose(LIMB_BONES)
    return np.asarray(np.linalg.norm(joints[:, children] - joints[:, parents], axis=-1).sum(-1))


def main() -> None:
    """Runs the benchmark and writes its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("media", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("results/real_video.csv"))
    arguments = parser.parse_args()
    recording = Recording(arguments.media)
    lifter = ampose.Lifter()
    rows = [recording.score(view, lifter) for view in VIEWS]
    for row in rows:
        print(row)
    notes = {
        "what": "lifted view against the triangulation of the other three; 12 limb joints; mm",
        "widths": f"{recording.choice} (four-view residual {recording.residual:.2f} px)",
        **lifter.provenance,
        **circumstances(),
    }
    write_table(arguments.out, rows, notes)


if __name__ == "__main__":
    main()
