from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, Recipe
from ampose.research.training.optimisers import learning_rate, make_optimiser, parameter_groups
from tests.research.training.runs import TINY, OneLayer, tiny

MARTINEZ = tiny(model=MartinezConfig(width=16, channels=3))


class TestLearningRate:
    recipe = tiny(poses=100 * 8, learning_rate=0.2, warmup=0.1)
    plan = recipe.plan(0)

    def test_by_hand(self) -> None:
        rates = [learning_rate(self.recipe, self.plan, step) for step in range(100)]
        np.testing.assert_allclose(rates[:10], np.arange(1, 11) * 0.02)
        assert rates[10] == max(rates) == pytest.approx(0.2)
        assert rates[55] == pytest.approx(0.1)  # half way between 10 and 100
        assert rates[10 + 30] == pytest.approx(0.2 * 0.75)  # cos 60 degrees
        assert 0 < rates[99] < 1e-4
        assert learning_rate(self.recipe, self.plan, 100) == 0

    def test_without_warm_up_starts_at_the_peak(self) -> None:
        assert learning_rate(tiny(warmup=0.0), self.plan, 0) == TINY.learning_rate

    def test_of_the_thesis(self) -> None:
        """2.5e-5, times 0.98 after every epoch: 60 epochs, so 59 times at the end."""
        recipe = RECIPES["h36m-cpn-17"]
        plan = recipe.plan(2 * 1_559_752)
        steps = plan.steps_per_epoch
        rates = [learning_rate(recipe, plan, step) for step in range(0, plan.steps, steps)]
        np.testing.assert_allclose(rates, 2.5e-5 * 0.98 ** np.arange(60))
        assert rates[0] == 2.5e-5
        assert rates[59] == pytest.approx(7.59e-6, rel=1e-3)
        assert rates[59] * 0.98 == pytest.approx(7.44e-6, rel=1e-3)  # what a 61st would have
        for epoch in (0, 30, 59):  # it stays within an epoch
            last = learning_rate(recipe, plan, (epoch + 1) * steps - 1)
            assert last == rates[epoch]


class TestOptimiser:
    @pytest.mark.parametrize(
        ("name", "kind", "amsgrad"),
        [
            ("adamw", torch.optim.AdamW, False),
            ("adam", torch.optim.Adam, False),
            ("amsgrad", torch.optim.Adam, True),
        ],
    )
    def test_is_the_recipes(self, name: str, kind: type, amsgrad: bool) -> None:
        recipe = tiny(optimiser=name, learning_rate=0.3, weight_decay=0.2)
        optimiser = make_optimiser(recipe, build(recipe.model))
        assert type(optimiser) is kind
        assert [group["amsgrad"] for group in optimiser.param_groups] == [amsgrad] * 2
        assert [group["lr"] for group in optimiser.param_groups] == [0.3] * 2
        assert [group["weight_decay"] for group in optimiser.param_groups] == [0.2, 0.0]

    def test_only_adamw_decays_apart_from_the_gradient(self) -> None:
        """Without a gradient AdamW shrinks by rate times decay; Adam scales any pull to a rate."""
        moved = {}
        for name in ("adamw", "adam", "amsgrad"):
            model = OneLayer()
            torch.nn.init.constant_(model.layer.weight, 2.0)
            model.layer.weight.grad = torch.zeros(3, 3)
            recipe = tiny(optimiser=name, learning_rate=0.1, weight_decay=0.5)
            make_optimiser(recipe, model).step()
            moved[name] = model.layer.weight[0, 0].item()
        assert moved["adamw"] == pytest.approx(2 - 0.1 * 0.5 * 2)
        assert moved["adam"] == moved["amsgrad"] == pytest.approx(2 - 0.1)


class TestMuon:
    recipe = tiny(optimiser="muon", learning_rate=0.1, weight_decay=0.5)

    def test_takes_the_matrices_of_hidden_layers(self) -> None:
        model = build(self.recipe.model)
        name = {parameter: name for name, parameter in model.named_parameters()}
        muon, matrices, rest = (
            {name[p] for p in group["params"]}
            for group in make_optimiser(self.recipe, model).param_groups
        )
        assert sorted([*muon, *matrices, *rest]) == sorted(name.values())  # each once
        assert matrices == {"embed.weight", "head.weight"}  # from 3 channels, to 3 coordinates
        assert {"layers.0.qkv.weight", "layers.1.first.project.weight"} < muon
        assert {"embed.bias", "layers.0.position", "norm.weight"} < rest

    def test_steps_are_as_large_in_every_direction(self) -> None:
        """Singular values of a step are alike, and its RMS is 0.2 of the rate ([2], 2.2)."""
        model = nn.Sequential(nn.Linear(32, 64, bias=False))
        before = model[0].weight.detach().clone()
        torch.manual_seed(0)
        model[0].weight.grad = torch.randn(64, 4) @ torch.randn(4, 32) + torch.randn(64, 32)
        assert torch.linalg.cond(model[0].weight.grad) > 20
        make_optimiser(tiny(optimiser="muon", learning_rate=0.1, weight_decay=0.0), model).step()
        step = model[0].weight.detach() - before
        assert torch.linalg.cond(step) < 2.5  # five Newton-Schulz iterations leave that much
        assert step.pow(2).mean().sqrt() == pytest.approx(0.02, rel=0.25)

    def test_decays_apart_from_the_gradient(self) -> None:
        model = nn.Sequential(nn.Linear(16, 16, bias=False))
        nn.init.constant_(model[0].weight, 2.0)
        model[0].weight.grad = torch.zeros(16, 16)
        make_optimiser(self.recipe, model).step()
        assert model[0].weight[0, 0].item() == pytest.approx(2 - 0.1 * 0.5 * 2)


@pytest.mark.parametrize("recipe", [TINY, MARTINEZ], ids=["ampose", "martinez"])
def test_weight_decay_is_for_matrices_of_linear_layers_only(recipe: Recipe) -> None:
    model = build(recipe.model)
    decayed, rest = parameter_groups(model, 0.3)
    assert (decayed["weight_decay"], rest["weight_decay"]) == (0.3, 0.0)
    name = {parameter: name for name, parameter in model.named_parameters()}
    groups = [sorted(name[p] for p in group["params"]) for group in (decayed, rest)]
    assert sorted(groups[0] + groups[1]) == sorted(name.values())  # each once
    linear = {n for n, module in model.named_modules() if isinstance(module, nn.Linear)}
    assert groups[0] == sorted(f"{n}.weight" for n in linear)
    assert all(p.ndim == 2 for p in decayed["params"])
    assert any(n.endswith("bias") for n in groups[1])
