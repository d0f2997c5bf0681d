"""``ampose eval``: scores a lifter on open or on licensed data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ampose.cli.common import Data, Threads, needs_torch, progress_bar
from ampose.errors import InputError
from ampose.files import sha256_of

if TYPE_CHECKING:
    from torch import nn

    from ampose.research.evaluation.open_protocol import Array, EvaluationSet, LiftInputs
    from ampose.results import Progress

TEST_LOG = Path("results/test_log.csv")

OPEN_JOINTS = 17
OPEN_CHANNELS = (3, 4)
"""The inputs, numbers of joints and channels that open data has."""

LICENSED = frozenset({"human3.6m", "mpi-inf-3dhp", "humaneva"})

Lifted = TypeVar("Lifted")

Scored = tuple[str, str, list[dict[str, str | int | float]], dict[str, str]]
"""Name and SHA-256 of the model, rows, and what the rows need beside them."""


def evaluate(
    sets: Annotated[
        list[str],
        typer.Argument(
            help="cmu-val, cmu-test, hdm05, the path of a pack (.npz); or one licensed dataset: "
            "human3.6m, mpi-inf-3dhp or humaneva."
        ),
    ],
    data: Data = Path(),
    weights: Annotated[
        Path | None,
        typer.Option(help="Lifter (.onnx) or trained model (.safetensors); else the built-in."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", dir_okay=False, help="CSV with every row; else the main rows shown."
        ),
    ] = None,
    log: Annotated[
        Path, typer.Option(help="Where each look at an open test set is recorded.")
    ] = TEST_LOG,
    keypoints: Annotated[
        str, typer.Option(help="2D of a licensed dataset, such as cpn_ft_h36m_dbb.")
    ] = "gt",
    mirror: Annotated[
        bool, typer.Option(help="Licensed: average with the answer for the mirror image.")
    ] = True,
    convention: Annotated[
        str, typer.Option(help="Licensed: how errors are counted on mpi-inf-3dhp.")
    ] = "official",
    threads: Threads = None,
) -> None:
    """Scores a lifter: open sets by the open-mocap v1 protocol, licensed ones by their own."""
    if LICENSED.intersection(sets):
        if len(sets) > 1:
            raise InputError(f"{' '.join(sets)}: a licensed dataset is scored alone")
        name, sha256, rows, notes = score_licensed(
            sets[0], data, weights, keypoints, convention, mirror=mirror
        )
    else:
        name, sha256, rows, notes = score_open(sets, data, weights, log, threads)
    if out:
        write_result(out, name, sha256, rows, notes)
        print(f"All rows in {out}")


def score_open(
    sets: list[str], data: Path, weights: Path | None, log: Path, threads: int | None
) -> Scored:
    """Scores by the open-mocap protocol, prints the main rows, records looks at test sets."""
    with needs_torch():  # or SciPy, which the protocol needs
        from ampose.research.evaluation import open_protocol as protocol
        from ampose.research.evaluation.provenance import log_test

    chosen = open_sets(sets, data)
    name, sha256, lift = load_lifter(weights, threads)
    scores = []
    lifter = protocol.NetworkLifter.of(lift)
    for each in chosen:
        with progress_bar(f"score on {each.name}") as progress:
            shown = counted(lifter, protocol.poses_lifted(each), progress)
            of_set = list(protocol.evaluate(replace(lifter, lift=shown), each))
        if each.is_test:
            log_test(log, name, sha256, of_set)
        scores += of_set
    for score in scores:
        if score.group == "all":
            print(
                f"{score.set:10} {score.bones:8} bones, {score.input:8} 2D, "
                f"focal {score.focal:7}: MPJPE {score.mpjpe:5.1f}  "
                f"P-MPJPE {score.p_mpjpe:5.1f} mm  ({score.frames} frames)"
            )
    notes = {
        "protocol": protocol.PROTOCOL,
        "seed": "0",
        "conventions": "mm; root-relative, camera axes; mean over 17 joints with the root",
    }
    return name, sha256, [score.row() for score in scores], notes


def counted(
    lift: Callable[[Array], Lifted], total: int, progress: Progress
) -> Callable[[Array], Lifted]:
    """The same lifter, but it reports how many poses of `total` it has lifted."""
    done = 0

    def lift_and_tell(inputs: Array) -> Lifted:
        nonlocal done
        lifted = lift(inputs)
        done += len(inputs)
        progress(done, total)
        return lifted

    return lift_and_tell


def score_licensed(
    dataset: str,
    data: Path,
    weights: Path | None,
    keypoints: str,
    convention: str,
    *,
    mirror: bool,
) -> Scored:
    """Scores a trained model on the test part of a licensed dataset and prints the rows."""
    if weights is None or weights.suffix != ".safetensors":
        raise InputError(
            f"{dataset} needs --weights RUN/model.safetensors, a model trained in its coordinates"
        )
    with needs_torch():
        from ampose.research.evaluation import licensed
        from ampose.research.recipes import Licensed
        from ampose.research.training.checkpoint import load_weights
    try:
        model = load_weights(weights)
        options = Licensed(dataset, keypoints, toes=getattr(model.config, "toes", False))  # type: ignore[arg-type]
        poses = licensed.load_part(options, model.config, data, "test")  # type: ignore[arg-type]
        predicted = licensed.predict(model, poses, mirror=mirror)
        rows = licensed.score(dataset, predicted, poses, convention)
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    notes = {
        "data": f"{poses.name}, {len(poses)} frames, {licensed.standing(dataset, poses)}",
        "keypoints": keypoints,
        "mirrored test average": str(mirror),
        "conventions": licensed.conventions(dataset, convention),
    }
    return weights.resolve().parent.name, sha256_of(weights), rows, notes


def load_lifter(weights: Path | None, threads: int | None) -> tuple[str, str, LiftInputs]:
    """Name, SHA-256 and function of ONNX weights or of a trained torch model."""
    if weights is None or weights.suffix != ".safetensors":
        from ampose.lifting import load_network

        network = load_network(weights, threads=threads)
        from ampose.research.evaluation.open_protocol import NetworkLifter

        lift = NetworkLifter(1, lambda inputs: network.run(inputs)[0], network.channels)
        return network.name, network.sha256, lift
    with needs_torch():
        from ampose.research.training.inference import torch_lifter
    model = load_model(weights, threads)
    return weights.resolve().parent.name, sha256_of(weights), torch_lifter(model)


def load_model(weights: Path, threads: int | None) -> nn.Module:
    """A trained torch model that open data can be shown to."""
    with needs_torch():
        import torch

        from ampose.research.models.cost import input_shape
        from ampose.research.training.checkpoint import load_weights
    if threads:
        torch.set_num_threads(threads)
    try:
        model = load_weights(weights)
    except ValueError as error:
        raise InputError(str(error)) from error
    _, joints, channels = input_shape(model)
    if joints != OPEN_JOINTS or channels not in OPEN_CHANNELS:
        raise InputError(
            f"{weights}: takes {joints} joints of {channels} channels; open data has "
            f"{OPEN_JOINTS} of {' or '.join(map(str, OPEN_CHANNELS))}"
        )
    return model


def open_sets(sets: list[str], data: Path) -> list[EvaluationSet]:
    """The sets that the user named."""
    from ampose.research.evaluation.open_protocol import load_set

    try:
        return [load_set(name, data) for name in sets]
    except ValueError as error:
        raise InputError(str(error)) from error


def write_result(
    out: Path,
    name: str,
    sha256: str,
    rows: Sequence[Mapping[str, object]],
    notes: Mapping[str, str],
) -> None:
    """Writes a table of a model's rows with what they need beside them."""
    from ampose.research.evaluation.provenance import circumstances, write_table

    notes = {"model": name, "sha256": sha256, **notes, **circumstances()}
    try:
        write_table(out, rows, notes)
    except OSError as error:
        raise InputError(f"{out}: cannot write the table ({error.strerror})") from error
