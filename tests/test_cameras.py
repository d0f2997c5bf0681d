from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import fsolve
from scipy.spatial.transform import Rotation

from ampose.cameras import Camera, look_at_person, normalise_screen
from ampose.geometry import rotate, rotation_about, rotation_to_forward

seeds = st.integers(0, 2**32 - 1)
# Human3.6M's first camera: 1000 x 1002 pixels, 47 degrees, a real lens.
H36M_CAMERA = Camera(
    (1000, 1002),
    (1145.05, 1143.78),
    (512.54, 515.45),
    (-0.20709891, 0.24777518, -0.00142447, -0.00097570, -0.00307519),
)
LENSES = {
    "none": (0.0, 0.0, 0.0, 0.0, 0.0),
    "h36m": H36M_CAMERA.distortion,
    "barrel": (-0.25, 0.09, 0.001, -0.0005, -0.01),
    "pincushion": (0.15, 0.02, -0.001, 0.001, 0.0),
}


# --- the camera ------------------------------------------------------------------------------


def test_projection_by_hand():
    camera = Camera((640, 480), (500.0, 400.0), (320.0, 240.0))
    points = np.array([[0, 0, 3], [1, 0, 2], [0, 1, 2], [-0.5, -0.5, 1]], float)
    expected = [[320, 240], [570, 240], [320, 440], [70, 40]]
    np.testing.assert_allclose(camera.project(points), expected)
    np.testing.assert_allclose(camera.rays(camera.project(points)), points / points[:, 2:])


def test_distortion_by_hand():
    # x = 0.5, y = 0: r2 = 1/4, radial = 1 + 0.4/4 + 0.8/16 + 1.6/64 = 1.175,
    # x' = 0.5 * 1.175 + p2 (1/4 + 2/4), y' = p1 / 4.
    camera = Camera((2, 2), (1.0, 1.0), (0.0, 0.0), (0.4, 0.8, 0.04, 0.02, 1.6))
    projected = camera.project(np.array([1.0, 0.0, 2.0]))
    np.testing.assert_allclose(projected, [0.5875 + 0.015, 0.01])
    # x = y = 0.5: r2 = 1/2, radial = 1 + 0.2 + 0.2 + 0.2 = 1.6; both tangential terms count.
    projected = camera.project(np.array([0.5, 0.5, 1.0]))
    np.testing.assert_allclose(projected, [0.8 + 0.02 + 0.02, 0.8 + 0.04 + 0.01])


def test_nothing_behind_the_camera_is_projected():
    points = np.array([[0, 0, 1], [0, 0, 0], [1, 1, -2], [np.nan, 0, 1], [0, 0, np.nan]], float)
    seen = np.isfinite(H36M_CAMERA.project(points))
    assert seen[0].all()
    assert not seen[[1, 2, 4]].any()
    assert not seen[3, 0]


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(seed=seeds)
def test_rays_and_project_are_inverse(lens, dtype, seed):
    rng = np.random.default_rng(seed)
    camera = replace(Camera.from_fov((1280, 960), 60), distortion=LENSES[lens])
    pixels = rng.uniform((0, 0), camera.size, (4, 17, 2)).astype(dtype)
    rays = camera.rays(pixels)
    assert (rays[..., 2] == 1).all()
    depth = rng.uniform(0.1, 50, (4, 17, 1))
    np.testing.assert_allclose(camera.project(rays * depth), pixels, atol=1e-3)
    points = rays * depth
    np.testing.assert_allclose(camera.rays(camera.project(points)) * depth, points, atol=1e-4)


def test_rays_are_scipys_solution():
    pixels = np.array([[0, 0], [1000, 1002], [10, 900], [512.54, 515.45]], float)
    solved = [
        fsolve(lambda xy, p=p: H36M_CAMERA.project(np.append(xy, 1.0)) - p, (0, 0), xtol=1e-12)
        for p in pixels
    ]
    np.testing.assert_allclose(H36M_CAMERA.rays(pixels)[:, :2], solved, atol=1e-7)


@pytest.mark.parametrize("direction", [0, 1, np.pi / 2, 4])
def test_a_pixel_beyond_what_the_lens_shows_has_no_ray(direction):
    # x (1 - 0.3 x^2) grows up to 2/3 x at x = 1 / sqrt(0.9); further out the model folds back.
    camera = Camera((2, 2), (1.0, 1.0), (0.0, 0.0), (-0.3, 0.0, 0.0, 0.0, 0.0))
    fold = 1 / np.sqrt(0.9)
    away = np.arange(0.01, 4, 0.01)
    rays = camera.rays(away[:, None] * [np.cos(direction), np.sin(direction)])
    found = np.isfinite(rays).all(-1)
    np.testing.assert_array_equal(found, away < 2 / 3 * fold)
    assert (np.linalg.norm(rays[found, :2], axis=-1) < fold).all()


