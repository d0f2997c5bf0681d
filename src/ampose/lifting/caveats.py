"""What a careful user should know about a result, said in one place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import DEFAULT_FOV_DEGREES, MIN_VISIBLE_JOINTS, Camera


def caveats(
    cameras: Sequence[Camera],
    keypoints: NDArray[np.floating],
    valid: NDArray[np.bool_],
    *,
    height: float | None = None,
) -> tuple[str, ...]:
    """Warnings of a lifted sequence.

    Args:
        cameras: one, or one per frame.
        keypoints: (T, P, J, 2) pixels, NaN where missing.
        valid: (T, P, J).
        height: metres, if it was given.
    """
    if height is None:
        size = "a typical adult is assumed, and a single view does not show how tall a person is"
    else:
        size = f"everybody is taken to be {height:g} m tall"
    out = [f"Size and distance are estimated: {size}."]
    if any(camera.source == "assumed" for camera in cameras):
        out.append(
            f"The field of view is not known; {DEFAULT_FOV_DEGREES:g} degrees along the longer "
            "side are assumed. Give --fov or --focal for better distances and directions."
        )
    seen = np.isfinite(keypoints).all(-1)
    present = seen.any(-1)
    if not present.any():
        return (*out, "No person was found.")
    if lost := int((present & ~valid.any(-1)).sum()):
        out.append(
            f"{lost} of {int(present.sum())} people-frames show fewer than {MIN_VISIBLE_JOINTS} "
            "joints and were not lifted."
        )
    if empty := int((~present.any(-1)).sum()):
        out.append(f"{empty} of {len(present)} frames show nobody.")
    if guessed := int((valid & ~seen).sum()):
        out.append(
            f"{guessed} of {int(valid.sum())} joints were not seen; they are guessed from the "
            "others."
        )
    sizes = np.array([camera.size for camera in cameras])[:, None, None]
    with np.errstate(invalid="ignore"):
        outside = seen & ((keypoints < 0) | (keypoints > sizes)).any(-1)
    if outside.any():
        out.append(f"{int(outside.sum())} keypoints lie outside the image.")
    return tuple(out)
