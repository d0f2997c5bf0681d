"""The thesis's ablations on open data: tables 4.6 to 4.9 by the open-mocap protocol, version 1.

Every row is a change of the recipe ``open``, trained on as many poses. The four orders of table
4.7 are trained from several seeds, and so are the best and the worst grouping of table 4.8, chosen
by what seed 0 reaches on CMU's validation subjects; all others once. Models wider than `WIDEST`
are for a GPU and are trained only when asked for. Runs that are there already count in any case.

The thesis's numbers are errors on Human3.6M and stand in a column that says so: the two are not
to be compared in millimetres, only in how they rank the rows.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ampose.research.evaluation.open_protocol import PROTOCOL, SETS, evaluate, load_set
from ampose.research.evaluation.provenance import circumstances, log_test, write_table
from ampose.research.models.cost import count_parameters
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, Recipe
from ampose.research.reproduction.kept_scores import (
    Scores,
    keep_scores,
    kept_scores,
    measured_now,
)
from ampose.research.reproduction.markdown import Section, markdown_table, write_markdown
from ampose.research.reproduction.published import System, Table, variant_name
from ampose.research.reproduction.runs import (
    NOT_RUN,
    WEIGHTS,
    Bar,
    Training,
    device,
    is_finished,
    last_validation,
    run_facts,
    run_folder,
)
from ampose.research.reproduction.tables import Written
from ampose.research.training.checkpoint import load_weights, sha256_of
from ampose.research.training.inference import torch_lifter

BASE = "open"

WIDEST = 128
"""Channels that a CPU trains in reasonable time."""

NEEDS_GPU = f"{NOT_RUN}: needs a GPU"

TEST_SETS = ("cmu-test", "hdm05")
INPUTS = ("exact", "detector")
ERRORS = {"MPJPE": "mpjpe", "P-MPJPE": "p_mpjpe"}

CHOICE = "detector_mpjpe"
"""The validation error that chooses the best and the worst grouping."""

THESIS = "MPJPE on Human3.6M in the thesis"
VALIDATION = "cmu-val detector MPJPE of seed 0"


@dataclass(frozen=True)
class Bench:
    """Where the ablations run.

    Attributes:
        runs: folder of run folders.
        log: where each look at a test set is recorded.
        bar: shows the progress of scoring.
        data: folder of the packs; None where there is none, so that only kept scores count.
        training: how to train what is missing; None does not.
        seeds: runs of a row that is repeated.
        wide: also train the models that are for a GPU.
        poses: that each run sees, instead of the recipe's.
    """

    runs: Path
    log: Path
    bar: Bar
    data: Path | None = None
    training: Training | None = None
    seeds: int = 3
    wide: bool = False
    poses: int | None = None

    def recipe(self, table: Table, system: System) -> Recipe:
        """The recipe of a row, from seed 0."""
        assert system.variant is not None
        recipe = RECIPES[variant_name(BASE, table.number, system.variant)]
        return replace(recipe, poses=self.poses or recipe.poses)

    def finished(self, recipe: Recipe) -> Path | None:
        """The folder of a run that is done."""
        folder = run_folder(self.runs, recipe)
        return folder if is_finished(folder, recipe) else None

    def run(self, recipe: Recipe) -> Path | None:
        """The folder of a run, trained if it is missing and may be."""
        return self.finished(recipe) or (
            self.training(recipe, self.runs) if self.training else None
        )


def reproduce_ablation(table: Table, bench: Bench, out: Path) -> Written:
    """Trains what is missing and may be, scores it, and writes the table.

    Raises:
        ValueError: a run folder holds another run, or data that is needed is not there.
        OSError: a file cannot be written.
        KeyboardInterrupt: during training, after saving, so that the same call goes on.
    """
    recipes = {system.name: bench.recipe(table, system) for system in rows_of(table)}
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


def finished_runs(
    table: Table, recipes: Mapping[str, Recipe], bench: Bench
) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
    """The run folders of every row, seed by seed, and the rows that several seeds are for.

    Trains seed 0 of all rows before any other seed.
    """

    def find(name: str, seed: int, *, train: bool) -> Path | None:
        recipe = replace(recipes[name], seed=seed)
        may_train = train and (bench.wide or recipe.model.width <= WIDEST)
        return bench.run(recipe) if may_train else bench.finished(recipe)

    first = {name: find(name, 0, train=True) for name in recipes}
    repeated = repeated_rows(table, first)
    runs = {name: [run] if run else [] for name, run in first.items()}
    for seed in range(1, bench.seeds):
        for name in recipes:
            if run := find(name, seed, train=name in repeated):
                runs[name].append(run)
    return runs, repeated


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


def score_runs(runs: Iterable[Path], name: str, bench: Bench) -> dict[Path, Scores]:
    """What finished runs score on a test set, each weights' only once."""
    stem, _ = SETS[name]
    pack = None if bench.data is None else bench.data / f"{stem}.npz"
    of_data = sha256_of(pack) if pack and pack.exists() else ""
    protocol = f"{PROTOCOL}, {name}"
    found = {run: kept_scores(run, protocol, of_data) for run in runs}
    out = {run: scores for run, scores in found.items() if scores}
    if len(out) < len(found):
        if bench.data is None:
            raise ValueError(
                f"{len(found) - len(out)} run(s) are not scored on {name} yet; give the folder of "
                "the open-mocap packs with --data"
            )
        chosen = load_set(name, bench.data)
        missing = [run for run in found if run not in out]
        with bench.bar(f"score on {name}") as progress:
            for number, run in enumerate(missing):
                progress(number, len(missing))
                lift = torch_lifter(load_weights(run / WEIGHTS).to(device()), device=device())
                scored = list(evaluate(lift, chosen, groups=False))
                out[run] = measured_now(run, [asdict(score) for score in scored], of_data)
                log_test(bench.log, run.name, out[run].sha256, scored)
                keep_scores(run, protocol, out[run])
    return out


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
    for name in TEST_SETS:
        for kind in INPUTS:
            for label, error in ERRORS.items():
                values = [_error(each, kind, error) for each in scores[name]]
                spread = round(statistics.stdev(values), 2) if len(values) > 1 else ""
                row[f"{name} {kind} {label}"] = (
                    round(statistics.mean(values), 2) if values else instead
                )
                row[f"{name} {kind} {label} sd"] = spread
    every = [each for of_set in scores.values() for each in of_set]
    return row | {
        "weights sha256": _joined(each.sha256[:12] for each in every),
        "measured at commit": _joined(each.commit for each in every),
        "trained on": _joined(run_facts(run).get("hardware", "") for run in runs),
    }


