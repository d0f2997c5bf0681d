"""`Lifter`: 2D keypoints in, a `PoseSequence` out; frame by frame, no smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ampose._version import __version__
from ampose.cameras import Camera, look_at_person
from ampose.errors import InputError
from ampose.geometry import rotate, rotate_deviations
from ampose.lifting.network import load_network
from ampose.lifting.root import estimate_root
from ampose.lifting.sequence import lifted_sequence
from ampose.mapping import Mapping, to_h36m
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17, Skeleton, get_skeleton

Array = NDArray[np.floating]


@dataclass(frozen=True)
class LiftedPeople:
    """N people of one image in 3D; the fields mean what they mean in `PoseSequence`.

    Attributes:
        joints: (N, 17, 3); NaN for a person with too few joints to lift.
        root: (N, 3).
        sigma: (N, 17, 3); NaN where there are no joints, or from weights without it.
        keypoints: (N, 17, 2) pixels, Human3.6M joints.
        scores: (N, 17).
    """

    joints: Array
    root: Array
    sigma: Array
    keypoints: Array
    scores: Array


class Lifter:
    """Lifts 2D keypoints to 3D with ONNX weights; safe to use from several threads.

    Args:
        weights: an ONNX file exported by this package; the built-in weights if None.
        mapping: how other joint sets become Human3.6M's, see `ampose.mapping`.
        threads: how many may be busy at once; one per processor if None.

    Raises:
        InputError: the weights cannot be used.
    """

    def __init__(
        self,
        weights: Path | str | None = None,
        *,
        mapping: Mapping = "hybrid",
        threads: int | None = None,
    ) -> None:
        self._network = load_network(Path(weights) if weights else None, threads=threads)
        self._mapping: Mapping = mapping

    @property
    def mapping(self) -> Mapping:
        """How other joint sets become Human3.6M's."""
        return self._mapping

    @property
    def provenance(self) -> dict[str, str]:
        """Program version, weights and mapping, for the results' files."""
        return {
            "ampose": __version__,
            "lifter": self._network.name,
            "lifter_sha256": self._network.sha256,
            "mapping": self._mapping,
        }

    def lift(
        self,
        xy: ArrayLike,
        *,
        image_size: tuple[int, int],
        skeleton: str | Skeleton = "h36m_17",
        scores: ArrayLike | None = None,
        camera: Camera | Sequence[Camera] | None = None,
    ) -> PoseSequence:
        """Lifts N frames of keypoints.

        Args:
            xy: (N, J, 2), or (N, P, J, 2) for P people; pixels, x right, y down; NaN for a joint
                that was not seen. Points outside the image are allowed.
            image_size: (width, height) in pixels.
            skeleton: the joint set of `xy`, by name. Never guessed.
            scores: (N, J) or (N, P, J) confidence, 0 to 1; a joint with score 0 was not seen.
                All 1 if None.
            camera: one camera, or one per frame; an assumed field of view if None.

        Returns:
            Human3.6M's 17 joints, root-relative, metres, camera axes. A person with fewer than
            `ampose.cameras.MIN_VISIBLE_JOINTS` seen joints in a frame is not valid there. Times
            are the frame numbers.

        Raises:
            InputError: wrong shapes, infinite values, or an unknown skeleton.
        """
        named = get_skeleton(skeleton)
        points = _points(xy, named)
        confidence = _confidence(scores, points)
        cameras = _cameras(camera, image_size, len(points))
        # One camera for all lets all frames go through the network together.
        groups = np.split(points, len(cameras)), np.split(confidence, len(cameras))
        people = [
            self.lift_people(
                xy_group.reshape(-1, *points.shape[2:]),
                score_group.reshape(-1, points.shape[2]),
                named,
                one,
            )
            for xy_group, score_group, one in zip(*groups, cameras, strict=True)
        ]
        shape = points.shape[:2]
        joints, root, sigma, keypoints, seen_scores = (
            np.concatenate([getattr(p, key) for p in people]).reshape(*shape, *tail)
            for key, tail in (
                ("joints", (len(H36M_17), 3)),
                ("root", (3,)),
                ("sigma", (len(H36M_17), 3)),
                ("keypoints", (len(H36M_17), 2)),
                ("scores", (len(H36M_17),)),
            )
        )
        return lifted_sequence(
            joints=joints,
            root=root,
            sigma=sigma,
            keypoints=keypoints,
            scores=seen_scores,
            ids=np.arange(shape[1]),
            times=np.arange(shape[0], dtype=np.float64),
            cameras=cameras,
            provenance=self.provenance,
        )

    def lift_people(
        self, keypoints: Array, scores: Array, skeleton: Skeleton, camera: Camera
    ) -> LiftedPeople:
        """Lifts N people seen by one camera: (N, J, 2) and (N, J), checked by the caller."""
        points, confidence = to_h36m(keypoints, scores, skeleton, mapping=self._mapping)
        rays = camera.rays(points.astype(np.float64))
        inputs, rotation = look_at_person(rays, channels=self._network.channels)
        back = np.swapaxes(rotation, -1, -2)
        answer, deviations = self._network.run(inputs)
        joints, sigma = rotate(answer, back), rotate_deviations(deviations, back)
        joints -= joints[:, :1]
        nobody = ~inputs[..., 2].any(-1)
        joints[nobody] = sigma[nobody] = np.nan
        root = estimate_root(joints, rays, confidence)
        return LiftedPeople(
            joints.astype(np.float32),
            root.astype(np.float32),
            sigma.astype(np.float32),
            points,
            confidence,
        )


