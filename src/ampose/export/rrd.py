"""RRD: a recording for the viewer of rerun.io; needs the extra ``rerun``.

Everybody in one file, metres, y up, in the axes of `takes.upright`: ``world/person_<id>`` has the
joints, ``world/person_<id>/bones`` what connects them, and ``image/person_<id>`` the keypoints in
pixels. Timelines are ``frame``, from 0, and ``time``, the recording's seconds; photos have only
the first. What is absent in a frame is empty there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ampose.errors import InputError
from ampose.export.takes import has_times, upright
from ampose.export.writing import replacing
from ampose.poses import PoseSequence


def need_rerun() -> None:
    """Checks that rerun is installed.

    Raises:
        InputError: it is not; the message has the line that installs it.
    """
    _rerun()


def write_rrd(sequence: PoseSequence, path: Path | str) -> None:
    """Write everybody.

    Raises:
        InputError: rerun is not installed, or the file cannot be written. Nothing is left behind.
    """
    rerun = _rerun()
    # rerun writes to paths only.
    with replacing(path) as file, tempfile.TemporaryDirectory() as place:
        whole = Path(place) / Path(path).name
        recording = rerun.RecordingStream("ampose")
        recording.save(str(whole))
        _log(rerun, recording, sequence)
        recording.flush()
        recording.disconnect()
        file.write(whole.read_bytes())


def _log(rerun: Any, recording: Any, sequence: PoseSequence) -> None:
    recording.log("world", rerun.ViewCoordinates.RIGHT_HAND_Y_UP, static=True)
    places = upright(sequence)
    edges = np.array(sequence.skeleton.edges)
    timed = has_times(sequence.times)
    for frame, time in enumerate(sequence.times.tolist()):
        recording.set_time("frame", sequence=frame)
        if timed:
            recording.set_time("time", duration=time)
        for person, identity in enumerate(sequence.ids.tolist()):
            name = f"person_{identity}"
            joints = places[frame, person]
            bones = joints[edges]
            bones = bones[np.isfinite(bones).all((-2, -1))]
            keypoints = sequence.keypoints[frame, person]
            there, seen = np.isfinite(joints).all(-1), np.isfinite(keypoints).all(-1)
            recording.log(f"world/{name}", rerun.Points3D(joints[there]))
            recording.log(f"world/{name}/bones", rerun.LineStrips3D(bones))
            recording.log(f"image/{name}", rerun.Points2D(keypoints[seen]))


def _rerun() -> Any:
    try:
        import rerun
    except ImportError as error:
        raise InputError(
            'rrd needs rerun, which is not installed: pip install "ampose[rerun]"'
        ) from error
    return rerun
