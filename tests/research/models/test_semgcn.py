from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.semgcn import (
    ChannelNorm,
    PooledNonLocal,
    SemanticAffinity,
    SemanticGraphConv,
    SemGCN,
    SemGCNConfig,
    pooling_pairs,
    stacked_weights,
)
from ampose.skeletons import H36M_16, H36M_17, MPI_3DHP_17, SKELETONS, Skeleton, get_skeleton
from tests.research.models.contract import LifterContract

SMALL = SemGCNConfig(width=16, blocks=1, channels=3)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def awake(model: nn.Module) -> nn.Module:
    """The network with random numbers where a parameter begins at zero.

    Non-local layers begin as the identity: nothing inside them gets a gradient before that.
    """
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.5)
    return model


class TestSemGCN(LifterContract):
    config = SMALL
    impossible = (
        ({"width": 1}, "width must be at least 2, got 1"),
        ({"blocks": -1}, "blocks must be at least 0, got -1"),
        ({"frames": 2}, "frames must be odd, so that one is in the middle, got 2"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
    )

    def test_gradients_reach_every_parameter(self, model, inputs) -> None:
        super().test_gradients_reach_every_parameter(awake(model), inputs)


class TestWithoutNonLocal(LifterContract):
    config = replace(SMALL, non_local=False, dropout=0.2, frames=3, channels=2)


@pytest.mark.parametrize(
    ("non_local", "count", "printed", "macs"),
    [(False, 267_343, "0.27", 4_510_464), (True, 434_703, "0.43", 7_180_544)],
)
def test_parameters_are_those_of_the_repository(non_local, count, printed, macs) -> None:
    model = SemGCN(SemGCNConfig(non_local=non_local, skeleton="h36m_16")).eval()
    assert count_parameters(model) == count
    assert f"{count / 1e6:.2f}" == printed
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 16, 2))
    by_hand = 16 * (2 * 2 * 128 + 8 * 2 * 128**2 + 2 * 128 * 3) + 16**2 * (9 * 128 + 3)
    if non_local:
        pairs = 8  # theta, phi, g, out; u of joints and v of pairs; what is taken from the pairs
        by_hand += 5 * (16 * 4 * 128 * 64 + (16 + pairs) * 64 + 16 * pairs * 64)
    assert counter.get_total_flops() == 2 * by_hand == 2 * macs


class TestAffinity:
    @pytest.mark.parametrize("skeleton", [H36M_16, H36M_17, MPI_3DHP_17])
    def test_begins_as_the_mean_of_the_neighbourhood(self, skeleton: Skeleton) -> None:
        linked = torch.eye(len(skeleton))
        for parent, child in skeleton.edges:
            linked[parent, child] = linked[child, parent] = 1
        torch.testing.assert_close(
            SemanticAffinity(skeleton)(), linked / linked.sum(1, keepdim=True)
        )

    def test_whatever_is_learned_stays_on_the_skeleton(self) -> None:
        affinity = SemanticAffinity(H36M_17)
        bones = affinity() > 0
        nn.init.normal_(affinity.edges, std=3)
        learned = affinity()
        assert torch.equal(learned > 0, bones)
        torch.testing.assert_close(learned.sum(1), torch.ones(17))
        assert not torch.allclose(learned, learned.T)  # each direction has its own number

    def test_a_number_belongs_to_one_joint(self) -> None:
        affinity = SemanticAffinity(H36M_17)
        before = affinity().detach()
        with torch.no_grad():
            affinity.edges[3] += 1  # the pelvis: itself, two hips, and this, the spine
        changed = (affinity() != before).nonzero().tolist()
        pelvis, *others = H36M_17.indices(["pelvis", "right_hip", "left_hip", "spine"])
        assert changed == [[pelvis, joint] for joint in (pelvis, *others)]
        assert affinity()[pelvis].argmax() == H36M_17.index("spine")


def test_convolution_is_a_sum_over_the_neighbourhood() -> None:
    layer = SemanticGraphConv(5, 4, H36M_17)
    nn.init.normal_(layer.affinity.edges)
    x = torch.randn(2, 17, 5)
    affinity = layer.affinity()
    for joint in range(17):
        expected = affinity[joint, joint] * (x[:, joint] @ layer.own.weight.T) + layer.bias
        for other in range(17):
            if other != joint:
                expected = expected + affinity[joint, other] * (
                    x[:, other] @ layer.neighbours.weight.T
                )
        torch.testing.assert_close(layer(x)[:, joint], expected)


def reached(model: nn.Module, joint: str, frames: int = 1) -> set[str]:
    """Names of the input joints that matter for one output joint."""
    skeleton = get_skeleton(model.config.skeleton)
    x = torch.randn(64, frames, len(skeleton), model.config.channels, requires_grad=True)
    model.eval()(x)[:, skeleton.index(joint)].sum().backward()
    return {skeleton.joints[j] for j in range(len(skeleton)) if x.grad[:, :, j].any()}


