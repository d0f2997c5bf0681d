"""RTMPose and its kin: top-down models that classify each coordinate (SimCC)."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ampose.detection.crops import RGBImage
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_STD = np.array([58.395, 57.12, 57.375], np.float32)


class SimCCRefiner:
    """A top-down model with RTMPose's calling convention.

    Input (1, 3, H, W) float32 RGB less ImageNet's mean, over its standard deviation; outputs
    ``simcc_x`` (1, J, r W) and ``simcc_y`` (1, J, r H): a score for each of r bins per pixel.

    Attributes:
        skeleton: names the J joints.
        size: (W, H), the crop it wants.
        scale: how much larger than the person the crop should be.
    """

    scale = 1.25

    def __init__(self, session: ort.InferenceSession, skeleton: Skeleton) -> None:
        model_input = session.get_inputs()[0]
        self.skeleton = skeleton
        self.size = (model_input.shape[3], model_input.shape[2])
        self._session = session
        self._input = model_input.name
        self._outputs = output_names(session)

    def refine(self, crop: RGBImage) -> tuple[Array, Array]:
        """Keypoints (J, 2) in crop coordinates, 0 to 1, and scores (J,) of one cut-out crop."""
        pixels = (crop.astype(np.float32) - _MEAN) / _STD
        outputs = self._session.run(self._outputs, {self._input: pixels.transpose(2, 0, 1)[None]})
        simcc = [output[0] for output in outputs]
        bins = np.stack([axis.argmax(-1) for axis in simcc], axis=-1)
        scores = np.min([axis.max(-1) for axis in simcc], axis=0).clip(0, 1)
        bin_count = np.array([axis.shape[-1] for axis in simcc])
        # These models are trained with (0, 0) in the middle of the first pixel, not at its corner.
        return bins / bin_count + 0.5 / np.array(self.size), scores


def output_names(session: ort.InferenceSession) -> list[str]:
    """The two outputs, x first: by name where they are named as usual, else in file order."""
    names = [output.name for output in session.get_outputs()]
    return sorted(names) if set(names) == {"simcc_x", "simcc_y"} else names
