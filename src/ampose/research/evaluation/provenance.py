"""Where and how a number was measured, and the files that keep both together."""

from __future__ import annotations

import csv
import itertools
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ampose._version import __version__
from ampose.files import written_beside
from ampose.research.evaluation.open_protocol import PROTOCOL, Score


def commit() -> str:
    """The commit of this checkout, ``+`` appended if files of ``src`` differ.

    "unknown" without git, and where this file does not belong to the surrounding repository, such
    as in a virtual environment in somebody's project.
    """
    here = Path(__file__)

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=here.parent, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)
        changed = git("status", "--porcelain", "--", ":/src")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def hardware() -> str:
    """Processor and number of processors."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} processors"


def circumstances() -> dict[str, str]:
    """Version, commit, hardware and day."""
    return {
        "ampose": __version__,
        "commit": commit(),
        "hardware": hardware(),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def write_table(
    path: Path, rows: Sequence[Mapping[str, object]], notes: Mapping[str, str]
) -> None:
    """A CSV with its notes as ``# name: value`` lines on top, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in notes.items())
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path: Path, columns: Iterable[str]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Notes and rows of a file that `write_table` made.

    Args:
        path: the file.
        columns: that it must have, among others.

    Raises:
        ValueError: it cannot be read, or a column is missing.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read") from error
    noted = list(itertools.takewhile(lambda line: line.startswith("# "), lines))
    notes = dict(line[2:].partition(": ")[::2] for line in noted)
    rows = list(csv.DictReader(lines[len(noted) :]))
    held = rows[0].keys() if rows else set()
    if missing := [name for name in columns if name not in held]:
        raise ValueError(f"{path}: has no column {', '.join(missing)}; make it anew")
    return notes, rows


UNLOGGED = ("angle_error", "bone_variation", "pck", "auc")
"""Of a score; the log began without them."""


def log_test(path: Path, model: str, sha256: str, scores: Iterable[Score]) -> None:
    """Appends each look at a test set to a log, so that nobody can look often and report once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = circumstances()
    rows = [
        {
            "day": now["day"],
            "commit": now["commit"],
            "protocol": PROTOCOL,
            "model": model,
            "sha256": sha256[:12],
            **{name: value for name, value in score.row().items() if name not in UNLOGGED},
        }
        for score in scores
        if score.group == "all"
    ]
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if not file.tell():
            writer.writeheader()
        writer.writerows(rows)
