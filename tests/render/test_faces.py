from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.detection import load_detector
from ampose.mapping import to_h36m
from ampose.render.faces import CELLS, blur_faces, blur_heads, head_circles
from ampose.skeletons import COCO_17, H36M_17, HALPE_26, HUMANEVA_15, Skeleton
from tests.cli.clips import person
from tests.render.upright import CHIN, FACE, MIDDLE, TOP, points, within


@pytest.mark.parametrize(
    ("unseen", "sure"),
    [
        ((), True),
        (("ear",), True),
        (("eye", "ear"), True),
        (("left_eye", "left_ear"), True),
        (("shoulder", "hip"), True),
        (("hip", "knee", "ankle"), True),
        (FACE, False),
        ((*FACE, "hip", "knee", "ankle"), False),
        ((*FACE, "left_shoulder"), False),
        ((*FACE, "shoulder"), False),
    ],
)
def test_a_whole_head_is_covered_whatever_is_seen_of_the_person(
    unseen: tuple[str, ...], sure: bool
) -> None:
    (circle,), (known,) = head_circles(points(*unseen)[None], skeleton=COCO_17)
    assert within(circle, TOP, CHIN, (279, 82), (321, 82))
    assert known == sure
    assert circle[2] < (50 if sure else 600)


@pytest.mark.parametrize("degrees", [0, 40, 90, 180, 250])
def test_lying_people_and_handstands(degrees: float) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for unseen in ((), FACE):
        (circle,), _ = head_circles((points(*unseen) @ turn.T)[None], skeleton=COCO_17)
        assert within(circle, *(tuple(turn @ place) for place in (TOP, CHIN)))


@pytest.mark.parametrize("mapping", ["hybrid", "plain"])
def test_the_joints_of_results_will_do(mapping: str) -> None:
    keypoints, scores = to_h36m(points()[None], np.ones((1, 17)), COCO_17, mapping=mapping)
    (circle,), (sure,) = head_circles(keypoints, scores)
    assert sure
    assert within(circle, (300, 62), CHIN, (282, 82), (318, 82))


@pytest.mark.parametrize("skeleton", [H36M_17, HALPE_26, HUMANEVA_15])
def test_every_joint_set_has_a_head(skeleton: Skeleton) -> None:
    (circle,), (sure,) = head_circles(points(skeleton=skeleton)[None], skeleton=skeleton)
    assert within(circle, MIDDLE)
    assert sure == (skeleton is HALPE_26)


def test_unsure_heads_are_looked_for_in_both_places() -> None:
    keypoints = points()
    keypoints[:5] += (-250, 200)  # a hand taken for a face
    (circle,), (sure,) = head_circles(keypoints[None], np.full((1, 17), 0.25), COCO_17)
    assert not sure
    assert within(circle, TOP, CHIN, MIDDLE, (50, 282))


def test_nobody() -> None:
    circles, sure = head_circles(np.full((2, 17, 2), np.nan), skeleton=COCO_17)
    assert np.isnan(circles).all()
    assert not sure.any()
    picture = np.full((20, 30, 3), 7, np.uint8)
    np.testing.assert_array_equal(blur_heads(picture, circles), picture)
    np.testing.assert_array_equal(blur_faces(picture, np.zeros((0, 17, 2))), picture)


def noise(size: tuple[int, int] = (240, 320)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)


def disc(shape: tuple[int, ...], circle: tuple[float, float, float]) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return (x - circle[0]) ** 2 + (y - circle[1]) ** 2 <= circle[2] ** 2


@pytest.mark.parametrize(
    "circle",
    [
        (160, 120, 40),
        (160.3, 119.7, 33.2),
        (5, 5, 30),
        (-10, 100, 40),
        (318, 238, 90),
        (99, 99, 900),
    ],
)
def test_a_disc_is_left_with_a_few_colours_and_the_rest_untouched(
    circle: tuple[float, float, float],
) -> None:
    picture = noise()
    before = picture.copy()
    out = blur_heads(picture, np.array([circle]))
    inside = disc(picture.shape, circle)
    assert inside.any()
    assert len(np.unique(out[inside], axis=0)) <= CELLS**2
    np.testing.assert_array_equal(out[~inside], picture[~inside])
    np.testing.assert_array_equal(picture, before)


