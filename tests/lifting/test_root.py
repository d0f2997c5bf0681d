from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ampose.lifting.root import MIN_DEPTH_METRES, estimate_root

FOUR_METRES = np.array([0, 0, 4])


def rays_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points / points[..., 2:]


def test_two_joints_by_hand() -> None:
    # A metre upright, its foot on the axis: at 4 m its top is seen along (0, -1/4, 1).
    joints = np.array([[[0.0, 0, 0], [0, -1, 0]]])
    rays = np.array([[[0.0, 0, 1], [0, -0.25, 1]]])
    np.testing.assert_allclose(estimate_root(joints, rays, np.ones((1, 2))), [[0, 0, 4]])


@given(
    root=st.tuples(st.floats(-3, 3), st.floats(-2, 2), st.floats(1.5, 20)),
    missing=st.sets(st.integers(0, 16), max_size=12),
    seed=st.integers(0, 10_000),
)
def test_an_exact_pose_gives_its_root(
    root: tuple[float, float, float], missing: set[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    joints = random.uniform(-0.8, 0.8, (1, 17, 3))
    rays = rays_of(joints + root)
    rays[0, list(missing)] = np.nan
    scores = random.uniform(0.1, 1, (1, 17))
    np.testing.assert_allclose(estimate_root(joints, rays, scores), [root], atol=1e-6)


def test_people_do_not_disturb_each_other(standing: NDArray[np.float64]) -> None:
    roots = np.array([[0.5, 0, 3], [-1, 0.2, 6]])
    people = standing + roots[:, None]
    rays, joints = rays_of(people), np.stack([standing, standing])
    scores = np.ones((2, 17))
    np.testing.assert_allclose(estimate_root(joints, rays, scores), roots, atol=1e-9)
    joints[0] = np.nan
    found = estimate_root(joints, rays, scores)
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], roots[1], atol=1e-9)


def test_a_joint_of_no_weight_does_not_count(standing: NDArray[np.float64]) -> None:
    rays = rays_of(standing + FOUR_METRES)[None]
    rays[0, 3] = (0.3, 0.5, 1)
    scores = np.ones((1, 17))
    scores[0, 3] = 0
    np.testing.assert_allclose(estimate_root(standing[None], rays, scores), [[0, 0, 4]], atol=1e-9)
    scores[0, 3] = 1
    assert abs(estimate_root(standing[None], rays, scores)[0, 2] - 4) > 0.1


@pytest.mark.parametrize("seen", [0, 1])
def test_too_few_joints_have_no_solution(standing: NDArray[np.float64], seen: int) -> None:
    rays = rays_of(standing + FOUR_METRES)[None]
    rays[0, seen:] = np.nan
    assert np.isnan(estimate_root(standing[None], rays, np.ones((1, 17)))).all()


def test_a_root_that_is_not_in_front_is_unknown(standing: NDArray[np.float64]) -> None:
    rays = rays_of(standing + FOUR_METRES)[None]
    assert np.isnan(estimate_root(-standing[None], rays, np.ones((1, 17)))).all()
    tiny = standing[None] * MIN_DEPTH_METRES / 4
    assert np.isnan(estimate_root(tiny * 0.99, rays, np.ones((1, 17)))).all()
    assert np.isfinite(estimate_root(tiny * 1.01, rays, np.ones((1, 17)))).all()


def test_nobody() -> None:
    empty = np.zeros((0, 17, 3))
    assert estimate_root(empty, empty, np.zeros((0, 17))).shape == (0, 3)
