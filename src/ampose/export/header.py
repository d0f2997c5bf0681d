"""The keys of ``poses.npz`` and ``poses.json`` that are not arrays, as plain values for JSON."""

from __future__ import annotations

from typing import Any

from ampose.poses import SCHEMA_VERSION, PoseSequence


def header(sequence: PoseSequence) -> dict[str, Any]:
    """``camera`` is one object, or a list with one per frame where frames have their own."""
    cameras = [camera.as_dict() for camera in sequence.cameras]
    skeleton = sequence.skeleton
    return {
        "schema_version": SCHEMA_VERSION,
        "skeleton": {
            "name": skeleton.name,
            "joints": list(skeleton.joints),
            "parents": list(skeleton.parents),
        },
        "camera": cameras[0] if len(cameras) == 1 else cameras,
        "world_frame": dict(sequence.world_frame),
        "quality": dict(sequence.quality),
        "provenance": dict(sequence.provenance),
        "warnings": list(sequence.warnings),
    }
