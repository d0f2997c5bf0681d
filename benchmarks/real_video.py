"""Scores lifters on real video, against triangulation by the other cameras.

    python benchmarks/real_video.py MEDIA [--weights FILE.onnx ...] [-o results/real_video.csv]

MEDIA holds ``cam01.mp4`` to ``cam04.mp4`` and ``Calib.qca.txt`` of Pose2Sim's single-person demo
(four synchronised cameras, 100 frames). For each view the other three views' 2D detections are
triangulated, the view itself is lifted from its own detections with its true focal length, and
the two are compared. Nothing was tuned on these clips. One detection serves all lifters: those
named with ``--weights``, or else all that ship with the package.

* 2D: the built-in detector, mapped to Human3.6M's joints (hybrid) in every view, so that both
  sides use one definition of the hips.
* Joints: the 12 of the limbs, shoulders to wrists and hips to ankles.
* P-MPJPE: after rotation, translation and scale per frame. Bone-scaled MPJPE: the lifted pose
  scaled so that its limb bones are as long in total as the reference's, both relative to the
  middle of the hips, in camera axes, not rotated.
* Spread of the reference: mean reprojection residual of the three views, and how far a joint
  moves when one of the three is left out, as it is and after alignment like P-MPJPE's.

* In motion: both errors of the whole way of ``ampose run``, with all repairs along time, about the
  same detections and camera, nobody's height being told.

Four columns look for the reasons of an error of single frames:

* 2D projected from the reference: P-MPJPE of lifting where the reference is seen in this view,
  instead of the detections. What is left is the lifter's, not the detector's.
* Upright: P-MPJPE of lifting the detections as a camera without this one's roll would see them.
* Depth flips: how many of the eight limb bones lean towards the camera while the reference's lean
  away, or the other way round, both by `LEAN_DEGREES` or more.
* Detections off: from the projected reference, of its larger side, without the shift that all 12
  joints of a frame share, which moves a person and does not change the pose.

The calibration is for 1088 pixels of width; cam01 and cam02 are 1080 wide. Whether they were
cropped or scaled is settled by the residual of triangulating all four views.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import ampose
from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.geometry import rotate, rotation_about
from ampose.lifting.network import DEFAULT_WEIGHTS
from ampose.metrics import aligned_joint_errors, joint_errors
from ampose.motion.cleaning import motion_of
from ampose.motion.tracks import Tracks
from ampose.poses import PoseSequence
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
LEAN_DEGREES = 15
"""Out of the plane across the ray to the hips; a bone that leans less is no depth flip."""
MEAN = "mean"
"""In the column of the views: the mean over them."""


def read_calibration(path: Path) -> dict[str, Camera]:
    """Cameras of a Qualisys file for the calibrated width; rotation and translation in metres."""
    try:
        elements = ET.parse(path).getroot().iter("camera")
    except (OSError, ET.ParseError) as error:
        raise InputError(f"{path} is no Qualisys calibration that can be read: {error}") from None
    cameras = {}
    for element in elements:
        inner, pose = element.find("intrinsic"), element.find("transform")
        if inner is None or pose is None:
            raise InputError(f"{path}: a camera without intrinsics or pose")
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


def roll_degrees(camera: Camera) -> float:
    """How far the world's z axis, up, leans to the right in the picture."""
    right, down, _ = camera.rotation[:, 2]
    return float(np.degrees(np.arctan2(right, -down)))


def lift(lifter: ampose.Lifter, xy: Array, scores: Array, camera: Camera) -> Array:
    """(T, 17, 3) metres, camera axes, float64."""
    lifted = lifter.lift(xy, image_size=camera.size, scores=scores, camera=camera)
    return lifted.joints[:, 0].astype(float)


def sequence_in_motion(
    lifter: ampose.Lifter, xy: Array, scores: Array, camera: Camera, times: Array
) -> PoseSequence:
    """What `ampose.motion` makes of a whole clip of one person."""
    tracks = Tracks(xy[:, None], scores[:, None], np.zeros(1, int), times, H36M_17, camera)
    return motion_of(tracks, lifter)


