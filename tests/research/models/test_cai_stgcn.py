from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cai_stgcn import (
    CaiSTGCN,
    CaiSTGCNConfig,
    GraphBlock,
    GroupedGraphConv,
    NonLocal,
    body_parts,
    hops_from_centre,
    joint_groups,
    part_groups,
)
from ampose.research.models.cost import count_parameters
from ampose.research.models.semgcn import ChannelNorm
from ampose.skeletons import COCO_17, H36M_16, H36M_17, HUMANEVA_15, MPI_3DHP_17
from tests.research.models.contract import LifterContract
from tests.research.models.test_semgcn import awake

SMALL = CaiSTGCNConfig(width=8, channels=3)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


class TestCaiSTGCN(LifterContract):
    config = SMALL
    impossible = (
        ({"dropout": -0.1}, "dropout must be at least 0"),
        ({"body_dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        ({"head_dropout": 2.0}, "dropout must be at least 0 and below 1, got 2.0"),
    )

    def test_gradients_reach_every_parameter(self, model, inputs) -> None:
        super().test_gradients_reach_every_parameter(awake(model), inputs)


class TestOf3Frames(TestCaiSTGCN):
    config = replace(SMALL, frames=3, channels=2)


@pytest.mark.parametrize(("frames", "count"), [(1, 3_627_847), (3, 5_040_455), (7, 5_040_455)])
def test_parameters(frames: int, count: int) -> None:
    """The repository prints none; comparisons give 5.04 M for several frames."""
    assert count_parameters(CaiSTGCN(CaiSTGCNConfig(frames=frames))) == count


def test_multiply_accumulates() -> None:
    joints = 2 * 512 + 128**2 + 128 * 512 + 128**2 + 128 * 1024 + 256**2 + 128 * 256
    parts = 256 * 2048 + 512**2 + 256 * 512 + 512 * 2048 + 512**2
    back = 512 * 512 + 5 * 1024 * 256
    groups = 4 * (17**2 * (128 + 128 + 256) + 5**2 * (512 + 512))
    non_local = 17 * 4 * 512 * 256 + 2 * 17**2 * 256
    expected = 17 * joints + 5 * parts + back + groups + non_local + 17 * 512 * 3
    model = CaiSTGCN(CaiSTGCNConfig()).eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 17, 2))
    assert counter.get_total_flops() == 2 * expected == 2 * 28_083_200


