"""``ampose export``: a finished result in other formats."""

from __future__ import annotations

from typing import Annotated

import typer

from ampose.cli.common import Config, Force, Out, ResultSource, counted_people, read_result
from ampose.cli.motion_options import Person


def export(
    source: ResultSource,
    out: Out,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            help="With commas: npz, json, csv, csv-wide, bvh, glb, c3d, trc, mot, rrd.",
        ),
    ],
    person: Person = "all",
    force: Force = False,
    config: Config = None,
) -> None:
    """A finished result in other formats; docs/usage.md says what is in each."""
    del config
    from ampose.export.folder import ResultFolder, poses_file
    from ampose.formats import FORMATS, format_files, parse_formats, spare_source, write_formats

    formats = parse_formats(format)
    spare_source(poses_file(source), out, [FORMATS[name].files for name in formats])
    sequence = read_result(source, person)
    with ResultFolder(out, force=force) as folder:
        notes = write_formats(sequence, folder, formats)
        written = format_files(formats, folder)
    print(f"{sequence.frame_count} frame(s), {counted_people(sequence.person_count)}")
    for note in notes:
        print(f"note: {note}")
    print(f"Results in {out}: {written}")
