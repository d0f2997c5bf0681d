"""The protocol against SciPy, least squares and means by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, astuple, replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ampose.research.data.human36m import TEST_SUBJECTS, load_human36m
from ampose.research.data.pose_set import Clip, PoseSet, join
from ampose.research.evaluation.human36m import (
    AVERAGE,
    CONVENTIONS,
    ActionScore,
    score_human36m,
)
from ampose.skeletons import H36M_16, H36M_17, Skeleton
from tests.research.human36m_files import write_human36m
from tests.research.packs import poses

ACTIONS = (
    *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing"),
    *("Purchases", "Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking"),
    "WalkTogether",
)
ERRORS = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve")


def made_of(
    lengths: dict[str, tuple[int, ...]], skeleton: Skeleton = H36M_17, seed: int = 0
) -> PoseSet:
    """A set of invented poses: action to the lengths of its clips; one frame of what is absent."""
    clips = []
    for k, action in enumerate(ACTIONS):
        for n, length in enumerate(lengths.get(action, (1,))):
            joints = poses(length, seed + 100 * k + n).astype(np.float32)
            if skeleton is H36M_16:
                joints = np.delete(joints, 9, axis=1)
            clips.append(
                Clip(
                    subject="S9" if n % 2 else "S11",
                    action=f"{action} {n}" if n else action,
                    camera="54138969",
                    inputs=joints[..., :2],
                    targets=joints,
                    rays=joints[..., :2],
                    root_depth=joints[:, 0, 2],
                    scored=np.ones(length, bool),
                )
            )
    return join("made", skeleton, clips, official=False)


def guess(chosen: PoseSet, seed: int = 1, noise: float = 0.04) -> np.ndarray:
    """Predictions that are wrong in every way: place, turn, size and noise."""
    rng = np.random.default_rng(seed)
    turn = Rotation.from_rotvec(rng.normal(0, 0.2, (len(chosen), 3))).as_matrix()
    scale = rng.uniform(0.8, 1.2, (len(chosen), 1, 1))
    shift = rng.normal(0, 0.3, (len(chosen), 1, 3))
    out = scale * chosen.targets @ turn.swapaxes(1, 2) + shift
    return (out + rng.normal(0, noise, out.shape)).astype(np.float32)


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean distance of the joints of each frame, millimetres."""
    return 1000 * np.sqrt(((one - other) ** 2).sum(-1)).mean(-1)


def relative(joints: np.ndarray) -> np.ndarray:
    joints = joints.astype(np.float64)
    return joints - joints[:, :1]