def in_motion(
    lifter: ampose.Lifter, xy: Array, scores: Array, camera: Camera, times: Array
) -> Array:
    """Its joints (T, 17, 3), metres, camera axes, float64."""
    return sequence_in_motion(lifter, xy, scores, camera, times).joints[:, 0].astype(float)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A view lifted, and the same poses from the other views.

    Attributes:
        frames: (T,) numbers of the frames in which both have all limbs.
        lifted: (T, 17, 3) metres, camera axes.
        reference: (T, 17, 3) metres, camera axes; NaN at joints off the limbs that are unknown.
    """

    frames: Array
    lifted: Array
    reference: Array

    @cached_property
    def aligned_errors(self) -> Array:
        """(T, 12) millimetres, each pose aligned by rotation, translation and scale."""
        return aligned_joint_errors(self.lifted[:, LIMBS], self.reference[:, LIMBS])

    @cached_property
    def superposed(self) -> tuple[Array, Array]:
        """Lifted, scaled by its bones, and reference, both about the middle of the hips."""
        scale = limb_length(self.reference) / limb_length(self.lifted)
        lifted, reference = (
            joints - joints[:, HIPS].mean(1, keepdims=True)
            for joints in (self.lifted, self.reference)
        )
        return scale[:, None, None] * lifted, reference

    @cached_property
    def bone_scaled_errors(self) -> Array:
        """(T, 12) millimetres, `superposed`."""
        lifted, reference = self.superposed
        return joint_errors(lifted[:, LIMBS], reference[:, LIMBS])

    @cached_property
    def depth_flips(self) -> Array:
        """(T, 8) whether a bone of `LIMB_BONES` leans to the wrong side of the picture plane."""
        away = self.reference[:, HIPS].mean(1)
        away /= np.linalg.norm(away, axis=-1, keepdims=True)
        parents, children = np.transpose(LIMB_BONES)
        leans = []
        for joints in (self.lifted, self.reference):
            bones = joints[:, children] - joints[:, parents]
            bones /= np.linalg.norm(bones, axis=-1, keepdims=True)
            leans.append(np.degrees(np.arcsin((bones * away[:, None]).sum(-1))))
        flipped = (np.sign(leans[0]) != np.sign(leans[1])) & (np.abs(leans) >= LEAN_DEGREES).all(0)
        return np.asarray(flipped)


class Recording:
    """Detections of all views, and the cameras they fit best.

    Args:
        keypoints: of each view, (T, 17, 2) pixels, Human3.6M joints; NaN where not seen.
        scores: of each view, (T, 17).
        widths: of the views' pictures, pixels.
        calibrated: cameras of the calibration.
        times: (T,) seconds, of all views.
    """

    def __init__(
        self,
        keypoints: dict[str, Array],
        scores: dict[str, Array],
        widths: dict[str, int],
        calibrated: dict[str, Camera],
        times: Array,
    ) -> None:
        self.keypoints, self.scores, self.times = keypoints, scores, times
        options = [width_options(calibrated[view], widths[view]) for view in VIEWS]
        self.cameras: dict[str, Camera] = {}
        self.choice, self.residual = "", np.inf
        for names in itertools.product(*options):
            cameras = {v: o[n] for v, o, n in zip(VIEWS, options, names, strict=True)}
            residual = self.reprojection(self.reference(cameras, VIEWS), cameras, VIEWS)
            print(f"  {', '.join(names)}: {residual:.2f} px")
            if residual < self.residual:
                self.cameras, self.residual = cameras, residual
                self.choice = ", ".join(names)

    @classmethod
    def detected(cls, media: Path) -> Recording:
        """Finds the person in the four clips of a folder; about a minute."""
        calibrated = read_calibration(media / "Calib.qca.txt")
        keypoints, scores, widths = {}, {}, {}
        for view in VIEWS:
            result = ampose.run(media / f"{view}.mp4", options=ampose.Options(frame_by_frame=True))
            main = int(result.scores.sum((0, 2)).argmax())
            keypoints[view], scores[view] = result.keypoints[:, main], result.scores[:, main]
            widths[view] = result.camera(0).size[0]
            print(f"{view}: {result.frame_count} frames, {result.person_count} person(s)")
        return cls(keypoints, scores, widths, calibrated, result.times)

    def reference(self, cameras: dict[str, Camera], views: tuple[str, ...]) -> Array:
        """World points (T, 17, 3) from some views."""
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

    def compare(self, view: str, lifter: ampose.Lifter) -> Comparison:
        """Lifts the detections of one view and triangulates those of the others."""
        camera = self.cameras[view]
        reference = camera.to_camera(self.reference(self.cameras, others(view)))
        lifted = lift(lifter, self.keypoints[view], self.scores[view], camera)
        both = np.concatenate([lifted[:, LIMBS], reference[:, LIMBS]], axis=1)
        frames = np.flatnonzero(np.isfinite(both).all((1, 2)))
        return Comparison(frames, lifted[frames], reference[frames])

    def score(self, view: str, lifter: ampose.Lifter) -> dict[str, float]:
        """The columns of one view but for the lifter's and the view's names, not rounded."""
        compared = self.compare(view, lifter)
        upright = lift(lifter, *self.upright(view))[compared.frames]
        exact = lift(lifter, *self.projected(view, compared))
        seen = self.keypoints[view], self.scores[view], self.cameras[view]
        moved = replace(compared, lifted=in_motion(lifter, *seen, self.times)[compared.frames])
        return {
            "frames": len(compared.frames),
            "p_mpjpe_limbs_mm": compared.aligned_errors.mean(),
            "bone_scaled_mpjpe_mm": compared.bone_scaled_errors.mean(),
            "p_mpjpe_in_motion_mm": moved.aligned_errors.mean(),
            "bone_scaled_in_motion_mm": moved.bone_scaled_errors.mean(),
            "p_mpjpe_2d_projected_from_reference_mm": replace(
                compared, lifted=exact
            ).aligned_errors.mean(),
            "p_mpjpe_upright_mm": replace(compared, lifted=upright).aligned_errors.mean(),
            "depth_flips_percent": 100 * compared.depth_flips.mean(),
            "detections_off_percent": 100 * self.detections_off(view, compared),
            **self.reference_spread(view, compared.frames),
        }

    def projected(self, view: str, compared: Comparison) -> tuple[Array, Array, Camera]:
        """What to lift to see the lifter's error alone: the reference's place in the picture."""
        xy = self.cameras[view].project(compared.reference)
        return xy, np.isfinite(xy).all(-1).astype(float), self.cameras[view]

    def upright(self, view: str) -> tuple[Array, Array, Camera]:
        """The detections as a pinhole camera without this camera's roll would see them."""
        camera = self.cameras[view]
        pinhole = Camera.from_focal(camera.size, camera.focal[0])
        turn = rotation_about(2, -np.radians(roll_degrees(camera)))
        rays = camera.rays(self.keypoints[view].astype(float))
        return pinhole.project(rotate(rays, turn)), self.scores[view], pinhole

    def detections_off(self, view: str, compared: Comparison) -> float:
        """Distance of detections from the projected reference, see the top of this file."""
        places = self.cameras[view].project(compared.reference)[:, LIMBS]
        off = self.keypoints[view][compared.frames][:, LIMBS] - places
        off = np.linalg.norm(off - np.nanmean(off, axis=1, keepdims=True), axis=-1)
        side = np.ptp(places, axis=1).max(-1, keepdims=True)
        return float(np.nanmean(off / side))

    def reference_spread(self, view: str, frames: Array) -> dict[str, float]:
        """How sure the triangulation by the other views is, in these frames."""
        three = others(view)
        world = self.reference(self.cameras, three)
        moved, reshaped = [], []
        for two in itertools.combinations(three, 2):
            poses = [
                points[frames][:, LIMBS] for points in (self.reference(self.cameras, two), world)
            ]
            finite = np.isfinite(poses[0]).all((1, 2))
            moved.append(joint_errors(poses[0][finite], poses[1][finite]).mean())
            reshaped.append(aligned_joint_errors(poses[0][finite], poses[1][finite]).mean())
        return {
            "reference_residual_px": self.reprojection(world, self.cameras, three),
            "reference_change_one_view_less_mm": float(np.mean(moved)),
            "reference_change_aligned_mm": float(np.mean(reshaped)),
        }


