import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampose.cameras import Camera
from ampose.render import OverlayRenderer
from ampose.render.canvas import draw_text
from ampose.render.skeleton2d import draw_skeleton_2d
from ampose.render.skeleton3d import (
    CAMERA_VIEW,
    SIDE_VIEW,
    Scale,
    draw_people,
    empty_panel,
    place_people,
)
from ampose.render.style import PANEL, PEOPLE, RIM, limb_style, person_colour
from ampose.skeletons import H36M_17, Skeleton

SIZE = (1280, 720)
STICK = Skeleton("stick", ("a", "b"), (-1, 0))

# Upright, facing the camera: the person's left is at the camera's right.
STANDING = np.zeros((17, 3))
for _joint, _place in {
    "right_hip": (-0.13, 0, 0),
    "right_knee": (-0.15, 0.44, -0.05),
    "right_ankle": (-0.16, 0.88, 0.05),
    "left_hip": (0.13, 0, 0),
    "left_knee": (0.17, 0.42, -0.2),
    "left_ankle": (0.18, 0.84, 0),
    "spine": (0, -0.23, 0),
    "thorax": (0, -0.48, 0),
    "neck_nose": (0, -0.6, -0.08),
    "head_top": (0, -0.72, -0.03),
    "left_shoulder": (0.15, -0.45, 0),
    "left_elbow": (0.35, -0.3, -0.1),
    "left_wrist": (0.5, -0.5, -0.3),
    "right_shoulder": (-0.15, -0.45, 0),
    "right_elbow": (-0.25, -0.2, 0.05),
    "right_wrist": (-0.28, 0.05, -0.05),
}.items():
    STANDING[H36M_17.index(_joint)] = _place


def scene(*roots):
    """Keypoints, joints, root and ids of standing people seen by a known camera."""
    root = np.array(roots, float).reshape(-1, 3)
    joints = np.repeat(STANDING[None], len(root), axis=0)
    keypoints = Camera.from_fov(SIZE, 60).project(joints + root[:, None])
    return keypoints, joints, root, list(range(len(root)))


def picture(size=SIZE):
    return np.full((size[1], size[0], 3), 100, np.uint8)


def near(colour, other, tolerance=12):
    return np.abs(np.asarray(colour, int) - np.asarray(other, int)).max() <= tolerance


def has(canvas, colour):
    return bool((np.abs(canvas.astype(int) - colour).max(-1) <= 6).any())


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_sizes_are_even_and_not_too_high(width, height):
    renderer = OverlayRenderer((width, height), H36M_17)
    assert renderer.size[0] % 2 == renderer.size[1] % 2 == 0
    assert renderer.size[1] == (960 if height > width else 760)
    assert renderer.size[0] <= 1680


@pytest.mark.parametrize("size", [(1, 1), (4, 3000), (3000, 4), (321, 241), SIZE])
def test_any_frame_fits(size):
    renderer = OverlayRenderer(size, H36M_17)
    out = renderer.draw(picture(size), *scene((0, 0, 3)), time=1.5, text="a file")
    assert out.shape == (renderer.size[1], renderer.size[0], 3)
    assert out.dtype == np.uint8
    assert has(out[:, : -renderer._panel - 24], (100, 100, 100))


@pytest.mark.parametrize("zoom", [1, 2 / 3])
def test_limbs_lie_between_their_keypoints_in_the_person_s_colour(zoom):
    keypoints, joints, root, ids = scene((0, 0.1, 3))
    keypoints = keypoints / zoom
    size = round(SIZE[0] / zoom), round(SIZE[1] / zoom)
    frame = picture(size)
    out = OverlayRenderer(size, H36M_17).draw(frame, keypoints, joints, root, ids)
    # The picture is 720 high, 12 pixels from the left and the top.
    for side, child, parent in (
        ("left", "left_elbow", "left_shoulder"),
        ("right", "right_elbow", "right_shoulder"),
        ("centre", "spine", "thorax"),
    ):
        ends = keypoints[0, [H36M_17.index(child), H36M_17.index(parent)]]
        x, y = ends.mean(0) * zoom + 12
        colour, _ = limb_style(person_colour(0), side)
        assert near(out[int(y), int(x)], colour)
    assert near(out[15, 15], (100, 100, 100), 0)
    assert (frame == 100).all()


