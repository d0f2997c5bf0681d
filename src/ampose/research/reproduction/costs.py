"""What a network costs, in the unit that the thesis prints."""

from __future__ import annotations

from dataclasses import fields

from ampose.research.models.cost import Cost, cost
from ampose.research.models.zoo import build
from ampose.research.recipes import Recipe

MILLION = 1e6

ATTRIBUTES = (*(each.name for each in fields(Cost)), "thop_macs", "product_macs")


def costs(recipe: Recipe) -> dict[str, float]:
    """Every count of a recipe's network, in millions, as ``cost.<attribute of Cost>``."""
    counted = cost(build(recipe.model))
    return {f"cost.{name}": getattr(counted, name) / MILLION for name in ATTRIBUTES}
