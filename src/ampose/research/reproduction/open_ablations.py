"""The thesis's ablations on open data: tables 4.6 to 4.9 by the open-mocap protocol, version 1.

Every row is a change of the recipe ``open``, trained on as many poses. The four orders of table
4.7 are trained from several seeds, and so are the best and the worst grouping of table 4.8, chosen
by what seed 0 reaches on CMU's validation subjects; all others once. Models wider than `WIDEST`
are for a GPU and are trained only when asked for. Runs that are there already count in any case.

The thesis's numbers are errors on Human3.6M and stand in a column that says so: the two are not
to be compared in millimetres, only in how they rank the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ampose.research.evaluation.open_protocol import PROTOCOL
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.research.models.cost import count_parameters
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, Recipe
from ampose.research.reproduction.kept_scores import Scores
from ampose.research.reproduction.markdown import Section, markdown_table, write_markdown
from ampose.research.reproduction.open_runs import (
    CONDITIONS,
    CONVENTIONS,
    NEEDS_GPU,
    TEST_SETS,
    Bench,
    error_cells,
    origin_cells,
    ranking,
    readable_errors,
    score_runs,
    seeded_runs,
)
from ampose.research.reproduction.published import System, Table, variant_name
from ampose.research.reproduction.runs import NOT_RUN, last_validation
from ampose.research.reproduction.tables import Written

BASE = "open"

WIDEST = 128
"""Channels that a CPU trains in reasonable time."""

CHOICE = "detector_mpjpe"
"""The validation error that chooses the best and the worst grouping."""

THESIS = "MPJPE on Human3.6M in the thesis"
VALIDATION = "cmu-val detector MPJPE of seed 0"


def reproduce_ablation(table: Table, bench: Bench, out: Path) -> Written:
    """Trains what is missing and may be, scores it, and writes the table.

    Raises:
        ValueError: a run folder holds another run, or data that is needed is not there.
        OSError: a file cannot be written.
        KeyboardInterrupt: during training, after saving, so that the same call goes on.
    """
    recipes = {system.name: row_recipe(table, system, bench) for system in rows_of(table)}
    runs, repeated = finished_runs(table, recipes, bench)
    every = [run for of_row in runs.values() for run in of_row]
    scores = {name: score_runs(every, name, bench) for name in TEST_SETS}
    rows = [
        ablation_row(
            system,
            recipes[system.name],
            runs[system.name],
            {name: [of_set[run] for run in runs[system.name]] for name, of_set in scores.items()},
            wide=bench.wide,
        )
        for system in rows_of(table)
    ]
    notes = ablation_notes(table, recipes, rows, repeated, bench)
    stem = f"open_ablation_{table.number.replace('.', '_')}"
    if bench.poses not in (None, RECIPES[BASE].poses):
        stem += f"_{bench.poses}_poses"
    paths = out / f"{stem}.csv", out / f"{stem}.md"
    write_table(paths[0], rows, notes)
    readable = readable_table(rows)
    title = f"Table {table.number} on open data, MPJPE / P-MPJPE in mm"
    write_markdown(paths[1], title, [Section("Errors", readable)], notes)
    return Written(paths, readable)


def rows_of(table: Table) -> tuple[System, ...]:
    """The rows of a thesis table that are ablations."""
    return tuple(system for system in table.systems if system.variant is not None)


def row_recipe(table: Table, system: System, bench: Bench) -> Recipe:
    """The recipe of a row, from seed 0."""
    assert system.variant is not None
    recipe = RECIPES[variant_name(BASE, table.number, system.variant)]
    return replace(recipe, poses=bench.poses or recipe.poses)


def finished_runs(
    table: Table, recipes: Mapping[str, Recipe], bench: Bench
) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
    """The run folders of every row, seed by seed, and the rows that several seeds are for."""
    return seeded_runs(
        recipes,
        bench,
        may_train=lambda recipe: bench.wide or recipe.model.width <= WIDEST,
        repeated=partial(repeated_rows, table),
    )


def repeated_rows(table: Table, first: Mapping[str, Path | None]) -> tuple[str, ...]:
    """The rows that are trained from several seeds, given the runs of seed 0.

    All of table 4.7; of table 4.8 the best and the worst on validation, once all are known.
    """
    if table.number == "4.7":
        return tuple(first)
    if table.number != "4.8" or not all(first.values()):
        return ()
    errors = {name: last_validation(run)[CHOICE] for name, run in first.items() if run}
    return min(errors, key=errors.__getitem__), max(errors, key=errors.__getitem__)


def ablation_row(
    system: System,
    recipe: Recipe,
    runs: Sequence[Path],
    scores: Mapping[str, Sequence[Scores]],
    *,
    wide: bool,
) -> dict[str, object]:
    """A row of the CSV.

    Args:
        system: the thesis's row.
        recipe: ours.
        runs: folders of its runs, seed 0 first; empty if there are none.
        scores: test set to the scores of each run.
        wide: whether wide models are trained.
    """
    instead = NOT_RUN if wide or recipe.model.width <= WIDEST else NEEDS_GPU
    row: dict[str, object] = {
        "system": system.name,
        "recipe": recipe.name,
        THESIS: system.values["MPJPE"],
        "parameters": count_parameters(build(recipe.model)),
        "seeds": len(runs) or instead,
        VALIDATION: last_validation(runs[0])[CHOICE] if runs else instead,
    }
    return row | error_cells(scores, instead) | origin_cells(runs, scores)


def ablation_notes(
    table: Table,
    recipes: Mapping[str, Recipe],
    rows: Sequence[Mapping[str, object]],
    repeated: Sequence[str],
    bench: Bench,
) -> dict[str, str]:
    """What stands with every table."""
    base = RECIPES[BASE]
    poses = bench.poses or base.poses
    notes = {
        "table": f"{table.number}, {table.title.partition(':')[0]}: the same rows on open data",
        "protocol": f"{PROTOCOL}, seed 0",
        "conventions": CONVENTIONS,
        "training": f"every row {poses:,} poses, batch {base.batch}, learning rate "
        f"{base.learning_rate:g}, which was not tuned by row",
        THESIS: "another data set, larger models and more training: to compare ranks with, not "
        "millimetres",
    }
    if table.number == "4.8":
        best_and_worst = " and ".join(recipes[name].name for name in repeated)
        notes["several seeds"] = (
            f"the best and the worst on CMU's validation subjects ({CHOICE}, seed 0): "
            f"{best_and_worst or 'not known before all rows have run'}"
        )
    for column in (THESIS, *(f"{condition} MPJPE" for condition in CONDITIONS)):
        notes[f"best to worst, {column}"] = ranking(rows, column)
    return notes | circumstances()


def readable_table(rows: Sequence[Mapping[str, object]]) -> str:
    """One line per row, MPJPE with its spread and P-MPJPE."""
    return markdown_table(
        ["system", THESIS, "parameters", "seeds", *CONDITIONS],
        [
            [
                str(row["system"]),
                str(row[THESIS]),
                f"{row['parameters']:,}",
                str(row["seeds"]),
                *(readable_errors(row, condition) for condition in CONDITIONS),
            ]
            for row in rows
        ],
    )
