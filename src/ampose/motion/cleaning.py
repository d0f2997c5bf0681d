"""From the 2D of identified people to their motion: every repair in its order.

1. Left and right put back where the detector exchanged them (`swaps`).
2. Single joints that jump removed (`outliers`), short gaps in a joint's path filled (`gaps`).
3. Lifted; the person's bones measured over the clip, and lifted again knowing them (`body`).
4. Short absences of the whole person bridged, in 3D (`gaps`).
5. Filtered (`filters`), then fitted to the bones and the filtered keypoints (`body_fit`).
6. The path of the root (`place`), and everybody's world with its floor (`stance`, `floor`).

Each can be left out, and what it changed is marked in the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.cameras import Camera
from ampose.lifting import LiftedPeople, Lifter
from ampose.lifting.caveats import caveats
from ampose.mapping import Mapping, to_h36m
from ampose.metrics import bone_length_variation
from ampose.motion.body import Body, measured_body, reprojection_residual
from ampose.motion.body_fit import fit_to_bones
from ampose.motion.bones import DEFAULT_STATURE
from ampose.motion.filters import Filter, smooth
from ampose.motion.floor import World, find_world
from ampose.motion.gaps import LONGEST_POSE_GAP, fill_gaps
from ampose.motion.outliers import remove_outliers
from ampose.motion.place import DISTANCE_CUTOFF_HZ, root_path
from ampose.motion.stance import Stance, stance_of
from ampose.motion.stretches import present
from ampose.motion.swaps import Swap, lifted_misfit, undo_swaps
from ampose.motion.tracks import Tracks
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17, Skeleton

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]

_JOINTS = len(H36M_17)


@dataclass(frozen=True)
class Repairs:
    """Which steps are taken, and their settings.

    Attributes:
        swaps: put left and right back.
        outliers: remove joints that jump.
        gaps: fill short gaps.
        filter: see `ampose.motion.filters.smooth`.
        cutoff: of the filter, Hz; its own if None.
        bones: give a person the same bones in all frames.
        root: steady the distance to a person.
        world: find gravity and the floor.
        height: of everybody, metres; `DEFAULT_STATURE` if None.
        pitch: degrees by which the camera looks down; estimated if None.
        roll: degrees by which true up leans to the right in the picture; estimated if None.
    """

    swaps: bool = True
    outliers: bool = True
    gaps: bool = True
    filter: Filter = "butterworth"
    cutoff: float | None = None
    bones: bool = True
    root: bool = True
    world: bool = True
    height: float | None = None
    pitch: float | None = None
    roll: float | None = None

    @classmethod
    def none(cls, *, height: float | None = None) -> Repairs:
        """Every frame by itself."""
        steps = dict.fromkeys(("swaps", "outliers", "gaps", "bones", "root", "world"), False)
        return cls(**steps, filter="none", height=height)


def motion_of(tracks: Tracks, lifter: Lifter, repairs: Repairs | None = None) -> PoseSequence:
    """Lifts tracks and repairs them as far as `repairs` says.

    Raises:
        InputError: an angle of the camera is out of range.
        ValueError: times that do not rise, or a height, filter or cut-off that cannot be.
    """
    repairs = repairs or Repairs()
    people = [_person(tracks, place, lifter, repairs) for place in range(len(tracks.ids))]
    frames = len(tracks.times)

    def stacked(name: str, tail: tuple[int, ...], absent: float) -> Array:
        out = np.full((frames, len(people), *tail), absent, np.float32)
        for place, person in enumerate(people):
            out[person.span, place] = getattr(person, name)
        return out

    joints = stacked("joints", (_JOINTS, 3), np.nan)
    keypoints = stacked("keypoints", (_JOINTS, 2), np.nan)
    filled, repaired, corrected = (
        stacked(name, (_JOINTS,), 0) > 0 for name in ("filled", "repaired", "corrected")
    )
    valid = np.asarray(np.isfinite(joints).all(-1))
    cameras = (tracks.camera,)
    sequence = PoseSequence(
        joints=joints,
        root=stacked("root", (3,), np.nan),
        sigma=stacked("sigma", (_JOINTS, 3), np.nan),
        keypoints=keypoints,
        scores=stacked("scores", (_JOINTS,), 0),
        valid=valid,
        ids=tracks.ids,
        times=tracks.times,
        cameras=cameras,
        provenance={
            **lifter.provenance,
            "filter": repairs.filter if any(person.filtered for person in people) else "none",
        },
        warnings=(
            *caveats(cameras, keypoints, valid & ~filled, height=repairs.height),
            *_notes(tracks.ids.tolist(), people, repairs.filter),
        ),
        filled=filled,
        repaired=repaired,
        corrected=corrected,
        quality={
            "people": [
                {"id": identity, **_quality(person, tracks, repairs.height)}
                for identity, person in zip(tracks.ids.tolist(), people, strict=True)
            ]
        },
    )
    stances = [person.stance for person in people if person.stance]
    world = find_world(stances, pitch=repairs.pitch, roll=repairs.roll) if repairs.world else None
    return sequence if world is None else _in_world(sequence, world)


@dataclass(frozen=True, eq=False)
class _Seen:
    """One person's keypoints (T, J, 2) with scores (T, J), repaired; what was done is (T, J)."""

    keypoints: Array
    scores: Array
    exchanged: Mask
    removed: Mask
    filled: Mask
    swaps: tuple[Swap, ...]


