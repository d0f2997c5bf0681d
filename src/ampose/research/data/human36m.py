"""Human3.6M (Ionescu et al., TPAMI 2014) in the files of VideoPose3D, 50 frames/s.

One flat folder with ``data_3d_h36m.npz``: ``positions_3d``, subject to take to (F, 32, 3) float32
metres, world axes, z up; and ``data_2d_h36m_<keypoints>.npz``: ``positions_2d``, subject to take
to a list of four cameras of (F, 17, 2) or, of the stacked hourglass, (F, 16, 2) float32 pixels.
A take is an action that was recorded twice, such as ``"Walking"`` and ``"Walking 1"``. What is
done with them follows Pavllo et al., CVPR 2019, and their repository, so that scores compare.

Traps:

* Keypoints may go on after motion capture has ended; they are cut to its length.
* S11 "Directions" is left out: one of its videos is damaged. "Directions 1" stays.
* What the joints are is said by ``keypoints_symmetry`` of ``metadata``. Only some files have a
  ``layout_name``, and older ones no metadata; then the name of the file decides.
* ``gt`` is projected by the dataset's own lens model, whose tangential terms are not quite
  Brown's (VideoPose3D, issue 202). Its rays, by Brown's model as all others, are a tenth of a
  pixel off, towards the edge of the picture half a pixel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera, normalise_screen
from ampose.errors import InputError
from ampose.metrics import MILLIMETRES_PER_METRE
from ampose.research.data.human36m_cameras import LENSES, PLACES
from ampose.research.data.pose_set import Clip, DatasetError, PoseSet, cached, join
from ampose.research.data.videopose3d import (
    action_name,
    camera_pose,
    load_keypoints,
    load_positions,
)
from ampose.skeletons import H36M_16, H36M_17, Skeleton, get_skeleton

Array = NDArray[np.floating]

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
PARTS = {"train": TRAIN_SUBJECTS, "test": TEST_SUBJECTS}
SUBJECTS = (*TRAIN_SUBJECTS, *TEST_SUBJECTS)

ACTIONS = (
    *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing"),
    *("Purchases", "Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking"),
    "WalkTogether",
)
"""In the order of published tables."""

DAMAGED_TAKE = ("S11", "Directions")
"""Left out by everybody who uses VideoPose3D's files."""

OFFICIAL_FRAMES = {"train": 1_559_752, "test": 543_344}
"""Frames of all four cameras together, as VideoPose3D counts them."""

JOINTS_17_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Where the joints of ``h36m_17`` are among the 32 of motion capture. The others stand still, are
there twice, or are toes and fingers."""

_OF_32 = dict(zip(H36M_17.joints, JOINTS_17_OF_32, strict=True))
_TOE_BASES = {"right_ankle": 4, "left_ankle": 9}

_HOURGLASS_16 = Skeleton(
    "hourglass_16",
    (
        *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        *("pelvis", "spine", "thorax", "head_top"),
        *("right_wrist", "right_elbow", "right_shoulder"),
        *("left_shoulder", "left_elbow", "left_wrist"),
    ),
    (1, 2, 6, 6, 3, 4, -1, 6, 7, 8, 11, 12, 8, 8, 13, 14),
)
"""MPII's joints in the order of the stacked hourglass, with the Human3.6M names that Martinez et
al., ICCV 2017, and everybody since give them: MPII's thorax is the spine, its upper neck the
thorax."""

_FARTHEST = 20.0
"""Metres. Cameras stand 6 m from the middle of the room: more means another unit or other axes."""

_HOW = "VideoPose3D's DATASETS.md says how to make it from Human3.6M, which needs a licence"

_VERSION = 1
"""Of what is made from the files; a change makes older caches unused."""


def _camera(camera: str, place: Sequence[float]) -> Camera:
    size, focal, centre, distortion = LENSES[camera]
    metres = [each / MILLIMETRES_PER_METRE for each in place[4:]]
    return Camera(size, focal, centre, distortion, *camera_pose(place[:4], metres))


CAMERA_IDS = tuple(LENSES)
CAMERAS = {
    subject: tuple(_camera(camera, place) for camera, place in zip(LENSES, places, strict=True))
    for subject, places in PLACES.items()
}
"""Each subject's four cameras, in the order of `CAMERA_IDS` and of the lists in the 2D files."""


