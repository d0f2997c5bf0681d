"""What a report says, before it is a page or on paper: plain data that both writers read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Table:
    """Text in rows and columns; the first column names the row.

    Attributes:
        title: shown above the table.
        columns: the column headings.
        rows: as long as `columns`.
        note: how to read it.
        numeric: whether all but the first column are numbers, set to the right.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: bool = False


@dataclass(frozen=True, eq=False)
class Curve:
    """One angle of one person over time, thinned to what can be seen.

    Attributes:
        label: its name in the plot's key; empty where the title says it all.
        side: ``left``, ``right``, or empty.
        kind: number of its angle within the plot, from 0.
        times: (K,) seconds.
        values: (K,) degrees, NaN where absent.
        low, high: (K,) degrees, the error band; NaN where there is none.
    """

    label: str
    side: str
    kind: int
    times: Array
    values: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Mark:
    """An event on the axis of time, seconds."""

    label: str
    time: float


@dataclass(frozen=True, eq=False)
class Plot:
    """Curves that share a pair of axes.

    Attributes:
        title: shown above the plot.
        caption: what zero and positive mean.
        curves: at least one.
        marks: events.
        span: first and last second of the recording.
    """

    title: str
    caption: str
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    span: tuple[float, float]


@dataclass(frozen=True)
class Part:
    """What is said of one person, or of one photo."""

    title: str
    text: str
    plots: tuple[Plot, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """A moment that is shown.

    Attributes:
        frame: number in the sequence.
        label: what it is.
        picture: (H, W, 3) uint8 RGB.
        joints: (P, 17, 3) metres about a common centre, x right, y up, z towards the camera.
    """

    frame: int
    label: str
    picture: NDArray[np.uint8]
    joints: Array


@dataclass(frozen=True, eq=False)
class Report:
    """A whole report, in the order in which it is read.

    Attributes:
        title: name of what was recorded.
        summary: one line.
        notices: what must be read before any number.
        key_frames: the moments shown as pictures.
        key_frames_note: where their pictures are from.
        ids: of the people who are shown, for their colours.
        parts: one for each person or photo.
        events: the table of events, if there are any.
        quality: the data quality card.
        warnings: what a careful user should know.
        definitions: of the angles.
        provenance: where it all comes from.
        motion: for the 3D view, as JSON; None where there is nothing to see.
    """

    title: str
    summary: str
    notices: tuple[str, ...]
    key_frames: tuple[KeyFrame, ...]
    key_frames_note: str
    ids: tuple[int, ...]
    parts: tuple[Part, ...]
    events: tuple[Table, ...]
    quality: tuple[Table, ...]
    warnings: tuple[str, ...]
    definitions: Table | None
    provenance: Table
    motion: Mapping[str, Any] | None
