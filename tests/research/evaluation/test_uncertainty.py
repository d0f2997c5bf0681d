from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ampose.research.data.open_mocap import load_pack
from ampose.research.evaluation import uncertainty
from ampose.research.evaluation.open_protocol import EvaluationSet, draw_set, network_inputs
from ampose.research.evaluation.uncertainty import (
    ONE,
    TWO,
    coverages,
    fitted_calibration,
    hiding,
    view_of,
)
from ampose.skeletons import H36M_17
from tests.research.packs import poses, write_pack

SPREAD = np.array([0.01, 0.02, 0.08])
"""Of an invented lifter's errors, along its axes, metres."""


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> EvaluationSet:
    positions = np.round(poses(3000, 0) * 1e4).astype(np.int16)
    path = write_pack(
        tmp_path_factory.mktemp("pack") / "big.npz",
        positions=positions,
        clip_start=np.array([0, 1, 2, 3, 3000], np.int32),
        skeleton=np.array(["asf-own"] * 4),
        split=np.array(["train", "train", "train", "test"]),
    )
    return draw_set(load_pack(path), "test", name="big")


def lifter(chosen: EvaluationSet, *, claimed: np.ndarray, seed: int = 0):
    """Knows the truth, adds Gaussian errors of `SPREAD`, and claims another spread.

    Its poses are those of the set in the order in which they come; so it must be shown all.
    """

    def lift(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        error = rng.normal(0, SPREAD, inputs.shape)
        error[:, 0] = 0
        kinds = [
            network_inputs(chosen, pixels, focal="known")
            for (bones, _), pixels in chosen.pixels.items()
            if bones == "template"
        ]
        rotation = next(r for seen, r in kinds if np.array_equal(seen, inputs))
        truth = np.einsum("nij,nkj->nki", rotation, chosen.joints["template"])
        sigma = np.broadcast_to(claimed, inputs.shape).copy()
        sigma[:, 0] = 0
        return truth + error, sigma

    return lift


def test_nominal_coverages_are_those_of_a_gaussian() -> None:
    assert pytest.approx(0.6827, abs=1e-4) == ONE
    assert pytest.approx(0.9545, abs=1e-4) == TWO


def test_a_true_sigma_covers_what_it_says(chosen: EvaluationSet) -> None:
    """Along the lifter's axes; the turn to the camera's makes the axes' errors mix a little."""
    rows = list(coverages(lifter(chosen, claimed=SPREAD), chosen))
    assert {row.input for row in rows} == {"exact", "detector"}
    for row in rows:
        assert row.found == pytest.approx(row.nominal, abs=4 if row.group != "all" else 1)
    curve = [row.found for row in rows if row.group == "all" and row.input == "exact"]
    assert curve == sorted(curve)
    assert len(curve) == len(uncertainty.LEVELS)
    groups = {row.group for row in rows}
    assert len([g for g in groups if g.startswith("joint ")]) == 16
    assert {"axis x", "axis y", "axis z", "view front", "view side", "view back"} <= groups
    assert "joint pelvis" not in groups


def test_a_sigma_of_half_the_size_covers_less(chosen: EvaluationSet) -> None:
    one = [
        row
        for row in coverages(lifter(chosen, claimed=SPREAD / 2), chosen)
        if row.group == "all" and row.nominal == 100 * TWO
    ]
    assert [row.found for row in one] == pytest.approx([68.3, 68.3], abs=1)


def test_calibration_finds_the_factor_of_each_axis(chosen: EvaluationSet) -> None:
    factors = np.array([0.5, 1.0, 3.0])
    found = fitted_calibration(lifter(chosen, claimed=SPREAD / factors), chosen)
    np.testing.assert_array_equal(found[0], 1)
    assert np.abs(found[1:] / factors - 1).max() < 0.08
    assert np.abs(found[1:].mean(0) / factors - 1).max() < 0.02


def test_hiding_a_joint_is_seen_joint_by_joint(chosen: EvaluationSet) -> None:
    """A lifter that is three times as unsure of what it does not see."""

    def lift(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sigma = np.where(inputs[..., 2:] > 0, 0.01, 0.03) * np.ones(3)
        return np.zeros_like(inputs), sigma

    rows = list(hiding(lift, chosen))
    assert [row.joint for row in rows] == list(H36M_17.joints[1:])
    for row in rows:
        # Turning a sphere leaves it a sphere.
        assert row.seen == pytest.approx(10 * 3**0.5, rel=1e-3)
        assert row.hidden == pytest.approx(30 * 3**0.5, rel=1e-3)
        assert row.grows == 100


@pytest.mark.parametrize(
    ("turn", "view"), [(0, "front"), (30, "front"), (60, "side"), (-90, "side"), (180, "back")]
)
def test_views(turn: float, view: str) -> None:
    """A person facing the camera, whose left is at the right of the picture, turned about y."""
    joints = np.zeros((1, 17, 3))
    for name, place in {
        "left_hip": [0.1, 0, 0],
        "right_hip": [-0.1, 0, 0],
        "thorax": [0, -0.5, 0.0],
    }.items():
        joints[0, H36M_17.joints.index(name)] = place
    rotation = Rotation.from_euler("y", turn, degrees=True)
    turned = rotation.apply(joints[0])[None]
    assert view_of(turned).tolist() == [view]


def test_rows_are_rounded() -> None:
    row = uncertainty.Coverage("s", "exact", "all", 68.268, 70.04).row()
    assert row == {"set": "s", "input": "exact", "group": "all", "nominal": 68.3, "found": 70.0}
    hidden = uncertainty.Hiding("s", "left_knee", 40.04, 99.96, 98.56).row()
    values = {"seen": 40.0, "hidden": 100.0, "grows": 98.6}
    assert hidden == {"set": "s", "joint": "left_knee", **values}
