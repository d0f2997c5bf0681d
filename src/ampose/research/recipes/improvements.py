"""What was added to the thesis's model: one change after the other, so that each shows its gain.

Changes that any lifter can use are also made to the systems of the open benchmark that are best
without them. All see as many poses and are scored on CMU's validation subjects and on the fold,
training subjects that are left out here. Nothing of this has seen a test set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.recipes.benchmark import BENCHMARK
from ampose.research.recipes.recipe import OpenMotion, Recipe

GAIN_BUDGET = 200_000
"""Poses that every step of the way sees."""


@dataclass(frozen=True)
class Change:
    """A step of the way.

    Attributes:
        name: short, for recipes.
        title: for readers.
        model: fields of the network's configuration.
        training: fields of the recipe.
        own: whether it changes what only AMPose has, its layers and their size.
    """

    name: str
    title: str
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False

    def made_to(self, recipe: Recipe) -> Recipe:
        """The recipe with this change."""
        return replace(recipe, model=replace(recipe.model, **self.model), **self.training)


CHANGES = (
    Change(
        "adjacency",
        "every graph layer adds a learnt matrix to its adjacency",
        model={"learnt_adjacency": True},
        own=True,
    ),
    Change(
        "depth",
        "depth 6 of width 104 for depth 4 of width 128: as many parameters",
        model={"depth": 6, "width": 104},
        own=True,
    ),
    Change("size", "a fourth input channel: how large the person is seen", model={"channels": 4}),
    Change(
        "muon",
        "Muon for the matrices of hidden layers, AdamW for the rest",
        training={"optimiser": "muon", "learning_rate": 2e-3},
    ),
    Change("batch", "half the batch, twice the steps", training={"batch": 125}),
    Change("rate", "twice Muon's learning rate", training={"learning_rate": 4e-3}),
)
"""In the order in which they are made."""

_OF_BENCHMARK = {recipe.name: recipe for recipe in BENCHMARK}

IMPROVED = {"ampose": 6e-3, "graformer": 6e-3, "stacked-hourglass": 2e-3}
"""AMPose and, of the benchmark, the systems that are best on validation without any change; and
the learning rate that probes chose with all of them."""


def _starts() -> Iterator[Recipe]:
    for name in IMPROVED:
        yield replace(
            _OF_BENCHMARK[f"benchmark-{name}"],
            name=f"gain-{name}",
            data=OpenMotion(held_out="fold"),
            poses=GAIN_BUDGET,
        )


def way(start: Recipe) -> tuple[Recipe, ...]:
    """A recipe, and the same with one change more each."""
    steps = [start]
    for change in changes_of(start):
        steps.append(replace(change.made_to(steps[-1]), name=f"{start.name}-{change.name}"))
    return tuple(steps)


def changes_of(recipe: Recipe) -> tuple[Change, ...]:
    """Those that can be made to it."""
    own = isinstance(recipe.model, AMPoseConfig)
    return tuple(change for change in CHANGES if own or not change.own)


def improved(recipe: Recipe) -> Recipe:
    """A recipe with all changes that can be made to it."""
    for change in changes_of(recipe):
        recipe = change.made_to(recipe)
    return recipe


WAYS: tuple[tuple[Recipe, ...], ...] = tuple(way(start) for start in _starts())
"""Per system the steps of its way."""

EXTRAS = tuple(
    replace(
        improved(_OF_BENCHMARK[f"benchmark-{name}"]), name=f"extras-{name}", learning_rate=rate
    )
    for name, rate in IMPROVED.items()
)
"""The same systems with all changes, by the rules of the open benchmark."""
