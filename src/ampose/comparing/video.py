"""The two people in step, as a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.analysis import NOTICE
from ampose.comparing.pair import Pair, Recording
from ampose.media import VideoWriter
from ampose.render.pair import Half, PairRenderer, Window

MOST_RATE = 60.0
"""Frames per second of the video; of faster recordings frames are left out."""

_STEPS = {
    "dtw": "in step by dynamic time warping, at the pace of the first",
    "linear": "the second evenly stretched to the first",
    "none": "seconds from the start of each",
}


def write_video(pair: Pair, path: Path) -> None:
    """Both recordings moment by moment, at the pace of the first.

    Raises:
        InputError: a source breaks off, or the file cannot be written.
    """
    comparison = pair.comparison
    times = comparison.alignment.times_a
    shown = _shown(times)
    frames = comparison.frames_a[shown], comparison.frames_b[shown]
    windows = [
        Window.around(each.sequence.keypoints[used, 0], each.sequence.camera(0).size)
        for each, used in zip(pair.recordings, frames, strict=True)
    ]
    renderer = PairRenderer(
        (pair.a.name, pair.b.name),
        (windows[0], windows[1]),
        pair.a.sequence.skeleton,
        f"{_STEPS[comparison.alignment.method]}. {NOTICE}",
    )
    halves = zip(
        *(_halves(each, used) for each, used in zip(pair.recordings, frames, strict=True)),
        strict=True,
    )
    rate = 1 / float(np.median(np.diff(times[shown])))
    with VideoWriter(path, renderer.size, rate) as writer:
        for time, (first, second) in zip(times[shown], halves, strict=True):
            writer.write(renderer.draw((first, second)), float(time))


def _shown(times: NDArray[np.floating]) -> list[int]:
    """Moments far enough apart for the video."""
    shown, last = [], -np.inf
    for place, time in enumerate(times.tolist()):
        if time - last >= 1 / MOST_RATE - 1e-3:
            shown.append(place)
            last = time
    return shown if len(shown) > 1 else [0, len(times) - 1]


def _halves(recording: Recording, frames: NDArray[np.int64]) -> Iterator[Half]:
    sequence, footage = recording.sequence, recording.footage
    images = footage.pictures(frames.tolist()) if footage else iter([None] * len(frames))
    for frame, image in zip(frames.tolist(), images, strict=True):
        keypoints = sequence.keypoints[frame, 0]
        if image is not None:
            image = image[:, ::-1] if recording.mirrored else image
            scale = np.array([image.shape[1], image.shape[0]]) / sequence.camera(frame).size
            keypoints = keypoints * scale
        joints = np.where(sequence.valid[frame, 0, :, None], sequence.joints[frame, 0], np.nan)
        yield Half(image, keypoints, joints, float(sequence.times[frame]))
