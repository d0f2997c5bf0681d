from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.graformer import (
    ChebyshevBlock,
    ChebyshevLayer,
    GraAttention,
    GraFormer,
    GraFormerConfig,
    LearntGraph,
    chebyshev_basis,
)
from ampose.research.models.stacked_hourglass import StackedHourglass, StackedHourglassConfig
from ampose.skeletons import H36M_16, H36M_17, HUMANEVA_15, MPI_3DHP_17
from tests.research.models.contract import LifterContract
from tests.research.models.hops import hops_between
from tests.research.models.written_out import at_random, dropouts

SMALL = GraFormerConfig(depth=2, width=8, heads=2, channels=3)


class TestGraFormer(LifterContract):
    config = SMALL
    impossible = (
        ({"heads": 3}, "8 does not divide into 3 heads"),
        ({"order": 0}, "order must be at least 1, got 0"),
        ({"attention_dropout": 1.0}, "dropout must be at least 0 and below 1"),
    )


@pytest.mark.parametrize(
    ("depth", "width", "count", "macs"),
    [(5, 96, 654_179, 11_771_904), (6, 128, 1_389_827, 24_313_344)],  # ground truth, detections
)
def test_parameters_and_operations_of_the_published_models(depth, width, count, macs) -> None:
    model = GraFormer(GraFormerConfig(depth=depth, width=width, skeleton="h36m_16")).eval()
    attention = 4 * (width + 1) * width
    graphs = 16**2 + (width + 1) * 2 * width + (2 * width + 1) * width
    chebyshev = 2 * (3 * width + 1) * width
    ends = (3 * 2 + 1) * width + (3 * width + 1) * 3
    expected = depth * (attention + graphs + 4 * width + chebyshev) + ends
    assert count_parameters(model) == expected == count
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 16, 2))
    assert counter.get_total_flops() == 2 * macs


def test_size_is_what_the_paper_says() -> None:
    counted = count_parameters(GraFormer(GraFormerConfig(skeleton="h36m_16")))
    hourglass = StackedHourglass(StackedHourglassConfig(skeleton="h36m_16"))
    assert f"{counted / 1e6:.2f}" == "0.65"
    assert round(100 * counted / count_parameters(hourglass)) == 18  # its abstract, in per cent


def test_frames_become_numbers_of_the_same_joint() -> None:
    model = GraFormer(replace(SMALL, frames=3, channels=2)).eval()
    x = torch.randn(2, 3, 17, 2)
    seen: list[torch.Tensor] = []
    model.embed.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    assert model(x).shape == (2, 17, 3)
    assert torch.equal(seen[0][1, 5], x[1, :, 5].flatten())


class TestChebyshev:
    @pytest.mark.parametrize("skeleton", [H36M_16, H36M_17, MPI_3DHP_17, HUMANEVA_15])
    def test_polynomials_reach_as_many_bones_as_their_degree(self, skeleton) -> None:
        distance = hops_between(len(skeleton), skeleton.edges)
        for degree, term in enumerate(chebyshev_basis(skeleton, 3)):
            assert not term[distance > degree].any()
            assert term[distance == degree].all()

    def test_first_terms(self) -> None:
        one, laplacian, second, third = chebyshev_basis(H36M_17, 3)
        np.testing.assert_array_equal(one, np.eye(17))
        np.testing.assert_allclose(laplacian.sum(1), 0, atol=1e-15)
        knee, hip, ankle = H36M_17.indices(["left_knee", "left_hip", "left_ankle"])
        assert laplacian[knee, knee] == pytest.approx(2 / 3)  # one less itself among three
        assert laplacian[knee, hip] == laplacian[knee, ankle] == pytest.approx(-1 / 3)
        assert laplacian[ankle, knee] == pytest.approx(-1 / 2)
        square = laplacian @ laplacian
        np.testing.assert_allclose(second, 2 * square - one, atol=1e-15)
        np.testing.assert_allclose(third, 4 * square @ laplacian - 3 * laplacian, atol=1e-14)

    def test_layer_is_a_sum_of_one_map_per_polynomial(self) -> None:
        basis = torch.tensor(chebyshev_basis(H36M_17, 2), dtype=torch.float32)
        layer = ChebyshevLayer(basis, 4, 5)
        x = torch.randn(2, 17, 4)
        maps = layer.map.weight.split(4, dim=1)
        expected = sum(basis[k] @ x @ maps[k].T for k in range(3)) + layer.map.bias
        torch.testing.assert_close(layer(x), expected)

    def test_one_residual_around_a_pair_that_ends_in_a_relu(self) -> None:
        basis = torch.tensor(chebyshev_basis(H36M_17, 2), dtype=torch.float32)
        block = ChebyshevBlock(basis, SMALL).eval()
        x = torch.randn(2, 17, 8)
        first, second = block.pair[0], block.pair[3]
        torch.testing.assert_close(block(x), x + second(first(x).relu()).relu())