@dataclass(frozen=True, eq=False)
class _Person:
    """One person's part of a `PoseSequence`, over the frames from the first seen to the last."""

    span: slice
    joints: Array
    root: Array
    sigma: Array
    keypoints: Array
    scores: Array
    filled: Mask
    repaired: Mask
    corrected: Mask
    swaps: tuple[Swap, ...]
    filtered: bool
    lifted: Array
    body: Body | None
    stance: Stance | None


def _person(tracks: Tracks, place: int, lifter: Lifter, repairs: Repairs) -> _Person:
    frames = np.flatnonzero(present(tracks.keypoints[:, place]).any(-1))
    span = slice(int(frames[0]), int(frames[-1]) + 1) if len(frames) else slice(0, 0)
    times, camera, skeleton = tracks.times[span], tracks.camera, tracks.skeleton
    seen = _seen(tracks, (span, place), lifter, repairs)
    lifted = lifter.lift_people(seen.keypoints, seen.scores, skeleton, camera)
    body = _body(lifted, times, camera, lifter, repairs.height) if repairs.bones else None
    joints, sigma = (body.joints, body.sigma) if body else _sized(lifted, repairs.height)
    bridged = np.zeros(joints.shape[:-1], bool)
    if repairs.gaps:
        joints, bridged = fill_gaps(joints, times, longest=LONGEST_POSE_GAP)
    joints, filtered = smooth(joints, times, repairs.filter, cutoff=repairs.cutoff)
    rays = camera.rays(lifted.keypoints.astype(np.float64))
    if body:
        per_metre = _ray_of_a_metre(lifted, repairs.height)
        steady, _ = smooth(rays, times, repairs.filter, cutoff=repairs.cutoff, per_metre=per_metre)
        joints = fit_to_bones(joints, steady, lifted.scores, body.lengths, sigma=sigma).joints
    cutoff = DISTANCE_CUTOFF_HZ if repairs.root else None
    root = root_path(joints, rays, lifted.scores, times, cutoff=cutoff)[:, None]
    if repairs.gaps:
        root, _ = fill_gaps(root, times, longest=LONGEST_POSE_GAP, curve="linear")
    root = smooth(root, times, repairs.filter, cutoff=repairs.cutoff)[0][:, 0]
    marks = partial(
        _in_h36m,
        seen=present(seen.keypoints),
        skeleton=skeleton,
        mapping=lifter.mapping,
    )
    return _Person(
        span,
        joints,
        root,
        sigma,
        lifted.keypoints,
        lifted.scores,
        filled=bridged | marks(seen.filled & ~seen.removed),
        repaired=marks(seen.exchanged),
        corrected=marks(seen.removed),
        swaps=tuple(
            replace(s, first=s.first + span.start, last=s.last + span.start) for s in seen.swaps
        ),
        filtered=bool(filtered.any()),
        lifted=lifted.joints,
        body=body,
        stance=stance_of(joints, root, times, body.lengths) if body else None,
    )


def _seen(tracks: Tracks, where: tuple[slice, int], lifter: Lifter, repairs: Repairs) -> _Seen:
    keypoints, scores = tracks.keypoints[where], tracks.scores[where]
    times = tracks.times[where[0]]
    exchanged, removed, filled = np.zeros((3, *scores.shape), bool)
    swaps: tuple[Swap, ...] = ()
    if repairs.swaps:
        misfit = lifted_misfit(lifter, tracks.skeleton, tracks.camera)
        undone = undo_swaps(keypoints, scores, times, tracks.skeleton, misfit=misfit)
        keypoints, scores = undone.keypoints, undone.scores
        exchanged, swaps = undone.changed, undone.swaps
    if repairs.outliers:
        keypoints, removed = remove_outliers(keypoints, times)
    if repairs.gaps:
        there = present(keypoints).any(-1)
        # Coordinates and score together; only where the person is seen at all.
        known = np.concatenate([keypoints, scores[..., None]], axis=-1)
        known[there], filled[there] = fill_gaps(known[there], times[there])
        keypoints, scores = known[..., :2], known[..., 2]
    return _Seen(keypoints, scores, exchanged, removed, filled, swaps)


def _body(
    lifted: LiftedPeople, times: Array, camera: Camera, lifter: Lifter, height: float | None
) -> Body | None:
    def relift(keypoints: Array, scores: Array) -> tuple[Array, Array]:
        again = lifter.lift_people(keypoints, scores, H36M_17, camera)
        return again.joints, again.sigma

    return measured_body(
        lifted.joints,
        lifted.sigma,
        lifted.keypoints,
        lifted.scores,
        times,
        camera,
        height=height,
        relift=relift,
    )


