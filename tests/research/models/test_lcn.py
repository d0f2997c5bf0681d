from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import cost
from ampose.research.models.lcn import LCN, LCNConfig, LocallyConnected, neighbourhoods
from ampose.skeletons import H36M_16, H36M_17, HUMANEVA_15, MPI_3DHP_17
from tests.research.models.contract import LifterContract
from tests.research.models.hops import hops_between

SMALL = LCNConfig(width=8, blocks=1, channels=3)


class TestLCN(LifterContract):
    config = SMALL
    impossible = (
        ({"hops": -1}, "hops must not be negative, got -1"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
    )


def test_parameters_are_the_authors_without_the_masked_ones() -> None:
    width, joints = 64, 17
    norms = 7 * 2 * width
    full = (2 * joints + 1) * joints * width
    full += 6 * (joints * width + 1) * joints * width
    full += (joints * width + 1) * 3 * joints
    assert full + norms == 7_203_507  # variables of their code
    per_pair = 2 * width + 6 * width**2 + 3 * width
    masked = (17**2 - 175) * per_pair
    model = LCN(LCNConfig()).eval()
    counted = cost(model)
    assert counted.parameters == full + norms - masked == 4_365_363
    assert counted.linear_macs == 175 * per_pair == 4_356_800
    with FlopCounterMode(display=False) as independent:
        model(torch.zeros(1, 1, 17, 2))
    assert independent.get_total_flops() == 2 * counted.linear_macs


class TestNeighbourhoods:
    @pytest.mark.parametrize("hops", [0, 1, 2, 3])
    @pytest.mark.parametrize("skeleton", [H36M_16, H36M_17, MPI_3DHP_17])
    def test_are_within_so_many_steps(self, skeleton, hops) -> None:
        girdles = ["left_hip", "right_hip", "left_shoulder", "right_shoulder"]
        links = [(skeleton.index("spine"), joint) for joint in skeleton.indices(girdles)]
        distance = hops_between(len(skeleton), [*skeleton.edges, *links])
        expected = [[j for j, far in enumerate(row) if far <= hops] for row in distance]
        assert neighbourhoods(skeleton, hops) == expected

    def test_without_a_spine_steps_are_bones(self) -> None:
        distance = hops_between(15, HUMANEVA_15.edges)
        expected = [[j for j, far in enumerate(row) if far <= 2] for row in distance]
        assert neighbourhoods(HUMANEVA_15, 2) == expected

    def test_of_the_published_model(self) -> None:
        near = neighbourhoods(H36M_17, 3)
        assert sum(len(joints) for joints in near) == 175
        wrist = near[H36M_17.index("left_wrist")]
        names = ["spine", "thorax", "left_shoulder", "left_elbow", "left_wrist"]
        assert [H36M_17.joints[joint] for joint in wrist] == names


class TestLocallyConnected:
    def test_an_input_moves_the_joints_near_it_only(self) -> None:
        near = neighbourhoods(H36M_17, 1)
        layer = LocallyConnected(near, 4, 5)
        x = torch.randn(1, 17, 4)
        for joint in range(17):
            moved = x.clone()
            moved[:, joint] += 1
            changed = (layer(moved) - layer(x)).abs().amax(-1)[0].nonzero().flatten().tolist()
            assert changed == near[joint]  # nearness is mutual

    def test_every_joint_has_a_map_of_its_own(self) -> None:
        layer = LocallyConnected(neighbourhoods(H36M_17, 1), 4, 5)
        layer(torch.randn(3, 17, 4))[:, 6].sum().backward()
        used = [joint for joint, linear in enumerate(layer.maps) if linear.weight.grad.any()]
        assert used == [6]

    def test_is_a_full_map_with_a_mask(self) -> None:
        near = neighbourhoods(H36M_17, 2)
        layer = LocallyConnected(near, 4, 5)
        full = nn.Linear(17 * 4, 17 * 5)
        full.weight.data.zero_()
        blocks = full.weight.data.view(17, 5, 17, 4)
        for joint, linear in enumerate(layer.maps):
            blocks[joint][:, near[joint]] = linear.weight.data.view(5, -1, 4)
            full.bias.data.view(17, 5)[joint] = linear.bias.data
        x = torch.randn(3, 17, 4)
        torch.testing.assert_close(layer(x), full(x.flatten(1)).view(3, 17, 5))


def test_frames_become_numbers_of_the_same_joint() -> None:
    model = LCN(replace(SMALL, frames=3, channels=2)).eval()
    x = torch.randn(2, 3, 17, 2)
    seen: list[torch.Tensor] = []
    model.start.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    assert model(x).shape == (2, 17, 3)
    assert torch.equal(seen[0][1, 5], x[1, :, 5].flatten())


def test_blocks_are_residual() -> None:
    model = LCN(SMALL).eval()
    x = torch.randn(2, 1, 17, 3)
    z = model.start(x[:, 0])
    torch.testing.assert_close(model(x), model.head(z + model.blocks[0](z)))


def test_layers_normalise_channels_over_all_joints() -> None:
    model = LCN(SMALL).train()
    mapped: list[torch.Tensor] = []
    model.start[0].register_forward_hook(lambda _, __, out: mapped.append(out))
    out = model.start(torch.randn(64, 17, 3) * torch.arange(1, 18)[:, None])
    (z,) = mapped
    normal = (z - z.mean((0, 1))) / z.var((0, 1), unbiased=False).sqrt()
    kept = model.start[3].train(False)(F.leaky_relu(normal, 0.2))
    assert torch.allclose(out[out != 0], kept[out != 0] / 0.75, atol=1e-4)  # dropout of a quarter
