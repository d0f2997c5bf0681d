from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.export.markers import MARKERS, marker_notes, markers
from ampose.skeletons import COCO_17, H36M_17
from tests.export.recordings import absent, recording, walking


def test_even_recordings_are_taken_as_they_are() -> None:
    person = walking(5)
    (found,) = markers(recording(person, times=2 + np.arange(5) / 30), "TRC")
    assert (found.id, found.start) == (3, 2)
    assert found.rate == pytest.approx(30)
    np.testing.assert_allclose(found.places, person, atol=1e-6)
    np.testing.assert_allclose(found.times, 2 + np.arange(5) / 30)


def test_names_are_pose2sims() -> None:
    assert tuple(MARKERS) == H36M_17.joints
    middle = {"pelvis": "Hip", "spine": "Spine", "thorax": "Neck", "neck_nose": "NeckNose"}
    for joint, name in MARKERS.items():
        side, _, part = joint.partition("_")
        if side in ("left", "right"):
            assert name == f"{side[0].upper()}{part.capitalize()}"
        else:
            assert name == (middle | {"head_top": "Head"})[joint]


def test_a_marker_without_one_coordinate_is_absent() -> None:
    person = walking(2)
    person[1, 4, 2] = np.nan
    (found,) = markers(recording(person), "TRC")
    assert np.argwhere(np.isnan(found.places)).tolist() == [[1, 4, axis] for axis in range(3)]


def test_a_late_frame_is_moved_to_where_it_was_due() -> None:
    person = walking(5)
    (found,) = markers(recording(person, times=np.array([0, 0.04, 0.08, 0.15, 0.16])), "C3D")
    late = (3 * person[2] + 4 * person[3]) / 7  # at 0.12 s
    np.testing.assert_allclose(found.places[3], late, atol=1e-6)


def test_a_dropped_frame_is_interpolated_between_its_neighbours() -> None:
    person = walking(4)
    sequence = recording(person, times=np.array([0, 0.04, 0.12, 0.16]))
    (found,) = markers(sequence, "C3D")
    expected = np.stack([person[0], person[1], (person[1] + person[2]) / 2, *person[2:]])
    np.testing.assert_allclose(found.places, expected, atol=1e-6)
    assert any("interpolated to a constant rate" in note for note in marker_notes(sequence))


def test_nothing_is_interpolated_across_somebody_s_absence() -> None:
    person = absent(walking(4), 2)
    (found,) = markers(recording(person, times=np.array([0, 0.04, 0.12, 0.16])), "C3D")
    present = np.isfinite(found.places).all((1, 2))
    assert present.tolist() == [True, True, False, False, True]


def test_who_is_nowhere_is_left_out_and_named() -> None:
    nobody = np.full((3, 17, 3), np.nan)
    sequence = recording(walking(3), nobody)
    assert [each.id for each in markers(sequence, "TRC")] == [3]
    assert any("Person 4 has no joint" in note for note in marker_notes(sequence))


def test_other_joints_are_refused() -> None:
    sequence = replace(recording(walking(2)), skeleton=COCO_17)
    with pytest.raises(InputError, match="TRC needs the joints of h36m_17, got coco_17"):
        markers(sequence, "TRC")
