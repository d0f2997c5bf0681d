"""HumanEva-I (Sigal et al., IJCV 2010) as VideoPose3D converts it, 15 joints, 60 frames/s.

One flat folder with ``data_3d_humaneva15.npz`` and ``data_2d_humaneva15_<keypoints>.npz``; see
`ampose.research.data.videopose3d` for their layout. Subjects are named ``"Train/S1"`` to
``"Train/S3"`` and ``"Validate/S1"`` to ``"Validate/S3"``: the first trial of each action, cut in
two. The dataset's own test part has no public poses, so everybody tests on the validation part.

Where motion capture dropped out, the conversion cuts an action into chunks of whole frames, each a
take of its own: ``"Walking 1 chunk0"``, ``"Walking 1 chunk2"``. Numbers that are left out belong
to the pieces without poses; detection files hold them under ``"Unlabeled/..."``. ``ThrowCatch`` of
S3 is damaged and left out.

Traps:

* In S3's Walking the head is on the chest: ``chunk0`` and ``chunk2`` of the training part,
  ``chunk4`` of the validation part. VideoPose3D keeps these takes (its issue 29), so its error
  there is 46.6 mm, and so does `load_humaneva`; papers on motion prediction leave them out.
* ``detectron_pt_coco`` has the 17 COCO keypoints. VideoPose3D feeds them to a network with 17
  inputs and 15 outputs. Here input and output have one joint set, so they become 15 joints first.
* VideoPose3D's published model is trained on Walking, Jog and Box alone, of all subjects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import normalise_screen
from ampose.errors import InputError
from ampose.mapping import to_h36m
from ampose.research.data.pose_set import Clip, DatasetError, PoseSet, join
from ampose.research.data.videopose3d import (
    action_name,
    camera_pose,
    load_keypoints,
    load_positions,
)
from ampose.skeletons import COCO_17, H36M_17, HUMANEVA_15, Skeleton

Array = NDArray[np.floating]

ACTIONS = ("Walking", "Jog", "Box", "Gestures", "ThrowCatch")
REPORTED = ACTIONS[:3]
"""The actions that papers report; VideoPose3D trains on the same three."""

SUBJECTS = ("S1", "S2", "S3")
CAMERAS = ("C1", "C2", "C3")
"""The colour cameras. The four grey ones are not used."""

IMAGE_SIZE = (640, 480)

_FIRST_SESSION = (
    ((0.424207, -0.4983646, -0.5802981, 0.4847012), (4.062227, 0.6632477, 1.528397)),
    ((0.6503354, -0.7481602, -0.0919284, 0.0941766), (0.8448131, -3.8052092, 1.5049929)),
    ((0.0664734, -0.0690535, 0.7416416, -0.6639132), (-0.7976738, 3.9163174, 1.4336602)),
)
_SECOND_SESSION = (
    ((0.4214752, -0.4961493, -0.5838273, 0.4851187), (4.1129121, 0.6264929, 1.5452988)),
    ((0.6501393, -0.7476588, -0.0954617, 0.0959808), (0.923574, -3.8779243, 1.5045518)),
    ((0.0699353, -0.0712403, 0.7421637, -0.662742), (-0.7814915, 3.8388853, 1.4449929)),
)
CAMERA_TABLE = {"S1": _FIRST_SESSION, "S2": _SECOND_SESSION, "S3": _FIRST_SESSION}
"""Per subject and camera: orientation (w, x, y, z) and place in metres, for `camera_pose`; world z
is up. VideoPose3D's ``humaneva_dataset.py``; Ray3D's copy of the dataset's calibration of C1 says
the same to a thousandth of a millimetre."""

_PREFIX = {"train": "Train", "test": "Validate"}
_NEAREST, _FARTHEST = 1.0, 10.0
"""Metres from camera to person: the cameras stand around a floor of 2 x 3 m."""

_HOW = (
    "get HumanEva-I from humaneva.is.tue.mpg.de and convert it as VideoPose3D's DATASETS.md says, "
    "with 15 joints"
)

_LAYOUTS = (HUMANEVA_15, COCO_17)
_BY_H36M_NAME = H36M_17.indices(
    "head_top" if joint == "head" else joint for joint in HUMANEVA_15.joints
)


def load_humaneva(
    folder: Path | str,
    *,
    part: Literal["train", "test"],
    keypoints: str = "gt",
    actions: Sequence[str] = REPORTED,
) -> PoseSet:
    """One part of HumanEva-I, all subjects and cameras.

    Subjects of the set are ``S1`` to ``S3`` and actions the takes' names in the file. Rays are
    NaN: the lens distortion of two of the cameras is not in the files, nor published elsewhere, so
    nothing can be refined on this dataset. The set never counts as official: nobody has published
    how many frames the conversion leaves, and no table of the thesis has a cell for it.

    Args:
        folder: with the two files.
        part: ``"train"`` is ``Train/`` and ``"test"`` is ``Validate/``.
        keypoints: the 2D, by the last part of its file's name: ``"gt"``, ``"detectron_pt_coco"``.
            Its joints must be HumanEva's 15 or COCO's 17; the latter are mapped by
            `ampose.mapping.to_h36m` with the plain rule, whose head lies between the eyes.
        actions: some of `ACTIONS`.

    Returns:
        Inputs in screen coordinates (`normalise_screen`), two channels; in the order of subjects,
        actions, takes by name, cameras.

    Raises:
        DatasetError: a file is missing, damaged, incomplete, or not what it should be.
        InputError: unknown part, or actions that are unknown, repeated or none.
    """
    if part not in _PREFIX:
        raise InputError(f"unknown part {part!r}; known are {', '.join(_PREFIX)}")
    if not actions or len(set(actions)) < len(actions) or not set(actions) <= set(ACTIONS):
        raise InputError(
            f"actions must be some of {', '.join(ACTIONS)}, each once; "
            f"got {', '.join(actions) or 'none'}"
        )
    positions_path = Path(folder) / "data_3d_humaneva15.npz"
    keypoints_path = Path(folder) / f"data_2d_humaneva15_{keypoints}.npz"
    names = {subject: f"{_PREFIX[part]}/{subject}" for subject in SUBJECTS}
    positions = load_positions(positions_path, names.values(), len(HUMANEVA_15), _HOW)
    pixels, skeleton = load_keypoints(keypoints_path, names.values(), CAMERAS, _LAYOUTS, _HOW)
    clips: list[Clip] = []
    for subject, name in names.items():
        for action in actions:
            takes = [take for take in sorted(positions[name]) if action_name(take) == action]
            if not takes and (subject, action) != ("S3", "ThrowCatch"):
                raise DatasetError(f"{positions_path}: {name} has no {action}; {_HOW}")
            for take in takes:
                views = pixels[name].get(take)
                if views is None:
                    raise DatasetError(f"{keypoints_path}: {name} lacks {take!r}; {_HOW}")
                inputs = [_as_humaneva(view, skeleton) for view in views]
                what = f"{positions_path} and {keypoints_path.name}: {name} {take}"
                clips += _clips(subject, take, positions[name][take], inputs, what)
    return join(f"humaneva {part}", HUMANEVA_15, clips, official=False)


def _clips(subject: str, take: str, world: Array, views: list[Array], what: str) -> Iterator[Clip]:
    """A take (F, 15, 3) as each camera sees it (F, 15, 2)."""
    for camera, pose, pixels in zip(CAMERAS, CAMERA_TABLE[subject], views, strict=True):
        # Unlike Human3.6M's, these files were cut in one go: another length means another cut,
        # so that trimming would pair the wrong frames.
        if len(pixels) != len(world):
            raise DatasetError(
                f"{what} has {len(world)} poses but {len(pixels)} frames of keypoints from "
                f"{camera}; make both files in one conversion: {_HOW}"
            )
        rotation, translation = camera_pose(*pose)
        joints = world @ rotation.T + translation
        root = joints[:, [HUMANEVA_15.root]]
        depth = root[:, 0, 2]
        if depth.min() < _NEAREST or depth.max() > _FARTHEST:
            raise DatasetError(
                f"{what} is {depth.min():.4g} to {depth.max():.4g} m before {camera}, not "
                f"{_NEAREST:g} to {_FARTHEST:g}; positions must be metres, world axes; {_HOW}"
            )
        yield Clip(
            subject=subject,
            action=take,
            camera=camera,
            inputs=normalise_screen(pixels, IMAGE_SIZE),
            targets=joints - root,
            rays=np.full((*joints.shape[:2], 2), np.nan),
            root_depth=depth,
            scored=np.ones(len(joints), bool),
        )


def _as_humaneva(pixels: Array, skeleton: Skeleton) -> Array:
    """Keypoints (F, J, 2) of `skeleton` as (F, 15, 2)."""
    if skeleton is HUMANEVA_15:
        return pixels
    mapped, _ = to_h36m(pixels, np.ones(pixels.shape[:-1]), skeleton, mapping="plain")
    return mapped[:, _BY_H36M_NAME]
