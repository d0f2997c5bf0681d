from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ampose
from ampose.analysis import angles_of, angular_velocities, peak_velocities
from ampose.analysis.formulas import wrapped
from ampose.errors import InputError
from ampose.skeletons import COCO_17
from tests.analysis.figure import BACK, DOWN, LEFT, UP, figure, hips, sequence, tilted, trunk


def bending(degrees: np.ndarray) -> np.ndarray:
    """(T, 1, 17, 3): the left knee bends so much."""
    return np.stack([figure(left_ankle=tilted(DOWN, BACK, each)) for each in degrees])[:, None]


def test_shapes_names_and_values():
    joints = np.concatenate([bending(np.array([0, 30, 60])), bending(np.array([5, 5, 5]))], axis=1)
    found = ampose.angles_of(sequence(joints, sigma=0.01, tilt_sigma=5))
    assert isinstance(found, ampose.Angles)
    assert found.values.shape == found.sigma.shape == (3, 2, len(found.names))
    np.testing.assert_allclose(found["knee_flexion_l"], [[0, 5], [30, 5], [60, 5]], atol=1e-3)
    assert np.isfinite(found.sigma).all()
    assert found.ids.tolist() == [3, 4]
    of_second = found.of_person(1)
    assert list(of_second) == list(found.names)
    np.testing.assert_array_equal(of_second["trunk_lean"], found["trunk_lean"][:, 1])
    with pytest.raises(KeyError, match="pelvic_tilt; there are knee_flexion_l, "):
        found["pelvic_tilt"]


def test_who_is_absent_has_no_angle():
    joints = np.concatenate([bending(np.zeros(3))] * 2, axis=1)
    joints[1, 0] = np.nan
    joints[2, 1, 6] = np.nan  # the left ankle
    found = angles_of(sequence(joints, sigma=0.01, tilt_sigma=5))
    for array in (found.values, found.sigma):
        known = np.isfinite(array)
        assert not known[1, 0].any()
        missing = {found.names[place] for place in np.flatnonzero(~known[2, 1])}
        assert missing == {"knee_flexion_l", "shank_inclination_l"}
        assert known.sum() == array.size - len(found.names) - 2


def test_joints_that_are_not_valid_do_not_count():
    poses = sequence(bending(np.zeros(2)))
    poses.valid[1] = False
    assert np.isfinite(angles_of(poses).values).all((1, 2)).tolist() == [True, False]


@pytest.mark.parametrize(("frames", "people"), [(0, 2), (3, 0), (0, 0), (1, 1)])
def test_any_size(frames, people):
    joints = np.broadcast_to(figure(), (frames, people, 17, 3))
    found = angles_of(sequence(joints), class_b=True)
    assert found.values.shape == (frames, people, len(found.names))
    assert len(found.views) == people
    assert np.isnan(angular_velocities(found)).all()


def test_without_sigma_there_are_no_error_bars_and_it_is_said():
    found = angles_of(sequence(bending(np.zeros(2)), tilt_sigma=5))
    assert np.isnan(found.sigma).all()
    assert any("no error bars" in warning for warning in found.warnings)
    some = angles_of(sequence(bending(np.zeros(2)), sigma=0.01, tilt_sigma=5))
    assert not any("no error bars" in warning for warning in some.warnings)
    nobody = angles_of(sequence(np.full((2, 1, 17, 3), np.nan), tilt_sigma=5))
    assert not any("no error bars" in warning for warning in nobody.warnings)


def test_the_world_s_tilt_counts_and_its_lack_is_said():
    joints = bending(np.zeros(2))
    bars = {}
    for tilt in (0, 10, None):
        found = angles_of(sequence(joints, sigma=0.01, tilt_sigma=tilt), ["trunk_lean"])
        bars[tilt] = found.sigma.max()
        assert ("assumed to be held level" in found.warnings[0]) == (tilt is None)
    assert bars[10] == pytest.approx(np.hypot(bars[0], 10), rel=0.01)
    assert bars[None] == pytest.approx(np.hypot(bars[0], np.hypot(15, 5)), rel=0.01)
    found = angles_of(sequence(joints, sigma=0.01), ["knee_flexion"])
    assert not any("Up" in warning for warning in found.warnings)