@given(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7), st.floats(0, 1e7))
def test_any_circle(x: float, y: float, radius: float) -> None:
    picture = noise((30, 40))
    inside = disc(picture.shape, (x, y, max(radius, 8)))
    out = blur_heads(picture, np.array([(x, y, radius)]))
    np.testing.assert_array_equal(out[~inside], picture[~inside])
    assert len(np.unique(out[inside], axis=0)) <= CELLS**2


def test_what_is_left_says_no_more_than_the_means_of_cells() -> None:
    """Two faces that differ wherever the means do not are the same afterwards."""
    circle, picture = np.array([[160, 120, 40]]), np.full((240, 320, 3), 100, np.uint8)
    fine = picture.copy()
    fine[::2, ::2] += 60
    fine[1::2, ::2] -= 60
    inside = disc(picture.shape, (160, 120, 40))
    np.testing.assert_allclose(
        blur_heads(fine, circle)[inside].astype(int), blur_heads(picture, circle)[inside], atol=4
    )


def test_two_heads_that_overlap() -> None:
    circles = [(140.0, 120.0, 40.0), (175.0, 115.0, 40.0)]
    picture = noise()
    out = blur_heads(picture, np.array(circles))
    both = disc(picture.shape, circles[0]) | disc(picture.shape, circles[1])
    assert len(np.unique(out[both], axis=0)) <= 2 * CELLS**2
    np.testing.assert_array_equal(out[~both], picture[~both])


def test_a_real_face() -> None:
    picture = person()[0]
    found = load_detector(threads=1).detect(picture)
    keypoints = np.stack([pose.keypoints for pose in found])
    scores = np.stack([pose.scores for pose in found])
    out = blur_faces(picture, keypoints, scores, COCO_17)
    (circle,), _ = head_circles(keypoints, scores, COCO_17)
    inside = disc(picture.shape, tuple(circle))
    assert 12 < circle[2] < 40  # of a person 300 pixels tall
    assert len(np.unique(picture[inside], axis=0)) > 400
    assert len(np.unique(out[inside], axis=0)) <= CELLS**2
    np.testing.assert_array_equal(out[~inside], picture[~inside])
    steps = [np.abs(np.diff(image.astype(float), axis=1)) for image in (picture, out)]
    fine = [float(np.median(step[inside[:, 1:]])) for step in steps]
    assert fine[0] >= 1
    assert fine[1] == 0


@pytest.mark.parametrize(
    ("seen", "radius"),
    [
        ({"nose": (100, 50), "shoulder": (0, 100), "hip": (0, 200)}, 0.34 * 100),
        ({"nose": (100, 50), "shoulder": (80, 100)}, 0.5 * 80),
        ({"nose": (100, 50), "eye": (20, 45)}, 2.6 * 20),
        ({"ear": (40, 50)}, 1.5 * 40),
        # Of the shoulders alone, whose torso is their width over 0.66, or of the torso.
        ({"shoulder": (66, 100)}, 1.5 * 0.34 * 100),
        ({"shoulder": (80, 100), "hip": (0, 200)}, 1.5 * 0.5 * 80),
    ],
)
def test_radii_by_hand(seen: dict[str, tuple[float, float]], radius: float) -> None:
    """A pair is so wide, about x = 100, and so low; the nose is alone. None may be smaller."""
    keypoints = np.full((1, 17, 2), np.nan)
    for part, (width, y) in seen.items():
        if part == "nose":
            keypoints[0, 0] = 100, y
            continue
        left, right = COCO_17.indices((f"left_{part}", f"right_{part}"))
        keypoints[0, [left, right]] = [[100 + width / 2, y], [100 - width / 2, y]]
    ((_, _, found),), _ = head_circles(keypoints, skeleton=COCO_17)
    assert found == pytest.approx(radius)


def test_a_face_is_sixteen_colours_at_most() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    covered = blur_heads(noise, [np.array([100.0, 100, 60])])
    y, x = np.mgrid[:200, :200] + 0.5
    away = np.hypot(x - 100, y - 100)
    assert len(np.unique(covered[away < 60], axis=0)) <= 16
    np.testing.assert_array_equal(covered[away > 60], noise[away > 60])