def _points(xy: ArrayLike, skeleton: Skeleton) -> Array:
    """`xy` as (N, P, J, 2) float64, or an InputError."""
    try:
        points = np.array(xy, dtype=np.float64)  # a copy: missing joints become NaN in it
    except (TypeError, ValueError) as error:
        raise InputError(f"xy must be an array of numbers ({error})") from error
    if points.ndim == 3:
        points = points[:, None]
    if points.ndim != 4 or points.shape[2:] != (len(skeleton), 2):
        raise InputError(
            f"xy must be (N, {len(skeleton)}, 2) or (N, P, {len(skeleton)}, 2) for "
            f"{skeleton.name}, got {np.shape(xy)}"
        )
    if np.isinf(points).any():
        raise InputError("xy holds infinite values; a missing joint is NaN")
    return np.asarray(points)


def _confidence(scores: ArrayLike | None, points: Array) -> Array:
    """`scores` as (N, P, J); marks joints of score 0 as missing in `points`."""
    if scores is None:
        return np.asarray(np.isfinite(points).all(-1), np.float64)
    try:
        confidence = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"scores must be an array of numbers ({error})") from error
    if confidence.ndim == 2:
        confidence = confidence[:, None]
    if confidence.shape != points.shape[:-1]:
        raise InputError(f"scores must be {points.shape[:-1]} to match xy, got {np.shape(scores)}")
    if not (confidence[np.isfinite(confidence)] >= 0).all() or np.isinf(confidence).any():
        raise InputError("scores must be finite and not negative")
    points[~(confidence > 0)] = np.nan
    return np.asarray(np.nan_to_num(confidence))


def _cameras(
    camera: Camera | Sequence[Camera] | None, image_size: tuple[int, int], frames: int
) -> tuple[Camera, ...]:
    if camera is None:
        try:
            width, height = (int(side) for side in image_size)
            return (Camera.assumed((width, height)),)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"image_size must be (width, height) in pixels, got {image_size!r}"
            ) from error
    if isinstance(camera, Camera):
        if tuple(camera.size) != tuple(image_size):
            raise InputError(
                f"the camera is for images of {camera.size}, but image_size is {image_size}; "
                "Camera.resized gives a camera for another size"
            )
        return (camera,)
    cameras = tuple(camera)
    if not cameras or len(cameras) not in (1, frames):
        raise InputError(f"one camera or one per frame ({frames}) needed, got {len(cameras)}")
    return cameras
