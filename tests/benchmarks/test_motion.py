from __future__ import annotations

import sys
from dataclasses import fields, replace

import motion
import numpy as np
import pytest
import takes

from ampose.errors import InputError
from ampose.motion.cleaning import Repairs
from ampose.poses import PoseSequence
from ampose.research.evaluation.provenance import read_table
from tests.research.packs import walking, write_data


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "packs", **walking((80, 60, 40, 40)))


@pytest.fixture
def take(data):
    return takes.filmed(next(takes.motions("cmu-val", data)), np.random.default_rng(0))


def answer(take, **changes) -> PoseSequence:
    """What is right about a take."""
    frames, joints = len(take.joints), take.joints[:, None].astype(np.float32)
    given = {
        "joints": joints - joints[:, :, :1],
        "root": joints[:, :, 0],
        "sigma": np.full((frames, 1, 17, 3), 0.03),
        "keypoints": take.keypoints[:, None],
        "scores": np.ones((frames, 1, 17)),
        "valid": np.ones((frames, 1, 17), bool),
        "ids": np.zeros(1, int),
        "times": take.motion.times,
        "cameras": (take.camera,),
        "world_frame": {"estimated": True},
    }
    return PoseSequence(**given | changes)


def test_a_right_answer_has_no_error(take):
    score = motion.score(take, answer(take))
    assert score.pop("acceleration_mm_per_s2") < 1  # float32
    assert [score.pop(f"within_{count}_sigma_percent") for count in (1, 2)] == [100, 100]
    assert score == pytest.approx(dict.fromkeys(score, 0), abs=0.03)  # the pack is rounded


def test_errors_by_hand(take):
    right = answer(take)
    assert motion.score(take, replace(right, root=right.root * 1.1))["root_percent"] == (
        pytest.approx(10, abs=0.01)
    )
    joints = right.joints.copy()
    joints[:, :, 1:, 0] += 0.05  # of three axes one, by more than one sigma and less than two
    beside = motion.score(take, replace(right, joints=joints))
    assert beside["within_1_sigma_percent"] == pytest.approx(200 / 3)
    assert beside["within_2_sigma_percent"] == 100
    unknown = motion.score(take, replace(right, sigma=np.full_like(right.sigma, np.nan)))
    assert np.isnan(unknown["within_1_sigma_percent"])
    level = replace(take.camera, rotation=np.diag([1.0, -1, -1]))
    tilted = motion.score(take, replace(right, cameras=(level,)))["tilt_degrees"]
    assert np.cos(np.radians(tilted)) == pytest.approx(-take.camera.rotation[1, 1])
    assert np.isnan(motion.score(take, replace(right, world_frame={}))["tilt_degrees"])


def test_every_step_is_left_out_once():
    steps = {field.name for field in fields(Repairs) if field.type == "bool"}
    left_out = [
        {step for step in steps if not getattr(chain, step)} for chain in motion.CHAINS.values()
    ]
    assert set.union(*left_out) == steps


def test_summary_leaves_out_what_is_not_known():
    rows = [
        {"mpjpe_mm": value, "tilt_degrees": tilt} for value, tilt in ((1, 2), (2, 3), (6, np.nan))
    ]
    assert motion.summary(rows) == {"mpjpe_mm": "3.00", "tilt_degrees": "2.50"}
    assert motion.summary([{"tilt_degrees": np.nan}]) == {"tilt_degrees": ""}


def test_the_table(data, tmp_path, monkeypatch):
    monkeypatch.setattr(motion, "CHAINS", {"all steps": Repairs(), "none": Repairs.none()})
    out = tmp_path / "out.csv"
    monkeypatch.setattr(sys, "argv", ["motion.py", str(data), "-o", str(out)])
    motion.main()
    notes, rows = read_table(out, ("set", "input", "chain", "takes", "mpjpe_mm"))
    assert [(row["input"], row["chain"]) for row in rows] == [
        (kind, chain) for kind in ("exact", "detector") for chain in ("all steps", "none")
    ]
    assert {row["tilt_degrees"] != "" for row in rows if row["chain"] == "all steps"} == {True}
    assert {row["tilt_degrees"] for row in rows if row["chain"] == "none"} == {""}
    assert {"lifter_sha256", "seed", "commit"} <= notes.keys()


def test_a_folder_without_packs_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["motion.py", str(tmp_path)])
    with pytest.raises(InputError, match="no such file"):
        motion.main()
