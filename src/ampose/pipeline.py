"""The whole way on one page: picture or keypoints to 3D poses, and to a folder of results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ampose import media
from ampose.cameras import Camera
from ampose.detection import MIN_SCORE, PoseDetector, load_detector
from ampose.errors import InputError
from ampose.export.folder import ResultFolder
from ampose.keypoint_files import DEFAULT_FPS, load_keypoints
from ampose.lifting import Lifter
from ampose.mapping import Mapping
from ampose.motion.following import VideoDetector
from ampose.poses import FramePoses, Pose2D, PoseSequence
from ampose.results import (
    Progress,
    gather,
    on_black,
    overlay_pictures,
    overlay_video,
    write_poses,
)

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
        threads: for the networks; one per physical core if None.
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

    Raises:
        InputError: the source or an option cannot be used; at once, or from the iterator where
            the source turns out bad later.
    """
    return _Run(Path(source), options or Options()).poses()


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
    work = _Run(Path(source), options or Options())
    if out is None:
        return work.sequence(work.poses(progress))
    with ResultFolder(Path(out), force=force) as folder:
        frames = work.poses(progress)
        if work.moving:
            frames = overlay_video(frames, folder / "overlay.mp4", work.fps)
        else:
            frames = overlay_pictures(frames, folder, single=work.kind == "photo")
        sequence = work.sequence(frames)
        write_poses(sequence, folder)
    return sequence


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
            rest = overlay_video(frames, folder / "overlay.mp4", options.fps or DEFAULT_FPS)
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
