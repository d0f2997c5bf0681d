"""With a known focal length, people at the edge of a picture are lifted as in its centre."""

from __future__ import annotations

import numpy as np

from ampose import Camera, Lifter
from ampose.metrics import mpjpe
from ampose.research.data.open_mocap import PACK_TO_CAMERA
from tests.research.packs import poses

SIZE = (1280, 960)


def error_at(across: float, assumed: Camera | None = None) -> float:
    """MPJPE in mm of people 4 m away, `across` half widths from the middle."""
    camera = Camera.from_fov(SIZE, 70)
    people = poses(400, seed=5) @ PACK_TO_CAMERA.T
    ray = camera.rays(np.array([SIZE[0] / 2 * (1 + across), SIZE[1] / 2]))
    root = 4 * ray / np.linalg.norm(ray)
    result = Lifter().lift(
        camera.project(people + root), image_size=SIZE, camera=assumed or camera
    )
    return mpjpe(result.joints[:, 0], people)


def test_the_edge_is_within_a_fifth_of_the_centre() -> None:
    centre = error_at(0)
    for across in (-0.85, 0.85):
        assert error_at(across) < 1.2 * centre


def test_the_focal_length_is_what_makes_it_so() -> None:
    wrong = Camera.from_fov(SIZE, 30)
    assert error_at(0.85, wrong) > 1.05 * error_at(0.85)
    assert error_at(0, wrong) < 1.1 * error_at(0)