def test_a_camera_that_looks_down_does_not_lean_people():
    """A pitched camera sees a lean that its world takes back."""
    poses = sequence(np.stack([[figure(**trunk(tilted(UP, BACK, 20)))]]), tilt_sigma=2)
    angle = np.radians(20)
    up = np.array([0, -np.cos(angle), np.sin(angle)])
    right = np.array([1.0, 0, 0])
    camera = replace(
        poses.cameras[0], rotation=np.stack([right, up, np.cross(right, up)], axis=-1)
    )
    found = angles_of(replace(poses, cameras=(camera,)))
    assert found["trunk_lean"] == pytest.approx(0, abs=0.1)
    assert angles_of(poses)["trunk_lean"] == pytest.approx(20, abs=0.1)


def test_a_frame_of_reference():
    joints = np.stack([figure(**hips(tilted(LEFT, BACK, each))) for each in (-170, 10, 50, 170)])
    poses = sequence(joints[:, None], sigma=0.01, tilt_sigma=0)
    names = ["pelvis_rotation", "shoulder_line_rotation", "x_factor"]
    plain = angles_of(poses, names)
    np.testing.assert_allclose(plain["pelvis_rotation"][:, 0], [-170, 10, 50, 170], atol=1e-3)
    found = angles_of(poses, names, reference=0)
    np.testing.assert_allclose(
        wrapped(found["pelvis_rotation"][:, 0] - [0, 180, -140, -20]), 0, atol=1e-3
    )
    assert np.abs(found["pelvis_rotation"]).max() <= 180
    without = replace(poses, sigma=np.full_like(poses.sigma, np.nan))
    assert np.isnan(angles_of(without, names, reference=0).sigma).all()
    np.testing.assert_array_equal(found["x_factor_joint_angle"], plain["x_factor_joint_angle"])
    assert found.sigma[0, 0, 0] == 0
    expected = np.hypot(plain.sigma[1:, 0, 0], plain.sigma[0, 0, 0])
    np.testing.assert_allclose(found.sigma[1:, 0, 0], expected)
    assert any("relative to frame 0" in warning for warning in found.warnings)
    for frame in (-1, 4):
        with pytest.raises(InputError, match=f"no frame {frame} to refer to; there are 4"):
            angles_of(poses, names, reference=frame)


def test_meaningless_angles_are_absent():
    arms = (tilted(DOWN, LEFT, 10), tilted(DOWN, LEFT, 30))  # of those near the trunk there is one
    joints = np.stack([figure(left_elbow=arm) for arm in arms])[:, None]
    found = angles_of(sequence(joints, sigma=0.001), ["shoulder_plane_of_elevation_l"])
    for array in (found.values, found.sigma):
        assert np.isfinite(array[:, 0, 0]).tolist() == [False, True]


def test_class_b_comes_with_warnings():
    poses = sequence(bending(np.zeros(2)), sigma=0.01, tilt_sigma=5)
    assert not any("Class B" in warning for warning in angles_of(poses).warnings)
    found = angles_of(poses, ["x_factor", "x_factor_transverse"])
    text = "\n".join(found.warnings)
    assert "Class B (x_factor_joint_angle, x_factor_transverse)" in text
    assert "joint-angle convention" in text
    assert "transverse-plane convention" in text
    assert "Person 3, view frontal" in text
    assert found.recording_warnings == ("careful",)


def test_other_joint_sets_and_refused_angles():
    poses = sequence(np.zeros((1, 1, 17, 3)))
    with pytest.raises(InputError, match="need the joints of h36m_17, these poses are coco_17"):
        angles_of(replace(poses, skeleton=COCO_17))
    with pytest.raises(
        InputError, match=r"pelvic_tilt is refused: .* \(ASIS and PSIS are missing"
    ):
        angles_of(poses, ["pelvic_tilt"])


