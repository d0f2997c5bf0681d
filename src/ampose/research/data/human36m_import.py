"""Human3.6M as it is downloaded, converted to the two files of VideoPose3D.

The archives ``Poses_D3_Positions_S*.tgz`` of vision.imar.ro/human3.6m (Poses > D3 Positions of
subjects 1, 5, 6, 7, 8, 9 and 11) hold one CDF file per take, such as
``S1/MyPoseFeatures/D3_Positions/Directions 1.cdf``: its variable ``Pose``, (1, F, 96), is 32
joints x 3 coordinates, world axes, millimetres, 50 frames/s. The older way through MATLAB leaves
``Directions 1.cdf.mat`` beside it: ``data``, a 1 x 1 cell of (F, 96), MAT version 5.

What becomes of them follows VideoPose3D (Pavllo et al., CVPR 2019), so that scores compare: which
takes, what they are called, and the lens model of the 2D ground truth. Sources: ``DATASETS.md``,
``data/prepare_data_h36m.py``, ``data/convert_cdf_to_mat.m`` and ``common/camera.py`` there.

Detections cannot be made from poses. Those of CPN are published without registration:
dl.fbaipublicfiles.com/video-pose-3d/data_2d_h36m_cpn_ft_h36m_dbb.npz.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera
from ampose.errors import InputError, one_line
from ampose.metrics import MILLIMETRES_PER_METRE
from ampose.research.data.human36m import (
    ACTIONS,
    CAMERAS,
    DAMAGED_TAKE,
    JOINTS_17_OF_32,
    SUBJECTS,
)
from ampose.research.data.pose_set import DatasetError
from ampose.research.data.videopose3d import Keypoints, Positions, action_name
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]
Takes = Mapping[tuple[str, str], Path]
Progress = Callable[[int, int | None], None]

_FILES = ("data_3d_h36m.npz", "data_2d_h36m_gt.npz")

_METADATA = {
    "layout_name": "h36m",
    "num_joints": len(H36M_17),
    "keypoints_symmetry": [list(side) for side in zip(*H36M_17.pairs, strict=True)],
}

_HOW = (
    "register at vision.imar.ro/human3.6m, download Poses > D3 Positions of subjects "
    "1, 5, 6, 7, 8, 9 and 11, and extract the archives into one folder"
)

_FOLDER = "MyPoseFeatures/D3_Positions"
_TAKE = re.compile(r"([A-Za-z]+)( \d)?\.cdf(\.mat)?")
"""Names of takes: neither ``_ALL``, which is no action, nor the ``._`` files of macOS."""

_RENAMED = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
"""Names that only subject 1 has, to those of all others."""

_LEGS = ((1, 2, 6, 7), (2, 3, 7, 8))
"""Thighs and shins among the 32 joints: upper and lower ends."""
_LEG_METRES = (0.25, 0.7)
_ROOM_METRES = 10.0


def import_human36m(
    source: Path | str,
    out: Path | str,
    *,
    overwrite: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> list[Path]:
    """Writes ``data_3d_h36m.npz`` and ``data_2d_h36m_gt.npz``, both or neither.

    The first holds ``positions_3d``: subject to take to (F, 32, 3) float32 metres, world axes.
    The second holds ``positions_2d``: subject to take to a list of four cameras of (F, 17, 2)
    float32 pixels; and ``metadata``. All are pickled dictionaries.

    Args:
        source: folder that holds ``S1/MyPoseFeatures/D3_Positions`` and so on, or folders that
            hold such. A take's ``.cdf`` is preferred to its ``.cdf.mat``.
        out: folder for the files; made if absent.
        overwrite: whether files that are there already may be replaced.
        progress: told the number of takes that are read, and of all.

    Returns:
        The paths of the two files.

    Raises:
        DatasetError: takes are missing (all seven subjects with 30 takes each are needed, S11
            "Directions" aside, which is left out), a file is damaged or not what it should be, or
            the library that reads it is not installed.
        InputError: the files exist, or `out` cannot be written.
    """
    takes = _find_takes(Path(source))
    paths = [Path(out) / name for name in _FILES]
    if not overwrite and (present := [path for path in paths if path.exists()]):
        raise InputError(f"{present[0]} exists already; remove it or ask to overwrite it")
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".partial-") as folder:
            positions, keypoints = _convert(takes, progress)
            drafts = [Path(folder) / name for name in _FILES]
            np.savez_compressed(drafts[0], positions_3d=np.array(positions))
            np.savez_compressed(
                drafts[1], positions_2d=np.array(keypoints), metadata=np.array(_METADATA)
            )
            for draft, path in zip(drafts, paths, strict=True):
                draft.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}") from error
    return paths


def _find_takes(source: Path) -> Takes:
    """The file of every take, by subject and canonical name."""
    takes: dict[tuple[str, str], Path] = {}
    for subject in SUBJECTS:
        folders = [source / subject / _FOLDER, *source.glob(f"*/{subject}/{_FOLDER}")]
        folders = [folder for folder in folders if folder.is_dir()]
        if len(folders) > 1:
            raise DatasetError(
                f"{source}: {subject} is there twice, {folders[0]} and {folders[1]}; keep one"
            )
        # "X.cdf" sorts before "X.cdf.mat", and the first one stays.
        for path in sorted(path for folder in folders for path in folder.iterdir()):
            name = _TAKE.fullmatch(path.name)
            if name and (action := _RENAMED.get(name[1], name[1])) in ACTIONS:
                takes.setdefault((subject, action + (name[2] or "")), path)
    takes.pop(DAMAGED_TAKE, None)
    if not takes:
        raise DatasetError(f"{source}: no S1/{_FOLDER} with .cdf files, and so on; {_HOW}")
    if wrong := _wrong_counts(takes):
        more = f" and {len(wrong) - 6} more" if len(wrong) > 6 else ""
        raise DatasetError(f"{source}: it should hold {', '.join(wrong[:6])}{more}; {_HOW}")
    return takes


def _wrong_counts(takes: Collection[tuple[str, str]]) -> list[str]:
    """Subjects that are missing, and actions of the others that are not there twice."""
    counts = Counter((subject, action_name(take)) for subject, take in takes)
    wrong = []
    for subject in SUBJECTS:
        if not any(subject == found for found, _ in takes):
            wrong.append(f"all of {subject}")
            continue
        for action in ACTIONS:
            wanted = 1 if (subject, action) == DAMAGED_TAKE else 2
            if (found := counts[subject, action]) != wanted:
                wrong.append(f"{wanted} of {subject} {action} (found {found})")
    return wrong


def _convert(takes: Takes, progress: Progress) -> tuple[Positions, Keypoints]:
    positions: Positions = {subject: {} for subject in SUBJECTS}
    keypoints: Keypoints = {subject: {} for subject in SUBJECTS}
    for done, ((subject, take), path) in enumerate(takes.items()):
        progress(done, len(takes))
        world = _read_take(path)
        positions[subject][take] = world
        joints = world[:, JOINTS_17_OF_32].astype(np.float64)
        keypoints[subject][take] = [_project(joints, each, path) for each in CAMERAS[subject]]
    progress(len(takes), len(takes))
    return positions, keypoints


def _read_take(path: Path) -> Array:
    """One take, (F, 32, 3) float32 metres, world axes."""
    try:
        pose = np.asarray(_read_mat(path) if path.suffix == ".mat" else _read_cdf(path))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise DatasetError(
            f"{path}: to read it, install {package} with: pip install {package}"
        ) from error
    except NotImplementedError as error:  # SciPy's word for HDF5
        raise DatasetError(
            f"{path}: MAT version 7.3 is not read; keep the .cdf file beside it, which is"
        ) from error
    except Exception as error:  # a damaged file can raise anything
        raise DatasetError(f"{path}: cannot be read ({one_line(error)}); {_HOW}") from error
    frames = pose[0] if pose.ndim == 3 and len(pose) == 1 else pose
    if frames.dtype.kind != "f" or frames.ndim != 2 or frames.shape[1] != 96 or not len(frames):
        raise DatasetError(
            f"{path}: the poses must be floating-point (1, F, 96), F at least 1, "
            f"got {pose.dtype} {pose.shape}; {_HOW}"
        )
    world = np.ascontiguousarray(frames / MILLIMETRES_PER_METRE, np.float32).reshape(-1, 32, 3)
    if not np.isfinite(world).all():
        raise DatasetError(f"{path}: it holds a number that is not finite; {_HOW}")
    # Other units, joints in another order, and rows read as columns all make strange legs.
    upper, lower = _LEGS
    legs = np.linalg.norm(world[:, upper] - world[:, lower], axis=-1)
    farthest = np.abs(world).max()
    low, high = _LEG_METRES
    if legs.min() < low or legs.max() > high or farthest > _ROOM_METRES:
        raise DatasetError(
            f"{path}: no person in a room in millimetres: thighs and shins measure "
            f"{legs.min() * MILLIMETRES_PER_METRE:.4g} to {legs.max() * MILLIMETRES_PER_METRE:.4g}"
            f", coordinates go up to {farthest * MILLIMETRES_PER_METRE:.4g}; {_HOW}"
        )
    return world


def _read_cdf(path: Path) -> Any:
    import cdflib

    return cdflib.CDF(path)["Pose"]


def _read_mat(path: Path) -> Any:
    from scipy.io import loadmat

    data = loadmat(path, variable_names=["data"])["data"]
    return data.item() if data.dtype == object else data


def _project(joints: Array, camera: Camera, path: Path) -> Array:
    """World points (F, J, 3) to pixels (F, J, 2) float32, by the lens model of the published 2D.

    VideoPose3D's ``project_to_2d`` halves part of the tangential distortion (its issue 202):
    ``1 + k1 r^2 + k2 r^4 + k3 r^6 + p2 x + p1 y`` times (x, y), plus ``r^2 (p2, p1)``. Brown's
    model, `Camera.project`, has ``2 p2 x + 2 p1 y``: 0.1 pixels away on average and 0.8 at most.
    The limit to 45 degrees off the axis there is twice what the pictures show, and not needed.
    """
    points = camera.to_camera(joints)
    if not (points[..., 2] > 0).all():
        raise DatasetError(f"{path}: a joint lies behind a camera; {_HOW}")
    xy = points[..., :2] / points[..., 2:]
    k1, k2, p1, p2, k3 = camera.distortion
    tangential = np.array([p2, p1])
    r2 = (xy * xy).sum(-1, keepdims=True)
    factor = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)) + (xy @ tangential)[..., None]
    pixels = (xy * factor + r2 * tangential) * camera.focal + camera.centre
    return np.asarray(pixels, np.float32)
