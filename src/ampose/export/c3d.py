"""C3D: one file per person, ``person_<id>.c3d``, for motion laboratories' programs.

Millimetres, z up: x to the camera's right, y away from it; ``POINT:X_SCREEN`` and ``Y_SCREEN`` say
so in the usual way. A marker that is absent has residual -1. Labels are those of `markers`,
descriptions the names of our joints. C3D has no start time: frames count from 1, and
``AMPOSE:START_SECONDS`` holds the recording's own time of the first.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from ampose.export.markers import MARKERS, Markers, markers
from ampose.export.writing import UnfitError, replacing
from ampose.poses import PoseSequence

MOST_FRAMES = 65535
"""The most frames: the header counts them in 16 bits."""


def write_c3d(sequence: PoseSequence, folder: Path | str) -> tuple[Path, ...]:
    """Write one file into `folder` for everybody who has a joint in at least one frame.

    Returns:
        the files, in the sequence's order of people.

    Raises:
        InputError: a file cannot be written, the joints are not Human3.6M's, the recording is too
            long for the format, or its times are too scattered for a constant rate.
    """
    paths = []
    for person in markers(sequence, "C3D"):
        if len(person.places) > MOST_FRAMES:
            raise UnfitError(
                f"C3D holds at most {MOST_FRAMES} frames, here are {len(person.places)}; "
                "write TRC, or a part of the recording"
            )
        path = Path(folder) / f"person_{person.id}.c3d"
        content = _content(person)
        with replacing(path) as file:
            file.write(content)
        paths.append(path)
    return tuple(paths)


def _content(person: Markers) -> bytes:
    import ezc3d  # slow to import beside what most runs need

    document = ezc3d.c3d()
    for name, value in {
        "UNITS": ["mm"],
        "RATE": [person.rate],
        "LABELS": list(MARKERS.values()),
        "DESCRIPTIONS": list(MARKERS),
        "X_SCREEN": ["+X"],
        "Y_SCREEN": ["+Z"],
    }.items():
        document.add_parameter("POINT", name, value)
    document.add_parameter("AMPOSE", "START_SECONDS", [person.start])
    right, up, back = np.moveaxis(1000 * person.places, (2, 1), (0, 1))
    # ezc3d makes residual -1 of NaN.
    document["data"]["points"] = np.stack([right, -back, up, np.ones_like(up)])
    with tempfile.TemporaryDirectory() as place:  # ezc3d writes to paths only
        document.write(str(Path(place) / "person.c3d"))
        return (Path(place) / "person.c3d").read_bytes()