def others(view: str) -> tuple[str, ...]:
    """All views but one."""
    return tuple(other for other in VIEWS if other != view)


def limb_length(joints: Array) -> Array:
    """Total length of the limb bones of each frame, (T,)."""
    parents, children = np.transpose(LIMB_BONES)
    return np.asarray(np.linalg.norm(joints[:, children] - joints[:, parents], axis=-1).sum(-1))


def table(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, str]]:
    """Rows of the result file from scores by lifter and view; each lifter's end with its mean."""
    rows = []
    for lifter, by_view in scores.items():
        columns = next(iter(by_view.values()))
        mean = {name: np.mean([score[name] for score in by_view.values()]) for name in columns}
        for view, score in {**by_view, MEAN: mean}.items():
            numbers = {name: f"{score[name]:.1f}" for name in columns if name != "frames"}
            frames = f"{score['frames']:g}"
            rows.append({"lifter": lifter, "view": view, "frames": frames, **numbers})
    return rows


def name_of(lifter: ampose.Lifter) -> str:
    """The lifter's name, its file's without the ending."""
    return lifter.provenance["lifter"]


def weights_from(paths: Sequence[Path]) -> list[Path]:
    """These files; all lifters that ship with the package, the default first, if none.

    Raises:
        InputError: two have one name, which is the file's without the ending.
    """
    shipped = sorted(
        DEFAULT_WEIGHTS.parent.glob("*.onnx"), key=lambda p: (p != DEFAULT_WEIGHTS, p)
    )
    chosen = list(paths or shipped)
    names = [path.stem for path in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"several weights are named {name}; rename all but one")
    return chosen