def test_left_and_right_differ():
    left, right = (limb_style(PEOPLE[0], side) for side in ("left", "right"))
    assert sum(right[0]) > sum(left[0]) + 60
    assert right[1] < left[1]


def test_people_who_are_absent_leave_the_panels_empty():
    keypoints, joints, root, _ = scene((0, 0, 3))
    renderer = OverlayRenderer(SIZE, H36M_17)
    nobody = renderer.draw(picture(), keypoints[:0], joints[:0], root[:0], [])
    absent = renderer.draw(
        picture(), keypoints * np.nan, joints * np.nan, root * np.nan, [5], text=""
    )
    np.testing.assert_array_equal(absent, nobody)
    somebody = renderer.draw(picture(), keypoints, joints, root, [5])
    assert (somebody != nobody).any()
    again = renderer.draw(picture(), keypoints[:0], joints[:0], root[:0], [])
    np.testing.assert_array_equal(again, nobody)  # nothing is left of the frame before


def test_an_identity_keeps_its_colour():
    keypoints, joints, root, _ = scene((-0.7, 0, 3), (0.7, 0, 4))
    renderer = OverlayRenderer(SIZE, H36M_17)
    both = renderer.draw(picture(), keypoints, joints, root, [3, 4])
    one = renderer.draw(picture(), keypoints[1:], joints[1:], root[1:], [4])
    assert has(both, person_colour(3))
    assert has(both, person_colour(4))
    assert has(one, person_colour(4))
    assert not has(one, person_colour(3))
    assert len({person_colour(k) for k in range(7)}) == 7


def test_the_number_of_a_person_at_the_edge_stays_in_the_picture():
    canvas = np.zeros((100, 100, 3), np.uint8)
    draw_skeleton_2d(canvas, np.array([[-9.0, 0], [-9, 90]]), STICK, 0, label=True)
    corner = np.zeros((100, 100, 3), np.uint8)
    for offset in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        draw_text(corner, offset, "0", RIM, size=18)
    draw_text(corner, (0, 0), "0", person_colour(0), size=18)
    np.testing.assert_array_equal(canvas, corner)


def test_time_and_text_are_shown_each_in_its_place():
    args = picture(), *scene((0, 0, 3))
    renderer = OverlayRenderer(SIZE, H36M_17)
    plain = renderer.draw(*args)
    rows, columns = np.nonzero((renderer.draw(*args, time=12.5) != plain).any(-1))
    assert columns.min() > renderer.size[0] - 12 - renderer._panel
    assert rows.max() < 40
    rows, columns = np.nonzero((renderer.draw(*args, text="x" * 500) != plain).any(-1))
    assert rows.min() >= renderer.size[1] - 28
    assert columns.max() < 12 + renderer._box[0]


def test_wrong_shapes_are_told():
    renderer = OverlayRenderer(SIZE, H36M_17)
    keypoints, joints, root, ids = scene((0, 0, 3))
    with pytest.raises(ValueError, match=r"image must have shape \(720, 1280, 3\)"):
        renderer.draw(picture((720, 1280)), keypoints, joints, root, ids)
    with pytest.raises(ValueError, match="keypoints"):
        renderer.draw(picture(), keypoints, joints, root, [1, 2])


# Panels


def stick(*ends):
    return np.array(ends, float).reshape(1, 2, 3)


