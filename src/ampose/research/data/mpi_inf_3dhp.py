"""MPI-INF-3DHP (Mehta et al., 3DV 2017) as a `PoseSet`.

Eight subjects in a studio to train on, six sequences to test on; the 2D input is the annotated
one. `ampose.research.data.mpi_inf_3dhp_takes` says which files are read and what is in them.

Joints go by name between the dataset's set and Human3.6M's: two of them have other names here,
`mpi_names`. That is the mapping of PoseAug's ``test_3dhp.npz`` (Gong et al., CVPR 2021): its 16
joints have the dataset's ``neck`` for a thorax, ``head_top``, ``spine`` and ``pelvis``, and not
its ``head``, the joint between neck and head top, which is what comes nearest to ``neck_nose``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from ampose.cameras import Camera, normalise_screen
from ampose.errors import InputError
from ampose.metrics import MILLIMETRES_PER_METRE
from ampose.research.data.mpi_inf_3dhp_takes import (
    CAMERAS,
    SCENES,
    TRAIN_FRAMES,
    Part,
    Take,
    find_files,
    read_takes,
)
from ampose.research.data.pose_set import Clip, PoseSet, cached, join
from ampose.skeletons import H36M_16, H36M_17, MPI_3DHP_17, Skeleton, get_skeleton

VALID_FRAMES = (
    (603, 540, 505, 553, 276, 452),
    (603, 540, 506, 558, 276, 452),
    (603, 540, 506, 558, 276, 392),
)
"""Valid frames of TS1 to TS6 in the files that are in use: 2929 by the test set's README, 2935 in
later annotations, and the number that the tables of D3DP imply."""

_STUDIO = Camera((2048, 2048), (1500.07, 1500.66), (1017.38, 1043.06))
_OUTDOORS = Camera((1920, 1080), (1683.48, 1671.94), (939.93, 560.21))
_TEST_CAMERAS = dict.fromkeys(("TS1", "TS2", "TS3", "TS4"), _STUDIO) | dict.fromkeys(
    ("TS5", "TS6"), _OUTDOORS
)
"""From the code of SRNet (Zeng et al., ECCV 2020); on TS5, where it could be tried, they project
``annot3`` onto ``annot2``."""

_TRAIN_SIZE = (2048, 2048)

_OTHER_NAMES = {"thorax": "neck", "neck_nose": "head"}
"""Human3.6M's name to MPI-INF-3DHP's, where they differ."""

_VERSION = 1
"""Of what is made from the files; a change makes older caches unused."""


def mpi_names(skeleton: Skeleton) -> tuple[str, ...]:
    """What MPI-INF-3DHP calls each joint of a set, in that set's order.

    Raises:
        InputError: the set is neither the dataset's nor Human3.6M's.
    """
    allowed = (MPI_3DHP_17, H36M_17, H36M_16)
    if skeleton not in allowed:
        raise InputError(
            f"MPI-INF-3DHP has no {skeleton.name} joints; choose from "
            f"{', '.join(each.name for each in allowed)}"
        )
    return tuple(_OTHER_NAMES.get(joint, joint) for joint in skeleton.joints)


def load_mpi_inf_3dhp(
    folder: Path | str, *, part: Part, skeleton: str = MPI_3DHP_17.name
) -> PoseSet:
    """One part of the dataset, from a cache beside its files when it was loaded before.

    Clips are in the order of their labels: subject ``"S1"``, action ``"Seq1"``, camera ``"0"``;
    in the test part subject ``"TS1"``, action its scene, camera ``"0"``. All training frames are
    scored, and the valid ones of the test. The root is the pelvis. `PoseSet.rays` and
    `PoseSet.root_depth` are NaN in the training part: the ``.npz`` has no cameras.

    Args:
        folder: has P-STMO's ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``, or the authors'
            release (``S1/Seq1/annot.mat``, ``TS1/annot_data.mat``), in itself or up to three
            levels below. Where both are there, the ``.npz`` is read.
        part: ``"train"`` or ``"test"``.
        skeleton: ``"mpi_3dhp_17"``, or ``"h36m_17"`` or ``"h36m_16"`` to test across datasets.

    Raises:
        DatasetError: files are missing, damaged or not what they should be.
        InputError: unknown part, or a joint set that the dataset does not have.
    """
    if part not in get_args(Part):
        raise InputError(f"unknown part {part!r}; choose from {', '.join(get_args(Part))}")
    joints = get_skeleton(skeleton)
    mpi_names(joints)  # before anything is read
    files = find_files(Path(folder), part)

    def make() -> PoseSet:
        clips = [_clip(take, joints) for take in read_takes(files, part)]
        clips.sort(key=lambda clip: (clip.subject, clip.action, clip.camera))
        official = _is_train(clips) if part == "train" else _is_test(clips)
        return join(f"mpi-inf-3dhp {part}", joints, clips, official=official)

    return cached(files, {"version": _VERSION, "part": part, "skeleton": joints.name}, make)


def _clip(take: Take, skeleton: Skeleton) -> Clip:
    order = MPI_3DHP_17.indices(mpi_names(skeleton))
    pixels = take.pixels[:, order].astype(np.float64)
    joints = take.joints[:, order].astype(np.float64) / MILLIMETRES_PER_METRE
    root = joints[:, [skeleton.root]]
    camera = _TEST_CAMERAS.get(take.subject)
    rays = camera.rays(pixels)[..., :2] if camera else np.full_like(pixels, np.nan)
    root_depth = root[:, 0, 2] if camera else np.full(len(pixels), np.nan)
    return Clip(
        take.subject,
        take.action,
        take.camera,
        normalise_screen(pixels, camera.size if camera else _TRAIN_SIZE).astype(np.float32),
        (joints - root).astype(np.float32),
        rays.astype(np.float32),
        root_depth.astype(np.float32),
        take.valid,
    )


def _is_train(clips: Sequence[Clip]) -> bool:
    found = {(clip.subject, clip.action, clip.camera): len(clip.inputs) for clip in clips}
    return found == {
        (*names, camera): frames for names, frames in TRAIN_FRAMES.items() for camera in CAMERAS
    }


def _is_test(clips: Sequence[Clip]) -> bool:
    counts = tuple(int(clip.scored.sum()) for clip in clips)
    return [clip.subject for clip in clips] == list(SCENES) and counts in VALID_FRAMES
