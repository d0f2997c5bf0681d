from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ampose.research.models.ampose import (
    GROUPINGS,
    AMPose,
    AMPoseConfig,
    GCNBlock,
    GraphLayer,
    TransformerEncoder,
    group_adjacency,
)
from ampose.research.models.cost import cost, count_parameters
from ampose.skeletons import H36M_16, H36M_17
from tests.research.models.contract import LifterContract
from tests.research.models.written_out import at_random, dropouts

SMALL = AMPoseConfig(depth=2, width=16, channels=3)


class TestAMPose(LifterContract):
    config = SMALL
    impossible = (
        ({"heads": 3}, "16 does not divide into 3 heads"),
        ({"groups": "none"}, "unknown groups 'none'"),
        ({"toes": True}, "toes are two channels beside the keypoints' two, got 3 in all"),
    )


class TestAMPoseOf9Frames(LifterContract):
    config = replace(SMALL, frames=9, channels=2)


class TestAMPoseWithToes(LifterContract):
    config = replace(SMALL, channels=4, toes=True)


class TestLearntAdjacency(LifterContract):
    config = replace(SMALL, learnt_adjacency=True)

    def test_begins_as_the_thesis_model(self) -> None:
        torch.manual_seed(0)
        thesis = AMPose(SMALL).eval()
        torch.manual_seed(0)
        model = AMPose(self.config).eval()
        x = torch.randn(3, 1, 17, 3)
        torch.testing.assert_close(model(x), thesis(x))
        graph_layers = 2 * SMALL.depth
        extra = graph_layers * 17 * 17 * 3
        assert count_parameters(model) == count_parameters(thesis) + extra

    def test_far_joints_are_reached(self) -> None:
        """The head from an ankle, of which the skeleton's graph knows nothing in one layer."""
        config = replace(self.config, width=8)
        layer = GraphLayer(torch.zeros(3, 17, 17), config, activate=False)
        x = torch.randn(1, 17, 8)
        assert not layer(x).any()
        with torch.no_grad():
            layer.learnt[10, 3 * 3] = 1  # head top from the first map of the right ankle
        out = layer(x)
        torch.testing.assert_close(out[0, 10], layer.project(x)[0, 3, :8])
        assert not out[0, :10].any()


class TestOneWeightForAllNeighbours(LifterContract):
    config = replace(SMALL, groups="all", block="two_residual", order="gcn_first")


class TestConvNeXtBlock(LifterContract):
    config = replace(SMALL, block="convnext", order="all_gcns_then_transformers")


class TestTransformerBlock(LifterContract):
    config = replace(SMALL, block="transformer", order="all_transformers_then_gcns")


@pytest.mark.parametrize(
    ("depth", "width", "count", "printed"),
    [
        (4, 108, 670_035, "0.67"),
        (4, 128, 937_475, "0.93"),
        (5, 128, 1_171_587, "1.17"),
        (4, 256, 3_709_955, "3.70"),
        (4, 384, 8_317_443, "8.31"),
        (6, 512, 22_137_859, "22.13"),
    ],
)
def test_parameters_are_those_of_table_4_9(depth, width, count, printed) -> None:
    with torch.device("meta"):
        model = AMPose(AMPoseConfig(depth=depth, width=width, skeleton="h36m_16"))
    assert count_parameters(model) == count
    assert f"{count // 10_000 / 100:.2f}" == printed  # the thesis cuts off, it does not round


def test_cost_of_the_thesis_model() -> None:
    counted = cost(AMPose(AMPoseConfig()))
    assert counted.linear_parameters == 18_386_435
    assert counted.linear_macs == 311_994_880
    assert counted.graph_bias_additions == 261_120
    assert counted.thop_macs == 312_256_000
    # Attention, twice, and two layers of three groups, between 17 joints.
    assert counted.product_macs == 5 * (2 + 2 * 3) * 17**2 * 512


