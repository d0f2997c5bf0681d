"""Open-mocap packs, made anew from the original motion capture files.

Wanted below one folder, in folders of any name; a number may have zeros before it:

* CMU: ``SUBJECT.asf`` with ``SUBJECT_TRIAL.amc``, or ``SUBJECT_TRIAL.bvh`` of cgspeed's
  conversion for MotionBuilder, such as ``08_11.bvh``. They become ``cmu.npz``.
* HDM05, cut into classes: ``HDM_ACTOR.asf`` with ``HDM_ACTOR_CLASS_NUMBER_120.amc``, such as
  ``HDM_tr_squat1Reps_041_120.amc``. They become ``hdm05.npz``.

A trial that is there in both formats is read from the one that our own pack took, else from AMC.

AMC files do not tell their frame rate, and the one in cgspeed's files is not used. It is 120,
except for the subjects and the one trial of CMU for which its index says 60. Poses at 25 frames/s
are interpolated linearly between the captured ones before and after, joint by joint; F captured
frames make ``floor(F * 25 / rate)``, and the first is the first captured one.

cgspeed's files begin with an added pose, which is left out, and lack three bones, which are put
back: the thorax, as long as the spine's bone below it, and the wrists, each half as long as the
radius before it.

The numbers of the original files, typed in from public copies, gave what our packs hold, to the
last digit: all of HDM05's hopBothLegs1hops020 of bk, so the digest too, and the first frames of
127_08 (AMC), 08_11 (BVH) and HDM05's squat1Reps041 of tr.
"""

from __future__ import annotations

import filecmp
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.geometry import bone_lengths
from ampose.metrics import MILLIMETRES_PER_METRE
from ampose.research.data.asf_amc import AsfSkeleton, read_amc, read_asf
from ampose.research.data.bvh import read_bvh
from ampose.research.data.open_mocap_clips import Key, difference, known_clips, split_of
from ampose.research.data.pose_set import DatasetError
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]
Progress = Callable[[int, int | None], None]
Status = Literal["same", "differs", "new", "refused", "missing"]
Parts = tuple[Mapping[str, float], ...]

STATUSES: tuple[Status, ...] = ("same", "new", "missing", "differs", "refused")
FRAME_RATE = 25
PACKS = ("cmu", "hdm05")

HOW = (
    "get all ASF and AMC files of CMU from mocap.cs.cmu.edu/faqs.php, or its subjects' BVH files "
    "from cgspeed, and HDM05's cut AMC files from resources.mpi-inf.mpg.de/HDM05"
)

_SLOW = {"33", "34", "42", "60", "61", "62", "74", "75", "77", "79", "80", "87", "88", "89"}
_SLOW_TRIALS = {("136", "19")}
"""Subjects and a trial of CMU captured at 60 frames/s, by the index of its 2,435 trials."""

_CMU_UNIT = 0.0254 / 0.45
"""Metres per unit of length; BVH files do not tell it."""

_ASF: Parts = (
    {"lhipjoint": 0.5, "rhipjoint": 0.5},
    *({"rhipjoint": 1}, {"rfemur": 1}, {"rtibia": 1}),
    *({"lhipjoint": 1}, {"lfemur": 1}, {"ltibia": 1}),
    {"lowerback": 0.75, "upperback": 0.25},
    {"lclavicle": 0.25, "rclavicle": 0.25, "lowerneck": 0.5},
    *({"upperneck": 1}, {"head": 1}),
    # Not the radius: the twist of the forearm is split between it and the wrist.
    *({"lclavicle": 1}, {"lhumerus": 1}, {"lwrist": 1}),
    *({"rclavicle": 1}, {"rhumerus": 1}, {"rwrist": 1}),
)
"""The 17 joints as weighted means of bones' ends."""

_BVH: Parts = (
    {"LeftUpLeg": 0.5, "RightUpLeg": 0.5},
    *({"RightUpLeg": 1}, {"RightLeg": 1}, {"RightFoot": 1}),
    *({"LeftUpLeg": 1}, {"LeftLeg": 1}, {"LeftFoot": 1}),
    {"Spine": 0.75, "Spine1": 0.25},
    {"LeftArm": 0.25, "RightArm": 0.25, "Neck1": 0.5},
    *({"Head": 1}, {"Head end": 1}),
    *({"LeftArm": 1}, {"LeftForeArm": 1}, {"LeftForeArm": -0.5, "LeftHand": 1.5}),
    *({"RightArm": 1}, {"RightForeArm": 1}, {"RightForeArm": -0.5, "RightHand": 1.5}),
)
"""The same 17 joints from those of a repaired BVH file, whose hand lies where the radius ends."""

_LOST = ("Neck", "LeftShoulder", "RightShoulder")
"""Joints at the end of the thorax, which the conversion left at its beginning."""

