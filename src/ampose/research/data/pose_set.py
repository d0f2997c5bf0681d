"""Paired 2D and 3D poses of a licensed dataset, ready to train on and to score.

Every loader of a licensed dataset ends here, and everything after it (windows, training,
protocols, figures) knows only this. Arrays may be memory-mapped: `cached` keeps them as ``.npy``
files beside the data, so that a second start takes no time and several processes share one copy.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.skeletons import Skeleton, get_skeleton

Array = NDArray[np.floating]

CACHE = ".ampose-cache"
"""Folder beside the data that holds memory-mapped copies; it can be deleted at any time."""

_FORMAT = 1
"""Version of the cache; with another, older caches are not used."""


_UNREADABLE = (OSError, EOFError, ValueError, TypeError)
"""What can be raised by reading a cache that is damaged or another user's."""


class DatasetError(ValueError):
    """A dataset file is missing or not what it should be; one line: file, finding, remedy."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One take of one camera, as a loader gives it; see `PoseSet` for shapes and units."""

    subject: str
    action: str
    camera: str
    inputs: Array
    targets: Array
    rays: Array
    root_depth: Array
    scored: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PoseSet:
    """N frames of paired poses, clip after clip.

    Attributes:
        name: of the dataset and part, such as ``"human3.6m test"``.
        skeleton: name of the joint set; J joints.
        inputs: (N, J, C) float32, normalised 2D keypoints: x, y, then what a recipe adds.
        targets: (N, J, 3) float32 metres, camera axes, relative to the skeleton's root.
        rays: (N, J, 2) float32, x / z and y / z of the viewing rays of the 2D keypoints. Only the
            oracle refinement uses them.
        root_depth: (N,) float32 metres, true z of the root. Only the oracle refinement uses it.
        scored: (N,) which frames a test counts.
        starts: (clips + 1,) int64, clip k is frames ``starts[k]`` to ``starts[k + 1]``.
        subjects, actions, cameras: (clips,) labels.
        official: whether the frame counts are those of the published files. Generated and partial
            data are not, and can never fill a measured cell.
    """

    name: str
    skeleton: str
    inputs: Array
    targets: Array
    rays: Array
    root_depth: Array
    scored: NDArray[np.bool_]
    starts: NDArray[np.int64]
    subjects: NDArray[np.str_]
    actions: NDArray[np.str_]
    cameras: NDArray[np.str_]
    official: bool

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def joints(self) -> Skeleton:
        """The joint set."""
        return get_skeleton(self.skeleton)

    @property
    def clip_count(self) -> int:
        """Number of clips."""
        return len(self.starts) - 1

    def clips(self) -> Iterator[slice]:
        """The frames of each clip."""
        for first, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            yield slice(int(first), int(end))

    def per_frame(self, labels: NDArray[np.str_]) -> NDArray[np.str_]:
        """A label per clip, (clips,), as one per frame, (N,)."""
        return np.repeat(labels, np.diff(self.starts))

    def only(self, chosen: NDArray[np.bool_]) -> PoseSet:
        """The chosen clips, a mask (clips,), in memory.

        Raises:
            ValueError: nothing is chosen.
        """
        if not chosen.any():
            raise ValueError(f"{self.name}: no clip left")
        frames = np.repeat(chosen, np.diff(self.starts))
        lengths = np.diff(self.starts)[chosen]
        per_clip = {key: getattr(self, key)[chosen] for key in _PER_CLIP}
        per_frame = {key: getattr(self, key)[frames] for key in _PER_FRAME}
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return PoseSet(
            name=self.name,
            skeleton=self.skeleton,
            starts=starts,
            official=self.official,
            **per_frame,
            **per_clip,
        )


_PER_FRAME = ("inputs", "targets", "rays", "root_depth", "scored")
_PER_CLIP = ("subjects", "actions", "cameras")


def join(name: str, skeleton: Skeleton, clips: Sequence[Clip], *, official: bool) -> PoseSet:
    """One set from the clips of a loader.

    Raises:
        ValueError: there are no clips, or their shapes do not fit each other or the skeleton.
    """
    if not clips:
        raise ValueError(f"{name}: no clips")
    joints = len(skeleton)
    for clip in clips:
        frames = len(clip.inputs)
        shapes = {
            "inputs": (frames, joints, clips[0].inputs.shape[-1]),
            "targets": (frames, joints, 3),
            "rays": (frames, joints, 2),
            "root_depth": (frames,),
            "scored": (frames,),
        }
        for key, shape in shapes.items():
            if getattr(clip, key).shape != shape:
                raise ValueError(
                    f"{name}, {clip.subject} {clip.action} {clip.camera}: {key} has shape "
                    f"{getattr(clip, key).shape}, not {shape}"
                )
    kinds = {key: bool if key == "scored" else np.float32 for key in _PER_FRAME}
    per_frame = {
        key: np.concatenate([getattr(clip, key) for clip in clips]).astype(kind, copy=False)
        for key, kind in kinds.items()
    }
    return PoseSet(
        name=name,
        skeleton=skeleton.name,
        starts=np.concatenate([[0], np.cumsum([len(clip.inputs) for clip in clips])]),
        subjects=np.array([clip.subject for clip in clips]),
        actions=np.array([clip.action for clip in clips]),
        cameras=np.array([clip.camera for clip in clips]),
        official=official,
        **per_frame,
    )


def cached(
    files: Sequence[Path], options: Mapping[str, object], make: Callable[[], PoseSet]
) -> PoseSet:
    """`make`'s result, memory-mapped from a cache beside the first file.

    The cache is used again while names, sizes and times of the files and the options are the
    same. Where it cannot be written (read-only data, full disk) the set stays in memory. Missing
    files are left for `make` to report.
    """
    try:
        stats = [path.stat() for path in files]
    except OSError:
        return make()
    stamps = [
        (path.name, stat.st_size, stat.st_mtime_ns)
        for path, stat in zip(files, stats, strict=True)
    ]
    key = json.dumps([_FORMAT, stamps, dict(options)], sort_keys=True)
    folder = files[0].parent / CACHE / hashlib.sha256(key.encode()).hexdigest()[:16]
    if folder.is_dir():
        try:
            return _read(folder)
        except _UNREADABLE:
            shutil.rmtree(folder, ignore_errors=True)
    made = make()
    try:
        _write(made, folder)
        return _read(folder)
    except _UNREADABLE:
        return made


def _write(made: PoseSet, folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    # Not tempfile.mkdtemp: only its maker could read what it makes.
    beside = folder.with_name(f"partial-{uuid.uuid4().hex}")
    try:
        beside.mkdir()
        for key in (*_PER_FRAME, *_PER_CLIP, "starts"):
            np.save(beside / f"{key}.npy", getattr(made, key))
        rest = {key: getattr(made, key) for key in ("name", "skeleton", "official")}
        (beside / "set.json").write_text(json.dumps(rest), encoding="utf-8")
        beside.replace(folder)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        if not folder.is_dir():  # else another process was first
            raise


def _read(folder: Path) -> PoseSet:
    rest = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    arrays = {
        each.name: np.load(folder / f"{each.name}.npy", mmap_mode="r")
        for each in fields(PoseSet)
        if each.name not in rest
    }
    return PoseSet(**rest, **arrays)