@pytest.mark.parametrize(
    ("block", "parameters", "macs", "printed"),
    [
        ("plain", 18_386_435, 312_256_000, "312.2"),
        ("two_residual", 18_386_435, 312_256_000, "312.2"),
        ("transformer", 17_073_155, 289_843_200, "289.8"),
        ("convnext", 17_073_155, 289_843_200, "289.9"),
    ],
)
def test_blocks_cost_what_table_4_6_says(block, parameters, macs, printed) -> None:
    counted = cost(AMPose(AMPoseConfig(block=block)))
    assert (counted.linear_parameters, counted.thop_macs) == (parameters, macs)
    # As 1x1 convolutions ConvNeXt's pointwise maps have biases that thop counts.
    biases = 5 * 17 * 2 * 512 if block == "convnext" else 0
    assert f"{(counted.thop_macs + biases) / 1e6:.3f}".startswith(printed)


@pytest.mark.parametrize(
    ("frames", "thop", "parameters"),
    [(1, 312_256_000, 18_386_435), (9, 312_395_264, 18_394_627), (27, 312_708_608, 18_413_059)],
)
def test_temporal_input_only_widens_the_first_layer(frames, thop, parameters) -> None:
    counted = cost(AMPose(AMPoseConfig(frames=frames)))
    assert (counted.thop_macs, counted.linear_parameters) == (thop, parameters)
    # 14 C^2 + 38 C per layer, of which J C are positions, and 8 C + 3; 2 C per further frame.
    assert counted.parameters == 5 * (14 * 512**2 + 38 * 512) + (8 + 2 * (frames - 1)) * 512 + 3


def test_frames_become_numbers_of_the_same_joint() -> None:
    model = AMPose(replace(SMALL, frames=9, channels=2))
    x = torch.randn(1, 9, 17, 2)
    tokens: list[torch.Tensor] = []
    model.embed.register_forward_hook(lambda _, inputs, __: tokens.append(inputs[0]))
    model(x)
    (token,) = tokens
    assert token.shape == (1, 17, 18)
    assert torch.equal(token[0, 3], x[0, :, 3].reshape(-1))  # joint 3: x0 y0 x1 y1 ...


def test_order_of_the_blocks() -> None:
    def kinds(order: str) -> str:
        layers = AMPose(replace(SMALL, order=order)).layers
        return "".join("T" if isinstance(layer, TransformerEncoder) else "G" for layer in layers)

    assert kinds("transformer_first") == "TGTG"
    assert kinds("gcn_first") == "GTGT"
    assert kinds("all_transformers_then_gcns") == "TTGG"
    assert kinds("all_gcns_then_transformers") == "GGTT"


class TestToes:
    """Section 4.5: the last two channels, mapped without bias, join the first embedding."""

    config = replace(SMALL, skeleton="h36m_16", channels=4, toes=True)

    @pytest.mark.parametrize("frames", [1, 9])
    def test_cost_two_numbers_per_frame_and_channel(self, frames: int) -> None:
        with_toes = AMPose(replace(self.config, frames=frames))
        without = AMPose(replace(self.config, frames=frames, channels=2, toes=False))
        more = count_parameters(with_toes) - count_parameters(without)
        assert more == 2 * frames * SMALL.width

    @pytest.mark.parametrize(("frames", "channels"), [(1, 4), (9, 4), (3, 5)])
    def test_without_toes_in_the_picture_it_is_the_plain_network(self, frames, channels) -> None:
        with_toes = AMPose(replace(self.config, frames=frames, channels=channels))
        plain = AMPose(replace(self.config, frames=frames, channels=channels - 2, toes=False))
        missing = plain.load_state_dict(with_toes.state_dict(), strict=False)
        assert (missing.missing_keys, missing.unexpected_keys) == ([], ["toes.weight"])
        x = torch.randn(3, frames, 16, channels)
        assert not torch.equal(with_toes(x), plain(x[..., :-2]))
        x[..., -2:] = 0
        assert torch.equal(with_toes(x), plain(x[..., :-2]))

    def test_joins_the_position_embedding_of_the_first_encoder(self) -> None:
        model = AMPose(self.config)
        plain = AMPose(replace(self.config, channels=2, toes=False))
        plain.load_state_dict(model.state_dict(), strict=False)
        x = torch.randn(1, 1, 16, 4)
        with torch.no_grad():
            plain.layers[0].position += x[0, 0, :, 2:] @ model.toes.weight.T
        torch.testing.assert_close(plain(x[..., :2]), model(x))

    def test_the_map_learns_from_feet_only(self) -> None:
        model = AMPose(self.config)
        x = torch.randn(2, 1, 16, 4)
        x[..., 2:] = 0
        model(x).square().sum().backward()
        assert not model.toes.weight.grad.any()
        x[..., H36M_16.index("left_ankle"), 2] = 0.5
        model(x).square().sum().backward()
        assert model.toes.weight.grad[:, 0].all()
        assert not model.toes.weight.grad[:, 1].any()


