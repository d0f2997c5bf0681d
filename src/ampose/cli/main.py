"""``ampose``: gathers the commands, and turns errors into one line and an exit code.

Command modules import only what ``--help`` needs; the work is imported when it starts.
"""

from __future__ import annotations

import io
import signal
import sys
from typing import Annotated

import typer

from ampose._version import __version__
from ampose.cli.angles import angles
from ampose.cli.compare import compare
from ampose.cli.data import app as data
from ampose.cli.demo import demo
from ampose.cli.evaluate import evaluate
from ampose.cli.evaluate_sigma import evaluate_sigma
from ampose.cli.events import events
from ampose.cli.export import export
from ampose.cli.lift import lift
from ampose.cli.package import package
from ampose.cli.report import report
from ampose.cli.reproduce import reproduce
from ampose.cli.run import run
from ampose.cli.train import train
from ampose.errors import InputError

BAD_INPUT = 2
INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Photos, videos and 2D keypoints to 3D human poses, offline, on an ordinary CPU.",
)
app.command()(demo)
app.command()(run)
app.command()(lift)
app.command()(angles)
app.command()(events)
app.command()(report)
app.command()(compare)
app.command()(export)
app.command(rich_help_panel="Research")(train)
app.command(name="eval", rich_help_panel="Research")(evaluate)
app.command(name="eval-sigma", rich_help_panel="Research")(evaluate_sigma)
app.command(rich_help_panel="Research")(package)
app.command(rich_help_panel="Research")(reproduce)
app.add_typer(data, name="data", rich_help_panel="Research")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"ampose {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Entry point of the ``ampose`` command; Ctrl-C and SIGTERM end it with exit code 130.

    Batch systems send SIGTERM: it too leaves no half-written result, and training saves.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):  # as standard error does, whatever a path holds
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        if message:  # none for a bare ``ampose``, which shows the help
            print(f"ampose: {message}; --help shows what is allowed", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except InputError as error:
        print(f"ampose: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:  # while typer builds the commands; later it sees to it itself
        sys.exit(INTERRUPTED)
    except OSError as error:  # such as standard output that leads to a full disk
        print(f"ampose: {error.strerror or error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
