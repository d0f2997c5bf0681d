"""Options that several commands share, the configuration file, and the progress bar."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ampose.errors import InputError

if TYPE_CHECKING:
    from ampose.poses import PoseSequence
    from ampose.results import Progress


def _read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Makes the file's values the defaults of the command, so that flags still win."""
    if path is None:
        return None
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read the configuration ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML ({error})") from error
    names = {_long_name(each.name, each.opts): each.name for each in context.command.params}
    del names["config"]
    values = {key.replace("_", "-"): value for key, value in values.items()}
    if unknown := sorted(values.keys() - names.keys()):
        raise InputError(
            f"{path}: {context.info_name} has no option {', '.join(unknown)}; "
            f"it has {', '.join(sorted(names))}"
        )
    for key, value in values.items():
        if not isinstance(value, str | int | float | bool):
            raise InputError(f"{path}: {key} must be text, a number, true or false")
    context.default_map = {names[key]: value for key, value in values.items()}
    return path


def _long_name(name: str | None, words: Sequence[str]) -> str:
    """An option's name for users; the function may have another: ``--angles`` is its `names`."""
    return next((word[2:] for word in words if word.startswith("--")), str(name))


Config = Annotated[
    Path | None,
    typer.Option(
        callback=_read_config,
        is_eager=True,
        help="TOML file with any option by its long name, such as: fov = 70.",
    ),
]
ResultSource = Annotated[
    Path,
    typer.Argument(help="Folder of ampose run or lift, or its poses.npz.", show_default=False),
]
OUT_FLAGS = ("--out", "-o")
Out = Annotated[Path, typer.Option(*OUT_FLAGS, help="Folder for the results.")]
Force = Annotated[bool, typer.Option("--force", help="Replace results that are there already.")]
Fov = Annotated[
    float | None, typer.Option(help="Horizontal field of view of the camera, degrees.")
]
Focal = Annotated[float | None, typer.Option(help="Focal length, pixels.")]
FormatNames = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="Files beside poses.npz and poses.json, with commas: csv, csv-wide, bvh, glb, c3d, "
        "trc, mot, rrd.",
    ),
]
Weights = Annotated[
    Path | None, typer.Option(help="Lifter (.onnx) exported by this package; else the built-in.")
]
MappingName = Annotated[
    Literal["hybrid", "plain"], typer.Option(help="How other joint sets become Human3.6M's.")
]
PRESETS = "squat, sit-to-stand, gait, golf-swing, baseball-pitch, baseball-swing"
"""The names in `ampose.analysis.PRESETS`, which would make ``--help`` slow if imported."""

BlurFaces = Annotated[
    bool,
    typer.Option("--blur-faces", help="Cover everybody's face in all pictures, as far as found."),
]
Threads = Annotated[
    int | None, typer.Option(help="Threads that may be busy at once; else one per core.")
]
Data = Annotated[
    Path, typer.Option(help="Folder of the open-mocap packs, or of a dataset's files.")
]


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Shows progress on a terminal once there is some; quiet when the output goes elsewhere."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return TaskProgressColumn.render_speed(task.finished_speed or task.speed)

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    task = bar.add_task(label, total=None)

    def update(done: int, total: int | None) -> None:
        if not bar.live.is_started:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        bar.stop()


@contextmanager
def needs_torch() -> Iterator[None]:
    """Turns a missing research dependency into the line that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"this command needs {error.name}; install it with: pip install torch, then "
            'pip install "ampose[train]"'
        ) from error


def read_result(source: Path, person: str) -> PoseSequence:
    """A finished result with only the people who are meant.

    Args:
        source: ``poses.npz`` or the folder that holds it.
        person: what ``--person`` says.
    """
    from ampose.export import read_npz
    from ampose.export.folder import poses_file
    from ampose.motion.choice import chosen, parse_choice

    choice = parse_choice(person)
    whole = read_npz(poses_file(source))
    return whole.only(chosen(choice, whole.ids, whole.keypoints))


def wanted_formats(text: str | None) -> tuple[str, ...]:
    """The formats that ``--format`` names; none if it was not given."""
    if text is None:
        return ()
    from ampose.formats import parse_formats

    return parse_formats(text)


def counted_people(count: int) -> str:
    """Such as ``2 people``."""
    return "1 person" if count == 1 else f"{count} people"


def tell(
    sequence: PoseSequence, out: Path, formats: Sequence[str] = (), notes: Sequence[str] = ()
) -> None:
    """Says what was written and what to open.

    Args:
        sequence: what it is.
        out: the folder.
        formats: written beside ``poses.npz`` and ``poses.json``.
        notes: about these formats.
    """
    from ampose.formats import ALWAYS, format_files, left_from_before

    people = sequence.person_count if sequence.frame_count else 0
    print(f"{sequence.frame_count} frame(s), {counted_people(people)}")
    for warning in (*sequence.warnings, *notes):
        print(f"note: {warning}")
    if left := left_from_before(out):
        print(f"note: of an earlier result, and still there: {', '.join(left)}")
    overlays = [path for path in out.iterdir() if path.stem == "overlay"]
    print(f"Results in {out}: {format_files((*ALWAYS, *formats), out, left)}")
    if overlays:  # with --force, one of an earlier run may lie beside it
        newest = max(overlays, key=lambda path: path.stat().st_mtime_ns)
        print(f"Open {newest} to look at them.")