def _error(scores: Scores, kind: str, error: str) -> float:
    wanted = {"group": "all", "bones": "template", "input": kind, "focal": "known"}
    (row,) = (row for row in scores.rows if row.items() >= wanted.items())
    return float(row[error])


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))


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
        "conventions": "mm; template bones, focal length known; root-relative, camera axes; mean "
        "over 17 joints with the root; mean and sample standard deviation (sd) over the seeds",
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
    columns = [THESIS, *(f"{name} {kind} MPJPE" for name in TEST_SETS for kind in INPUTS)]
    for column in columns:
        notes[f"best to worst, {column}"] = ranking(rows, column)
    return notes | circumstances()


def ranking(rows: Iterable[Mapping[str, object]], column: str) -> str:
    """The recipes of the rows that have run, from the least error to the greatest."""
    numbers = [
        (value, str(row["recipe"]))
        for row in rows
        if isinstance(row["seeds"], int) and isinstance(value := row[column], float)
    ]
    return " < ".join(f"{name} {value:g}" for value, name in sorted(numbers)) or NOT_RUN


def readable_table(rows: Sequence[Mapping[str, object]]) -> str:
    """One line per row, MPJPE with its spread and P-MPJPE."""

    def cell(row: Mapping[str, object], condition: str) -> str:
        if not isinstance(row["seeds"], int):
            return str(row["seeds"])
        spread = row[f"{condition} MPJPE sd"]
        around = f" ± {spread:.2f}" if isinstance(spread, float) else ""
        return f"{row[f'{condition} MPJPE']:.2f}{around} / {row[f'{condition} P-MPJPE']:.2f}"

    conditions = [f"{name} {kind}" for name in TEST_SETS for kind in INPUTS]
    return markdown_table(
        ["system", THESIS, "parameters", "seeds", *conditions],
        [
            [
                str(row["system"]),
                str(row[THESIS]),
                f"{row['parameters']:,}",
                str(row["seeds"]),
                *(cell(row, condition) for condition in conditions),
            ]
            for row in rows
        ],
    )
