"""The whole way on one page: picture or keypoints to 3D poses, and to a folder of results."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from ampose import media
from ampose.cameras import Camera
from ampose.detection import MIN_SCORE, PoseDetector, VideoDetector, load_detector
from ampose.errors import InputError
from ampose.export.folder import ResultFolder
from ampose.flow import Stages, StageTime, ahead, latest, made_at, share_threads
from ampose.keypoint_files import DEFAULT_FPS, load_keypoints
from ampose.lifting import Lifter
from ampose.live import DEFAULT_PORT, Meter, Page, Status, attended
from ampose.mapping import Mapping
from ampose.poses import FramePoses, Pose2D, PoseSequence
from ampose.results import (
    DrawnFrame,
    Progress,
    drawn,
    gather,
    on_black,
    overlay_pictures,
    overlay_video,
    write_poses,
)

Item = TypeVar("Item")

_RANGES = {
    "fov": (1, 170),
    "focal": (1, 1_000_000),
    "fps": (0.001, 1_000_000),
    "capture_fps": (0.001, 1_000_000),
    "min_score": (0, 1),
    "threads": (1, 256),
}
"""Smallest and largest value of the options that are numbers, wherever they are used."""


_ONLY_FOR = {
    "start": "video",
    "end": "video",
    "capture_fps": "video",
    "sequence": "folder",
    "fps": "folder",
}
"""Options of one kind of source; elsewhere they bring a warning."""


@dataclass(frozen=True)
class Options:
    """Everything a run can be told; options of the command line have the same names.

    Attributes:
        fov: horizontal field of view in degrees.
        focal: focal length in pixels; not together with `fov`.
        start: first second of a video.
        end: last second of a video.
        capture_fps: frames per second when it was filmed, for slow motion.
        sequence: a folder's photos are frames of one recording.
        fps: frames per second of such a folder, or of keypoints that come without times;
            `DEFAULT_FPS`, with a warning, if None.
        detector: a user's own ONNX, see `ampose.detection`.
        detector_skeleton: its joint set, by name.
        min_score: keypoints below this confidence count as not seen.
        weights: a lifter exported by this package.
        mapping: how the detector's joints become Human3.6M's, see `ampose.mapping`.
        threads: that may be busy at once; one per processor if None.
    """

    fov: float | None = None
    focal: float | None = None
    start: float | None = None
    end: float | None = None
    capture_fps: float | None = None
    sequence: bool = False
    fps: float | None = None
    detector: Path | None = None
    detector_skeleton: str | None = None
    min_score: float = MIN_SCORE
    weights: Path | None = None
    mapping: Mapping = "hybrid"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.fov is not None and self.focal is not None:
            raise InputError("give --fov or --focal, not both")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(
                    f"--{name.replace('_', '-')} must be {low:,} to {high:,}, got {value:g}"
                )

    def camera_of_size(self, size: tuple[int, int], known: Camera | None = None) -> Camera:
        """The camera of a picture of that size: as told, else known from EXIF, else assumed."""
        if self.fov is not None:
            return Camera.from_fov(size, self.fov)
        if self.focal is None:
            return known or Camera.assumed(size)
        camera = Camera.from_focal(size, self.focal)
        low, high = _RANGES["fov"]
        if not low <= max(camera.fov) <= high:
            raise InputError(
                f"--focal {self.focal:g} is a field of view of {max(camera.fov):.3g} degrees in a "
                f"picture of {size[0]} x {size[1]}, but {low} to {high} are allowed; give pixels, "
                "not millimetres"
            )
        return camera


def stream(source: Path | str, options: Options | None = None) -> Iterator[FramePoses]:
    """Poses of a photo, a video or a folder of photos, frame by frame, in bounded memory.

    Also of a camera, ``camera:0``: then always of its newest frame, until the iterator is closed.

    Raises:
        InputError: the source or an option cannot be used; at once, or from the iterator where
            the source turns out bad later.
    """
    work = _Run(Path(source), options or Options())
    return work.lifted()


def run(
    source: Path | str,
    out: Path | str | None = None,
    options: Options | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> PoseSequence:
    """3D poses of everybody in a photo, a video or a folder of photos.

    Args:
        source: the file or folder.
        out: folder for ``poses.npz``, ``poses.json`` and the overlay; nothing is written if None.
        options: how; see `Options`.
        force: replace results that are there already.
        progress: told after each frame.

    Raises:
        InputError: the source, an option or `out` cannot be used; `out` is then as it was.
    """
    if media.camera_number(str(source)) is not None:
        raise InputError(f"{source} has no end; use ampose.stream or ampose.pipeline.run_live")
    work = _Run(Path(source), options or Options())
    if out is None:
        return work.sequence(work.told(work.lifted(), progress))
    with ResultFolder(Path(out), force=force) as folder:
        if work.moving:
            frames = work.recorded(work.drawn(), folder)
        else:
            frames = overlay_pictures(work.lifted(), folder, single=work.kind == "photo")
        sequence = work.sequence(work.told(frames, progress))
        write_poses(sequence, folder)
    return sequence


@dataclass(frozen=True)
class LiveReport:
    """How a live run went.

    Attributes:
        url: of the page.
        status: frames shown and dropped, rate and delay.
        stages: what each stage took.
        sequence: what was recorded, if anything was.
    """

    url: str
    status: Status
    stages: tuple[StageTime, ...]
    sequence: PoseSequence | None = None


def run_live(
    source: Path | str,
    out: Path | str | None = None,
    options: Options | None = None,
    *,
    port: int = DEFAULT_PORT,
    force: bool = False,
    tell: Callable[[LiveReport], object] | None = None,
    motion: Callable[[FramePoses], FramePoses] | None = None,
    choose: Callable[[list[Pose2D]], list[Pose2D]] | None = None,
) -> LiveReport:
    """3D poses of a camera, or of a video played as if it were one, shown on a page meanwhile.

    Every step takes the newest frame that there is; frames that nobody had time for are dropped.
    Ctrl-C ends the run, the end of a video does too, and what was recorded is then complete.

    Args:
        source: ``camera:0``, or a video file.
        out: folder for what `run` writes, of the frames that were shown; only the page if None.
        options: how; see `Options`.
        port: of the page, on this machine alone; 0 picks a free one.
        force: replace results that are there already.
        tell: told how it goes, once the page is there and about twice a second.
        motion: called with each frame in turn, gives it smoothed; causal.
        choose: called with the people of each frame, gives those to go on with.

    Raises:
        InputError: the source, the port, an option or `out` cannot be used, or the run broke off;
            `out` is then as it was.
    """
    meter, stop = Meter(), threading.Event()
    with Page(lambda: meter.status, port) as page:
        work = _Run(Path(source), options or Options(), live=_Live(stop, meter, motion, choose))

        def report(sequence: PoseSequence | None = None) -> LiveReport:
            return LiveReport(page.url, meter.status, tuple(work.at.times()), sequence)

        def shown(pictures: Iterable[DrawnFrame]) -> Generator[DrawnFrame]:
            for frame, picture in pictures:
                with work.at("show"):
                    page.show(picture)
                meter.show(work.started + frame.time, len(frame.ids))
                yield frame, picture

        def job(folder: Path | None) -> PoseSequence | None:
            with closing(work.drawn()) as pictures:
                if folder:
                    return work.sequence(work.recorded(shown(pictures), folder))
                for _ in shown(pictures):
                    pass
            return None

        def told() -> None:
            if tell:
                tell(report())

        with ResultFolder(Path(out), force=force) if out else nullcontext() as folder:
            told()
            sequence = attended(lambda: job(folder), stop, told)
            if folder and sequence:
                write_poses(sequence, folder)
        return report(sequence)


def lift_file(
    source: Path | str,
    out: Path | str | None = None,
    options: Options | None = None,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> PoseSequence:
    """3D poses from a file (or OpenPose folder) of 2D keypoints.

    Args:
        source: see `ampose.keypoint_files`.
        out: as in `run`; the overlay has no picture behind it.
        options: camera, weights, mapping and frames per second are used.
        skeleton: joint set by name, where the file does not name it.
        image_size: (width, height) in pixels, where the file does not hold it.
        force: replace results that are there already.
        progress: told after each overlay frame.

    Raises:
        InputError: the file, an option or `out` cannot be used; `out` is then as it was.
    """
    options = options or Options()
    file = load_keypoints(Path(source), skeleton=skeleton, image_size=image_size, fps=options.fps)
    if file.image_size is None:
        raise InputError(f"{source} does not say how large the image was; give --image-size WxH")
    lifter = Lifter(options.weights, mapping=options.mapping, threads=options.threads)
    lifted = lifter.lift(
        file.keypoints,
        image_size=file.image_size,
        skeleton=file.skeleton,
        scores=file.scores,
        camera=options.camera_of_size(file.image_size),
    )
    sequence = replace(
        lifted,
        ids=file.ids,
        times=file.times,
        provenance={**lifted.provenance, "source": Path(source).name},
        warnings=(*file.warnings, *lifted.warnings),
    )
    if out is None:
        return sequence
    with ResultFolder(Path(out), force=force) as folder:
        frames = on_black(sequence, Path(source).name, progress)
        if sequence.frame_count > 1:
            fps = options.fps or DEFAULT_FPS
            rest = overlay_video(drawn(frames), folder / "overlay.mp4", fps)
        else:
            rest = overlay_pictures(frames, folder, single=True)
        for _ in rest:
            pass
        write_poses(sequence, folder)
    return sequence


@dataclass(frozen=True)
class _Live:
    """What only a live run has; see `run_live`."""

    stop: threading.Event = field(default_factory=threading.Event)
    meter: Meter = field(default_factory=Meter)
    motion: Callable[[FramePoses], FramePoses] | None = None
    choose: Callable[[list[Pose2D]], list[Pose2D]] | None = None


class _Run:
    """One source on its way through detection and lifting.

    Each step is a generator that reads the one before, in a thread of its own where there are
    threads to spare.
    """

    def __init__(self, source: Path, options: Options, live: _Live | None = None) -> None:
        self.source = source
        self.options = options
        self._number = media.camera_number(str(source))
        self.kind = media.media_kind(source) if self._number is None else "camera"
        self.live = live or (_Live() if self.kind == "camera" else None)
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
