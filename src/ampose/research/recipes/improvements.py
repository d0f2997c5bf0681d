"""What was added to the thesis's model: one change after the other, so that each shows its gain.

Changes that any lifter can use, and that gain by the open-mocap protocol, are also made to the
systems of the open benchmark that are best without them. All see as many poses and are scored on
CMU's validation subjects and on the fold, training subjects that are left out here. Nothing of
this has seen a test set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.stacked_hourglass import StackedHourglassConfig
from ampose.research.recipes.benchmark import BENCHMARK
from ampose.research.recipes.recipe import OpenMotion, Recipe

GAIN_BUDGET = 200_000
"""Poses that every recipe on the way sees."""


@dataclass(frozen=True)
class Change:
    """A step of the way.

    Attributes:
        name: short, for recipes.
        title: as tables show it.
        model: fields of the network's configuration.
        training: fields of the recipe.
        augmentation: fields of its data's augmentation.
        own: whether it changes what AMPose is, its layers and their size.
        matrices: whether it needs maps that are single matrices, as Muon does.
    """

    name: str
    title: str
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False
    matrices: bool = False

    def made_to(self, recipe: Recipe) -> Recipe:
        """The recipe with this change."""
        data = recipe.data
        if self.augmentation:
            assert isinstance(data, OpenMotion)
            data = replace(data, augmentation=replace(data.augmentation, **self.augmentation))
        model = replace(recipe.model, **self.model)
        return replace(recipe, model=model, data=data, **self.training)


class Step(NamedTuple):
    """A recipe on the way, and what it changes of the one before."""

    recipe: Recipe
    title: str


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
        matrices=True,
    ),
    Change("batch", "half the batch, twice the steps", training={"batch": 125}),
    Change("rate", "twice Muon's learning rate", training={"learning_rate": 4e-3}, matrices=True),
)
"""The changes in the order in which they are made."""

BODIES = Change(
    "bodies",
    "some bodies differ much more from the template than others",
    augmentation={"bone_spread_log": 0.8},
)
"""For the lifter that we ship: better on subjects' own bones but not on the template's, so the
benchmark's other systems do not get it."""

_OF_BENCHMARK = {recipe.name: recipe for recipe in BENCHMARK}

IMPROVED = {"ampose": 6e-3, "graformer": 6e-3, "stacked-hourglass": 2e-3}
"""AMPose and, of the benchmark, the systems that are best on validation without any change; and
the learning rate that probes chose with all of them."""


def changes_of(recipe: Recipe) -> tuple[Change, ...]:
    """The changes that suit a recipe: the hourglass has a map per joint, all in one tensor."""
    own = isinstance(recipe.model, AMPoseConfig)
    matrices = not isinstance(recipe.model, StackedHourglassConfig)
    return tuple(
        change
        for change in CHANGES
        if (own or not change.own) and (matrices or not change.matrices)
    )


def way(start: Recipe, changes: Iterable[Change]) -> tuple[Step, ...]:
    """A recipe, and the same with one change more each."""
    steps = [Step(start, "as in the open benchmark")]
    for change in changes:
        changed = change.made_to(steps[-1].recipe)
        steps.append(Step(replace(changed, name=f"{start.name}-{change.name}"), change.title))
    return tuple(steps)


def improved(recipe: Recipe) -> Recipe:
    """A recipe with all changes that can be made to it."""
    for change in changes_of(recipe):
        recipe = change.made_to(recipe)
    return recipe


def _ways() -> Iterator[tuple[Step, ...]]:
    for name in IMPROVED:
        start = replace(
            _OF_BENCHMARK[f"benchmark-{name}"],
            name=f"gain-{name}",
            data=OpenMotion(held_out="fold"),
            poses=GAIN_BUDGET,
        )
        ours = [BODIES] if isinstance(start.model, AMPoseConfig) else []
        yield way(start, [*changes_of(start), *ours])


WAYS = tuple(_ways())
"""Per system the steps of its way."""

EXTRAS = tuple(
    replace(
        improved(_OF_BENCHMARK[f"benchmark-{name}"]), name=f"extras-{name}", learning_rate=rate
    )
    for name, rate in IMPROVED.items()
)
"""The same systems with all changes, by the rules of the open benchmark."""
