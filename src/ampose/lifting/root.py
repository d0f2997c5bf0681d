"""Where the person stands: the root that makes a root-relative pose project onto its 2D."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

MIN_DEPTH_METRES = 0.2


def estimate_root(joints: Array, rays: Array, scores: Array) -> Array:
    """Weighted linear fit of the root to the viewing rays.

    For a joint at root + (X, Y, Z) seen along the ray (x, y, 1), ``root_x - x root_z = x Z - X``
    and likewise for y: two equations per joint, three unknowns. An estimate: its depth is as
    wrong as the assumed body size and focal length are.

    Args:
        joints: (N, J, 3) root-relative, camera axes, metres.
        rays: (N, J, 3) with z = 1; NaN where a joint was not seen.
        scores: (N, J) weights, 0 to 1.

    Returns:
        (N, 3) metres, camera axes; NaN where the fit has no solution in front of the camera.
    """
    seen = np.asarray(np.isfinite(rays).all(-1))
    ray = np.where(seen[..., None], rays, 0).astype(np.float64)
    weight = np.where(seen, scores, 0).astype(np.float64)
    x, y = ray[..., 0], ray[..., 1]
    wx, wy = weight * x, weight * y
    w, swx, swy = weight.sum(-1), wx.sum(-1), wy.sum(-1)
    zero = np.zeros_like(w)
    normal = np.stack(
        [
            np.stack([w, zero, -swx], -1),
            np.stack([zero, w, -swy], -1),
            np.stack([-swx, -swy, (wx * x + wy * y).sum(-1)], -1),
        ],
        axis=-2,
    )
    bx = x * joints[..., 2] - joints[..., 0]
    by = y * joints[..., 2] - joints[..., 1]
    right = np.stack(
        [(weight * bx).sum(-1), (weight * by).sum(-1), -(wx * bx + wy * by).sum(-1)], -1
    )
    solvable = (np.linalg.det(normal) > 1e-12) & np.isfinite(right).all(-1)
    root = np.full(right.shape, np.nan)
    root[solvable] = np.linalg.solve(normal[solvable], right[solvable, :, None])[..., 0]
    root[~(root[:, 2] > MIN_DEPTH_METRES)] = np.nan
    return root
