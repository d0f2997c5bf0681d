"""The tables of a report: numbers as text, with no more digits than are known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose._version import __version__
from ampose.analysis import Angles, Column, Event, GaitTimes, Repetition, columns_of
from ampose.analysis.formulas import unwrapped
from ampose.analysis.gravity import Gravity
from ampose.motion.filters import filter_of
from ampose.poses import PoseSequence
from ampose.report.contents import Table

Array = NDArray[np.floating]

MOST_ROWS = 60
"""The most events, and repetitions of one person, that are listed; the rest are only counted."""

NONE = "-"

_RANGE_NOTE = (
    "Degrees, ± one standard deviation of that single frame. The range takes its two ends as "
    "independent; what noise is left in single frames makes it larger."
)


def degrees(value: float, sigma: float = math.nan) -> str:
    """Whole degrees, with the standard deviation where there is one."""
    if math.isnan(value):
        return NONE
    text = f"{round(value) + 0:d}"
    return text if math.isnan(sigma) else f"{text} ± {max(1, round(sigma))}"


def _column(name: str) -> Column:
    (column,) = columns_of([name])
    return column


def range_table(angles: Angles, person: int) -> Table:
    """Smallest and largest value of each angle of a person over a recording, and the range."""
    rows = []
    for place, column in enumerate(angles.columns):
        values = unwrapped(angles.values[:, person, place])
        sigma = angles.sigma[:, person, place]
        if not np.isfinite(values).any():
            rows.append((column.title, *[NONE] * 5))
            continue
        low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
        error = float(np.hypot(sigma[low], sigma[high]))
        rows.append(
            (
                column.title,
                degrees(float(values[low]), float(sigma[low])),
                f"{angles.times[low]:.2f}",
                degrees(float(values[high]), float(sigma[high])),
                f"{angles.times[high]:.2f}",
                degrees(float(values[high] - values[low]), error),
            )
        )
    heads = ("angle", "smallest", "at, s", "largest", "at, s", "range")
    return Table("Range of motion", heads, tuple(rows), _RANGE_NOTE, numeric=True)


def values_table(angles: Angles, frame: int) -> Table:
    """The angles of everybody in one photo."""
    heads = ("angle", *(f"person {identity}" for identity in angles.ids.tolist()))
    rows = tuple(
        (
            column.title,
            *(
                degrees(float(value), float(sigma))
                for value, sigma in zip(
                    angles.values[frame, :, place], angles.sigma[frame, :, place], strict=True
                )
            ),
        )
        for place, column in enumerate(angles.columns)
    )
    note = "Degrees, ± one standard deviation."
    return Table("Angles", heads, rows, note, numeric=True)


def repetition_tables(
    repetitions: Sequence[Repetition], times: Array, *, referred: bool
) -> list[Table]:
    """The repetitions of one person: each by itself, and of several each angle over all of them.

    Args:
        repetitions: of that person.
        times: (T,) seconds of the recording's frames.
        referred: whether rotations elsewhere in the report count from a frame of reference,
            from which those of repetitions do not.
    """
    spans = list(dict.fromkeys((each.start, each.turn, each.end) for each in repetitions))
    listing = _each_repetition(repetitions, spans, times, referred=referred)
    return [listing] if len(spans) < 2 else [_over_repetitions(repetitions), listing]


def _over_repetitions(repetitions: Sequence[Repetition]) -> Table:
    by_angle: dict[str, list[float]] = {}
    for each in repetitions:
        by_angle.setdefault(each.angle, []).append(each.range)
    rows = []
    for name, found in by_angle.items():
        ranges = np.array(found)
        deviation = float(ranges.std(ddof=1)) if len(ranges) > 1 else math.nan
        values = float(ranges.mean()), deviation, float(ranges.min()), float(ranges.max())
        title = _column(name).title
        rows.append((title, str(len(ranges)), *(degrees(value) for value in values)))
    heads = ("range of motion", "repetitions", "mean", "SD between", "smallest", "largest")
    note = "Degrees; SD between is the standard deviation between repetitions."
    return Table("Repetitions", heads, tuple(rows), note, numeric=True)


def _each_repetition(
    repetitions: Sequence[Repetition],
    spans: Sequence[tuple[int, int, int]],
    times: Array,
    *,
    referred: bool,
) -> Table:
    rows = []
    last: tuple[int, int, int] | None = None
    for each in repetitions[:MOST_ROWS]:
        span = each.start, each.turn, each.end
        column = _column(each.angle)
        ends = [each.low, each.high]
        if referred and column.angle.towards_camera:
            ends = [math.nan, math.nan]
        rows.append(
            (
                f"{spans.index(span) + 1}: {column.title}",
                *([f"{times[frame]:.2f}" for frame in span] if span != last else [""] * 3),
                *(degrees(end) for end in ends),
                degrees(each.range, each.sigma),
            )
        )
        last = span
    note = f"Degrees, ± one standard deviation.{_more(len(repetitions))}"
    if referred and any(_column(each.angle).angle.towards_camera for each in repetitions):
        note += " Rotations have a range only, as they count from the frame of reference."
    heads = ("repetition: angle", "start, s", "turn, s", "end, s", "low", "high", "range")
    return Table("Each repetition", heads, tuple(rows), note, numeric=True)


def event_table(events: Sequence[Event]) -> Table:
    """Events of everybody who is shown, in the order of time."""
    ordered = sorted(events, key=lambda event: (event.time, event.person))
    rows = tuple(
        (
            event.name.replace("_", " "),
            str(event.person),
            f"{event.time:.2f}",
            str(event.frame),
            event.rule,
        )
        for event in ordered[:MOST_ROWS]
    )
    counts = Counter(event.name.replace("_", " ") for event in ordered)
    note = (
        f"{', '.join(f'{name}: {count}' for name, count in counts.items())}.{_more(len(ordered))}"
    )
    return Table("Events", ("event", "person", "time, s", "frame", "rule"), rows, note)


def definitions_table(angles: Angles) -> Table:
    """What each angle is and what limits it."""
    shown = dict.fromkeys(column.angle for column in angles.columns)
    rows = tuple((f"{a.title} ({a.kind})", a.definition, a.sign, a.limits) for a in shown)
    return Table(
        "What the angles are",
        ("angle (class)", "definition", "zero and sign", "what makes it uncertain"),
        rows,
        "Class A is given by default; of class B trust trends and changes within one person, not "
        "single values and norms.",
    )


def gait_table(gait: GaitTimes) -> Table:
    """Durations of one person's steps."""
    parts = (("step", gait.step), ("stride", gait.stride), ("stance", gait.stance))
    rows = tuple(
        (f"{name}, {side}", str(each.count), _seconds(each.mean), _seconds(each.deviation))
        for name, sides in parts
        for side, each in sides.items()
    )
    note = f"Seconds; no single duration is more certain than {gait.resolution:.3f} s."
    if gait.cadence > 0:
        note += f" {gait.cadence:.0f} steps per minute."
    heads = ("duration", "count", "mean", "SD between")
    return Table("Times of gait", heads, rows, note, numeric=True)


