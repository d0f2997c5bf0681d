"""The formats that ``--format`` knows: what each is, and what writes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.analysis import NOTICE, Angles, angles_of
from ampose.errors import InputError
from ampose.export.bvh import write_bvh
from ampose.export.c3d import write_c3d
from ampose.export.csv_tables import write_csv, write_wide_csv
from ampose.export.glb import write_glb
from ampose.export.markers import marker_notes
from ampose.export.mot import whole_rows, write_mot
from ampose.export.poses_json import write_json
from ampose.export.poses_npz import write_npz
from ampose.export.rrd import need_rerun, write_rrd
from ampose.export.takes import clock, frame_notes, has_times
from ampose.export.takes import notes as rig_notes
from ampose.export.trc import write_trc
from ampose.export.writing import UnfitError
from ampose.poses import PoseSequence

Array = NDArray[np.floating]
Notes = Callable[[PoseSequence], Iterable[str]]

MOT_NOTES = (
    "Joint angles estimated from one camera, named as in ampose's docs/angles.md.",
    "They are not coordinates of an OpenSim model: use them as curves, not to drive one.",
)
"""In the header of every MOT file, before what `ampose.analysis` warns of."""


def _nothing(sequence: PoseSequence) -> tuple[str, ...]:
    del sequence
    return ()


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        files: their names, ``<id>`` standing for a person's.
        what: one sentence.
        write: writes a sequence's files into a folder.
        notes: what a user should know of these files of a sequence.
        check: raises InputError where a package is missing.
    """

    files: str
    what: str
    write: Callable[[PoseSequence, Path], object]
    notes: Notes = _nothing
    check: Callable[[], None] = lambda: None


def _mot(sequence: PoseSequence, folder: Path) -> None:
    for identity, angles in _each(sequence):
        times, columns, left_out = _curves(angles)
        if len(times):
            path = folder / f"person_{identity}.mot"
            notes = (*MOT_NOTES, *left_out, *angles.warnings, NOTICE)
            write_mot(times, columns, path, notes=notes)


def _mot_notes(sequence: PoseSequence) -> Iterable[str]:
    everybody = list(_each(sequence))
    yield from MOT_NOTES
    for identity, angles in everybody:
        for note in _curves(angles)[2]:
            yield f"MOT of person {identity}: {note}"
    for _, angles in everybody:
        yield from angles.warnings
    yield NOTICE


def _each(sequence: PoseSequence) -> Iterator[tuple[int, Angles]]:
    """The angles of each person alone, so that a person's file warns only of them."""
    for person, identity in enumerate(sequence.ids.tolist()):
        yield identity, angles_of(sequence.only([person]))


def _curves(angles: Angles) -> tuple[Array, dict[str, Array], tuple[str, ...]]:
    """One person's times, curves and notes; see `whole_rows`."""
    times = angles.times if has_times(angles.times) else clock(angles.times)
    return whole_rows(times, angles.of_person(0))


FORMATS = {
    "npz": Format(
        "poses.npz",
        "Everything, for Python; ampose export and ampose angles read it.",
        lambda sequence, folder: write_npz(sequence, folder / "poses.npz"),
    ),
    "json": Format(
        "poses.json",
        "Everything, for other languages, with a JSON Schema.",
        lambda sequence, folder: write_json(sequence, folder / "poses.json"),
    ),
    "csv": Format(
        "poses.csv",
        "A row per frame, person and joint.",
        lambda sequence, folder: write_csv(sequence, folder / "poses.csv"),
    ),
    "csv-wide": Format(
        "poses_wide.csv",
        "A row per frame, a column per person, joint and axis.",
        lambda sequence, folder: write_wide_csv(sequence, folder / "poses_wide.csv"),
        frame_notes,
    ),
    "bvh": Format(
        "person_<id>.bvh",
        "A turning skeleton for MotionBuilder, Blender and Mixamo's names.",
        write_bvh,
        rig_notes,
    ),
    "glb": Format(
        "poses.glb",
        "Everybody as animated figures, for Blender, three.js and viewers of glTF.",
        lambda sequence, folder: write_glb(sequence, folder / "poses.glb"),
        rig_notes,
    ),
    "c3d": Format(
        "person_<id>.c3d",
        "Markers for motion laboratories' programs.",
        write_c3d,
        marker_notes,
    ),
    "trc": Format(
        "person_<id>.trc",
        "Markers for OpenSim, named as Pose2Sim does.",
        write_trc,
        marker_notes,
    ),
    "mot": Format(
        "person_<id>.mot",
        "Joint angles of class A as curves, for OpenSim's plots.",
        _mot,
        _mot_notes,
    ),
    "rrd": Format(
        "poses.rrd",
        "A recording for the viewer of rerun.io; needs the extra rerun.",
        lambda sequence, folder: write_rrd(sequence, folder / "poses.rrd"),
        frame_notes,
        need_rerun,
    ),
}
"""Every format by the name that users type."""

