"""What every change to the thesis's model gains, on validation subjects: no test set is read.

Every step of `WAYS` is trained once on as many poses. A gain is what a step's error is below that
of the step before; with one seed, a few tenths of a millimetre say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ampose.research.evaluation.open_protocol import PROTOCOL
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.research.models.cost import count_parameters
from ampose.research.models.zoo import build
from ampose.research.recipes import Recipe
from ampose.research.recipes.improvements import GAIN_BUDGET, WAYS, changes_of
from ampose.research.reproduction.markdown import Section, markdown_table, write_markdown
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.open_systems import KNOWN
from ampose.research.reproduction.runs import NOT_RUN, last_validation, run_facts
from ampose.research.reproduction.tables import Written

STEM = "open_gains"

ERRORS = {
    "cmu-val exact": "exact_mpjpe",
    "cmu-val detector": "detector_mpjpe",
    "fold exact": "fold_exact_mpjpe",
    "fold detector": "fold_detector_mpjpe",
}
"""Column to what the log calls it."""

UNCHANGED = "as in the open benchmark"


def reproduce_gains(bench: Bench, out: Path) -> Written:
    """Trains the steps that are missing and may be, and writes the table.

    Raises:
        ValueError: a run folder holds another run, or data that is needed is not there.
        OSError: a file cannot be written.
        KeyboardInterrupt: during training, after saving, so that the same call goes on.
    """
    rows = [row for steps in WAYS for row in way_rows(steps, bench)]
    notes = {
        "table": "changes made one after the other, each on top of those above it",
        "protocol": f"{PROTOCOL}: MPJPE in mm, template bones, focal length known",
        "sets": "cmu-val, validation subjects; fold, training subjects that were left out here",
        "training": f"{GAIN_BUDGET:,} poses, seed 0; everything not named as in the benchmark",
        "gain": "mean over the four columns of the error of the row above less this one's",
        **circumstances(),
    }
    paths = out / f"{STEM}.csv", out / f"{STEM}.md"
    write_table(paths[0], rows, notes)
    readable = readable_gains(rows)
    write_markdown(paths[1], "Changes and their gains", [Section("MPJPE", readable)], notes)
    return Written(paths, readable)


def way_rows(steps: Sequence[Recipe], bench: Bench) -> Iterator[Mapping[str, object]]:
    """One row per step of a system's way."""
    titles = [UNCHANGED, *(change.title for change in changes_of(steps[0]))]
    before: list[float] = []
    for title, recipe in zip(titles, steps, strict=True):
        run = bench.run(recipe)
        logged = last_validation(run) if run else {}
        errors = [logged[name] for name in ERRORS.values()] if run else []
        known = bool(errors and before)
        gain = sum(before) / len(ERRORS) - sum(errors) / len(ERRORS) if known else None
        yield {
            "system": KNOWN[type(recipe.model)].name,
            "change": title,
            "recipe": recipe.name,
            "parameters": count_parameters(build(recipe.model)),
            "batch": recipe.batch,
            "learning rate": f"{recipe.learning_rate:g}",
            **{column: logged.get(name, NOT_RUN) for column, name in ERRORS.items()},
            "gain": "" if gain is None else round(gain, 2),
            "trained on": run_facts(run).get("hardware", "") if run else "",
        }
        before = errors


def readable_gains(rows: Sequence[Mapping[str, object]]) -> str:
    """One line per step."""
    columns = ("system", "change", *ERRORS, "gain")
    lines = [[str(row[column]) for column in columns] for row in rows]
    return markdown_table(columns, lines)