def recording_table(sequence: PoseSequence, gravity: Gravity, *, timed: bool) -> Table:
    """Length, rate, camera and vertical."""
    rows = [("frames" if timed else "photos", f"{sequence.frame_count:,}")]
    if timed:
        times = sequence.times
        rows.append(("duration", f"{times[-1] - times[0]:.2f} s"))
        wait = np.diff(times)
        uneven = " (uneven)" * bool(wait.max() > 1.5 * np.median(wait))
        rows.append(("frame rate", f"{1 / np.median(wait):.3g} frames/s{uneven}"))
        rows.append(("filter along time", filter_of(sequence.provenance)))
    if sequence.cameras:
        camera = sequence.cameras[0]
        seen = math.degrees(2 * math.atan(camera.size[0] / 2 / camera.focal[0]))
        size = f"{camera.size[0]} x {camera.size[1]} pixels"
        known = "assumed" if camera.source == "assumed" else f"from {camera.source}"
        rows.append(("camera", f"{size}, {seen:.0f}° horizontally ({known})"))
    rows.append(("vertical", f"{gravity.source} ± {gravity.sigma_degrees:.0f}°"))
    return Table("Recording", ("", ""), tuple(rows))


def quality_table(sequence: PoseSequence, angles: Angles) -> Table:
    """What was seen, repaired and fitted, person by person; people are columns."""
    told = {each["id"]: each for each in sequence.quality.get("people", ())}
    columns = [
        dict(_quality(sequence, person, angles.views[person].badge, told.get(identity, {})))
        for person, identity in enumerate(sequence.ids.tolist())
    ]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = tuple((name, *(column.get(name, NONE) for column in columns)) for name in names)
    heads = ("", *(f"person {identity}" for identity in sequence.ids.tolist()))
    note = (
        "Reprojection is the median distance between a joint seen in the picture and its 3D "
        "estimate projected back; it says nothing of depth."
    )
    return Table("By person", heads, rows, note)


