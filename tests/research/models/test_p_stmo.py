from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.p_stmo import PSTMO, PSTMOConfig, SpatialMLP, StridedLayer
from ampose.research.models.transformer import SelfAttention
from tests.research.models.contract import LifterContract

SMALL = PSTMOConfig(depth=1, width=16, hidden=24, heads=2, frames=9, channels=3)


class TestPSTMO(LifterContract):
    config = SMALL
    impossible = (
        ({"heads": 3}, "width 16 does not divide into 3 heads"),
        ({"frames": 1}, "frames must be a power of 3, as 9, 27, 81 or 243, got 1"),
        ({"frames": 45}, "frames must be a power of 3"),
    )


@pytest.mark.parametrize("frames", [3, 27])
def test_other_lengths(frames: int) -> None:
    model = PSTMO(replace(SMALL, frames=frames, skeleton="mpi_3dhp_17"))
    assert model(torch.randn(2, frames, 17, 3)).shape == (2, 17, 3)


SECOND_HEAD = 2 * 256 + 256 * 51 + 51
"""The program's head for all frames, which only training needs: BatchNorm and a linear map."""


@pytest.mark.parametrize(
    ("frames", "depth", "count", "of_thop"),
    [
        (81, 3, 5_481_011, 5_436_006),  # P-STMO-S; the thesis prints 5.4 M
        (243, 3, 6_373_939, 6_224_230),  # the paper, from memory: 6.2 M
        (243, 4, 6_901_043, 6_750_310),  # P-STMO; the paper, from memory: 6.7 M
    ],
)
def test_parameters(frames: int, depth: int, count: int, of_thop: int) -> None:
    with torch.device("meta"):
        model = PSTMO(PSTMOConfig(frames=frames, depth=depth))
    c, joints = 256, 17
    spatial = (2 * joints + 1) * 512 + 2 * (512 + 1) * 512 + 3 * 2 * 512 + (512 + 1) * c
    attention = 4 * (c + 1) * c
    plain = attention + (c + 1) * 512 + (512 + 1) * c
    strided = attention + (c + 1) * 512 + (3 * 512 + 1) * c
    layers = {81: 4, 243: 5}[frames]
    counted = spatial + depth * plain + layers * strided + 2 * c + (c + 1) * 51
    positions = frames + sum(3**n for n in range(1, layers + 1))
    norms = 2 * (depth + layers)
    assert counted + SECOND_HEAD == of_thop
    assert count_parameters(model) == counted + (positions + 2 * norms) * c == count


@pytest.mark.parametrize(
    ("frames", "depth", "printed"),
    [(81, 3, "493"), (243, 3, "1482"), (243, 4, "1737")],
)
def test_the_papers_flops_are_twice_what_thop_counts(
    frames: int, depth: int, printed: str
) -> None:
    """493 is the thesis's, the others the paper's, from memory.

    thop's rule: of convolutions with biases, of linear layers without; BatchNorm twice.
    """
    with torch.device("meta"):
        model = PSTMO(PSTMOConfig(frames=frames, depth=depth)).eval()
    attention = {m for a in model.modules() if isinstance(a, SelfAttention) for m in a.modules()}
    temporal = set(model.temporal.modules())
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Linear | nn.Conv1d):
            # The program writes these as convolutions, except in attention and plain layers.
            biased = module not in attention | temporal
            total += out.numel() * (module.weight[0].numel() + biased)
        elif isinstance(module, nn.BatchNorm1d):
            total += 2 * out.numel()
        elif isinstance(module, nn.LeakyReLU):
            total += out.numel()

    for module in model.modules():
        module.register_forward_hook(count)
    model(torch.zeros(1, frames, 17, 2, device="meta"))
    total += frames * (51 * (256 + 1) + 2 * 256)  # the second head
    if frames == 81:
        assert total == 246_517_590
    assert f"{2 * total / 1e6:.0f}" == printed


def test_multiply_accumulates() -> None:
    with torch.device("meta"):
        model, x = PSTMO(PSTMOConfig()).eval(), torch.zeros(1, 81, 17, 2)
        with FlopCounterMode(display=False) as counter:
            model(x)
    c, lengths = 256, (81, 27, 9, 3)
    spatial = 81 * (34 * 512 + 2 * 512**2 + 512 * c)
    linear = spatial + (3 * 81 + sum(lengths)) * 8 * c**2 + c * 51
    products = 2 * c * (3 * 81**2 + sum(n**2 for n in lengths))
    assert counter.get_total_flops() == 2 * (linear + products)


