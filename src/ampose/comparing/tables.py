"""``compare.csv``, ``compare_curves.csv`` and ``compare.json``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ampose.analysis import NOTICE
from ampose.analysis.comparison import CHANCE, AngleDifference, Comparison, Difference
from ampose.comparing.pair import Pair, Recording
from ampose.export.numbers import cell, number
from ampose.export.writing import replacing, write_json_object

SCHEMA_VERSION = "1.0"
"""Version of columns and keys: they may be added, never changed."""

COLUMNS = (
    "angle",
    "class",
    "low_a",
    "high_a",
    "range_a",
    "low_b",
    "high_b",
    "range_b",
    "range_difference",
    "range_sigma",
    "range_distinguishable",
    "mean_difference",
    "mean_sigma",
    "mean_distinguishable",
    "max_difference",
    "max_sigma",
    "max_distinguishable",
    "max_time_a",
    "max_time_b",
    "moments",
)
CURVE_COLUMNS = ("time_a", "time_b", "angle", "a", "b", "difference", "sigma")


def write_tables(pair: Pair, folder: Path) -> None:
    """Writes the table, the curves it is made of, and what both mean.

    Angles are degrees, times seconds of the recording; differences are second less first; what is
    absent is empty. ``distinguishable`` is yes or no, or empty where it is not known how sure the
    difference is.

    Raises:
        InputError: a file cannot be written. None is left half-written.
    """
    _write(folder / "compare.csv", COLUMNS, (_cells(row) for row in pair.comparison.rows))
    _write(folder / "compare_curves.csv", CURVE_COLUMNS, _curve_cells(pair.comparison))
    write_json_object(folder / "compare.json", header(pair))


def header(pair: Pair) -> dict[str, Any]:
    """What ``compare.json`` holds."""
    comparison = pair.comparison
    alignment = comparison.alignment
    return {
        "schema_version": SCHEMA_VERSION,
        "notice": NOTICE,
        "unit": "degrees",
        "difference": "b less a",
        "chance": CHANCE,
        "a": _recording(pair.a),
        "b": _recording(pair.b),
        "faces_blurred": pair.blurred,
        "alignment": {
            "method": alignment.method,
            "step_seconds": number(alignment.step, 4),
            "frames_a": comparison.frames_a.tolist(),
            "frames_b": comparison.frames_b.tolist(),
            "times_a": [round(time, 4) for time in alignment.times_a.tolist()],
            "times_b": [round(time, 4) for time in alignment.times_b.tolist()],
        },
        "angles": [
            {
                "name": row.column.name,
                "class": row.column.angle.kind,
                "definition": row.column.angle.definition,
                "sign": row.column.angle.sign,
                "range_a": [number(row.low_a, 1), number(row.high_a, 1)],
                "range_b": [number(row.low_b, 1), number(row.high_b, 1)],
                "range_difference": _told(row.range),
                "mean_difference": _told(row.mean),
                "max_difference": {
                    **_told(row.largest),
                    "time_a": number(row.time_a, 4),
                    "time_b": number(row.time_b, 4),
                },
                "moments": row.moments,
            }
            for row in comparison.rows
        ],
        "warnings": list(pair.warnings),
    }


def verdict(difference: Difference) -> str:
    """Yes, no, or nothing where it is not known."""
    return {None: "", True: "yes", False: "no"}[difference.distinguishable]


def _recording(recording: Recording) -> dict[str, Any]:
    sequence = recording.sequence
    return {
        "name": recording.name,
        "person": int(sequence.ids[0]),
        "mirrored": recording.mirrored,
        "pictures": recording.footage is not None,
        "provenance": dict(sequence.provenance),
        "warnings": list(sequence.warnings),
    }


def _told(difference: Difference) -> dict[str, Any]:
    return {
        "value": number(difference.value, 1),
        "sigma": number(difference.sigma, 1),
        "limit": number(difference.limit, 1),
        "distinguishable": difference.distinguishable,
    }


def _cells(row: AngleDifference) -> list[str]:
    return [
        row.column.name,
        row.column.angle.kind,
        *(cell(each, 1) for each in (row.low_a, row.high_a, row.high_a - row.low_a)),
        *(cell(each, 1) for each in (row.low_b, row.high_b, row.high_b - row.low_b)),
        *_difference_cells(row.range),
        *_difference_cells(row.mean),
        *_difference_cells(row.largest),
        cell(row.time_a, 3),
        cell(row.time_b, 3),
        str(row.moments),
    ]


def _difference_cells(difference: Difference) -> tuple[str, str, str]:
    return cell(difference.value, 1), cell(difference.sigma, 1), verdict(difference)


def _curve_cells(comparison: Comparison) -> Iterable[list[str]]:
    difference, sigma = comparison.difference, comparison.sigma
    times = zip(
        comparison.alignment.times_a.tolist(), comparison.alignment.times_b.tolist(), strict=True
    )
    for moment, (time_a, time_b) in enumerate(times):
        for place, column in enumerate(comparison.columns):
            where = moment, place
            yield [
                f"{time_a:.6f}",
                f"{time_b:.6f}",
                column.name,
                *(
                    cell(float(each[where]), 1)
                    for each in (comparison.a, comparison.b, difference, sigma)
                ),
            ]


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[list[str]]) -> None:
    with replacing(path) as file:
        for row in ([*columns], *rows):
            file.write((",".join(row) + "\n").encode())
