from __future__ import annotations

from dataclasses import fields, replace

import pytest

from ampose.research.models.cost import count_parameters
from ampose.research.models.zoo import build
from ampose.research.recipes import BENCHMARK, EXTRAS, RECIPES, WIDE_BENCHMARK, Recipe
from ampose.research.reproduction.open_systems import (
    AMPOSE,
    KNOWN,
    UNKNOWN,
    system_name,
    width_note,
)


def test_every_lifter_of_the_benchmark_is_known_by_a_name_of_its_own() -> None:
    assert AMPOSE in RECIPES
    assert len({system_name(recipe) for recipe in BENCHMARK}) == len(BENCHMARK)
    names = {each.name: system_name(each) for each in WIDE_BENCHMARK}
    for recipe in BENCHMARK:
        assert names[recipe.name.replace("-", "-wide-", 1)] == system_name(recipe)


@pytest.mark.parametrize("frames", [1, 27])
def test_several_frames_are_part_of_the_name(frames: int) -> None:
    recipe = RECIPES["benchmark-semgcn"]
    named = system_name(replace(recipe, model=replace(recipe.model, frames=frames)))
    assert named == ("SemGCN" if frames == 1 else "SemGCN, 27 frames")


@pytest.mark.parametrize("known", KNOWN.values(), ids=[known.name for known in KNOWN.values()])
def test_a_published_number_has_a_source(known: object) -> None:
    assert (known.parameters == UNKNOWN) == (not known.source)
    assert known.parameters == UNKNOWN or float(known.parameters.split()[0]) > 0


@pytest.mark.parametrize(
    "name",
    ["martinez", "semgcn", "weight-sharing", "graformer", "stacked-hourglass", "graphmlp"],
)
def test_our_published_network_has_about_as_many(name: str) -> None:
    """At 16 joints and two channels, but for GraphMLP; within half a per cent or a last digit."""
    recipe = RECIPES[f"benchmark-wide-{name}"]
    joints = "h36m_17" if name == "graphmlp" else "h36m_16"
    model = build(replace(recipe.model, skeleton=joints, channels=2))
    printed = float(KNOWN[type(recipe.model)].parameters.split()[0])
    assert count_parameters(model) / 1e6 == pytest.approx(printed, rel=0.005, abs=0.005)


@pytest.mark.parametrize("recipe", WIDE_BENCHMARK, ids=[each.name for each in WIDE_BENCHMARK])
def test_the_wide_tier_has_published_widths(recipe: Recipe) -> None:
    assert width_note(recipe) == "published width"


def test_extras_are_as_wide_but_for_ours() -> None:
    notes = {each.name: width_note(each) for each in EXTRAS}
    assert notes == {
        "extras-ampose": "scaled: depth 6 of 5, width 104 of 512",
        "extras-graformer": "published width",
        "extras-stacked-hourglass": "published width",
    }


def test_what_is_smaller_is_named() -> None:
    assert width_note(RECIPES["benchmark-graphmlp"]) == (
        "scaled: width 160 of 512, spatial hidden 80 of 256, channel hidden 320 of 1024"
    )
    assert width_note(RECIPES["benchmark-lcn"]) == "published width"
    for recipe in BENCHMARK:
        full = RECIPES[recipe.name.replace("-", "-wide-", 1)].model
        same = all(
            getattr(recipe.model, each.name) == getattr(full, each.name) for each in fields(full)
        )
        assert (width_note(recipe) == "published width") == same
