"""One source on its way: decoded, detected, lifted and drawn, in steps that overlap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from ampose import media
from ampose.cameras import Camera
from ampose.detection import PoseDetector, VideoDetector, load_detector
from ampose.errors import InputError
from ampose.flow import Stages, ahead, latest, made_at, share_threads
from ampose.keypoint_files import DEFAULT_FPS
from ampose.lifting import Lifter
from ampose.live import Meter
from ampose.options import Options
from ampose.poses import FramePoses, Pose2D, PoseSequence
from ampose.results import DrawnFrame, Progress, drawn, gather, overlay_video

Item = TypeVar("Item")

_ONLY_FOR = {
    "start": "video",
    "end": "video",
    "capture_fps": "video",
    "sequence": "folder",
    "fps": "folder",
}
"""Options of one kind of source; elsewhere they bring a warning."""


@dataclass(frozen=True)
class Live:
    """What only a live run has; see `run_live`."""

    stop: threading.Event = field(default_factory=threading.Event)
    meter: Meter = field(default_factory=Meter)
    motion: Callable[[FramePoses], FramePoses] | None = None
    choose: Callable[[list[Pose2D]], list[Pose2D]] | None = None


class Run:
    """One source on its way through detection and lifting.

    Each step is a generator that reads the one before, in a thread of its own where there are
    threads to spare.
    """

    def __init__(self, source: Path, options: Options, live: Live | None = None) -> None:
        self.source = source
        self.options = options
        self._number = media.camera_number(str(source))
        self.kind = media.media_kind(source) if self._number is None else "camera"
        self.live = live or (Live() if self.kind == "camera" else None)
        if self.live and self.kind not in ("camera", "video"):
            raise InputError(f"{source} is a {self.kind}; only a camera or a video can be live")
        self.moving = self.kind in ("camera", "video") or (
            self.kind == "folder" and options.sequence
        )
        self.threads = share_threads(options.threads, moving=self.kind != "photo")
        self.at = Stages(self.threads.places)
        self.warnings = [
            f"--{name.replace('_', '-')} means nothing for a {self.kind} and was ignored."
            for name, kind in _ONLY_FOR.items()
            if getattr(options, name) and self.kind != kind
        ]
        self.fps = options.fps or DEFAULT_FPS
        self.total: int | None = 1
        self._camera: Camera | None = None
        self._clock: media.Playback | media.Webcam | None = None
        self._frames = self._open()
        self.detector: PoseDetector = load_detector(
            options.detector,
            skeleton=options.detector_skeleton,
            min_score=options.min_score,
            threads=self.threads.detector,
            at=self.at,
        )
        self.lifter = Lifter(options.weights, mapping=options.mapping, threads=self.threads.lifter)

    def _open(self) -> Generator[media.Frame]:
        """Opens the source, so that a bad one is refused before anything is computed."""
        options = self.options
        if self._number is not None:
            webcam = media.Webcam(self._number, self.at)
            self.total, self.fps, self._clock = None, webcam.fps, webcam
            return self._filmed(webcam, iter(webcam))
        if self.kind == "photo":
            photo = media.load_photo(self.source)
            return (frame for frame in [photo])
        if self.kind == "folder":
            paths = media.photo_paths(self.source)
            self.total = len(paths)
            if options.sequence and options.fps is None:
                self.warnings.append(
                    f"{DEFAULT_FPS:g} frames per second are assumed; give --fps for true times."
                )
            return self._photos(paths)
        video = media.Video(
            self.source,
            start=options.start,
            end=options.end,
            capture_fps=options.capture_fps,
            threads=self.threads.codec,
        )
        self.total, self.fps = video.frame_count, video.fps
        if not self.live:
            return self._filmed(video, made_at(self.at, "decode", video))
        self._clock = media.Playback(video, self.live.stop, self.live.meter.drop, self.at)
        return self._filmed(video, iter(self._clock))

    def _photos(self, paths: list[Path]) -> Generator[media.Frame]:
        size: tuple[int, int] | None = None
        step = 1 / self.fps if self.moving else 0  # photos by themselves have no time
        for index, path in enumerate(paths):
            with self.at("decode"):
                frame = media.load_photo(path)
            size = size or frame.size
            if self.moving and frame.size != size:
                raise InputError(
                    f"{path} has {frame.size[0]} x {frame.size[1]} pixels, {paths[0].name} has "
                    f"{size[0]} x {size[1]}; all frames of a --sequence need one size"
                )
            yield replace(frame, index=index, time=index * step)

    def _filmed(
        self, source: media.Video | media.Webcam, frames: Iterator[media.Frame]
    ) -> Generator[media.Frame]:
        with closing(source):
            yield from frames
        self.warnings += source.warnings

    @property
    def started(self) -> float:
        """`time.perf_counter` at time 0 of a live source."""
        assert self._clock is not None
        return self._clock.started

    def _beside(self, source: Generator[Item]) -> Generator[Item]:
        """The items of a step, made in a thread of its own."""
        if self.live:
            return latest(source, self.live.meter.drop, self.live.stop)
        return ahead(source) if self.threads.overlap and self.kind != "photo" else source

    def _detected(
        self, frames: Generator[media.Frame]
    ) -> Generator[tuple[media.Frame, list[Pose2D]]]:
        detect = VideoDetector(self.detector).detect if self.moving else self.detector.detect
        choose = self.live and self.live.choose
        with closing(frames):
            for frame in frames:
                people = detect(frame.image)
                yield frame, choose(people) if choose else people

    def _lifted(
        self, detected: Generator[tuple[media.Frame, list[Pose2D]]]
    ) -> Generator[FramePoses]:
        motion = self.live and self.live.motion
        with closing(detected):
            for frame, people in detected:
                with self.at("lift"):
                    poses = self._lift(frame, people)
                if motion:
                    with self.at("motion"):
                        poses = motion(poses)
                yield poses

    def lifted(self) -> Generator[FramePoses]:
        """Detects and lifts frame by frame."""
        frames = self._beside(self._frames)
        detected = self._beside(self._detected(frames))
        return self._beside(self._lifted(detected))

    def drawn(self) -> Generator[DrawnFrame]:
        """Detects, lifts and draws frame by frame."""
        return self._beside(drawn(self.lifted(), self.at))

    def recorded(self, pictures: Generator[DrawnFrame], folder: Path) -> Generator[FramePoses]:
        """Passes frames through and writes the overlay on the way."""
        path = folder / "overlay.mp4"
        threads = self.threads.codec
        return overlay_video(pictures, path, self.fps, threads=threads, at=self.at)

    def told(
        self, frames: Generator[FramePoses], progress: Progress | None
    ) -> Generator[FramePoses]:
        """Passes frames through and tells of each when it is dealt with."""
        with closing(frames):
            for done, frame in enumerate(frames, start=1):
                yield frame
                if progress:
                    progress(done, self.total)

    def _lift(self, frame: media.Frame, people: list[Pose2D]) -> FramePoses:
        skeleton = self.detector.skeleton
        camera = self._camera_of(frame)
        joints = len(skeleton)
        height, width = frame.image.shape[:2]
        to_original = np.array(frame.size) / (width, height)
        keypoints = np.reshape([person.keypoints for person in people], (-1, joints, 2))
        scores = np.reshape([person.scores for person in people], (-1, joints))
        lifted = self.lifter.lift_people(keypoints * to_original, scores, skeleton, camera)
        ids = [slot if person.id is None else person.id for slot, person in enumerate(people)]
        return FramePoses(
            frame.index,
            frame.time,
            frame.name,
            frame.image,
            camera,
            np.array(ids, np.int64),
            lifted.joints,
            lifted.root,
            lifted.sigma,
            lifted.keypoints,
            lifted.scores,
        )

    def _camera_of(self, frame: media.Frame) -> Camera:
        """The frame's camera; the same object as long as nothing changes."""
        known = self._camera
        if known is None or frame.camera is not None or known.size != frame.size:
            self._camera = known = self.options.camera_of_size(frame.size, frame.camera)
        return known

    def sequence(self, frames: Generator[FramePoses]) -> PoseSequence:
        """Consumes the frames and gathers their poses; pictures are not kept."""
        with closing(frames):
            sequence = gather(frames)
        return replace(
            sequence,
            provenance={
                **self.lifter.provenance,
                **self.detector.provenance,
                "source": self.source.name,
                "options": {
                    name: str(value) if isinstance(value, Path) else value
                    for name, value in vars(self.options).items()
                    if value is not None
                },
            },
            warnings=(*self.warnings, *sequence.warnings),
        )
