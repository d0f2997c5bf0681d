from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ampose.metrics import mpjpe
from ampose.research.data.batches import Batch
from ampose.research.recipes import Recipe
from ampose.research.training.losses import pose_losses
from ampose.skeletons import H36M_17
from tests.research.training.runs import REFINED, tiny


class Answers(nn.Module):
    """Gives what it is told to and remembers what it was asked."""

    def __init__(self, answer: np.ndarray) -> None:
        super().__init__()
        self.answer = torch.from_numpy(answer)
        self.asked: tuple[torch.Tensor, ...] = ()

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        self.asked = inputs
        return self.answer


def batch(targets: np.ndarray, *, oracle: bool = False) -> Batch:
    rng = np.random.default_rng(0)
    count, joints, _ = targets.shape
    return Batch(
        rng.normal(size=(count, 1, joints, 2)).astype(np.float32),
        targets,
        rng.normal(size=(count, joints, 2)).astype(np.float32) if oracle else None,
        rng.normal(size=count).astype(np.float32) if oracle else None,
    )


def losses(recipe: Recipe, answer: np.ndarray, some: Batch) -> list[float]:
    out = pose_losses(recipe, Answers(answer), some, "cpu")
    assert out.dtype == torch.float32
    return out.tolist()


class TestByHand:
    """Two poses of two joints, off by (3, 4, 0) and (0, 0, 1), and by (0, 0, 0) and (1, 2, 2)."""

    targets = np.array([[[1, 1, 1], [0, 0, 0]], [[5, 0, 0], [0, 2, 0]]], np.float32)
    answer = targets + np.array([[[3, 4, 0], [0, 0, 1]], [[0, 0, 0], [1, 2, 2]]], np.float32)

    def test_mpjpe_is_the_mean_distance(self) -> None:
        found = losses(tiny(loss="mpjpe"), self.answer, batch(self.targets))
        assert found == [(5 + 1) / 2, (0 + 3) / 2]

    def test_mse_is_equation_3_10(self) -> None:
        """Squared distances, mean over joints: not over coordinates, a third of it."""
        found = losses(tiny(loss="mse"), self.answer, batch(self.targets))
        assert found == [(25 + 1) / 2, (0 + 9) / 2]

    @pytest.mark.parametrize("loss", ["mpjpe", "mse"])
    def test_the_network_is_asked_with_the_keypoints_only(self, loss: str) -> None:
        some, model = batch(self.targets, oracle=True), Answers(self.answer)
        pose_losses(tiny(loss=loss), model, some, "cpu")
        (asked,) = model.asked
        np.testing.assert_array_equal(asked, some.inputs)


def test_mpjpe_is_the_metric() -> None:
    rng = np.random.default_rng(0)
    answer, targets = rng.normal(size=(2, 5, 17, 3)).astype(np.float32)
    found = losses(tiny(loss="mpjpe"), answer, batch(targets))
    assert 1000 * np.mean(found) == pytest.approx(mpjpe(answer, targets), rel=1e-6)


class TestRefined:
    """Distance of the base's pose, and of the refined one, and a hundredth of its asymmetry."""

    targets = np.zeros((2, 17, 3), np.float32)

    def found(self, base: np.ndarray, refined: np.ndarray) -> list[float]:
        answer = np.stack([base, refined]).astype(np.float32)
        return losses(REFINED, answer, batch(self.targets, oracle=True))

    def test_both_poses_count_the_same(self) -> None:
        base = self.targets + np.array([[[0, 3, 4]], [[1, 0, 0]]])
        refined = self.targets + np.array([[[0, 0, 2]], [[6, 6, 7]]])  # no bones: one place
        assert self.found(base, refined) == pytest.approx([5 + 2, 1 + 11])

    def test_only_the_refined_poses_asymmetry_counts(self) -> None:
        one_long_arm = self.targets.copy()
        one_long_arm[:, H36M_17.index("left_wrist"), 1] = 0.5
        # One joint of 17 is off by half a metre; one bone of six pairs is half a metre longer.
        distance, asymmetry = 0.5 / 17, 0.5 / 6
        assert self.found(one_long_arm, self.targets) == pytest.approx([distance] * 2)
        assert self.found(self.targets, one_long_arm) == pytest.approx(
            [distance + 0.01 * asymmetry] * 2
        )

    def test_the_network_is_given_the_oracle(self) -> None:
        some = batch(self.targets, oracle=True)
        model = Answers(np.zeros((2, 2, 17, 3), np.float32))
        pose_losses(REFINED, model, some, "cpu")
        for asked, given in zip(
            model.asked, (some.inputs, some.rays, some.root_depth), strict=True
        ):
            np.testing.assert_array_equal(asked, given)


def test_half_precision_answers_are_compared_in_float32() -> None:
    answer = np.zeros((2, 1, 17, 3), np.float32)
    answer[1, 0, H36M_17.index("left_wrist"), 1] = 0.5
    model = Answers(answer)
    model.answer = model.answer.bfloat16()  # without a loss: 0 and 0.5
    (found,) = pose_losses(REFINED, model, batch(answer[0], oracle=True), "cpu")
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(0.5 / 17 + 0.01 * 0.5 / 6, rel=1e-6)


def test_an_empty_share_has_no_losses() -> None:
    """Of a batch that is smaller than the number of processes."""
    empty = np.zeros((0, 17, 3), np.float32)
    assert losses(tiny(), empty, batch(empty)) == []
    both = np.zeros((2, 0, 17, 3), np.float32)
    assert losses(REFINED, both, batch(empty, oracle=True)) == []
