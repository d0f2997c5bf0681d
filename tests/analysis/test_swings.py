from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis import PRESETS, events_of
from ampose.analysis.moving import Moving, moving_people
from ampose.analysis.swings import handed_warnings, hands_of
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.analysis.figure import FORWARD, LEFT, RIGHT
from tests.analysis.figure import sequence as poses_of
from tests.analysis.movements import (
    ADDRESS,
    FINISH,
    IMPACT,
    TOP,
    golf,
    ramp,
    recording,
    throw,
)

RATE = 240
SECONDS = np.arange(round(4 * RATE)) / RATE


def events(sequence: PoseSequence, preset: str, **options: object) -> dict[str, float]:
    found, _ = events_of(sequence, PRESETS[preset], **options)
    assert len({event.name for event in found}) == len(found)
    return {event.name: event.time for event in found}


def said(sequence: PoseSequence, preset: str, **options: object) -> str:
    return " ".join(events_of(sequence, PRESETS[preset], **options)[1])


@pytest.mark.parametrize(("rate", "within"), [(240, 0.03), (120, 0.03), (60, 0.05), (30, 0.08)])
def test_golf(rate, within):
    times = np.arange(round(4 * rate)) / rate
    found = events(recording(golf(times), rate), "golf-swing")
    wanted = {"address": ADDRESS, "top": TOP, "impact": IMPACT, "finish": FINISH}
    assert list(found) == list(wanted)
    assert found["address"] == pytest.approx(ADDRESS, abs=within + 0.05)
    for name in ("top", "impact", "finish"):
        assert found[name] == pytest.approx(wanted[name], abs=within)


def test_golf_needs_no_vertical_and_no_view():
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    straight, turned = (
        events(recording(joints, RATE, tilt_sigma=None), "golf-swing")
        for joints in (golf(SECONDS), golf(SECONDS) @ turn)
    )
    assert turned == pytest.approx(straight)


@pytest.mark.parametrize("handed", ["right", "left"])
def test_golf_from_either_side(handed):
    sequence = recording(golf(SECONDS, handed=handed), RATE)
    assert f"swings {handed}-handed, as the hands go back" in said(sequence, "golf-swing")
    assert f"swings {handed}-handed, as told" in said(sequence, "golf-swing", handed=handed)
    other = {"left": "right", "right": "left"}[handed]
    assert f"go back to the {handed}, but the swing is said to be {other}-handed" in said(
        sequence, "golf-swing", handed=other
    )


def test_golf_that_begins_late_or_ends_early():
    joints = golf(SECONDS)
    late = recording(joints[round(1.4 * RATE) :], RATE)
    assert set(events(late, "golf-swing")) == {"top", "finish"}
    assert "no address was found" in said(late, "golf-swing")
    later = recording(joints[round(2.0 * RATE) :], RATE)
    assert events(later, "golf-swing") == {}
    assert "no top was found" in said(later, "golf-swing")
    early = recording(joints[: round(2.3 * RATE)], RATE)
    assert set(events(early, "golf-swing")) == {"address", "top", "impact"}
    assert "no finish was found" in said(early, "golf-swing")


def test_hands_that_do_not_come_back_strike_nothing():
    """They go aside, halt, and go on: nearest to the address is the halt itself."""
    joints = golf(np.zeros(len(SECONDS)))
    aside = 0.4 * ramp(SECONDS, 1.0, 1.8) + 0.9 * ramp(SECONDS, 1.8, 2.1)
    for wrist in H36M_17.indices(("left_wrist", "right_wrist")):
        joints[:, wrist] += aside[:, None] * LEFT
    sequence = recording(joints, RATE)
    assert list(events(sequence, "golf-swing")) == ["address", "top", "finish"]
    assert "no impact was found: the hands do not come back" in said(sequence, "golf-swing")


def test_two_swings_are_told():
    joints = golf(SECONDS)
    twice = np.concatenate([joints, joints[::-1], joints])
    assert "more than one fast swing" in said(recording(twice, RATE), "golf-swing")
    assert "more than one" not in said(recording(joints, RATE), "golf-swing")


@pytest.mark.parametrize("preset", ["golf-swing", "baseball-swing", "baseball-pitch"])
def test_standing_is_no_swing(preset):
    still = recording(np.repeat(golf(SECONDS[:1]), 100, 0), RATE)
    assert events(still, preset) == {}
    assert "is never fast" in said(still, preset) or "are never fast" in said(still, preset)