def load_human36m(
    folder: Path | str,
    *,
    keypoints: str = "gt",
    skeleton: str = H36M_17.name,
    subjects: Sequence[str] = TRAIN_SUBJECTS,
    toes: bool = False,
) -> PoseSet:
    """Poses of some subjects, from a cache beside the files when they were loaded before.

    Clips are in the order of subjects, takes by name, cameras; `PoseSet.actions` are the names of
    takes. All frames are scored. Training on fewer subjects: load `TRAIN_SUBJECTS` and choose with
    `PoseSet.only`, since frames are published only for all of them and for `TEST_SUBJECTS`.

    Args:
        folder: with the two files.
        keypoints: the 2D, by the last part of its file's name: ``"gt"``, ``"cpn_ft_h36m_dbb"``,
            ``"detectron_ft_h36m"``, ``"sh_pt_mpii"``, ``"sh_ft_h36m"``.
        skeleton: ``"h36m_17"`` or ``"h36m_16"``, which is without neck_nose.
        subjects: some of `SUBJECTS`, each once.
        toes: inputs get two more channels: at either ankle the unit vector in the image, x right
            and y down, from the ankle to the base of the toes; zero at other joints. No file of
            keypoints has toes, so both ends are the projections of motion capture whatever the
            keypoints: this part of the input is ground truth.

    Returns:
        Inputs (N, J, 2 or 4) in screen coordinates (`normalise_screen`) of each camera. Rays are
        NaN where the lens model does not reach a keypoint, far outside the picture.

    Raises:
        DatasetError: a file is missing, damaged, incomplete, or not what it should be.
        InputError: another skeleton, or subjects that are unknown, repeated or none.
    """
    joints = get_skeleton(skeleton)
    if joints not in (H36M_17, H36M_16):
        raise InputError(
            f"Human3.6M has no {joints.name} joints; choose {H36M_17.name} or {H36M_16.name}"
        )
    chosen = tuple(subjects)
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(SUBJECTS):
        raise InputError(
            f"subjects must be some of {', '.join(SUBJECTS)}, each once; "
            f"got {', '.join(chosen) or 'none'}"
        )
    three, two = Path(folder) / "data_3d_h36m.npz", Path(folder) / f"data_2d_h36m_{keypoints}.npz"
    options = {"human3.6m": _VERSION, "skeleton": joints.name, "subjects": chosen, "toes": toes}
    return cached([three, two], options, lambda: _read(three, two, joints, chosen, toes=toes))


