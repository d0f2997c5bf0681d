"""``ampose reproduce``: the thesis's tables and figures beside what this code measures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ampose.cli.common import Threads, needs_torch, progress_bar
from ampose.cli.evaluate import TEST_LOG, load_lifter
from ampose.errors import InputError

if TYPE_CHECKING:
    from ampose.research.reproduction.laboratory import Laboratory
    from ampose.research.reproduction.open_runs import Bench

BENCHMARK_CSV, SIGMA_CSV = Path("results/open_benchmark.csv"), Path("results/sigma.csv")
"""What the figures are drawn from."""

ALWAYS = {"target", "out", "show"}
USES = {
    "table": {"data", "threads", "runs", "no_train", "epochs"},
    "open table": {"data", "threads", "runs", "no_train", "seeds", "wide", "poses"},
    "benchmark": {"data", "threads", "runs", "no_train", "seeds", "wide"},
    "gains": {"data", "threads", "runs", "no_train"},
    "speed": {"runs", "wide"},
    "figure": {"data", "threads", "runs", "no_train", "epochs"},
    "open figure": {"data", "threads", "weights"},
    "benchmark figure": {"table"},
    "sigma figure": {"table"},
}
"""Kind of target to the options that mean something for it."""


def reproduce(
    context: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(
            help="4.1 to 4.9, tables of the thesis; open-4.6 to open-4.9, the same on open data; "
            "open, every lifter alike on open data; open-gains, what each change to the thesis's "
            "model gains; open-speed, how fast each is on one thread here; figure-4.3 to "
            "figure-4.5; figure-open; figure-benchmark, error over latency; figure-sigma, how "
            "often a lifter's error is within its sigma.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the datasets' files; for open data, of the packs."),
    ] = None,
    runs: Annotated[
        Path, typer.Option(help="Folder of run folders, where runs are found and trained.")
    ] = Path("runs"),
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "results"
    ),
    no_train: Annotated[
        bool, typer.Option("--no-train", help="Use runs that are there and train none.")
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Thesis: instead of the recipe's; a trial, no measurement."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="open, open-4.x: runs of each row that is repeated.")
    ] = 3,
    poses: Annotated[
        int | None, typer.Option(min=1, help="open-4.x: poses per run, instead of 500,000.")
    ] = None,
    wide: Annotated[
        bool,
        typer.Option("--wide", help="open, open-4.x: also train the models for a GPU."),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="figure-open: lifter (.onnx) or trained model (.safetensors); else the built-in."
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            help="figure-benchmark: what open wrote after open-speed; figure-sigma: what ampose "
            "eval-sigma wrote. Else results/open_benchmark.csv, results/sigma.csv.",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    show: Annotated[
        bool, typer.Option("--list", help="Show what there is and what could run now.")
    ] = False,
) -> None:
    """Writes a table or figure of the thesis, published beside measured.

    Trains what is missing where its data is at hand; Ctrl-C saves, the same command goes on. Cells
    whose data is not at hand say so. With generated or partial data everything runs as a trial, in
    a temporary folder, and no cell is filled.
    """
    with needs_torch():
        import torch

        from ampose.research.reproduction.laboratory import Laboratory, NotMeasuredError
        from ampose.research.reproduction.open_runs import Bench
        from ampose.research.reproduction.runs import Training
        from ampose.research.reproduction.targets import TARGETS
        from ampose.research.training.checkpoint import CHECKPOINT

    if not show:
        if target not in TARGETS:
            what = f"unknown target {target!r}" if target else "say what to reproduce"
            raise InputError(f"{what}; choose from {', '.join(TARGETS)}")
        refuse_useless(context, TARGETS[target])
    if threads:
        torch.set_num_threads(threads)
    training = Training(data, progress_bar, threads) if data and not no_train else None
    laboratory = Laboratory(runs, data, training, epochs)
    log = out / TEST_LOG.name
    bench = Bench(runs, log, progress_bar, data, training, seeds, wide, poses)
    try:
        if show or target is None:
            list_targets(laboratory, bench)
        elif "figure" in TARGETS[target]:
            write_figure(target, laboratory, out, weights, table, threads)
        else:
            write_table(target, laboratory, bench, out)
    except NotMeasuredError as error:
        reason = f"; {error.reason}" if error.reason else ""
        raise InputError(f"{target}: {error}{reason}") from error
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    except KeyboardInterrupt:
        if any(runs.glob(f"*/{CHECKPOINT}")):
            print(f"Saved in {runs}; the same command goes on from there.")
        raise


def refuse_useless(context: typer.Context, kind: str) -> None:
    """Options that mean nothing for a kind of target are named instead of ignored."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        if given and parameter.name not in ALWAYS | USES[kind]:
            raise InputError(f"{parameter.opts[0]} means nothing for {context.params['target']}")