_DIGITS = "0123456789"

_CONVERSION = "only cgspeed's conversion of CMU for MotionBuilder is read"

_UNITS_PER_MILLIMETRE = 10

_LEGS = (1, 2, 4, 5)
"""Thighs and shins among the bones."""
_LEG_METRES = (0.25, 0.7)


@dataclass(frozen=True)
class Finding:
    """What became of one clip.

    Attributes:
        pack, subject, trial: which clip.
        status: "same" as in our packs, "differs" from it, "new" to them, "refused" because it
            cannot be read, or "missing" from the folder though our packs have it. The first three
            are in the pack that was written.
        detail: how it differs, why it is refused.
    """

    pack: str
    subject: str
    trial: str
    status: Status
    detail: str = ""

    @property
    def key(self) -> Key:
        """Which clip."""
        return self.pack, self.subject, self.trial


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        frames: the files that were written, with their number of frames per split.
        findings: one per clip of the folder, then one per clip of our packs that is missing.
        unknown: AMC and BVH files whose names do not say which clips they are.
    """

    frames: dict[Path, Counter[str]]
    findings: list[Finding]
    unknown: list[Path]


@dataclass(frozen=True)
class _Take:
    """A clip and the files to read it from."""

    key: Key
    path: Path
    asf: Path | None

    @property
    def rate(self) -> int:
        """Captured frames per second."""
        _, subject, trial = self.key
        return 60 if subject in _SLOW or (subject, trial) in _SLOW_TRIALS else 120


@dataclass(frozen=True)
class _Clip:
    positions: NDArray[np.int16]
    root: NDArray[np.float32]
    skeleton: str


def import_open_mocap(
    source: Path | str,
    out: Path | str,
    *,
    known_only: bool = False,
    overwrite: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Imported:
    """Writes ``cmu.npz`` and ``hdm05.npz``, those of which there are clips, all or none.

    They are what `ampose.research.data.open_mocap.load_pack` reads, and ``root`` float32 (N, 3)
    metres, pack axes. Clips come in the order of our packs, those that are new after them.

    Args:
        source: folder that holds the files.
        out: folder for the packs; made if absent.
        known_only: leave out clips that our packs do not have.
        overwrite: whether packs that are there already may be replaced.
        progress: told the number of clips that are read, and of all.

    Returns:
        What was found. A clip that cannot be read is left out and reported, not raised: the
        libraries hold damaged ones.

    Raises:
        DatasetError: nothing was found or can be read, or a file is there twice with different
            contents.
        InputError: a pack exists, or `out` cannot be written.
    """
    takes, unknown = _find_takes(Path(source), known_only=known_only)
    paths = [Path(out) / f"{pack}.npz" for pack in PACKS if any(pack == t.key[0] for t in takes)]
    if not overwrite and (present := [path for path in paths if path.exists()]):
        raise InputError(f"{present[0]} exists already; remove it or ask to overwrite it")
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".partial-") as folder:
            clips, findings = _convert(takes, progress)
            if not clips:
                raise DatasetError(
                    f"{source}: none of its {len(takes)} clips can be read: {findings[0].detail}"
                )
            frames: dict[Path, Counter[str]] = {}
            for path in paths:
                chosen = {key: clip for key, clip in clips.items() if key[0] == path.stem}
                if chosen:
                    _write(Path(folder) / path.name, chosen)
                    frames[path] = Counter()
                    for key, clip in chosen.items():
                        frames[path][split_of(key)] += len(clip.positions)
            for path in frames:
                (Path(folder) / path.name).replace(path)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}") from error
    return Imported(frames, findings, unknown)


def _find_takes(source: Path, *, known_only: bool) -> tuple[list[_Take], list[Path]]:
    """Every clip once, in the order of a pack; and files whose names are not those of clips."""
    if not source.is_dir():
        raise DatasetError(f"{source}: no such folder; {HOW}")
    skeletons: dict[str, list[Path]] = defaultdict(list)
    files: dict[Key, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    unknown = []
    for path in sorted(source.rglob("[!.]*")):  # macOS leaves "._" files in archives
        kind = path.suffix.lower()
        if kind == ".asf":
            skeletons[path.stem.lstrip("0")].append(path)
        elif kind in (".amc", ".bvh"):
            if key := _key(path.stem, kind):
                files[key][kind].append(path)
            else:
                unknown.append(path)
    if not files:
        raise DatasetError(f"{source}: no clip of CMU or HDM05 below it; {HOW}")
    known = known_clips()
    rank = {key: place for place, key in enumerate(known)}
    takes = []
    for key in sorted(files, key=lambda key: (rank.get(key, len(rank)), _natural(key))):
        if key not in known and known_only:
            continue
        kinds = files[key]
        wanted = ".bvh" if key in known and known[key].skeleton == "bvh-own" else ".amc"
        kind = wanted if wanted in kinds else min(kinds)
        owner = key[1] if key[0] == "cmu" else f"HDM_{key[1]}"
        asf = _only(skeletons[owner]) if kind == ".amc" and skeletons[owner] else None
        takes.append(_Take(key, _only(kinds[kind]), asf))
    if not takes:
        raise DatasetError(f"{source}: none of its {len(files)} clips is one of ours; {HOW}")
    return takes, unknown


def _key(stem: str, kind: str) -> Key | None:
    """Which clip a file of this name holds."""
    if named := re.fullmatch(r"0*([0-9]+)_0*([0-9]+)", stem):
        return "cmu", named[1], named[2]
    named = re.fullmatch(r"HDM_([a-z]{2})_([A-Za-z0-9]+)_([0-9]{3})_120", stem)
    if named and kind == ".amc":
        return "hdm05", named[1], named[2] + named[3]
    return None


def _natural(key: tuple[str, ...]) -> tuple[str, ...]:
    """Sort key under which 9 comes before 10."""
    return tuple(word.zfill(9) for word in key)


def _only(paths: Sequence[Path]) -> Path:
    """The first of several copies of one file, which must be the same."""
    for other in paths[1:]:
        if not filecmp.cmp(paths[0], other, shallow=False):
            raise DatasetError(f"{paths[0]} and {other} differ; keep one of them")
    return paths[0]


def _convert(takes: Sequence[_Take], progress: Progress) -> tuple[dict[Key, _Clip], list[Finding]]:
    clips: dict[Key, _Clip] = {}
    findings = []
    known = known_clips()
    skeleton = cache(read_asf)
    for done, take in enumerate(takes):
        progress(done, len(takes))
        status: Status = "new"
        detail: str | None = ""
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # absurd numbers are refused
                clip = _read(take, skeleton)
        except DatasetError as error:
            status, detail = "refused", str(error)
        else:
            clips[take.key] = clip
            if take.key in known:
                detail = difference(clip.positions, known[take.key])
                status = "differs" if detail else "same"
        findings.append(Finding(*take.key, status, detail or ""))
    progress(len(takes), len(takes))
    found = {take.key for take in takes}
    findings += [Finding(*key, "missing") for key in known if key not in found]
    return clips, findings


def _read(take: _Take, skeleton: Callable[[Path], AsfSkeleton]) -> _Clip:
    if take.path.suffix.lower() == ".bvh":
        joints = _bvh_joints(take.path)
    elif take.asf is None:
        raise DatasetError(
            f"{take.path}: the skeleton that belongs to it, an ASF file, is missing"
        )
    else:
        bones = skeleton(take.asf)
        joints = _combined(bones.bone_ends(read_amc(take.path, bones)), _ASF, take.asf)
    joints = joints[..., [0, 2, 1]] * (1, -1, 1)  # x right, y up to x right, y forward, z up
    legs = bone_lengths(joints, H36M_17)[:, _LEGS]
    low, high = _LEG_METRES
    if not (low <= legs.min() and legs.max() <= high):
        raise DatasetError(
            f"{take.path}: no person in CMU's unit of length: thighs and shins measure "
            f"{legs.min():.3g} to {legs.max():.3g} m"
        )
    joints = _resampled(joints * MILLIMETRES_PER_METRE, take)
    positions = np.round((joints - joints[:, :1]) * _UNITS_PER_MILLIMETRE)
    if not np.abs(positions).max() <= np.iinfo(np.int16).max:
        raise DatasetError(f"{take.path}: a joint is farther from the hip than a pack can hold")
    return _Clip(
        positions.astype(np.int16),
        joints[:, 0] / np.float32(MILLIMETRES_PER_METRE),
        "bvh-own" if take.path.suffix.lower() == ".bvh" else "asf-own",
    )


def _bvh_joints(path: Path) -> Array:
    """(F, 17, 3) metres, axes of the file, of cgspeed's conversion."""
    bvh = read_bvh(path)
    joints = {joint.name: joint for joint in bvh.joints}
    wanted = {name for parts in _BVH for name in parts} | set(_LOST)
    if missing := sorted(wanted - joints.keys()):
        raise DatasetError(f"{path}: it lacks {', '.join(missing)}; {_CONVERSION}")
    if any(joints[name].offset.any() for name in _LOST):
        raise DatasetError(f"{path}: {', '.join(_LOST)} should have no offset; {_CONVERSION}")
    if not any(abs(bvh.frame_time * rate - 1) < 0.01 for rate in (60, 120)):
        raise DatasetError(f"{path}: a frame lasts {bvh.frame_time:g} s; {_CONVERSION}")
    turns = [k for k, name in enumerate(bvh.joints[0].channels) if name.endswith("rotation")]
    if len(bvh.motion) < 2 or bvh.motion[0, turns].any():
        raise DatasetError(f"{path}: its first frame is not the added pose; {_CONVERSION}")
    thorax = np.array([0, np.linalg.norm(joints["Spine1"].offset), 0])
    repaired = replace(
        bvh,
        joints=tuple(
            replace(joint, offset=thorax) if joint.name in _LOST else joint for joint in bvh.joints
        ),
        motion=bvh.motion[1:],
    )
    return _combined(repaired.joint_places(_CMU_UNIT), _BVH, path)


