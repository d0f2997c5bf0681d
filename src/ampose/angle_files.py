"""``angles.csv`` and ``angles.json``: numbers in a tidy table, and what they mean beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ampose.analysis import NOTICE, Angles, Peaks
from ampose.analysis.registry import UNIT, AngleDefinition
from ampose.export.numbers import cell, number
from ampose.export.writing import replacing, write_json_object

SCHEMA_VERSION = "1.0"
"""Version of columns and keys: they may be added, never changed."""

COLUMNS = ("frame", "time", "person", "angle", "value", "sigma", "class")


def write_angles(angles: Angles, folder: Path, *, peaks: Peaks | None = None) -> None:
    """Writes ``angles.csv``, a row per frame, person and angle, and ``angles.json``.

    Frames count from 0, times are seconds, value and sigma degrees; what is absent is empty.

    Raises:
        InputError: a file cannot be written. Neither is left half-written.
    """
    with replacing(folder / "angles.csv") as file:
        file.write((",".join(COLUMNS) + "\n").encode())
        classes = [column.angle.kind for column in angles.columns]
        for frame, (time, people) in enumerate(
            zip(angles.times, np.stack([angles.values, angles.sigma], -1), strict=True)
        ):
            for identity, rows in zip(angles.ids, people.tolist(), strict=True):
                whose = f"{frame},{time:.6f},{identity}"
                file.writelines(
                    f"{whose},{name},{cell(value, 2)},{cell(sigma, 2)},{kind}\n".encode()
                    for name, kind, (value, sigma) in zip(angles.names, classes, rows, strict=True)
                )
    write_json_object(folder / "angles.json", header(angles, peaks))


def header(angles: Angles, peaks: Peaks | None = None) -> dict[str, Any]:
    """What ``angles.json`` holds: definitions, views, gravity, warnings, provenance."""
    known = {
        "schema_version": SCHEMA_VERSION,
        "notice": NOTICE,
        "unit": UNIT,
        "angles": [
            {"name": angle.name, "columns": names, **_definition(angle)}
            for angle, names in _by_angle(angles)
        ],
        "people": [
            {
                "id": identity,
                "view": view.badge,
                "view_means": view.meaning,
                "view_shares": {name: round(share, 3) for name, share in view.shares.items()},
                "camera_looks_down_degrees": number(view.elevation_degrees, 2),
            }
            for identity, view in zip(angles.ids.tolist(), angles.views, strict=True)
        ],
        "frames": len(angles.times),
        "frames_per_second": number(angles.frames_per_second, 2),
        "reference_frame": angles.reference,
        "vertical": {
            "source": angles.gravity.source,
            "sigma_degrees": number(angles.gravity.sigma_degrees, 2),
        },
        "warnings": list(angles.warnings),
        "recording_warnings": list(angles.recording_warnings),
        "provenance": dict(angles.provenance),
    }
    if peaks is not None:
        known["peak_velocities"] = {
            "unit": f"{UNIT} per second",
            "warnings": list(peaks.warnings),
            "people": [
                {
                    "id": identity,
                    "peaks": {
                        name: {"value": number(value, 2), "time": number(time, 6)}
                        for name, value, time in zip(peaks.names, values, times, strict=True)
                    },
                }
                for identity, values, times in zip(
                    angles.ids.tolist(), peaks.values.tolist(), peaks.times.tolist(), strict=True
                )
            ],
        }
    return known


def _by_angle(angles: Angles) -> list[tuple[AngleDefinition, list[str]]]:
    """Each definition with the names of its columns."""
    names: dict[str, tuple[AngleDefinition, list[str]]] = {}
    for column in angles.columns:
        names.setdefault(column.angle.name, (column.angle, []))[1].append(column.name)
    return list(names.values())


def _definition(angle: AngleDefinition) -> dict[str, Any]:
    return {
        "class": angle.kind,
        "title": angle.title,
        "definition": angle.definition,
        "sign": angle.sign,
        "source": angle.source,
        "limits": angle.limits,
        "needs_vertical": angle.needs_gravity,
    }