def test_a_missing_pixel_has_no_ray():
    pixels = np.array([[1.0, np.nan], [np.nan, np.nan], [500, 500]])
    for camera in (H36M_CAMERA, replace(H36M_CAMERA, distortion=LENSES["none"])):
        assert np.isfinite(camera.rays(pixels)).all(-1).tolist() == [False, False, True]


def test_field_of_view():
    camera = Camera.from_fov((1000, 500), 90)
    assert camera.focal == pytest.approx((500, 500))
    assert camera.centre == (500, 250)
    assert camera.fov == pytest.approx((90, 2 * np.degrees(np.arctan(0.5))))
    assert camera.source == "given"
    edges = camera.rays(np.array([[0.0, 250.0], [1000.0, 250.0]]))
    np.testing.assert_allclose(edges, [[-1, 0, 1], [1, 0, 1]])


def test_the_assumed_camera_is_the_same_phone_either_way_up():
    lying, standing = Camera.assumed((1920, 1080)), Camera.assumed((1080, 1920))
    assert lying.focal == standing.focal
    assert max(lying.fov) == pytest.approx(60)
    assert standing.fov == pytest.approx(lying.fov[::-1])
    assert lying.source == standing.source == "assumed"


def test_resized_sees_the_same(rng):
    points = rng.uniform((-1, -1, 2), (1, 1, 5), (20, 3))
    small = H36M_CAMERA.resized((500, 334))
    scaled = H36M_CAMERA.project(points) * [500 / 1000, 334 / 1002]
    np.testing.assert_allclose(small.project(points), scaled)
    assert small.distortion == H36M_CAMERA.distortion


def test_world_to_camera_by_hand():
    # Camera right, down and forward are the world's y, z and x.
    camera = replace(
        H36M_CAMERA,
        rotation=np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        translation=np.array([0.0, 1, 5]),
    )
    world = np.array([[[0, 0, 0], [1, 2, 3]]], float)
    np.testing.assert_allclose(camera.to_camera(world), [[[0, 1, 5], [2, 4, 6]]])


def test_as_dict_is_json_and_complete():
    camera = replace(H36M_CAMERA, rotation=rotation_about(1, 0.3), source="exif")
    plain = json.loads(json.dumps(camera.as_dict()))
    back = Camera(**{
        name: np.array(value) if name in ("rotation", "translation") else value
        for name, value in plain.items()
    })  # fmt: skip
    assert back.source == "exif"
    assert back.as_dict() == camera.as_dict()
    np.testing.assert_array_equal(back.rotation, camera.rotation)
    points = np.array([[0.3, -0.2, 4.0]])
    np.testing.assert_array_equal(back.project(points), camera.project(points))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Camera.from_focal((0, 10), 5), "at least 1 x 1 pixel"),
        (lambda: Camera.from_focal((10, 10), 0), "focal length must be positive"),
        (lambda: Camera.from_focal((10, 10), float("nan")), "focal length must be positive"),
        (lambda: Camera((10, 10), (5.0, -5.0), (5.0, 5.0)), "focal length must be positive"),
        (lambda: Camera.from_fov((10, 10), 0.5), "1 to 170 degrees, got 0.5"),
        (lambda: Camera.from_fov((10, 10), 171), "1 to 170 degrees, got 171"),
        (lambda: Camera.from_fov((10, 10), float("nan")), "1 to 170 degrees, got nan"),
    ],
)
def test_impossible_cameras_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- screen coordinates ----------------------------------------------------------------------


def test_normalise_screen_by_hand():
    pixels = np.array([[0, 0], [1000, 500], [500, 250], [250, 375]], np.float32)
    screen = normalise_screen(pixels, (1000, 500))
    np.testing.assert_allclose(screen, [[-1, -0.5], [1, 0.5], [0, 0], [-0.5, 0.25]], atol=1e-6)
    assert screen.dtype == np.float32
    portrait = normalise_screen(np.array([[0.0, 0.0], [100.0, 200.0]]), (100, 200))
    np.testing.assert_array_equal(portrait, [[-1, -2], [1, 2]])
    assert np.isnan(normalise_screen(np.full((1, 2), np.nan), (100, 200))).all()


# --- the virtual camera ----------------------------------------------------------------------