class TestGroups:
    def test_the_centre_is_the_spine(self) -> None:
        assert hops_from_centre(H36M_17) == [1, 2, 3, 4, 2, 3, 4, 0, 1, 2, 3, 2, 3, 4, 2, 3, 4]
        for skeleton in (H36M_16, MPI_3DHP_17):
            assert hops_from_centre(skeleton).index(0) == skeleton.index("spine")

    def test_a_tree_without_one_middle_takes_the_first(self) -> None:
        assert hops_from_centre(HUMANEVA_15).index(0) == HUMANEVA_15.index("pelvis")

    def test_several_roots_are_refused(self) -> None:
        with pytest.raises(ValueError, match="coco_17 has several roots; this network needs one"):
            hops_from_centre(COCO_17)

    def test_neighbours_of_a_hip(self) -> None:
        groups = joint_groups(H36M_17)
        hip, *others = H36M_17.indices(["left_hip", "pelvis", "left_knee", "right_hip"])
        assert groups.shape == (4, 17, 17)
        for group, neighbour in zip(groups, (hip, *others), strict=True):
            assert np.flatnonzero(group[hip]).tolist() == [neighbour]
            assert group[hip, neighbour] == 0.25

    def test_the_pelvis_is_farther_out_than_the_spine(self) -> None:
        _, closer, farther, mirror = joint_groups(H36M_17)
        pelvis, spine = H36M_17.indices(["pelvis", "spine"])
        hips = sorted(H36M_17.indices(["left_hip", "right_hip"]))
        assert np.flatnonzero(closer[pelvis]).tolist() == [spine]
        assert np.flatnonzero(farther[pelvis]).tolist() == hips
        assert not mirror[pelvis].any()
        assert not closer[spine].any()

    @pytest.mark.parametrize("frames", [1, 3])
    @pytest.mark.parametrize("of", [joint_groups, part_groups])
    def test_every_node_takes_a_mean(self, of, frames: int) -> None:
        groups = of(H36M_17, frames)
        assert len(groups) == (4 if frames == 1 else 6)
        np.testing.assert_allclose(groups.sum((0, 2)), 1)
        assert (np.count_nonzero(groups, axis=0) <= 1).all()  # no neighbour is in two groups

    def test_frames_are_linked_to_the_next(self) -> None:
        groups = joint_groups(H36M_17, 3)
        wrist = H36M_17.index("left_wrist")
        for frame, (before, after) in enumerate([([], [1]), ([0], [2]), ([1], [])]):
            row = groups[:, frame * 17 + wrist]
            assert np.flatnonzero(row[4]).tolist() == [17 * f + wrist for f in before]
            assert np.flatnonzero(row[5]).tolist() == [17 * f + wrist for f in after]
            # Itself, the elbow, the mirror, and one or two frames.
            assert row.max() == 1 / (3 + len(before + after))

    def test_parts_are_the_trunk_and_four_limbs(self) -> None:
        own, closer, farther, mirror = part_groups(H36M_17)
        parts = [
            {H36M_17.joints[j].rpartition("_")[2] for j in part} for part in body_parts(H36M_17)
        ]
        assert parts[0] == {"pelvis", "spine", "thorax", "nose", "top"}
        arms = [k for k, part in enumerate(parts) if "wrist" in part]
        legs = [k for k, part in enumerate(parts) if "ankle" in part]
        assert sorted([0, *arms, *legs]) == [0, 1, 2, 3, 4]
        np.testing.assert_allclose(np.diag(own), [1 / 5, 1 / 3, 1 / 3, 1 / 3, 1 / 3])
        np.testing.assert_allclose(farther[0], [0, 1 / 5, 1 / 5, 1 / 5, 1 / 5])
        np.testing.assert_allclose(closer[1:, 0], 1 / 3)
        assert sorted(np.argwhere(mirror).tolist()) == sorted([arms, arms[::-1], legs, legs[::-1]])


def test_grouped_convolution_is_a_sum_over_groups() -> None:
    groups = joint_groups(H36M_17)
    layer = GroupedGraphConv(5, 3, groups)
    x = torch.randn(2, 17, 5)
    weights, biases = layer.project.weight.reshape(4, 3, 5), layer.project.bias.reshape(4, 3)
    expected = sum(
        torch.tensor(group, dtype=torch.float32) @ (x @ weights[k].T + biases[k])
        for k, group in enumerate(groups)
    )
    torch.testing.assert_close(layer(x), expected)


class TestGraphBlock:
    @pytest.mark.parametrize(("inputs", "residual"), [(6, True), (4, True), (4, False)])
    def test_is_a_branch_and_a_shortcut(self, inputs: int, residual: bool) -> None:
        block = GraphBlock(inputs, 6, joint_groups(H36M_17), 0.5, residual=residual).eval()
        x = torch.randn(2, 17, inputs)
        expected = block.branch(x)
        if inputs == 6:
            expected = expected + x
        elif residual:
            linear, norm = block.shortcut
            expected = expected + linear(x) / (1 + norm.eps) ** 0.5
        torch.testing.assert_close(block(x), expected.relu())

    def test_branch(self) -> None:
        block = GraphBlock(4, 6, joint_groups(H36M_17), 0.5)
        assert [type(module) for module in block.branch] == [
            GroupedGraphConv,
            ChannelNorm,
            nn.ReLU,
            nn.Dropout,
            nn.Linear,
            ChannelNorm,
            nn.Dropout,
        ]


def test_dropouts_are_the_authors() -> None:
    rates = [m.p for m in CaiSTGCN(CaiSTGCNConfig()).modules() if isinstance(m, nn.Dropout)]
    assert rates == [0.05] * 10 + [0.25, 0.1, 0.1]


