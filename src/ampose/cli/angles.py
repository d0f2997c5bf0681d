"""``ampose angles``: joint angles of a finished recording."""

from __future__ import annotations

from typing import Annotated

import typer

from ampose.cli.common import Config, Force, Out, ResultSource, counted_people, read_result
from ampose.cli.motion_options import Person


def angles(
    source: ResultSource,
    out: Out,
    force: Force = False,
    names: Annotated[
        str | None,
        typer.Option(
            "--angles", help="Names with commas, such as knee_flexion,x_factor; else class A."
        ),
    ] = None,
    class_b: Annotated[
        bool, typer.Option("--class-b", help="Also the angles of class B, which are less certain.")
    ] = False,
    reference_frame: Annotated[
        int | None,
        typer.Option(help="Frame in which pelvis and shoulder-line rotation are zero; address."),
    ] = None,
    peak_velocities: Annotated[
        bool, typer.Option("--peak-velocities", help="Also the fastest moments; 120 frames/s up.")
    ] = False,
    person: Person = "all",
    config: Config = None,
) -> None:
    """Joint angles with error bars and what limits them; docs/angles.md defines each."""
    del config
    from ampose import analysis
    from ampose.angle_files import write_angles
    from ampose.export.folder import ResultFolder

    sequence = read_result(source, person)
    found = analysis.angles_of(
        sequence,
        None if names is None else names.split(","),
        class_b=class_b,
        reference=reference_frame,
    )
    peaks = analysis.peak_velocities(found) if peak_velocities else None
    with ResultFolder(out, force=force) as folder:
        write_angles(found, folder, peaks=peaks)
    people = counted_people(len(found.ids))
    print(f"{len(found.names)} angles of {people} in {len(found.times)} frame(s)")
    for warning in (*found.warnings, *(peaks.warnings if peaks else ())):
        print(f"note: {warning}")
    print(analysis.NOTICE)
    print(f"Results in {out}: angles.csv, angles.json")
