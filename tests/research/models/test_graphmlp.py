from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import cost
from ampose.research.models.graphmlp import (
    GraphMLP,
    GraphMLPConfig,
    GraphMLPLayer,
    mean_adjacency,
)
from ampose.skeletons import H36M_16, H36M_17, HUMANEVA_15, MPI_3DHP_17
from tests.research.models.contract import LifterContract
from tests.research.models.written_out import at_random, dropouts

SMALL = GraphMLPConfig(depth=2, width=8, spatial_hidden=12, channel_hidden=16, channels=3)


class TestGraphMLP(LifterContract):
    config = SMALL
    impossible = (({"drop_path": 1.0}, "drop_path must be at least 0 and below 1, got 1.0"),)


class TestGraphMLPOf3Frames(LifterContract):
    config = replace(SMALL, frames=3, channels=2)


def test_parameters_and_operations_of_the_single_frame_model() -> None:
    model = GraphMLP(GraphMLPConfig()).eval()
    counted = cost(model)
    assert counted.parameters == 9_488_284
    assert f"{counted.parameters / 1e6:.2f}" == "9.49"  # README of the authors
    assert counted.linear_macs == 173_844_992
    assert f"{2 * counted.thop_macs / 1e6:.0f}" == "348"  # theirs: products and sums
    with FlopCounterMode(display=False) as independent:
        model(torch.zeros(1, 1, 17, 2))
    assert independent.get_total_flops() == 2 * counted.all_macs == 2 * 177_396_224


@pytest.mark.parametrize(
    ("frames", "count", "printed", "operations"),
    [
        (27, 9_516_546, "9.51", 349.01),
        (81, 9_571_842, "9.57", 350.89),
        (243, 9_737_730, "9.73", 356.53),  # printed: 349, 351 and 356
    ],
)
def test_further_frames_cost_little(frames, count, printed, operations) -> None:
    counted = cost(GraphMLP(GraphMLPConfig(frames=frames)))
    assert counted.parameters == count
    assert f"{counted.linear_parameters / 1e6:.2f}" == printed
    assert 2 * counted.thop_macs / 1e6 == pytest.approx(operations, abs=0.005)


class TestAdjacency:
    @pytest.mark.parametrize("skeleton", [H36M_17, H36M_16, MPI_3DHP_17, HUMANEVA_15])
    def test_a_joint_takes_the_mean_of_its_neighbours(self, skeleton) -> None:
        whole = mean_adjacency(skeleton).sum(0)
        np.testing.assert_allclose(whole.sum(1), 1)
        for joint, row in enumerate(whole):
            neighbours = {joint, skeleton.mirror[joint], skeleton.parents[joint]} - {-1}
            neighbours |= {j for j, parent in enumerate(skeleton.parents) if parent == joint}
            assert set(np.flatnonzero(row)) == neighbours
            np.testing.assert_allclose(row[sorted(neighbours)], 1 / len(neighbours))

    def test_groups(self) -> None:
        centre, closer, farther, symmetric = mean_adjacency(H36M_17)
        knee, hip, ankle, other = H36M_17.indices(
            ["left_knee", "left_hip", "left_ankle", "right_knee"]
        )
        for group, joint in ((centre, knee), (closer, hip), (farther, ankle), (symmetric, other)):
            assert np.flatnonzero(group[knee]).tolist() == [joint]
            assert group[knee, joint] == 0.25


def without(module: nn.Module, *parts: str) -> None:
    """Zeroes those parts of a layer."""
    for part in parts:
        for parameter in module.get_submodule(part).parameters():
            nn.init.zeros_(parameter)


def test_the_channel_graph_reaches_neighbours_only() -> None:
    layer = GraphMLPLayer(0.0, SMALL)
    without(layer, "spatial_mlp", "spatial_graph", "channel_mlp")
    x = torch.randn(1, 17, 8, requires_grad=True)
    layer(x)[0, H36M_17.index("left_wrist")].square().sum().backward()
    reached = x.grad[0].abs().sum(-1).nonzero().flatten().tolist()
    assert sorted(reached) == sorted(H36M_17.indices(["left_wrist", "left_elbow", "right_wrist"]))


