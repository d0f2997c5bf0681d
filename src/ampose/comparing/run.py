"""From two results to a folder that shows how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ampose.analysis import Angles, Preset, angles_of, events_of
from ampose.analysis.alignment import Method
from ampose.analysis.comparison import Comparison, compare
from ampose.analysis.mirroring import mirrored
from ampose.comparing import figures
from ampose.comparing.footage import Footage
from ampose.comparing.page import write_page
from ampose.comparing.pair import Pair, Recording
from ampose.comparing.tables import write_tables
from ampose.comparing.video import write_video
from ampose.errors import InputError
from ampose.export import read_npz
from ampose.export.folder import ResultFolder, poses_file
from ampose.export.writing import replacing
from ampose.media.sources import find_source
from ampose.motion.choice import chosen, parse_choice
from ampose.poses import PoseSequence
from ampose.render import privacy
from ampose.render.words import visible

FILES = (
    "compare.html",
    "compare.mp4",
    "compare.svg",
    "compare.png",
    "compare.csv",
    "compare_curves.csv",
    "compare.json",
)


@dataclass(frozen=True)
class Side:
    """What is said of one of the two recordings.

    Attributes:
        source: ``poses.npz`` or the folder that holds it.
        name: as the user calls it; the folder's if None.
        person: who is meant, see `ampose.motion.choice`; who is there longest if None.
        video: what it was made from; looked for beside the result if None.
        mirror: show and measure its mirror image.
    """

    source: Path
    name: str | None = None
    person: str | None = None
    video: Path | None = None
    mirror: bool = False


def compare_results(
    a: Side,
    b: Side,
    out: Path,
    *,
    angles: Sequence[str] | None = None,
    preset: Preset | None = None,
    method: Method = "dtw",
    blur_faces: bool = False,
    force: bool = False,
) -> Pair:
    """Compares two recordings and writes `FILES`.

    Args:
        a: the first.
        b: the second.
        out: folder for the files.
        angles: names; those of the preset, or of class A, if None.
        preset: movement, which chooses the angles and the event from which rotations count.
        method: how moments are aligned, see `ampose.analysis.alignment.align`.
        blur_faces: cover everybody's face in the video; done anyway if one of the recordings was
            made with covered faces.
        force: replace files that are there already.

    Raises:
        InputError: a recording, a name or `out` cannot be used; `out` then stays as it was.
    """
    folder = ResultFolder(out, force=force)
    pair = _pair(a, b, angles, preset, method, blur_faces=blur_faces)
    drawn = figures.curves(pair)
    with folder as place:
        write_video(pair, place / "compare.mp4")
        for kind, content in drawn.items():
            with replacing(place / f"compare.{kind}") as file:
                file.write(content)
        write_tables(pair, place)
        write_page(pair, place, drawn["svg"])
    return pair


def _pair(
    a: Side,
    b: Side,
    names: Sequence[str] | None,
    preset: Preset | None,
    method: Method,
    *,
    blur_faces: bool,
) -> Pair:
    if names is None and preset is not None:
        names = preset.angles
    notes: list[str] = []
    measured: list[tuple[Recording, Angles]] = []
    sides, labels = (a, b), _labels(a, b)
    people = [_person(side, label) for side, label in zip(sides, labels, strict=True)]
    blur_faces |= any(privacy.was_asked(sequence.provenance) for sequence, _ in people)
    for side, label, (sequence, told) in zip(sides, labels, people, strict=True):
        notes += told
        footage, told = _footage(side, sequence, label, blur_faces=blur_faces)
        notes += told
        sequence = mirrored(sequence) if side.mirror else sequence
        reference, told = _reference(sequence, preset, label)
        notes += told
        found = angles_of(sequence, names, reference=reference)
        measured.append((Recording(label, sequence, footage, side.mirror), found))
    (first, of_a), (second, of_b) = measured
    comparison: Comparison = compare(of_a, of_b, method=method)
    if blur_faces and (first.footage or second.footage):
        notes += privacy.warnings()
    kept = dict.fromkeys((*comparison.warnings, *notes))
    return Pair(first, second, comparison, tuple(kept), blur_faces)


def _labels(a: Side, b: Side) -> tuple[str, str]:
    """The names of the two, told apart if they are the same."""
    first, second = (
        visible(each.name or poses_file(each.source).resolve().parent.name) or word
        for each, word in ((a, "A"), (b, "B"))
    )
    return (first, second) if first != second else (f"{first} (A)", f"{second} (B)")


def _person(side: Side, label: str) -> tuple[PoseSequence, list[str]]:
    """The poses of the one person who is meant, and a note if that was a guess."""
    sequence = read_npz(poses_file(side.source))
    if not sequence.person_count:
        raise InputError(f"{side.source} shows nobody")
    choice = parse_choice(side.person or "longest")
    if choice.rule == "all":
        raise InputError("one person of each is compared; --person-a and --person-b say who")
    (place,) = chosen(choice, sequence.ids, sequence.keypoints)
    notes = []
    if side.person is None and sequence.person_count > 1:
        notes.append(
            f"{label} shows {sequence.person_count} people; person {sequence.ids[place]}, who is "
            "there longest, is compared."
        )
    return sequence.only([place]), notes


def _footage(
    side: Side, sequence: PoseSequence, label: str, *, blur_faces: bool
) -> tuple[Footage | None, list[str]]:
    """The recording's pictures, or None, and a note that says why."""
    path = side.video
    if path is None:
        name = str(sequence.provenance.get("source", ""))
        path = find_source(name, poses_file(side.source))
    if path is None:
        return None, [
            f"{label}: the recording itself was not found beside it, so the skeleton alone is "
            "shown; --video-a and --video-b say where it is."
        ]
    try:
        return Footage(sequence, path, blur=blur_faces), []
    except InputError as error:
        if side.video is not None:
            raise
        return None, [f"{label}: {error}; the skeleton alone is shown."]


def _reference(
    sequence: PoseSequence, preset: Preset | None, label: str
) -> tuple[int | None, list[str]]:
    """The frame from which rotations count in a movement, if it has one, and a note of it."""
    if preset is None or preset.reference is None:
        return None, []
    events, _ = events_of(sequence, preset)
    found = [event.frame for event in events if event.name == preset.reference]
    frames = [frame for frame in found if np.isfinite(sequence.joints[frame]).all()]
    if not frames:
        return None, [
            f"{label}: no {preset.reference} was found, so rotations are relative to the camera."
        ]
    return frames[0], [f"{label}: rotations count from the {preset.reference}, frame {frames[0]}."]
