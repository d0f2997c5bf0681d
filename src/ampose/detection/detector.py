"""The detector: people found in a picture, each refined on a crop of their own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import MIN_VISIBLE_JOINTS
from ampose.detection.crops import Crop, RGBImage
from ampose.detection.custom import load_refiner
from ampose.detection.movenet import Finder, MoveNetRefiner
from ampose.detection.similarity import distinct, prominence
from ampose.errors import InputError
from ampose.files import sha256_of
from ampose.flow import At, untimed
from ampose.onnx_models import open_session
from ampose.poses import Pose2D
from ampose.skeletons import COCO_17, Skeleton, get_skeleton

Array = NDArray[np.floating]

MIN_SCORE = 0.2
"""Joints with a lower score than this count as not seen."""

MIN_FOLLOW_SCORE = 0.3
"""A followed person whose seen joints have a lower mean score than this is given up."""

OUTSIDE_MARGIN = 0.02
"""How far outside the image a joint still counts as seen, as a share of its longer side."""

COLLAPSED_OKS = 0.8
"""Two refined poses more alike than this are one person."""

_MAX_LEAN = math.radians(45)
_WEIGHTS = Path(__file__).parent / "weights"
_FINDER = _WEIGHTS / "movenet_multipose_lightning.onnx"
_THUNDER = _WEIGHTS / "movenet_thunder.onnx"


class PoseDetector(Protocol):
    """Anything that finds 2D poses in pictures and follows one from a picture to the next."""

    @property
    def skeleton(self) -> Skeleton:
        """Names the joints of every pose it gives."""

    @property
    def provenance(self) -> dict[str, str]:
        """Names and SHA-256 of the weights."""

    def detect(self, image: RGBImage) -> list[Pose2D]:
        """Everybody in a frame (H, W, 3) uint8 RGB, the most prominent (score x area) first."""

    def follow(self, image: RGBImage, previous: Pose2D) -> Pose2D | None:
        """The person of `previous`, looked for where they were; None if too little is sure."""


class Refiner(Protocol):
    """A model that gives the joints of the one person a crop shows."""

    skeleton: Skeleton
    size: tuple[int, int]
    scale: float

    def refine(self, crop: RGBImage) -> tuple[Array, Array]:
        """Keypoints (J, 2) in crop coordinates, 0 to 1, and scores (J,) of one cut-out crop."""


def load_detector(
    path: Path | None = None,
    *,
    skeleton: str | None = None,
    threads: int | None = None,
    min_score: float = MIN_SCORE,
    at: At = untimed,
) -> PoseDetector:
    """MoveNet MultiPose to find people, and Thunder or a model of the user's to refine them.

    Args:
        path: an ONNX file to refine with, in the layout of RTMPose or of MoveNet's single-pose
            models (see `ampose.detection.custom`); None for MoveNet Thunder, ``coco_17``.
        skeleton: name of the joint set of that file; None takes its metadata entry ``skeleton``.
        threads: threads per model; None for one per physical core.
        min_score: joints that score lower count as not seen.
        at: surrounds the stages ``find``, of a frame, and ``refine``, of a person.

    Raises:
        InputError: the file, its joint set, `threads` or `min_score` cannot be used.
    """
    if not 0 <= min_score <= 1:
        raise InputError(f"min_score must be 0 to 1, got {min_score:g}")
    refiner: Refiner
    if path is not None:
        refiner = load_refiner(path, skeleton=skeleton, threads=threads)
    elif skeleton is None or _is_coco(skeleton):
        refiner = MoveNetRefiner(open_session(_THUNDER, threads), COCO_17)
    else:
        raise InputError(
            f"the built-in detector gives coco_17, not {skeleton}; name a joint set only with a "
            "model file of your own"
        )
    refiner_path = path or _THUNDER
    provenance = {
        "finder": _FINDER.name,
        "finder_sha256": sha256_of(_FINDER),
        "refiner": refiner_path.name,
        "refiner_sha256": sha256_of(refiner_path),
    }
    finder = Finder(open_session(_FINDER, threads))
    return TopDownDetector(finder, refiner, provenance, min_score, at)


class TopDownDetector:
    """A finder for the people and a refiner for the joints; see `PoseDetector`.

    Args:
        finder: finds people roughly.
        refiner: gives the joints of one person.
        provenance: names and SHA-256 of the weights.
        min_score: joints that score lower count as not seen.
        at: see `load_detector`.
    """

    def __init__(
        self,
        finder: Finder,
        refiner: Refiner,
        provenance: dict[str, str],
        min_score: float,
        at: At = untimed,
    ) -> None:
        self.skeleton = refiner.skeleton
        self.provenance = provenance
        self._finder = finder
        self._refiner = refiner
        self._min_score = min_score
        self._at = at

    def detect(self, image: RGBImage) -> list[Pose2D]:
        """Everybody in a frame (H, W, 3) uint8 RGB, the most prominent first.

        A person with fewer than `MIN_VISIBLE_JOINTS` seen joints is left out.

        Raises:
            ValueError: not such a frame.
        """
        _check_frame(image)
        with self._at("find"):
            found = self._finder.find(image)
        refined = (self._refine(image, rough) for rough in found)
        people = sorted((pose for pose in refined if pose), key=prominence, reverse=True)
        return distinct(people, COLLAPSED_OKS)

    def follow(self, image: RGBImage, previous: Pose2D) -> Pose2D | None:
        """The person of `previous` in the next frame; None where too little of them is sure.

        Raises:
            ValueError: not a frame (H, W, 3) uint8 RGB.
        """
        _check_frame(image)
        pose = self._refine(image, previous)
        if pose is None or pose.scores[pose.seen].mean() < MIN_FOLLOW_SCORE:
            return None
        return pose

    def _refine(self, image: RGBImage, rough: Pose2D) -> Pose2D | None:
        with self._at("refine"):
            return self._looked_at(image, rough)

    def _looked_at(self, image: RGBImage, rough: Pose2D) -> Pose2D | None:
        width, height = self._refiner.size
        crop = person_crop(rough, aspect=width / height, scale=self._refiner.scale)
        inside, scores = self._refiner.refine(crop.cut(image, (width, height)))
        keypoints = crop.to_image(inside)
        limit = np.array(image.shape[1::-1])
        margin = OUTSIDE_MARGIN * limit.max()
        within = ((keypoints >= -margin) & (keypoints <= limit + margin)).all(-1)
        seen = within & (scores >= self._min_score)
        if seen.sum() < MIN_VISIBLE_JOINTS:
            return None
        box = np.concatenate([keypoints[seen].min(0), keypoints[seen].max(0)])
        return Pose2D(
            np.where(seen[:, None], keypoints, np.nan).astype(np.float32),
            np.where(seen, scores, 0).astype(np.float32),
            box.astype(np.float32),
            self.skeleton,
        )


def person_crop(pose: Pose2D, *, aspect: float, scale: float) -> Crop:
    """Where to look for a person: around the box and the seen joints, enlarged by `scale`.

    Where the torso leans more than 45 degrees the crop is turned until the torso is upright, and
    goes around the joints alone: the corners of the box would only make it larger.
    """
    joints = pose.keypoints[pose.seen]
    angle = _lean(pose)
    if abs(angle) > _MAX_LEAN:
        return Crop.around(joints, aspect=aspect, scale=scale, angle=angle)
    points = np.concatenate([joints, pose.box.reshape(2, 2)])
    return Crop.around(points, aspect=aspect, scale=scale)


def _lean(pose: Pose2D) -> float:
    """Radians from upright to the torso, clockwise to the eye; 0 where the torso is not seen."""
    names = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
    torso = pose.keypoints[pose.skeleton.indices(names)]
    x, y = torso[2:].mean(0) - torso[:2].mean(0)
    return math.atan2(x, -y) if np.isfinite([x, y]).all() else 0.0


def _is_coco(name: str) -> bool:
    try:
        return get_skeleton(name) == COCO_17
    except ValueError:
        return False


def _check_frame(image: RGBImage) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(
            f"a frame is uint8 RGB (height, width, 3), got {image.dtype} {image.shape}"
        )