def list_targets(laboratory: Laboratory, bench: Bench) -> None:
    """Prints every target and what would come of it now."""
    from ampose.research.reproduction.targets import outlooks

    found = list(outlooks(laboratory, bench))
    width = max(len(each.target) for each in found)
    for each in found:
        print(f"{each.target:{width}} {each.title}\n{'':{width}} {each.state}")


def write_table(target: str, laboratory: Laboratory, bench: Bench, out: Path) -> None:
    """Writes a table and prints its main part."""
    from ampose.lifting.network import DEFAULT_WEIGHTS
    from ampose.research.recipes import BENCHMARK, EXTRAS, WIDE_BENCHMARK
    from ampose.research.reproduction.open_ablations import reproduce_ablation
    from ampose.research.reproduction.open_benchmark import reproduce_benchmark
    from ampose.research.reproduction.open_gains import reproduce_gains
    from ampose.research.reproduction.open_speed import measure_speeds
    from ampose.research.reproduction.published import TABLES
    from ampose.research.reproduction.tables import reproduce_table
    from ampose.research.reproduction.targets import (
        BENCHMARK_TABLE,
        GAINS_TABLE,
        OPEN_TABLES,
        SPEED_TABLE,
    )

    if target == BENCHMARK_TABLE:
        written = reproduce_benchmark(bench, out)
    elif target == SPEED_TABLE:
        recipes = (*BENCHMARK, *EXTRAS, *(WIDE_BENCHMARK if bench.wide else ()))
        with needs_torch():  # and what exports
            written = measure_speeds(recipes, bench, out, (DEFAULT_WEIGHTS,))
    elif target == GAINS_TABLE:
        written = reproduce_gains(bench, out)
    elif target in OPEN_TABLES:
        written = reproduce_ablation(OPEN_TABLES[target], bench, out)
    else:
        written = reproduce_table(TABLES[target], laboratory, out)
    print(written.summary)
    for remark in written.remarks:
        print(f"note: {remark}")
    print(f"Written: {', '.join(map(str, written.paths))}")


def write_figure(
    target: str,
    laboratory: Laboratory,
    out: Path,
    weights: Path | None,
    table: Path | None,
    threads: int | None,
) -> None:
    """Draws a figure: poses as PNG and PDF, the benchmark and coverages as SVG."""
    from ampose.research.reproduction.samples import licensed_samples, open_samples
    from ampose.research.reproduction.tables import TRIAL
    from ampose.research.reproduction.targets import BENCHMARK_FIGURE, SIGMA_FIGURE, THESIS_FIGURES

    try:
        from ampose.research.reproduction.figures import draw
        from ampose.research.reproduction.open_figure import draw_benchmark
        from ampose.research.reproduction.sigma_figure import draw_sigma
    except ModuleNotFoundError as error:
        raise InputError(
            f'figures need {error.name}; install it with: pip install "ampose[figures]"'
        ) from error
    if target in (BENCHMARK_FIGURE, SIGMA_FIGURE):
        if target == BENCHMARK_FIGURE:
            paths = draw_benchmark(table or BENCHMARK_CSV, out)
        else:
            paths = draw_sigma(table or SIGMA_CSV, out)
        print(f"Written: {', '.join(map(str, paths))}")
        return
    if target in THESIS_FIGURES:
        samples = licensed_samples(THESIS_FIGURES[target], laboratory)
    else:
        if laboratory.data is None:
            raise InputError(f"{target} needs --data, the folder of the open-mocap packs")
        name, _, lift = load_lifter(weights, threads)
        samples = open_samples(laboratory.data, lift, name)
    folder = laboratory.trial if samples.is_trial else out
    paths = draw(samples, folder, target.replace("-", "_").replace(".", "_"))
    if samples.is_trial:
        print(f"note: {TRIAL}")
    print(f"Written: {', '.join(map(str, paths))}")
