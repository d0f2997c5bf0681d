"""A `PoseSequence` from what a lifter gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera
from ampose.lifting.caveats import caveats
from ampose.poses import PoseSequence

Array = NDArray[np.floating]


def lifted_sequence(
    *,
    joints: Array,
    root: Array,
    sigma: Array,
    keypoints: Array,
    scores: Array,
    ids: NDArray[np.int64],
    times: Array,
    cameras: Sequence[Camera],
    provenance: Mapping[str, Any] | None = None,
    height: float | None = None,
) -> PoseSequence:
    """Adds what follows from the rest: `valid` where there is a joint, and warnings.

    The arguments mean what they mean in `PoseSequence`; `height` is everybody's, if it was given.
    """
    valid = np.asarray(np.isfinite(joints).all(-1))
    return PoseSequence(
        joints=joints,
        root=root,
        sigma=sigma,
        keypoints=keypoints,
        scores=scores,
        valid=valid,
        ids=ids,
        times=times,
        cameras=cameras,
        provenance=provenance or {},
        warnings=caveats(cameras, keypoints, valid, height=height),
    )
