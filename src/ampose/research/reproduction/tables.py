"""Tables 4.1 to 4.9: published and measured numbers side by side, as CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ampose.research.evaluation import licensed
from ampose.research.evaluation.provenance import circumstances, write_table
from ampose.research.recipes import RECIPES
from ampose.research.reproduction.costs import costs
from ampose.research.reproduction.kept_scores import (
    Row,
    Scores,
    keep_scores,
    kept_scores,
    measured_now,
)
from ampose.research.reproduction.laboratory import (
    Laboratory,
    NotMeasuredError,
    options_on,
    protocol_name,
)
from ampose.research.reproduction.markdown import Section, markdown_table, write_markdown
from ampose.research.reproduction.published import ORACLE, UNREADABLE, System, Table
from ampose.research.reproduction.runs import run_facts

PUBLISHED_ONLY = "published only"

TRIAL = (
    "TRIAL, NO MEASUREMENT: generated or partial data, or other epochs than the recipe's; the "
    "numbers say only that everything runs"
)

KINDS = ("published", "measured", "difference")


@dataclass(frozen=True)
class Measured:
    """What a row with a recipe measures.

    Attributes:
        values: quantity, as in the values of `Table.quantities`, to number.
        instead: what a cell without a number says.
        reason: why there is none: the line of the loader that did not find its files.
        scores: where the errors come from.
        trained: what is known of the training.
        trial: errors that are no measurement.
    """

    values: Mapping[str, float]
    instead: str = ""
    reason: str = ""
    scores: Scores | None = None
    trained: Mapping[str, str] = field(default_factory=dict)
    trial: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """What was written, and what to say of it.

    Attributes:
        paths: the files.
        summary: the main part, to be shown.
        remarks: lines to go with it, such as why cells are without a number.
    """

    paths: tuple[Path, ...]
    summary: str
    remarks: tuple[str, ...] = ()


def reproduce_table(table: Table, laboratory: Laboratory, out: Path) -> Written:
    """Trains or loads every row with a recipe, scores it, and writes the table.

    A trial goes into the laboratory's temporary folder instead of `out`.

    Raises:
        ValueError: a run folder holds another run, or data does not fit the protocol.
        OSError: a file cannot be written.
        KeyboardInterrupt: during training, after saving, so that the same call goes on.
    """
    measured = {system.recipe: measure(system, table, laboratory) for system in table.runnable}
    is_trial = any(each.trial for each in measured.values())
    rows = [table_row(each, table, measured.get(each.recipe)) for each in table.systems]
    notes = table_notes(table, is_trial=is_trial)
    sections = list(table_sections(table, rows))
    stem = f"table_{table.number.replace('.', '_')}"
    folder = laboratory.trial if is_trial else out
    paths = folder / f"{stem}.csv", folder / f"{stem}.md"
    write_table(paths[0], rows, notes)
    title = f"Table {table.number}: {table.title}"
    of_rows = {_name(row): str(row["note"]) for row in rows if row["note"]}
    write_markdown(paths[1], title, sections, notes | of_rows)
    reasons = dict.fromkeys(each.reason for each in measured.values() if each.reason)
    summary = "\n\n".join(each.table for each in sections if each.heading not in table.wide)
    return Written(paths, summary, (*reasons, *([TRIAL] if is_trial else [])))


def measure(system: System, table: Table, laboratory: Laboratory) -> Measured:
    """The costs and, where data and run are at hand, the errors of a row with a recipe."""
    assert system.recipe is not None
    recipe = laboratory.recipe(system.recipe)
    values = costs(recipe) if table.has_costs else {}
    run, is_trial = laboratory.finished(recipe), False
    scores = kept_before(system, table, laboratory)
    if run is None or scores is None:
        try:
            specimen = laboratory.specimen(recipe, table.dataset)
        except NotMeasuredError as error:
            return Measured(values, str(error), error.reason)
        run, is_trial = specimen.run, specimen.is_trial
        predicted = specimen.predict(specimen.poses)
        found = licensed.score(table.dataset, predicted, specimen.poses, table.convention)
        scores = measured_now(run, found)
        if not is_trial:
            keep_scores(run, protocol_name(specimen.options, table.convention), scores)
    trained = run_facts(run) | {"seed": str(recipe.seed)}
    errors = flat(scores.rows)
    if is_trial:
        return Measured(values, scores=scores, trained=trained, trial=errors)
    return Measured(values | errors, scores=scores, trained=trained)


def kept_before(system: System, table: Table, laboratory: Laboratory) -> Scores | None:
    """What the weights of a row with a recipe scored before, if they were measured."""
    assert system.recipe is not None
    recipe = laboratory.recipe(system.recipe)
    run = laboratory.finished(recipe)
    options = options_on(recipe, table.dataset)
    return kept_scores(run, protocol_name(options, table.convention)) if run else None


def flat(rows: Iterable[Row]) -> dict[str, float]:
    """The numbers of a protocol's rows as ``group.metric``; the first entry names the group."""
    out: dict[str, float] = {}
    for each in rows:
        (_, group), *metrics = each.items()
        out |= {f"{group}.{name}": float(value) for name, value in metrics}
    return out