def _read(
    poses_path: Path,
    keypoints_path: Path,
    joints: Skeleton,
    subjects: tuple[str, ...],
    *,
    toes: bool,
) -> PoseSet:
    poses = load_positions(poses_path, subjects, 32, _HOW)
    keypoints, layout = load_keypoints(
        keypoints_path,
        subjects,
        CAMERA_IDS,
        [H36M_17, _HOURGLASS_16],
        _HOW,
        unnamed=_HOURGLASS_16 if keypoints_path.name.startswith("data_2d_h36m_sh_") else H36M_17,
    )
    if missing := [joint for joint in joints.joints if joint not in layout.joints]:
        raise DatasetError(
            f"{keypoints_path}: its {len(layout)} joints are without {', '.join(missing)}; choose "
            f"the skeleton {H36M_16.name}, or other keypoints"
        )
    columns = layout.indices(joints.joints)
    clips: list[Clip] = []
    for subject in subjects:
        takes, views = poses[subject], keypoints[subject]
        if subject == DAMAGED_TAKE[0]:
            for held in (takes, views):
                held.pop(DAMAGED_TAKE[1], None)
        _check_takes(poses_path, keypoints_path, subject, takes, views)
        for take in sorted(takes):
            # Popped, so that what was read goes as what is made grows.
            world, seen = takes.pop(take), views.pop(take)
            if (shortest := min(map(len, seen))) < len(world):
                raise DatasetError(
                    f"{keypoints_path}: {subject} {take} has {shortest} frames of keypoints for "
                    f"{len(world)} of motion capture; {_HOW}"
                )
            pixels = [view[: len(world), columns] for view in seen]
            where = f"{poses_path}: {subject} {take}"
            clips += _clips(where, subject, take, world, pixels, joints, toes=toes)
    part = next((name for name, part in PARTS.items() if set(part) == set(subjects)), None)
    frames = sum(len(clip.inputs) for clip in clips)
    return join(
        f"human3.6m {part or ' '.join(subjects)}",
        joints,
        clips,
        official=part is not None and frames == OFFICIAL_FRAMES[part],
    )


def _check_takes(
    poses_path: Path,
    keypoints_path: Path,
    subject: str,
    takes: Collection[str],
    views: Collection[str],
) -> None:
    for path, held, other in ((keypoints_path, views, takes), (poses_path, takes, views)):
        if missing := sorted(set(other) - set(held)):
            raise DatasetError(
                f"{path}: {subject} lacks {', '.join(missing)}, which the other of "
                f"{poses_path.name} and {keypoints_path.name} has; {_HOW}"
            )
    if wrong := sorted({action_name(take) for take in takes} ^ set(ACTIONS)):
        raise DatasetError(
            f"{poses_path}: {subject} must have the {len(ACTIONS)} actions by VideoPose3D's "
            f"names; missing or unknown: {', '.join(wrong)}; {_HOW}"
        )


def _clips(
    where: str,
    subject: str,
    take: str,
    world: Array,
    views: list[Array],
    joints: Skeleton,
    *,
    toes: bool,
) -> Iterator[Clip]:
    """A take, poses (F, 32, 3) and keypoints (F, J, 2) per camera, as each camera sees it."""
    used = [_OF_32[joint] for joint in joints.joints]
    for name, camera, pixels in zip(CAMERA_IDS, CAMERAS[subject], views, strict=True):
        points = camera.to_camera(world)
        depth = points[..., 2]
        if depth.min() <= 0 or depth.max() > _FARTHEST:
            raise DatasetError(
                f"{where} is {depth.min():.4g} to {depth.max():.4g} m before camera {name}, not "
                f"0 to {_FARTHEST:g}; positions must be metres, world axes; {_HOW}"
            )
        inputs = normalise_screen(pixels, camera.size)
        if toes:
            inputs = np.concatenate([inputs, _toe_directions(camera, points, joints)], axis=-1)
        root = points[:, [_OF_32[joints.joints[joints.root]]]]
        yield Clip(
            subject=subject,
            action=take,
            camera=name,
            inputs=inputs.astype(np.float32),
            targets=(points[:, used] - root).astype(np.float32),
            rays=camera.rays(pixels)[..., :2].astype(np.float32),
            root_depth=root[:, 0, 2].astype(np.float32),
            scored=np.ones(len(world), bool),
        )


def _toe_directions(camera: Camera, points: Array, joints: Skeleton) -> Array:
    """(F, J, 2) unit vectors in the image from each ankle to the base of its toes, else zero.

    `points` are the 32 joints, (F, 32, 3), in camera axes.
    """
    out = np.zeros((len(points), len(joints), 2))
    for ankle, toes in _TOE_BASES.items():
        foot = camera.project(points[:, toes]) - camera.project(points[:, _OF_32[ankle]])
        length = np.linalg.norm(foot, axis=-1, keepdims=True)
        out[:, joints.index(ankle)] = foot / np.where(length > 0, length, 1)
    return out