def without_attention(module: nn.Module) -> nn.Module:
    for attention in module.modules():
        if isinstance(attention, SelfAttention):
            nn.init.zeros_(attention.project.weight)
    return module.eval()


class TestAggregator:
    @pytest.mark.parametrize("frames", [9, 27, 81])
    def test_what_passes_no_attention_comes_from_the_first_half(self, frames: int) -> None:
        """Output i of a strided layer is centred on frame 3i, from the first layer to the last."""
        torch.manual_seed(0)
        model = without_attention(PSTMO(replace(SMALL, frames=frames)))
        x = torch.randn(1, frames, 17, 3, requires_grad=True)
        (model(x) * torch.randn(17, 3)).sum().backward()
        matters = x.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist()
        assert matters == list(range((frames - 1) // 2 + 1))

    def test_a_layer_leaves_every_third_frame(self) -> None:
        layer = without_attention(StridedLayer(9, SMALL))
        nn.init.zeros_(layer.reduce.weight)
        nn.init.zeros_(layer.reduce.bias)
        nn.init.zeros_(layer.attention.project.bias)
        x = torch.randn(2, 9, 16)
        torch.testing.assert_close(layer(x), (x + layer.position)[:, [0, 3, 6]])

    def test_its_convolution_reads_three_neighbours(self) -> None:
        layer = without_attention(StridedLayer(9, SMALL))
        x = torch.randn(1, 9, 16, requires_grad=True)
        for i, neighbours in enumerate(([0, 1], [2, 3, 4], [5, 6, 7])):
            (grad,) = torch.autograd.grad(layer(x)[0, i].square().sum(), x)
            assert grad[0].abs().sum(-1).nonzero().flatten().tolist() == neighbours

    def test_layers_see_thirds_of_what_is_left(self) -> None:
        model = PSTMO(replace(SMALL, frames=81))
        assert [len(layer.position) for layer in model.aggregate] == [81, 27, 9, 3]

    def test_attention_sees_all_frames(self) -> None:
        layer = StridedLayer(9, SMALL).eval()
        x = torch.randn(1, 9, 16, requires_grad=True)
        (grad,) = torch.autograd.grad(layer(x)[0, 2].square().sum(), x)
        assert (grad[0].abs().sum(-1) > 0).all()


class TestSpatialMLP:
    def test_frames_are_encoded_alike_and_apart(self) -> None:
        mlp = SpatialMLP(51, SMALL).eval()
        x = torch.randn(2, 9, 51)
        out = mlp(x)
        assert out.shape == (2, 9, 16)
        torch.testing.assert_close(mlp(x.flip(1)), out.flip(1))
        torch.testing.assert_close(mlp(x[:, 4:5]), out[:, 4:5])

    def test_the_residual_is_around_both_inner_layers(self) -> None:
        mlp = SpatialMLP(51, SMALL).eval()
        for layer in mlp.block:
            nn.init.zeros_(layer[1].weight)
        x = torch.randn(2, 9, 51)
        torch.testing.assert_close(mlp(x), mlp.end(mlp.start(x.flatten(0, 1))).reshape(2, 9, 16))

    def test_leaks_a_fifth(self) -> None:
        relus = [m for m in SpatialMLP(51, SMALL).modules() if isinstance(m, nn.LeakyReLU)]
        assert [m.negative_slope for m in relus] == [0.2] * 3

    def test_normalises_over_samples_and_frames(self) -> None:
        mlp = SpatialMLP(51, replace(SMALL, dropout=0.0)).train()
        given = torch.randn(4, 9, 51)
        linear = mlp.start[0](given)
        mlp(given)
        torch.testing.assert_close(mlp.start[1].running_mean, 0.1 * linear.mean((0, 1)))


def test_temporal_layers_use_relu_and_drop_attention_weights() -> None:
    model = PSTMO(replace(SMALL, depth=2, dropout=0.3))
    for block in model.temporal:
        assert [type(m) for m in block.mlp[1:3]] == [nn.ReLU, nn.Dropout]
    assert len([m for m in model.modules() if isinstance(m, SelfAttention)]) == 2 + 2
    assert {m.p for m in model.modules() if isinstance(m, nn.Dropout)} == {0.3}