def test_the_spatial_mlp_is_the_same_for_every_channel() -> None:
    layer = GraphMLPLayer(0.0, SMALL).eval()
    without(layer, "spatial_graph", "channel_mlp", "channel_graph")
    x, order = torch.randn(2, 17, 8), torch.randperm(8)
    torch.testing.assert_close(layer(x[..., order]), layer(x)[..., order])
    joints = torch.arange(17).roll(1)
    assert not torch.allclose(layer(x[:, joints]), layer(x)[:, joints], atol=1e-3)


def test_the_channel_mlp_is_the_same_for_every_joint() -> None:
    layer = GraphMLPLayer(0.0, SMALL).eval()
    without(layer, "spatial_mlp", "spatial_graph", "channel_graph")
    x, joints = torch.randn(2, 17, 8), torch.randperm(17)
    torch.testing.assert_close(layer(x[:, joints]), layer(x)[:, joints])


def test_a_layer_written_out() -> None:
    layer = at_random(GraphMLPLayer(0.0, SMALL))
    adjacency = torch.tensor(mean_adjacency(H36M_17), dtype=torch.float32)

    def mlp(x: torch.Tensor, module: nn.Sequential) -> torch.Tensor:
        first, last = (m for m in module if isinstance(m, nn.Linear))
        hidden = F.gelu(x @ first.weight.T + first.bias)
        return hidden @ last.weight.T + last.bias

    def graph(x: torch.Tensor, project: nn.Linear) -> torch.Tensor:
        maps = project.weight.reshape(4, 8, 8), project.bias.reshape(4, 8)
        return sum(
            group @ (x @ weight.T + bias)
            for group, weight, bias in zip(adjacency, *maps, strict=True)
        )

    def norm(x: torch.Tensor, module: nn.LayerNorm) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], eps=1e-6) * module.weight + module.bias

    x = torch.randn(17, 8)
    across = norm(x.T, layer.spatial_norm)
    middle = x + mlp(across, layer.spatial_mlp).T + graph(across.T, layer.spatial_graph.project)
    normed = norm(middle, layer.channel_norm)
    out = middle + mlp(normed, layer.channel_mlp) + graph(normed, layer.channel_graph.project)
    torch.testing.assert_close(layer(x[None])[0], out)


def test_written_out() -> None:
    model = at_random(GraphMLP(SMALL))
    first, second = model.layers
    x = torch.randn(2, 1, 17, 3)
    expected = model.head(model.norm(second(first(model.embed(x[:, 0])))))
    torch.testing.assert_close(model(x), expected)


def test_dropout_follows_every_map_of_the_mlps() -> None:
    assert dropouts(GraphMLP(GraphMLPConfig())) == [0.1] * 3 * 2 * 2


def test_the_spatial_mlp_normalises_only_several_frames() -> None:
    def kinds(frames: int, part: str) -> list[str]:
        layer = GraphMLP(replace(SMALL, frames=frames)).layers[0]
        return [type(m).__name__ for m in layer.get_submodule(part)]

    plain = ["Linear", "GELU", "Dropout", "Linear", "Dropout"]
    normed = ["Linear", "LayerNorm", "GELU", "Dropout", "Linear", "LayerNorm", "Dropout"]
    assert kinds(1, "spatial_mlp") == kinds(1, "channel_mlp") == kinds(3, "channel_mlp") == plain
    assert kinds(3, "spatial_mlp") == normed


def test_drop_path_leaves_out_both_branches_of_a_half() -> None:
    assert [layer.drop_path.rate for layer in GraphMLP(GraphMLPConfig()).layers] == [0, 0.1, 0.2]
    torch.manual_seed(0)
    layer = GraphMLPLayer(0.5, replace(SMALL, dropout=0.0)).train()
    x = torch.randn(1, 17, 8)
    outcomes = layer(x.expand(400, 17, 8))
    assert len(outcomes.flatten(1).unique(dim=0)) == 4  # each half is left out or not
    assert (outcomes == x).all((1, 2)).any()  # and both
