"""What the thesis's tables 4.6 to 4.9 vary in the model."""

from __future__ import annotations

from dataclasses import replace

from ampose.research.recipes.recipe import Recipe

ABLATIONS: dict[str, dict[str, dict[str, object]]] = {
    "4.6": {
        "block-two-residual": {"block": "two_residual"},
        "block-transformer": {"block": "transformer"},
        "block-convnext": {"block": "convnext"},
    },
    "4.7": {
        "order-gcn-first": {"order": "gcn_first"},
        "order-transformers-then-gcns": {"order": "all_transformers_then_gcns"},
        "order-gcns-then-transformers": {"order": "all_gcns_then_transformers"},
    },
    "4.8": {
        "groups-4": {"groups": "centre|closer|farther|symmetry"},
        "groups-3-symmetry": {"groups": "centre|closer+farther|symmetry"},
        "groups-2-symmetry": {"groups": "centre|closer+farther+symmetry"},
        "groups-1": {"groups": "all"},
        "groups-2": {"groups": "centre|closer+farther"},
    },
    "4.9": {
        f"{depth}x{width}": {"depth": depth, "width": width}
        for depth, width in ((4, 108), (4, 128), (5, 128), (4, 256), (4, 384), (5, 512), (6, 512))
    },
}
"""Per table of the thesis: what each row changes in the model. All are changes of the thesis's own
choice, which is in every table."""


def variants(base: Recipe, table: str) -> list[Recipe]:
    """The rows of a table as changes of a recipe, each named after it; without the recipe."""
    models = {
        name: replace(base.model, **changes)  # type: ignore[arg-type]
        for name, changes in ABLATIONS[table].items()
    }
    return [
        replace(base, name=f"{base.name}-{name}", model=model)
        for name, model in models.items()
        if model != base.model
    ]
