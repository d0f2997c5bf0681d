from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ampose.analysis import PRESETS, Corrections, Event, angles_of, events_of, repetitions_of
from ampose.analysis.events import BY_HAND
from ampose.errors import InputError
from ampose.poses import PoseSequence
from ampose.skeletons import get_skeleton
from tests.analysis.figure import figure, hips, sequence, shoulders
from tests.analysis.movements import hump, knees, recording

RATE = 30
SQUAT = PRESETS["squat"]


def squats() -> PoseSequence:
    """Person 3 has bottoms at 2 and 5 s, person 4 at 3 s."""
    times = np.arange(7 * RATE) / RATE
    first = 5 + 90 * (hump(times, 1, 2, 3) + hump(times, 4, 5, 6))
    second = 5 + 90 * hump(times, 2, 3, 4)
    return sequence(
        np.stack([knees(first), knees(second)], axis=1), rate=RATE, tilt_sigma=3, sigma=0.01
    )


def of(events: tuple[Event, ...], person: int, name: str) -> list[int]:
    return [event.frame for event in events if (event.person, event.name) == (person, name)]


def test_everybodys_in_the_order_of_time():
    events, warnings = events_of(squats(), SQUAT)
    assert of(events, 3, "bottom") == pytest.approx([60, 150], abs=1)
    assert of(events, 4, "bottom") == pytest.approx([90], abs=1)
    assert [event.frame for event in events] == sorted(event.frame for event in events)
    assert warnings == ()
    for event in events:
        assert event.time == pytest.approx(event.frame / RATE)
        assert event.rule == SQUAT.rules[event.name]
        assert type(event.frame) is int


def by_hand(name: str, frame: int, person: int = 3) -> Event:
    return Event(name, person, frame, frame / RATE, BY_HAND)


def test_what_is_set_by_hand_replaces_what_was_found():
    found, _ = events_of(squats(), SQUAT)
    kept = of(found, 3, "bottom")[1]
    corrections = Corrections(
        (by_hand("bottom", 57), by_hand("bottom", kept)), frozenset({(3, "bottom")})
    )
    events, _ = events_of(squats(), SQUAT, corrections=corrections)
    assert of(events, 3, "bottom") == [57, kept]
    rules = {event.frame: event.rule for event in events if event.name == "bottom"}
    assert rules[57] == BY_HAND
    assert rules[kept] == SQUAT.rules["bottom"]  # as it was found
    others = {event for event in found if (event.person, event.name) != (3, "bottom")}
    assert others <= set(events)


def test_what_is_said_not_to_be_is_not():
    corrections = Corrections((), frozenset({(4, "bottom")}))
    events, _ = events_of(squats(), SQUAT, corrections=corrections)
    assert of(events, 4, "bottom") == []
    assert of(events, 4, "top") != []
    assert len(of(events, 3, "bottom")) == 2


def test_repetitions_follow_events():
    sequence_ = squats()
    events, _ = events_of(sequence_, SQUAT)
    rows, _ = repetitions_of(sequence_, SQUAT, events)
    assert {(row.person, row.turn) for row in rows} == {
        (event.person, event.frame) for event in events if event.name == "bottom"
    }
    assert [row.angle for row in rows[: len(SQUAT.angles)]] == list(SQUAT.angles)
    without = [event for event in events if (event.person, event.name) != (3, "top")]
    rows, _ = repetitions_of(sequence_, SQUAT, without)
    assert {row.person for row in rows} == {4}
    # without its end, the first squat of person 3 is not stretched over the second one
    first_top = of(events, 3, "top")[0]
    rows, _ = repetitions_of(
        sequence_, SQUAT, [event for event in events if event.frame != first_top]
    )
    assert len({row.turn for row in rows if row.person == 3}) == 1


def test_ranges_by_hand():
    sequence_ = squats()
    events = [by_hand("start", 40), by_hand("bottom", 60), by_hand("top", 75)]
    rows, _ = repetitions_of(sequence_, SQUAT, events)
    angles = angles_of(sequence_, ["knee_flexion_r"])
    values, sigma = angles.values[40:76, 0, 0], angles.sigma[40:76, 0, 0]
    (row,) = (row for row in rows if row.angle == "knee_flexion_r")
    assert (row.low, row.high) == (values.min(), values.max())
    assert row.range == pytest.approx(values.max() - values.min())
    assert row.sigma == pytest.approx(np.hypot(sigma[values.argmin()], sigma[values.argmax()]))


def test_ranges_that_drown_are_told():
    still = replace(squats(), sigma=np.full((210, 2, 17, 3), 0.05, np.float32))
    events = [by_hand("start", 40), by_hand("bottom", 60), by_hand("top", 75)]
    _, warnings = repetitions_of(still, SQUAT, events)
    assert warnings == ("Ranges smaller than their own error bars: trunk_lean_sagittal.",)


