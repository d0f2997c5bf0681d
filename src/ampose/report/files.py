"""``report.html`` and ``report.pdf``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ampose.errors import InputError
from ampose.report.contents import Report

KINDS = {"html": "report.html", "pdf": "report.pdf"}
"""Files by what users type."""


def parse_kinds(text: str) -> tuple[str, ...]:
    """Kinds from text such as ``html,pdf``, each once.

    Raises:
        InputError: one is unknown, or what draws is not installed.
    """
    kinds = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",")))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise InputError(f"unknown format {unknown[0][:40]!r}; a report is {' or '.join(KINDS)}")
    try:
        import matplotlib  # noqa: F401 - asked for here so that nothing is computed in vain
    except ImportError as error:
        raise InputError(
            'a report needs matplotlib, which is not installed: pip install "ampose[report]"'
        ) from error
    return kinds


def write_report(report: Report, folder: Path | str, kinds: Sequence[str]) -> None:
    """Writes the report into a folder that is there.

    Args:
        report: what it says.
        folder: where to.
        kinds: of `KINDS`.

    Raises:
        InputError: a file cannot be written. None is left half-written.
    """
    from ampose.report.html import write_html
    from ampose.report.pdf import write_pdf

    writers = {"html": write_html, "pdf": write_pdf}
    for kind in kinds:
        writers[kind](report, Path(folder) / KINDS[kind])
