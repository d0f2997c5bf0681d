"""BVH: one file per person, ``person_<id>.bvh``, as MotionBuilder and Blender read it.

Centimetres, y up; see `takes` for the axes, and `rig` for names and rest pose. The root has six
channels, all others three; rotations are Z, X, Y: turned about y first, about z last. Degrees run
on across 180 rather than jump.

BVH has a constant frame time, no start time and no way to say that somebody is absent. All files
of a recording begin with its first frame and end with its last, so they fit each other. Where the
recording's times are even, its frames are kept as they are; otherwise the motion is resampled at
the usual step between frames. A person who is absent holds still. Every end site has a length,
because some programs need one: behind ankles and wrists it is `END_CENTIMETRES` straight on and
is not measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.export.even_times import even
from ampose.export.rig import PARENTS, RIG, TOP, rest_offsets
from ampose.export.takes import Take, clock, takes
from ampose.export.writing import replacing
from ampose.geometry import rotation_about
from ampose.poses import PoseSequence

Array = NDArray[np.floating]

END_CENTIMETRES = 5.0
"""Length of the ends behind ankles and wrists."""

_TURNING = [index for index, joint in enumerate(RIG) if joint.name != TOP]
_TURNED = ("Zrotation", "Xrotation", "Yrotation")


def write_bvh(sequence: PoseSequence, folder: Path | str) -> tuple[Path, ...]:
    """Write one file into `folder` for everybody who is there in at least one frame.

    Returns:
        the files, in the sequence's order of people.

    Raises:
        InputError: a file cannot be written, the joints are not Human3.6M's, or the times are
            scattered too widely for a constant frame time. No file is left half-written.
    """
    moments, step = even(clock(sequence.times), "BVH")
    paths = []
    for take in takes(sequence):
        path = Path(folder) / f"person_{take.id}.bvh"
        with replacing(path) as file:
            file.write("\n".join(_hierarchy(take)).encode())
            file.write(f"\nMOTION\nFrames: {len(moments)}\nFrame Time: {step:.10f}\n".encode())
            np.savetxt(file, _channels(take, moments), fmt="%.4f")
        paths.append(path)
    return tuple(paths)


def _hierarchy(take: Take) -> list[str]:
    offsets = 100 * rest_offsets(take.lengths)
    out = ["HIERARCHY"]
    open_joints: list[int] = []

    def say(*lines: str) -> None:
        out.extend("\t" * len(open_joints) + line for line in lines)

    def end_site(offset: Array) -> None:
        say("End Site", "{", f"\tOFFSET {_numbers(offset)}", "}")

    def close_down_to(joint: int) -> None:
        while open_joints and open_joints[-1] != joint:
            open_joints.pop()
            say("}")

    for index, joint in enumerate(RIG):
        close_down_to(joint.parent)
        if joint.name == TOP:
            end_site(offsets[index])
            continue
        say(f"{'JOINT' if open_joints else 'ROOT'} {joint.name}", "{")
        open_joints.append(index)
        place = () if index else ("Xposition", "Yposition", "Zposition")
        channels = (*place, *_TURNED)
        say(f"OFFSET {_numbers(offsets[index])}", f"CHANNELS {len(channels)} {' '.join(channels)}")
        if index not in PARENTS:
            end_site(END_CENTIMETRES * joint.rest)
    close_down_to(-1)
    return out


def _numbers(vector: Array) -> str:
    return " ".join(f"{value + 0.0:.5f}" for value in vector)


def _channels(take: Take, moments: Array) -> Array:
    """(M, channels) centimetres and degrees."""
    hips, turns = take.at(moments)
    degrees = np.degrees(zxy_angles(turns[:, _TURNING])).reshape(len(moments), -1)
    return np.asarray(np.round(np.concatenate([100 * hips, degrees], axis=1), 4) + 0.0)


def zxy_angles(rotations: Array) -> Array:
    """Angles (T, ..., 3) of ``R = Rz Rx Ry``, radians, that run on from frame to frame.

    Every rotation has two triples of angles: a, b, c and a + pi, pi - b, c + pi. The one whose a
    is nearer to that of the frame before is taken. With b at 90 degrees a is arbitrary, and stays.

    Args:
        rotations: (T, ..., 3, 3).
    """
    across, up = -rotations[..., 0, 1], rotations[..., 1, 1]
    free = np.hypot(across, up) < 1e-6
    frames = np.arange(len(rotations)).reshape(-1, *(1,) * (free.ndim - 1))
    last = np.maximum.accumulate(np.where(free, 0, frames), axis=0)
    about_z = np.take_along_axis(np.arctan2(across, up), last, axis=0)
    about_z = np.unwrap(about_z, axis=0, period=np.pi)
    rest = np.swapaxes(rotation_about(2, about_z), -1, -2) @ rotations
    about_x = np.arctan2(rest[..., 2, 1], rest[..., 1, 1])
    about_y = np.arctan2(rest[..., 0, 2], rest[..., 0, 0])
    return np.stack([about_z, *(np.unwrap(a, axis=0) for a in (about_x, about_y))], axis=-1)
