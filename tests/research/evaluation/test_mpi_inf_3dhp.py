"""Scores against errors set by hand and against the official tool's arithmetic, written anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampose.errors import InputError
from ampose.research.data.mpi_inf_3dhp import load_mpi_inf_3dhp
from ampose.research.data.pose_set import PoseSet
from ampose.research.evaluation.mpi_inf_3dhp import (
    CONVENTIONS,
    SceneScore,
    frame_weighted,
    score_mpi_inf_3dhp,
)
from tests.research import mpi_inf_3dhp_files as files

SCENES = {"GS": ("TS1", "TS2"), "noGS": ("TS3", "TS4"), "outdoor": ("TS5", "TS6")}
FRAMES = {name: sum(valid) for name, valid in files.TEST.items()}
PELVIS, SPINE, HEAD = 14, 15, 16

# The groups of mpii_get_pck_auc_joint_groups.m, counted from 0.
GROUPS = [[0], [1], [2, 5], [3, 6], [4, 7], [8, 11], [9, 12], [10, 13]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files.write_npz_test(tmp_path_factory.mktemp("data")).parent


@pytest.fixture(scope="module")
def chosen(folder: Path) -> PoseSet:
    return load_mpi_inf_3dhp(folder, part="test")


def off_by(chosen: PoseSet, millimetres: np.ndarray | float, seed: int = 0) -> np.ndarray:
    """Predictions that miss by (N, J) millimetres in random directions; the pelvis stays."""
    direction = np.random.default_rng(seed).standard_normal(chosen.targets.shape)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    miss = np.broadcast_to(millimetres, chosen.targets.shape[:2]).copy()
    miss[:, chosen.joints.root] = 0
    return chosen.targets + direction * miss[..., None] / 1000


def by_group(rows: list[SceneScore]) -> dict[str, SceneScore]:
    assert len({row.group for row in rows}) == len(rows)
    return {row.group: row for row in rows}


def random_misses(chosen: PoseSet, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 300, chosen.targets.shape[:2])


def official_tool(errors: np.ndarray) -> tuple[float, float, float]:
    """PCK, AUC and MPJPE of errors (F, 17), by groups that are weighted by their joints."""
    curve, at_150, joints = np.zeros(31), 0.0, 0
    for group in GROUPS:
        selected = errors[:, group]
        size = len(group) * len(errors)
        curve += [len(group) * (selected < t).sum() / size for t in range(0, 151, 5)]
        at_150 += len(group) * (selected < 150).sum() / size
        joints += len(group)
    mpjpe = errors.mean(0).mean()
    return 100 * at_150 / joints, 100 * curve.sum() / 31 / joints, float(mpjpe)


class TestOfficial:
    @pytest.mark.parametrize("seed", [1, 2])
    def test_is_the_tools(self, chosen: PoseSet, seed: int) -> None:
        predicted = off_by(chosen, random_misses(chosen, seed))
        errors = np.linalg.norm(predicted - chosen.targets, axis=-1) * 1000
        rows = by_group(score_mpi_inf_3dhp(predicted, chosen))
        assert list(rows) == [*files.TEST, *SCENES, "all"]
        names = chosen.per_frame(chosen.subjects)
        groups = {name: [name] for name in files.TEST} | SCENES | {"all": list(files.TEST)}
        for group, sequences in groups.items():
            counted = errors[np.isin(names, sequences) & chosen.scored]
            assert rows[group].frames == len(counted)
            found = (rows[group].pck, rows[group].auc, rows[group].mpjpe)
            assert found == pytest.approx(official_tool(counted), abs=1e-9)

    @pytest.mark.parametrize("name", ["p-stmo", "thesis-scenes"])
    def test_has_other_names(self, chosen: PoseSet, name: str) -> None:
        predicted = off_by(chosen, random_misses(chosen, 3))
        assert score_mpi_inf_3dhp(predicted, chosen, name) == score_mpi_inf_3dhp(predicted, chosen)

    def test_fourteen_joints_count(self, chosen: PoseSet) -> None:
        """Each joint alone goes astray: 1 in 14 of the joints, or none."""
        for joint in range(17):
            if joint == PELVIS:
                continue
            misses = np.zeros(chosen.targets.shape[:2])
            misses[:, joint] = 1700
            rows = by_group(score_mpi_inf_3dhp(off_by(chosen, misses), chosen))
            counts = joint not in (SPINE, HEAD)
            assert rows["all"].pck == pytest.approx(100 * 13 / 14 if counts else 100)
            assert rows["all"].mpjpe == pytest.approx(100)

    def test_the_pelvis_dilutes_mpjpe(self, chosen: PoseSet) -> None:
        rows = score_mpi_inf_3dhp(off_by(chosen, 86), chosen)
        for row in rows:
            assert row.mpjpe == pytest.approx(86 * 16 / 17)
            assert row.pck == 100
            assert row.auc == pytest.approx(100 * 13 / 31)  # 90, 95 .. 150

    @pytest.mark.parametrize(
        ("millimetres", "pck", "above"), [(149.99, 100, 1), (150.01, 0, 0), (0, 100, 30)]
    )
    def test_thresholds(self, chosen: PoseSet, millimetres: float, pck: float, above: int) -> None:
        row = score_mpi_inf_3dhp(off_by(chosen, millimetres), chosen)[-1]
        assert row.pck == pck
        assert row.auc == pytest.approx(100 * above / 31)

    def test_strictly_less(self, chosen: PoseSet) -> None:
        """Zeros and ones of 1/8 m are exact in binary: a miss of 125 mm is not below 125."""
        still = replace(chosen, targets=np.zeros_like(chosen.targets))
        predicted = np.zeros(still.targets.shape)
        predicted[:, :PELVIS, 0] = predicted[:, PELVIS + 1 :, 0] = 0.125
        row = score_mpi_inf_3dhp(predicted, still)[-1]
        assert row.auc == pytest.approx(100 * 5 / 31)  # 130 .. 150

    def test_only_scored_frames_count(self, chosen: PoseSet) -> None:
        misses = random_misses(chosen, 4)
        wild = np.where(chosen.scored[:, None], misses, 5000)
        predicted = off_by(chosen, wild)
        predicted[~chosen.scored] = np.nan
        rows = score_mpi_inf_3dhp(predicted, chosen)
        assert rows == score_mpi_inf_3dhp(off_by(chosen, misses), chosen)
        counts = {row.group: row.frames for row in rows}
        assert counts == FRAMES | {"GS": 8, "noGS": 6, "outdoor": 3, "all": 17}


class TestOthers:
    def test_d3dp_takes_sequences_alike(self, chosen: PoseSet) -> None:
        predicted = off_by(chosen, random_misses(chosen, 5))
        official = by_group(score_mpi_inf_3dhp(predicted, chosen))
        rows = by_group(score_mpi_inf_3dhp(predicted, chosen, "d3dp"))
        for name in files.TEST:
            assert rows[name] == official[name]
        for group, names in (SCENES | {"all": tuple(files.TEST)}).items():
            for key in ("pck", "auc", "mpjpe"):
                plain = np.mean([getattr(rows[name], key) for name in names])
                assert getattr(rows[group], key) == pytest.approx(plain)
        assert rows["all"].frames == 17
        assert rows["all"].mpjpe != pytest.approx(official["all"].mpjpe, abs=0.1)

    def test_graphmlp_by_hand(self, chosen: PoseSet) -> None:
        row = score_mpi_inf_3dhp(off_by(chosen, 100.5), chosen, "graphmlp")[-1]
        # Below each of 101 .. 149; the pelvis below 1 .. 149.
        assert row.auc == pytest.approx(100 * (16 * 49 + 149) / 150 / 17)
        assert row.pck == 100
        assert score_mpi_inf_3dhp(off_by(chosen, 151), chosen, "graphmlp")[
            -1
        ].pck == pytest.approx(100 / 17)

    def test_srnet_by_hand(self, chosen: PoseSet) -> None:
        row = score_mpi_inf_3dhp(off_by(chosen, 101), chosen, "srnet")[-1]
        assert row.auc == pytest.approx(100 * (16 * 10 + 30) / 31 / 17)
        assert row.mpjpe == pytest.approx(101 * 16 / 17)

    @pytest.mark.parametrize("skeleton", ["h36m_16", "h36m_17", "mpi_3dhp_17"])
    def test_poseaug_by_hand(self, folder: Path, skeleton: str) -> None:
        chosen = load_mpi_inf_3dhp(folder, part="test", skeleton=skeleton)
        row = score_mpi_inf_3dhp(off_by(chosen, 160), chosen, "poseaug")[-1]
        assert row.pck == pytest.approx(100 / 16)
        assert row.auc == pytest.approx(100 * 30 / 31 / 16)
        assert row.mpjpe == pytest.approx(160 * 15 / 16)


class TestAcrossJointSets:
    @pytest.mark.parametrize("convention", list(CONVENTIONS))
    def test_the_order_of_joints_does_not_matter(self, folder: Path, convention: str) -> None:
        mpi = load_mpi_inf_3dhp(folder, part="test")
        h36m = load_mpi_inf_3dhp(folder, part="test", skeleton="h36m_17")
        predicted = off_by(mpi, random_misses(mpi, 6))
        to_mpi = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]
        for a, b in zip(
            score_mpi_inf_3dhp(predicted, mpi, convention),
            score_mpi_inf_3dhp(predicted[:, to_mpi], h36m, convention),
            strict=True,
        ):
            assert (a.group, a.frames) == (b.group, b.frames)
            assert (a.pck, a.auc, a.mpjpe) == pytest.approx((b.pck, b.auc, b.mpjpe))

    def test_sixteen_joints_have_the_fourteen(self, folder: Path) -> None:
        mpi = load_mpi_inf_3dhp(folder, part="test")
        h36m = load_mpi_inf_3dhp(folder, part="test", skeleton="h36m_16")
        predicted = off_by(mpi, random_misses(mpi, 7))
        to_mpi = [14, 8, 9, 10, 11, 12, 13, 15, 1, 0, 5, 6, 7, 2, 3, 4]
        rows = score_mpi_inf_3dhp(predicted[:, to_mpi], h36m)
        expected = score_mpi_inf_3dhp(predicted, mpi)
        for row, other in zip(rows, expected, strict=True):
            assert (row.pck, row.auc) == pytest.approx((other.pck, other.auc))
            assert np.isnan(row.mpjpe)

    @pytest.mark.parametrize("convention", ["graphmlp", "srnet"])
    def test_sixteen_joints_do_not_have_seventeen(self, folder: Path, convention: str) -> None:
        h36m = load_mpi_inf_3dhp(folder, part="test", skeleton="h36m_16")
        with pytest.raises(InputError, match=f"{convention} counts head, which h36m_16 does not"):
            score_mpi_inf_3dhp(off_by(h36m, 1), h36m, convention)


class TestRefusals:
    def test_unknown_convention(self, chosen: PoseSet) -> None:
        with pytest.raises(
            InputError, match="unknown convention 'mine'; choose from official, p-"
        ):
            score_mpi_inf_3dhp(off_by(chosen, 1), chosen, "mine")

    def test_shape(self, chosen: PoseSet) -> None:
        with pytest.raises(ValueError, match=r"must be \(23, 17, 3\) .* got \(22, 17, 3\)"):
            score_mpi_inf_3dhp(off_by(chosen, 1)[1:], chosen)

    def test_pelvis(self, chosen: PoseSet) -> None:
        with pytest.raises(ValueError, match="relative to the pelvis"):
            score_mpi_inf_3dhp(chosen.targets + 0.001, chosen)

    def test_not_finite(self, chosen: PoseSet) -> None:
        predicted = off_by(chosen, 1)
        predicted[0, 3] = np.nan
        with pytest.raises(ValueError, match="finite"):
            score_mpi_inf_3dhp(predicted, chosen)

    def test_nothing_scored(self, chosen: PoseSet) -> None:
        empty = replace(chosen, scored=np.zeros(len(chosen), bool))
        with pytest.raises(ValueError, match="no scored frames"):
            score_mpi_inf_3dhp(off_by(chosen, 1), empty)

    def test_the_training_part(self, tmp_path: Path) -> None:
        files.write_npz_train(tmp_path)
        train = load_mpi_inf_3dhp(tmp_path, part="train")
        with pytest.raises(ValueError, match="mpi-inf-3dhp train is not the test part"):
            score_mpi_inf_3dhp(off_by(train, 1), train)


def test_part_of_the_sequences(chosen: PoseSet) -> None:
    outdoors = chosen.only(chosen.actions == "outdoor")
    rows = score_mpi_inf_3dhp(off_by(outdoors, 1), outdoors)
    assert [row.group for row in rows] == ["TS5", "TS6", "outdoor", "all"]
    assert (rows[-1].frames, rows[-1].pck) == (3, 100)


# Table 4.4 of the thesis: PCK of GS, noGS and outdoor, and the printed total.
TABLE_4_4 = {
    "Ci et al.": (74.8, 70.8, 77.3, 74.0),
    "Liu et al.": (77.6, 80.5, 80.1, 79.3),
    "Xu et al.": (81.5, 81.7, 75.2, 80.1),
    "Zou et al.": (86.4, 86.0, 85.7, 86.1),
    "AMPose": (86.1, 87.5, 87.4, 87.0),
}
SCENE_FRAMES = (603 + 540, 505 + 553, 276 + 452)


@pytest.mark.parametrize("row", TABLE_4_4)
def test_totals_of_the_thesis_are_weighted_by_frames(row: str) -> None:
    """Parts and total are rounded to a tenth, so they may differ by twice half of it."""
    assert SCENE_FRAMES == (1143, 1058, 728)
    *parts, total = TABLE_4_4[row]
    assert frame_weighted(parts, SCENE_FRAMES) == pytest.approx(total, abs=0.1)


def test_the_totals_closely() -> None:
    assert frame_weighted(TABLE_4_4["AMPose"][:3], SCENE_FRAMES) == pytest.approx(86.93, abs=5e-3)
    assert np.mean(TABLE_4_4["Xu et al."][:3]) < 79.5  # a plain mean would not give 80.1


def test_one_total_does_not_follow_from_its_parts() -> None:
    """Zhao et al. is printed with 79.0."""
    assert frame_weighted((80.1, 77.9, 74.1), SCENE_FRAMES) == pytest.approx(77.81, abs=5e-3)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 50)), min_size=1, max_size=6))
def test_frame_weighted_is_the_mean_of_all_frames(groups) -> None:
    frames = np.concatenate([np.full(count, value) for value, count in groups])
    values, counts = zip(*groups, strict=True)
    assert frame_weighted(values, counts) == pytest.approx(frames.mean())


def test_conventions_say_what_they_are() -> None:
    assert next(iter(CONVENTIONS)) == "official"
    counts = {name: (len(c.joints), len(c.thresholds)) for name, c in CONVENTIONS.items()}
    assert counts == {
        "official": (14, 31),
        "p-stmo": (14, 31),
        "thesis-scenes": (14, 31),
        "d3dp": (14, 31),
        "graphmlp": (17, 150),
        "poseaug": (16, 31),
        "srnet": (17, 31),
    }
    for name, convention in CONVENTIONS.items():
        assert convention.name == name
        assert convention.description