def aligned(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Each pose moved onto its target: SciPy's rotation, then scale by least squares."""
    out = []
    for pose, truth in zip(predicted.astype(np.float64), target.astype(np.float64), strict=True):
        x, y = pose - pose.mean(0), truth - truth.mean(0)
        turned = Rotation.align_vectors(y, x)[0].apply(x)
        (factor,), *_ = np.linalg.lstsq(turned.reshape(-1, 1), y.ravel(), rcond=None)
        out.append(factor * turned + truth.mean(0))
    return np.array(out)


def scaled(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Each pose in the size that fits its target best."""
    out = []
    for pose, truth in zip(relative(predicted), target.astype(np.float64), strict=True):
        (factor,), *_ = np.linalg.lstsq(pose.reshape(-1, 1), truth.ravel(), rcond=None)
        out.append(factor * pose)
    return np.array(out)


LENGTHS = {"Walking": (9, 4), "Eating": (3,), "Photo": (2, 1, 6)}


@pytest.fixture(scope="module")
def chosen() -> PoseSet:
    return made_of(LENGTHS)


@pytest.fixture(scope="module")
def scores(chosen: PoseSet) -> dict[str, ActionScore]:
    return {score.action: score for score in score_human36m(guess(chosen), chosen)}


def frames_of(chosen: PoseSet, action: str) -> np.ndarray:
    return np.flatnonzero(chosen.per_frame([take.split()[0] for take in chosen.actions]) == action)


class TestErrors:
    @pytest.mark.parametrize("action", ACTIONS)
    def test_of_every_action(self, chosen: PoseSet, scores, action: str) -> None:
        frames = frames_of(chosen, action)
        predicted, target = guess(chosen)[frames], chosen.targets[frames]
        expected = {
            "mpjpe": distances(relative(predicted), target),
            "p_mpjpe": distances(aligned(predicted, target), target),
            "n_mpjpe": distances(scaled(predicted, target), target),
        }
        for key, values in expected.items():
            assert getattr(scores[action], key) == pytest.approx(values.mean(), rel=1e-6)
        assert len({round(values.mean(), 1) for values in expected.values()}) == 3
        assert scores[action].frames == len(frames) == sum(LENGTHS.get(action, (1,)))

    def test_velocity_within_clips(self, chosen: PoseSet, scores) -> None:
        predicted = relative(guess(chosen))
        for action, lengths in LENGTHS.items():
            clips = [
                clip
                for clip, take in zip(chosen.clips(), chosen.actions, strict=True)
                if take.split()[0] == action
            ]
            assert [clip.stop - clip.start for clip in clips] == list(lengths)
            errors = [
                distances(
                    predicted[k + 1] - predicted[k],
                    chosen.targets[k + 1].astype(float) - chosen.targets[k],
                )
                for clip in clips
                for k in range(clip.start, clip.stop - 1)
            ]
            assert scores[action].mpjve == pytest.approx(np.mean(errors), rel=1e-6)

    def test_no_velocity_where_no_clip_has_two_frames(self, scores) -> None:
        assert np.isnan(scores["Waiting"].mpjve)
        assert np.isnan(scores[AVERAGE].mpjve)

    def test_a_steady_error_has_no_velocity(self) -> None:
        still = made_of(dict.fromkeys(ACTIONS, (3, 2)))
        off = np.random.default_rng(0).normal(0, 0.1, (17, 3)).astype(np.float32)
        for score in score_human36m(still.targets + off, still):
            assert score.mpjve == pytest.approx(0, abs=1e-3)
            assert score.mpjpe > 50

    def test_by_hand(self) -> None:
        """One joint of 17 is 17 mm off, in one of four frames: 17 / 17 / 4 mm."""
        chosen = made_of(dict.fromkeys(ACTIONS, (4,)))
        predicted = chosen.targets.copy()
        predicted[::4, 5, 1] += 0.017
        for score in score_human36m(predicted, chosen):
            assert score.mpjpe == pytest.approx(0.25, rel=1e-3)
            assert score.mpjve == pytest.approx(1 / 3, rel=1e-3)  # one of three differences
            assert score.frames == (60 if score.action == AVERAGE else 4)

    def test_of_the_truth(self, chosen: PoseSet) -> None:
        for score in score_human36m(chosen.targets, chosen):
            assert astuple(score)[2:5] == pytest.approx((0, 0, 0), abs=1e-4)

    def test_16_joints(self) -> None:
        chosen = made_of({}, H36M_16)
        predicted = guess(chosen)
        expected = distances(relative(predicted), chosen.targets)
        found = [score.mpjpe for score in score_human36m(predicted, chosen)]
        np.testing.assert_allclose(found[:15], expected, rtol=1e-6)


class TestAverage:
    def test_every_action_counts_the_same(self, chosen: PoseSet, scores) -> None:
        average = scores[AVERAGE]
        assert average.frames == len(chosen)
        for key in ERRORS[:3]:
            values = [getattr(scores[action], key) for action in ACTIONS]
            assert getattr(average, key) == pytest.approx(sum(values) / 15)
        frames = distances(relative(guess(chosen)), chosen.targets).mean()
        assert abs(average.mpjpe - frames) > 0.5

    def test_of_velocities(self) -> None:
        chosen = made_of({action: (2 + k,) for k, action in enumerate(ACTIONS)})
        scores = score_human36m(guess(chosen), chosen)
        assert scores[-1].mpjve == pytest.approx(np.mean([s.mpjve for s in scores[:-1]]))

    def test_rows(self, scores) -> None:
        assert list(scores) == [*ACTIONS, "average"]
        with pytest.raises(FrozenInstanceError):
            scores["Photo"].mpjpe = 0.0


class TestRoot:
    def test_subtracted_or_set_to_zero(self, chosen: PoseSet) -> None:
        predicted = guess(chosen)
        zeroed = predicted.copy()
        zeroed[:, 0] = 0
        for root, joints in (("subtract", relative(predicted)), ("zero", zeroed)):
            found = score_human36m(predicted, chosen, root=root)
            for score in found[:15]:
                frames = frames_of(chosen, score.action)
                expected = distances(joints[frames], chosen.targets[frames]).mean()
                assert score.mpjpe == pytest.approx(expected, rel=1e-6)
        assert not np.array_equal(predicted, zeroed)  # what was given is left alone

    def test_a_common_shift_is_forgiven_by_one_only(self, chosen: PoseSet) -> None:
        shifted = chosen.targets + np.float32([0.017, 0, 0])
        assert score_human36m(shifted, chosen)[-1].mpjpe == pytest.approx(0, abs=1e-3)
        zeroed = score_human36m(shifted, chosen, root="zero")[-1]
        assert zeroed.mpjpe == pytest.approx(16, rel=1e-4)  # of 16 of 17 joints

    def test_is_said(self) -> None:
        assert CONVENTIONS.keys() == {"subtract", "zero"}
        assert CONVENTIONS["subtract"].startswith(
            "predicted root subtracted; mean over all joints"
        )
        assert CONVENTIONS["zero"].startswith("predicted root set to zero; mean over all joints")
        for text in CONVENTIONS.values():
            assert "unweighted mean of the 15 actions" in text
            assert "\n" not in text


class TestWrong:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda p: p[:-1], r"made: predictions must be \(\d+, 17, 3\), got \(\d+, 17, 3\)"),
            (lambda p: p[:, :16], r"must be \(\d+, 17, 3\), got \(\d+, 16, 3\)"),
            (lambda p: np.where(np.arange(3) == 1, np.nan, p), "finite"),
            (lambda p: p * 0, "no extent|distinct points"),
        ],
    )
    def test_predictions(self, chosen: PoseSet, change: Callable, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            score_human36m(change(guess(chosen)), chosen)

    def test_actions(self, chosen: PoseSet) -> None:
        less = chosen.only(chosen.actions != "Greeting")
        with pytest.raises(ValueError, match=r"15 actions; missing or unknown: Greeting$"):
            score_human36m(less.targets, less)
        other = replace(chosen, actions=np.char.replace(chosen.actions, "WalkDog", "WalkingDog"))
        with pytest.raises(ValueError, match=r"unknown: WalkDog, WalkingDog$"):
            score_human36m(other.targets, other)

    def test_frames_that_do_not_count(self, chosen: PoseSet) -> None:
        scored = chosen.scored.copy()
        scored[3] = False
        with pytest.raises(ValueError, match="counts every frame"):
            score_human36m(chosen.targets, replace(chosen, scored=scored))


def test_what_the_loader_gives(tmp_path) -> None:
    write_human36m(tmp_path, frames=2, subjects=TEST_SUBJECTS, keypoints=["gt"])
    chosen = load_human36m(tmp_path, subjects=TEST_SUBJECTS)
    scores = score_human36m(guess(chosen), chosen)
    assert sum(score.frames for score in scores[:15]) == scores[15].frames == len(chosen)
    assert np.isfinite([astuple(score)[2:] for score in scores]).all()
    walking = frames_of(chosen, "Walking")
    assert scores[13].frames == len(walking)
    assert scores[13].mpjpe == pytest.approx(
        distances(relative(guess(chosen)), chosen.targets)[walking].mean(), rel=1e-6
    )
