"""MOT: named columns over time, as OpenSim's motion files have them.

Degrees. Cells are separated by white space and cannot be empty, and OpenSim's ``Storage`` silently
stops reading at the first ``nan``. So tables have whole rows only: see `whole_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.export.writing import replacing

Array = NDArray[np.floating]


LEAST_SHARE = 0.5
"""A column is kept if it is present in at least this share of the rows that hold anything."""


def whole_rows(
    times: Array, columns: Mapping[str, Array]
) -> tuple[Array, dict[str, Array], tuple[str, ...]]:
    """What can be written: columns that are mostly present, in the rows where all of them are.

    Args:
        times: (T,) seconds.
        columns: (T,) each, NaN where absent.

    Returns:
        times, columns, and notes of what was left out.
    """
    present = {name: np.isfinite(values) for name, values in columns.items()}
    anything = np.logical_or.reduce([*present.values(), np.zeros(len(times), bool)])
    least = max(LEAST_SHARE * anything.sum(), 1)
    kept = [name for name, there in present.items() if there.sum() >= least]
    rows = np.logical_and.reduce([*(present[name] for name in kept), anything])
    notes = []
    if rare := [name for name in columns if name not in kept]:
        notes.append(f"Mostly absent and left out: {', '.join(rare)}.")
    if absent := int((~rows).sum()):
        notes.append(f"{absent} of {len(times)} frames lack an angle and are left out.")
    return times[rows], {name: columns[name][rows] for name in kept}, tuple(notes)


def write_mot(
    times: Array, columns: Mapping[str, Array], path: Path | str, *, notes: Iterable[str] = ()
) -> None:
    """Write columns (T,), degrees, at times (T,), seconds, which may be uneven.

    Args:
        times: of the rows.
        columns: by name, without white space.
        path: the file.
        notes: lines for people, in the header.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
        ValueError: a name with white space, which would make two columns of one, or a value NaN.
    """
    if bad := [name for name in columns if len(name.split()) != 1]:
        raise ValueError(f"{bad[0]!r} is no name of a column: white space separates columns")
    table = np.stack([times, *columns.values()], axis=1)
    if not np.isfinite(table).all():
        raise ValueError("MOT has no word for what is absent; see whole_rows")
    header = (
        "Coordinates",
        "version=1",
        f"nRows={len(table)}",
        f"nColumns={table.shape[1]}",
        "inDegrees=yes",
        "",
        *(" ".join(note.split()) for note in notes),
        "",
        "endheader",
        "\t".join(["time", *columns]),
    )
    with replacing(path) as file:
        file.write("\n".join(header).encode() + b"\n")
        np.savetxt(file, np.round(table, 6) + 0.0, fmt="%.6f", delimiter="\t")
