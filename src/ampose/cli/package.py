"""``ampose package``: a finished run as ONNX weights with a card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ampose.cli.common import Data, needs_torch
from ampose.cli.evaluate import TEST_LOG
from ampose.errors import InputError


def package(
    run: Annotated[Path, typer.Argument(help="Run folder of ampose train.")],
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="The .onnx file to write.")],
    log: Annotated[
        Path, typer.Option(help="Where each look at a test set is recorded.")
    ] = TEST_LOG,
) -> None:
    """Exports a finished run to ONNX, compares it with torch, and writes its card."""
    with needs_torch():
        from ampose.research.packaging import package_run
    try:
        difference = package_run(run, data, out, log)
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    print(
        f"{out}: differs from torch by at most {difference:.1e} m; "
        f"card in {out.with_suffix('.json')}"
    )
