from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest

from ampose.analysis import Event
from ampose.poses import PoseSequence
from ampose.report import motion
from ampose.report.motion import motion_of
from tests.report.recordings import bending, photos


def unpacked(sequence: PoseSequence) -> np.ndarray:
    """Places as the page reads them, NaN where absent; about an origin of the page's."""
    told = motion_of(sequence, [])
    assert told is not None
    numbers = np.frombuffer(base64.b64decode(told["places"]), "<i2").reshape(told["shape"])
    return np.where(numbers == -32768, np.nan, numbers * told["scale"])


def test_places_survive_to_a_millimetre() -> None:
    recording = bending(9, 2)
    recording.valid[3, 1] = False
    places = unpacked(recording)
    true = np.where(recording.valid[..., None], recording.world, np.nan)
    shift = np.nanmean(places - true, axis=(0, 1, 2))
    assert places == pytest.approx(true + shift, abs=0.0011, nan_ok=True)
    assert np.isnan(places[3, 1]).all()
    told = motion_of(recording, [])
    assert told is not None
    assert told["hasFloor"]
    # the floor at 0 of the world
    assert told["floor"] == pytest.approx(shift[1], abs=0.002)


def test_a_wild_estimate_makes_steps_coarser_but_breaks_nothing() -> None:
    recording = bending()
    recording.world[0, 0] += 5000
    places = unpacked(recording)
    assert np.nanmax(np.abs(places)) == pytest.approx(5000, rel=0.01)


def test_long_recordings_play_with_fewer_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "BUDGET", 17 * 3 * 10)
    told = motion_of(bending(25), [])
    assert told is not None
    assert told["every"] == 3
    assert told["frames"] == list(range(0, 25, 3))
    assert told["shape"][0] == len(told["times"]) == 9


def test_without_a_world_up_is_up_in_the_picture() -> None:
    places = unpacked(photos(2))
    assert (places[:, 0, 10, 1] > places[:, 0, 0, 1] + 0.5).all()
    told = motion_of(photos(2), [])
    assert told is not None
    assert told["times"] is None
    assert not told["hasFloor"]


def test_without_places_people_stand_at_the_origin() -> None:
    poses = photos(2)
    assert unpacked(replace(poses, root=np.full_like(poses.root, np.nan))).shape == (2, 1, 17, 3)


def test_nobody_has_no_motion() -> None:
    assert motion_of(bending().only([]), []) is None
    recording = bending()
    recording.valid[:] = False
    assert motion_of(recording, []) is None


def test_events_are_buttons() -> None:
    told = motion_of(bending(), [Event("top", 0, np.int64(6), 0.24, "")])  # type: ignore[arg-type]
    assert told is not None
    assert told["events"] == [{"label": "top", "frame": 6}]
