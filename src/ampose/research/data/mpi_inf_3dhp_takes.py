"""The files of MPI-INF-3DHP, in the two forms in which people have them, read as the same takes.

* P-STMO's pair (Shan et al., ECCV 2022), ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``: one
  key ``data``, a pickled dictionary. Training: ``"S1 Seq1"`` -> [camera ``"0"`` -> ``data_2d``
  (F, 17, 2) pixels and ``data_3d`` (F, 17, 3) millimetres, frames/s]. Test: ``"TS1"`` -> the same
  two and ``valid`` (F,).
* The authors' release (Mehta et al., 3DV 2017). ``S1/Seq1/annot.mat``, MATLAB version 5: cells
  ``annot2`` and ``univ_annot3`` (14, 1) of (F, 56) and (F, 84), 28 joints as x1 y1 x2 y2 and so
  on, and ``cameras`` (1, 14), the camera of each cell. ``TS1/annot_data.mat``, MATLAB version
  7.3, which is HDF5 with the axes the other way round: ``annot2`` (F, 1, 17, 2), ``univ_annot3``
  (F, 1, 17, 3), ``valid_frame`` (F, 1).

Both give what P-STMO's conversion gives: 17 of 28 joints, 8 of 14 cameras, the frames that have
images, and ``univ_annot3``, poses scaled to the height of Human3.6M's universal skeleton. Scaled
about the pelvis, they project a few pixels beside ``annot2``; the unscaled ``annot3`` is not read.
Left and right are reported to be exchanged in frames 3759 to 5852 of S4 Seq2; published results
include them as they are, and so they stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from ampose.errors import one_line
from ampose.geometry import bone_lengths
from ampose.research.data.pickled_npz import load_pickled
from ampose.research.data.pose_set import DatasetError
from ampose.skeletons import MPI_3DHP_17

Array = NDArray[np.floating]
Part = Literal["train", "test"]

WHERE = (
    "get the dataset at https://vcai.mpi-inf.mpg.de/3dhp-dataset/ or the .npz pair that "
    "https://github.com/paTRICK-swk/P-STMO links to"
)

TRAIN_FRAMES = dict(
    zip(
        product([f"S{number}" for number in range(1, 9)], ("Seq1", "Seq2")),
        (
            *(6416, 12430, 6502, 6081, 12488, 12283, 6171, 6675),
            *(12820, 12312, 6188, 6145, 6239, 6320, 6468, 6054),
        ),
        strict=True,
    )
)
"""Frames with images, from the release's ``mpii_get_sequence_info.m``; some ``annot.mat`` have
rows beyond them. 131,592 in all, times 8 cameras 1,052,736."""

CAMERAS = ("0", "1", "2", "4", "5", "6", "7", "8")
"""At chest and knee height and two that look down: the release's camera set ``vnect``."""

SCENES = {
    "TS1": "GS",
    "TS2": "GS",
    "TS3": "noGS",
    "TS4": "noGS",
    "TS5": "outdoor",
    "TS6": "outdoor",
}
"""Test sequences: studio with green screen, studio without, outdoors (the test set's README)."""

