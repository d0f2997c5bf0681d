from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from ampose.research.evaluation.open_protocol import SETS
from ampose.research.models.cost import input_shape
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, Recipe


def test_names_are_those_of_the_recipes() -> None:
    assert list(RECIPES) == ["open-small", "open-large", "martinez"]
    assert all(name == recipe.name for name, recipe in RECIPES.items())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_recipes_fit_the_data_and_the_product(recipe: Recipe) -> None:
    assert input_shape(build(recipe.model)) == (1, 17, 3)
    assert recipe.poses > 0
    assert recipe.packs[0] == SETS["cmu-val"][0]
    assert json.loads(json.dumps(asdict(recipe)))["name"] == recipe.name


def test_the_large_one_is_the_thesis_model_with_a_mask() -> None:
    model = RECIPES["open-large"].model
    assert (model.depth, model.width, model.channels) == (5, 512, 3)


@pytest.mark.parametrize(("poses", "steps"), [(1, 1), (256, 1), (257, 2), (5_000_000, 19_532)])
def test_steps_round_up(poses: int, steps: int) -> None:
    assert Recipe("r", RECIPES["martinez"].model, poses=poses).steps == steps