def provenance_table(sequence: PoseSequence, made: Mapping[str, str]) -> Table:
    """Versions, weights, options and source; `made` is of the report itself."""
    told = dict(sequence.provenance)
    options: Mapping[str, Any] = told.pop("options", {})
    rows = [("report by", f"ampose {__version__}"), *made.items()]
    if "ampose" in told:
        rows.append(("poses by", f"ampose {told.pop('ampose')}"))
    words = {"sha256": "SHA-256"}
    rows += [
        (" ".join(words.get(word, word) for word in name.split("_")), str(value))
        for name, value in told.items()
    ]
    if options:
        rows.append(("options", ", ".join(f"{name}={value}" for name, value in options.items())))
    return Table("Provenance", ("", ""), tuple(rows))


def _quality(
    sequence: PoseSequence, person: int, badge: str, told: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    valid = sequence.valid[:, person]
    present = int(valid.any(-1).sum())
    joints = int(valid.sum())
    frames = sequence.frame_count
    yield "seen from (view)", badge
    yield "valid frames", f"{present:,} of {frames:,} ({_percent(present, frames)})"
    seen = int((np.isfinite(sequence.keypoints[:, person]).all(-1) & valid).sum())
    yield "joints seen in 2D", f"{_percent(seen, joints)} of those estimated"
    for name, what in (("filled", "joints filled"), ("corrected", "jumps corrected")):
        count = int(getattr(sequence, name)[:, person].sum())
        yield what, f"{count:,} ({_percent(count, joints)})"
    swapped = int(sequence.repaired[:, person].any(-1).sum())
    yield "left/right swaps repaired", f"{swapped:,} frames"
    before, after = (
        told.get(name) for name in ("bone_variation_lifted_percent", "bone_variation_percent")
    )
    if before is not None and after is not None:
        yield "bone variation, before → after", f"{before:.1f} % → {after:.1f} %"
    if (pixels := told.get("reprojection_pixels")) is not None:
        share = told.get("reprojection_of_box")
        of_box = "" if share is None else f" ({100 * share:.1f} % of the body's box)"
        yield "reprojection residual", f"{pixels:.1f} px{of_box}"
    if (height := told.get("height_metres")) is not None:
        yield (
            "body height",
            f"{height:.2f} m ({'given' if told.get('height_given') else 'assumed'})",
        )


def _seconds(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.2f}"


def _percent(part: int, whole: int) -> str:
    """A share in percent; 100 % only if it is all of `whole`, and 0 % only if it is nothing."""
    if not whole:
        return NONE
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "under 0.1 %"
    if 99 < share < 100:
        return "over 99 %"
    return f"{share:.0f} %" if share in (0, 100) or share >= 10 else f"{share:.1f} %"


def _more(count: int) -> str:
    return f" The first {MOST_ROWS} of {count} are listed." if count > MOST_ROWS else ""