def to_rays(points):
    return points / points[..., 2:]


def half_side(points):
    return np.ptp(to_rays(points)[:, :2], axis=0).max() / 2


def as_inputs(points):
    """The last step worked out afresh: pinhole at the origin, half the larger box side is one."""
    return to_rays(points)[:, :2] / half_side(points)


def test_a_centred_square_by_hand():
    # Box from -0.2 to 0.2 by -0.1 to 0.1 about the axis: nothing to turn, half the side is 0.2.
    xy = np.array([[-0.2, 0], [0.2, 0], [0, -0.1], [0, 0.1], [0.1, 0.1], [0, 0], [np.nan, 0]])
    inputs, rotation = look_at_person(np.column_stack([xy, np.ones(7)]))
    expected = [[-1, 0], [1, 0], [0, -0.5], [0, 0.5], [0.5, 0.5], [0, 0], [0, 0]]
    np.testing.assert_allclose(inputs[:, :2], expected, atol=1e-7)
    assert inputs[:, 2].tolist() == [1, 1, 1, 1, 1, 1, 0]
    assert inputs.dtype == np.float32
    np.testing.assert_allclose(rotation, np.eye(3), atol=1e-15)


@given(seeds)
def test_the_view_is_the_projection_of_the_turned_pose(seed):
    rng = np.random.default_rng(seed)
    root = rng.uniform(3, 8) * np.append(rng.uniform(-1, 1, 2), 1)
    points = root + rng.uniform(-0.9, 0.9, (17, 3))
    rays = to_rays(points)
    inputs, rotation = look_at_person(rays)
    turned = rotate(points, rotation)
    np.testing.assert_allclose(inputs[:, :2], as_inputs(turned), atol=1e-5)
    assert (inputs[:, 2] == 1).all()
    # The new axis passes nearly through the middle of the box: two steps of a fixed point.
    low, high = inputs[:, :2].min(0), inputs[:, :2].max(0)
    np.testing.assert_allclose((low + high) / 2, 0, atol=0.03)
    assert np.linalg.det(rotation) == pytest.approx(1)
    # The documented way back: what is answered in the virtual axes is right in the real ones.
    back = rotate(turned, np.swapaxes(rotation, -1, -2))
    np.testing.assert_allclose(back, points, atol=1e-12)


def test_the_camera_is_turned_twice_towards_the_middle_of_the_box(standing):
    """By SciPy's rotations; weights were trained on inputs of two steps, no more and no fewer."""
    points = standing + np.array([3.0, 1.5, 3.0])
    turn = Rotation.identity()
    for _ in range(2):
        xy = to_rays(turn.apply(points))[:, :2]
        middle = np.append((xy.min(0) + xy.max(0)) / 2, 1)
        axis = np.cross(middle, [0, 0, 1])
        angle = np.arctan(np.linalg.norm(middle[:2]))
        turn = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)) * turn
    _, rotation = look_at_person(to_rays(points))
    np.testing.assert_allclose(rotation, turn.as_matrix(), atol=1e-12)


@given(seeds)
def test_turning_the_real_camera_changes_only_the_box_middle(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.9, 0.9, (17, 3)) + np.array([0, 0, rng.uniform(3, 8)])
    aside = rotation_to_forward(np.append(rng.uniform(-0.6, 0.6, 2), 1))
    turn = aside @ rotation_about(2, rng.uniform(-np.pi, np.pi))
    before, first = look_at_person(to_rays(points))
    after, second = look_at_person(to_rays(rotate(points, turn)))
    # Both virtual cameras stand in one place: a rotation takes one view to the other exactly ...
    between = second @ turn @ first.T
    side = half_side(rotate(points, first))
    virtual = np.column_stack([before[:, :2] * side, np.ones(17)])
    np.testing.assert_allclose(after[:, :2], as_inputs(rotate(virtual, between)), atol=1e-4)
    # ... and their axes differ by no more than the middles of two boxes about one person.
    assert np.degrees(np.arccos(between[2, 2])) < 10


