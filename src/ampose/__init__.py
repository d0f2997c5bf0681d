"""3D human poses from photos, videos and 2D keypoints, offline, on an ordinary CPU.

>>> import ampose
>>> result = ampose.run("clip.mp4")  # doctest: +SKIP
>>> result.joints.shape  # frames, people, joints, xyz in metres  # doctest: +SKIP
(100, 1, 17, 3)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ampose._version import __version__
from ampose.errors import InputError

if TYPE_CHECKING:
    from ampose.analysis import Angles, angles_of
    from ampose.cameras import Camera
    from ampose.lifting import Lifter
    from ampose.options import Options
    from ampose.pipeline import lift_file, run, stream
    from ampose.poses import FramePoses, Pose2D, PoseSequence
    from ampose.skeletons import Skeleton, get_skeleton

_HOMES = {
    "Angles": "ampose.analysis",
    "Camera": "ampose.cameras",
    "FramePoses": "ampose.poses",
    "Lifter": "ampose.lifting",
    "Options": "ampose.options",
    "Pose2D": "ampose.poses",
    "PoseSequence": "ampose.poses",
    "Skeleton": "ampose.skeletons",
    "angles_of": "ampose.analysis",
    "get_skeleton": "ampose.skeletons",
    "lift_file": "ampose.pipeline",
    "run": "ampose.pipeline",
    "stream": "ampose.pipeline",
}

__all__ = [
    "Angles",
    "Camera",
    "FramePoses",
    "InputError",
    "Lifter",
    "Options",
    "Pose2D",
    "PoseSequence",
    "Skeleton",
    "__version__",
    "angles_of",
    "get_skeleton",
    "lift_file",
    "run",
    "stream",
]


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used, so that ``import ampose`` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ampose' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
