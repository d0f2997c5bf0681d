"""What a run leaves behind: one sequence of all frames, its files, and an overlay to look at."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ampose import media
from ampose.flow import At, untimed
from ampose.lifting import lifted_sequence
from ampose.poses import FramePoses, PoseSequence
from ampose.render import OverlayRenderer
from ampose.skeletons import H36M_17

Progress = Callable[[int, int | None], None]
"""Called with frames done and frames in all (None if unknown)."""

DrawnFrame = tuple[FramePoses, NDArray[np.uint8]]
"""A frame, and its overlay (H, W, 3) uint8 RGB."""

OVERLAY_VIDEO, OVERLAY_PHOTO = "overlay.mp4", "overlay.png"
"""Files to look at; photos of a folder have theirs in a folder."""

_BLACK_SIDE = 1280
"""Longest side, pixels, of the black picture behind keypoints that come without one."""

_SHORTEST_STILL, _LONGEST_STILL = 0.001, 10.0
"""Longest time, in seconds, that the overlay shows a frame. Otherwise keypoints of scattered
frames, numbered by the million, would give a video of months."""

_LONGEST_STEM = 200
"""Bytes of a photo's name that its overlay's name keeps. File systems allow 255, some of which the
number and the ending need; the number alone tells the overlays apart."""

_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)


def gather(stream: Iterable[FramePoses], *, height: float | None = None) -> PoseSequence:
    """Frames as one sequence, pictures dropped; a person absent from a frame is NaN there.

    Args:
        stream: the frames.
        height: of everybody, metres, if it was given.
    """
    frames = [replace(frame, image=_NO_IMAGE) for frame in stream]
    ids = np.unique(np.concatenate([np.zeros(0, np.int64), *(frame.ids for frame in frames)]))
    cameras = tuple(frame.camera for frame in frames)
    if all(camera is cameras[0] for camera in cameras):
        cameras = cameras[:1]

    def stack(key: str, tail: tuple[int, ...], absent: float) -> np.ndarray[tuple[int, ...], Any]:
        out = np.full((len(frames), len(ids), *tail), absent, np.float32)
        for row, frame in zip(out, frames, strict=True):
            row[np.searchsorted(ids, frame.ids)] = getattr(frame, key)
        return out

    joint_count = len(H36M_17)
    return lifted_sequence(
        joints=stack("joints", (joint_count, 3), np.nan),
        root=stack("root", (3,), np.nan),
        sigma=stack("sigma", (joint_count, 3), np.nan),
        keypoints=stack("keypoints", (joint_count, 2), np.nan),
        scores=stack("scores", (joint_count,), 0),
        ids=ids,
        times=np.array([frame.time for frame in frames]),
        cameras=cameras,
        height=height,
    )


def on_black(
    sequence: PoseSequence, name: str, progress: Progress | None
) -> Generator[FramePoses]:
    """The frames, on black, of a sequence that came without pictures, for an overlay."""
    for t in range(sequence.frame_count):
        width, height = media.reduced_size(sequence.camera(t).size, _BLACK_SIDE)
        black = np.zeros((height, width, 3), np.uint8)
        yield frame_of(sequence, t, black, name)
        if progress:
            progress(t + 1, sequence.frame_count)


def frame_of(
    sequence: PoseSequence, t: int, image: NDArray[np.uint8], name: str, index: int | None = None
) -> FramePoses:
    """Frame t of a sequence over a picture (H, W, 3), with the people who are there."""
    there = np.flatnonzero(
        np.isfinite(sequence.keypoints[t]).any((-2, -1)) | sequence.valid[t].any(-1)
    )
    return FramePoses(
        t if index is None else index,
        float(sequence.times[t]),
        name,
        image,
        sequence.camera(t),
        sequence.ids[there],
        sequence.joints[t, there],
        sequence.root[t, there],
        sequence.sigma[t, there],
        sequence.keypoints[t, there],
        sequence.scores[t, there],
    )


def drawn(frames: Generator[FramePoses], at: At = untimed) -> Generator[DrawnFrame]:
    """Frames of one size, each with its overlay."""
    renderer: OverlayRenderer | None = None
    with closing(frames):
        for frame in frames:
            with at("draw"):
                renderer = renderer or _renderer(frame)
                picture = _drawn(frame, renderer, time=frame.time)
            yield frame, picture


def converted(
    pictures: Generator[DrawnFrame], at: At = untimed
) -> Generator[tuple[FramePoses, VideoFrame]]:
    """Frames with their overlays as an encoder needs them."""
    with closing(pictures):
        for frame, picture in pictures:
            with at("convert"):
                ready = media.encodable(picture)
            yield frame, ready


def overlay_video(
    pictures: Generator[tuple[FramePoses, VideoFrame]],
    path: Path,
    fps: float,
    *,
    threads: int | None = None,
    at: At = untimed,
) -> Generator[FramePoses]:
    """Passes frames through and writes their overlays into a video on the way."""
    with closing(pictures):
        first = next(pictures, None)
        if first is None:
            return
        size = first[1].width, first[1].height
        shown_at, last = 0.0, first[0].time
        with media.VideoWriter(path, size, fps, threads) as writer:
            for frame, picture in itertools.chain([first], pictures):
                if frame is not first[0]:
                    shown_at += min(max(frame.time - last, _SHORTEST_STILL), _LONGEST_STILL)
                    last = frame.time
                with at("encode"):
                    writer.write(picture, shown_at)
                yield frame


def overlay_pictures(
    frames: Generator[FramePoses], folder: Path, *, single: bool
) -> Generator[FramePoses]:
    """Passes frames through and draws each into a picture of its own on the way."""
    with closing(frames):
        for frame in frames:
            stem = Path(frame.name).stem
            while len(os.fsencode(stem)) > _LONGEST_STEM:
                stem = stem[:-1]
            name = OVERLAY_PHOTO if single else f"overlay/{frame.index:04d}_{stem}.png"
            (folder / name).parent.mkdir(exist_ok=True)
            media.write_png(folder / name, _drawn(frame, _renderer(frame)))
            yield frame


def _renderer(frame: FramePoses) -> OverlayRenderer:
    height, width = frame.image.shape[:2]
    return OverlayRenderer((width, height), frame.skeleton)


def _drawn(
    frame: FramePoses, renderer: OverlayRenderer, *, time: float | None = None
) -> NDArray[np.uint8]:
    """The frame with its skeletons; keypoints in the pixels of a reduced image."""
    height, width = frame.image.shape[:2]
    return renderer.draw(
        frame.image,
        frame.keypoints * (np.array([width, height]) / frame.camera.size),
        frame.joints,
        frame.root,
        frame.ids.tolist(),
        time=time,
        text=frame.name,
    )
