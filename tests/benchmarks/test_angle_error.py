"""The angle benchmark with lifters that are right, or wrong in a known way."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import angle_error
import numpy as np
import pytest

from ampose.analysis import ANGLES
from ampose.analysis.error_bars import FACTORS
from ampose.analysis.views import BADGES
from ampose.errors import InputError
from ampose.geometry import rotate, rotation_about
from ampose.research.evaluation.open_protocol import EvaluationSet, load_set
from ampose.research.evaluation.provenance import read_table
from tests.lifting.networks import echo
from tests.research.packs import write_data

NETWORK = SimpleNamespace(name="made-up", sha256="0", run=None, channels=3)


@pytest.fixture
def chosen(tmp_path: Path) -> EvaluationSet:
    return load_set("cmu-val", write_data(tmp_path / "data"))


def answered(monkeypatch, chosen, answer, sigma=np.nan):
    """Rows where the lifter answers what `answer` makes of the true pose (N, 17, 3)."""

    def lifted(lift, given, pixels, *, channels):
        assert (lift, given, channels) == (NETWORK.run, chosen, NETWORK.channels)
        (bones,) = [b for (b, _), shown in chosen.pixels.items() if shown is pixels]
        pose = answer(chosen.joints[bones])
        return pose, np.broadcast_to(sigma, pose.shape)

    monkeypatch.setattr(angle_error, "lifted", lifted)
    return list(angle_error.rows_of(NETWORK, chosen))


def test_up_is_the_pack_s(chosen):
    """Upright people: the trunk leans as far as its bones were shaken, whatever the camera."""
    up = angle_error.true_gravity(chosen).up
    assert up.shape == (len(chosen.focal), 3)
    trunk = chosen.joints["native"][:, 8] - chosen.joints["native"][:, 0]
    packed = chosen.scene.pack.positions[chosen.scene.frames]
    np.testing.assert_allclose((trunk * up).sum(-1), packed[:, 8, 2] - packed[:, 0, 2], atol=1e-6)


def test_views_are_those_of_the_cameras(chosen):
    """Of a person whose hips lie across the optical axis, the hips' depth is one."""
    views = angle_error.views_of(chosen, "template")
    assert set(views) <= set(BADGES)
    hips = chosen.joints["template"][:, 4] - chosen.joints["template"][:, 1]
    ray = chosen.scene.root / np.linalg.norm(chosen.scene.root, axis=-1, keepdims=True)
    depth = np.abs((hips * ray).sum(-1)) / np.linalg.norm(hips, axis=-1)
    assert depth[views == "sagittal"].min() > depth[views == "frontal"].max()


def test_factors_are_those_of_the_committed_table():
    """With them in the bars, none of them has to be any other."""
    path = Path(__file__).parents[2] / "results" / "angle_error.csv"
    _, rows = read_table(path, ("set", "input", "view", "angle", "factor"))
    told = {}
    for row in rows:
        if (row["set"], row["input"], row["view"]) == ("cmu-val", "detector", "all"):
            told[row["angle"]] = max(told.get(row["angle"], 0), float(row["factor"]))
    assert told.keys() == ANGLES.keys()
    for angle, factor in told.items():
        assert factor < 1.005
        if angle in FACTORS:
            assert factor > 0.99


def test_a_right_answer_has_no_error(monkeypatch, chosen):
    rows = answered(monkeypatch, chosen, lambda joints: joints, sigma=0.01)
    assert len(rows) == 2 * 2 * len(ANGLES) * (1 + len(BADGES))
    for row in rows:
        if row["count"]:
            assert (row["mae"], row["p90"], row["within_1"]) == ("0.0", "0.0", "100.0")
            assert row["bias"].lstrip("-") == "0.0"


