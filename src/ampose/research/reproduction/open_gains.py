"""What every change to the thesis's model gains, on validation subjects: no test set is read.

Every step of `WAYS` is trained once on as many poses. A gain is what a step's error is below that
of the step before; with one seed, a few tenths of a millimetre say nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ampose.research.evaluation.open_protocol import INPUTS, PROTOCOL
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.research.models.cost import count_parameters
from ampose.research.models.zoo import build
from ampose.research.recipes.improvements import GAIN_BUDGET, WAYS, Step
from ampose.research.reproduction.kept_scores import Scores
from ampose.research.reproduction.markdown import Section, markdown_table, write_markdown
from ampose.research.reproduction.open_runs import Bench, main_row, score_runs
from ampose.research.reproduction.open_systems import KNOWN
from ampose.research.reproduction.runs import NOT_RUN, run_facts
from ampose.research.reproduction.tables import Written

STEM = "open_gains"

SETS = ("cmu-val", "cmu-fold")
BONES = {"template": "gain", "native": "gain, own bones"}
"""The subjects that errors are given for, and the column of what is gained on them."""


def reproduce_gains(bench: Bench, out: Path) -> Written:
    """Trains the steps that are missing and may be, scores them, and writes the table.

    Raises:
        ValueError: a run folder holds another run, or data that is needed is not there.
        OSError: a file cannot be written.
        KeyboardInterrupt: during training, after saving, so that the same call goes on.
    """
    runs = {step.recipe.name: bench.run(step.recipe) for way in WAYS for step in way}
    scores = {name: score_runs(filter(None, runs.values()), name, bench) for name in SETS}
    rows = [row for way in WAYS for row in way_rows(way, runs, scores)]
    notes = {
        "table": "changes made one after the other, each on top of those above it",
        "protocol": f"{PROTOCOL}, seed 0: MPJPE in mm, focal length known; template bones, or the "
        "subject's own (native)",
        "sets": "cmu-val, validation subjects; cmu-fold, training subjects that were left out",
        "training": f"{GAIN_BUDGET:,} poses, seed 0; everything not named as in the benchmark",
        "gain": "mean of the four columns of the row above less that of this one's",
        **circumstances(),
    }
    paths = out / f"{STEM}.csv", out / f"{STEM}.md"
    write_table(paths[0], rows, notes)
    readable = readable_gains(rows)
    write_markdown(paths[1], "Changes and their gains", [Section("MPJPE", readable)], notes)
    return Written(paths, readable)


def way_rows(
    way: Sequence[Step],
    runs: Mapping[str, Path | None],
    scores: Mapping[str, Mapping[Path, Scores]],
) -> Iterator[dict[str, object]]:
    """One row per step of a system's way.

    Args:
        way: its steps.
        runs: recipe to the folder of its run.
        scores: set to the scores of each run.
    """
    before: dict[str, dict[str, float]] = {}
    for recipe, title in way:
        run = runs[recipe.name]
        row: dict[str, object] = {
            "system": KNOWN[type(recipe.model)].name,
            "change": title,
            "recipe": recipe.name,
            "parameters": count_parameters(build(recipe.model)),
            "batch": recipe.batch,
            "learning rate": f"{recipe.learning_rate:g}",
        }
        now = {bones: errors_of(run, bones, scores) for bones in BONES} if run else {}
        for bones, heading in BONES.items():
            columns = [f"{name} {bones} {kind}" for name in SETS for kind in INPUTS]
            row |= {each: round(now[bones][each], 2) if now else NOT_RUN for each in columns}
            row[heading] = gain(before[bones], now[bones]) if before and now else ""
        yield row | {"trained on": run_facts(run).get("hardware", "") if run else ""}
        before = now


def errors_of(
    run: Path, bones: str, scores: Mapping[str, Mapping[Path, Scores]]
) -> dict[str, float]:
    """Column to the error of a run, millimetres."""
    return {
        f"{name} {bones} {kind}": main_row(scores[name][run], kind, bones=bones)["mpjpe"]
        for name in SETS
        for kind in INPUTS
    }


def gain(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """How much less the mean error is."""
    return round(statistics.mean(before.values()) - statistics.mean(now.values()), 2)


def readable_gains(rows: Sequence[Mapping[str, object]]) -> str:
    """One line per step."""
    columns = [name for name in rows[0] if name.startswith((*SETS, "gain"))]
    lines = [[str(row[column]) for column in ("system", "change", *columns)] for row in rows]
    return markdown_table(["system", "change", *columns], lines)