@pytest.mark.parametrize(
    ("rate", "said"), [(30, "refused below 120"), (130, "may be too low"), (250, "")]
)
def test_frame_rates(rate, said):
    found = angles_of(sequence(bending(np.zeros(4)), rate=rate))
    about = [warning for warning in found.warnings if "frames/s" in warning]
    assert [said in warning for warning in about] == ([True] if said else [])
    assert found.frames_per_second == pytest.approx(rate)


def test_photos_have_no_frame_rate():
    found = angles_of(sequence(bending(np.zeros(3)), times=np.zeros(3)))
    assert np.isnan(found.frames_per_second)
    assert not any("frames/s" in warning for warning in found.warnings)
    with pytest.raises(InputError, match="times do not rise"):
        angular_velocities(found)
    with pytest.raises(InputError, match="times do not rise"):
        peak_velocities(found)


def test_velocities_of_a_parabola_at_uneven_times():
    times = np.array([0, 0.01, 0.025, 0.03, 0.045, 0.05])
    found = angles_of(
        sequence(bending(40 + 2000 * times**2), times=times), ["knee_flexion_l", "knee_flexion_r"]
    )
    velocities = angular_velocities(found)[:, 0]
    np.testing.assert_allclose(velocities[1:-1, 0], 4000 * times[1:-1], rtol=1e-3)
    assert np.isnan(velocities[[0, -1]]).all()
    np.testing.assert_allclose(velocities[1:-1, 1], 0, atol=1e-3)


def test_no_velocity_across_gaps():
    joints = bending(np.linspace(10, 60, 8))
    joints[2] = np.nan
    times = np.arange(8) / 30.0
    times[5:] += 0.08
    found = angles_of(sequence(joints, times=times), ["knee_flexion_l"])
    known = np.isfinite(angular_velocities(found)[:, 0, 0])
    assert known.tolist() == [False, False, False, False, False, False, True, False]


def test_turning_past_half_a_circle_is_no_jump():
    turns = (170, 175, 180, 185, 190)
    joints = np.stack([figure(**hips(tilted(LEFT, BACK, each))) for each in turns])
    found = angles_of(sequence(joints[:, None], rate=100), ["pelvis_rotation"])
    np.testing.assert_allclose(angular_velocities(found)[1:-1, 0, 0], 500, rtol=1e-3)


def test_peaks():
    times = np.arange(40) / 250
    degrees = 50 - 30 * np.sin(2 * np.pi * times / 0.2)  # fastest at half a period
    joints = np.concatenate([bending(degrees), np.full((40, 1, 17, 3), np.nan)], axis=1)
    found = peak_velocities(
        angles_of(sequence(joints, rate=250), ["knee_flexion_l", "trunk_lean"])
    )
    assert found.names == ("knee_flexion_l", "trunk_lean")
    assert found.values[0, 0] == pytest.approx(30 * 2 * np.pi / 0.2, rel=0.01)
    assert found.times[0, 0] == pytest.approx(0.1)
    assert np.isnan(found.values[1]).all()
    assert np.isnan(found.times[1]).all()
    assert len(found.warnings) == 1
    falling = peak_velocities(angles_of(sequence(bending(100 - degrees), rate=250)))
    assert falling.values[0, 0] == pytest.approx(-30 * 2 * np.pi / 0.2, rel=0.01)
    assert falling.times[0, 0] == pytest.approx(0.1)


def test_peaks_need_many_frames_a_second():
    joints = bending(np.linspace(10, 60, 8))
    with pytest.raises(InputError, match="refused below 120 frames/s, this recording has 60 fra"):
        peak_velocities(angles_of(sequence(joints, rate=60)))
    with pytest.raises(InputError, match="this recording has no frame rate"):
        peak_velocities(angles_of(sequence(joints[:1], rate=60)))
    poses = sequence(joints, rate=150, provenance={"options": {"filter": "butterworth"}})
    text = "\n".join(peak_velocities(angles_of(poses)).warnings)
    assert "150 frames/s are few" in text
    assert "filtered along time" in text