def drawn(view, placed, *, seen=True, ids=(0,)):
    """Where a 100-pixel panel of 2 m changed, as (left, top, right, bottom), and the panel."""
    panel = np.full((100, 100, 3), PANEL, np.uint8)
    draw_people(panel, view, 2.0, placed, np.full(placed.shape[:2], seen), STICK, ids)
    rows, columns = np.nonzero((panel != PANEL).any(-1))
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), panel


def test_the_side_view_shows_depth_with_the_camera_at_the_left():
    away = stick((0, 0, 0), (0, 0, 0.8))  # 40 pixels to the right of the middle
    left, top, right, bottom = drawn(SIDE_VIEW, away)[0]
    assert 45 <= left < 50
    assert 90 < right <= 95
    assert bottom - top <= 8
    left, top, right, bottom = drawn(CAMERA_VIEW, away)[0]
    assert right - left == bottom - top <= 8


def test_both_views_have_down_below():
    hanging = stick((0, 0, 0), (0, 0.8, 0))
    for view in (CAMERA_VIEW, SIDE_VIEW):
        left, top, right, bottom = drawn(view, hanging)[0]
        assert 45 <= top < 50
        assert 90 < bottom <= 95
        assert right - left <= 8


@pytest.mark.parametrize(("view", "axis", "sign"), [(CAMERA_VIEW, 2, 1), (SIDE_VIEW, 0, -1)])
def test_near_limbs_cover_far_ones(view, axis, sign):
    """Nearer is smaller z from the camera, larger x from the side."""
    line = stick((0, -0.5, 0), (0, 0.5, 0))
    far = line.copy()
    far[..., axis] += sign
    for placed, front in (((line, far), 0), ((far, line), 1)):
        panel = drawn(view, np.concatenate(placed), ids=(0, 1))[1]
        assert near(panel[40, 50], person_colour(front))


def test_joints_not_seen_are_paler():
    line = stick((0, -0.5, 0), (0, 0.5, 0))
    seen, unseen = (drawn(CAMERA_VIEW, line, seen=s)[1][40, 50] for s in (True, False))
    assert near(seen, person_colour(0))
    assert np.abs(unseen.astype(int) - PANEL).max() < np.abs(seen.astype(int) - PANEL).max() / 2


def test_one_person_stands_in_the_centre():
    joints = STANDING[None]
    np.testing.assert_array_equal(place_people(joints, np.array([[3.0, 1, 9]])), joints)
    np.testing.assert_array_equal(place_people(joints, np.full((1, 3), np.nan)), joints)


def test_several_people_stand_where_their_roots_are():
    joints = np.stack([STANDING, STANDING, STANDING * np.nan])
    root = np.array([[-1.0, 0, 3], [1, 0.2, 5], [np.nan] * 3])
    placed = place_people(joints, root)
    np.testing.assert_allclose(placed[0, 0], [-1, -0.1, -1])
    np.testing.assert_allclose(placed[1, 0], [1, 0.1, 1])
    assert np.isnan(placed[2]).all()


def test_people_without_a_root_stand_side_by_side():
    root = np.array([[-1.0, 0, 3], [np.nan] * 3])
    placed = place_people(np.stack([STANDING, STANDING]), root)
    np.testing.assert_allclose(placed[:, 0], [[-0.6, 0, 0], [0.6, 0, 0]])


def test_the_scale_only_grows_and_not_beyond_reason():
    scale = Scale()
    first = scale.span
    scale.grow(STANDING)
    assert scale.span == first
    scale.grow(STANDING + 1)
    grown = scale.span
    assert grown > first
    assert grown >= 2 * (STANDING + 1).max()
    scale.grow(STANDING)
    scale.grow(STANDING * np.nan)
    assert scale.span == grown
    scale.grow(STANDING + 1e6)
    assert scale.span == 15


def test_the_grid_is_half_a_metre():
    panel = empty_panel(200, CAMERA_VIEW, 2.0)
    row = (panel[60] != PANEL).any(-1)
    assert np.flatnonzero(row).tolist() == [50, 100, 150]
