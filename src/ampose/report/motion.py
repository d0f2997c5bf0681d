"""What the 3D view of a page plays: places of joints in millimetres, packed."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.analysis import Event
from ampose.cameras import TO_Y_UP
from ampose.export.takes import has_times, upright
from ampose.poses import CHANGES, PoseSequence
from ampose.render.style import person_colour

Array = NDArray[np.floating]

BUDGET = 600_000
"""The most numbers that a page may hold; a longer recording plays with fewer frames a second."""

MOST_EVENTS = 40
"""The most buttons that jump to an event."""

_ABSENT = -32768
_STEP = 0.001  # metres


def motion_of(sequence: PoseSequence, events: Sequence[Event]) -> dict[str, Any] | None:
    """Everybody's motion for the viewer; None where there is nothing to see.

    Keys: ``places``, base64 of little-endian int16 (frames, people, joints, 3), y up, times
    ``scale`` metres, about ``centre``, absent -32768; ``frames``, numbers of the frames;
    ``times``, seconds, or None; ``every``, 3 if only every third frame is there.
    """
    frames, people, joints = sequence.valid.shape
    every = max(1, -(-frames * people * joints * 3 // BUDGET))
    kept = np.arange(0, frames, every)
    places = _places(_only_frames(sequence, kept))
    known = places[np.isfinite(places).all(-1)]
    if not len(known):
        return None
    centre = np.median(known, axis=0)
    reach = float(np.abs(known - centre).max())
    scale = max(_STEP, reach / 32_000)
    packed = np.full(places.shape, _ABSENT, "<i2")
    there = np.isfinite(places).all(-1)
    packed[there] = np.round((places[there] - centre) / scale)
    skeleton = sequence.skeleton
    timed = has_times(sequence.times)
    return {
        "places": base64.b64encode(packed.tobytes()).decode("ascii"),
        "shape": list(packed.shape),
        "scale": scale,
        "floor": float(0 if _has_floor(sequence) else np.percentile(known[:, 1], 1)) - centre[1],
        "hasFloor": _has_floor(sequence),
        "ids": sequence.ids.tolist(),
        "colours": [list(person_colour(identity)) for identity in sequence.ids.tolist()],
        "bones": [[*edge, skeleton.side(edge[1])] for edge in skeleton.edges],
        "frames": kept.tolist(),
        "times": [round(float(time), 3) for time in sequence.times[kept]] if timed else None,
        "every": every,
        "events": [
            {"label": event.name.replace("_", " "), "frame": int(event.frame)}
            for event in sorted(events, key=lambda event: event.frame)[:MOST_EVENTS]
        ],
    }


def _only_frames(sequence: PoseSequence, frames: NDArray[np.int64]) -> PoseSequence:
    """The given frames alone; taken first, so that nothing is computed of the others."""
    names = ("joints", "root", "sigma", "keypoints", "scores", "valid", "world", "times", *CHANGES)
    thin: dict[str, Any] = {name: getattr(sequence, name)[frames] for name in names}
    return replace(sequence, cameras=sequence.cameras[:1], **thin)


def _has_floor(sequence: PoseSequence) -> bool:
    return bool(np.isfinite(sequence.world).any())


def _places(sequence: PoseSequence) -> Array:
    """(T, P, J, 3) metres, y up; people whose place is unknown stand at the origin."""
    places = np.where(sequence.valid[..., None], upright(sequence), np.nan)
    if np.isfinite(places).any():
        return places
    return np.where(
        sequence.valid[..., None], sequence.joints.astype(np.float64) * TO_Y_UP, np.nan
    )