def _combined(places: Mapping[str, Array], joints: Parts, path: Path) -> Array:
    """Joints (F, 17, 3) from named places (F, 3)."""
    if missing := sorted({name for parts in joints for name in parts} - places.keys()):
        raise DatasetError(f"{path}: it lacks {', '.join(missing)}, as CMU and HDM05 name bones")
    means = [
        np.sum([weight * places[name] for name, weight in parts.items()], axis=0)
        for parts in joints
    ]
    return np.stack(means, axis=1)


def _resampled(joints: Array, take: _Take) -> NDArray[np.float32]:
    """Frames at 25 per second, each between the two that were captured before and after.

    Some steps round to single precision, as they did for our packs: only then does the later
    rounding to 0.1 mm fall on the same side for every coordinate.
    """
    count = len(joints) * FRAME_RATE // take.rate
    if not count:
        raise DatasetError(f"{take.path}: {len(joints)} frame(s) are too few to make one of 25/s")
    times = np.arange(count) * take.rate / FRAME_RATE
    before = times.astype(np.int64)
    weight = (times - before)[:, None, None]
    after = np.minimum(before + 1, len(joints) - 1)
    single = joints.astype(np.float32)
    between = (1 - weight) * single[before] + weight * single[after]
    return np.asarray(between, np.float32)


