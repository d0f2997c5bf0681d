from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.mhformer import (
    CrossAttention,
    Embedding,
    Generation,
    Interaction,
    MHFormer,
    MHFormerConfig,
    Mixing,
    Refinement,
)
from tests.research.models.contract import LifterContract
from tests.research.models.written_out import at_random, dropouts

SMALL = MHFormerConfig(
    generation_depth=1, refinement_depth=1, width=16, hidden=24, heads=2, channels=3
)


class TestMHFormer(LifterContract):
    config = SMALL
    impossible = (
        ({"heads": 3}, "width 16 does not divide into 3 heads"),
        ({"frames": 1}, "frames must be an odd multiple of the 9 generation heads, got 1"),
        ({"frames": 15}, "frames must be an odd multiple"),
    )


@pytest.mark.parametrize("frames", [27, 45])
def test_other_lengths(frames: int) -> None:
    model = MHFormer(replace(SMALL, frames=frames, skeleton="mpi_3dhp_17"))
    assert model(torch.randn(2, frames, 17, 3)).shape == (2, 17, 3)


def test_parameters() -> None:
    with torch.device("meta"):
        model = MHFormer(MHFormerConfig())
    # Refinement and interaction, of 4 C^2 per attention and 2 x 3C x 1,024 per mixing, make up
    # the 18.9 M of the thesis's table 4.5; the rest is what that leaves out.
    c = 512
    mixing = 2 * 3 * c * 1024 + 3 * c + 1024 + 2 * 3 * c
    refinement = 3 * (4 * c**2 + 4 * c) + 3 * 2 * c + mixing
    interaction = 3 * (4 * c**2 + 4 * c) + 9 * 2 * c + mixing
    stages = count_parameters(model.refine) + count_parameters(model.interact)
    assert stages == 2 * refinement + interaction == 18_925_056
    assert f"{stages / 1e6:.1f}" == "18.9"
    # Generation: 3 x 4 layers of width 9; embeddings with BatchNorm; positions; norms and head.
    generation = 3 * (4 * (8 * 81 + 11 * 9) + 34 * 9 + 2 * 2 * 9)
    embeddings = 3 * (34 * c + c + 2 * c)
    rest = 3 * 9 * c + 2 * 2 * 3 * c + 3 * c * 51 + 51
    assert count_parameters(model) == stages + generation + embeddings + rest == 19_090_233


@pytest.mark.parametrize(("frames", "printed"), [(9, "0.34"), (27, "1.03")])
def test_the_thesiss_cost_is_that_of_27_frames_counted_twice(frames: int, printed: str) -> None:
    with torch.device("meta"):
        config = MHFormerConfig(frames=frames)
        model, x = MHFormer(config).eval(), torch.zeros(1, frames, 17, 2)
        with FlopCounterMode(display=False) as counter:
            model(x)
    c, t = 512, frames
    stages = t * 72 * c**2 + 9 * 2 * t**2 * c
    generation = 12 * 34 * (8 * t**2 + 2 * 34 * t)
    rest = t * 3 * 34 * c + 3 * c * 51
    assert counter.get_total_flops() == 2 * (stages + generation + rest)
    assert f"{2 * stages / 1e9:.2f}" == printed  # the thesis: 1,030 M, in the row of 9 frames


def test_embeddings_of_short_sequences_are_normalised() -> None:
    short, long = (Embedding(34, replace(SMALL, frames=t)) for t in (27, 45))
    assert [type(m) for m in short.after] == [nn.BatchNorm1d, nn.ReLU, nn.Dropout]
    assert short.after[2].p == 0.25
    assert len(long.after) == 0
    x = torch.randn(2, 34, 45)
    torch.testing.assert_close(long(x), long.linear(x.transpose(1, 2)))
    # BatchNorm is over samples and frames, as of a Conv1d's output.
    given = torch.randn(4, 34, 27)
    linear = short.linear(given.transpose(1, 2))
    mean, variance = linear.mean((0, 1)), linear.var((0, 1), correction=0)
    short.after[2].p = 0.0
    torch.testing.assert_close(
        short(given), torch.relu((linear - mean) / (variance + 1e-5) ** 0.5)
    )


class TestGeneration:
    def test_tokens_are_courses_of_single_coordinates(self) -> None:
        model = MHFormer(SMALL)
        given: list[torch.Tensor] = []
        model.generate[0].register_forward_hook(lambda _, inputs, __: given.append(inputs[0]))
        x = torch.randn(1, 9, 17, 3)
        model.eval()(x)
        assert given[0].shape == (1, 51, 9)
        assert torch.equal(given[0][0, 3 * 5 + 1], x[0, :, 5, 1])

    def test_coordinates_meet_in_attention_only(self) -> None:
        stage = Generation(34, SMALL).eval()
        x = torch.randn(1, 34, 9, requires_grad=True)
        weights = torch.randn(9)
        (grad,) = torch.autograd.grad((stage(x)[0, 6] * weights).sum(), x)
        assert (grad[0].abs().sum(-1) > 0).all()
        for block in stage.layers[1:-1]:
            nn.init.zeros_(block.attention.project.weight)
        (grad,) = torch.autograd.grad((stage(x)[0, 6] * weights).sum(), x)
        assert (grad[0].abs().sum(-1) > 0).nonzero().flatten().tolist() == [6]

    def test_written_out(self) -> None:
        stage = at_random(Generation(34, replace(SMALL, generation_depth=2)))
        _, first, second, norm = stage.layers
        x = torch.randn(2, 34, 9)
        expected = x + norm(second(first(stage.norm(x) + stage.position)))
        torch.testing.assert_close(stage(x), expected)

    def test_each_hypothesis_starts_from_the_one_before(self) -> None:
        model = MHFormer(SMALL).eval()
        calls: list[tuple[torch.Tensor, torch.Tensor]] = []
        for stage in model.generate:
            stage.register_forward_hook(lambda _, inputs, out: calls.append((inputs[0], out)))
        embedded: list[torch.Tensor] = []
        for embedding in model.embed:
            embedding.register_forward_hook(lambda _, inputs, __: embedded.append(inputs[0]))
        model(torch.randn(1, 9, 17, 3))
        given, made = zip(*calls, strict=True)
        assert all(a is b for a, b in zip(given[1:], made[:-1], strict=True))
        assert all(a is b for a, b in zip(embedded, made, strict=True))


