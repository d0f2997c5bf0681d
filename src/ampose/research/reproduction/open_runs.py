"""Runs on open data: those that there are or may be trained, seed by seed, and what they score."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ampose.files import sha256_of
from ampose.research.evaluation.open_protocol import INPUTS, PROTOCOL, SETS, evaluate, load_set
from ampose.research.evaluation.provenance import log_test
from ampose.research.recipes import Recipe
from ampose.research.reproduction.kept_scores import (
    Row,
    Scores,
    keep_scores,
    kept_scores,
    measured_now,
)
from ampose.research.reproduction.runs import (
    NOT_RUN,
    Bar,
    Training,
    device,
    is_finished,
    run_facts,
    run_folder,
)
from ampose.research.training.checkpoint import WEIGHTS, load_weights
from ampose.research.training.inference import torch_lifter

NEEDS_GPU = f"{NOT_RUN}: needs a GPU"

TEST_SETS = ("cmu-test", "hdm05")
CONDITIONS = tuple(f"{name} {kind}" for name in TEST_SETS for kind in INPUTS)
"""The conditions that errors are given for: a test set, and the 2D."""
OWN_BONES = tuple(f"{condition} own bones" for condition in CONDITIONS)
"""The same with the subjects' own bones."""

ERRORS = {"MPJPE": "mpjpe", "P-MPJPE": "p_mpjpe"}

CONVENTIONS = (
    "mm; template bones, focal length known; root-relative, camera axes; mean over 17 joints with "
    "the root; mean and sample standard deviation (sd) over the seeds"
)


@dataclass(frozen=True)
class Bench:
    """Where open data is, and what may be run.

    Attributes:
        runs: folder of run folders.
        log: where each look at a test set is recorded.
        bar: shows the progress of scoring.
        data: folder of the packs; None where there is none, so that only kept scores count.
        training: how to train what is missing; None does not.
        seeds: runs of a row that is repeated.
        wide: also train the models that are for a GPU.
        poses: that each run of an ablation sees, instead of the recipe's.
    """

    runs: Path
    log: Path
    bar: Bar
    data: Path | None = None
    training: Training | None = None
    seeds: int = 3
    wide: bool = False
    poses: int | None = None

    def finished(self, recipe: Recipe, folder: Path | None = None) -> Path | None:
        """The folder of a run that is done."""
        folder = folder or run_folder(self.runs, recipe)
        return folder if is_finished(folder, recipe) else None

    def run(self, recipe: Recipe, folder: Path | None = None) -> Path | None:
        """The folder of a run, trained if it is missing and may be."""
        return self.finished(recipe, folder) or (
            self.training(recipe, self.runs, folder) if self.training else None
        )


def seeded_runs(
    recipes: Mapping[str, Recipe],
    bench: Bench,
    *,
    may_train: Callable[[Recipe], bool],
    repeated: Callable[[Mapping[str, Path | None]], tuple[str, ...]],
) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
    """The run folders of every row, seed 0 first, and the rows that several seeds are for.

    Trains seed 0 of all rows before any other seed. Runs that are there count in any case, but
    not without that of seed 0.

    Args:
        recipes: name of a row to its recipe.
        bench: where they are.
        may_train: whether a recipe may be trained here.
        repeated: the rows that are trained from several seeds, given the runs of seed 0.
    """

    def find(name: str, seed: int, *, train: bool) -> Path | None:
        recipe = replace(recipes[name], seed=seed)
        return bench.run(recipe) if train and may_train(recipe) else bench.finished(recipe)

    first = {name: find(name, 0, train=True) for name in recipes}
    several = repeated(first)
    runs = {name: [run] if run else [] for name, run in first.items()}
    for seed in range(1, bench.seeds):
        for name in recipes:
            if runs[name] and (run := find(name, seed, train=name in several)):
                runs[name].append(run)
    return runs, several