def lifters_from(paths: Sequence[Path]) -> list[ampose.Lifter]:
    """The lifters of `weights_from`.

    Raises:
        InputError: a file cannot be used, or two have one name.
    """
    return [ampose.Lifter(path) for path in weights_from(paths)]


def arguments_of(description: str, out: Path) -> argparse.Namespace:
    """The command line of a benchmark on these clips: media, weights and out."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("media", type=Path)
    parser.add_argument("--weights", type=Path, action="append", default=[], metavar="FILE.onnx")
    parser.add_argument("-o", "--out", type=Path, default=out)
    return parser.parse_args()


def main() -> None:
    """Runs the benchmark and writes its table."""
    arguments = arguments_of(__doc__ or "", Path("results/real_video.csv"))
    lifters = lifters_from(arguments.weights)
    recording = Recording.detected(arguments.media)
    rows = table(
        {name_of(each): {view: recording.score(view, each) for view in VIEWS} for each in lifters}
    )
    for row in rows:
        print(row)
    rolls = (f"{view} {roll_degrees(recording.cameras[view]):.0f}" for view in VIEWS)
    notes = {
        "what": "lifted view against the triangulation of the other three; 12 limb joints; mm",
        "widths": f"{recording.choice} (four-view residual {recording.residual:.2f} px)",
        "camera roll": f"{', '.join(rolls)} degrees",
        "ampose": lifters[0].provenance["ampose"],
        **{f"sha256 of {name_of(each)}": each.provenance["lifter_sha256"] for each in lifters},
        "mapping": lifters[0].provenance["mapping"],
        **circumstances(),
    }
    write_table(arguments.out, rows, notes)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