class TestPyramid:
    """What passes between joints, parts and body."""

    @pytest.fixture
    def seen(self) -> dict[str, torch.Tensor]:
        model = CaiSTGCN(replace(SMALL, frames=3)).eval()
        seen: dict[str, torch.Tensor] = {}

        def watch(name: str) -> None:
            def keep(_: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
                seen[f"into {name}"], seen[f"out of {name}"] = inputs[0], output

            model.get_submodule(name).register_forward_hook(keep)

        for name in ("input_norm", "joints", "parts", "body", "back", "non_local"):
            watch(name)
        seen["x"] = torch.randn(2, 3, 17, 3)
        seen["out"] = model(seen["x"])
        seen["head"] = model.head(seen["out of non_local"].reshape(2, 3, 17, 32)[:, 1])
        return seen

    def test_each_coordinate_of_each_joint_is_normalised(self, seen) -> None:
        assert torch.equal(seen["into input_norm"], seen["x"].reshape(6, 51))
        normalised = seen["x"] / 1.1**0.5  # fresh statistics, and 0.1 for the network's epsilon
        torch.testing.assert_close(seen["into joints"], normalised.reshape(2, 51, 3))

    def test_parts_keep_the_maximum_of_their_joints(self, seen) -> None:
        fine = seen["out of joints"].reshape(2, 3, 17, 16)
        parts = body_parts(H36M_17)
        expected = torch.stack([fine[:, :, part].amax(2) for part in parts], dim=2)
        assert torch.equal(seen["into parts"].reshape(2, 3, 5, 16), expected)

    def test_the_body_keeps_the_maximum_of_the_parts(self, seen) -> None:
        parts = seen["out of parts"].reshape(2, 3, 5, 32)
        assert torch.equal(seen["into body"], parts.amax(2).transpose(1, 2))
        back = seen["into back"].reshape(2, 3, 5, 64)
        body = seen["out of body"].transpose(1, 2)[:, :, None]
        assert torch.equal(back, torch.cat([body.expand(-1, -1, 5, -1), parts], -1))

    def test_joints_hear_of_their_own_part(self, seen) -> None:
        fine, coarse = seen["into non_local"].reshape(2, 3, 17, 32).split(16, dim=-1)
        assert torch.equal(fine, seen["out of joints"].reshape(2, 3, 17, 16))
        back = seen["out of back"].reshape(2, 3, 5, 16)
        for k, part in enumerate(body_parts(H36M_17)):
            for joint in part:
                assert torch.equal(coarse[:, :, joint], back[:, :, k])

    def test_the_answer_is_of_the_middle_frame(self, seen) -> None:
        torch.testing.assert_close(seen["out"], seen["head"])


class TestReachInTime:
    """Three graph convolutions of joints, two of parts, one of the body: six frames each way."""

    config = replace(SMALL, frames=15)

    def frames_that_matter(self, model: nn.Module) -> list[int]:
        x = torch.randn(64, 15, 17, 3, requires_grad=True)
        model.eval()(x).sum().backward()
        return [frame for frame in range(15) if x.grad[:, frame].any()]

    def test_graph_convolutions(self) -> None:
        assert self.frames_that_matter(CaiSTGCN(self.config)) == list(range(1, 14))

    def test_non_local_layer(self) -> None:
        assert self.frames_that_matter(awake(CaiSTGCN(self.config))) == list(range(15))


class TestNonLocal:
    def test_is_attention_in_a_residual(self) -> None:
        layer = awake(NonLocal(8)).eval()
        x = torch.randn(2, 5, 8)
        q, k, v = layer.theta(x), layer.phi(x), layer.g(x)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, scale=1.0)
        out = layer.out(mixed) / (1 + layer.norm.eps) ** 0.5
        torch.testing.assert_close(layer(x), x + out * layer.norm.weight + layer.norm.bias)

    def test_begins_as_the_identity(self) -> None:
        x = torch.randn(2, 5, 8)
        assert torch.equal(NonLocal(8)(x), x)


def test_left_and_right_are_alike_to_the_graph() -> None:
    """Only the normalisation of the input can tell them apart."""
    model = CaiSTGCN(SMALL).eval()
    awake(model.non_local)
    mirror = list(H36M_17.mirror)
    x = torch.randn(3, 1, 17, 3)
    torch.testing.assert_close(model(x[:, :, mirror]), model(x)[:, mirror], rtol=1e-4, atol=1e-5)
    nn.init.normal_(model.input_norm.bias)
    assert (model(x[:, :, mirror]) - model(x)[:, mirror]).abs().max() > 1e-3
