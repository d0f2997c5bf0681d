"""The live half of ``ampose run``: a line that keeps up, and the summary at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ampose.cli.common import counted_people, tell

if TYPE_CHECKING:
    from ampose.options import Options
    from ampose.pipeline import LiveReport


def run_live(
    source: Path,
    out: Path | None,
    options: Options,
    *,
    port: int | None,
    formats: tuple[str, ...],
    force: bool,
) -> None:
    """Runs until the video ends or somebody presses Ctrl-C, and says how it went."""
    from ampose import pipeline
    from ampose.live import DEFAULT_PORT

    port = DEFAULT_PORT if port is None else port
    notes: list[str] = []
    with _keeping_up() as told:
        report = pipeline.run_live(
            source,
            out,
            options,
            port=port,
            formats=formats,
            force=force,
            noted=notes.append,
            tell=told,
        )
    if out and report.sequence:
        tell(report.sequence, out, formats, notes)
    else:
        for warning in report.warnings:
            print(f"note: {warning}")
    for line in summary(report):
        print(line)


@contextmanager
def _keeping_up() -> Iterator[Callable[[LiveReport], None]]:
    """Says where to look, then keeps a line up to date on a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    status = console.status("starting")
    said = False

    def told(report: LiveReport) -> None:
        nonlocal said
        if not said:
            print(f"Live at {report.url} (Ctrl-C ends it)", flush=True)
            said = True
            if console.is_terminal:
                status.start()
        status.update(_line(report))

    try:
        yield told
    finally:
        status.stop()


def _line(report: LiveReport) -> str:
    now = report.status
    stages = "  ".join(f"{s.stage} {1000 * s.mean:.1f}" for s in report.stages)
    return (
        f"{_number(now.rate)} frames/s  delay {_number(1000 * now.delay, 0)} ms  "
        f"{counted_people(now.people)}  {now.dropped} dropped  |  {stages} ms"
    )


def summary(report: LiveReport) -> Iterator[str]:
    """The lines at the end: rate and delay, then the time of each stage."""
    now = report.status
    yield (
        f"{now.shown} frames shown, {now.dropped} dropped, {_number(now.mean_rate)} frames/s; "
        f"delay {_number(1000 * now.delay, 0)} ms (median), "
        f"{_number(1000 * now.high_delay, 0)} ms (95 %)"
    )
    yield f"{'stage':<8}{'mean ms':>9}{'95 % ms':>9}{'per frame':>11}"
    for stage in report.stages:
        share = stage.calls / now.shown if now.shown else math.nan
        yield (
            f"{stage.stage:<8}{1000 * stage.mean:>9.1f}{1000 * stage.high:>9.1f}"
            f"{_number(share, 2):>11}"
        )


def _number(value: float, digits: int = 1) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
