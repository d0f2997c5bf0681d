"""``ampose eval-sigma``: whether a lifter's sigma is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ampose.cli.common import Data, Threads, needs_torch, progress_bar
from ampose.cli.evaluate import TEST_LOG, counted, load_model, open_sets, write_result
from ampose.errors import InputError
from ampose.files import sha256_of
from ampose.skeletons import H36M_17

if TYPE_CHECKING:
    from ampose.research.evaluation.uncertainty import Array, Coverage, Hiding, LiftWithSigma


_SEEN = "template bones, focal length known"
CONVENTIONS = (
    "percent of errors within the Gaussian interval of a nominal coverage; errors root-relative, "
    f"along camera axes, without the root; {_SEEN}"
)
HIDDEN_CONVENTIONS = (
    "length of sigma's three axes, mm, median over poses, joint seen and hidden; percent of poses "
    f"where hiding raises it; exact 2D, {_SEEN}"
)


class SigmaLifter(NamedTuple):
    """A lifter with sigma, the channels that it takes, and what tells it from others."""

    name: str
    sha256: str
    channels: int
    lift: LiftWithSigma


def evaluate_sigma(
    sets: Annotated[
        list[str],
        typer.Argument(help="cmu-val, cmu-test, hdm05, or the path of a pack (.npz)."),
    ],
    data: Data = Path(),
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Lifter (.onnx) or trained model (.safetensors) with sigma; else the built-in."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            dir_okay=False,
            help="CSV with every coverage; hidden joints in NAME_hidden.csv.",
        ),
    ] = None,
    log: Annotated[
        Path, typer.Option(help="Where each look at a test set is recorded.")
    ] = TEST_LOG,
    threads: Threads = None,
) -> None:
    """Counts how many errors lie within a lifter's sigma, and how often hiding a joint raises it.

    A trained model's sigma is taken as it was trained; ampose package scales it.
    """
    with needs_torch():  # or SciPy, which the protocol needs
        from ampose.research.evaluation import open_protocol as protocol
        from ampose.research.evaluation.provenance import log_test
        from ampose.research.evaluation.uncertainty import coverages, hiding
    chosen = open_sets(sets, data)
    name, sha256, channels, lift = load_sigma_lifter(weights, threads)
    covered: list[Coverage] = []
    hidden: list[Hiding] = []
    for each in chosen:
        with progress_bar(f"sigma on {each.name}") as progress:
            # Coverage by input; all joints seen, then each but the root hidden.
            total = (len(protocol.INPUTS) + len(H36M_17)) * len(each.focal)
            total += protocol.poses_lifted(each) if each.is_test else 0
            shown = counted(lift, total, progress)
            if each.is_test:
                poses = protocol.NetworkLifter(1, partial(pose_of, shown), channels)
                log_test(log, name, sha256, protocol.evaluate(poses, each, groups=False))
            of_set = list(coverages(shown, each, channels=channels))
            hidden_in_set = list(hiding(shown, each, channels=channels))
        summarise(of_set, hidden_in_set)
        covered += of_set
        hidden += hidden_in_set
    if out:
        beside = out.with_stem(f"{out.stem}_hidden")
        for path, rows, conventions in (
            (out, covered, CONVENTIONS),
            (beside, hidden, HIDDEN_CONVENTIONS),
        ):
            notes = {"protocol": protocol.PROTOCOL, "seed": "0", "conventions": conventions}
            write_result(path, name, sha256, [row.row() for row in rows], notes)
        print(f"All rows in {out}, {beside}")


def pose_of(lift: LiftWithSigma, inputs: Array) -> Array:
    """The pose without its sigma."""
    return lift(inputs)[0]


def summarise(covered: Sequence[Coverage], hidden: Sequence[Hiding]) -> None:
    """Prints the coverage of one and of two sigma, and how often hiding counts, of one set."""
    from ampose.research.evaluation.open_protocol import INPUTS
    from ampose.research.evaluation.uncertainty import ONE, TWO

    found = {(row.input, row.nominal): row.found for row in covered if row.group == "all"}
    for kind in INPUTS:
        shares = [
            f"{found[kind, 100 * level]:5.1f} % within {sigmas} sigma ({100 * level:.1f})"
            for sigmas, level in ((1, ONE), (2, TWO))
        ]
        print(f"{covered[0].set:10} {kind:8} 2D: {', '.join(shares)}")
    grows = sum(row.grows for row in hidden) / len(hidden)
    print(f"{covered[0].set:10} hiding a joint raises its sigma in {grows:.1f} % of poses")


def load_sigma_lifter(weights: Path | None, threads: int | None) -> SigmaLifter:
    """A lifter of single frames with sigma, from ONNX weights or a trained torch model."""
    if weights is None or weights.suffix != ".safetensors":
        from ampose.lifting import load_network

        network = load_network(weights, threads=threads)
        if not network.gives_sigma:
            raise InputError(
                f"{weights or network.name}: gives no sigma; choose other weights with --weights"
            )
        return SigmaLifter(network.name, network.sha256, network.channels, network.run)
    with needs_torch():
        from ampose.research.models.uncertain import Uncertain
        from ampose.research.training.inference import torch_lifter_with_sigma
    model = load_model(weights, threads)
    if not isinstance(model, Uncertain):
        raise InputError(
            f"{weights}: gives no sigma; ampose train open-small-sigma makes one that does"
        )
    if model.config.frames > 1:
        raise InputError(
            f"{weights}: takes {model.config.frames} frames; sigma is measured on single ones"
        )
    name = weights.resolve().parent.name
    lift = torch_lifter_with_sigma(model)
    return SigmaLifter(name, sha256_of(weights), model.config.channels, lift)
