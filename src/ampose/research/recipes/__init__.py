"""Named, typed recipes: every row of the thesis, every shipped weight, every benchmark."""

from __future__ import annotations

from ampose.research.recipes.ablations import ABLATIONS
from ampose.research.recipes.benchmark import BENCHMARK
from ampose.research.recipes.open_motion import OPEN_ABLATIONS, SHIPPED
from ampose.research.recipes.recipe import Licensed, OpenMotion, Recipe
from ampose.research.recipes.thesis import THESIS

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (*SHIPPED, *THESIS, *OPEN_ABLATIONS, *BENCHMARK)
}
"""Every recipe by name."""

__all__ = ["ABLATIONS", "BENCHMARK", "RECIPES", "Licensed", "OpenMotion", "Recipe"]