def _sized(lifted: LiftedPeople, height: float | None) -> tuple[Array, Array]:
    """Joints and sigma for a height, as a lifter's answers are about `DEFAULT_STATURE` tall."""
    return lifted.joints * _size(height), lifted.sigma * _size(height)


def _size(height: float | None) -> float:
    return 1.0 if height is None else height / DEFAULT_STATURE


def _ray_of_a_metre(lifted: LiftedPeople, height: float | None) -> float:
    """How long a metre is on rays, whose z is 1, where the person is; 1 where nobody knows."""
    depth = lifted.root[:, 2]
    known = depth[np.isfinite(depth)] * _size(height)
    return 1 / float(np.median(known)) if len(known) else 1.0


def _in_h36m(changed: Mask, seen: Mask, skeleton: Skeleton, mapping: Mapping) -> Mask:
    """(T, J) as (T, 17): which Human3.6M joints move with the changed ones.

    Found by moving them. What a joint is made of depends on what is `seen` (T, J).
    """
    there = seen | changed
    places, away = np.random.default_rng(0).normal(size=(2, changed.shape[1], 2))
    points = np.where(there[..., None], places, np.nan)
    moved = points + np.where(changed[..., None], away, 0)
    before, after = (
        np.nan_to_num(to_h36m(each, there.astype(np.float64), skeleton, mapping=mapping)[0])
        for each in (points, moved)
    )
    return np.asarray((before != after).any(-1))


def _quality(person: _Person, tracks: Tracks, height: float | None) -> dict[str, Any]:
    """What `PoseSequence.quality` says of one person."""
    residual = reprojection_residual(
        person.joints, person.root, person.keypoints, person.scores, tracks.camera
    )
    known = {
        "reprojection_pixels": residual.pixels,
        "reprojection_of_box": residual.of_box,
        "bone_variation_lifted_percent": _variation(person.lifted),
        "bone_variation_percent": _variation(person.joints),
        "height_metres": person.body.stature if person.body else np.nan,
    }
    return {
        "frames": int(present(person.keypoints).any(-1).sum()),
        "swaps": [asdict(swap) for swap in person.swaps],
        "repaired_joints": int(person.repaired.sum()),
        "corrected_joints": int(person.corrected.sum()),
        "filled_joints": int(person.filled.sum()),
        **{name: None if np.isnan(value) else round(value, 4) for name, value in known.items()},
        "height_given": height is not None,
        "bone_lengths_metres": _named(person.body.lengths) if person.body else None,
    }


def _variation(joints: Array) -> float:
    """`bone_length_variation` over the frames that have all joints; NaN without any."""
    whole = joints[np.isfinite(joints).all((-2, -1))]
    return bone_length_variation(whole, H36M_17) if len(whole) else np.nan


def _named(lengths: Array) -> dict[str, float]:
    """Bones (16,) by the joints in which they end."""
    return {
        H36M_17.joints[child]: round(float(length), 4)
        for (_, child), length in zip(H36M_17.edges, lengths, strict=True)
    }


def _notes(ids: list[int], people: list[_Person], wanted: Filter) -> Iterator[str]:
    """What was changed of each person, in a sentence; none where nothing was."""
    for identity, person in zip(ids, people, strict=True):
        swapped = len({f for s in person.swaps for f in range(s.first, s.last + 1)})
        done = [
            f"{count} {what}"
            for count, what in (
                (swapped, "frame(s) had left and right exchanged and were put back"),
                (int(person.corrected.sum()), "joint(s) jumped and were removed"),
                (int(person.filled.sum()), "joint(s) were filled in across gaps"),
            )
            if count
        ]
        if wanted != "none" and not person.filtered and np.isfinite(person.joints).any():
            done.append("there are too few frames, too few a second or too uneven ones to filter")
        if done:
            yield f"Person {identity}: {'; '.join(done)}."


def _in_world(sequence: PoseSequence, world: World) -> PoseSequence:
    """The sequence with its place in the world, which the camera then knows."""
    (camera,) = sequence.cameras
    to_camera = world.rotation.T
    places = world.to_world(sequence.joints + sequence.root[..., None, :])
    return replace(
        sequence,
        cameras=(replace(camera, rotation=to_camera, translation=-to_camera @ world.translation),),
        world=places.astype(np.float32),
        world_frame={
            "estimated": True,
            "axes": "x to the camera's right, y up, z towards the camera; the origin on the floor "
            "below the camera; metres",
            "rests_on": world.source,
            "tilt_sigma_degrees": round(world.tilt_sigma, 2),
            "camera_pitch_degrees": round(world.pitch, 2),
            "camera_roll_degrees": round(world.roll, 2),
            "camera_height_metres": round(float(world.translation[1]), 3),
            "assumptions": list(world.assumptions),
        },
        warnings=(
            *sequence.warnings,
            f"Up and the floor are estimated; they rest on: {world.source}. Up may be off by "
            f"{world.tilt_sigma:.0f} degrees (standard deviation).",
        ),
    )
