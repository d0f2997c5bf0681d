"""CSV tables.

* Tidy, a row per joint: columns ``frame, person, joint, x, y, score``.
* Wide, a row per person: columns ``frame, person, <joint>_x, <joint>_y, <joint>_score``...

``person`` (a whole number) and scores are optional, order is free, an empty cell is missing, other
columns are ignored with a warning. Joints go by our names (`ampose.skeletons`). Cells stand apart
by commas, semicolons or tabs, as the header has them; but for commas, numbers may have a decimal
comma, as spreadsheets of many countries write them. DeepLabCut's three header rows are not read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from ampose.errors import InputError
from ampose.keypoint_files.contents import Contents
from ampose.keypoint_files.json_values import whole
from ampose.keypoint_files.naming import brief, joint_name, skeleton_of_joints
from ampose.keypoint_files.people import Person, arrange
from ampose.skeletons import Skeleton

_LAYOUTS = (
    "give columns frame, joint, x, y (and person, score), "
    "or frame, <joint>_x, <joint>_y (and person, <joint>_score)"
)
_VALUES = ("x", "y", "score")

Row = dict[str, str]
Bodies = dict[tuple[int, int | None], dict[str, list[float]]]


def read_csv(text: str, asked: Skeleton | None) -> Contents:
    """A tidy or a wide table."""
    columns, rows = _table(text)
    tidy = {"joint", "x", "y"} <= set(columns)
    joints = [] if tidy else _wide_joints(columns)
    if "frame" not in columns or not (tidy or joints):
        raise InputError(f"not a known table, its columns are {brief(columns)}: {_LAYOUTS}")
    bodies: Bodies = {}
    for line, row in rows:
        try:
            _add(bodies, row, joints)
        except InputError as error:
            raise InputError(f"line {line}: {error}") from None

    used = {"frame", "person", *(("joint", *_VALUES) if tidy else ())}
    used |= {f"{joint}_{value}" for joint in joints for value in _VALUES}
    ignored = [column for column in columns if column not in used]
    notes = (f"columns {brief(ignored)} are ignored",) if ignored else ()
    return _contents(bodies, asked, notes)


def _table(text: str) -> tuple[list[str], list[tuple[int, Row]]]:
    """Column names in lower case, and each row with its line number."""
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = [column.strip().lower() for column in next(reader)]
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise InputError(f"not a readable CSV table: {error}") from None
    if columns[0] == "scorer":
        raise InputError(f"DeepLabCut's several header rows are not read: {_LAYOUTS}")
    if len(set(columns)) != len(columns):
        raise InputError("a column name appears twice")
    rows = []
    for line, cells in lines:
        if len(cells) != len(columns):
            raise InputError(f"line {line}: {len(cells)} cells, the header has {len(columns)}")
        if separator != ",":
            cells = [cell.replace(",", ".") for cell in cells]
        rows.append((line, dict(zip(columns, cells, strict=True))))
    return columns, rows


def _wide_joints(columns: Sequence[str]) -> list[str]:
    """Column prefixes that have x and y, as the header spells them."""
    prefixes = [column.removesuffix("_x") for column in columns if column.endswith("_x")]
    if halves := [prefix for prefix in prefixes if f"{prefix}_y" not in columns]:
        raise InputError(f"{brief(halves)} have x but no y")
    return prefixes


def _add(bodies: Bodies, row: Row, joints: Sequence[str]) -> None:
    """The joints of one row; `joints` is empty for a tidy table."""
    person = _whole(row["person"], "person") if "person" in row else None
    body = bodies.setdefault((_whole(row["frame"], "frame"), person), {})
    for joint in joints or [row["joint"]]:
        name = joint_name(joint)
        if name in body:
            raise InputError(f"a second {name[:40]!r} of the same person in the same frame")
        prefix = f"{joint}_" if joints else ""
        body[name] = [_number(row.get(prefix + value, "")) for value in _VALUES]


def _contents(bodies: Bodies, asked: Skeleton | None, notes: tuple[str, ...]) -> Contents:
    if not bodies:
        raise InputError("the table has no rows")
    skeleton = skeleton_of_joints(
        list(dict.fromkeys(n for b in bodies.values() for n in b)), asked
    )
    people = []
    for (frame, person), body in bodies.items():
        points = np.full((len(skeleton), 3), np.nan)
        points[skeleton.indices(body)] = list(body.values())
        people.append(Person(frame, person, points))
    frames = sorted({frame for frame, _ in bodies})
    points, ids, warnings = arrange(people, frames, skeleton)
    return Contents(
        points, skeleton, ids, frames=np.array(frames, np.int64), warnings=notes + warnings
    )


def _number(cell: str) -> float:
    try:
        return float(cell) if cell.strip() else np.nan
    except ValueError:
        raise InputError(f"{cell[:40]!r} is not a number") from None


def _whole(cell: str, column: str) -> int:
    return whole(_number(cell), column)
