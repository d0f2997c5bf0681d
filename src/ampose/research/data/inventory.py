"""What of the datasets lies in a folder, and what each table of the thesis would need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ampose.research.data.human36m import TEST_SUBJECTS, TRAIN_SUBJECTS, load_human36m
from ampose.research.data.humaneva import load_humaneva
from ampose.research.data.mpi_inf_3dhp import load_mpi_inf_3dhp
from ampose.research.data.open_mocap import load_pack
from ampose.research.data.open_mocap_clips import compared
from ampose.research.data.pose_set import PoseSet


@dataclass(frozen=True)
class Part:
    """A part of a dataset in a folder.

    Attributes:
        name: of the part.
        finding: one line: how much there is, or what is wrong or missing.
        usable: whether it can be loaded.
        official: whether it is the complete published data; of a pack, whether scores on it
            compare with ours.
    """

    name: str
    finding: str
    usable: bool
    official: bool


HUMAN36M_CPN = "Human3.6M, keypoints cpn_ft_h36m_dbb"
HUMAN36M_GT = "Human3.6M, keypoints gt"
MPI_TRAIN = "MPI-INF-3DHP, training set"
MPI_TEST = "MPI-INF-3DHP, test set"
OPEN_CMU = "open motion, pack cmu"
OPEN_MESH2MOTION = "open motion, pack mesh2motion"
OPEN_HDM05 = "open motion, pack hdm05"

NEEDS: dict[str, tuple[str, ...]] = {
    "4.1": (HUMAN36M_CPN, HUMAN36M_GT),
    "4.2": (HUMAN36M_CPN,),
    "4.3": (HUMAN36M_CPN, HUMAN36M_GT),
    "4.4": (HUMAN36M_GT, MPI_TEST),
    "4.5": (MPI_TRAIN, MPI_TEST),
    "4.6": (HUMAN36M_CPN,),
    "4.7": (HUMAN36M_CPN,),
    "4.8": (HUMAN36M_CPN,),
    "4.9": (HUMAN36M_CPN,),
}
"""Table of the thesis to the parts that its measured errors need; parameters and
multiply-accumulates need none."""


def inspect(folder: Path) -> Iterator[Part]:
    """Loads every part that a folder may hold, one after the other.

    Loading checks the files as a run would, and fills the memory-mapped cache that a run uses.

    Raises:
        ValueError: there is no such folder.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; give the one that holds the datasets' files")
    keypoints = {"gt", "cpn_ft_h36m_dbb"}
    keypoints |= {p.stem.removeprefix("data_2d_h36m_") for p in folder.glob("data_2d_h36m_*.npz")}
    for name in sorted(keypoints):
        yield _part(
            f"Human3.6M, keypoints {name}",
            *(_human36m(folder, name, subjects) for subjects in (TRAIN_SUBJECTS, TEST_SUBJECTS)),
        )
    yield _part(MPI_TRAIN, lambda: load_mpi_inf_3dhp(folder, part="train"))
    yield _part(MPI_TEST, lambda: load_mpi_inf_3dhp(folder, part="test"))
    yield _part(
        "HumanEva-I, keypoints gt",
        lambda: load_humaneva(folder, part="train"),
        lambda: load_humaneva(folder, part="test"),
    )
    for name in (OPEN_CMU, OPEN_MESH2MOTION, OPEN_HDM05):
        yield _pack(name, folder / f"{name.split()[-1]}.npz")


def _human36m(folder: Path, keypoints: str, subjects: tuple[str, ...]) -> Callable[[], PoseSet]:
    skeleton = "h36m_16" if keypoints.startswith("sh_") else "h36m_17"
    return lambda: load_human36m(folder, keypoints=keypoints, skeleton=skeleton, subjects=subjects)


def _part(name: str, *loaders: Callable[[], PoseSet]) -> Part:
    try:
        sets = [load() for load in loaders]
    except ValueError as error:
        return Part(name, str(error), usable=False, official=False)
    official = all(each.official for each in sets)
    counts = ", ".join(f"{each.name} {len(each):,} frames" for each in sets)
    kind = "as published" if official else "not known as the frame counts of the published data"
    return Part(name, f"{counts}; {kind}", usable=True, official=official)


def _pack(name: str, path: Path) -> Part:
    try:
        pack = load_pack(path)
    except ValueError as error:
        return Part(name, str(error), usable=False, official=False)
    frames = f"{len(pack.clips):,} frames"
    clips = compared(pack)
    if clips is None:
        return Part(name, f"{frames}; for training only", usable=True, official=False)
    counts = {"differ": clips.differ, "missing": clips.missing, "new": clips.new}
    others = "".join(f", {count} {what}" for what, count in counts.items() if count)
    order = "" if clips.in_order else ", in another order"
    verdict = "compare" if clips.comparable else "do not compare"
    return Part(
        name,
        f"{frames}; validation and test clips: {clips.same} the same as ours{others}{order}; "
        f"scores {verdict} with results/",
        usable=True,
        official=clips.comparable,
    )
