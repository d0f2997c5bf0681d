from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.ampose import AMPose, AMPoseConfig
from ampose.research.models.cost import count_parameters
from ampose.research.models.modulated_gcn import (
    ModulatedGCN,
    ModulatedGCNConfig,
    ModulatedGraphConv,
    skeleton_adjacency,
)
from ampose.research.models.refiner import Refined, RefinedConfig
from ampose.skeletons import H36M_16, H36M_17, MPI_3DHP_17, Skeleton
from tests.research.models.contract import LifterContract
from tests.research.models.test_semgcn import awake, reached

SMALL = ModulatedGCNConfig(width=16, blocks=1, channels=3)
PLAIN = replace(SMALL, non_local=False, dropout=0.0)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


class TestModulatedGCN(LifterContract):
    config = SMALL
    impossible = (
        ({"width": 1}, "width must be at least 2"),
        ({"dropout": 1.5}, "dropout must be at least 0 and below 1"),
    )

    def test_gradients_reach_every_parameter(self, model, inputs) -> None:
        super().test_gradients_reach_every_parameter(awake(model), inputs)


class TestSmallModelOf3Frames(LifterContract):
    config = replace(PLAIN, frames=3, channels=2)


class TestParameters:
    def count(self, **config) -> int:
        return count_parameters(ModulatedGCN(ModulatedGCNConfig(**config)))

    def test_of_the_model_for_exact_keypoints(self) -> None:
        count = self.count(width=128, non_local=False, skeleton="h36m_16")
        assert count == 287_923
        assert f"{count / 1e6:.2f}" == "0.29"  # abstract, repository

    def test_of_the_model_for_detected_keypoints(self) -> None:
        count = self.count()
        assert count == 2_731_840
        base = AMPoseConfig(depth=1, width=4)
        refiner = count_parameters(Refined(RefinedConfig(base))) - count_parameters(AMPose(base))
        assert f"{(count + refiner) / 1e6:.2f}" == "2.87"  # what the repository's command prints

    @pytest.mark.parametrize(
        ("skeleton", "count"), [("h36m_16", 1_097_523), ("h36m_17", 1_100_160)]
    )
    def test_1_10_million_are_256_channels(self, skeleton: str, count: int) -> None:
        assert self.count(width=256, non_local=False, skeleton=skeleton) == count
        assert f"{count / 1e6:.2f}" == "1.10"


def test_multiply_accumulates() -> None:
    model = ModulatedGCN(ModulatedGCNConfig()).eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 17, 2))
    convolutions = 17 * (2 * 2 * 384 + 8 * 2 * 384**2 + 2 * 384 * 3) + 17**2 * (9 * 384 + 3)
    non_local = 17 * 4 * 384 * 192 + 2 * 17**2 * 192
    assert counter.get_total_flops() == 2 * (convolutions + non_local) == 2 * 46_297_443


@pytest.mark.parametrize("skeleton", [H36M_16, H36M_17, MPI_3DHP_17])
def test_adjacency_is_the_joint_and_the_mean_of_its_neighbours(skeleton: Skeleton) -> None:
    adjacency = skeleton_adjacency(skeleton)
    assert torch.equal(adjacency.diagonal(), torch.ones(len(skeleton)))
    torch.testing.assert_close(adjacency.sum(1), torch.full((len(skeleton),), 2.0))
    assert int(adjacency.count_nonzero()) == len(skeleton) + 2 * len(skeleton.edges)
    pelvis, spine, hip = skeleton.indices(["pelvis", "spine", "left_hip"])
    torch.testing.assert_close(adjacency[pelvis, [spine, hip]], torch.tensor([1 / 3, 1 / 3]))
    assert adjacency[spine, pelvis] == adjacency[hip, pelvis] == 0.5


class TestConvolution:
    def test_is_a_modulated_sum(self) -> None:
        layer = ModulatedGraphConv(5, 4, H36M_17)
        nn.init.normal_(layer.modulation)
        nn.init.normal_(layer.added)
        x = torch.randn(2, 17, 5)
        joined = skeleton_adjacency(H36M_17) + layer.added
        for joint in range(17):
            expected = layer.bias
            for other in range(17):
                weight = (layer.own if other == joint else layer.neighbours).weight
                affinity = (joined[joint, other] + joined[other, joint]) / 2
                expected = expected + affinity * layer.modulation[other] * (x[:, other] @ weight.T)
            torch.testing.assert_close(layer(x)[:, joint], expected, rtol=1e-4, atol=1e-5)

    def test_begins_near_the_skeleton_without_modulation(self) -> None:
        layer = ModulatedGraphConv(5, 4, H36M_17)
        adjacency = skeleton_adjacency(H36M_17)
        torch.testing.assert_close(
            layer.affinity(), (adjacency + adjacency.T) / 2, atol=2e-6, rtol=0
        )
        assert (layer.affinity() > 0).all()
        assert torch.equal(layer.modulation, torch.ones(17, 4))

    def test_modulation_belongs_to_the_joint_that_gives(self) -> None:
        layer = ModulatedGraphConv(5, 4, H36M_17)
        nn.init.zeros_(layer.added)
        x = torch.randn(2, 17, 5)
        before = layer(x)
        with torch.no_grad():
            layer.modulation[H36M_17.index("left_knee"), 1] = 2
        changed = (layer(x) != before).any(0)
        assert changed.any(1).nonzero().flatten().tolist() == sorted(
            H36M_17.indices(["left_hip", "left_knee", "left_ankle"])
        )
        assert changed.any(0).nonzero().flatten().tolist() == [1]

    def test_a_learned_edge_joins_distant_joints_in_both_directions(self) -> None:
        model = ModulatedGCN(replace(PLAIN, blocks=1))
        for module in model.modules():
            if isinstance(module, ModulatedGraphConv):
                nn.init.zeros_(module.added)
        assert "left_wrist" not in reached(model, "right_ankle")
        ankle, wrist = H36M_17.indices(["right_ankle", "left_wrist"])
        with torch.no_grad():
            model.head.added[ankle, wrist] = 0.1
        assert "left_wrist" in reached(model, "right_ankle")
        assert "right_ankle" in reached(model, "left_wrist")


def test_non_local_layer_stands_before_the_output() -> None:
    model = awake(ModulatedGCN(SMALL)).eval()
    x = torch.randn(2, 1, 17, 3)
    expected = model.head(model.non_local(model.body(x[:, 0])))
    torch.testing.assert_close(model(x), expected)
    assert not torch.allclose(model(x), model.head(model.body(x[:, 0])))


def test_left_and_right_are_alike_before_training() -> None:
    model = awake(ModulatedGCN(SMALL)).eval()
    mirror = list(H36M_17.mirror)
    x = torch.randn(3, 1, 17, 3)
    torch.testing.assert_close(model(x[:, :, mirror]), model(x)[:, mirror], rtol=1e-4, atol=1e-5)
    nn.init.normal_(model.head.modulation)
    assert (model(x[:, :, mirror]) - model(x)[:, mirror]).abs().max() > 1e-2


def test_dropout_follows_every_hidden_convolution() -> None:
    rates = [
        m.p for m in ModulatedGCN(ModulatedGCNConfig()).modules() if isinstance(m, nn.Dropout)
    ]
    assert rates == [0.2] * 9