JOINTS_28 = (
    *("spine3", "spine4", "spine2", "spine", "pelvis", "neck", "head", "head_top"),
    *("left_clavicle", "left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    *("right_clavicle", "right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    *("left_hip", "left_knee", "left_ankle", "left_foot", "left_toe"),
    *("right_hip", "right_knee", "right_ankle", "right_foot", "right_toe"),
)
"""The joints of ``annot.mat``, from the release's ``mpii_get_joint_set.m``."""

_17_OF_28 = [JOINTS_28.index(joint) for joint in MPI_3DHP_17.joints]

_NPZ = {"train": "data_train_3dhp.npz", "test": "data_test_3dhp.npz"}
_ORIGINAL = {"train": "S[1-8]/Seq[12]/annot.mat", "test": "TS[1-6]/annot_data.mat"}
_DEPTH = 3
"""Unpacked as the authors' scripts do, ``TS1`` lies in two folders of one name, one in the other:
``mpi_inf_3dhp/mpi_inf_3dhp_test_set/mpi_inf_3dhp_test_set``."""

_THIGHS = [
    MPI_3DHP_17.edges.index(tuple(MPI_3DHP_17.indices((f"{side}_hip", f"{side}_knee"))))
    for side in ("left", "right")
]
_THIGH_MM = (250.0, 700.0)
"""Bounds that only millimetres and the right order of joints meet: some conversions write
Human3.6M's order into files of the same names."""


@dataclass(frozen=True, eq=False)
class Take:
    """One camera's view of one sequence, in the dataset's joints (`MPI_3DHP_17`) and units.

    Attributes:
        subject, action, camera: ``"S1"``, ``"Seq1"``, ``"0"``; a test sequence has its scene for
            an action and one camera, ``"0"``.
        pixels: (F, 17, 2).
        joints: (F, 17, 3) millimetres, camera axes, from the camera's centre.
        valid: (F,) bool, what a test counts.
    """

    subject: str
    action: str
    camera: str
    pixels: Array
    joints: Array
    valid: NDArray[np.bool_]


def find_files(folder: Path, part: Part) -> list[Path]:
    """P-STMO's file of a part; without one, the annotations of the authors' release.

    They may lie in the folder itself or up to three levels below.

    Raises:
        DatasetError: neither is there, or two copies of it are.
    """
    for pattern in (_NPZ[part], _ORIGINAL[part]):
        for depth in range(_DEPTH + 1):
            found = sorted(folder.glob("*/" * depth + pattern))
            roots = sorted({str(path.parents[pattern.count("/")]) for path in found})
            if len(roots) > 1:
                raise DatasetError(
                    f"{folder}: {pattern} in both {roots[0]} and {roots[1]}; give one of them"
                )
            if found:
                return found
    raise DatasetError(
        f"{folder}: holds neither {_NPZ[part]} nor {_ORIGINAL[part]}, nor do folders up to "
        f"{_DEPTH} levels below; {WHERE}"
    )


def read_takes(files: list[Path], part: Part) -> Iterator[Take]:
    """Every take in the files that `find_files` found.

    Raises:
        DatasetError: a file is damaged or not what it should be, or h5py is not installed.
    """
    for path in files:
        if path.suffix == ".npz":
            yield from (_npz_train if part == "train" else _npz_test)(path)
        elif part == "train":
            yield from _annot(path)
        else:
            yield _annot_data(path)


def _npz_train(path: Path) -> Iterator[Take]:
    known = {" ".join(names): names for names in TRAIN_FRAMES}
    for name, entry in _sequences(path, known).items():
        cameras = entry[0] if isinstance(entry, (list, tuple)) and entry else None
        if not isinstance(cameras, dict):
            raise _wrong(f"{path}, {name}", "must be [cameras, frames/s], a list")
        for camera, arrays in cameras.items():
            where = f"{path}, {name}, camera {camera}"
            pixels, joints = _members(where, arrays, "data_2d", "data_3d")
            yield _take(where, (*known[name], str(camera)), pixels, joints)


def _npz_test(path: Path) -> Iterator[Take]:
    for name, arrays in _sequences(path, SCENES).items():
        where = f"{path}, {name}"
        pixels, joints, valid = _members(where, arrays, "data_2d", "data_3d", "valid")
        yield _take(where, (name, SCENES[name], "0"), pixels, joints, valid)


def _sequences(path: Path, known: dict[str, Any]) -> dict[str, Any]:
    content = load_pickled(path, ["data"], WHERE)["data"]
    if not isinstance(content, dict) or not content:
        raise _wrong(str(path), f"data must be a dictionary of sequences such as {min(known)!r}")
    if unknown := [str(name) for name in content if name not in known]:
        raise _wrong(
            str(path), f"has {unknown[0]!r}, no sequence of {min(known)!r} .. {max(known)!r}"
        )
    return content


def _members(where: str, holder: Any, *keys: str) -> list[Any]:
    held = list(holder) if isinstance(holder, dict) else []
    if missing := [key for key in keys if key not in held]:
        raise _wrong(where, f"lacks {', '.join(missing)}")
    return [holder[key] for key in keys]


def _annot(path: Path) -> Iterator[Take]:
    subject, sequence = path.parts[-3:-1]
    keys = ("annot2", "univ_annot3", "cameras")
    try:
        content = loadmat(path, variable_names=keys)
    except Exception as error:  # a damaged file can raise anything
        raise _wrong(str(path), f"no MATLAB file, version 5 ({one_line(error)})") from error
    cells_2d, cells_3d, cameras = _members(str(path), content, *keys)
    for camera in CAMERAS:
        cells = np.flatnonzero(np.ravel(cameras) == int(camera))
        if not len(cells):
            raise _wrong(str(path), f"lacks camera {camera}; it has {np.ravel(cameras).tolist()}")
        where, cell = f"{path}, camera {camera}", int(cells[0])
        frames = slice(TRAIN_FRAMES[subject, sequence])
        pixels = _joints_of_cell(where, cells_2d, cell, 2)[frames]
        joints = _joints_of_cell(where, cells_3d, cell, 3)[frames]
        yield _take(where, (subject, sequence, camera), pixels, joints)


def _joints_of_cell(where: str, cells: NDArray[np.object_], cell: int, axes: int) -> Array:
    rows = np.asarray(cells.flat[cell]) if cell < cells.size else np.empty(0)
    if rows.ndim != 2 or rows.shape[1] != len(JOINTS_28) * axes:
        raise _wrong(where, f"a cell must be (F, {len(JOINTS_28) * axes}), got {rows.shape}")
    return np.asarray(rows.reshape(len(rows), len(JOINTS_28), axes)[:, _17_OF_28])


def _annot_data(path: Path) -> Take:
    try:
        import h5py
    except ImportError:
        raise DatasetError(f"{path}: reading it needs h5py; run: pip install h5py") from None
    keys = ("annot2", "univ_annot3", "valid_frame")
    try:
        with h5py.File(path) as file:
            content = {key: file[key][()] for key in keys if key in file}
    except Exception as error:  # a damaged file can raise anything
        raise _wrong(str(path), f"no MATLAB file, version 7.3 ({one_line(error)})") from error
    pixels, joints, valid = _members(str(path), content, *keys)
    for key, values in (("annot2", pixels), ("univ_annot3", joints)):
        if np.ndim(values) != 4 or values.shape[1] != 1:
            shape = np.shape(values)
            raise _wrong(str(path), f"{key} must be (F, 1, 17, 2 or 3) in HDF5, got {shape}")
    subject = path.parent.name
    labels = (subject, SCENES[subject], "0")
    return _take(str(path), labels, pixels[:, 0], joints[:, 0], np.ravel(valid))


def _take(
    where: str, labels: tuple[str, str, str], pixels: Any, joints: Any, valid: Any = None
) -> Take:
    """The take if its arrays are those of the dataset; without `valid` all frames are."""
    frames = len(joints) if isinstance(joints, np.ndarray) and joints.ndim else 0
    valid = np.ones(frames) if valid is None else valid
    for name, values, shape in (
        ("the 3D joints", joints, (frames or 1, len(MPI_3DHP_17), 3)),
        ("the 2D joints", pixels, (frames, len(MPI_3DHP_17), 2)),
        ("the valid flags", valid, (frames,)),
    ):
        numbers = isinstance(values, np.ndarray) and values.dtype.kind in "fiub"
        if not numbers or values.shape != shape:
            found = f"{values.dtype} {values.shape}" if numbers else type(values).__name__
            raise _wrong(where, f"{name} must be numbers {shape}, got {found}")
        if not np.isfinite(values).all():
            raise _wrong(where, f"{name} are not all finite")
    if not np.isin(valid, (0, 1)).all():
        raise _wrong(where, "the valid flags must be 0 or 1")
    thighs = np.median(bone_lengths(joints, MPI_3DHP_17)[:, _THIGHS], axis=0)
    if not ((_THIGH_MM[0] < thighs) & (thighs < _THIGH_MM[1])).all():
        found = " and ".join(f"{thigh:.3g}" for thigh in thighs)
        raise _wrong(
            where, f"thighs {found} long; millimetres in MPI-INF-3DHP's joint order needed"
        )
    return Take(*labels, pixels, joints, valid.astype(bool))


def _wrong(where: str, finding: str) -> DatasetError:
    return DatasetError(f"{where}: {finding}; {WHERE}")