def _description(key: Key) -> str:
    if key[0] == "hdm05":
        return key[2].rstrip(_DIGITS)
    return known_clips()[key].description if key in known_clips() else ""


def _write(path: Path, clips: Mapping[Key, _Clip]) -> None:
    lengths = [len(clip.positions) for clip in clips.values()]
    np.savez_compressed(
        path,
        positions=np.concatenate([clip.positions for clip in clips.values()]),
        root=np.concatenate([clip.root for clip in clips.values()]),
        clip_start=np.cumsum([0, *lengths]).astype(np.int32),
        subject=np.array([key[1] for key in clips]),
        trial=np.array([key[2] for key in clips]),
        skeleton=np.array([clip.skeleton for clip in clips.values()]),
        description=np.array([_description(key) for key in clips]),
        split=np.array([split_of(key) for key in clips]),
    )


def report(imported: Imported) -> Iterator[str]:
    """What an import did, line by line: the clips of each status, then the packs."""
    packs: dict[str, list[Finding]] = defaultdict(list)
    for each in imported.findings:
        packs[each.pack].append(each)
    for status in STATUSES:
        for pack, findings in packs.items():
            chosen = [each for each in findings if each.status == status]
            if len(chosen) == len(findings) > 1:
                yield f"{status:9}{pack}: all {len(findings)} clips"
                continue
            yield from (f"{status:9}{pack} {line}" for line in _gathered(chosen))
    for path, frames in imported.frames.items():
        found = packs[path.stem]
        count = Counter(each.status for each in found)
        clips = ", ".join(f"{count[status]} {status}" for status in STATUSES if count[status])
        splits = ", ".join(f"{split} {frames[split]:,}" for split in sorted(frames))
        yield f"Written: {path}, {frames.total():,} frames ({splits}); clips: {clips}"
        tests = [each for each in found if split_of(each.key) == "test" and each.status != "same"]
        if any(each.status in ("new", "differs") or each.key in known_clips() for each in tests):
            yield f"note: {path.stem}'s test clips are not all ours: scores on them do not compare"
    if imported.unknown:
        yield (
            f"note: {len(imported.unknown)} file(s) are not named as a clip of CMU or HDM05, "
            f"such as {imported.unknown[0]}"
        )


def _gathered(findings: Sequence[Finding]) -> Iterator[str]:
    """A line for the clips of one subject, class and detail; consecutive numbers are joined."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in sorted(findings, key=lambda each: _natural((each.subject, each.trial))):
        name = each.trial.rstrip(_DIGITS)
        number = int(each.trial.removeprefix(name))
        groups[f"{each.subject} {name}".rstrip(), each.detail].append(number)
    for (name, detail), trials in groups.items():
        runs: list[list[int]] = []
        for number in trials:
            if runs and runs[-1][-1] == number - 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        joined = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
        yield f"{name}: {joined}" + (f" ({detail})" if detail else "")
