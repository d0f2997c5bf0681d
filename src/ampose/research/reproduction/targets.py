"""What can be reproduced, by the names that users type, and what of it could run now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from ampose.research.recipes import BENCHMARK, EXTRAS, WAYS, Recipe
from ampose.research.reproduction.laboratory import Laboratory
from ampose.research.reproduction.open_ablations import row_recipe, rows_of
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.published import TABLES, Table
from ampose.research.reproduction.samples import FIGURES
from ampose.research.reproduction.tables import kept_before

Kind = Literal[
    "table",
    "open table",
    "benchmark",
    "gains",
    "speed",
    "figure",
    "open figure",
    "benchmark figure",
    "sigma figure",
]

OPEN_TABLES = {f"open-{number}": table for number, table in TABLES.items() if rows_of(table)}
THESIS_FIGURES = {f"figure-{number}": shown for number, shown in FIGURES.items()}
OPEN_FIGURE = "figure-open"
BENCHMARK_TABLE, GAINS_TABLE, SPEED_TABLE = "open", "open-gains", "open-speed"
BENCHMARK_FIGURE, SIGMA_FIGURE = "figure-benchmark", "figure-sigma"

TARGETS: dict[str, Kind] = {
    **dict.fromkeys(TABLES, "table"),
    **dict.fromkeys(OPEN_TABLES, "open table"),
    BENCHMARK_TABLE: "benchmark",
    GAINS_TABLE: "gains",
    SPEED_TABLE: "speed",
    **dict.fromkeys(THESIS_FIGURES, "figure"),
    OPEN_FIGURE: "open figure",
    BENCHMARK_FIGURE: "benchmark figure",
    SIGMA_FIGURE: "sigma figure",
}
"""Every name and what kind of thing it is."""


class Outlook(NamedTuple):
    """One thing to reproduce: its name, what it is, and what would come of it now."""

    target: str
    title: str
    state: str


def outlooks(laboratory: Laboratory, bench: Bench) -> Iterator[Outlook]:
    """What every target would give now; nothing is trained, scored or written.

    Raises:
        ValueError: a run folder holds another run than its name says.
    """
    for target, table in TABLES.items():
        yield Outlook(target, table.title, _of_table(table, laboratory))
    for target, table in OPEN_TABLES.items():
        title = f"Table {table.number} on open data: {table.title.partition(':')[0]}"
        recipes = [row_recipe(table, system, bench) for system in rows_of(table)]
        yield Outlook(target, title, _of_recipes(recipes, bench))
    title = "Every lifter alike on open data"
    yield Outlook(BENCHMARK_TABLE, title, _of_recipes((*BENCHMARK, *EXTRAS), bench))
    title = "What every change to the thesis's model gains"
    steps = [step.recipe for way in WAYS for step in way]
    yield Outlook(GAINS_TABLE, title, _of_recipes(steps, bench))
    yield Outlook(SPEED_TABLE, "How fast each of them is here", "can be measured")
    for target, shown in THESIS_FIGURES.items():
        recipe = laboratory.recipe(shown.recipe)
        yield Outlook(target, shown.title, laboratory.outlook(recipe, shown.dataset))
    state = "can be drawn" if bench.data else "needs the open-mocap packs"
    yield Outlook(OPEN_FIGURE, "Poses of HDM05, by the built-in or any other lifter", state)
    state = f"drawn from what {BENCHMARK_TABLE} and {SPEED_TABLE} wrote"
    yield Outlook(BENCHMARK_FIGURE, "Accuracy of every lifter against its latency", state)
    title = "How often a lifter's errors lie within its sigma"
    yield Outlook(SIGMA_FIGURE, title, "drawn from what ampose eval-sigma wrote")


def _of_table(table: Table, laboratory: Laboratory) -> str:
    states = Counter(
        "measured before"
        if kept_before(system, table, laboratory)
        else laboratory.outlook(laboratory.recipe(system.recipe), table.dataset)
        for system in table.runnable
        if system.recipe
    )
    several = len(states) > 1
    errors = ", ".join(f"{count} x {each}" if several else each for each, count in states.items())
    return f"parameters and MACs now; errors: {errors}" if table.has_costs else errors


def _of_recipes(recipes: Sequence[Recipe], bench: Bench) -> str:
    done = sum(bench.finished(recipe) is not None for recipe in recipes)
    rest = "" if bench.data or done == len(recipes) else "; the rest needs the open-mocap packs"
    return f"{done} of {len(recipes)} rows have run{rest}"
