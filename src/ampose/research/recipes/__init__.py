"""Named, typed recipes: the thesis's rows and comparators, shipped weights, benchmarks, gains."""

from __future__ import annotations

from ampose.research.recipes.ablations import ABLATIONS
from ampose.research.recipes.benchmark import BENCHMARK, WIDE_BENCHMARK
from ampose.research.recipes.comparators import COMPARATORS
from ampose.research.recipes.improvements import EXTRAS, WAYS
from ampose.research.recipes.open_motion import OPEN_ABLATIONS, SHIPPED
from ampose.research.recipes.recipe import Licensed, OpenMotion, Recipe
from ampose.research.recipes.thesis import THESIS

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for group in (
        *(SHIPPED, THESIS, COMPARATORS, OPEN_ABLATIONS, BENCHMARK, EXTRAS, WIDE_BENCHMARK),
        *((step.recipe for step in way) for way in WAYS),
    )
    for recipe in group
}
"""Every recipe by name."""

__all__ = [
    "ABLATIONS",
    "BENCHMARK",
    "COMPARATORS",
    "EXTRAS",
    "RECIPES",
    "WAYS",
    "WIDE_BENCHMARK",
    "Licensed",
    "OpenMotion",
    "Recipe",
]
