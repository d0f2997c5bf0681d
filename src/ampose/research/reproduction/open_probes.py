"""Learning rates of the open benchmark, from short probes on the validation subjects.

A probe is a recipe with `PROBE` poses and one of `PROBED_RATES`, in ``RUNS/RECIPE-probe-RATE``.
Its score is the mean of MPJPE on exact and on detector-like 2D at its end, on CMU's validation
subjects. The rate of a recipe must be the one with the least score.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ampose.research.evaluation.open_protocol import PROTOCOL
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.research.recipes import Recipe
from ampose.research.recipes.benchmark import PROBE, PROBED_RATES
from ampose.research.reproduction.open_runs import Bench
from ampose.research.reproduction.runs import NOT_RUN, last_validation

FILE = "open_probes.csv"


@dataclass(frozen=True)
class Probed:
    """The probes of a recipe.

    Attributes:
        recipe: whose.
        errors: learning rate to score, millimetres; None has not run, infinity has diverged.
    """

    recipe: Recipe
    errors: Mapping[float, float | None]

    @property
    def chosen(self) -> float | None:
        """The rate with the least score, once all have run; of equal ones the lowest."""
        known = {rate: error for rate, error in self.errors.items() if error is not None}
        if len(known) < len(self.errors):
            return None
        return min(sorted(known), key=known.__getitem__)

    @property
    def at_edge(self) -> bool:
        """Whether a rate beyond those that were tried might be better."""
        return self.chosen in (min(self.errors), max(self.errors))

    def row(self) -> dict[str, object]:
        """A row of the CSV."""
        cells = {
            f"{rate:g}": NOT_RUN if error is None else round(error, 2)
            for rate, error in self.errors.items()
        }
        chosen = NOT_RUN if self.chosen is None else f"{self.chosen:g}"
        edge = "" if self.chosen is None else "yes" if self.at_edge else "no"
        return {"recipe": self.recipe.name, **cells, "chosen": chosen, "at the edge": edge}


def probed(recipes: Iterable[Recipe], bench: Bench) -> Iterator[Probed]:
    """The probes of every recipe, trained where they are missing and may be."""
    for recipe in recipes:
        errors: dict[float, float | None] = {}
        for rate in PROBED_RATES:
            probe = replace(recipe, poses=PROBE, learning_rate=rate)
            run = bench.run(probe, probe_folder(bench.runs, recipe, rate))
            errors[rate] = validation_error(run) if run else None
        yield Probed(recipe, errors)


def probe_folder(runs: Path, recipe: Recipe, rate: float) -> Path:
    """Where a probe lies."""
    return runs / f"{recipe.name}-probe-{rate:g}"


def validation_error(run: Path) -> float:
    """Mean of MPJPE on exact and on detector-like 2D at the end of a run, validation, mm."""
    last = last_validation(run)
    error = statistics.mean((last["exact_mpjpe"], last["detector_mpjpe"]))
    return math.inf if math.isnan(error) else error


def write_probes(probes: Sequence[Probed], out: Path) -> Path:
    """Writes what the probes chose."""
    notes = {
        "what": "mean of MPJPE on exact and on detector-like 2D after a probe, by learning rate",
        "set": f"cmu-val, {PROTOCOL}: mm, template bones, focal length known",
        "probe": f"{PROBE:,} poses, seed 0, everything else as in the recipe",
        "at the edge": "yes: a rate beyond those that were tried might be better",
        **circumstances(),
    }
    write_table(out / FILE, [each.row() for each in probes], notes)
    return out / FILE


def require_chosen(probes: Iterable[Probed]) -> None:
    """Every recipe must have the learning rate that its probes chose.

    Raises:
        ValueError: one has another.
    """
    wrong = [
        f"{each.recipe.name} {each.chosen:g} (has {each.recipe.learning_rate:g})"
        for each in probes
        if each.chosen not in (None, each.recipe.learning_rate)
    ]
    if wrong:
        raise ValueError(
            f"the probes chose other learning rates: {', '.join(wrong)}; set them in "
            "recipes/benchmark.py, or improvements.py for extras"
        )
