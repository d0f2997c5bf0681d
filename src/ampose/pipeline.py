"""The whole way on one page: picture or keypoints to 3D poses, and to a folder of results."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from ampose import media
from ampose.errors import InputError
from ampose.export.folder import ResultFolder
from ampose.flow import StageTime
from ampose.formats import ALWAYS, FORMATS, known_formats, spare_source, write_formats
from ampose.keypoint_files import DEFAULT_FPS, load_keypoints
from ampose.lifting import Lifter
from ampose.live import DEFAULT_PORT, Meter, Page, Status, attended
from ampose.motion.choice import chosen, parse_choice
from ampose.motion.cleaning import Repairs, motion_of
from ampose.motion.tracks import Tracks, identified
from ampose.options import Options
from ampose.poses import FramePoses, PoseSequence
from ampose.render.privacy import was_asked
from ampose.results import (
    OVERLAY_PHOTO,
    OVERLAY_VIDEO,
    DrawnFrame,
    Progress,
    converted,
    drawn,
    on_black,
    overlay_pictures,
    overlay_video,
)
from ampose.running import Live, Run

Noted = Callable[[str], object]
"""Called with one line of text for the user."""

_TIMELESS = (
    "The frames' times are not known, so each is lifted by itself, without repairs or smoothing; "
    "--fps gives them."
)


def stream(source: Path | str, options: Options | None = None) -> Iterator[FramePoses]:
    """Poses of a photo, a video or a folder of photos, frame by frame, in bounded memory.

    Also of a camera, ``camera:0``: then always of its newest frame, until the iterator is closed.

    Raises:
        InputError: the source or an option cannot be used; at once, or from the iterator where
            the source turns out bad later.
    """
    return _Stream(Run(Path(source), options or Options()))


class _Stream(Iterator[FramePoses]):
    """The frames of a run; closing it lets go of the source, also before the first of them."""

    def __init__(self, work: Run) -> None:
        self._work = work
        self._frames = work.lifted()

    def __next__(self) -> FramePoses:
        return next(self._frames)

    def close(self) -> None:
        self._frames.close()
        self._work.close()


def run(
    source: Path | str,
    out: Path | str | None = None,
    options: Options | None = None,
    *,
    formats: Iterable[str] = (),
    force: bool = False,
    progress: Progress | None = None,
    noted: Noted | None = None,
) -> PoseSequence:
    """3D poses of everybody in a photo, a video or a folder of photos.

    Args:
        source: the file or folder.
        out: folder for ``poses.npz``, ``poses.json`` and the overlay; nothing is written if None.
        options: how; see `Options`.
        formats: files to write beside these, by the names of `ampose.formats.FORMATS`.
        force: replace results that are there already.
        progress: called after each frame; those of a recording are read twice if `out` is given.
        noted: called with each thing that a user of the formats should know of their files.

    Raises:
        InputError: the source, an option or `out` cannot be used; `out` is then as it was.
    """
    if media.camera_number(str(source)) is not None:
        raise InputError(f"{source} has no end; use ampose.stream or ampose.pipeline.run_live")
    formats = _wanted(formats, out)
    options = options or Options()
    if out is None:  # there is no picture
        options = replace(options, blur_faces=False)
    target = None if out is None else _target(out, source, formats, force=force)

    def half(done_before: int) -> Progress:
        """Progress of one of the two passes over the frames: to find people, and to draw."""

        def told(done: int, total: int | None) -> None:
            if progress:
                progress(done_before + done, total and 2 * total)

        return told

    with closing(Run(Path(source), options)) as work:
        if target is None:
            if work.moving:
                return work.moved(progress)
            return work.sequence(work.told(work.lifted(), progress))
        with target as folder:
            if work.moving:
                sequence = work.moved(half(0))
                pictures = work.recorded(work.redrawn(sequence), folder)
                for _ in work.told(pictures, half(sequence.frame_count)):
                    pass
            else:
                frames = overlay_pictures(work.lifted(), folder, single=work.kind == "photo")
                sequence = work.sequence(work.told(frames, progress))
            sequence = _with_old_faces_told(sequence, target.path, folder)
            _write(sequence, folder, formats, noted)
        return sequence


@dataclass(frozen=True)
class LiveReport:
    """How a live run went.

    Attributes:
        url: of the page.
        status: frames shown and dropped, rate and delay.
        stages: what each stage took.
        sequence: what was recorded, if anything was.
        warnings: sentences about what limits it.
    """

    url: str
    status: Status
    stages: tuple[StageTime, ...]
    sequence: PoseSequence | None = None
    warnings: tuple[str, ...] = ()


def run_live(
    source: Path | str,
    out: Path | str | None = None,
    options: Options | None = None,
    *,
    port: int = DEFAULT_PORT,
    formats: Iterable[str] = (),
    force: bool = False,
    noted: Noted | None = None,
    tell: Callable[[LiveReport], object] | None = None,
) -> LiveReport:
    """3D poses from a camera, or a video played as if it were one, shown on a page meanwhile.

    Every step takes the newest frame; frames for which there was no time are dropped. Ctrl-C or
    the end of the video ends the run, and what was recorded is then complete.

    Args:
        source: ``camera:0``, or a video file.
        out: folder for what `run` writes, of the frames that were shown; only the page if None.
        options: how; see `Options`.
        port: of the page, on this machine alone; 0 picks a free one.
        formats: as in `run`.
        force: replace results that are there already.
        noted: as in `run`.
        tell: called with how it goes, once the page is there and then about twice a second.

    Raises:
        InputError: the source, the port, an option or `out` cannot be used, or the run broke off;
            `out` is then as it was.
    """
    formats = _wanted(formats, out)
    meter, stop = Meter(), threading.Event()
    target = None if out is None else _target(out, source, formats, force=force)
    with (
        Page(lambda: meter.status, port) as page,
        closing(Run(Path(source), options or Options(), live=Live(stop, meter))) as work,
    ):

        def report(sequence: PoseSequence | None = None) -> LiveReport:
            warnings = tuple(dict.fromkeys(work.warnings))
            return LiveReport(page.url, meter.status, tuple(work.at.times()), sequence, warnings)

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

        with target or nullcontext() as folder:
            told()
            sequence = attended(lambda: job(folder), stop, told)
            if target and folder and sequence:
                sequence = _with_old_faces_told(sequence, target.path, folder)
                _write(sequence, folder, formats, noted)
        return report(sequence)


def lift_file(
    source: Path | str,
    out: Path | str | None = None,
    options: Options | None = None,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    formats: Iterable[str] = (),
    force: bool = False,
    progress: Progress | None = None,
    noted: Noted | None = None,
) -> PoseSequence:
    """3D poses from a file (or OpenPose folder) of 2D keypoints.

    Args:
        source: see `ampose.keypoint_files`.
        out: as in `run`; the overlay has no picture behind it.
        options: how; those about pictures and the detector change nothing.
        skeleton: joint set by name, where the file does not name it.
        image_size: (width, height) in pixels, where the file does not hold it.
        formats: as in `run`.
        force: replace results that are there already.
        progress: called after each overlay frame.
        noted: as in `run`.

    Raises:
        InputError: the file, an option or `out` cannot be used; `out` is then as it was.
    """
    formats = _wanted(formats, out)
    options = options or Options()
    target = None if out is None else _target(out, source, formats, force=force)
    file = load_keypoints(Path(source), skeleton=skeleton, image_size=image_size, fps=options.fps)
    if file.image_size is None:
        raise InputError(f"{source} does not say how large the image was; give --image-size WxH")
    lifter = Lifter(options.weights, mapping=options.mapping, threads=options.threads)
    camera = options.camera_of_size(file.image_size)
    tracks = Tracks(file.keypoints, file.scores, file.ids, file.times, file.skeleton, camera)
    recorded = file.timed and len(file.times) > 1
    repairs = options.repairs if recorded else Repairs.none(height=options.height)
    notes: tuple[str, ...] = ()
    if recorded and not file.identified:
        tracks = identified(tracks)
    elif not recorded and len(file.times) > 1 and not options.frame_by_frame:
        notes = (_TIMELESS,)
    tracks = tracks.only(chosen(parse_choice(options.person), tracks.ids, tracks.keypoints))
    sequence = motion_of(tracks, lifter, repairs)
    sequence = replace(
        sequence,
        provenance={
            **sequence.provenance,
            "source": Path(source).name,
            "options": options.as_dict(),
        },
        warnings=(*file.warnings, *notes, *sequence.warnings),
    )
    if target is None:
        return sequence
    with target as folder:
        frames = on_black(sequence, Path(source).name, progress)
        if sequence.frame_count > 1:
            fps = options.fps or DEFAULT_FPS
            rest = overlay_video(converted(drawn(frames)), folder / OVERLAY_VIDEO, fps)
        else:
            rest = overlay_pictures(frames, folder, single=True)
        for _ in rest:
            pass
        _write(sequence, folder, formats, noted)
    return sequence


def _wanted(formats: Iterable[str], out: Path | str | None) -> tuple[str, ...]:
    """The formats to write, checked before anything is computed."""
    wanted = known_formats(formats)
    if wanted and out is None:
        raise InputError(f"{', '.join(wanted)}: formats need a folder to be written to")
    return known_formats((*ALWAYS, *wanted))


def _target(
    out: Path | str, source: Path | str, formats: tuple[str, ...], *, force: bool
) -> ResultFolder:
    """The folder of the results, refused before anything is computed."""
    files = [OVERLAY_VIDEO, OVERLAY_PHOTO, *(FORMATS[name].files for name in formats)]
    spare_source(Path(source), Path(out), files)
    return ResultFolder(Path(out), force=force)


def _write(
    sequence: PoseSequence, folder: Path, formats: tuple[str, ...], noted: Noted | None
) -> None:
    for note in write_formats(sequence, folder, formats, partly=True):
        if noted:
            noted(note)


def _with_old_faces_told(sequence: PoseSequence, out: Path, folder: Path) -> PoseSequence:
    """The sequence, with a warning if older pictures beside blurred ones may show faces."""
    if not was_asked(sequence.provenance):
        return sequence
    if not (old := sorted(_overlays(out) - _overlays(folder))):
        return sequence
    told = (
        f"{out.name} still holds {len(old)} picture(s) or video(s) of an earlier run that may "
        f"show faces, such as {old[0]}."
    )
    return replace(sequence, warnings=(*sequence.warnings, told))


def _overlays(folder: Path) -> set[str]:
    files = (*folder.glob("overlay.*"), *folder.glob("overlay/*"))
    return {str(path.relative_to(folder)) for path in files}
