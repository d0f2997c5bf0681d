"""The open benchmark: every lifter of the zoo, trained alike on open motion and scored alike.

Learning rates come from probes (see `open_probes`); then every recipe of `BENCHMARK` is trained
once. AMPose and the three other single-frame systems with the least validation error are trained
from several seeds. Test sets choose nothing. `EXTRAS` are AMPose and the best others again, with
everything that was added to AMPose and that they can take. The recipes of `WIDE_BENCHMARK`,
published widths and more poses, are for a GPU and are trained only when asked for.

Systems that see several frames stand apart from those that see one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from ampose.research.evaluation.open_protocol import INPUTS, PROTOCOL
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.research.models.cost import Cost, cost
from ampose.research.models.zoo import ModelConfig, build
from ampose.research.recipes import BENCHMARK, EXTRAS, WIDE_BENCHMARK, Recipe
from ampose.research.recipes.benchmark import PROBE, PROBED_RATES
from ampose.research.recipes.improvements import CHANGES
from ampose.research.reproduction.kept_scores import Scores
from ampose.research.reproduction.markdown import Section, markdown_table, write_markdown
from ampose.research.reproduction.open_probes import (
    Probed,
    probed,
    require_chosen,
    validation_error,
    write_probes,
)
from ampose.research.reproduction.open_runs import (
    CONDITIONS,
    CONVENTIONS,
    ERRORS,
    NEEDS_GPU,
    OWN_BONES,
    TEST_SETS,
    Bench,
    error_cells,
    has_run,
    main_row,
    origin_cells,
    ranking,
    readable_errors,
    score_runs,
    seeded_runs,
)
from ampose.research.reproduction.open_speed import LATENCY, THROUGHPUT, Speeds, read_speeds
from ampose.research.reproduction.open_systems import AMPOSE, KNOWN, system_name, width_note
from ampose.research.reproduction.runs import NOT_RUN, validations
from ampose.research.reproduction.tables import Written

STEM = "open_benchmark"

OTHERS = 3
"""How many systems beside AMPose are trained from several seeds."""

BY_CLASS = "hdm05"
"""The set that is also scored class by class."""

MEASURES = {
    "joint angles": "angle_error",
    "bones": "bone_variation",
    "PCK": "pck",
    "AUC": "auc",
}
"""Metrics beside the two errors: degrees, and percent."""

SHARES = {"1/4 of the poses": 4, "1/2 of the poses": 2, "all poses": 1}
"""Points of the training at which validation errors are given, and the divisor of the poses."""

NOT_LOGGED = "not logged"

CPU, EXTRA, GPU = "CPU", "CPU, with extras", "GPU"
"""Tiers: of `BENCHMARK`, of `EXTRAS` and of `WIDE_BENCHMARK`."""

Row = Mapping[str, object]


def reproduce_benchmark(bench: Bench, out: Path) -> Written:
    """Probes and trains what is missing and may be, scores it, and writes the tables.

    Raises:
        ValueError: a recipe lacks the learning rate that its probes chose, a run folder holds
            another run, or data that is needed is not there.
        OSError: a file cannot be written.
        KeyboardInterrupt: during training, after saving, so that the same call goes on.
    """
    tiers = {CPU: BENCHMARK, EXTRA: EXTRAS, GPU: WIDE_BENCHMARK}
    recipes = {recipe.name: recipe for tier in tiers.values() for recipe in tier}
    tier_of = {recipe.name: tier for tier, held in tiers.items() for recipe in held}
    probes = list(probed(probed_recipes(wide=bench.wide), bench))
    chosen = write_probes(probes, out)
    require_chosen(probes)
    runs, several = seeded_runs(
        recipes,
        bench,
        may_train=lambda recipe: bench.wide or tier_of[recipe.name] != GPU,
        repeated=repeated_systems,
    )
    every = [run for found in runs.values() for run in found]
    scores = {
        name: score_runs(every, name, bench, by_class=name == BY_CLASS) for name in TEST_SETS
    }
    speeds = read_speeds(out)
    rows: list[Row] = []
    of_classes: list[Row] = []
    for name, recipe in recipes.items():
        tier = tier_of[name]
        instead = NEEDS_GPU if tier == GPU and not bench.wide else NOT_RUN
        of_row = {each: [of_set[run] for run in runs[name]] for each, of_set in scores.items()}
        rows.append(
            {
                "tier": tier,
                **network_cells(recipe),
                "seeds": len(runs[name]) or instead,
                **validation_cells(recipe, runs[name], instead),
                **error_cells(of_row, instead, MEASURES),
                **error_cells(of_row, instead, bones="native"),
                **speed_cells(recipe, speeds),
                **origin_cells(runs[name], of_row),
            }
        )
        if runs[name] or tier != GPU:
            of_classes += class_rows(recipe, of_row[BY_CLASS], instead)
    notes = benchmark_notes(rows, probes, several, speeds)
    sections = list(benchmark_sections(rows))
    paths = out / f"{STEM}.csv", out / f"{STEM}_classes.csv", out / f"{STEM}.md"
    write_table(paths[0], rows, notes)
    write_table(paths[1], of_classes, class_notes())
    write_markdown(paths[2], "Every lifter alike on open data", sections, notes)
    return Written((chosen, *paths), sections[0].table)


def probed_recipes(*, wide: bool) -> Iterator[Recipe]:
    """The recipes whose learning rate is probed: one of each network that may be trained here."""
    yield from (*BENCHMARK, *EXTRAS)
    for small, full in zip(BENCHMARK, WIDE_BENCHMARK, strict=True):
        if wide and full.model != small.model:
            yield full


def repeated_systems(first: Mapping[str, Path | None]) -> tuple[str, ...]:
    """The recipes that are trained from several seeds, given the runs of seed 0.

    AMPose and the best others on validation, of the single-frame systems of the CPU tier; none
    before all of these have run.
    """
    single = {recipe.name: first[recipe.name] for recipe in BENCHMARK if recipe.model.frames == 1}
    errors = {name: validation_error(run) for name, run in single.items() if run}
    if len(errors) < len(single):
        return ()
    others = sorted(errors.keys() - {AMPOSE}, key=errors.__getitem__)
    return AMPOSE, *others[:OTHERS]


def network_cells(recipe: Recipe) -> dict[str, object]:
    """What a row says of the network and its training."""
    known, counted = KNOWN[type(recipe.model)], counts(recipe.model)
    return {
        "system": system_name(recipe),
        "recipe": recipe.name,
        "frames": recipe.model.frames,
        "parameters published, M": known.parameters,
        "parameters": counted.parameters,
        "width": width_note(recipe),
        "MACs": counted.all_macs,
        "learning rate": f"{recipe.learning_rate:g}",
        "poses": recipe.poses,
    }


@cache
def counts(model: ModelConfig) -> Cost:
    """What a network costs."""
    return cost(build(model))


def validation_cells(recipe: Recipe, runs: Sequence[Path], instead: str) -> dict[str, object]:
    """Validation errors during the training of seed 0, which show what is still learning."""
    plan = recipe.plan(0)
    poses = plan.seen(plan.steps)
    course = validations(runs[0]) if runs else {}
    instead = NOT_LOGGED if runs else instead
    return {
        f"cmu-val {kind} MPJPE, {share}": (
            course[at][f"{kind}_mpjpe"] if (at := poses // divisor) in course else instead
        )
        for share, divisor in SHARES.items()
        for kind in INPUTS
    }


def speed_cells(recipe: Recipe, speeds: Speeds) -> dict[str, object]:
    """How fast the network was, if that was measured."""
    return {
        heading: speeds.of(recipe.name, heading, counts(recipe.model).parameters)
        for heading in (LATENCY, THROUGHPUT)
    }


def class_rows(recipe: Recipe, scores: Sequence[Scores], instead: str) -> Iterator[Row]:
    """One row per class, of seed 0."""
    metrics = {**ERRORS, "PCK": "pck", "AUC": "auc"}
    columns = [(kind, label) for kind in INPUTS for label in metrics]
    start = {"system": system_name(recipe), "recipe": recipe.name}
    if not scores:
        cells = dict.fromkeys((f"{kind} {label}" for kind, label in columns), instead)
        yield {**start, "class": instead, "poses": "", **cells}
        return
    for group in dict.fromkeys(row["group"] for row in scores[0].rows):
        if group.startswith("class "):
            of_class = {kind: main_row(scores[0], kind, group) for kind in INPUTS}
            yield {
                **start,
                "class": group.removeprefix("class "),
                "poses": of_class["exact"]["frames"],
                **{
                    f"{kind} {label}": round(of_class[kind][metrics[label]], 2)
                    for kind, label in columns
                },
            }


def benchmark_notes(
    rows: Sequence[Row], probes: Sequence[Probed], several: Sequence[str], speeds: Speeds
) -> dict[str, str]:
    """What stands with the table."""
    rates = ", ".join(f"{rate:g}" for rate in PROBED_RATES)
    unknown = ", ".join(each.recipe.name for each in probes if each.chosen is None)
    best = ", ".join(name for name in several if name != AMPOSE)
    base, wide = BENCHMARK[0], WIDE_BENCHMARK[0]
    notes = {
        "table": "every lifter trained alike on open motion; published losses, schedules, dropout "
        "and pre-training are not used",
        "protocol": f"{PROTOCOL}, seed 0",
        "conventions": CONVENTIONS,
        "other measures": "error of the joint angles in degrees; variation of the predicted "
        "bones' lengths, PCK (150 mm) and AUC in percent; means over the seeds",
        "training": f"{base.poses:,} poses in batches of {base.batch}, at a width for a CPU "
        f"({CPU}); {wide.poses:,} poses at the published width ({GPU}), only with --wide",
        EXTRA: "; ".join(change.title for change in CHANGES if change.name != "rate")
        + "; the first two are AMPose's own, Muon is not for the hourglass, which has a map per "
        "joint; chosen on AMPose, then given to the others; learning rates probed again",
        "weight decay": "of linear maps; the maps per joint of weight sharing and the hourglass "
        "have none",
        "own bones": "the subjects' own, not the template's",
        "learning rate": f"of {rates} the best on cmu-val after {PROBE:,} poses "
        f"(open_probes.csv); not probed yet: {unknown or 'none'}",
        "several seeds": f"AMPose and of the other single-frame systems ({CPU}) the best "
        f"{OTHERS} on cmu-val, mean of exact and detector MPJPE of seed 0: "
        f"{best or 'not known before all have run'}",
        "validation": "cmu-val, seed 0, on the way through the poses",
        "parameters published, M": "as printed; parameters and MACs are those of the network "
        f"here. Sources: {sources()}",
        "speed": speeds.origin,
    }
    for name, part in parts(rows).items():
        if any(map(has_run, part)):
            for condition in (*CONDITIONS, *OWN_BONES):
                column = f"{condition} MPJPE"
                notes[f"best to worst, {name}, {column}"] = ranking(part, column)
    return notes | circumstances()


def class_notes() -> dict[str, str]:
    """What stands with the table of classes."""
    return {
        "table": f"{BY_CLASS} class by class, weights of seed 0",
        "protocol": f"{PROTOCOL}, seed 0",
        "conventions": "MPJPE and P-MPJPE in mm, PCK (150 mm) and AUC in percent; template bones, "
        "focal length known; root-relative, camera axes",
        **circumstances(),
    }


def parts(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows that may be compared with each other; of each part, the best on validation first.

    Those that have not run are last and stay in their order.
    """

    def on_validation(row: Row) -> float:
        errors = [row[f"cmu-val {kind} MPJPE, all poses"] for kind in INPUTS]
        known = [each for each in errors if isinstance(each, float) and not math.isnan(each)]
        return sum(known) if known == errors else math.inf

    found: dict[str, list[Row]] = {}
    for tier, note in ((CPU, ""), (EXTRA, ", with extras"), (GPU, ", published widths (GPU)")):
        of_tier = [row for row in rows if row["tier"] == tier]
        found[f"One frame{note}"] = [row for row in of_tier if row["frames"] == 1]
        found[f"Several frames{note}"] = [row for row in of_tier if row["frames"] != 1]
    return {name: sorted(part, key=on_validation) for name, part in found.items() if part}