def table_row(system: System, table: Table, measured: Measured | None) -> dict[str, object]:
    """A row of the CSV; `measured` is None for a system that is published only."""
    row: dict[str, object] = {
        "setting": system.setting,
        "system": system.name,
        "recipe": system.recipe or "",
        "oracle": ORACLE if system.oracle else "",
    }
    measured = measured or Measured({}, PUBLISHED_ONLY)
    for quantity, place in table.quantities.items():
        printed = system.values.get(quantity)
        number = measured.values.get(place)
        tried = measured.trial.get(place)
        instead = measured.instead if tried is None else f"trial: {tried:.1f}"
        unread = quantity in system.values and printed is None
        cells = {
            "published": UNREADABLE if unread else _or_empty(printed),
            "measured": instead if number is None else number,
            "difference": _difference(number, printed),
        }
        kinds = KINDS if table.is_printed(quantity) else ("measured",)
        row |= {f"{quantity} {kind}": cells[kind] for kind in kinds}
    scores = measured.scores
    return row | {
        "seed": measured.trained.get("seed", ""),
        "weights sha256": scores.sha256[:12] if scores else "",
        "measured at commit": scores.commit if scores else "",
        "measured on": scores.hardware if scores else "",
        "trained on": measured.trained.get("device", ""),
        "note": system.note,
    }


def _or_empty(number: float | None) -> object:
    return "" if number is None else number


def _difference(measured: float | None, published: float | None) -> object:
    if measured is None or published is None:
        return ""
    return round(measured - published, 6)


def table_notes(table: Table, *, is_trial: bool) -> dict[str, str]:
    """What stands with every table."""
    notes = {"trial": TRIAL} if is_trial else {}
    notes |= {
        "table": f"{table.number}, {table.title}",
        "published": "as printed in the thesis (H.-X. Lin, AMPose, NTU 2023); [n] are its "
        "references",
        "measured": "by this code; a cell without a number says why. Difference: measured minus "
        "published",
        "conventions": licensed.conventions(table.dataset, table.convention),
        "at test": mirroring(table),
        "seed": "0",
    }
    return {**notes, **table.notes, **circumstances()}


def mirroring(table: Table) -> str:
    """Whether predictions are averaged with those for mirror images, by the rows' recipes."""
    rows: dict[bool, list[str]] = {True: [], False: []}
    for system in table.runnable:
        assert system.recipe is not None
        options = options_on(RECIPES[system.recipe], table.dataset)
        rows[options.mirror_test].append(system.recipe)
    both, plain = "mean of a pose and its mirror image lifted", "poses lifted as they are"
    if not rows[False]:
        return both
    return f"{both}; {plain} for {', '.join(rows[False])}" if rows[True] else plain


def table_sections(table: Table, rows: Sequence[Mapping[str, object]]) -> Iterator[Section]:
    """The parts of the readable table."""
    for heading, quantities in table.sections.items():
        make = _kinds_as_rows if heading in table.wide else _kinds_as_columns
        yield Section(heading, make(quantities, rows))


def _kinds_as_columns(quantities: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    columns = [f"{quantity} {kind}" for quantity in quantities for kind in KINDS]
    columns = [column for column in columns if column in rows[0]]
    return markdown_table(
        ["system", *columns],
        [[_name(row), *(_text(column, row[column]) for column in columns)] for row in rows],
    )


def _kinds_as_rows(quantities: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    lines = []
    for row in rows:
        for kind in KINDS if row["recipe"] else KINDS[:1]:
            cells = [_text(kind, row[f"{quantity} {kind}"]) for quantity in quantities]
            if len(set(cells)) > 1:
                lines.append([_name(row), kind, *cells])
            elif cells[0]:  # a word in the place of every number
                lines.append([_name(row), f"{kind}: {cells[0]}", *[""] * len(cells)])
    return markdown_table(["system", "", *quantities], lines)


def _name(row: Mapping[str, object]) -> str:
    setting = f"{row['setting']}: " if row["setting"] else ""
    return f"{setting}{row['system']}" + (" (oracle)" if row["oracle"] else "")


def _text(column: str, value: object) -> str:
    if column.endswith("difference") and isinstance(value, float):
        return f"{value:+.6f}".rstrip("0").rstrip(".")
    return str(value)