@pytest.mark.parametrize("degrees", [10, 20, 30, 40])
@pytest.mark.parametrize("azimuth", [0, 1, 2.5, 4])
def test_at_the_edge_as_in_the_centre(standing, degrees, azimuth):
    """One pose, the same side towards the camera, in the centre and at the edge of the image."""
    tilt = np.tan(np.radians(degrees))
    aside = rotation_to_forward(np.array([tilt * np.cos(azimuth), tilt * np.sin(azimuth), 1.0])).T
    camera = Camera.from_fov((1000, 1000), 100)

    def both(distance):
        points = standing + np.array([0, 0.1, distance])
        centre, at_centre = look_at_person(camera.rays(camera.project(points)))
        edge, at_edge = look_at_person(camera.rays(camera.project(rotate(points, aside))))
        # A lifter that is right in the centre gives this at the edge, its answer turned back.
        answer = rotate(rotate(standing, at_centre), at_edge.T)
        error = np.linalg.norm(answer - rotate(standing, aside), axis=-1)
        return edge - centre, error.max()

    # Far away there is no perspective: what is left is a shift, as the image stretches the box.
    difference, error = both(400.0)
    np.testing.assert_allclose(difference, difference[:1].repeat(17, 0), atol=0.002)
    assert np.abs(difference).max() < 0.07
    assert error < 0.001
    # Near, the box also lies a little elsewhere about the person, who fills 20 degrees.
    difference, error = both(4.0)
    assert np.abs(difference).max() < 0.25
    assert error < 0.05


@given(seeds, st.integers(0, 17))
def test_a_missing_joint_is_exactly_zero_and_leaves_the_others(seed, missing):
    rng = np.random.default_rng(seed)
    rays = to_rays(rng.uniform(-0.9, 0.9, (17, 3)) + np.array([1, 0.5, 4]))
    gone = rng.permutation(17)[:missing]
    rays[gone, rng.integers(0, 3, missing)] = np.nan
    inputs, rotation = look_at_person(rays)
    assert (inputs[gone] == 0).all()
    rest = np.delete(np.arange(17), gone)
    if len(rest) < 6:
        assert (inputs == 0).all()
    else:
        alone, alone_rotation = look_at_person(rays[rest])
        np.testing.assert_allclose(inputs[rest], alone, atol=1e-6)
        np.testing.assert_allclose(rotation, alone_rotation, atol=1e-12)
    assert np.isfinite(rotation).all()


@pytest.mark.parametrize("seen", range(17))
def test_too_few_joints_are_nobody(seen, standing):
    rays = to_rays(standing + np.array([0, 0, 4]))
    rays[seen:] = np.nan
    inputs, rotation = look_at_person(rays)
    assert inputs.any() == (seen >= 6)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_nobody_at_all():
    inputs, rotation = look_at_person(np.full((2, 17, 3), np.nan))
    assert inputs.shape == (2, 17, 3)
    assert (inputs == 0).all()
    np.testing.assert_array_equal(rotation, np.broadcast_to(np.eye(3), (2, 3, 3)))
    assert look_at_person(np.zeros((0, 2, 17, 3)))[0].shape == (0, 2, 17, 3)


def test_a_person_without_extent_is_nobody():
    inputs, rotation = look_at_person(np.tile([0.4, -0.3, 1.0], (17, 1)))
    assert (inputs == 0).all()
    assert np.isfinite(rotation).all()


def test_rays_far_from_the_axis_are_not_seen():
    # 79 degrees from the axis is a tangent of 5: 4.9 is in, 5.1 is out; the box is of the rest.
    xy = [[-5.1, 0], [5.1, 0], [-4.9, 0], [4.9, 0], [0, -1], [0, 1], [1, 0], [-1, 0]]
    inputs, _ = look_at_person(np.column_stack([np.array(xy), np.ones(8)]))
    assert inputs[:, 2].tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert (inputs[:2] == 0).all()
    assert np.abs(inputs[:, :2]).max() == pytest.approx(1)


@given(seeds, st.integers(-3, 6))
def test_any_rays_give_finite_inputs(seed, magnitude):
    rng = np.random.default_rng(seed)
    rays = np.concatenate(
        [rng.normal(size=(5, 17, 2)) * 10.0**magnitude, np.ones((5, 17, 1))], axis=-1
    )
    rays[rng.random((5, 17)) < 0.1] = np.nan
    rays[rng.random((5, 17)) < 0.02] = np.inf
    inputs, rotation = look_at_person(rays.astype(rng.choice([np.float32, np.float64])))
    assert np.isfinite(inputs).all()
    assert np.isfinite(rotation).all()
    assert np.isin(inputs[..., 2], (0, 1)).all()
    assert (inputs[inputs[..., 2] == 0] == 0).all()
    sides = np.array([np.ptp(p[p[:, 2] == 1, :2], axis=0).max() if p.any() else 2 for p in inputs])
    np.testing.assert_allclose(sides, 2, atol=1e-4)