class TestAdjacency:
    @pytest.mark.parametrize("skeleton", [H36M_17, H36M_16])
    def test_groups_split_the_normalised_skeleton(self, skeleton) -> None:
        matrices = group_adjacency(skeleton)
        plain = np.eye(len(skeleton))
        for parent, child in skeleton.edges:
            plain[parent, child] = plain[child, parent] = 1
        root = np.diag(plain.sum(1) ** -0.5)
        np.testing.assert_allclose(matrices.sum(0), root @ plain @ root)

    def test_closer_collects_from_the_parent_and_farther_from_children(self) -> None:
        centre, closer, farther = group_adjacency(H36M_17)
        knee, hip, ankle = H36M_17.indices(["left_knee", "left_hip", "left_ankle"])
        assert np.flatnonzero(centre[knee]).tolist() == [knee]
        assert np.flatnonzero(closer[knee]).tolist() == [hip]
        assert np.flatnonzero(farther[knee]).tolist() == [ankle]
        assert not closer[H36M_17.root].any()
        assert np.count_nonzero(closer) == np.count_nonzero(farther) == len(H36M_17.edges)

    def test_symmetry_collects_from_the_mirror_joint(self) -> None:
        config = AMPoseConfig(groups="centre|closer|farther|symmetry")
        symmetry = group_adjacency(H36M_17, config)[3]
        left, right = H36M_17.indices(["left_wrist", "right_wrist"])
        assert np.flatnonzero(symmetry[left]).tolist() == [right]
        assert np.count_nonzero(symmetry) == 2 * len(H36M_17.pairs)

    @pytest.mark.parametrize(("skeleton", "kept"), [(H36M_16, (12, 10)), (H36M_17, (13, 11))])
    def test_equation_3_9_as_printed_loses_edges(self, skeleton, kept) -> None:
        """Closer: all but the edges into the hip. Farther: all but those into leaf joints."""
        literal = group_adjacency(skeleton, AMPoseConfig(literal_adjacency=True))
        assert tuple(np.count_nonzero(group) for group in literal[1:]) == kept
        whole = group_adjacency(skeleton)
        assert {np.count_nonzero(group) for group in whole[1:]} == {len(skeleton.edges)}

    @pytest.mark.parametrize("groups", GROUPINGS)
    def test_weights_per_group(self, groups) -> None:
        model = AMPose(replace(SMALL, groups=groups))
        layer = next(m for m in model.modules() if isinstance(m, GraphLayer))
        assert layer.project.out_features == 16 * len(GROUPINGS[groups])