ALWAYS = ("npz", "json")
"""What a run writes anyway."""


def parse_formats(text: str) -> tuple[str, ...]:
    """Names from text such as ``bvh,glb``, each once.

    Raises:
        InputError: as in `known_formats`.
    """
    return known_formats(word.strip().lower() for word in text.split(","))


def known_formats(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once.

    Raises:
        InputError: one is unknown, and the message lists the known ones; or it needs a package
            that is not there.
    """
    wanted = tuple(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in FORMATS]:
        raise InputError(f"unknown format {unknown[0][:40]!r}; known are {', '.join(FORMATS)}")
    for name in wanted:
        FORMATS[name].check()
    return wanted


def spare_source(source: Path, folder: Path, files: Iterable[str]) -> None:
    """Refuse to write files over what they are made of, which `--force` does not mean.

    Args:
        source: what is read.
        folder: where to write.
        files: names of files to be written there.

    Raises:
        InputError: `source` is one of them.
    """
    whole = source.resolve()
    if whole.name in files and whole.parent == folder.resolve():
        raise InputError(f"{source} would be replaced by its own result; take another -o")


def format_files(names: Iterable[str], folder: Path, left: Collection[str] = ()) -> str:
    """The files of these formats that were written into a folder, each once, in words.

    Where nobody was found there are none of people.

    Args:
        names: of `FORMATS`.
        folder: that holds them.
        left: names of files there that were not written now, see `left_from_before`.
    """
    files = (FORMATS[name].files for name in dict.fromkeys(names))
    there = [each for each in files if _found(each, folder) - {*left}]
    return ", ".join(there) or "no files, as nobody is there to be written"


def left_from_before(folder: Path) -> list[str]:
    """Files of formats that an earlier result left, as `--force` replaces but removes nothing.

    A run writes ``poses.npz`` before all other formats, so older files are not its own.
    """
    written = _changed(folder / "poses.npz")
    found = set[str]().union(*(_found(each.files, folder) for each in FORMATS.values()))
    return sorted(name for name in found if _changed(folder / name) < written)


def _found(files: str, folder: Path) -> set[str]:
    """Names of a format's files in a folder."""
    return {path.name for path in folder.glob(files.replace("<id>", "[0-9]*"))}


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns


def write_formats(
    sequence: PoseSequence, folder: Path | str, names: Iterable[str], *, partly: bool = False
) -> tuple[str, ...]:
    """Write the named formats into a folder that is there.

    Args:
        sequence: what to write.
        folder: where to.
        names: of `FORMATS`.
        partly: leave out a format that cannot hold this sequence, and say so, rather than raise,
            so that a long computation is not lost.

    Returns:
        what a user of these files should know of them, each thing once.

    Raises:
        InputError: a name is unknown, a file cannot be written, or (`ampose.export.writing`'s
            UnfitError) a format cannot hold this sequence.
    """
    said: list[str] = []
    for name in known_formats(names):
        try:
            FORMATS[name].write(sequence, Path(folder))
        except UnfitError as error:
            if not partly:
                raise
            said.append(f"{name} is left out: {error}.")
        else:
            said += FORMATS[name].notes(sequence) if sequence.person_count else ()
    return tuple(dict.fromkeys(said))
