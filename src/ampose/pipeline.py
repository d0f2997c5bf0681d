"""The whole way on one page: picture or keypoints to 3D poses, and to a folder of results."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from ampose import media
from ampose.cameras import Camera
from ampose.detection import MIN_SCORE, PoseDetector, load_detector
from ampose.errors import InputError
from ampose.export.folder import ResultFolder
from ampose.flow import StageTime
from ampose.keypoint_files import DEFAULT_FPS, KeypointFile, load_keypoints
from ampose.lifting import Lifter
from ampose.mapping import Mapping
from ampose.motion.following import VideoDetector
from ampose.poses import FramePoses, Pose2D, PoseSequence
from ampose.results import (
    DrawnFrame,
    Progress,
    drawn,
    on_black,
    overlay_pictures,
    overlay_video,
    write_poses,
)
from ampose.running import Live, Run


def stream(source: Path | str, options: Options | None = None) -> Iterator[FramePoses]:
    """Poses of a photo, a video or a folder of photos, frame by frame, in bounded memory.

    Also of a camera, ``camera:0``: then always of its newest frame, until the iterator is closed.

    Raises:
        InputError: the source or an option cannot be used; at once, or from the iterator where
            the source turns out bad later.
    """
    work = Run(Path(source), options or Options())
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
        progress: told after each frame; those of a recording are read twice if `out` is given.

    Raises:
        InputError: the source, an option or `out` cannot be used; `out` is then as it was.
    """
    if media.camera_number(str(source)) is not None:
        raise InputError(f"{source} has no end; use ampose.stream or ampose.pipeline.run_live")
    work = Run(Path(source), options or Options())

    def half(done_before: int) -> Progress:
        """Progress of one of the two times that frames are decoded: to find, and to draw."""

        def told(done: int, total: int | None) -> None:
            if progress:
                progress(done_before + done, total and 2 * total)

        return told

    if out is None:
        if work.moving:
            return work.moved(progress)
        return work.sequence(work.told(work.lifted(), progress))
    with ResultFolder(Path(out), force=force) as folder:
        if work.moving:
            sequence = work.moved(half(0))
            pictures = work.recorded(work.redrawn(sequence), folder)
            for _ in work.told(pictures, half(sequence.frame_count)):
                pass
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

    Raises:
        InputError: the source, the port, an option or `out` cannot be used, or the run broke off;
            `out` is then as it was.
    """
    meter, stop = Meter(), threading.Event()
    with Page(lambda: meter.status, port) as page:
        work = Run(Path(source), options or Options(), live=Live(stop, meter))

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
    camera = options.camera_of_size(file.image_size)
    tracks = Tracks(file.keypoints, file.scores, file.ids, file.times, file.skeleton, camera)
    still = len(file.times) < 2 or options.frame_by_frame
    notes = () if still else _no_motion(file, tracks)
    if still or notes:
        repairs = Repairs.none(height=options.height)
    else:
        repairs = options.repairs
        tracks = tracks if file.identified else identified(tracks)
    tracks = tracks.only(chosen(parse_choice(options.person), tracks.ids, tracks.keypoints))
    sequence = motion_of(tracks, lifter, repairs)
    sequence = replace(
        sequence,
        provenance={**sequence.provenance, "source": Path(source).name},
        warnings=(*file.warnings, *notes, *sequence.warnings),
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


class _Run:
    """One source on its way through detection and lifting."""

    def __init__(self, source: Path, options: Options) -> None:
        self.source = source
        self.options = options
        self.kind = media.media_kind(source)
        self.moving = self.kind == "video" or (self.kind == "folder" and options.sequence)
        self.warnings = [
            f"--{name.replace('_', '-')} means nothing for a {self.kind} and was ignored."
            for name, kind in _ONLY_FOR.items()
            if getattr(options, name) and self.kind != kind
        ]
        self.fps = options.fps or DEFAULT_FPS
        self.total: int | None = 1
        self._camera: Camera | None = None
        self._frames = self._open()
        self.detector: PoseDetector = load_detector(
            options.detector,
            skeleton=options.detector_skeleton,
            min_score=options.min_score,
            threads=options.threads,
        )
        self.lifter = Lifter(options.weights, mapping=options.mapping, threads=options.threads)

    def _open(self) -> Iterator[media.Frame]:
        """Opens the source, so that a bad one is refused before anything is computed."""
        options = self.options
        if self.kind == "photo":
            return iter([media.load_photo(self.source)])
        if self.kind == "folder":
            paths = media.photo_paths(self.source)
            self.total = len(paths)
            if options.sequence and options.fps is None:
                self.warnings.append(
                    f"{DEFAULT_FPS:g} frames per second are assumed; give --fps for true times."
                )
            return self._photos(paths)
        video = media.Video(
            self.source, start=options.start, end=options.end, capture_fps=options.capture_fps
        )
        self.total = video.frame_count
        self.fps = video.fps
        return self._decoded(video)

    def _photos(self, paths: list[Path]) -> Iterator[media.Frame]:
        size: tuple[int, int] | None = None
        step = 1 / self.fps if self.moving else 0  # photos by themselves have no time
        for index, path in enumerate(paths):
            frame = media.load_photo(path)
            size = size or frame.size
            if self.moving and frame.size != size:
                raise InputError(
                    f"{path} has {frame.size[0]} x {frame.size[1]} pixels, {paths[0].name} has "
                    f"{size[0]} x {size[1]}; all frames of a --sequence need one size"
                )
            yield replace(frame, index=index, time=index * step)

    def _decoded(self, video: media.Video) -> Iterator[media.Frame]:
        with video:
            yield from video
        self.warnings += video.warnings

    def poses(self, progress: Progress | None = None) -> Iterator[FramePoses]:
        """Detects and lifts frame by frame."""
        video = VideoDetector(self.detector) if self.moving else None
        for done, frame in enumerate(self._frames, start=1):
            if video:
                people = video.detect(frame.image, frame.time)
            else:
                people = self.detector.detect(frame.image)
            yield self._lifted(frame, people)
            if progress:
                progress(done, self.total)

    def _lifted(self, frame: media.Frame, people: list[Pose2D]) -> FramePoses:
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

    def sequence(self, frames: Iterator[FramePoses]) -> PoseSequence:
        """Consumes the frames and gathers their poses; pictures are not kept."""
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
