"""MOT: named columns over time, as OpenSim's motion files have them.

Degrees. What is absent is ``nan``: cells are told apart by white space and cannot be empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.export.writing import replacing

Array = NDArray[np.floating]


def write_mot(
    times: Array, columns: Mapping[str, Array], path: Path, *, notes: Iterable[str] = ()
) -> None:
    """Write columns (T,), degrees, at times (T,), seconds, which may be uneven.

    Args:
        times: of the rows.
        columns: by names without white space.
        path: the file.
        notes: lines for people, in the header.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
        ValueError: a name with white space, which would make two columns of one.
    """
    if bad := [name for name in columns if len(name.split()) != 1]:
        raise ValueError(f"{bad[0]!r} is no name of a column: white space separates columns")
    table = np.stack([times, *columns.values()], axis=1)
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
