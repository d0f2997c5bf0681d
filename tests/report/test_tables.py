from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ampose.analysis import Event, Repetition, angles_of
from ampose.report import tables
from ampose.report.contents import Table
from tests.report.recordings import bending, photos


def by_name(table: Table) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in table.rows}


@pytest.mark.parametrize(
    ("value", "sigma", "text"),
    [
        (12.4, 4.6, "12 ± 5"),
        (12.5, math.nan, "12"),
        (-0.3, 0.2, "0 ± 1"),  # no negative zero, and never surer than a degree
        (math.nan, 1.0, "-"),
    ],
)
def test_whole_degrees(value: float, sigma: float, text: str) -> None:
    assert tables.degrees(value, sigma) == text


def test_range_of_motion() -> None:
    angles = angles_of(bending(), ["knee_flexion"])
    table = tables.range_table(angles, 0)
    row = by_name(table)["knee flexion, left"]
    sigma = angles.sigma[:, 0, 0]
    error = round(float(np.hypot(sigma[0], sigma[4])))
    assert row[0].startswith("0 ± ")
    assert row[2].startswith("80 ± ")
    assert row[3] == "0.16"
    assert row[4] == f"80 ± {error}"


def test_an_angle_that_turns_past_half_a_turn_has_no_false_range() -> None:
    angles = angles_of(bending(), ["pelvis_rotation"])
    turned = np.linspace(170, 200, 9)[:, None, None]
    around = replace(angles, values=(turned + 180) % 360 - 180, sigma=np.full((9, 1, 1), 3.0))
    assert tables.range_table(around, 0).rows[0][5] == "30 ± 4"


def test_an_angle_that_is_never_there() -> None:
    recording = bending()
    recording.valid[:] = False
    row = tables.range_table(angles_of(recording, ["trunk_lean"]), 0).rows[0]
    assert row == ("trunk lean", "-", "-", "-", "-", "-")


def test_photos_have_a_column_for_each_person() -> None:
    table = tables.values_table(angles_of(photos(1, 2), ["knee_flexion"]), 0)
    assert table.columns == ("angle", "person 0", "person 1")
    assert by_name(table)["knee flexion, left"] == ("0", "0")


def repetition(start: int, range_: float, angle: str = "knee_flexion_l") -> Repetition:
    return Repetition(0, start, start + 1, start + 2, angle, 5, 5 + range_, range_, 4)


def test_repetitions_over_and_by_themselves() -> None:
    times = np.arange(10) / 10
    found = [repetition(0, 80), repetition(4, 90), repetition(4, 70, "knee_flexion_r")]
    over, each = tables.repetition_tables(found, times, referred=False)
    assert by_name(over)["knee flexion, left"] == ("2", "85", "7", "80", "90")
    assert by_name(over)["knee flexion, right"] == ("1", "70", "-", "70", "70")
    assert [row[0] for row in each.rows] == [
        "1: knee flexion, left",
        "2: knee flexion, left",
        "2: knee flexion, right",
    ]
    assert each.rows[1][1:] == ("0.40", "0.50", "0.60", "5", "95", "90 ± 4")
    assert each.rows[2][1:4] == ("", "", "")


def test_rotations_from_a_frame_of_reference_have_a_range_only() -> None:
    times = np.arange(10) / 10
    (each,) = tables.repetition_tables(
        [repetition(0, 40, "pelvis_rotation")], times, referred=True
    )
    assert each.rows[0][4:] == ("-", "-", "40 ± 4")


def test_long_lists_are_counted() -> None:
    events = [Event("toe_off_l", 0, i, i / 10, "rule") for i in range(tables.MOST_ROWS + 5)]
    table = tables.event_table(events[::-1])
    assert len(table.rows) == tables.MOST_ROWS
    assert table.rows[0] == ("toe off l", "0", "0.00", "0", "rule")
    assert table.note == "toe off l: 65. The first 60 of 65 are listed."


def test_data_quality() -> None:
    recording = bending(10)
    recording.filled[3, 0, :2] = True
    recording.corrected[4, 0, 5] = True
    recording.repaired[5:7, 0, 3:5] = True
    recording.keypoints[0, 0, 6] = np.nan
    recording.valid[9] = False
    told = {
        "id": 0,
        "bone_variation_lifted_percent": 6.51,
        "bone_variation_percent": 0.0,
        "reprojection_pixels": 2.97,
        "reprojection_of_box": 0.0085,
        "height_metres": 1.78,
        "height_given": True,
    }
    recording = replace(recording, quality={"people": [told]})
    table = tables.quality_table(recording, angles_of(recording))
    rows = {name: cells[0] for name, cells in by_name(table).items()}
    assert rows == {
        "seen from (view)": "frontal",
        "valid frames": "9 of 10 (90 %)",
        "joints seen in 2D": "over 99 % of those estimated",
        "joints filled": "2 (1.3 %)",
        "jumps corrected": "1 (0.7 %)",
        "left/right swaps repaired": "2 frames",
        "bone variation, before → after": "6.5 % → 0.0 %",
        "reprojection residual": "3.0 px (0.9 % of the body's box)",
        "body height": "1.78 m (given)",
    }


def test_old_results_tell_less() -> None:
    recording = bending()
    table = tables.quality_table(recording, angles_of(recording))
    assert "reprojection residual" not in by_name(table)
    null = {"id": 0, "reprojection_pixels": None, "height_metres": None}
    again = replace(recording, quality={"people": [null]})
    assert tables.quality_table(again, angles_of(again)) == table


def test_the_recording() -> None:
    recording = bending(rate=50, provenance={"options": {"filter": "butterworth"}})
    gravity = angles_of(recording).gravity
    rows = by_name(tables.recording_table(recording, gravity, timed=True))
    assert rows["frame rate"] == ("50 frames/s",)
    assert rows["duration"] == ("0.16 s",)
    assert rows["camera"] == ("272 x 480 pixels, 50° horizontally (from given)",)
    assert rows["vertical"] == ("Up is estimated from foot contacts. ± 5°",)
    uneven = replace(recording, times=recording.times**2)
    rows = by_name(tables.recording_table(uneven, gravity, timed=True))
    assert rows["frame rate"][0].endswith("(uneven)")


def test_provenance() -> None:
    told = {
        "ampose": "0.1.0",
        "lifter_sha256": "ab12",
        "source": "clip.mp4",
        "options": {"fov": 70, "swaps": True},
    }
    rows = by_name(tables.provenance_table(bending(provenance=told), {"made from": "poses.npz"}))
    assert rows["poses by"] == ("ampose 0.1.0",)
    assert rows["lifter SHA-256"] == ("ab12",)
    assert rows["made from"] == ("poses.npz",)
    assert rows["options"] == ("fov=70, swaps=True",)
