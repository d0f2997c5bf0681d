"""A rectangle cut out of an image, possibly turned, and the way between the two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.floating]
RGBImage = NDArray[np.uint8]

_UNIT_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


@dataclass(frozen=True)
class Crop:
    """A rectangle in an image.

    Crop coordinates run from (0, 0), its top-left corner, to (1, 1), its bottom-right corner.
    Image coordinates are pixels, (0, 0) the corner of the top-left pixel.

    Attributes:
        centre: (x, y) in image pixels.
        size: (width, height) in image pixels.
        angle: radians by which it is turned in the image, clockwise to the eye.
    """

    centre: tuple[float, float]
    size: tuple[float, float]
    angle: float = 0.0

    def __post_init__(self) -> None:
        if not min(self.size) > 0:
            raise ValueError(f"a crop needs a positive width and height, got {self.size}")

    @classmethod
    def around(
        cls, points: Array, *, aspect: float = 1.0, scale: float = 1.0, angle: float = 0.0
    ) -> Crop:
        """The smallest crop of that angle and aspect around finite points, then enlarged.

        Args:
            points: (N, 2) image pixels, N at least 1.
            aspect: width / height.
            scale: factor by which the smallest crop is enlarged. It is at least a pixel high.
            angle: see `Crop`.
        """
        axes = _axes(angle)
        turned = points.astype(np.float64) @ axes.T
        low, high = turned.min(0), turned.max(0)
        x, y = (low + high) / 2 @ axes
        width, height = high - low
        height = scale * max(height, width / aspect, 1.0)
        return cls((float(x), float(y)), (float(height * aspect), float(height)), angle)

    @classmethod
    def letterbox(cls, image_size: tuple[int, int], size: tuple[int, int]) -> Crop:
        """The whole image in the middle of the smallest crop with the aspect of `size`."""
        corners = _UNIT_CORNERS * image_size
        return cls.around(corners, aspect=size[0] / size[1])

    def to_image(self, points: Array) -> Array:
        """Crop coordinates (..., 2) to image pixels (..., 2)."""
        return np.asarray(self.centre + (points - 0.5) * self.size @ _axes(self.angle))

    def to_crop(self, points: Array) -> Array:
        """Image pixels (..., 2) to crop coordinates (..., 2)."""
        return np.asarray((points - self.centre) @ _axes(self.angle).T / self.size + 0.5)

    def cut(self, image: RGBImage, size: tuple[int, int]) -> RGBImage:
        """The crop of an image (H, W, 3) as (height, width, 3) pixels; black outside the image."""
        width, height = size
        # Averaging whole pixels first keeps bilinear sampling from skipping any.
        factor = max(1, int(min(self.size[0] / width, self.size[1] / height)))
        corners = self.to_image(_UNIT_CORNERS)
        limit = image.shape[1::-1]
        # The margin keeps what is next to the edge of the patch from bleeding into the crop.
        left, top = np.clip(corners.min(0) - factor, 0, limit).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(0)) + factor, 0, limit).astype(int)
        if left >= right or top >= bottom:
            return np.zeros((height, width, 3), np.uint8)
        patch = Image.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
        if factor > 1:
            patch = patch.reduce(factor)
        # Pillow wants the affine map from output to input, both measured from the corner.
        start, x_end, y_end = (self.to_image(_UNIT_CORNERS[:3]) - (left, top)) / factor
        (a, d), (b, e) = (x_end - start) / width, (y_end - start) / height
        matrix = (a, b, start[0], d, e, start[1])
        cut = patch.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
        return np.asarray(cut)


def _axes(angle: float) -> Array:
    """(2, 2), the crop's right and its down as rows, in image axes."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, sin], [-sin, cos]])
