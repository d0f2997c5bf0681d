from __future__ import annotations

import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import laplace

from ampose.cameras import look_at_person
from ampose.geometry import rotate
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.cost import input_shape
from ampose.research.models.uncertain import (
    LARGEST_METRES,
    Uncertain,
    UncertainConfig,
    misfit,
    negative_log_likelihood,
)
from ampose.research.models.zoo import build
from ampose.research.training.checkpoint import load_weights, save_weights

SMALL = UncertainConfig(AMPoseConfig(depth=1, width=16, channels=3, dropout=0.5), hidden=8)


@pytest.fixture
def model() -> Uncertain:
    torch.manual_seed(0)
    built = build(SMALL)
    assert isinstance(built, Uncertain)
    return built.eval()


@pytest.fixture
def inputs(model: Uncertain) -> torch.Tensor:
    return torch.randn(5, *input_shape(model), generator=torch.Generator().manual_seed(1))


def test_the_pose_is_the_lifters(model: Uncertain, inputs: torch.Tensor) -> None:
    pose, sigma = model(inputs, with_sigma=True)
    assert torch.equal(model(inputs), model.base(inputs))
    assert torch.equal(pose, model.base(inputs))
    assert sigma.shape == pose.shape == (5, 17, 3)


def test_sigma_is_positive_but_for_the_root(model: Uncertain, inputs: torch.Tensor) -> None:
    _, sigma = model(inputs, with_sigma=True)
    assert not sigma[:, 0].any()
    assert (sigma[:, 1:] > 0).all()
    _, far = model(1e6 * inputs, with_sigma=True)
    assert (far <= LARGEST_METRES).all()


def test_sigma_differs_by_pose_joint_and_axis(model: Uncertain, inputs: torch.Tensor) -> None:
    _, sigma = model(inputs, with_sigma=True)
    for axis in range(3):
        assert sigma[:, 1:].std(axis).min() > 0


def test_calibration_scales_each_joint_and_axis(model: Uncertain, inputs: torch.Tensor) -> None:
    _, before = model(inputs, with_sigma=True)
    model.calibration[3, 1] = 2.5
    _, after = model(inputs, with_sigma=True)
    ratio = after[:, 1:] / before[:, 1:]
    expected = torch.ones(17, 3)
    expected[3, 1] = 2.5
    torch.testing.assert_close(ratio, expected[1:].expand(5, -1, -1))


def test_the_lifter_is_frozen_and_stays_in_evaluation(
    model: Uncertain, inputs: torch.Tensor
) -> None:
    before = copy.deepcopy(model.base.state_dict())
    model.train()
    # Its dropout would make two answers differ.
    assert torch.equal(model(inputs), model(inputs))
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    _, sigma = model(inputs, with_sigma=True)
    sigma.sum().backward()
    optimiser.step()
    assert all(torch.equal(before[name], now) for name, now in model.base.state_dict().items())
    assert all(p.grad is not None and p.grad.any() for p in model.sigma.parameters())


def test_weights_survive_a_file(model: Uncertain, inputs: torch.Tensor, tmp_path: Path) -> None:
    model.calibration[5] = 1.5
    save_weights(model, tmp_path / "model.safetensors")
    loaded = load_weights(tmp_path / "model.safetensors")
    assert loaded.config == SMALL
    for one, other in zip(
        loaded(inputs, with_sigma=True), model(inputs, with_sigma=True), strict=True
    ):
        assert torch.equal(one, other)


class TestLikelihood:
    def test_is_that_of_laplace_distributions(self) -> None:
        rng = np.random.default_rng(0)
        pose, target = rng.normal(size=(2, 4, 17, 3))
        sigma = rng.uniform(0.1, 2, (4, 17, 3))
        tensors = (torch.from_numpy(each) for each in (pose, sigma, target))
        error = (pose - pose[:, :1] - target)[:, 1:]
        # SciPy's scale is b, and the standard deviation is sqrt(2) b.
        density = laplace.logpdf(error, scale=sigma[:, 1:] / math.sqrt(2))
        found = negative_log_likelihood(*tensors, root=0)
        np.testing.assert_allclose(found, -density.mean((1, 2)))

    def test_is_least_where_sigma_fits_the_errors(self) -> None:
        error = torch.from_numpy(laplace(scale=0.05).rvs((4000, 2, 3), random_state=0))
        pose, target = torch.zeros_like(error), error.clone()
        target[:, 0] = 0
        candidates = torch.linspace(0.04, 0.1, 61, dtype=torch.float64)
        losses = [
            float(negative_log_likelihood(pose, c.expand_as(pose), target, 0).mean())
            for c in candidates
        ]
        best = float(candidates[int(np.argmin(losses))])
        assert best == pytest.approx(0.05 * math.sqrt(2), abs=0.002)


class TestMisfit:
    """Where a pose is seen, against the keypoints."""

    @staticmethod
    def seen(channels: int, distance: float = 3.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs (6, 17, channels) and poses (6, 17, 3) that belong together."""
        rng = np.random.default_rng(0)
        pose = rng.normal(0, 0.3, (6, 17, 3))
        points = pose + np.array([0.4, -0.2, distance])
        inputs, rotation = look_at_person(points / points[..., 2:], channels=channels)
        turned = rotate(pose - pose[:, :1], rotation)
        return torch.from_numpy(inputs), torch.from_numpy(turned).float()

    def test_a_pose_that_is_seen_exactly_there(self) -> None:
        assert misfit(*self.seen(4)).abs().max() < 5e-3
        # Without the scale perspective is unknown; from far away there is none.
        assert misfit(*self.seen(3)).abs().max() > 0.02
        assert misfit(*self.seen(3, distance=3000.0)).abs().max() < 1e-3

    def test_neither_place_nor_size_count(self) -> None:
        inputs, pose = self.seen(3)
        moved = 0.7 * pose + torch.tensor([0.3, -1.0, 2.0])
        torch.testing.assert_close(misfit(inputs, moved), misfit(inputs, pose))

    def test_without_perspective_is_that_of_least_squares(self) -> None:
        inputs, pose = self.seen(3)
        inputs[:, 4] = 0  # not seen
        others = [joint for joint in range(17) if joint != 4]
        for place, joints, found in zip(inputs, pose, misfit(inputs, pose), strict=True):
            x, y = joints[others, 0].numpy(), joints[others, 1].numpy()
            ones, zeros = np.ones(16), np.zeros(16)
            rows = [np.stack([x, ones, zeros], 1), np.stack([y, zeros, ones], 1)]
            matrix, target = np.concatenate(rows), place[others, :2].T.reshape(-1).numpy()
            answer, *_ = np.linalg.lstsq(matrix, target, rcond=None)
            left = (target - matrix @ answer).reshape(2, 16).T
            np.testing.assert_allclose(found[others].numpy(), left, atol=1e-5)
            assert not found[4].any()

    def test_shows_which_keypoint_is_off(self) -> None:
        inputs, pose = self.seen(4)
        inputs[:, 9, 0] += 0.2
        off = misfit(inputs, pose)
        assert (off.norm(dim=-1).argmax(1) == 9).all()
        assert (off[:, 9, 0] > 0.12).all()

    def test_of_nobody_is_zero(self) -> None:
        pose = torch.zeros(2, 17, 3)
        assert not misfit(torch.zeros(2, 17, 4), pose).any()
        assert not misfit(torch.zeros(2, 17, 3), pose).any()
