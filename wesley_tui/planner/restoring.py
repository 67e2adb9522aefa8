"""What was retired comes back with its data, when the schema declares it again.

A retired column is one that a plan renamed out of sight, a retired table one that it moved to schema
``wesley_retired``. Bringing them back is a rename: so the live catalog is shown to the comparison with the resting
things in it, under the names by which they rest, and the author's intent with one rename more for each that fits. What
does not fit at once (another type, several of the same name) becomes a question, to be answered like every rename.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Column, QName, Table
from wesley_tui.catalog.reading.names import RETIRED_PREFIX
from wesley_tui.catalog.snapshot import RestingColumn, Snapshot
from wesley_tui.diff.changes import RenameQuestion
from wesley_tui.planner.situation import RETIRED_SCHEMA, clipped_name

__all__ = ["Restoring", "with_resting"]


@dataclass(frozen=True, slots=True)
class Restoring:
    """What the comparison and the plan look at, instead of what was read."""

    snapshot: Snapshot
    intent: Intent
    questions: tuple[RenameQuestion, ...] = ()


def with_resting(snapshot: Snapshot, desired: Catalog, intent: Intent) -> Restoring:
    """``snapshot`` and ``intent`` as they are when nothing that rests is declared again."""
    tables = dict(snapshot.catalog.tables)
    renamed_columns = dict(intent.renamed_columns)
    renamed_tables = dict(intent.renamed_tables)
    questions: list[RenameQuestion] = []
    for table in _awaited_tables(snapshot, desired, intent):
        rested = snapshot.retired.tables.get(QName(RETIRED_SCHEMA, table.name.name))
        if rested is None:
            continue
        tables[rested.name] = rested
        if _same_table(rested, table):
            renamed_tables[table.name] = rested.name
        else:
            questions.append(_table_question(rested, table))
    found: dict[QName, list[Column]] = {}
    for live, wanted, column in _awaited_columns(snapshot, desired, intent):
        resting = [item for item in snapshot.resting_columns if item.table == live and _rests_as(item, column.name)]
        if not resting:
            continue
        found.setdefault(live, []).extend(item.column for item in resting)
        key = (wanted, column.name)
        if key in renamed_columns:
            continue
        fitting = [item for item in resting if _same_column(item.column, column)]
        if len(fitting) == 1:
            renamed_columns[key] = fitting[0].column.name
        else:
            questions += (_column_question(wanted, item, column, len(fitting)) for item in resting)
    for name, columns in found.items():
        tables[name] = replace(tables[name], columns=(*tables[name].columns, *columns))
    if tables.keys() == snapshot.catalog.tables.keys() and not found:
        return Restoring(snapshot, intent, tuple(questions))
    rested_names = {str(name) for name in tables.keys() - snapshot.catalog.tables.keys()}
    parts = {ref: item for ref, item in snapshot.retired.objects.items() if str(item.relation) in rested_names}
    shown = replace(snapshot.catalog, tables=tables, objects={**snapshot.catalog.objects, **parts})
    return Restoring(
        replace(snapshot, catalog=shown, visible=snapshot.visible or snapshot.catalog),
        replace(intent, renamed_columns=renamed_columns, renamed_tables=renamed_tables),
        tuple(questions),
    )


def _awaited_tables(snapshot: Snapshot, desired: Catalog, intent: Intent) -> Iterator[Table]:
    """Declared tables that would be created."""
    if snapshot.retired.tables:
        for name, table in desired.tables.items():
            if name not in snapshot.catalog.tables and name not in intent.renamed_tables:
                yield table


def _awaited_columns(snapshot: Snapshot, desired: Catalog, intent: Intent) -> Iterator[tuple[QName, QName, Column]]:
    """(live table, declared table, declared column) of columns that would be added, on tables where some rest."""
    places = {item.table for item in snapshot.resting_columns}
    if not places:
        return
    for name, table in desired.tables.items():
        before = intent.renamed_tables.get(name, name)
        place = name if name in snapshot.catalog.tables else before
        live = snapshot.catalog.tables.get(place)
        if place not in places or live is None:
            continue
        for column in table.columns:
            source = intent.renamed_columns.get((name, column.name), column.name)
            if live.column(column.name) is None and live.column(source) is None:
                yield place, name, column


def _rests_as(item: RestingColumn, name: str) -> bool:
    """Whether it is the column ``name`` that was retired; the old column of a change of type is none."""
    tag = re.match(rf"{RETIRED_PREFIX}([0-9a-f]{{8}})_", item.column.name)
    return tag is not None and item.column.name == clipped_name(tag[0], name)


def _same_column(resting: Column, wanted: Column) -> bool:
    return (
        (resting.type, resting.collation) == (wanted.type, wanted.collation)
        and resting.generated is None
        and wanted.generated is None
    )


def _same_table(resting: Table, wanted: Table) -> bool:
    """The declared table has every column that the retired one has, of the same type."""
    types = {column.name: column.type for column in wanted.columns}
    return bool(resting.columns) and all(types.get(column.name) == column.type for column in resting.columns)


def _column_question(table: QName, item: RestingColumn, wanted: Column, fitting: int) -> RenameQuestion:
    resting = item.column
    reason = (
        f"more than one column {wanted.name} was retired"
        if fitting
        else f"it is {resting.type}, and {wanted.type} is declared: its values would be converted"
    )
    why = (
        f"column {wanted.name} would be added empty, and {resting.name}, which was retired, rests in the same table; "
        f'{reason}. To get its data back, write @renamed(from: "{resting.name}") on the field'
    )
    return RenameQuestion("column", table, resting.name, wanted.name, why)


def _table_question(resting: Table, wanted: Table) -> RenameQuestion:
    why = (
        f"table {wanted.name} would be created empty, and {resting.name}, which was retired, has its rows but other "
        f'columns. To get them back, write @renamed(from: "{resting.name}") on the type'
    )
    return RenameQuestion("table", wanted.name, str(resting.name), str(wanted.name), why)
