from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import place
import pytest
import real_video
from steady_bones import Seen

from ampose.cameras import Camera
from ampose.motion.bones import TYPICAL_BONES, stature
from ampose.research.evaluation.provenance import read_table
from tests.benchmarks.scene import recording
from tests.motion.people import Knowing, filmed, stepping
from tests.research.packs import walking, write_data

CAMERA = Camera.from_fov((1280, 960), 60)


def walker(pitch: float = 12.0, roll: float = -4.0):
    """Somebody who walks, exactly seen, and lifted without error."""
    world, times = stepping()
    joints, _ = filmed(world, pitch=pitch, roll=roll)
    keypoints = CAMERA.project(joints)
    lifter = Knowing(joints)
    seen = Seen.lifted(lifter, keypoints, np.ones(keypoints.shape[:2]), times, CAMERA)
    ends, _ = filmed(np.array([[0, 0, 0], [0, 1.0, 0]]), pitch=pitch, roll=roll)
    truth = place.Truth(joints[:, 0], place.PELVIS, ends[1] - ends[0], 1.5, stature(TYPICAL_BONES))
    return seen, truth, lifter


def test_a_perfect_lifter():
    seen, truth, lifter = walker()
    score = place.score(seen, truth, lifter, truth.stature)
    assert score["tilt_degrees"] < 3
    assert score["pitch_given_tilt_degrees"] < 3
    assert score["level_tilt_degrees"] == pytest.approx(12.6, abs=0.1)
    assert score["root_percent"] < 5
    assert score["floor_cm"] < 20
    assert score["footfalls"] > 8


def test_root_by_hand():
    truth = place.Truth(np.array([[0, 0, 2.0], [0, 0, 4], [0, 0, 5]]), [0], np.zeros(3), 0, 1.7)
    assert place.off(truth.root + np.array([0.1, 0, 0]), truth) == pytest.approx(2.5)
    root = truth.root * 1.1
    root[0] = np.nan
    assert place.off(root, truth) == pytest.approx(10)


def test_naive_root_by_hand():
    """A box of 400 pixels at a focal length of 1000 and 1.7 m is 4.25 m away."""
    camera = Camera.from_focal((1280, 960), 1000)
    keypoints = np.full((1, 17, 2), [640.0, 480])
    keypoints[0, 0], keypoints[0, 1] = (540, 280), (740, 680)
    keypoints[0, 5] = np.nan
    absent = np.full((1, 17, 3), np.nan)
    seen = Seen(keypoints, np.ones((1, 17)), np.zeros(1), camera, absent, absent[:, 0], absent)
    np.testing.assert_allclose(place.naive_root(seen, 1.7), [[0, 0, 4.25]], atol=1e-12)


def test_truth_of_a_take():
    """A camera 2 m above the origin of a world that is y up, tilted by 30 degrees."""
    turn = np.array([[1, 0, 0], [0, -np.cos(0.5), -np.sin(0.5)], [0, np.sin(0.5), -np.cos(0.5)]])
    camera = replace(CAMERA, rotation=turn, translation=-turn @ [0, 2.0, 0])
    world, _ = stepping(1)
    truth = place.truth_of(camera.to_camera(world), camera)
    assert truth.camera_height == pytest.approx(2)
    assert place.between(truth.up, np.array([0, -1, 0])) == pytest.approx(np.degrees(0.5))
    np.testing.assert_allclose(truth.root, camera.to_camera(world[:, 0]))


def test_summary():
    scores = [{"tilt_degrees": t, "sigma_degrees": 2.0, "root_percent": 1.0} for t in (1, 3, 5)]
    found = place.summary(scores)
    assert found["takes"] == "3"
    assert found["tilt_degrees"] == "3.00"
    assert found["tilt_p90_degrees"] == "4.60"
    assert found["within_sigma_percent"] == "33.33"
    assert found["within_two_sigma_percent"] == "66.67"


def test_clips_are_compared_with_the_other_views(monkeypatch):
    monkeypatch.setattr(place, "score", lambda seen, truth, lifter, height: noted(seen, truth))

    def noted(seen, truth):
        # The views' world is z up, and its cameras 4 m from the origin, all at its height.
        away = np.linalg.norm(truth.root, axis=-1)
        assert away == pytest.approx(np.full(len(away), 4), abs=1.0)
        assert truth.camera_height == pytest.approx(0, abs=1e-9)
        lean = np.degrees(np.arctan2(truth.up[0], -truth.up[1]))
        return {"tilt_degrees": lean, "sigma_degrees": 1.0, "fx": seen.camera.focal[0]}

    made = recording()
    lifter = Knowing(np.zeros((9, 17, 3)))
    rows = list(place.rows_of_clips(made, lifter))
    assert len(rows) == 2 * 2 * 5
    known = [row for row in rows if row["focal"] != "unknown" and row["height"] == "known"]
    assert [row["set"] for row in known] == [*real_video.VIEWS, "four clips"]
    assert [float(row["tilt_degrees"]) for row in known[:4]] == pytest.approx([0, 20, -30, 5])


def test_the_table(tmp_path, monkeypatch):
    data = write_data(tmp_path / "packs", **walking((80, 60, 40, 60)))
    out = tmp_path / "out.csv"
    monkeypatch.setattr(sys, "argv", ["place.py", str(data), "-o", str(out)])
    place.main()
    notes, rows = read_table(out, ("set", "clips", "input", "focal", "height", "root_percent"))
    assert len(rows) == 2 * 2 * 2 * 2
    assert {row["clips"] for row in rows} == {"walk", "all"}
    assert {"what", "lifter_sha256", "seed", "commit", "hardware", "day"} <= notes.keys()