def score_runs(
    runs: Iterable[Path], name: str, bench: Bench, *, by_class: bool = False
) -> dict[Path, Scores]:
    """What finished runs score on a set, measured once for the same weights; looks are logged.

    Args:
        runs: their folders.
        name: of the set.
        bench: where the data is and looks are recorded.
        by_class: also for every class and source.

    Raises:
        ValueError: a run is not scored yet and the data is not there.
    """
    stem, _ = SETS[name]
    pack = None if bench.data is None else bench.data / f"{stem}.npz"
    of_data = sha256_of(pack) if pack and pack.exists() else ""
    protocol = f"{PROTOCOL}, {name}" + ", by class" * by_class
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
                scored = list(evaluate(lift, chosen, groups=by_class))
                out[run] = measured_now(run, [asdict(score) for score in scored], of_data)
                if chosen.is_test:
                    log_test(bench.log, run.name, out[run].sha256, scored)
                keep_scores(run, protocol, out[run])
    return out


def main_row(scores: Scores, kind: str, group: str = "all", bones: str = "template") -> Row:
    """The row of a set that tables show: focal length known.

    Args:
        scores: of the set.
        kind: of 2D, one of `INPUTS`.
        group: which frames.
        bones: "template" or "native".
    """
    wanted = {"group": group, "bones": bones, "input": kind, "focal": "known"}
    (row,) = (row for row in scores.rows if row.items() >= wanted.items())
    return row


def error_cells(
    scores: Mapping[str, Sequence[Scores]],
    instead: str,
    others: Mapping[str, str] | None = None,
    *,
    bones: str = "template",
) -> dict[str, object]:
    """Means over the runs of a row, by condition; of the two errors also the spread.

    Args:
        scores: test set to the scores of each run.
        instead: what a cell says without a run.
        others: heading to metric, further ones that have a mean only.
        bones: "template", or "native", which the headings then say.
    """
    cells: dict[str, object] = {}
    for condition in CONDITIONS if bones == "template" else OWN_BONES:
        name, kind, *_ = condition.split()
        rows = [main_row(each, kind, bones=bones) for each in scores[name]]
        for label, metric in {**ERRORS, **(others or {})}.items():
            values = [float(row[metric]) for row in rows]
            mean = round(statistics.mean(values), 2) if values else instead
            cells[f"{condition} {label}"] = mean
            if label in ERRORS:
                spread = round(statistics.stdev(values), 2) if len(values) > 1 else ""
                cells[f"{condition} {label} sd"] = spread
    return cells


def origin_cells(
    runs: Sequence[Path], scores: Mapping[str, Sequence[Scores]]
) -> dict[str, object]:
    """Which weights the numbers of a row are of, and where they were measured and trained."""
    every = [each for of_set in scores.values() for each in of_set]
    return {
        "weights sha256": _joined(each.sha256[:12] for each in every),
        "measured at commit": _joined(each.commit for each in every),
        "trained at commit": _joined(str(run_facts(run).get("commit", "")) for run in runs),
        "trained on": _joined(run_facts(run).get("hardware", "") for run in runs),
    }


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))


def readable_errors(row: Mapping[str, object], condition: str) -> str:
    """MPJPE with its spread and P-MPJPE, or what the row says instead."""
    if not has_run(row):
        return str(row["seeds"])
    spread = row[f"{condition} MPJPE sd"]
    around = f" ± {spread:.2f}" if isinstance(spread, float) else ""
    return f"{row[f'{condition} MPJPE']:.2f}{around} / {row[f'{condition} P-MPJPE']:.2f}"


def has_run(row: Mapping[str, object]) -> bool:
    """Whether a row has numbers."""
    return isinstance(row["seeds"], int)


def ranking(rows: Iterable[Mapping[str, object]], column: str) -> str:
    """The recipes of the rows that have run, from the least error to the greatest."""
    numbers = [
        (value, str(row["recipe"]))
        for row in rows
        if has_run(row) and isinstance(value := row[column], float)
    ]
    return " < ".join(f"{name} {value:g}" for value, name in sorted(numbers)) or NOT_RUN
