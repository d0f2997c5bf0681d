"""One source on its way: decoded, detected, lifted and drawn, in steps that overlap."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ampose import media
from ampose.cameras import Camera
from ampose.detection import PoseDetector, load_detector
from ampose.errors import InputError
from ampose.flow import Stages, ahead, latest, made_at, share_threads
from ampose.keypoint_files import DEFAULT_FPS
from ampose.lifting import Lifter
from ampose.live import Meter, Smoother
from ampose.motion.bones import DEFAULT_STATURE
from ampose.motion.choice import LiveChoice, chosen, parse_choice
from ampose.motion.cleaning import Repairs, motion_of
from ampose.motion.filters import MIN_CUTOFF, OneEuro, filter_of
from ampose.motion.following import VideoDetector
from ampose.motion.tracks import Tracks
from ampose.options import Options, flag
from ampose.poses import FramePoses, Pose2D, PoseSequence
from ampose.render import privacy
from ampose.render.faces import blur_heads
from ampose.results import (
    OVERLAY_VIDEO,
    DrawnFrame,
    Progress,
    converted,
    drawn,
    frame_of,
    gather,
    overlay_video,
)
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]
Item = TypeVar("Item")

_ONLY_FOR = {
    "start": "video",
    "end": "video",
    "capture_fps": "video",
    "sequence": "folder",
    "fps": "folder",
}
"""Options that only one kind of source has; with others they bring a warning."""


@dataclass(frozen=True)
class Live:
    """What only live runs have; see `run_live`."""

    stop: threading.Event = field(default_factory=threading.Event)
    meter: Meter = field(default_factory=Meter)


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
        if self.kind == "folder" and not self.moving:
            _refuse_following(options.person)
        self.threads = share_threads(options.threads, live=self.live is not None)
        self.at = Stages(
            self.threads.places,
            threads={
                **dict.fromkeys(("find", "refine"), self.threads.detector),
                **dict.fromkeys(("lift", "motion"), self.threads.lifter),
            },
        )
        self.warnings: list[str] = []
        if ignored := self._meaningless():
            alone = self.kind == "folder" and not self.moving
            kind = "photos that stand alone" if alone else f"a {self.kind}"
            where = "what is live" if self.live else kind
            self.warnings.append(
                f"Options that mean nothing for {where} were ignored: {', '.join(ignored)}."
            )
        self.fps = options.fps or DEFAULT_FPS
        self.total: int | None = 1
        self._camera: Camera | None = None
        self._clock: media.Playback | media.Webcam | None = None
        self._unread: media.Video | media.Webcam | None = None
        self._frames = self._open()
        try:
            self.detector: PoseDetector = load_detector(
                options.detector,
                skeleton=options.detector_skeleton,
                min_score=options.min_score,
                threads=self.threads.detector,
                at=self.at,
            )
            self.lifter = Lifter(
                options.weights, mapping=options.mapping, threads=self.threads.lifter
            )
            self._faces: privacy.FaceCover | None = None
            if options.blur_faces:
                self.warnings += privacy.warnings(options.min_score)
                self._faces = privacy.FaceCover(self.detector, moving=self.moving, at=self.at)
        except BaseException:
            self.close()
            raise

    def _meaningless(self) -> list[str]:
        """Options that were given and change nothing here, as users write them."""
        options, flags = self.options, list[str]()
        for name, kind in _ONLY_FOR.items():
            out_of_place = self.kind != kind or (name == "fps" and not self.moving)
            if getattr(options, name) and out_of_place:
                flags.append(flag(name))
        if self.moving and not self.live:
            return flags
        used = {"height"}
        if self.live and options.filter != "savitzky-golay":
            used |= {"filter", "cutoff"} if options.filter == "one-euro" else {"filter"}
        for each in fields(Repairs):
            value = getattr(options, each.name)
            if each.name not in used and value != each.default:
                flags.append(f"--no-{each.name}" if value is False else flag(each.name))
        return flags

    def close(self) -> None:
        """Closes a source that nobody began to read; otherwise its reader closes it."""
        unread, self._unread = self._unread, None
        if unread:
            unread.close()

    def _open(self) -> Generator[media.Frame]:
        """Opens the source, so that a bad one is refused before anything is computed."""
        options = self.options
        if self._number is not None:
            self._unread = webcam = media.Webcam(self._number, self.at)
            self.total, self.fps, self._clock = None, webcam.fps, webcam
            return self._filmed(webcam, iter(webcam))
        if self.kind == "photo":
            photo = media.load_photo(self.source)
            if media.is_photo(self.source, animated=True):
                self.warnings.append(
                    f"{self.source.name} is an animation that cannot be read as a video; only its "
                    "first picture is used."
                )
            return (frame for frame in [photo])
        if self.kind == "folder":
            paths = media.photo_paths(self.source)
            self.total = len(paths)
            if options.sequence and options.fps is None:
                self.warnings.append(
                    f"{DEFAULT_FPS:g} frames per second are assumed; give --fps for true times."
                )
            return self._photos(paths)
        self._unread = video = media.Video(
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
        self._unread = None
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
        self, frames: Generator[media.Frame], *, twice: bool = False
    ) -> Generator[tuple[media.Frame, list[Pose2D]]]:
        """The people of each frame, in the full picture's pixels.

        No later step sees a face that is to be blurred, unless frames come `twice`: then faces are
        blurred the second time, when it is known where all heads are.
        """
        with closing(frames), ExitStack() as stack:
            video = None
            if self.moving:
                at_once = self.threads.detector
                pool = stack.enter_context(ThreadPoolExecutor(at_once)) if at_once > 1 else None
                video = VideoDetector(self.detector, each=pool.map if pool else map)
            for frame in frames:
                image = frame.image
                if video:
                    people, found = video.detect(image, frame.time), video.found
                else:
                    people = found = self.detector.detect(image)
                if self._faces and twice:
                    self._faces.note(image, found, frame.time)
                elif self._faces:
                    image = self._faces.cover(image, found, frame.time)
                in_full = [_in_full_picture(person, frame) for person in people]
                yield replace(frame, image=image), in_full

    def _chosen(
        self, detected: Generator[tuple[media.Frame, list[Pose2D]]]
    ) -> Generator[tuple[media.Frame, list[Pose2D]]]:
        """Only the people who are meant, as far as that is known without later frames."""
        choice = parse_choice(self.options.person)
        live = LiveChoice(choice) if self.moving else None
        with closing(detected):
            for frame, people in detected:
                if self.kind == "photo":  # so that who is chosen keeps the number
                    people = [replace(person, id=place) for place, person in enumerate(people)]
                keypoints = _stacked(people, self.detector.skeleton)[0]
                ids = np.array([person.id or 0 for person in people], np.int64)
                if live:
                    kept = live.update(ids, keypoints, frame.time)
                else:
                    kept = chosen(choice, np.arange(len(people)), keypoints[None])
                yield frame, [people[index] for index in kept]

    def _lifted(
        self, detected: Generator[tuple[media.Frame, list[Pose2D]]]
    ) -> Generator[FramePoses]:
        smoother = self._smoother()
        with closing(detected):
            for frame, people in detected:
                with self.at("lift"):
                    poses = self._lift(frame, people)
                if smoother:
                    with self.at("motion"):
                        poses = smoother(poses)
                yield poses

    def _smoother(self) -> Smoother | None:
        """The causal filter, if it was asked for or the run is live."""
        options = self.options
        if not self.moving or options.frame_by_frame or options.filter == "none":
            return None
        if options.filter != "one-euro" and not self.live:
            return None
        one_euro = options.filter == "one-euro" and options.cutoff
        make = partial(OneEuro, min_cutoff=one_euro or MIN_CUTOFF)
        return Smoother(make, make)

    def lifted(self) -> Generator[FramePoses]:
        """Detects and lifts frame by frame."""
        frames = self._beside(self._frames)
        detected = self._beside(self._chosen(self._detected(frames)))
        return self._beside(self._lifted(detected))

    def moved(self, progress: Progress | None = None) -> PoseSequence:
        """Detects in all frames, then lifts and repairs everybody's motion."""
        people, times, cameras = [], [], []
        with closing(self._detected(self._beside(self._frames), twice=True)) as detected:
            for frame, found in detected:
                people.append(found)
                times.append(frame.time)
                cameras.append(self._camera_of(frame))
                if progress:
                    progress(len(times), self.total)
        camera = cameras[0] if cameras else Camera.assumed((1, 1))
        if any(other.focal != camera.focal for other in cameras):
            self.warnings.append("The frames' focal lengths differ; the first is used for all.")
        tracks = Tracks.of(people, np.array(times), self.detector.skeleton, camera)
        tracks = tracks.only(
            chosen(parse_choice(self.options.person), tracks.ids, tracks.keypoints)
        )
        with self.at("motion"):
            sequence = motion_of(tracks, self.lifter, self.options.repairs)
        return self._told(sequence, filter_of(sequence.provenance))

    def redrawn(self, sequence: PoseSequence) -> Generator[DrawnFrame]:
        """The frames once more, with what `moved` made of them."""
        frames = self._beside(self._open())
        heads = self._faces.heads() if self._faces else None

        def posed() -> Generator[FramePoses]:
            with closing(frames):
                for t, frame in enumerate(frames):
                    image = frame.image
                    if heads is not None:
                        with self.at("blur"):
                            image = blur_heads(image, heads[t])
                    yield frame_of(sequence, t, image, frame.name, frame.index)

        return self._beside(drawn(posed(), self.at))

    def drawn(self) -> Generator[DrawnFrame]:
        """Detects, lifts and draws frame by frame."""
        return self._beside(drawn(self.lifted(), self.at))

    def recorded(self, pictures: Generator[DrawnFrame], folder: Path) -> Generator[FramePoses]:
        """Passes frames through and writes the overlay on the way."""
        path = folder / OVERLAY_VIDEO
        ready = converted(pictures, self.at)
        if not self.live:  # what was shown is recorded, nothing is dropped any more
            ready = self._beside(ready)
        return overlay_video(ready, path, self.fps, threads=self.threads.codec, at=self.at)

    def told(
        self, frames: Generator[FramePoses], progress: Progress | None
    ) -> Generator[FramePoses]:
        """Passes frames through and reports progress when each is dealt with."""
        with closing(frames):
            for done, frame in enumerate(frames, start=1):
                yield frame
                if progress:
                    progress(done, self.total)

    def _lift(self, frame: media.Frame, people: list[Pose2D]) -> FramePoses:
        skeleton = self.detector.skeleton
        camera = self._camera_of(frame)
        keypoints, scores = _stacked(people, skeleton)
        ids = [slot if person.id is None else person.id for slot, person in enumerate(people)]
        lifted = self.lifter.lift_people(keypoints, scores, skeleton, camera)
        size = (self.options.height or DEFAULT_STATURE) / DEFAULT_STATURE
        return FramePoses(
            frame.index,
            frame.time,
            frame.name,
            frame.image,
            camera,
            np.array(ids, np.int64),
            lifted.joints * size,
            lifted.root * size,
            lifted.sigma * size,
            lifted.keypoints,
            lifted.scores,
        )

    def _camera_of(self, frame: media.Frame) -> Camera:
        """The frame's camera; the same object as long as nothing changes."""
        known = self._camera
        if known is not None and known.source == "exif" and not self.moving:
            known = None  # of another photo
        if known is None or frame.camera is not None or known.size != frame.size:
            self._camera = known = self.options.camera_of_size(frame.size, frame.camera)
        return known

    def sequence(self, frames: Generator[FramePoses]) -> PoseSequence:
        """Consumes the frames and gathers their poses; pictures are not kept."""
        with closing(frames):
            sequence = gather(frames, height=self.options.height)
        return self._told(sequence, "one-euro" if self._smoother() else "none")

    def _told(self, sequence: PoseSequence, filtered: str) -> PoseSequence:
        """The sequence with provenance and warnings of the run and of the filter along time."""
        return replace(
            sequence,
            provenance={
                **self.lifter.provenance,
                **self.detector.provenance,
                "filter": filtered,
                "source": self.source.name,
                "options": self.options.as_dict(),
            },
            warnings=(*dict.fromkeys(self.warnings), *sequence.warnings),
        )


def _refuse_following(person: str) -> None:
    """Separate photos have no identities, so nobody can be followed through them.

    Raises:
        InputError: a choice that means one person in all of them.
    """
    if parse_choice(person).rule not in ("all", "largest"):
        raise InputError(
            f"--person {person} needs one photo or a recording; of separate photos it can be all "
            "or largest, or add --sequence"
        )


def _stacked(people: list[Pose2D], skeleton: Skeleton) -> tuple[Array, Array]:
    """Keypoints (P, J, 2) and scores (P, J)."""
    joints = len(skeleton)
    return (
        np.reshape([person.keypoints for person in people], (-1, joints, 2)),
        np.reshape([person.scores for person in people], (-1, joints)),
    )


def _in_full_picture(person: Pose2D, frame: media.Frame) -> Pose2D:
    """A pose found in a reduced picture, in the pixels of the full one."""
    height, width = frame.image.shape[:2]
    if frame.size == (width, height):
        return person
    scale = np.divide(frame.size, (width, height)).astype(np.float32)
    return replace(person, keypoints=person.keypoints * scale, box=person.box * np.tile(scale, 2))