def test_an_answer_that_is_turned(monkeypatch, chosen):
    """By ten degrees about the vertical: only what is told from the camera is off, by ten."""
    up = angle_error.true_gravity(chosen).up
    back = chosen.scene.turn @ rotation_about(2, np.radians(10)) @ chosen.scene.turn.swapaxes(1, 2)
    np.testing.assert_allclose(rotate(up[:, None], back)[:, 0], up, atol=1e-12)
    for row in answered(monkeypatch, chosen, lambda joints: rotate(joints, back), sigma=1e-3):
        if row["count"]:
            off = "10.0" if ANGLES[row["angle"]].towards_camera else "0.0"
            assert row["mae"] == row["p90"] == row["bias"].lstrip("-") == off
            assert row["within_2"] == ("0.0" if off == "10.0" else "100.0")


def test_views_add_up_and_sides_count_together(monkeypatch, chosen):
    rows = answered(monkeypatch, chosen, lambda joints: joints)
    assert {row["within_1"] for row in rows} == {""}
    for angle in ANGLES.values():
        part = {
            row["view"]: int(row["count"] or 0)
            for row in rows
            if (row["angle"], row["bones"], row["input"]) == (angle.name, "native", "exact")
        }
        whole = part.pop("all")
        assert whole == sum(part.values())
        if angle.meant is None:
            assert whole == len(chosen.focal) * (2 if angle.has_sides else 1)


def test_scores_by_hand():
    errors = np.array([[1.0, -3], [np.nan, 6], [0, 0]])
    bars = np.array([[2.0, 2], [np.nan, 2], [1, 1]])
    assert angle_error.score(errors, bars) == {
        "count": "5",
        "mae": "2.0",
        "bias": "0.8",
        "p90": "4.8",
        "within_1": "60.0",
        "within_2": "80.0",
        "factor": "1.500",  # four of five within 1.5 bars, all within three
    }
    assert angle_error.score(errors, 0 * bars)["factor"] == "inf"
    unsure = angle_error.score(errors, np.full((3, 2), np.nan))
    assert unsure["within_1"] == unsure["factor"] == ""
    assert set(angle_error.score(errors[:0], bars[:0]).values()) == {""}


@pytest.fixture
def run(tmp_path, monkeypatch):
    write_data(tmp_path / "data")
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["angle_error.py", *map(str, words)])
        angle_error.main()

    return command


def test_the_table(run, capsys):
    sure = echo(Path("sure.onnx"), outputs=("joints", "sigma"))
    plain = echo(Path("plain.onnx"))
    run("data", "--weights", sure, "--weights", plain, "-o", "out.csv")
    notes, rows = read_table(Path("out.csv"), (*angle_error.ADDED, "mae", "within_2"))
    assert len(rows) == 2 * 2 * 2 * len(ANGLES) * 4
    assert {"sha256 of sure", "sha256 of plain", "protocol", "commit", "hardware"} <= notes.keys()
    told = {row["lifter"]: row["within_1"] for row in rows if row["count"]}
    assert (bool(told["sure"]), bool(told["plain"])) == (True, False)
    assert {row["set"] for row in rows} == {"cmu-val"}
    assert len(capsys.readouterr().out.splitlines()) == 2 * 2 * len(ANGLES)
    assert not Path("results").exists()


def test_looks_at_test_sets_are_logged(run):
    weights = echo(Path("plain.onnx"))
    words = ("--weights", weights, "-o", "out.csv", "--log", "log.csv")
    run("data", "--sets", "cmu-val", "hdm05", *words)
    assert Path("log.csv").read_text().count(",plain,") == 8
    assert {row["set"] for row in read_table(Path("out.csv"), ("set",))[1]} == {"cmu-val", "hdm05"}


def test_what_cannot_be_scored(run):
    with pytest.raises((InputError, angle_error.PackError), match="no such file"):
        run("nowhere")
    with pytest.raises(SystemExit):
        run("data", "--sets", "coco")
    with pytest.raises(InputError, match="several weights are named plain"):
        run("data", "--weights", "a/plain.onnx", "--weights", "b/plain.onnx")


def test_invented_people_have_every_angle(monkeypatch, chosen):
    rows = answered(monkeypatch, chosen, lambda joints: joints)
    assert {row["angle"] for row in rows if row["count"]} == set(ANGLES)
