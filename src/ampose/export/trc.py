"""TRC: one file per person, ``person_<id>.trc``, as OpenSim reads and Pose2Sim writes it.

Metres, y up; see `markers` for axes, names and the constant rate. Times are the recording's own.
A marker that is absent is ``NaN``, not empty: OpenSim 4.6 refuses rows that end with empty cells.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ampose.export.markers import MARKERS, Markers, markers
from ampose.export.writing import replacing
from ampose.poses import PoseSequence


def write_trc(sequence: PoseSequence, folder: Path | str) -> tuple[Path, ...]:
    """Write one file into `folder` for everybody who has a joint in at least one frame.

    Returns:
        the files, in the sequence's order of people.

    Raises:
        InputError: a file cannot be written, the joints are not Human3.6M's, or the times are too
            scattered for a constant rate. No file is left half-written.
    """
    paths = []
    for person in markers(sequence, "TRC"):
        path = Path(folder) / f"person_{person.id}.trc"
        with replacing(path) as file:
            file.write("\n".join(_header(person, path.name)).encode() + b"\n")
            file.writelines(_rows(person))
        paths.append(path)
    return tuple(paths)


def _header(person: Markers, name: str) -> tuple[str, ...]:
    frames, count = person.places.shape[:2]
    rate = f"{person.rate:.6f}".rstrip("0").rstrip(".")
    values = {
        "DataRate": rate,
        "CameraRate": rate,
        "NumFrames": frames,
        "NumMarkers": count,
        "Units": "m",
        "OrigDataRate": rate,
        "OrigDataStartFrame": 1,
        "OrigNumFrames": frames,
    }
    axes = "\t".join(f"X{n}\tY{n}\tZ{n}" for n in range(1, count + 1))
    return (
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        "\t".join(values),
        "\t".join(map(str, values.values())),
        "Frame#\tTime\t" + "\t".join(f"{marker}\t\t" for marker in MARKERS.values()),
        f"\t\t{axes}",
        "",
    )


def _rows(person: Markers) -> list[bytes]:
    rows = []
    flat = np.round(person.places, 6).reshape(len(person.places), -1) + 0.0
    for frame, (time, values) in enumerate(
        zip(person.times.tolist(), flat.tolist(), strict=True), 1
    ):
        cells = "\t".join("NaN" if value != value else f"{value:.6f}" for value in values)
        rows.append(f"{frame}\t{time:.6f}\t{cells}\n".encode())
    return rows
