"""Readable results: Markdown with tables that can be read in a terminal too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ampose.files import written_beside


@dataclass(frozen=True)
class Section:
    """A part of a document: its heading and its table, as `markdown_table` makes it."""

    heading: str
    table: str


def write_markdown(
    path: Path, title: str, sections: Iterable[Section], notes: Mapping[str, str]
) -> None:
    """A document: title, tables, and its notes as a list, complete or not at all."""
    parts = [f"# {title}"]
    for section in sections:
        parts += [f"## {section.heading}", section.table]
    parts += ["## Notes", "\n".join(f"* {name}: {text}" for name, text in notes.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as beside:
        beside.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns are padded to one width, and those of numbers are set to the right."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    columns = list(zip(*cells, strict=True))
    widths = [max(3, *map(len, column)) for column in columns]
    right = [_numbers(column[1:]) for column in columns]
    cells.insert(1, ["-" * (w - 1) + ("-:"[r]) for w, r in zip(widths, right, strict=True)])
    return "\n".join(
        "| "
        + " | ".join(
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(line, widths, right, strict=True)
        )
        + " |"
        for line in cells
    )


def _numbers(cells: Sequence[str]) -> bool:
    """Whether all cells are numbers."""
    return any(cells) and all(map(_is_number, filter(None, cells)))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