def test_one_person_and_a_batch_agree(rng):
    roots = np.array([0, 0, 4]) + rng.uniform(-2, 2, (3, 4, 1, 3))
    rays = to_rays(roots + rng.normal(0, 0.3, (3, 4, 17, 3)))
    rays[rng.random((3, 4, 17)) < 0.3] = np.nan
    rays[1, 2] = np.nan
    before = rays.copy()
    inputs, rotation = look_at_person(rays)
    assert inputs.shape == (3, 4, 17, 3)
    assert rotation.shape == (3, 4, 3, 3)
    for index in np.ndindex(3, 4):
        one, one_rotation = look_at_person(rays[index])
        np.testing.assert_allclose(one, inputs[index], atol=1e-6)
        np.testing.assert_allclose(one_rotation, rotation[index], atol=1e-12)
    np.testing.assert_array_equal(rays, before)


class TestWindows:
    """One virtual camera for all frames of a window."""

    @given(seeds, st.integers(0, 4))
    def test_are_turned_and_scaled_as_the_frame_that_sets_the_view(self, seed, view):
        rng = np.random.default_rng(seed)
        roots = np.array([1, 0.5, 5]) + rng.uniform(-0.4, 0.4, (5, 1, 3))
        points = roots + rng.uniform(-0.9, 0.9, (5, 17, 3))
        inputs, rotation = look_at_person(to_rays(points), view=view)
        alone, its_rotation = look_at_person(to_rays(points[view]))
        np.testing.assert_array_equal(inputs[view], alone)
        np.testing.assert_array_equal(rotation, its_rotation)
        turned = rotate(points, rotation)
        expected = to_rays(turned)[..., :2] / half_side(turned[view])
        np.testing.assert_allclose(inputs[..., :2], expected, atol=1e-5)

    def test_a_missing_joint_is_missing_in_its_frame_only(self, standing):
        rays = to_rays(np.stack([standing + np.array([0.1 * t, 0, 4]) for t in range(3)]))
        whole, rotation = look_at_person(rays, view=1)
        rays[2, :3] = np.nan
        inputs, same = look_at_person(rays, view=1)
        np.testing.assert_array_equal(rotation, same)
        assert (inputs[2, :3] == 0).all()
        np.testing.assert_array_equal(np.delete(inputs[2], range(3), 0), whole[2, 3:])
        np.testing.assert_array_equal(inputs[:2], whole[:2])

    @pytest.mark.parametrize("few", [0, 1])
    def test_too_few_joints_blank_their_frame_and_in_the_view_the_window(self, few, standing):
        rays = to_rays(np.stack([standing + np.array([0, 0, 4])] * 3))
        rays[few, 5:] = np.nan
        inputs, _ = look_at_person(rays, view=1)
        seen = inputs.any((-1, -2))
        assert seen.tolist() == ([False] * 3 if few == 1 else [False, True, True])

    def test_many_are_as_one(self, rng):
        points = np.array([0, 0, 5]) + rng.uniform(-0.9, 0.9, (4, 3, 17, 3))
        inputs, rotation = look_at_person(to_rays(points), view=2)
        assert (inputs.shape, rotation.shape) == ((4, 3, 17, 3), (4, 3, 3))
        for index in range(4):
            one, one_rotation = look_at_person(to_rays(points[index]), view=2)
            np.testing.assert_allclose(inputs[index], one, atol=1e-6)
            np.testing.assert_allclose(rotation[index], one_rotation, atol=1e-12)


def test_the_fourth_channel_is_the_size_of_the_person():
    """A flat figure two units tall at distances 4 and 8, one joint of it not seen."""
    rng = np.random.default_rng(0)
    flat = np.column_stack([rng.uniform(-0.3, 0.3, 10), np.linspace(-1, 1, 10), np.zeros(10)])
    flat[4, 0] = 0
    flat[:, 0] -= (flat[:, 0].max() + flat[:, 0].min()) / 2
    for distance in (4.0, 8.0):
        rays = (flat + np.array([0, 0, distance])) / distance
        rays[4] = np.nan
        inputs, rotation = look_at_person(rays, channels=4)
        three, same = look_at_person(rays)
        np.testing.assert_array_equal(inputs[:, :3], three)
        np.testing.assert_array_equal(rotation, same)
        seen = np.arange(10) != 4
        np.testing.assert_allclose(inputs[seen, 3], np.log(1 / distance) + 1.5, atol=1e-6)
        assert inputs[4].tolist() == [0, 0, 0, 0]


def test_nobody_has_no_size():
    inputs, _ = look_at_person(np.full((2, 17, 3), np.nan), channels=4)
    assert inputs.shape == (2, 17, 4)
    assert not inputs.any()