@pytest.mark.parametrize("away", [0, 90, 180, 200])
def test_turns_count_from_the_start(away):
    """Whichever way somebody faces: a turn through 180 degrees is no jump."""
    turns = away + np.linspace(0, 50, 60)
    frames = []
    for turn in np.radians(turns):
        left = np.array([np.cos(turn), 0, np.sin(turn)])
        frames.append(figure(**hips(left), **shoulders(left)))
    events = [
        Event(n, 3, f, f / RATE, "") for n, f in (("load", 0), ("contact", 30), ("finish", 59))
    ]
    recorded = recording(np.array(frames), RATE)
    rows, _ = repetitions_of(recorded, PRESETS["baseball-swing"], events)
    (row,) = (row for row in rows if row.angle == "pelvis_rotation")
    assert row.range == pytest.approx(50, abs=0.01)
    assert min(abs(row.low), abs(row.high)) == pytest.approx(0, abs=0.01)


def test_absent_angles_have_no_row():
    joints = knees(np.full(100, 5.0))
    joints[10:21] = np.nan
    events = [by_hand("start", 10), by_hand("bottom", 15), by_hand("top", 20)]
    assert repetitions_of(recording(joints, RATE), SQUAT, events) == ((), ())


def test_nobody_has_no_events():
    nobody = sequence(np.zeros((20, 0, 17, 3)))
    assert events_of(nobody, SQUAT)[0] == ()
    assert repetitions_of(nobody, SQUAT, ()) == ((), ())


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_hardly_any_frames_and_nobody_there(preset):
    for frames in (2, 3, 5):
        few = sequence(np.zeros((frames, 1, 17, 3)), rate=RATE)
        assert events_of(few, preset)[0] == ()
        absent = sequence(np.full((frames, 1, 17, 3), np.nan), rate=RATE)
        assert events_of(absent, preset)[0] == ()


def test_what_is_no_recording():
    photos = replace(squats(), times=np.zeros(210))
    with pytest.raises(InputError, match="here times do not rise"):
        events_of(photos, SQUAT)
    other = get_skeleton("coco_17")
    with pytest.raises(InputError, match=r"events need the joints of h36m_17, .* coco_17"):
        events_of(replace(squats(), skeleton=other), SQUAT)
    with pytest.raises(InputError, match="two or more frames"):
        events_of(sequence(np.zeros((1, 1, 17, 3))), SQUAT)


def still(rate: float, **changes: object) -> PoseSequence:
    return recording(np.tile(figure(), (9, 1, 1)), rate, **changes)


@pytest.mark.parametrize(("rate", "told"), [(59.94, False), (50, True)])
def test_a_low_frame_rate_is_told(rate: float, told: bool):
    """Golf needs 60 frames a second; television's 59.94 are as good."""
    said = " ".join(events_of(still(rate), PRESETS["golf-swing"])[1])
    assert ("no event is more certain" in said) == told
    assert ("50 frames/s: no event is more certain than the 20 ms between" in said) == told


def test_a_filter_is_told_where_movements_are_fast():
    filtered = still(240, provenance={"filter": "butterworth"})
    for preset, told in (("golf-swing", True), ("squat", False)):
        said = " ".join(events_of(filtered, PRESETS[preset])[1])
        assert ("filtered along time (butterworth)" in said) == told


def test_a_vertical_is_asked_for_where_it_counts():
    for tilt, told in ((3.0, False), (None, True)):
        said = " ".join(events_of(still(240, tilt_sigma=tilt), PRESETS["gait"])[1])
        assert ("The direction of walking rests on it" in said) == told


def test_strides_of_both_feet_in_the_order_of_time():
    """The last of the left foot takes more than four seconds: somebody stood in between."""
    events = [
        by_hand(f"{name}_{side}", frame)
        for name, side, frame in (
            ("foot_strike", "l", 0), ("foot_strike", "r", 15), ("toe_off", "l", 18),
            ("foot_strike", "l", 30), ("toe_off", "r", 33), ("foot_strike", "r", 45),
            ("toe_off", "l", 48), ("foot_strike", "l", 60), ("toe_off", "l", 78),
            ("foot_strike", "l", 181),
        )
    ]  # fmt: skip
    joints = np.tile(figure(), (190, 1, 1))
    rows, _ = repetitions_of(recording(joints, RATE), PRESETS["gait"], events)
    spans = dict.fromkeys((row.start, row.turn, row.end) for row in rows)
    assert list(spans) == [(0, 18, 30), (15, 33, 45), (30, 48, 60)]