class TestLearntGraph:
    def test_begins_with_every_joint_for_itself(self) -> None:
        graph = LearntGraph(17, 8)
        x = torch.randn(1, 17, 8)
        moved = x.clone()
        moved[:, 5] += 1
        changed = (graph(moved) - graph(x)).abs().amax(-1)[0]
        assert changed.nonzero().flatten().tolist() == [5]

    def test_both_layers_use_one_adjacency_normalised_by_its_column_sums(self) -> None:
        graph = LearntGraph(3, 4)
        learnt = torch.tensor([[1.0, 0.5, 0.0], [0.0, 2.0, 0.3], [0.0, 0.0, 1.0]])
        graph.adjacency.data = learnt
        columns = np.array([1.0, 2.5, 1.3])
        normal = torch.tensor(learnt.numpy() / np.sqrt(np.outer(columns, columns)))
        x = torch.randn(2, 3, 4)
        hidden = (normal.float() @ x) @ graph.widen.weight.T + graph.widen.bias
        out = (normal.float() @ hidden.relu()) @ graph.narrow.weight.T + graph.narrow.bias
        torch.testing.assert_close(graph(x), out)

    def test_a_negative_column_sum_gives_numbers(self) -> None:
        graph = LearntGraph(3, 4)
        graph.adjacency.data[0, 0] = -0.5
        out = graph(torch.randn(2, 3, 4))
        out.sum().backward()
        assert torch.isfinite(out).all()
        assert torch.isfinite(graph.adjacency.grad).all()


def test_attention_has_heads_of_their_own_scale() -> None:
    layer = GraAttention(17, SMALL).eval()
    x = torch.randn(1, 17, 8)
    q, k, v = layer.qkv(x)[0].split(8, dim=-1)
    heads = [
        torch.softmax(q[:, h] @ k[:, h].T / 2, -1) @ v[:, h] for h in (slice(0, 4), slice(4, 8))
    ]
    torch.testing.assert_close(layer.attention(x)[0], layer.project(torch.cat(heads, -1)))


def test_attention_knows_no_joint_by_its_place() -> None:
    layer = GraAttention(17, SMALL).eval()  # its learnt graph begins as the identity
    x = torch.randn(2, 17, 8)
    order = torch.randperm(17)
    torch.testing.assert_close(layer(x)[:, order], layer(x[:, order]))
    assert not torch.allclose(layer(x), x)


def test_written_out() -> None:
    model = at_random(GraFormer(SMALL))
    x = torch.randn(2, 1, 17, 3)
    z = model.embed(x[:, 0])
    for block, pair in zip(model.layers[::2], model.layers[1::2], strict=True):
        z = z + block.attention(block.norm1(z))
        z = z + block.graph(block.norm2(z))
        z = z + pair.pair(z)
    torch.testing.assert_close(model(x), model.head(z))


def test_dropouts_are_the_authors() -> None:
    # On attention weights, on the two branches, after the two Chebyshev layers.
    assert dropouts(GraFormer(GraFormerConfig())) == [0.1, 0.25, 0.25, 0.1, 0.1] * 5
