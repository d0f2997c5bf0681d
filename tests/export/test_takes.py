from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ampose.errors import InputError
from ampose.export.takes import clock, notes, takes
from ampose.motion.bones import TYPICAL_BONES
from ampose.skeletons import COCO_17, H36M_17
from tests.export.recordings import absent, recording, walking
from tests.motion.people import other_body


def test_the_world_as_it_is():
    (take,) = takes(recording(walking()))
    np.testing.assert_allclose(take.hips, walking()[:, 0], atol=1e-6)
    np.testing.assert_allclose(take.lengths, TYPICAL_BONES, atol=1e-6)
    assert take.bone_change < 1e-6
    assert take.frames.tolist() == list(range(20))
    np.testing.assert_allclose(take.times, np.arange(20) / 25)


def test_without_a_world_up_is_up_in_the_picture():
    known, unknown = recording(walking()), recording(walking(), world=False)
    (with_world,), (without,) = takes(known), takes(unknown)
    np.testing.assert_allclose(without.hips, walking()[:, 0], atol=1e-6)  # y = - camera y
    np.testing.assert_allclose(without.turns, with_world.turns, atol=1e-4)
    assert not notes(known)
    assert notes(unknown) == (
        "There is no world in this result: up is up in the picture, and the origin is the "
        "camera, not the floor.",
    )


def test_everybody_has_their_own_bones_and_some_are_never_there():
    nobody = np.full((20, 17, 3), np.nan)
    sequence = recording(walking(), nobody, walking(seed=1, lengths=other_body()))
    first, second = takes(sequence)
    assert (first.id, second.id) == (3, 5)
    np.testing.assert_allclose(second.lengths, other_body(), atol=1e-6)
    assert notes(sequence) == ("Person 4 has no whole pose with a place, and is left out.",)


def test_bones_are_medians_and_what_differs_is_said():
    person = walking()
    person[3] = person[3, :1] + 1.5 * (person[3] - person[3, :1])
    (take,) = takes(recording(person))
    np.testing.assert_allclose(take.lengths, TYPICAL_BONES, atol=1e-6)
    assert take.bone_change == pytest.approx(0.5 * TYPICAL_BONES.max(), abs=1e-5)
    (said,) = notes(recording(person))
    assert said.startswith("Person 3's bones differ by up to 22.7 cm from their medians")


def test_a_person_is_there_with_all_joints_and_a_place():
    person = walking()
    person[4, 7] = np.nan
    person[5, 2, 1] = np.nan
    person[6, 3] = person[6, 2]  # a bone without length has no direction
    person[7, 1] = person[7, 4]  # nor have hips in one point
    sequence = recording(person)
    (take,) = takes(sequence)
    assert take.frames.tolist() == [0, 1, 2, 3, *range(8, 20)]
    (said,) = notes(sequence)
    assert said == "Person 3 is absent from 4 of 20 frames: still in BVH, hidden in GLB."


def test_between_frames_and_while_absent():
    (take,) = takes(recording(absent(walking(8), 0, 3, 4)))
    assert take.frames.tolist() == [1, 2, 5, 6, 7]
    seconds = np.array([0.0, 1, 1.5, 2, 2.9, 4.9, 5, 7, 9]) / 25
    hips, turns = take.at(seconds)
    kept = {0: 0, 1: 0, 3: 1, 4: 1, 5: 1, 6: 2, 7: 4, 8: 4}
    for moment, frame in kept.items():
        np.testing.assert_allclose(hips[moment], take.hips[frame], atol=1e-12)
        np.testing.assert_allclose(turns[moment], take.turns[frame], atol=1e-12)
    np.testing.assert_allclose(hips[2], take.hips[:2].mean(0))
    halves = [Rotation.from_matrix(a.swapaxes(-1, -2) @ turns[2]) for a in take.turns[:2]]
    there, back = (half.as_rotvec() for half in halves)
    np.testing.assert_allclose(there, -back, atol=1e-9)
    assert np.abs(there).max() > 0.001


def test_at_a_frame_exactly_its_pose():
    times = np.sort(np.random.default_rng(0).random(20)) + 1e4
    (take,) = takes(recording(walking(), times=times))
    hips, turns = take.at(take.seconds)
    np.testing.assert_array_equal(hips, take.hips)
    np.testing.assert_allclose(turns, take.turns, atol=1e-12)


def test_clock():
    np.testing.assert_allclose(clock(np.array([10, 10.5, 12])), [0, 0.5, 2])
    for photos in (np.zeros(3), np.array([0, 1, 1.0]), np.array([0, np.nan, 2])):
        assert clock(photos).tolist() == [0, 1, 2]
    assert clock(np.array([7.0])).tolist() == [0]
    assert clock(np.zeros(0)).tolist() == []


def test_photos_follow_one_another():
    sequence = recording(walking(3), times=np.zeros(3))
    assert notes(sequence) == ("Photos have no times: they follow one another by the second.",)
    (take,) = takes(sequence)
    assert take.seconds.tolist() == [0, 1, 2]


@pytest.mark.parametrize("frames", [0, 1])
def test_hardly_anything(frames):
    assert len(takes(recording(walking(frames) if frames else np.zeros((0, 17, 3))))) == frames


def test_other_joints():
    with pytest.raises(InputError, match="need the joints of h36m_17, got coco_17"):
        takes(replace(recording(walking()), skeleton=COCO_17))
    assert takes(replace(recording(walking()), skeleton=H36M_17))
