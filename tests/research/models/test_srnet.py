from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import cost
from ampose.research.models.srnet import (
    Recombine,
    SplitLayer,
    SRNet,
    SRNetConfig,
    body_parts,
    share,
)
from ampose.skeletons import (
    H36M_16,
    H36M_17,
    HUMANEVA_15,
    MPI_3DHP_17,
)
from tests.research.models.contract import LifterContract

SMALL = SRNetConfig(width=42, blocks=1, channels=3)


class TestSRNet(LifterContract):
    config = SMALL
    impossible = (
        ({"width": 5}, "width 5 leaves one of 5 body parts without a channel"),
        ({"dropout": -0.1}, "dropout must be at least 0 and below 1"),
    )


def test_parameters_are_the_authors_without_the_idle_ones() -> None:
    inputs, widths = [8, 8, 10, 8, 8], [195, 195, 243, 195, 196]
    theirs, ours = [12, 12, 15, 12, 13], [12, 9, 12, 9, 9]

    def network(outputs: list[int], bias: int) -> int:
        layers = [(inputs, widths), *[(widths, widths)] * 4, (widths, outputs)]
        return 5 * 2 * 1024 + sum(
            sum(i * o for i, o in zip(into, out, strict=True))  # maps
            + sum(sum(into) - i + bias + 2 for i in into)  # contexts
            for into, out in layers
        )

    assert network(theirs, bias=1) == 899_029  # as their code builds it
    model = SRNet(SRNetConfig()).eval()
    counted = cost(model)
    assert counted.parameters == network(ours, bias=0) == 896_316
    dense = 4_296_755  # the fully connected network
    assert counted.parameters / dense == pytest.approx(1 / 5, abs=0.01)  # their README
    with FlopCounterMode(display=False) as independent:
        model(torch.zeros(1, 1, 17, 2))
    assert independent.get_total_flops() == 2 * counted.linear_macs == 2 * 886_016


class TestParts:
    @pytest.mark.parametrize("skeleton", [H36M_16, H36M_17, MPI_3DHP_17, HUMANEVA_15])
    def test_are_legs_arms_and_trunk_each_with_the_root(self, skeleton) -> None:
        parts = body_parts(skeleton)
        names = [{skeleton.joints[joint] for joint in part} for part in parts]
        sided = [
            {"pelvis", *(f"{side}_{joint}" for joint in limb)}
            for side in ("left", "right")
            for limb in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
        ]
        trunk = {joint for joint in skeleton.joints if not joint.startswith(("left_", "right_"))}
        assert sorted(map(sorted, names)) == sorted(map(sorted, [*sided, trunk]))
        assert all(part[0] == skeleton.root for part in parts)

    def test_are_in_the_authors_order(self) -> None:
        assert body_parts(H36M_17) == [
            [0, 1, 2, 3],
            [0, 4, 5, 6],
            [0, 7, 8, 9, 10],
            [0, 11, 12, 13],
            [0, 14, 15, 16],
        ]

    def test_share_the_channels_in_proportion(self) -> None:
        assert share(1024, [4, 4, 5, 4, 4]) == [195, 195, 243, 195, 196]
        assert share(42, [4, 4, 5, 4, 4]) == [8, 8, 10, 8, 8]


class TestRecombine:
    @pytest.fixture
    def layer(self) -> Recombine:
        torch.manual_seed(0)
        return Recombine([4, 6, 5], [7, 8, 9]).eval()

    @pytest.fixture
    def parts(self) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(1)
        return [torch.randn(3, size, generator=generator) for size in (4, 6, 5)]

    def test_other_parts_only_scale(self, layer, parts) -> None:
        before = layer(parts)
        after = layer([parts[0], parts[1] + 1, parts[2]])
        for index in (0, 2):
            ratio = after[index] / before[index]
            assert (ratio - ratio[:, :1]).abs().max() < 1e-4  # one number for all channels
            assert (ratio - 1).abs().min() > 1e-4
            assert (ratio > 0).all()

    def test_a_part_does_not_scale_itself(self, layer, parts) -> None:
        double = layer([parts[0] * 2, *parts[1:]])[0]
        torch.testing.assert_close(double, layer(parts)[0] * 2)

    def test_a_part_is_scaled_by_less_than_one(self, layer, parts) -> None:
        for index, out in enumerate(layer(parts)):
            assert (out.abs() < layer.maps[index](parts[index]).abs()).all()


def test_layers_normalise_and_leak_a_hundredth() -> None:
    layer = SplitLayer([4, 6], [7, 8], SMALL).train()
    mapped: list[list[torch.Tensor]] = []
    layer.recombine.register_forward_hook(lambda _, __, out: mapped.append(out))
    outs = layer([torch.randn(64, 4), torch.randn(64, 6)])
    for z, out in zip(mapped[0], outs, strict=True):
        normal = (z - z.mean(0)) / (z.var(0, unbiased=False) + 1e-5).sqrt()
        torch.testing.assert_close(out, F.leaky_relu(normal, 0.01))


def test_parts_answer_for_their_joints_and_the_first_for_the_root() -> None:
    for skeleton in (H36M_17, MPI_3DHP_17):
        model = SRNet(replace(SMALL, skeleton=skeleton.name)).eval()
        x = torch.randn(2, 1, 17, 3)
        for index, part in enumerate(body_parts(skeleton)):
            for other, linear in enumerate(model.head.maps):
                linear.weight.data.fill_(1.0 if other == index else 0.0)
            answered = model(x).abs().amax((0, 2)).nonzero().flatten().tolist()
            assert answered == sorted(part if index == 0 else part[1:])


def test_frames_become_numbers_of_the_same_joint() -> None:
    model = SRNet(replace(SMALL, frames=3, channels=2)).eval()
    x = torch.randn(2, 3, 17, 2)
    seen: list[list[torch.Tensor]] = []
    model.start.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    assert model(x).shape == (2, 17, 3)
    assert torch.equal(seen[0][1][0], x[0, :, [0, 4, 5, 6]].transpose(0, 1).flatten())


def test_blocks_are_residual() -> None:
    model = SRNet(SMALL).eval()
    x = torch.randn(2, 1, 17, 3)
    z = model.start([x[:, 0, part].flatten(1) for part in body_parts(H36M_17)])
    both = [part + more for part, more in zip(z, model.blocks[0](z), strict=True)]
    first = model.head(both)[0].view(2, 4, 3)
    torch.testing.assert_close(model(x)[:, :4], first)
