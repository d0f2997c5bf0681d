from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ampose.geometry import bone_lengths
from ampose.research.models.ampose import AMPose, AMPoseConfig
from ampose.research.models.cost import cost, count_parameters, input_shape
from ampose.research.models.refiner import Refined, RefinedConfig, bone_asymmetry
from ampose.research.models.zoo import build
from ampose.research.training.checkpoint import load_weights, save_weights
from ampose.skeletons import H36M_17, HUMANEVA_15, MPI_3DHP_17, get_skeleton
from tests.research.training.runs import camera_clips, same

SMALL = RefinedConfig(AMPoseConfig(depth=1, width=16, frames=3), hidden=32)
JOINT_SETS = ["h36m_17", "h36m_16", "mpi_3dhp_17"]


class Says(nn.Module):
    """A base that gives one answer."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, _x: torch.Tensor) -> torch.Tensor:
        return self.answer


def small(skeleton: str = "h36m_17") -> RefinedConfig:
    return replace(SMALL, base=replace(SMALL.base, skeleton=skeleton))


def inputs(model: nn.Module, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Keypoints, rays and root depth of five invented poses."""
    generator = torch.Generator().manual_seed(seed)
    frames, joints, channels = input_shape(model)
    x = torch.randn(5, frames, joints, channels, generator=generator)
    rays = torch.randn(5, joints, 2, generator=generator)
    return x, rays, 4 + torch.rand(5, generator=generator)


def weights_are(model: Refined, weight: torch.Tensor) -> None:
    """Makes the refiner give these weights, (joints, 2), whatever it is shown."""
    with torch.no_grad():
        model.refiner[3].weight.zero_()
        model.refiner[3].bias.copy_(torch.logit(weight).flatten())


class TestParameters:
    @pytest.mark.parametrize(("skeleton", "count"), [("h36m_17", 140_322), ("h36m_16", 132_128)])
    def test_of_the_refiner(self, skeleton: str, count: int) -> None:
        config = RefinedConfig(AMPoseConfig(depth=1, width=16, skeleton=skeleton))
        joints = len(get_skeleton(skeleton))
        # Two poses of three coordinates to 1024, those to x and y of every joint, with biases.
        assert count == (2 * 3 * joints + 1) * 1024 + (1024 + 1) * 2 * joints
        assert count_parameters(Refined(config).refiner) == count

    def test_of_both(self) -> None:
        counted = cost(Refined(RefinedConfig(AMPoseConfig())))
        base = cost(AMPose(AMPoseConfig()))
        assert counted.parameters == base.parameters + 140_322
        assert counted.linear_macs == base.linear_macs  # without the oracle it does not refine

    def test_configuration_answers_for_the_base(self) -> None:
        config = RefinedConfig(AMPoseConfig(frames=9, channels=3, width=32, skeleton="h36m_16"))
        assert input_shape(build(config)) == (9, 16, 3)
        assert config.width == 32

    def test_an_impossible_dropout_is_refused(self) -> None:
        with pytest.raises(ValueError, match="dropout must be at least 0 and below 1"):
            replace(SMALL, dropout=2.0)