class TestHypotheses:
    @staticmethod
    def sources(layer: nn.Module) -> list[list[int]]:
        """For each hypothesis that comes out of a layer, those that go in and matter to it."""
        hypotheses = [torch.randn(1, 9, 16, requires_grad=True) for _ in range(3)]
        found = []
        for out in layer(hypotheses):
            grads = torch.autograd.grad(
                (out * torch.randn(16)).sum(), hypotheses, retain_graph=True, allow_unused=True
            )
            found.append([i for i, g in enumerate(grads) if g is not None and g.any()])
        return found

    @staticmethod
    def unmixed(layer: nn.Module) -> nn.Module:
        nn.init.zeros_(layer.mix.mlp[3].weight)
        return layer.eval()

    def test_refinement_is_each_by_itself_until_they_mix(self) -> None:
        layer = Refinement(SMALL, 0.0).eval()
        assert self.sources(layer) == [[0, 1, 2]] * 3
        assert self.sources(self.unmixed(layer)) == [[0], [1], [2]]

    def test_interaction_lets_each_see_the_others(self) -> None:
        assert self.sources(self.unmixed(Interaction(SMALL, 0.0))) == [[0, 1, 2]] * 3

    def test_interaction_queries_and_keys_are_of_the_others_and_in_turn(self) -> None:
        layer = self.unmixed(Interaction(SMALL, 0.0))
        a, b, c = torch.randn(3, 1, 9, 16)
        biases = list(layer.mix.mlp[3].bias.chunk(3))
        cross = layer.attentions
        first = a + cross[0](b, c, a)
        second = b + cross[1](first, c, b)
        third = c + cross[2](first, second, c)
        for out, z, bias in zip(layer([a, b, c]), (first, second, third), biases, strict=True):
            torch.testing.assert_close(out, z + bias)

    def test_cross_attention_is_torchs(self) -> None:
        attention = CrossAttention(SMALL)
        torchs = nn.MultiheadAttention(16, 2, batch_first=True)
        with torch.no_grad():
            torchs.in_proj_weight.copy_(torch.cat([part.weight for part in attention.qkv]))
            torchs.in_proj_bias.copy_(torch.cat([part.bias for part in attention.qkv]))
        torchs.out_proj = attention.project
        three = torch.randn(3, 2, 9, 16)
        normed = [norm(z) for norm, z in zip(attention.norms, three, strict=True)]
        torch.testing.assert_close(attention(*three), torchs(*normed)[0])

    def test_mixing_joins_along_channels(self) -> None:
        mix = Mixing(SMALL, 0.0).eval()
        hypotheses = list(torch.randn(3, 2, 9, 16))
        joined = torch.cat(hypotheses, -1)
        expected = joined + mix.mlp(mix.norm(joined))
        torch.testing.assert_close(torch.cat(mix(hypotheses), -1), expected)


def test_written_out() -> None:
    model = at_random(MHFormer(SMALL))
    x = torch.randn(2, 9, 17, 3)
    courses, hypotheses = x.reshape(2, 9, 51).transpose(1, 2), []
    for generate, embed, position in zip(
        model.generate, model.embed, model.positions, strict=True
    ):
        courses = generate(courses)
        hypotheses.append(embed(courses) + position)
    (refine,), (interact,) = model.refine, model.interact
    middle = torch.cat(interact(refine(hypotheses)), dim=-1)[:, 4]
    expected = model.head(model.batch_norm(model.norm(middle)))
    torch.testing.assert_close(model(x), expected.reshape(2, 17, 3))


def test_dropouts_are_the_authors() -> None:
    generation = [0.1] * (1 + 4 * 3)  # after the positions; in a layer one after attention
    stages = 3 * [*generation, 0.25, 0.1]  # embedding, positions
    assert dropouts(MHFormer(MHFormerConfig())) == stages + 3 * [0.1] * (3 + 2)


def test_without_attention_and_generation_only_the_middle_frame_is_left() -> None:
    torch.manual_seed(0)
    model = MHFormer(SMALL).eval()
    for stage in model.generate:
        nn.init.zeros_(stage.layers[-1].weight)
    for layer in (*model.refine, *model.interact):
        for attention in layer.attentions:
            nn.init.zeros_(attention.project.weight)
    x = torch.randn(1, 9, 17, 3, requires_grad=True)
    (model(x) * torch.randn(17, 3)).sum().backward()
    assert x.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist() == [4]


def test_stochastic_depth_rises_through_refinement_to_interaction() -> None:
    model = MHFormer(MHFormerConfig(width=16, heads=2, hidden=8))
    rates = [layer.drop_path.rate for layer in (*model.refine, *model.interact)]
    assert rates == [layer.mix.drop_path.rate for layer in (*model.refine, *model.interact)]
    assert rates == [0, 0.1, 0.2]
    blocks = [block.drop_path.rate for block in model.generate[0].layers[1:-1]]
    assert blocks == pytest.approx([0, 0.2 / 3, 0.4 / 3, 0.2])
