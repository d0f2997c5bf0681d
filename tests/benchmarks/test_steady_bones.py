from __future__ import annotations

import sys

import numpy as np
import pytest
import steady_bones
import takes

from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.motion.bones import TYPICAL_BONES, stature
from ampose.research.evaluation.provenance import read_table
from tests.motion.people import CAMERA, RATE, Knowing, moving, other_body
from tests.motion.people import seen as seen_by
from tests.research.packs import walking, write_data

FRAMES = 30


def seen_person(lengths=TYPICAL_BONES):
    truth = moving(FRAMES, lengths)
    keypoints, _, scores = seen_by(truth)
    times = np.arange(FRAMES) / RATE
    turned = Camera.from_fov(CAMERA.size, 60)
    lifter = Knowing(truth)
    return steady_bones.Seen.lifted(lifter, keypoints, scores, times, turned), truth, lifter


def test_a_right_answer_has_no_error():
    seen, truth, _ = seen_person()
    target = truth - truth[:, :1]
    score = steady_bones.score(seen, target, TYPICAL_BONES, target)
    assert score.pop("frames") == FRAMES
    assert score.pop("stature_m") == pytest.approx(stature(TYPICAL_BONES))
    assert score == pytest.approx(dict.fromkeys(score, 0), abs=1e-4)


def test_errors_by_hand():
    seen, truth, _ = seen_person()
    target = truth - truth[:, :1]
    lengths = TYPICAL_BONES.copy()
    score = steady_bones.score(seen, target * 1.1, lengths, target)
    assert score["mpjpe_mm"] == pytest.approx(100 * np.linalg.norm(target, axis=-1).mean())
    assert score["p_mpjpe_mm"] == pytest.approx(0, abs=1e-4)
    lengths[0] *= 1.5
    share = lengths / lengths.sum() * TYPICAL_BONES.sum() / TYPICAL_BONES
    score = steady_bones.score(seen, target, lengths, target)
    assert score["lengths_off_percent"] == pytest.approx(100 * np.abs(share - 1).mean())


def test_rows_of_a_take():
    seen, _, lifter = seen_person(other_body())
    rows = steady_bones.answers(seen, lifter, other_body())
    assert list(rows) == [
        "lifted",
        "median lengths",
        "fitted",
        "fitted, relifted",
        "fitted, true lengths",
    ]
    assert {joints.shape for joints, _ in rows.values()} == {(FRAMES, 17, 3)}
    proportions = rows["fitted, true lengths"][1] / other_body()
    np.testing.assert_allclose(proportions, proportions[0])
    assert len(lifter.cameras) == 3  # once, and twice more for the relifted
    assert all((camera.rotation == np.eye(3)).all() for camera in lifter.cameras)


def test_nobody_is_said():
    seen, _, lifter = seen_person()
    seen.joints[:] = np.nan
    with pytest.raises(ValueError, match="nobody was lifted"):
        seen.body(lifter)


def test_inputs_see_the_same_take(tmp_path):
    data = write_data(tmp_path / "packs", **walking((80, 60, 40, 60)))
    exact, found = (
        next(steady_bones.takes_of("cmu-val", data, "native", kind))
        for kind in ("exact", "detector")
    )
    np.testing.assert_array_equal(exact[0].camera.rotation, found[0].camera.rotation)
    assert isinstance(exact[0], takes.Take)
    assert (exact[2] == 1).all()
    assert np.isnan(found[1]).any()
    np.testing.assert_array_equal(found[2] == 0, np.isnan(found[1]).any(-1))


def test_means_are_by_frames():
    mean = steady_bones.mean_of([{"frames": 1, "mm": 10.0}, {"frames": 3, "mm": 20.0}])
    assert mean == {"takes": "2", "frames": "4", "mm": "17.50"}


def test_the_table(tmp_path, monkeypatch, capsys):
    data = write_data(tmp_path / "packs", **walking((80, 60, 40, 60)))
    out = tmp_path / "out.csv"
    monkeypatch.setattr(sys, "argv", ["steady_bones.py", str(data), "-o", str(out)])
    steady_bones.main()
    notes, rows = read_table(out, ("set", "bones", "input", "answer", "mpjpe_mm"))
    assert len(rows) == 2 * 2 * 5
    assert len(capsys.readouterr().out.splitlines()) == len(rows)
    assert {"what", "lifter_sha256", "seed", "commit", "hardware", "day"} <= notes.keys()
    steady = [row for row in rows if row["answer"] != "lifted"]
    assert {row["bone_variation_percent"] for row in steady} == {"0.00"}


def test_wrong_arguments(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["steady_bones.py", str(tmp_path), "--sets", "coco"])
    with pytest.raises(SystemExit):
        steady_bones.main()
    monkeypatch.setattr(sys, "argv", ["steady_bones.py", str(tmp_path)])
    with pytest.raises(InputError, match="no such file"):
        steady_bones.main()