def sources() -> str:
    """Where published numbers of parameters are printed, and of which networks."""
    names = {type(recipe.model) for recipe in BENCHMARK}
    known = [each for network, each in KNOWN.items() if network in names and each.source]
    return ", ".join(f"{each.name} ({each.source})" for each in known)


def benchmark_sections(rows: Sequence[Row]) -> Iterator[Section]:
    """The readable tables of each part; errors only where there are some."""
    for name, part in parts(rows).items():
        done = [row for row in part if has_run(row)]
        if done:
            yield Section(f"{name}: MPJPE / P-MPJPE in mm", _errors(part, CONDITIONS))
            yield Section(f"{name}: the same, own bones", _errors(part, OWN_BONES))
        yield Section(f"{name}: networks", _networks(part))
        if done:
            yield Section(f"{name}: exact / detector MPJPE on cmu-val in mm", _course(done))
            yield Section(f"{name}: {', '.join(MEASURES)} (degrees, percent)", _measures(done))


def _errors(rows: Sequence[Row], conditions: Sequence[str]) -> str:
    return markdown_table(
        ["system", "seeds", *conditions],
        [
            [
                str(row["system"]),
                str(row["seeds"]),
                *(readable_errors(row, condition) for condition in conditions),
            ]
            for row in rows
        ],
    )


def _networks(rows: Sequence[Row]) -> str:
    columns = ("width", "learning rate", "seeds", LATENCY, THROUGHPUT)
    return markdown_table(
        ["system", "parameters published, M", "parameters", "MACs", *columns],
        [
            [
                str(row["system"]),
                str(row["parameters published, M"]),
                f"{row['parameters']:,}",
                f"{row['MACs']:,}",
                *(str(row[column]) for column in columns),
            ]
            for row in rows
        ],
    )


def _course(rows: Sequence[Row]) -> str:
    return markdown_table(
        ["system", *SHARES],
        [
            [
                str(row["system"]),
                *(
                    " / ".join(str(row[f"cmu-val {kind} MPJPE, {share}"]) for kind in INPUTS)
                    for share in SHARES
                ),
            ]
            for row in rows
        ],
    )


def _measures(rows: Sequence[Row]) -> str:
    return markdown_table(
        ["system", *CONDITIONS],
        [
            [
                str(row["system"]),
                *(
                    " / ".join(f"{row[f'{condition} {label}']:.1f}" for label in MEASURES)
                    for condition in CONDITIONS
                ),
            ]
            for row in rows
        ],
    )
