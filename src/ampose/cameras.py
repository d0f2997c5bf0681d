"""Cameras: axes and units, projection and its inverse, and every normalisation of 2D input.

Axes and units, stated here for the whole package:

* Image: pixels, x right, y down, (0, 0) the corner of the top-left pixel. Sizes are (width,
  height).
* Camera: x right, y down, z forward, metres.
* World: metres; `Camera.rotation` and `Camera.translation` take world points to camera axes,
  ``camera = rotation @ world + translation``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import rotate, rotation_to_forward

Array = NDArray[np.floating]

DEFAULT_FOV_DEGREES = 60.0
"""Field of view along the longer image side, assumed where nothing is known: a filming phone's."""

MIN_VISIBLE_JOINTS = 6
"""A person with fewer seen joints than this is not lifted."""

USUAL_SCALE = 1.5
"""Minus the logarithm of half a person's size over their distance, at about four metres."""

TO_Y_UP = np.array([1.0, -1.0, -1.0])
"""Multiplies points in camera axes to give them y up and z towards the viewer."""

_MAX_TANGENT = 5.0
"""Rays further than this from the virtual camera's axis (79 degrees) are treated as not seen."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera with Brown's lens distortion.

    Attributes:
        size: (width, height) in pixels.
        focal: (fx, fy) in pixels.
        centre: (cx, cy), the principal point in pixels.
        distortion: (k1, k2, p1, p2, k3), radial and tangential, in OpenCV's order.
        rotation: (3, 3), world to camera.
        translation: (3,) metres, world to camera.
        source: where the focal length comes from: ``"given"``, ``"exif"`` or ``"assumed"``.
    """

    size: tuple[int, int]
    focal: tuple[float, float]
    centre: tuple[float, float]
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    rotation: Array = field(default_factory=lambda: np.eye(3))
    translation: Array = field(default_factory=lambda: np.zeros(3))
    source: str = "given"

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise ValueError(f"image size must be at least 1 x 1 pixel, got {self.size}")
        if not (np.isfinite(self.focal).all() and min(self.focal) > 0):
            raise ValueError(f"focal length must be positive pixels, got {self.focal}")

    @classmethod
    def from_fov(cls, size: tuple[int, int], degrees: float, *, source: str = "given") -> Camera:
        """A camera from its **horizontal** field of view, principal point in the middle."""
        if not 1 <= degrees <= 170:
            raise ValueError(f"field of view must be 1 to 170 degrees, got {degrees:g}")
        focal = size[0] / 2 / np.tan(np.radians(degrees) / 2)
        return cls.from_focal(size, float(focal), source=source)

    @classmethod
    def from_focal(cls, size: tuple[int, int], focal: float, *, source: str = "given") -> Camera:
        """A camera from one focal length in pixels, principal point in the middle."""
        return cls(size, (focal, focal), (size[0] / 2, size[1] / 2), source=source)

    @classmethod
    def assumed(cls, size: tuple[int, int]) -> Camera:
        """The stated default: `DEFAULT_FOV_DEGREES` along the longer image side."""
        focal = max(size) / 2 / np.tan(np.radians(DEFAULT_FOV_DEGREES) / 2)
        return cls.from_focal(size, float(focal), source="assumed")

    @property
    def fov(self) -> tuple[float, float]:
        """Horizontal and vertical field of view in degrees."""
        angles = [2 * np.arctan(s / 2 / f) for s, f in zip(self.size, self.focal, strict=True)]
        return float(np.degrees(angles[0])), float(np.degrees(angles[1]))

    def resized(self, size: tuple[int, int]) -> Camera:
        """The same camera for an image scaled to `size`."""
        sx, sy = size[0] / self.size[0], size[1] / self.size[1]
        return replace(
            self,
            size=size,
            focal=(self.focal[0] * sx, self.focal[1] * sy),
            centre=(self.centre[0] * sx, self.centre[1] * sy),
        )

    def to_camera(self, world: Array) -> Array:
        """World points (..., 3) to camera axes."""
        return world @ self.rotation.T + self.translation

    def project(self, points: Array) -> Array:
        """Points (..., 3) in camera axes, metres, to pixels (..., 2); NaN where z <= 0."""
        z = np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
        return self._distort(points[..., :2] / z) * self.focal + self.centre

    def rays(self, pixels: Array) -> Array:
        """Pixels (..., 2) to viewing rays (..., 3) with z = 1, lens distortion removed.

        The inverse of `project` for a known depth: ``project(rays(xy) * z) == xy`` for any z > 0.
        NaN where the lens model does not reach a pixel.
        """
        xy = (pixels - np.asarray(self.centre)) / np.asarray(self.focal)
        if any(self.distortion):
            xy = self._undistort(xy)
        return np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)

    def _undistort(self, wanted: Array) -> Array:
        """Newton's method on Brown's model; NaN where the model has no preimage."""
        k1, k2, p1, p2, k3 = self.distortion
        xy = wanted
        with np.errstate(all="ignore"):
            for _ in range(20):
                x, y = xy[..., 0], xy[..., 1]
                r2 = x * x + y * y
                radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
                slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
                xx = radial + x * x * slope + 2 * p1 * y + 6 * p2 * x
                xy_ = x * y * slope + 2 * p1 * x + 2 * p2 * y
                yy = radial + y * y * slope + 6 * p1 * y + 2 * p2 * x
                determinant = xx * yy - xy_ * xy_
                dx, dy = np.moveaxis(wanted - self._distort(xy), -1, 0)
                step = np.stack([yy * dx - xy_ * dy, xx * dy - xy_ * dx], axis=-1)
                step /= determinant[..., None]
                xy = xy + step
                if not (np.abs(step) > 1e-15).any():
                    break
            miss = np.abs(self._distort(xy) - wanted).max(-1)
            found = (miss < 1e-9) & (determinant > 0) & (xx > 0)
        return np.where(found[..., None], xy, np.nan)

    def _distort(self, xy: Array) -> Array:
        k1, k2, p1, p2, k3 = self.distortion
        if not any(self.distortion):
            return xy
        x, y = xy[..., 0], xy[..., 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        return np.stack(
            [
                x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
                y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
            ],
            axis=-1,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "size": list(self.size),
            "focal": list(self.focal),
            "centre": list(self.centre),
            "distortion": list(self.distortion),
            "rotation": self.rotation.tolist(),
            "translation": self.translation.tolist(),
            "source": self.source,
        }


def normalise_screen(pixels: Array, size: tuple[int, int]) -> Array:
    """Human3.6M screen coordinates: x to [-1, 1], y by the same factor. (..., 2) to (..., 2).

    ``x' = 2 x / w - 1``, ``y' = 2 y / w - h / w`` (Pavllo et al., CVPR 2019). The input of the
    thesis model; a lifter in these coordinates is tied to the field of view it was trained with.
    """
    width, height = size
    kind = np.result_type(pixels, np.float32)
    return np.asarray(pixels * kind.type(2 / width) - np.array([1, height / width], kind))


def look_at_person(
    rays: Array, *, view: int | None = None, channels: int = 3
) -> tuple[Array, Array]:
    """2D keypoints as a virtual camera that looks straight at the person sees them.

    The camera is turned about its centre, by the smallest rotation, until its axis passes through
    the middle of the person's box; the keypoints are re-projected and scaled by half the larger
    side of their new box. The lifter's answer is in these axes; `rotation` takes it back to the
    real camera's: ``rotate(answer, swapaxes(rotation, -1, -2))``. So, wherever in the picture the
    person stands, the answer depends on the ray to them only through perspective.

    Args:
        rays: (..., J, 3), `Camera.rays` of the keypoints; NaN for a joint that was not seen.
        view: for windows, `rays` (..., T, J, 3): the frame whose box decides turn and scale for
            all T, so that motion within a window is kept. Without it every frame has its own.
        channels: 3, or 4 to add how large the person appears, which shows how strong perspective
            is: without it, distances of two and of eight metres look the same.

    Returns:
        inputs: (..., J, channels) float32: x and y, about -1 to 1, 1 where the joint was seen, and
            the natural logarithm of the scale, half the larger side of the box at distance 1,
            plus 1.5, so that usual distances are about 0. A joint that was not seen is all zeros.
            A person with fewer than `MIN_VISIBLE_JOINTS` joints, or with no extent, is all zeros;
            so is a window whose `view` is such.
        rotation: (..., 3, 3), real camera axes to virtual camera axes; of windows one for each.
    """
    if view is None:
        inputs, rotation = look_at_person(rays[..., None, :, :], view=0, channels=channels)
        return inputs[..., 0, :, :], rotation
    seen = np.asarray(np.isfinite(rays).all(-1))
    turned = np.where(seen[..., None], rays, 1)
    rotation = np.broadcast_to(np.eye(3), (*rays.shape[:-3], 3, 3))
    # Twice: the middle of a box on an oblique image plane is not the middle in the new view.
    for _ in range(2):
        low, high = _box(turned[..., view, :, :], seen[..., view, :])
        middle = (low + high) / 2
        middle[..., 2] = 1  # also where nobody was seen
        step = rotation_to_forward(middle)
        rotation, turned = step @ rotation, rotate(turned, step[..., None, :, :])
        depth = turned[..., 2:]
        aside = np.sqrt(turned[..., 0] ** 2 + turned[..., 1] ** 2)
        seen &= depth[..., 0] * _MAX_TANGENT > aside
        turned = turned / np.where(seen[..., None], depth, 1)
    low, high = _box(turned[..., view, :, :2], seen[..., view, :])
    side = (high - low).max(-1)
    enough = seen.sum(-1) >= MIN_VISIBLE_JOINTS
    usable = enough[..., view] & (side > 0)
    seen &= (enough & usable[..., None])[..., None]
    scale = np.where(usable, side / 2, 1)[..., None, None]
    scaled = turned[..., :2] / scale[..., None]
    parts = [np.where(seen[..., None], scaled, 0), seen[..., None]]
    if channels > 3:
        parts.append(np.where(seen, np.log(scale) + USUAL_SCALE, 0)[..., None])
    return np.concatenate(parts, axis=-1).astype(np.float32), rotation


def _box(points: Array, seen: NDArray[np.bool_]) -> tuple[Array, Array]:
    low = np.where(seen[..., None], points, np.inf).min(-2)
    high = np.where(seen[..., None], points, -np.inf).max(-2)
    nobody = ~seen.any(-1)
    low[nobody] = high[nobody] = 0
    return low, high
