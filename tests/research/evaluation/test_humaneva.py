from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ampose.research.data.humaneva import ACTIONS, load_humaneva
from ampose.research.data.pose_set import PoseSet
from ampose.research.evaluation.humaneva import Score, score
from tests.research.humaneva_files import frames_of, write_humaneva

RIGHT = np.array([1, 0, 0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_humaneva(tmp_path_factory.mktemp("humaneva"))


@pytest.fixture(scope="module")
def poses(folder: Path) -> PoseSet:
    return load_humaneva(folder, part="test")


def cell(table: list[Score], action: str, subject: str) -> Score:
    (found,) = [row for row in table if (row.action, row.subject) == (action, subject)]
    return found


def moved(poses: PoseSet, millimetres: dict[tuple[str, str], float]) -> np.ndarray:
    """The true poses, moved to the right by an amount per take and subject, all joints alike."""
    per_clip = [
        millimetres[str(subject), str(take)]
        for subject, take in zip(poses.subjects, poses.actions, strict=True)
    ]
    distance = np.repeat(per_clip, np.diff(poses.starts)) / 1000
    return poses.targets.astype(float) + distance[:, None, None] * RIGHT


def test_order_of_the_table(poses: PoseSet) -> None:
    table = score(poses.targets, poses)
    assert [(row.action, row.subject) for row in table] == [
        (action, subject)
        for action in ("Walking", "Jog", "Box", "average")
        for subject in ("S1", "S2", "S3", "average")
    ]
    assert all(row.mpjpe == 0 and row.p_mpjpe == pytest.approx(0, abs=1e-9) for row in table)


def test_takes_weigh_by_frames_and_cells_alike(poses: PoseSet) -> None:
    amounts = {
        (subject, take): 10.0 * place + int(subject[1])
        for subject in ("S1", "S2", "S3")
        for place, take in enumerate(dict.fromkeys(map(str, poses.actions)), 1)
    }
    table = score(moved(poses, amounts), poses)
    for subject in ("S1", "S2", "S3"):
        first, second = (frames_of("Validate", subject, "Walking", chunk) for chunk in (0, 2))
        own = int(subject[1])
        walking = cell(table, "Walking", subject)
        assert walking.frames == 3 * (first + second)
        assert walking.mpjpe == pytest.approx(
            ((10 + own) * first + (20 + own) * second) / (first + second), abs=1e-4
        )
        assert cell(table, "Jog", subject).mpjpe == pytest.approx(30 + own, abs=1e-4)
        assert cell(table, "Box", subject).mpjpe == pytest.approx(40 + own, abs=1e-4)
        assert cell(table, "average", subject).mpjpe == pytest.approx(
            (walking.mpjpe + 70 + 2 * own) / 3, abs=1e-4
        )
    assert cell(table, "Jog", "average").mpjpe == pytest.approx(32, abs=1e-4)
    cells = [row.mpjpe for row in table if "average" not in (row.action, row.subject)]
    assert cell(table, "average", "average").mpjpe == pytest.approx(np.mean(cells))
    assert cell(table, "average", "average").frames == len(poses)
    # Every frame of a take is moved alike, which an alignment undoes.
    assert all(row.p_mpjpe == pytest.approx(0, abs=1e-6) for row in table)


def test_one_joint_counts_a_fifteenth(poses: PoseSet) -> None:
    predicted = poses.targets.astype(float)
    predicted[:, 10] += 0.03 * RIGHT
    assert cell(score(predicted, poses), "Box", "S2").mpjpe == pytest.approx(2, abs=1e-4)
    # The root is one of the fifteen, and is not moved back to zero.
    predicted = poses.targets.astype(float)
    predicted[:, 0] += 0.03 * RIGHT
    assert cell(score(predicted, poses), "Box", "S2").mpjpe == pytest.approx(2, abs=1e-4)


def test_p_mpjpe_is_scipys(poses: PoseSet) -> None:
    rng = np.random.default_rng(0)
    turn = Rotation.random(len(poses), rng=rng).as_matrix()
    predicted = poses.targets @ np.swapaxes(turn, -1, -2) * rng.uniform(0.5, 2, (len(poses), 1, 1))
    predicted += rng.normal(0, 0.03, predicted.shape)
    expected = np.array(
        [aligned_error(*pair) for pair in zip(predicted, poses.targets, strict=True)]
    )
    table = score(predicted, poses)
    subject = np.repeat(poses.subjects, np.diff(poses.starts))
    action = np.repeat([take.split()[0] for take in poses.actions], np.diff(poses.starts))
    values = []
    for row in table:
        if "average" not in (row.action, row.subject):
            members = (subject == row.subject) & (action == row.action)
            values.append(expected[members].mean())
            assert row.p_mpjpe == pytest.approx(values[-1], rel=1e-6)
            assert row.p_mpjpe < row.mpjpe
    assert len(values) == 9
    assert cell(table, "average", "average").p_mpjpe == pytest.approx(np.mean(values), rel=1e-6)


def aligned_error(predicted: np.ndarray, target: np.ndarray) -> float:
    """Millimetres after SciPy's rotation and the scale that goes with it."""
    x = predicted - predicted.mean(0)
    y = (target - target.mean(0)).astype(float)
    rotation, _ = Rotation.align_vectors(y, x)
    turned = rotation.apply(x)
    scale = (turned * y).sum() / (x * x).sum()
    return float(np.linalg.norm(scale * turned - y, axis=-1).mean() * 1000)


def test_all_five_actions_without_the_damaged_one(folder: Path) -> None:
    poses = load_humaneva(folder, part="train", actions=tuple(reversed(ACTIONS)))
    table = score(poses.targets + 0.001 * RIGHT, poses)
    found = [row.action for row in table if row.subject == "average"]
    assert found == ["Walking", "Jog", "Box", "Gestures", "ThrowCatch", "average"]
    assert [row.subject for row in table if row.action == "ThrowCatch"] == ["S1", "S2", "average"]
    assert cell(table, "average", "average").mpjpe == pytest.approx(1, abs=1e-4)


def test_cells_that_are_not_there_are_left_out(poses: PoseSet) -> None:
    some = poses.only((poses.subjects == "S2") & np.char.startswith(poses.actions, "Jog"))
    table = score(some.targets, some)
    assert [(row.action, row.subject) for row in table] == [
        ("Jog", "S2"),
        ("Jog", "average"),
        ("average", "S2"),
        ("average", "average"),
    ]
    assert {row.frames for row in table} == {len(some)}


def test_frames_that_do_not_count(poses: PoseSet) -> None:
    scored = np.ones(len(poses), bool)
    scored[: poses.starts[1]] = False  # the first take of S1 Walking as C1 sees it
    predicted = poses.targets + 0.001 * RIGHT
    predicted[~scored] += 1
    table = score(predicted, replace(poses, scored=scored))
    assert cell(table, "Walking", "S1").mpjpe == pytest.approx(1, abs=1e-3)
    assert cell(table, "Walking", "S1").frames == poses.starts[6] - poses.starts[1]
    none = replace(poses, scored=np.zeros(len(poses), bool))
    assert score(predicted, none) == []


def test_wrong_predictions(poses: PoseSet) -> None:
    with pytest.raises(ValueError, match="of one shape needed"):
        score(poses.targets[:-1], poses)
    with pytest.raises(ValueError, match="must be finite"):
        score(np.full_like(poses.targets, np.nan), poses)


def test_the_generated_takes_differ_in_length(poses: PoseSet) -> None:
    lengths = sorted({int(b - a) for a, b in pairwise(poses.starts)})
    assert len(lengths) == poses.clip_count // 3
