from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ampose.analysis import angles_of
from ampose.analysis.mirroring import mirrored
from ampose.cameras import Camera
from ampose.geometry import rotation_about
from ampose.poses import PoseSequence
from tests.analysis.figure import BACK, DOWN, FORWARD, LEFT, UP, figure, sequence, tilted, trunk

ODD = figure(
    **trunk(tilted(UP, tilted(LEFT, FORWARD, 30), 25)),
    left_knee=tilted(DOWN, FORWARD, 40),
    left_ankle=tilted(DOWN, BACK, 20),
    right_elbow=tilted(DOWN, FORWARD, 70),
    left_hip=tilted(LEFT, FORWARD, 20),
    right_hip=-tilted(LEFT, FORWARD, 20),
)


@pytest.fixture
def odd() -> PoseSequence:
    camera = replace(
        Camera.from_fov((640, 480), 60),
        centre=(300.0, 250.0),
        distortion=(0.1, -0.02, 0.004, -0.006, 0.0),
        rotation=np.diag([1.0, -1, -1]) @ rotation_about(0, 0.1) @ rotation_about(2, 0.2),
        translation=np.array([0.3, -0.2, 0.1]),
    )
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.01, 0.03, (1, 1, 17, 3))
    made = sequence(ODD[None, None], sigma=sigma, tilt_sigma=3, cameras=(camera,))
    root = np.array([[[0.4, -0.1, 4.0]]], np.float32)
    places = made.joints + root[..., None, :]
    world = (places - camera.translation) @ camera.rotation
    return replace(
        made,
        root=root,
        keypoints=camera.project(places).astype(np.float32),
        scores=rng.random((1, 1, 17), np.float32),
        world=world.astype(np.float32),
    )


def test_twice_is_once(odd: PoseSequence) -> None:
    back = mirrored(mirrored(odd))
    for name in ("joints", "root", "keypoints", "sigma", "world", "valid"):
        np.testing.assert_allclose(getattr(back, name), getattr(odd, name), atol=1e-5)
    np.testing.assert_allclose(back.cameras[0].rotation, odd.cameras[0].rotation)


def test_left_is_right_and_directions_turn_round(odd: PoseSequence) -> None:
    names = (
        "knee_flexion",
        "trunk_lean",
        "trunk_lean_lateral",
        "trunk_lean_sagittal",
        "pelvis_rotation",
        "x_factor_transverse",
        "hip_abduction",
    )
    before, after = angles_of(odd, names), angles_of(mirrored(odd), names)
    turned = ("trunk_lean_lateral", "pelvis_rotation", "x_factor_transverse")
    for name in before.names:
        other = {"l": f"{name[:-1]}r", "r": f"{name[:-1]}l"}.get(name[-1], name)
        other = other if name[-2] == "_" else name
        sign = -1 if name in turned else 1
        np.testing.assert_allclose(after[other], sign * before[name], atol=0.01)


def test_it_is_what_the_mirrored_camera_sees(odd: PoseSequence) -> None:
    seen = mirrored(odd)
    projected = seen.cameras[0].project(seen.joints + seen.root[..., None, :])
    np.testing.assert_allclose(projected, seen.keypoints, atol=0.01)
    np.testing.assert_allclose(
        640 - seen.keypoints[..., 0], odd.keypoints[:, :, list(odd.skeleton.mirror), 0], rtol=1e-5
    )
    assert np.linalg.det(seen.cameras[0].rotation) == pytest.approx(1)
    placed = seen.cameras[0].to_camera(seen.world)
    np.testing.assert_allclose(placed, seen.joints + seen.root[..., None, :], atol=1e-5)
    assert (np.sign(seen.root) == np.sign(odd.root) * [-1, 1, 1]).all()
    for name in ("sigma", "scores"):
        exchanged = getattr(odd, name)[:, :, list(odd.skeleton.mirror)]
        np.testing.assert_array_equal(getattr(seen, name), exchanged)
