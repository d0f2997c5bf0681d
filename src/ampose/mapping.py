"""2D keypoints of any named joint set as Human3.6M's 17 joints.

Joints with the same name are taken over. What a set lacks is placed from what it has, by one of
two mappings:

* ``plain``: pelvis and thorax are the middles of hips and shoulders, spine the middle of those
  two, neck/nose is the nose, head top the middle of the eyes (the rule of MMPose and MotionBERT).
* ``hybrid`` (default): allows for COCO's hips, shoulders and eyes lying elsewhere than
  Human3.6M's. Hips and pelvis move by a tenth of the torso towards the shoulders, the thorax lies
  0.13 torso lengths above the shoulders' middle, neck/nose a quarter of the way from the nose to
  that middle, and the head top as far above the eyes as the nose lies below them, "above" being
  the direction from the shoulders to the head, so that lying people map as standing ones do. On
  four Human3.6M frames, all that were available, it was 8.1 pixels off, ``plain`` 10.4.

A set that names a neck gives the thorax there, as MotionBERT does for Halpe; one that names a head
gives the head top there; one without a nose has neck/nose midway between thorax and head top. A
joint whose ingredients are missing is missing: NaN, score 0; a derived joint has the lowest score
of its ingredients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ampose.skeletons import H36M_17, Skeleton

Array = NDArray[np.floating]
Mapping = Literal["hybrid", "plain"]

_HIP_SHIFT = 0.10
_THORAX_SHIFT = 0.13
_NEEDED = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


def to_h36m(
    keypoints: Array, scores: Array, skeleton: Skeleton, *, mapping: Mapping = "hybrid"
) -> tuple[Array, Array]:
    """Keypoints (..., J, 2) and scores (..., J) of `skeleton` as (..., 17, 2) and (..., 17).

    Raises:
        ValueError: unknown mapping, shapes that do not fit the skeleton, or a skeleton without
            hips and shoulders.
    """
    if mapping not in get_args(Mapping):
        raise ValueError(f"unknown mapping {mapping!r}; known are {', '.join(get_args(Mapping))}")
    if keypoints.shape[-2:] != (len(skeleton), 2) or scores.shape != keypoints.shape[:-1]:
        raise ValueError(
            f"{skeleton.name} needs keypoints (..., {len(skeleton)}, 2) and scores to match, "
            f"got {keypoints.shape} and {scores.shape}"
        )
    if lacking := set(_NEEDED) - set(skeleton.joints):
        raise ValueError(f"skeleton {skeleton.name} lacks {', '.join(sorted(lacking))}")
    # Points carry (x, y, score), all NaN where missing, so that missing spreads by itself.
    points = np.concatenate([keypoints, scores[..., None]], axis=-1)
    points[~np.isfinite(points).all(-1)] = np.nan
    given = dict(zip(skeleton.joints, np.moveaxis(points, -2, 0), strict=True))
    body = _Body(given, hybrid=mapping == "hybrid")
    out = np.stack([body.joint(name) for name in H36M_17.joints], axis=-2)
    return out[..., :2].astype(np.float32), np.nan_to_num(out[..., 2]).astype(np.float32)


class _Body:
    """The joints of one call: given ones by name, derived ones by a rule each."""

    def __init__(self, given: dict[str, Array], *, hybrid: bool) -> None:
        self.given = given
        self.hybrid = hybrid
        self.hips = _mean(given["left_hip"], given["right_hip"])
        self.shoulders = _mean(given["left_shoulder"], given["right_shoulder"])
        self.torso = self.shoulders - self.hips

    def joint(self, name: str) -> Array:
        rules: dict[str, Callable[[], Array]] = {
            "pelvis": self._pelvis,
            "spine": lambda: _mean(self.joint("pelvis"), self.joint("thorax")),
            "thorax": self._thorax,
            "neck_nose": self._neck_nose,
            "head_top": self._head_top,
        }
        if name.endswith("_hip"):
            return self._hip(name)
        return self.given[name] if name in self.given else rules[name]()

    def _hip(self, name: str) -> Array:
        own_hips = not self.hybrid or "pelvis" in self.given
        return self.given[name] if own_hips else self._shifted(self.given[name], _HIP_SHIFT)

    def _pelvis(self) -> Array:
        return self._shifted(self.hips, _HIP_SHIFT) if self.hybrid else self.hips

    def _thorax(self) -> Array:
        if "neck" in self.given:
            return self.given["neck"]
        return self._shifted(self.shoulders, _THORAX_SHIFT) if self.hybrid else self.shoulders

    def _neck_nose(self) -> Array:
        if "nose" not in self.given:
            return _mean(self.joint("thorax"), self.joint("head_top"))
        nose = self.given["nose"]
        return _mean(nose, nose, nose, self.shoulders) if self.hybrid else nose

    def _head_top(self) -> Array:
        if "head" in self.given:
            return self.given["head"]
        eyes = _mean_seen(self.given["left_eye"], self.given["right_eye"])
        if not self.hybrid:
            return eyes
        nose = self.given["nose"]
        skull = _mean_seen(
            *(self.given[f"{s}_{p}"] for p in ("eye", "ear") for s in ("left", "right"))
        )
        up = (skull - self.shoulders)[..., :2]
        up = up / np.linalg.norm(up, axis=-1, keepdims=True).clip(1e-6)
        height = ((2 * eyes - nose - skull)[..., :2] * up).sum(-1, keepdims=True)
        score = np.min([eyes, skull, nose, self.shoulders], axis=0)[..., 2:]
        return np.concatenate([skull[..., :2] + height * up, score], axis=-1)

    def _shifted(self, point: Array, share: float) -> Array:
        """A point moved up along the torso; left where it is if the torso is not seen whole."""
        moved = point + share * self.torso
        moved[..., 2] = np.min([point, self.hips, self.shoulders], axis=0)[..., 2]
        return np.where(np.isfinite(moved), moved, point)


def _mean(*points: Array) -> Array:
    out = np.mean(points, axis=0)
    out[..., 2] = np.min(points, axis=0)[..., 2]
    return np.asarray(out)


def _mean_seen(*points: Array) -> Array:
    """Mean of those that were seen; NaN where none was."""
    stacked = np.stack(points)
    seen = np.isfinite(stacked)
    count = seen.sum(0)
    total = np.where(seen, stacked, 0).sum(0)
    out = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    lowest = np.where(seen, stacked, np.inf).min(0)[..., 2]
    out[..., 2] = np.where(count[..., 2] > 0, lowest, np.nan)
    return np.asarray(out)
