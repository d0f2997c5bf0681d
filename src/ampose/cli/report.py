"""``ampose report``: a finished result as a page and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import (
    OUT_FLAGS,
    PRESETS,
    BlurFaces,
    Config,
    Force,
    ResultSource,
    read_result,
)
from ampose.cli.events import EventsFile, Handed
from ampose.cli.motion_options import Person
from ampose.errors import InputError
from ampose.files import sha256_of


def report(
    source: ResultSource,
    out: Annotated[
        Path | None,
        typer.Option(*OUT_FLAGS, help="Folder for the report; else that of the poses."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help=f"Movement whose events and repetitions are looked for: {PRESETS}."),
    ] = None,
    corrected: EventsFile = None,
    handed: Handed = None,
    person: Person = "all",
    angles: Annotated[
        str | None,
        typer.Option(help="Names with commas; else those of the preset, or class A."),
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            help="What the poses came from, for pictures; else looked for beside the result."
        ),
    ] = None,
    format: Annotated[str, typer.Option("--format", help="html, pdf, or both.")] = "html,pdf",
    blur_faces: BlurFaces = False,
    force: Force = False,
    config: Config = None,
) -> None:
    """One page that explains itself, and the same on paper; needs the extra "report"."""
    del config
    from ampose.analysis import NOTICE, preset_named
    from ampose.event_files import read_events
    from ampose.export.folder import ResultFolder, poses_file
    from ampose.media.sources import find_source
    from ampose.render.privacy import was_asked
    from ampose.report import report_of
    from ampose.report.files import KINDS, parse_kinds, write_report

    kinds = parse_kinds(format)
    movement = None if preset is None else preset_named(preset)
    if corrected is not None and movement is None:
        raise InputError("--events needs --preset, which says what the events are of")
    if video is not None and not video.exists():
        raise InputError(f"{video} does not exist; check the path of --video")
    poses = poses_file(source)
    place = poses.parent if out is None else out
    if out is None and not force:
        _refuse_existing([place / KINDS[kind] for kind in kinds])
    target = ResultFolder(place, force=force or out is None)
    sequence = read_result(source, person)
    corrections = None
    if corrected is not None and movement is not None:
        corrections = read_events(corrected, sequence, movement)
    made = {"made from": poses.name, f"SHA-256 of {poses.name}": sha256_of(poses)}
    asked = {"preset": preset, "angles": angles, "person": person, "handed": handed}
    if corrected is not None:
        asked["events"] = corrected.name
    made["options of the report"] = ", ".join(f"{k}={v}" for k, v in asked.items() if v)
    name = str(sequence.provenance.get("source", ""))
    hide = None
    if blur_faces or was_asked(sequence.provenance):
        from ampose.report.faces import Faces  # which loads a detector

        hide = Faces()
    recording = video or find_source(name, poses)
    contents = report_of(
        sequence,
        title=name or poses.resolve().parent.name,
        angles=None if angles is None else angles.split(","),
        preset=movement,
        handed=handed,
        corrections=corrections,
        source=recording,
        source_guessed=video is None,
        made=made,
        hide=hide,
    )
    with target as folder:
        write_report(contents, folder, kinds)
    print(contents.summary)
    for warning in contents.warnings:
        print(f"note: {warning}")
    if contents.key_frames_note:
        print(contents.key_frames_note)
    if contents.key_frames and recording is None:
        print("--video says where the recording is, if pictures of it are wanted.")
    print(NOTICE)
    print(f"Results in {place}: {', '.join(KINDS[kind] for kind in kinds)}")


def _refuse_existing(paths: list[Path]) -> None:
    for path in paths:
        if path.exists():
            raise InputError(f"{path} is there already; take another -o, or --force to replace")
