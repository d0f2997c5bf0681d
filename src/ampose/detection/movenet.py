"""Google's MoveNet: MultiPose finds people, a single-pose model refines each."""

from __future__ import annotations

import math

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ampose.detection.crops import Crop, RGBImage
from ampose.detection.similarity import distinct
from ampose.poses import Pose2D
from ampose.skeletons import COCO_17, Skeleton

Array = NDArray[np.floating]

FIND_SCORE = 0.2
"""People whose MultiPose score is not above this are dropped."""

ROUGH_JOINT_SCORE = 0.15
"""Joints with a lower MultiPose score than this are not used to choose the crop."""

_SAME_PERSON_OKS = 0.5
_LONGER_SIDE = 256
_MULTIPLE = 32
INPUT_TYPES = {"tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(float)": np.float32}
"""ONNX input types that MoveNet files come with."""


class Finder:
    """Finds up to six people with MoveNet MultiPose, roughly."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def find(self, image: RGBImage) -> list[Pose2D]:
        """Rough ``coco_17`` poses with the model's own boxes, best score first."""
        height, width = image.shape[:2]
        size = letterbox_size((width, height))
        crop = Crop.letterbox((width, height), size)
        (output,) = self._session.run(None, {self._input: crop.cut(image, size)[None]})
        rows = output[0]
        order = np.argsort(-rows[:, 55], kind="stable")
        found = [_rough_pose(row, crop) for row in rows[order] if row[55] > FIND_SCORE]
        return distinct(found, _SAME_PERSON_OKS)


def letterbox_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """The input (width, height) for an image: 256 on the longer side, multiples of 32."""
    scale = _LONGER_SIDE / max(image_size)
    width, height = (math.ceil(side * scale / _MULTIPLE) * _MULTIPLE for side in image_size)
    return width, height


def _rough_pose(row: Array, crop: Crop) -> Pose2D:
    joints = row[:51].reshape(17, 3)
    keypoints = crop.to_image(joints[:, 1::-1])
    seen = joints[:, 2] >= ROUGH_JOINT_SCORE
    keypoints[~seen] = np.nan
    top, left, bottom, right = row[51:55]
    box = crop.to_image(np.array([[left, top], [right, bottom]]))
    return Pose2D(
        keypoints.astype(np.float32),
        np.where(seen, joints[:, 2], 0).astype(np.float32),
        box.reshape(4).astype(np.float32),
        COCO_17,
    )


class MoveNetRefiner:
    """A single-pose model with MoveNet's calling convention, such as MoveNet Thunder.

    Input (1, S, S, 3) int32, uint8 or float32 RGB 0..255; output (1, 1, J, 3): y, x, score.

    Attributes:
        skeleton: names the J joints.
        size: (S, S), the crop it wants.
        scale: how much larger than the person the crop should be.
    """

    scale = 1.2

    def __init__(self, session: ort.InferenceSession, skeleton: Skeleton) -> None:
        model_input = session.get_inputs()[0]
        self.skeleton = skeleton
        self.size = (model_input.shape[2], model_input.shape[1])
        self._session = session
        self._input = model_input.name
        self._dtype = INPUT_TYPES[model_input.type]

    def refine(self, crop: RGBImage) -> tuple[Array, Array]:
        """Keypoints (J, 2) in crop coordinates, 0 to 1, and scores (J,) of one cut-out crop."""
        (output,) = self._session.run(None, {self._input: crop[None].astype(self._dtype)})
        joints = output[0, 0]
        return joints[:, 1::-1], joints[:, 2].clip(0, 1)
