from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis import PRESETS, Event, events_of, gait_times_of, repetitions_of
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.analysis.movements import recording, walking

RATE, STRIDE = 50, 1.2
TIMES = np.arange(300) / RATE
HALF = round(STRIDE / 2 * RATE)


def frames(sequence: PoseSequence) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {name: [] for name in PRESETS["gait"].rules}
    for event in events_of(sequence, PRESETS["gait"])[0]:
        found[event.name].append(event.frame)
    return found


def warnings(sequence: PoseSequence) -> str:
    return " ".join(events_of(sequence, PRESETS["gait"])[1])


def test_strikes_and_toe_offs_where_the_ankles_turn():
    """The left ankle is in front at 0, 1.2 s, ..., the right one half a stride later."""
    found = frames(recording(walking(TIMES, STRIDE), RATE))
    stance = round(0.6 * STRIDE * RATE)
    wanted = {
        "foot_strike_l": range(2 * HALF, 300, 2 * HALF),  # the first one is at the edge
        "toe_off_l": range(stance, 300, 2 * HALF),
        "foot_strike_r": range(HALF, 300, 2 * HALF),
        "toe_off_r": range(stance - HALF, 300, 2 * HALF),
    }
    for name, those in wanted.items():
        assert found[name] == pytest.approx(list(those), abs=1)


