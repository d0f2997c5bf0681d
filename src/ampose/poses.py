"""The arrays that flow through everything: `Pose2D`, `PoseSequence` and `FramePoses`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera
from ampose.skeletons import H36M_17, Skeleton

Array = NDArray[np.floating]

SCHEMA_VERSION = "1.1"
"""Version of the keys of ``poses.npz`` and ``poses.json``: keys may be added, never changed."""


CHANGES = ("filled", "repaired", "corrected")
"""Arrays of a `PoseSequence` that mark what the repairs along time changed."""


def _left_out() -> NDArray[np.bool_]:
    """Stands for an array that was not given, which a `PoseSequence` makes to fit the others."""
    return np.array(False)


@dataclass(frozen=True, eq=False)
class Pose2D:
    """One person in one image.

    Attributes:
        keypoints: (J, 2) float32 pixels, x right, y down; NaN where a joint was not seen.
        scores: (J,) float32 confidence, 0 to 1; 0 where a joint was not seen.
        box: (4,) float32 pixels: left, top, right, bottom.
        skeleton: names the joints.
        id: identity within a video; None where identities mean nothing.
    """

    keypoints: Array
    scores: Array
    box: Array
    skeleton: Skeleton
    id: int | None = None

    def __post_init__(self) -> None:
        joints = len(self.skeleton)
        _check_shape("keypoints", self.keypoints, (joints, 2))
        _check_shape("scores", self.scores, (joints,))
        _check_shape("box", self.box, (4,))

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(J,) which joints have a place."""
        return np.asarray(np.isfinite(self.keypoints).all(-1))


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """3D poses of P people over T frames; the content of ``poses.npz`` and ``poses.json``.

    Absent is NaN and not valid, never zero. Lengths are metres, camera axes are x right, y down,
    z forward. The absolute size is that of a typical adult unless a height was given: a single
    view does not show it.

    Attributes:
        joints: (T, P, J, 3) float32, root-relative, camera axes. A joint that was not seen in 2D
            (NaN in `keypoints`) but belongs to a lifted person is a guess from the others.
        root: (T, P, 3) float32, camera axes: an **estimate** from the keypoints, the focal length
            and the assumed body size.
        sigma: (T, P, J, 3) float32, standard deviation per axis; NaN from weights
            without it.
        keypoints: (T, P, J, 2) float32 pixels.
        scores: (T, P, J) float32 confidence of the keypoints.
        valid: (T, P, J) bool, where `joints` holds an estimate.
        ids: (P,) int64 identity of each person.
        times: (T,) float64 seconds.
        skeleton: names the joints.
        cameras: one camera for all frames, or one per frame (photos of different size).
        provenance: program version, weights, filter along time and options.
        warnings: what a careful user should know about this result.
        filled: (T, P, J) bool, where `joints` is interpolated across a gap in the evidence.
        repaired: (T, P, J) bool, where left and right had been exchanged and were put back.
        corrected: (T, P, J) bool, where the keypoint was an outlier and was replaced.
        world: (T, P, J, 3) float32, world axes: y up, the floor at 0; an **estimate** that rests
            on what `world_frame` says. NaN where there is none.
        world_frame: how `world` came about, and how sure it is; empty without it.
        quality: for each person, what was repaired, and how well the motion fits the keypoints.
    """

    joints: Array
    root: Array
    sigma: Array
    keypoints: Array
    scores: Array
    valid: NDArray[np.bool_]
    ids: NDArray[np.int64]
    times: Array
    cameras: Sequence[Camera]
    skeleton: Skeleton = H36M_17
    provenance: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    filled: NDArray[np.bool_] = field(default_factory=_left_out)
    repaired: NDArray[np.bool_] = field(default_factory=_left_out)
    corrected: NDArray[np.bool_] = field(default_factory=_left_out)
    world: Array = field(default_factory=lambda: _left_out().astype(np.float32))
    world_frame: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frames, people, joints = len(self.times), len(self.ids), len(self.skeleton)
        for name in CHANGES:
            if not getattr(self, name).ndim:
                object.__setattr__(self, name, np.zeros((frames, people, joints), bool))
        if not self.world.ndim:
            nowhere = np.full((frames, people, joints, 3), np.nan, np.float32)
            object.__setattr__(self, "world", nowhere)
        for name, tail in (
            ("joints", (joints, 3)),
            ("root", (3,)),
            ("sigma", (joints, 3)),
            ("keypoints", (joints, 2)),
            ("scores", (joints,)),
            ("valid", (joints,)),
            ("world", (joints, 3)),
            *((name, (joints,)) for name in CHANGES),
        ):
            _check_shape(name, getattr(self, name), (frames, people, *tail))
        if len(self.cameras) not in (1, frames):
            raise ValueError(f"one camera or {frames} needed, got {len(self.cameras)}")

    @property
    def frame_count(self) -> int:
        """T, frames."""
        return len(self.times)

    @property
    def person_count(self) -> int:
        """P, different people over all frames."""
        return len(self.ids)

    def only(self, people: Sequence[int]) -> PoseSequence:
        """The sequence with only some of the people, by their places."""
        ids = self.ids[list(people)]
        arrays = ("joints", "root", "sigma", "keypoints", "scores", "valid", "world", *CHANGES)
        quality = dict(self.quality)
        if "people" in quality:
            known = {person["id"]: person for person in quality["people"]}
            quality["people"] = [known[identity] for identity in ids.tolist()]
        return replace(
            self,
            ids=ids,
            quality=quality,
            **{name: getattr(self, name)[:, list(people)] for name in arrays},
        )

    def camera(self, frame: int) -> Camera:
        """The camera of one frame."""
        return self.cameras[0 if len(self.cameras) == 1 else frame]


@dataclass(frozen=True, eq=False)
class FramePoses:
    """The people of one frame, as `ampose.stream` yields them.

    Attributes:
        index: number of the frame in its source.
        time: seconds; 0 for a photo.
        name: of the photo or video.
        image: uint8 RGB (H, W, 3), reduced where the original is very large.
        camera: its `size` is the original's, in whose pixels `keypoints` are.
        ids: (P,) int64 identities.
        joints: (P, J, 3) root-relative, metres, camera axes; NaN for a person not lifted.
        root: (P, 3) metres, camera axes, an estimate.
        sigma: (P, J, 3) metres, standard deviation of `joints`; NaN where nothing says it.
        keypoints: (P, J, 2) pixels, NaN where not seen.
        scores: (P, J).
        skeleton: names the joints.
    """

    index: int
    time: float
    name: str
    image: NDArray[np.uint8]
    camera: Camera
    ids: NDArray[np.int64]
    joints: Array
    root: Array
    sigma: Array
    keypoints: Array
    scores: Array
    skeleton: Skeleton = H36M_17

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(P, J) where `joints` holds an estimate."""
        return np.asarray(np.isfinite(self.joints).all(-1))


def _check_shape(name: str, array: Array | NDArray[np.bool_], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
