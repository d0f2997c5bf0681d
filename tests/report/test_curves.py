from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis import Event, angles_of
from ampose.report.curves import BUCKETS, MOST_MARKS, plots_of, thinned
from tests.report.recordings import bending


def test_short_curves_stay_as_they_are() -> None:
    times = np.arange(2.0 * BUCKETS)
    values = np.sin(times)
    t, v, low, high = thinned(times, values, np.full_like(values, 2.0))
    assert (t == times).all()
    assert (v == values).all()
    assert (low == values - 2).all()
    assert (high == values + 2).all()


def test_no_extreme_is_lost_from_a_long_curve(rng: np.random.Generator) -> None:
    times = np.arange(50_000) / 30
    values = rng.normal(0, 1, len(times))
    values[[777, 40_001]] = [90, -90]
    values[20_000:30_000] = np.nan
    sigma = np.full_like(values, 0.5)
    sigma[777] = 7
    t, v, low, high = thinned(times, values, sigma)
    assert len(t) <= 2 * BUCKETS
    assert (np.diff(t) >= 0).all()
    assert np.nanmax(v) == 90
    assert np.nanmin(v) == -90
    assert t[np.nanargmax(v)] == times[777]
    assert np.nanmax(high) == 97
    assert np.isnan(v).any()
    there = np.isfinite(v)
    assert (low[there] <= v[there]).all()
    assert (v[there] <= high[there]).all()
    # nothing is made up where there is nothing
    assert not ((t[there] > times[20_200]) & (t[there] < times[29_800])).any()


def test_a_long_curve_without_sigma_has_no_band() -> None:
    times = np.arange(3.0 * BUCKETS)
    _, values, low, high = thinned(times, np.sin(times), np.full_like(times, np.nan))
    assert np.isfinite(values).all()
    assert np.isnan([low, high]).all()


def test_both_sides_of_an_angle_share_axes() -> None:
    recording = bending()
    angles = angles_of(recording, ["knee_flexion"])
    event = Event("bottom", 0, 4, 0.16, "by hand")
    (plot,) = plots_of(angles, 0, [["knee_flexion_l", "knee_flexion_r"]], [event])
    assert plot.title == "knee flexion"
    assert [(curve.label, curve.side) for curve in plot.curves] == [
        ("left", "left"),
        ("right", "right"),
    ]
    assert plot.curves[0].values.max() == pytest.approx(80, abs=0.1)
    assert [(mark.label, mark.time) for mark in plot.marks] == [("bottom", 0.16)]
    assert plot.span == (0, pytest.approx(0.32))


def test_several_angles_in_one_plot_are_named_and_marked() -> None:
    angles = angles_of(bending(), ["trunk_lean", "pelvis_rotation"])
    (plot,) = plots_of(angles, 0, [["trunk_lean", "pelvis_rotation"]], [])
    assert [curve.label for curve in plot.curves] == ["trunk lean", "pelvis rotation (B)"]
    assert [curve.kind for curve in plot.curves] == [0, 1]
    assert plot.title == "trunk lean, pelvis rotation (class B)"


def test_what_is_never_there_has_no_plot() -> None:
    recording = bending()
    recording.valid[:] = False
    angles = angles_of(recording, ["knee_flexion"])
    assert plots_of(angles, 0, [["knee_flexion"]], []) == ()


def test_a_wall_of_events_is_not_marked() -> None:
    angles = angles_of(bending(), ["knee_flexion"])
    events = [Event("toe_off_l", 0, 1, 0.04, "")] * (MOST_MARKS + 1)
    (plot,) = plots_of(angles, 0, [["knee_flexion"]], events)
    assert plot.marks == ()