class TestRefinement:
    @pytest.mark.parametrize("skeleton", JOINT_SETS[:2])
    def test_right_depth_on_exact_rays_is_the_truth(self, skeleton: str) -> None:
        """Whatever the network says in the image plane, and wherever it puts the root."""
        poses = camera_clips(skeleton=skeleton)
        truth = torch.from_numpy(poses.targets)
        wrong = torch.randn_like(truth) * torch.tensor([1.0, 1.0, 0.0])
        model = Refined(small(skeleton)).eval()
        model.base = Says(truth + wrong + torch.tensor([5.0, -3.0, 2.0]))
        weights_are(model, torch.zeros(len(poses.joints), 2))
        x = torch.zeros(len(poses), *input_shape(model))
        with torch.no_grad():
            _, refined = model(x, torch.from_numpy(poses.rays), torch.from_numpy(poses.root_depth))
        torch.testing.assert_close(refined, truth, rtol=0, atol=1e-5)

    @pytest.mark.parametrize("skeleton", JOINT_SETS)
    def test_weights_mix_the_network_and_the_rays(self, skeleton: str) -> None:
        model = Refined(small(skeleton)).eval()
        x, rays, root_depth = inputs(model)
        root = get_skeleton(skeleton).root
        with torch.no_grad():
            plain = model.base(x)
        plain = plain - plain[:, [root]]
        depth = plain[..., 2:] + root_depth[:, None, None]
        on_rays = rays * depth - (rays * depth)[:, [root]]
        joints = plain.shape[1]
        generator = torch.Generator().manual_seed(2)
        for weight in (
            torch.zeros(joints, 2),
            torch.ones(joints, 2),
            torch.rand(joints, 2, generator=generator),  # one per joint for x and one for y
        ):
            weights_are(model, weight)
            with torch.no_grad():
                pose, refined = model(x, rays, root_depth)
            torch.testing.assert_close(pose, plain)
            torch.testing.assert_close(refined[..., 2], plain[..., 2])  # z is the network's
            mixed = weight * plain[..., :2] + (1 - weight) * on_rays
            torch.testing.assert_close(refined[..., :2], mixed)
            assert not pose[:, root].any()
            assert not refined[:, root].any()

    def test_weights_come_from_both_poses(self) -> None:
        model = Refined(small()).eval()
        seen: list[torch.Tensor] = []
        model.refiner.register_forward_hook(lambda _, given, __: seen.append(given[0]))
        x, rays, root_depth = inputs(model)
        with torch.no_grad():
            pose, _ = model(x, rays, root_depth)
            weights_are(model, torch.zeros(17, 2))
            _, on_rays = model(x, rays, root_depth)
        torch.testing.assert_close(seen[0], torch.cat([pose.flatten(1), on_rays.flatten(1)], 1))

    def test_without_the_oracle_it_is_the_network_alone(self) -> None:
        model = Refined(SMALL).eval()
        x, rays, root_depth = inputs(model)
        assert torch.equal(model(x), model.base(x))
        assert torch.equal(model(x, rays=rays), model.base(x))
        assert torch.equal(model(x, root_depth=root_depth), model.base(x))

    def test_dropout_is_for_training_only(self) -> None:
        model = Refined(replace(SMALL, dropout=0.5)).eval()
        given = inputs(model)
        assert torch.equal(model(*given), model(*given))
        model.train()
        (pose, one), (again, other) = model(*given), model(*given)
        assert torch.equal(pose, again)  # the network has none
        assert not torch.equal(one, other)

    def test_gradients_reach_every_parameter(self) -> None:
        model = Refined(SMALL)
        model(*inputs(model)).square().sum().backward()
        assert not [name for name, p in model.named_parameters() if not p.grad.any()]

    def test_a_batch_may_be_empty(self) -> None:
        model = Refined(SMALL)
        assert model(*(part[:0] for part in inputs(model))).shape == (2, 0, 17, 3)


class TestFile:
    def test_weights_survive_it(self, tmp_path: Path) -> None:
        model = build(small("h36m_16")).eval()
        save_weights(model, tmp_path / "m.safetensors")
        loaded = load_weights(tmp_path / "m.safetensors")
        assert isinstance(loaded, Refined)
        assert loaded.config == small("h36m_16")
        assert isinstance(loaded.config.base, AMPoseConfig)
        assert same(loaded, model)
        given = inputs(model)
        assert torch.equal(loaded(*given), model(*given))

    def test_an_impossible_base_is_refused(self, tmp_path: Path) -> None:
        config = {"base": {"width": 30}, "hidden": 32, "dropout": 0.5}
        metadata = {"model": "refined", "config": json.dumps(config)}
        save_file({"a": torch.zeros(2)}, tmp_path / "m.safetensors", metadata)
        with pytest.raises(ValueError, match="not weights of a lifter of this package"):
            load_weights(tmp_path / "m.safetensors")


class TestBoneAsymmetry:
    def test_by_hand(self) -> None:
        """Everything in one place, but the left wrist 3 m and the right knee 1 m away."""
        pose = torch.zeros(2, 17, 3)
        pose[0, H36M_17.index("left_wrist"), 0] = -3
        pose[0, H36M_17.index("right_knee"), 2] = 1
        # Six pairs of bones. The knee is the end of the thigh and the start of the shank.
        expected = torch.tensor([(3 + 1 + 1) / 6, 0])
        torch.testing.assert_close(bone_asymmetry(pose, H36M_17), expected)

    @pytest.mark.parametrize("skeleton", [H36M_17, HUMANEVA_15, MPI_3DHP_17])
    def test_is_the_mean_difference_of_lengths(self, skeleton) -> None:
        pose = np.random.default_rng(0).normal(size=(4, len(skeleton), 3))
        lengths = dict(
            zip(
                (child for _, child in skeleton.edges), bone_lengths(pose, skeleton).T, strict=True
            )
        )
        expected = np.mean(
            [np.abs(lengths[left] - lengths[right]) for left, right in skeleton.pairs], axis=0
        )
        np.testing.assert_allclose(bone_asymmetry(torch.from_numpy(pose), skeleton), expected)

    def test_a_longer_right_side_does_not_make_up_for_a_longer_left_one(self) -> None:
        pose = torch.zeros(1, 17, 3)
        pose[0, H36M_17.index("left_wrist"), 0] = 1
        pose[0, H36M_17.index("right_ankle"), 0] = 1
        assert bone_asymmetry(pose, H36M_17).item() == pytest.approx(2 / 6)