@pytest.mark.parametrize("preset", ["golf-swing", "baseball-swing", "baseball-pitch"])
def test_slow_cameras_and_filters_are_told(preset):
    slow, fast = (
        recording(golf(np.arange(4 * rate) / rate), rate, provenance={"options": options})
        for rate, options in ((30, {"filter": "butterworth"}), (240, {"filter": "none"}))
    )
    assert "film this movement" in said(slow, preset)
    assert "was filtered along time (butterworth)" in said(slow, preset)
    assert "film this" not in said(fast, preset)
    assert "filtered" not in said(fast, preset)
    for each in (slow, fast):
        assert "not seen" in said(each, preset)


def batting(stride: float = 0.5) -> np.ndarray:
    """The hands are still to the right until 2 s, then fast about 2.15 s; a stride to 1.9 s."""
    joints = golf(np.zeros(len(SECONDS)))
    angle = np.pi * ramp(SECONDS, 2.0, 2.3)[:, None]
    hands = joints[:, [8]] + 0.5 * (np.cos(angle) * RIGHT + np.sin(angle) * FORWARD)[:, None]
    joints[:, [13, 16]] = hands
    joints[:, [5, 6]] += stride * ramp(SECONDS, 1.5, 1.9)[:, None, None] * LEFT
    return joints


def test_batting():
    found = events(recording(batting(), RATE), "baseball-swing")
    assert list(found) == ["foot_down", "load", "contact", "finish"]
    assert found["contact"] == pytest.approx(2.15, abs=0.01)
    assert found["load"] == pytest.approx(2.0, abs=0.06)
    share = np.arccos(-0.9) / np.pi  # 95 % of half a cosine
    assert found["foot_down"] == pytest.approx(1.5 + 0.4 * share, abs=0.03)
    assert found["finish"] == pytest.approx(2.3, abs=0.05)
    assert "swings right-handed" in said(recording(batting(), RATE), "baseball-swing")


def test_batting_without_a_stride():
    still = recording(batting(stride=0.05), RATE)
    assert "foot_down" not in events(still, "baseball-swing")
    assert "no foot_down was found" in said(still, "baseball-swing")


@pytest.mark.parametrize("handed", ["right", "left"])
def test_pitch(handed):
    sequence = recording(throw(SECONDS, 2.5, handed=handed), RATE)
    found = events(sequence, "baseball-pitch")
    assert list(found) == ["leg_lift", "foot_contact", "release", "finish"]
    assert found["release"] == pytest.approx(2.5, abs=0.01)
    assert found["leg_lift"] == pytest.approx(1.5, abs=0.15)
    assert found["foot_contact"] == pytest.approx(2.2, abs=0.08)
    assert found["finish"] == pytest.approx(2.65, abs=0.04)
    assert f"throws {handed}-handed, as the {handed} wrist is the faster" in said(
        sequence, "baseball-pitch"
    )


def test_a_pitch_of_the_other_hand_if_told():
    sequence = recording(throw(SECONDS, 2.5), RATE)
    assert "the left wrist is never fast" in said(sequence, "baseball-pitch", handed="left")
    assert "throws right-handed, as told" in said(sequence, "baseball-pitch", handed="right")


def test_a_gap_before_the_swing_hides_what_was_there():
    joints = golf(SECONDS)
    joints[round(1.5 * RATE)] = np.nan
    found = events(recording(joints, RATE), "golf-swing")
    assert "address" not in found
    assert found["top"] == pytest.approx(TOP, abs=0.03)


def person(left_wrist: list[float], right_wrist: list[float]) -> Moving:
    """One frame; the ankles are a metre below the hips, which lie along x."""
    joints = np.zeros((1, 17, 3))
    for name, place in {
        "left_hip": [0.1, 0, 0], "right_hip": [-0.1, 0, 0],
        "left_ankle": [0.3, 1, 0], "right_ankle": [-0.1, 1, 0.4],
        "left_wrist": left_wrist, "right_wrist": right_wrist,
    }.items():  # fmt: skip
        joints[0, H36M_17.index(name)] = place
    return moving_people(poses_of(joints[:, None].repeat(2, 0)))[0]


def test_hands_count_from_between_the_feet():
    hands = hands_of(person([0.5, 0.2, 1], [0.3, 0.4, 0]))
    np.testing.assert_allclose(hands, [[0.4 - 0.1, 0.3 - 1, 0.5 - 0.2]] * 2, atol=1e-6)


@pytest.mark.parametrize(
    ("aside", "told"),
    [(0.06, "left"), (0.04, "cannot be told"), (-0.04, "cannot"), (-0.06, "right")],
)
def test_hands_must_go_back_to_one_side(aside: float, told: str):
    (said,) = handed_warnings(person([aside, 0, 0], [aside, 0.1, 0]), 0)
    assert told in said