class TestReach:
    def test_each_convolution_reaches_one_bone_further(self) -> None:
        model = SemGCN(replace(SMALL, blocks=1, non_local=False))  # four convolutions
        assert reached(model, "left_ankle") == {
            "left_ankle",
            "left_knee",
            "left_hip",
            "pelvis",
            "spine",
            "right_hip",
        }

    @pytest.mark.parametrize("skeleton", ["h36m_16", "h36m_17", "mpi_3dhp_17"])
    def test_the_published_depth_reaches_the_whole_body(self, skeleton: str) -> None:
        model = SemGCN(replace(SMALL, blocks=4, non_local=False, skeleton=skeleton))
        assert reached(model, "left_ankle") == set(get_skeleton(skeleton).joints)

    def test_non_local_layers_reach_it_at_once(self) -> None:
        model = awake(SemGCN(SMALL))
        for layer in model.modules():
            if isinstance(layer, PooledNonLocal):  # no affinity at 0, where nothing gets through
                for parameter in (
                    layer.theta.bias,
                    layer.phi.bias,
                    layer.u.weight,
                    layer.v.weight,
                ):
                    nn.init.ones_(parameter)
        assert reached(model, "left_ankle") == set(H36M_17.joints)


def test_left_and_right_are_alike_before_training() -> None:
    """All maps are shared by the joints: only what is learned along the bones can tell sides."""
    model = awake(SemGCN(SMALL)).eval()
    mirror = list(H36M_17.mirror)
    x = torch.randn(3, 1, 17, 3)
    torch.testing.assert_close(model(x[:, :, mirror]), model(x)[:, mirror], rtol=1e-4, atol=1e-5)
    for module in model.modules():
        if isinstance(module, SemanticAffinity):
            nn.init.normal_(module.edges)
    assert (model(x[:, :, mirror]) - model(x)[:, mirror]).abs().max() > 1e-2


class TestPooledNonLocal:
    def test_pairs_are_the_authors(self) -> None:
        named = {
            frozenset((H36M_16.joints[a], H36M_16.joints[b])) for a, b in pooling_pairs(H36M_16)
        }
        limbs = [("knee", "ankle"), ("elbow", "wrist")]
        assert named == {
            *(frozenset((f"{s}_{a}", f"{s}_{b}")) for s in ("left", "right") for a, b in limbs),
            *(frozenset((f"left_{a}", f"right_{a}")) for a in ("hip", "shoulder")),
            frozenset(("pelvis", "spine")),
            frozenset(("thorax", "head_top")),
        }

    @pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
    def test_every_joint_is_pooled_once(self, skeleton: Skeleton) -> None:
        pairs = pooling_pairs(skeleton)
        joints = sorted(joint for pair in pairs for joint in set(pair))
        assert joints == list(range(len(skeleton)))

    def test_is_the_concatenation_form(self) -> None:
        """Against torch's pooling and one map of the two vectors concatenated."""
        layer = awake(PooledNonLocal(8, H36M_16)).eval()
        nn.init.normal_(layer.norm.running_mean)
        x = torch.randn(3, 16, 8)
        grouped = [joint for pair in pooling_pairs(H36M_16) for joint in pair]
        pool = nn.MaxPool1d(2)
        phi, g = (
            pool(m(x[:, grouped]).transpose(1, 2)).transpose(1, 2) for m in (layer.phi, layer.g)
        )
        theta = layer.theta(x)
        weight = torch.cat([layer.u.weight[0], layer.v.weight[0]])
        mixed = torch.zeros(3, 16, 4)
        for joint in range(16):
            for pair in range(8):
                both = torch.cat([theta[:, joint], phi[:, pair]], dim=-1)
                mixed[:, joint] += (both @ weight).relu()[:, None] / 8 * g[:, pair]
        out = layer.out(mixed)
        norm = layer.norm
        normalised = (out - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        torch.testing.assert_close(layer(x), x + normalised * norm.weight + norm.bias)

    def test_begins_as_the_identity(self) -> None:
        x = torch.randn(3, 16, 8)
        assert torch.equal(PooledNonLocal(8, H36M_16)(x), x)


def test_layers_in_their_order() -> None:
    model = SemGCN(replace(SMALL, dropout=0.3))
    first, _, block, _ = model.body
    for layer in (first, *block):
        kinds = [type(module) for module in layer]
        assert kinds == [SemanticGraphConv, ChannelNorm, nn.ReLU, nn.Dropout]
        assert layer[3].p == 0.3
    x = torch.randn(2, 17, 16)
    model.eval()
    torch.testing.assert_close(block(x), x + block[1](block[0](x)))
    assert block(x).min() < 0  # no activation after the sum


def test_norm_is_over_poses_and_joints() -> None:
    ours, theirs = ChannelNorm(6), nn.BatchNorm1d(6)
    x = 2 * torch.randn(4, 17, 6) + 1
    torch.testing.assert_close(ours(x), theirs(x.transpose(1, 2)).transpose(1, 2))
    torch.testing.assert_close(ours.running_var, theirs.running_var)


def test_initial_weights_are_the_authors() -> None:
    """Xavier's bound, gain * sqrt(6 / (in + out)), with the fans that torch gives a stack."""
    bound = 1.414 * (6 / (128 * 128 + 2 * 128)) ** 0.5
    layer = SemanticGraphConv(128, 128, H36M_16)
    for weight in (layer.own.weight, layer.neighbours.weight, stacked_weights(2, 128, 128)):
        assert 0.99 * bound < weight.abs().max() <= bound
    assert not torch.equal(layer.own.weight, layer.neighbours.weight)
    assert 0.9 * 128**-0.5 < layer.bias.abs().max() <= 128**-0.5


def test_frames_become_numbers_of_the_same_joint() -> None:
    model = SemGCN(replace(SMALL, frames=3, channels=2))
    nodes: list[torch.Tensor] = []
    model.body.register_forward_hook(lambda _, inputs, __: nodes.append(inputs[0]))
    x = torch.randn(1, 3, 17, 2)
    model(x)
    assert torch.equal(nodes[0][0, 5], x[0, :, 5].reshape(-1))
