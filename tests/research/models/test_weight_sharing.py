from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.weight_sharing import (
    PreAggregationGraphConv,
    WeightSharing,
    WeightSharingConfig,
)
from ampose.skeletons import H36M_16, H36M_17
from tests.research.models.contract import LifterContract
from tests.research.models.test_semgcn import reached

SMALL = WeightSharingConfig(width=16, blocks=1, channels=3)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


class TestWeightSharing(LifterContract):
    config = SMALL
    impossible = (
        ({"width": 1}, "width must be at least 2"),
        ({"dropout": 1.5}, "dropout must be at least 0 and below 1"),
    )


class TestOf3Frames(LifterContract):
    config = replace(SMALL, frames=3, channels=2)


def test_parameters_are_those_of_the_paper() -> None:
    model = WeightSharing(WeightSharingConfig(skeleton="h36m_16")).eval()
    count = count_parameters(model)
    assert count == 4_218_703
    learned_edges = 10 * (16 + 2 * 15)  # not in the paper's network, should it have fixed ones
    assert f"{count / 1e6:.2f}" == f"{(count - learned_edges) / 1e6:.2f}" == "4.22"
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 16, 2))
    assert counter.get_total_flops() == 2 * 4_510_464  # those of SemGCN: only the sharing differs


class TestConvolution:
    def test_is_a_sum_of_joints_mapped_by_their_own_maps(self) -> None:
        layer = PreAggregationGraphConv(5, 4, H36M_17)
        nn.init.normal_(layer.affinity.edges)
        x = torch.randn(2, 17, 5)
        affinity = layer.affinity()
        for joint in range(17):
            expected = layer.bias
            for other in range(17):
                maps = layer.own if other == joint else layer.neighbours
                expected = expected + affinity[joint, other] * (x[:, other] @ maps.weight[other])
            torch.testing.assert_close(layer(x)[:, joint], expected)

    @pytest.mark.parametrize(
        ("maps", "joints"), [("own", ["left_knee"]), ("neighbours", ["left_hip", "left_ankle"])]
    )
    def test_a_map_belongs_to_the_joint_that_gives(self, maps: str, joints: list[str]) -> None:
        layer = PreAggregationGraphConv(5, 4, H36M_17)
        x = torch.randn(2, 17, 5)
        before = layer(x)
        with torch.no_grad():
            layer.get_submodule(maps).weight[H36M_17.index("left_knee")] += 1
        changed = (layer(x) != before).any(0).any(1)
        assert changed.nonzero().flatten().tolist() == sorted(H36M_17.indices(joints))

    def test_initial_weights_are_the_authors(self) -> None:
        """Xavier's bound, gain * sqrt(6 / (in + out)), with the fans that torch gives a stack."""
        bound = 1.414 * (6 / (32 * 32 + 2 * 16 * 32)) ** 0.5
        layer = PreAggregationGraphConv(32, 32, H36M_16)
        for maps in (layer.own, layer.neighbours):
            assert maps.weight.shape == (16, 32, 32)
            assert 0.99 * bound < maps.weight.abs().max() <= bound


def test_left_and_right_differ() -> None:
    model = WeightSharing(SMALL).eval()
    mirror = list(H36M_17.mirror)
    x = torch.randn(3, 1, 17, 3)
    assert (model(x[:, :, mirror]) - model(x)[:, mirror]).abs().max() > 1e-2


def test_each_convolution_reaches_one_bone_further() -> None:
    model = WeightSharing(replace(SMALL, blocks=0))  # two convolutions
    assert reached(model, "head_top") == {"head_top", "neck_nose", "thorax"}


def test_dropout_follows_every_hidden_convolution() -> None:
    rates = [
        m.p for m in WeightSharing(WeightSharingConfig()).modules() if isinstance(m, nn.Dropout)
    ]
    assert rates == [0.1] * 9
