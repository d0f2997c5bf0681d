"""The geometry under the real-video benchmark, on cameras and points made here."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampose.cameras import Camera
from ampose.geometry import random_rotations

_PATH = Path(__file__).parents[2] / "benchmarks" / "real_video.py"
_SPEC = importlib.util.spec_from_file_location("real_video", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
real_video = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(real_video)


def around(count: int) -> list[Camera]:
    """Cameras at 4 m from the origin, looking at it from different sides."""
    cameras = []
    for turn in random_rotations(count, np.random.default_rng(0)):
        straight = Camera.from_fov((1088, 1920), 40)
        cameras.append(replace(straight, rotation=turn, translation=np.array([0, 0, 4.0])))
    return cameras


def test_exact_views_give_the_points_back(rng: np.random.Generator) -> None:
    points = rng.uniform(-1, 1, (7, 17, 3))
    cameras = around(3)
    rays = [camera.rays(camera.project(camera.to_camera(points))) for camera in cameras]
    scores = [np.ones((7, 17))] * 3
    np.testing.assert_allclose(real_video.triangulate(rays, scores, cameras), points, atol=1e-9)
    for one_less in range(3):
        kept = [i for i in range(3) if i != one_less]
        found = real_video.triangulate(
            [rays[i] for i in kept], scores[:2], [cameras[i] for i in kept]
        )
        np.testing.assert_allclose(found, points, atol=1e-9)


def test_weak_and_missing_detections_do_not_count(rng: np.random.Generator) -> None:
    points = rng.uniform(-1, 1, (1, 17, 3))
    cameras = around(3)
    rays = [camera.rays(camera.project(camera.to_camera(points))) for camera in cameras]
    scores = [np.ones((1, 17)) for _ in cameras]
    rays[0] = rays[0] + 0.5
    scores[0][:] = real_video.MIN_SCORE - 0.01  # wrong, but weak
    rays[1][0, 3] = np.nan  # so joint 3 has one view left
    found = real_video.triangulate(rays, scores, cameras)
    assert np.isnan(found[0, 3]).all()
    others = np.arange(17) != 3
    np.testing.assert_allclose(found[:, others], points[:, others], atol=1e-9)


def test_ways_to_lose_eight_columns() -> None:
    camera = Camera.from_focal((1088, 1920), 1600)
    options = real_video.width_options(camera, 1080)
    assert {name: option.centre[0] for name, option in options.items()} == {
        "cut right": 544,
        "cut both": 540,
        "cut left": 536,
        "scaled": 540,
    }
    assert options["scaled"].focal == (pytest.approx(1600 * 1080 / 1088), 1600)
    assert {option.size for option in options.values()} == {(1080, 1920)}
    assert real_video.width_options(camera, 1088) == {"as calibrated": camera}


def test_calibration_file(tmp_path: Path) -> None:
    """A camera 2 m above the origin that looks straight down, its image's right along x."""
    path = tmp_path / "Calib.qca.txt"
    path.write_text(
        """<calibration><cameras><camera serial="cam01">
        <transform r11="1" r12="0" r13="0" r21="0" r22="1" r23="0" r31="0" r32="0" r33="1"
          x="0" y="0" z="2000"/>
        <intrinsic focalLengthU="64000" focalLengthV="64000" centerPointU="34816"
          centerPointV="61440" radialDistortion1="0" radialDistortion2="0" radialDistortion3="0"
          tangentalDistortion1="0" tangentalDistortion2="0"/>
        </camera></cameras></calibration>"""
    )
    (camera,) = real_video.read_calibration(path).values()
    assert camera.focal == (1000, 1000)
    world = np.array([[0.0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]])
    expected = [[544, 960], [544 + 250, 960], [544, 960 - 250]]
    np.testing.assert_allclose(camera.project(camera.to_camera(world)), expected)
