"""A recording as a mirror shows it: left is right, for a left-hander beside a right-hander."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ampose.cameras import Camera
from ampose.poses import PoseSequence

_FLIP = np.array([-1.0, 1, 1])


def mirrored(sequence: PoseSequence) -> PoseSequence:
    """The recording of the mirror image: x is negative, left joints are the right ones.

    Cameras and the world go with it, so that everything is as if the mirror image had been
    filmed. Bone lengths in `PoseSequence.quality` keep the sides that they were measured on.
    """
    order = list(sequence.skeleton.mirror)
    flip = _FLIP.astype(np.float32)
    widths = np.array([camera.size[0] for camera in sequence.cameras], np.float32)
    keypoints = sequence.keypoints[:, :, order].copy()
    keypoints[..., 0] = widths[:, None, None] - keypoints[..., 0]
    swapped = ("scores", "valid", "filled", "repaired", "corrected", "sigma")
    return replace(
        sequence,
        joints=sequence.joints[:, :, order] * flip,
        root=sequence.root * flip,
        world=sequence.world[:, :, order] * flip,
        keypoints=keypoints,
        cameras=tuple(_mirrored(camera) for camera in sequence.cameras),
        **{name: getattr(sequence, name)[:, :, order] for name in swapped},
    )


def _mirrored(camera: Camera) -> Camera:
    k1, k2, p1, p2, k3 = camera.distortion
    return replace(
        camera,
        centre=(camera.size[0] - camera.centre[0], camera.centre[1]),
        distortion=(k1, k2, p1, -p2, k3),
        rotation=camera.rotation * _FLIP * _FLIP[:, None],
        translation=camera.translation * _FLIP,
    )
