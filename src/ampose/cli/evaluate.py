"""``ampose eval``: scores a lifter by the open-mocap v1 protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ampose.cli.common import Data, Threads, needs_torch
from ampose.errors import InputError

if TYPE_CHECKING:
    from ampose.research.evaluation.open_protocol import LiftInputs

TEST_LOG = Path("results/test_log.csv")


def evaluate(
    sets: Annotated[
        list[str], typer.Argument(help="cmu-val, cmu-test, hdm05, or the path of a pack (.npz).")
    ],
    data: Data = Path(),
    weights: Annotated[
        Path | None,
        typer.Option(help="Lifter (.onnx) or trained model (.safetensors); else the built-in."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="CSV with every row; else the main rows shown."),
    ] = None,
    log: Annotated[
        Path, typer.Option(help="Where each look at a test set is recorded.")
    ] = TEST_LOG,
    threads: Threads = None,
) -> None:
    """Scores a lifter by the open-mocap v1 protocol: errors in millimetres."""
    from ampose.research.evaluation import open_protocol as protocol
    from ampose.research.evaluation import provenance

    try:
        chosen = [protocol.load_set(name, data) for name in sets]
    except ValueError as error:
        raise InputError(str(error)) from error
    name, sha256, lift = load_lifter(weights, threads)
    scores = []
    for each in chosen:
        of_set = list(protocol.evaluate(lift, each))
        if each.is_test:
            provenance.log_test(log, name, sha256, of_set)
        scores += of_set
    for score in scores:
        if score.group == "all":
            print(
                f"{score.set:10} {score.bones:8} bones, {score.input:8} 2D, "
                f"focal {score.focal:7}: MPJPE {score.mpjpe:5.1f}  "
                f"P-MPJPE {score.p_mpjpe:5.1f} mm  ({score.frames} frames)"
            )
    if out:
        notes = {
            "model": name,
            "sha256": sha256,
            "protocol": protocol.PROTOCOL,
            "seed": "0",
            "conventions": "mm; root-relative, camera axes; mean over 17 joints with the root",
            **provenance.circumstances(),
        }
        try:
            provenance.write_table(out, [score.row() for score in scores], notes)
        except OSError as error:
            raise InputError(f"{out}: cannot write the table ({error.strerror})") from error
        print(f"All rows in {out}")


def load_lifter(weights: Path | None, threads: int | None) -> tuple[str, str, LiftInputs]:
    """Name, SHA-256 and function of ONNX weights or of a trained torch model."""
    if weights is None or weights.suffix != ".safetensors":
        from ampose.lifting import load_network

        network = load_network(weights, threads=threads)
        return network.name, network.sha256, network.run
    with needs_torch():
        from ampose.research.training.checkpoint import load_weights, sha256_of
        from ampose.research.training.inference import torch_lifter
    try:
        model = load_weights(weights)
    except ValueError as error:
        raise InputError(str(error)) from error
    return weights.resolve().parent.name, sha256_of(weights), torch_lifter(model)