@pytest.mark.parametrize("seed", range(3))
def test_the_view_does_not_matter(seed):
    """Turned about the vertical: where the pelvis faces turns too."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    joints = walking(TIMES, STRIDE)
    assert frames(recording(joints @ turn, RATE)) == frames(recording(joints, RATE))


def test_a_child_takes_the_same_small_steps():
    """Steps are measured by the leg."""
    joints = walking(TIMES, STRIDE, swing=8)
    found = frames(recording(0.5 * joints, RATE))
    assert found == frames(recording(joints, RATE))
    assert len(found["foot_strike_l"]) > 2
    assert not frames(recording(walking(TIMES, STRIDE, swing=5), RATE))["foot_strike_l"]


def test_curves_do_not_matter():
    """Somebody who walks round a circle in the six seconds."""
    straight = walking(TIMES, STRIDE)
    angle = 2 * np.pi * TIMES / TIMES[-1]
    cos, sin, one, none = np.cos(angle), np.sin(angle), np.ones(300), np.zeros(300)
    turns = np.moveaxis(np.array([[cos, none, -sin], [none, one, none], [sin, none, cos]]), -1, 0)
    wanted, found = (frames(recording(joints, RATE)) for joints in (straight, straight @ turns))
    for name, those in wanted.items():
        assert found[name] == pytest.approx(those, abs=1)


def test_a_foot_does_not_strike_twice_at_once():
    """It is set down, drawn back and set down again within 0.3 s."""
    joints = walking(TIMES, STRIDE)
    ankle = H36M_17.index("left_ankle")
    back = 0.4 * np.exp(-(((TIMES - 2 * STRIDE) / 0.06) ** 2))
    joints[:, ankle] += back[:, None] * [0, 0, 1]  # facing the camera, back is away from it
    found = frames(recording(joints, RATE))["foot_strike_l"]
    assert np.diff(found).min() * 1 / RATE > 0.4


def test_treadmill_and_overground_are_the_same():
    """The rule looks at the body alone; who travels backward is told."""
    there = recording(walking(TIMES, STRIDE), RATE)
    forward, backward = (
        recording(
            walking(TIMES, STRIDE),
            RATE,
            root=np.float32([[[0, 0, 6 - speed * time]] for time in TIMES]),
        )
        for speed in (1.2, -1.2)
    )
    assert frames(forward) == frames(backward) == frames(there)
    assert "backward" not in warnings(forward) + warnings(there)
    assert "walking backward" in warnings(backward)


def test_standing_has_no_steps():
    still = recording(walking(TIMES, STRIDE, swing=2), RATE)
    assert events_of(still, PRESETS["gait"])[0] == ()
    assert "no step of 20 %" in warnings(still)


def test_a_gap_hides_what_is_in_it():
    joints = walking(TIMES, STRIDE)
    joints[HALF - 5 : HALF + 6] = np.nan
    found = frames(recording(joints, RATE))["foot_strike_r"]
    assert found == pytest.approx(range(3 * HALF, 300, 2 * HALF), abs=1)


def test_a_missed_step_is_told():
    joints = walking(TIMES, STRIDE)
    ankle, behind = H36M_17.index("right_ankle"), 4 * HALF + 6
    joints[behind : behind + 2 * HALF, ankle] = joints[behind, ankle]  # it stays at toe-off
    assert "the same foot strikes twice in a row" in warnings(recording(joints, RATE))
    assert "twice" not in warnings(recording(walking(TIMES, STRIDE), RATE))


def test_running_is_told():
    """One leg leaves before the other one has struck."""
    walk, run = (recording(walking(TIMES, STRIDE, stance=each), RATE) for each in (0.6, 0.4))
    assert "off the ground" not in warnings(walk)
    assert "both feet are off the ground" in warnings(run)


def test_a_view_along_the_way_is_told():
    joints = walking(TIMES, STRIDE)
    aside = joints @ np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    assert "film walking from the side" in warnings(recording(joints, RATE))
    assert "from the side" not in warnings(recording(aside, RATE))


def test_few_frames_a_second_are_told():
    slow = np.arange(90) / 25
    assert "the 40 ms between two frames" in warnings(recording(walking(slow, STRIDE), 25))
    assert "frames/s" not in warnings(recording(walking(TIMES, STRIDE), RATE))


def test_without_a_vertical_the_rule_works_and_says_so():
    known, unknown = (
        recording(walking(TIMES, STRIDE), RATE, tilt_sigma=each) for each in (3.0, None)
    )
    assert frames(known) == frames(unknown)
    assert "assumed to be held level" in warnings(unknown)
    assert "level" not in warnings(known)


def test_strides_are_repetitions():
    sequence = recording(walking(TIMES, STRIDE), RATE)
    events, _ = events_of(sequence, PRESETS["gait"])
    rows, _ = repetitions_of(sequence, PRESETS["gait"], events)
    spans = sorted({(row.start, row.turn, row.end) for row in rows})
    right, left = spans[:2]
    assert right == pytest.approx((30, 66, 90), abs=1)
    assert left == pytest.approx((60, 96, 120), abs=1)
    swung = [row for row in rows if row.angle == "trunk_thigh_angle_l"]
    assert all(row.range == pytest.approx(25, abs=1) for row in swung)


def strike(name: str, frame: int, person: int = 3) -> Event:
    return Event(name, person, frame, frame / RATE, "")


def test_times_by_hand():
    names = ("foot_strike_l", "toe_off_r", "foot_strike_r", "toe_off_l")
    marks = [strike(name, frame) for name, frame in zip(names, (0, 5, 30, 36), strict=True)]
    marks += [strike(name, 50 + f) for name, f in zip(names, (0, 6, 32, 36), strict=True)]
    marks.append(strike("foot_strike_l", 500))  # far too late to be a step
    (found,) = gait_times_of(recording(walking(TIMES, STRIDE), RATE), marks)
    assert found.step["right"].mean == pytest.approx(31 / RATE)
    assert found.step["right"].deviation == pytest.approx(np.std([30, 32], ddof=1) / RATE)
    assert (found.step["left"].count, found.step["left"].mean) == (1, pytest.approx(20 / RATE))
    assert found.stride["left"].mean == pytest.approx(50 / RATE)
    assert found.stride["right"].mean == pytest.approx(52 / RATE)
    assert found.stance["left"].mean == pytest.approx(36 / RATE)
    assert np.isnan(found.stride["left"].deviation)
    assert found.cadence == pytest.approx(60 * 3 * RATE / (30 + 32 + 20))
    assert found.resolution == pytest.approx(1 / RATE)
    told = found.as_dict()
    assert told["cadence_steps_per_minute"] == 110
    assert told["stride_seconds"]["left"] == {"count": 1, "mean": 1.0, "deviation": None}


def test_nothing_lasts_across_a_gap():
    """A stance of 0.7 s; the next strike is seen, but its toe-off only half a minute later."""
    names = ("foot_strike_l", "toe_off_l", "foot_strike_l", "toe_off_l", "foot_strike_l")
    marks = [strike(n, f) for n, f in zip(names, (0, 35, 55, 1590, 1610), strict=True)]
    marks.append(strike("toe_off_l", 1645))
    long = recording(walking(np.arange(1700) / RATE, STRIDE), RATE)
    (found,) = gait_times_of(long, marks)
    stance = found.stance["left"]
    assert (stance.count, stance.mean) == (2, pytest.approx(0.7))
    rows, _ = repetitions_of(long, PRESETS["gait"], marks)
    assert {(row.start, row.turn, row.end) for row in rows} == {(0, 35, 55)}


def test_nobody_walks():
    (found,) = gait_times_of(recording(walking(TIMES, STRIDE), RATE), [])
    assert np.isnan(found.cadence)
    assert found.as_dict()["cadence_steps_per_minute"] is None
