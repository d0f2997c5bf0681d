from __future__ import annotations

import numpy as np
import pytest

from ampose.analysis import View, views_of
from ampose.analysis.views import aside_degrees, badges
from ampose.geometry import rotate, rotation_about
from tests.analysis.figure import FORWARD, UP, figure, tilted

AWAY = np.array([0.0, 0, 4])


def turned(*degrees: float) -> np.ndarray:
    """(T, 1, 17, 3): turned to the left by so much in each frame, 0 facing the camera."""
    turns = rotation_about(1, -np.radians(degrees))
    return rotate(figure(), turns)[:, None]


def view(*degrees: float, root: np.ndarray = AWAY, up: np.ndarray = UP) -> View:
    joints = turned(*degrees)
    (found,) = views_of(joints, np.broadcast_to(root, (*joints.shape[:2], 3)), up)
    return found


@pytest.mark.parametrize(
    ("degrees", "badge"),
    [
        (0, "frontal"),
        (180, "frontal"),
        (-25, "frontal"),
        (45, "oblique"),
        (-130, "oblique"),
        (90, "sagittal"),
        (-90, "sagittal"),
        (65, "sagittal"),
    ],
)
def test_how_the_pelvis_faces_the_camera(degrees, badge):
    assert view(degrees).badge == badge
    folded = abs(degrees) if abs(degrees) <= 90 else 180 - abs(degrees)
    aside = aside_degrees(turned(degrees), np.broadcast_to(AWAY, (1, 1, 3)), UP)
    assert aside == pytest.approx(folded, abs=1e-9)


def test_the_ray_to_the_person_counts_and_not_the_picture():
    """Facing along the optical axis at the edge of a wide picture is seen from the side."""
    assert view(0, root=np.array([10.0, 0, 1])).badge == "sagittal"
    assert view(0, root=np.array([np.nan] * 3)).badge == "frontal"  # not known: the axis


def test_the_median_names_the_view_unless_somebody_turns():
    mostly = view(*[0] * 8, *[90] * 2)
    assert mostly.badge == "frontal"
    assert mostly.shares == {"frontal": 0.8, "oblique": 0.0, "sagittal": 0.2}
    assert view(0, 0, 0, 90).badge == "turning"
    assert view(28, 28, 33, 33, 33).badge == "oblique"  # about a limit is no turn
    assert view(28, 28, 28, 33, 33).badge == "frontal"


@pytest.mark.parametrize(
    ("down", "badge"),
    [
        (40, "frontal, from above"),
        (-40, "frontal, from below"),
        (26, "frontal, from above"),
        (24, "frontal"),
    ],
)
def test_steep_views(down, badge):
    angle = np.radians(down)
    up = np.array([0, -np.cos(angle), -np.sin(angle)])  # of a camera that looks down
    right = np.array([1.0, 0, 0])
    upright = np.stack([right, -up, np.cross(right, -up)], axis=-1)
    joints = rotate(figure(), upright)[None, None]
    (found,) = views_of(joints, AWAY[None, None], up)
    assert found.badge == badge
    assert found.elevation_degrees == pytest.approx(down)
    assert ("steep" in found.meaning) == (abs(down) > 25)


def test_who_is_not_there_has_no_view():
    joints = np.concatenate([turned(0, 0), np.full((2, 1, 17, 3), np.nan)], axis=1)
    roots = np.broadcast_to(AWAY, (2, 2, 3))
    frontal, nobody = views_of(joints, roots, UP)
    assert (frontal.badge, nobody.badge) == ("frontal", "unknown")
    assert np.isnan(nobody.elevation_degrees)
    assert [each.badge for each in views_of(joints[:0], roots[:0], UP)] == ["unknown", "unknown"]
    assert views_of(joints[:, :0], roots[:, :0], UP) == ()


def test_absent_frames_do_not_count():
    joints = turned(0, 90, 90, 90)
    joints[1:] = np.nan
    roots = np.array([AWAY, *[[0, 4, 4]] * 3])[:, None]  # far below, if they were there
    (found,) = views_of(joints, roots, UP)
    assert found.shares["frontal"] == 1
    assert found.elevation_degrees == pytest.approx(0)


def test_each_class_hears_what_a_view_means():
    for degrees in (0, 45, 90):
        assert "class A" in view(degrees).meaning
        assert "class B" in view(degrees).meaning or "A and B" in view(degrees).meaning


def test_nothing_to_face():
    aside = np.array([np.nan, 0, 30, 59.9, 60, 90])
    expected = ["", "frontal", "oblique", "oblique", "sagittal", "sagittal"]
    assert badges(aside).tolist() == expected
    overhead = aside_degrees(figure(), 4 * -UP, UP)
    assert np.isnan(overhead)
    assert not np.isnan(aside_degrees(figure(), 4 * tilted(-UP, -FORWARD, 10), UP))
