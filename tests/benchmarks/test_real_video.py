"""The real-video benchmark on cameras, points and lifters made here."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import real_video

from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.geometry import random_rotations
from ampose.lifting.network import DEFAULT_WEIGHTS
from ampose.research.evaluation.provenance import read_table
from ampose.skeletons import H36M_17
from tests.benchmarks.scene import FRAMES, ROLLS, WORLD, Answering, camera, recording
from tests.lifting.networks import echo


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


def test_a_bad_calibration_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "Calib.qca.txt"
    with pytest.raises(InputError, match="no Qualisys calibration"):
        real_video.read_calibration(path)
    path.write_text("<calibration>")
    with pytest.raises(InputError, match="no Qualisys calibration"):
        real_video.read_calibration(path)
    path.write_text('<calibration><camera serial="cam01"/></calibration>')
    with pytest.raises(InputError, match="without intrinsics"):
        real_video.read_calibration(path)


@pytest.mark.parametrize("view", real_video.VIEWS)
def test_roll(view: str) -> None:
    assert real_video.roll_degrees(camera(view)) == pytest.approx(ROLLS[view])


class TestScore:
    view = "cam02"

    @pytest.fixture(autouse=True)
    def as_answered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Motion repairs nothing of what the lifter answers, and is not asked about the rest."""
        monkeypatch.setattr(real_video, "in_motion", lambda lifter, *_: lifter.joints)

    def truth(self) -> np.ndarray:
        """(T, 17, 3) what a perfect lifter answers."""
        return camera(self.view).to_camera(WORLD)

    def test_a_perfect_lifter_on_perfect_detections(self) -> None:
        lifter = Answering(0.8 * (self.truth() - 1))  # neither size nor place count
        score = recording().score(self.view, lifter)
        assert score.pop("frames") == FRAMES
        assert score == pytest.approx(dict.fromkeys(score, 0), abs=2e-3)  # float32 answers

    def test_a_turned_answer_is_wrong_but_for_p_mpjpe(self) -> None:
        (turn,) = random_rotations(1, np.random.default_rng(0))
        score = recording().score(self.view, Answering(self.truth() @ turn.T))
        assert score["p_mpjpe_limbs_mm"] == pytest.approx(0, abs=2e-3)
        assert score["bone_scaled_mpjpe_mm"] > 100

    def test_what_is_lifted(self) -> None:
        """The detections, then without the roll, then where the others see the person."""
        made = recording()
        exact = made.keypoints[self.view].copy()
        made.keypoints[self.view] += np.random.default_rng(0).normal(0, 20, exact.shape)
        made.scores[self.view][:] = 0.4
        lifter = Answering(self.truth())
        made.score(self.view, lifter)
        (as_found, scores, one), (upright, same, other), (projected, full, two) = lifter.shown
        assert as_found is made.keypoints[self.view]
        np.testing.assert_allclose(projected, exact, atol=1e-6)
        assert one is two is made.cameras[self.view]
        assert (scores == 0.4).all()
        assert (same == 0.4).all()
        assert (full == 1).all()
        # The same rays, turned about the axis by the camera's roll of 20 degrees.
        before, after = one.rays(as_found)[..., :2], other.rays(upright)[..., :2]
        angle = np.subtract(*(np.arctan2(xy[..., 1], xy[..., 0]) for xy in (after, before)))
        np.testing.assert_allclose(np.degrees(angle) % 360, 360 - ROLLS[self.view])
        lengths = [np.linalg.norm(xy, axis=-1) for xy in (before, after)]
        np.testing.assert_allclose(*lengths)

    def test_each_lift_in_its_own_column(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One wrist off, by more in every answer."""
        answers = []
        for metres in (0.1, 0.4, 0.8):
            answers.append(self.truth())
            answers[-1][:, real_video.LIMBS[2]] += metres
        waiting = iter(answers)
        monkeypatch.setattr(real_video, "lift", lambda *shown: next(waiting))
        score = recording().score(self.view, Answering(self.truth()))
        names = ("limbs", "upright", "2d_projected_from_reference")
        errors = [score[f"p_mpjpe_{name}_mm"] for name in names]
        assert errors[0] < errors[1] < errors[2]

    def test_a_view_that_is_off_moves_the_reference_more_than_it_bends_it(self) -> None:
        made = recording()
        made.keypoints["cam04"] += np.array([20, 0])  # 50 mm at 4 m
        score = made.score(self.view, Answering(self.truth()))
        assert 10 < score["reference_change_one_view_less_mm"] < 50
        assert (
            score["reference_change_aligned_mm"] < score["reference_change_one_view_less_mm"] / 3
        )

    def test_upright_is_as_if_the_camera_had_no_roll(self) -> None:
        made = recording()
        xy, _, pinhole = made.upright(self.view)
        level = replace(pinhole, rotation=camera(self.view).rotation)
        turn = np.radians(-ROLLS[self.view])
        cos, sin = np.cos(turn), np.sin(turn)
        straight = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ level.rotation
        assert straight[0, 2] == pytest.approx(0)  # up is up
        assert straight[1, 2] < 0
        world = replace(level, rotation=straight, translation=np.array([0, 0, 4.0]))
        np.testing.assert_allclose(xy, world.project(world.to_camera(WORLD)), atol=1e-6)

    def test_a_wrong_detector_shows_in_its_own_column_only(self) -> None:
        """Half the joints off by 30 px to the left, half to the right, and all by 200 px down."""
        made = recording()
        places = made.keypoints[self.view]
        side = np.ptp(places[:, real_video.LIMBS], axis=1).max(-1)
        places += np.array([0, 200])
        places[:, real_video.LIMBS[::2], 0] -= 30
        places[:, real_video.LIMBS[1::2], 0] += 30
        score = made.score(self.view, Answering(self.truth()))
        assert score["detections_off_percent"] == pytest.approx(100 * np.mean(30 / side))
        assert score["reference_residual_px"] == pytest.approx(0, abs=1e-6)
        assert score["reference_change_aligned_mm"] == pytest.approx(0, abs=1e-6)

    def test_frames_without_a_limb_are_left_out(self) -> None:
        made = recording()
        wrist = H36M_17.index("left_wrist")
        for other in real_video.others(self.view)[1:]:
            made.scores[other][3, wrist] = 0  # one view left
        lifted = self.truth()
        lifted[5] = np.nan  # not lifted
        compared = made.compare(self.view, Answering(lifted))
        assert compared.frames.tolist() == [0, 1, 2, 4, 6, 7, 8]
        np.testing.assert_allclose(compared.lifted, compared.reference, atol=1e-6)


class TestDepthFlips:
    """One person 3 m ahead whose bones of both arms lean out of the picture plane."""

    def compared(self, lifted: float, reference: float) -> real_video.Comparison:
        """Angles of the left forearm in degrees, away from the camera."""
        poses = []
        for angle in (lifted, reference):
            pose = WORLD[:1] @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]).T
            pose = pose - pose[:, real_video.HIPS].mean(1, keepdims=True) + np.array([0, 0, 3.0])
            elbow, wrist = H36M_17.indices(("left_elbow", "left_wrist"))
            turned = np.array([np.cos(np.radians(angle)), 0, np.sin(np.radians(angle))])
            pose[:, wrist] = pose[:, elbow] + 0.25 * turned
            poses.append(pose)
        return real_video.Comparison(np.arange(1), *poses)

    @pytest.mark.parametrize(
        ("lifted", "reference", "flips"),
        [(20, -20, 1), (-20, 20, 1), (20, 60, 0), (14, -60, 0), (60, -14, 0), (16, -16, 1)],
    )
    def test_by_hand(self, lifted: float, reference: float, flips: int) -> None:
        compared = self.compared(lifted, reference)
        assert compared.depth_flips.sum() == flips
        if flips:
            (bone,) = np.flatnonzero(compared.depth_flips[0])
            assert real_video.LIMB_BONES[bone][1] == H36M_17.index("left_wrist")


class TestLifters:
    def test_all_that_ship_the_default_first(self) -> None:
        found = [real_video.name_of(each) for each in real_video.lifters_from([])]
        assert found[0] == DEFAULT_WEIGHTS.stem
        assert sorted(found) == sorted(p.stem for p in DEFAULT_WEIGHTS.parent.glob("*.onnx"))

    def test_those_named_in_their_order(self, tmp_path: Path) -> None:
        paths = [echo(tmp_path / name) for name in ("b.onnx", "a.onnx")]
        assert [real_video.name_of(each) for each in real_video.lifters_from(paths)] == ["b", "a"]

    def test_one_name_twice_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        paths = [echo(tmp_path / "a.onnx"), echo(tmp_path / "other" / "a.onnx")]
        with pytest.raises(InputError, match="several weights are named a;"):
            real_video.lifters_from(paths)


def test_table_ends_each_lifter_with_its_mean() -> None:
    scores = {
        "one": {"cam01": {"frames": 3, "mm": 1.04}, "cam02": {"frames": 4, "mm": 2.04}},
        "two": {"cam01": {"frames": 3, "mm": 5.0}, "cam02": {"frames": 3, "mm": 7.0}},
    }
    assert real_video.table(scores) == [
        {"lifter": "one", "view": "cam01", "frames": "3", "mm": "1.0"},
        {"lifter": "one", "view": "cam02", "frames": "4", "mm": "2.0"},
        {"lifter": "one", "view": "mean", "frames": "3.5", "mm": "1.5"},
        {"lifter": "two", "view": "cam01", "frames": "3", "mm": "5.0"},
        {"lifter": "two", "view": "cam02", "frames": "3", "mm": "7.0"},
        {"lifter": "two", "view": "mean", "frames": "3", "mm": "6.0"},
    ]


def test_one_detection_serves_all_lifters(tmp_path: Path, monkeypatch) -> None:
    detections = []

    def detected(media: Path) -> real_video.Recording:
        detections.append(media)
        return recording()

    monkeypatch.setattr(real_video.Recording, "detected", detected)
    shutil.copy(DEFAULT_WEIGHTS, tmp_path / "copy.onnx")
    weights = [DEFAULT_WEIGHTS, tmp_path / "copy.onnx"]
    words = [word for path in weights for word in ("--weights", str(path))]
    out = tmp_path / "out.csv"
    monkeypatch.setattr(sys, "argv", ["real_video.py", "clips", *words, "-o", str(out)])
    real_video.main()
    notes, rows = read_table(out, ("lifter", "view", "p_mpjpe_limbs_mm"))
    assert detections == [Path("clips")]
    views = [*real_video.VIEWS, "mean"]
    names = [DEFAULT_WEIGHTS.stem, "copy"]
    assert [(r["lifter"], r["view"]) for r in rows] == [(n, v) for n in names for v in views]
    numbers = [[v for k, v in row.items() if k != "lifter"] for row in rows]
    assert numbers[:5] == numbers[5:]
    digests = {notes[f"sha256 of {name}"] for name in names}
    assert [len(digest) for digest in digests] == [64]
    assert notes["camera roll"] == "cam01 0, cam02 20, cam03 -30, cam04 5 degrees"
    assert {"what", "widths", "ampose", "mapping", "commit", "hardware", "day"} <= notes.keys()
