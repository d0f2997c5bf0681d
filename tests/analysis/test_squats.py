from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis import PRESETS, events_of, repetitions_of
from ampose.analysis.squats import SQUAT
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.analysis.movements import hump, knees, ramp, recording

RATE = 30


def frames(sequence: PoseSequence, preset: str = "squat") -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for event in events_of(sequence, PRESETS[preset])[0]:
        found.setdefault(event.name, []).append(event.frame)
    return found


def times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE)) / RATE


def three(depth: float = 90) -> np.ndarray:
    """Squats whose bottoms are at 2, 5 and 8 s."""
    t = times(10)
    return 5 + depth * sum(hump(t, each - 1, each, each + 1) for each in (2, 5, 8))


def test_three_squats():
    found = frames(recording(knees(three()), RATE))
    assert found["bottom"] == pytest.approx([60, 150, 240], abs=1)
    tenth = np.arccos(1 - 2 * 0.1) / np.pi  # of the second that half a cosine takes
    assert found["start"] == pytest.approx([30 * (s + tenth) for s in (1, 4, 7)], abs=2)
    assert found["top"] == pytest.approx([30 * (s - tenth) for s in (3, 6, 9)], abs=2)


def test_range_of_motion_of_each():
    sequence = recording(knees(three()), RATE, sigma=0.01)
    events, _ = events_of(sequence, PRESETS["squat"])
    rows, _ = repetitions_of(sequence, PRESETS["squat"], events)
    left = [row for row in rows if row.angle == "knee_flexion_l"]
    assert len(left) == 3
    for row in left:
        assert row.high == pytest.approx(95, abs=0.5)
        assert row.low == pytest.approx(5 + 9, abs=3)  # where a tenth of the way is done
        assert row.range == pytest.approx(row.high - row.low)
        assert 2 < row.sigma < 6


def test_shallow_knees_do_not_count():
    assert frames(recording(knees(three(SQUAT + 5)), RATE))["bottom"]
    sequence = recording(knees(three(SQUAT - 5)), RATE)
    events, warnings = events_of(sequence, PRESETS["squat"])
    assert events == ()
    assert any("no squat of 40 degrees or more" in warning for warning in warnings)


def test_what_is_smaller_than_its_error_bars_does_not_count():
    sharp, blurred = (recording(knees(three(60)), RATE, sigma=each) for each in (0.005, 0.2))
    assert len(frames(sharp)["bottom"]) == 3
    assert frames(blurred) == {}


def test_a_squat_that_is_cut_off_is_left_out_and_said():
    joints = knees(three())
    for part in (slice(60, None), slice(None, 245), slice(45, None), slice(None, 254)):
        events, warnings = events_of(recording(joints[part], RATE), PRESETS["squat"])
        assert sum(event.name == "bottom" for event in events) == 2
        assert any("1 squat that the recording does not hold" in warning for warning in warnings)


def test_one_leg_is_no_squat():
    assert frames(recording(knees(three(70), np.full(300, 5.0)), RATE)) == {}


def test_rests_and_gaps_do_not_matter():
    joints = knees(three())
    joints[105:115] = np.nan
    found = frames(recording(joints, RATE))
    assert found["bottom"] == pytest.approx([60, 150, 240], abs=1)


def test_noise_adds_no_squats():
    noise = np.random.default_rng(0).normal(0, 0.015, (300, 17, 3))
    assert len(frames(recording(knees(three()) + noise, RATE))["bottom"]) == 3


def test_the_camera_does_not_matter():
    """Neither where it stands, nor whether the vertical is known."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turned = knees(three()) @ turn
    assert frames(recording(turned, RATE, tilt_sigma=None)) == frames(
        recording(knees(three()), RATE)
    )


def rising() -> np.ndarray:
    """Sits; leans from 2 s on, stands up from 2.5 to 3.5 s, and sits down from 5 to 6 s."""
    t = times(8)
    bend = 90 - 85 * (ramp(t, 2.5, 3.5) - ramp(t, 5, 6))
    return knees(bend, lean=30 * (ramp(t, 1.8, 2.6) - ramp(t, 2.6, 3.5)))


def test_sit_to_stand():
    found = frames(recording(rising(), RATE), "sit-to-stand")
    tenth = np.arccos(1 - 2 * 0.1) / np.pi
    assert found["seat_off"] == pytest.approx([30 * (2.5 + tenth)], abs=2)
    assert found["standing"] == pytest.approx([30 * (3.5 - tenth)], abs=2)
    assert found["seated"] == pytest.approx([30 * (6 - tenth)], abs=2)
    assert 30 * 1.8 < found["start"][0] < found["seat_off"][0]


def test_a_rise_is_a_repetition():
    sequence = recording(rising(), RATE)
    events, _ = events_of(sequence, PRESETS["sit-to-stand"])
    rows, _ = repetitions_of(sequence, PRESETS["sit-to-stand"], events)
    (knee,) = (row for row in rows if row.angle == "knee_flexion_r")
    assert knee.range == pytest.approx(85 * 0.9, abs=6)
    assert knee.start <= knee.turn < knee.end


def test_without_a_lean_it_starts_with_the_seat():
    t = times(6)
    upright = knees(90 - 85 * ramp(t, 2, 3))
    thighs = upright.copy()
    thighs[:] = upright  # the trunk-thigh angle only falls
    found = frames(recording(thighs, RATE), "sit-to-stand")
    assert found["start"] == found["seat_off"]


def test_half_a_rise_is_left_out_and_said():
    for part in (slice(None, round(3.2 * RATE)), slice(round(2.8 * RATE), round(4 * RATE))):
        events, warnings = events_of(recording(rising()[part], RATE), PRESETS["sit-to-stand"])
        assert events == ()
        assert any("1 rise that the recording does not hold" in each for each in warnings)


def test_a_squat_from_standing_is_a_rise_too_only_from_deep():
    shallow = knees(5 + 50 * hump(times(4), 1, 2, 3))
    assert frames(recording(shallow, RATE), "sit-to-stand") == {}


def test_only_the_joints_of_whole_frames_count():
    joints = knees(three())
    joints[:, H36M_17.index("left_knee")] = np.nan
    assert frames(recording(joints, RATE)) == {}