def test_graph_layer_is_equation_3_9() -> None:
    config = replace(SMALL, width=4)
    matrices = group_adjacency(H36M_17, config)
    layer = GraphLayer(torch.tensor(matrices, dtype=torch.float32), config, activate=False)
    x = torch.randn(1, 17, 4)
    maps = layer.project.weight.reshape(3, 4, 4)
    biases = layer.project.bias.reshape(3, 4)
    expected = sum(
        torch.tensor(matrices[k], dtype=torch.float32) @ (x[0] @ maps[k].T + biases[k])
        for k in range(3)
    )
    torch.testing.assert_close(layer(x)[0], expected)


def test_attention_is_equation_3_2() -> None:
    config = replace(SMALL, width=8, heads=1)
    for literal in (False, True):
        encoder = TransformerEncoder(17, replace(config, heads=2, literal_scale=literal))
        x = torch.randn(1, 17, 8)
        q, k, v = encoder.qkv(x)[0].split(8, dim=-1)
        divisor = 8**0.5 if literal else 4**0.5
        heads = [
            torch.softmax(q[:, h] @ k[:, h].T / divisor, -1) @ v[:, h]
            for h in (slice(0, 4), slice(4, 8))
        ]
        expected = encoder.project(torch.cat(heads, -1))
        torch.testing.assert_close(encoder.attention(x)[0], expected)


def test_plain_block_has_one_residual_around_the_pair() -> None:
    adjacency = torch.tensor(group_adjacency(H36M_17), dtype=torch.float32)
    x = torch.randn(2, 17, 16)
    block = GCNBlock(adjacency, SMALL)
    torch.testing.assert_close(block(x), x + block.second(block.first(x)))
    block = GCNBlock(adjacency, replace(SMALL, block="two_residual"))
    middle = x + block.first(x)
    torch.testing.assert_close(block(x), middle + block.second(middle))


def test_other_blocks_are_those_of_figure_4_2() -> None:
    adjacency = torch.tensor(group_adjacency(H36M_17), dtype=torch.float32)
    x = torch.randn(2, 17, 16)
    block = at_random(GCNBlock(adjacency, replace(SMALL, block="transformer")))
    middle = x + block.graph(block.norm1(x))
    torch.testing.assert_close(block(x), middle + block.mlp(block.norm2(middle)))
    block = at_random(GCNBlock(adjacency, replace(SMALL, block="convnext")))
    torch.testing.assert_close(block(x), x + block.mlp(block.norm1(block.graph(x))))


def test_encoder_is_equations_3_5_to_3_7() -> None:
    encoder = at_random(TransformerEncoder(17, SMALL))
    x = torch.randn(2, 17, 16)
    placed = x + encoder.position
    middle = placed + encoder.attention(encoder.norm1(placed))
    torch.testing.assert_close(encoder(x), middle + encoder.mlp(encoder.norm2(middle)))


def test_activations() -> None:
    def kinds(**change: str) -> list[list[type[nn.Module]]]:
        model = AMPose(replace(SMALL, **change))
        encoder, block = model.layers[:2]
        return [[type(m) for m in part] for part in (encoder.mlp, block.first.after)]

    norm, linear = nn.LayerNorm, nn.Linear
    assert kinds() == [[linear, nn.GELU, linear], [norm, nn.GELU]]
    assert kinds(activation="relu") == [[linear, nn.ReLU, linear], [norm, nn.ReLU]]
    assert kinds(graph_order="activation_norm")[1] == [nn.GELU, norm]


def test_written_out() -> None:
    model = at_random(AMPose(SMALL))
    x = torch.randn(2, 1, 17, 3)
    z = model.embed(x[:, 0])
    for layer in model.layers:
        z = layer(z)
    torch.testing.assert_close(model(x), model.head(model.norm(z)))


@pytest.mark.parametrize(
    ("block", "branches"), [("plain", 1), ("two_residual", 2), ("transformer", 2), ("convnext", 1)]
)
def test_dropout_is_on_every_branch(block: str, branches: int) -> None:
    model = AMPose(replace(SMALL, block=block, dropout=0.3))
    assert dropouts(model) == [0.3] * SMALL.depth * (2 + branches)
