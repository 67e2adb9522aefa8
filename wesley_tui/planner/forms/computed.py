"""Columns that triggers compute: existing rows get their value once, in batches, after the triggers stand."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.catalog.naming import quote_ident
from wesley_tui.diff.changes import FillComputed
from wesley_tui.planner import checks
from wesley_tui.planner.backfill import backfill_rows, walking_key
from wesley_tui.planner.forms.shadow.sync import differs
from wesley_tui.planner.operations import Operation, Phase, column_resource, object_resource, table_resource
from wesley_tui.planner.plan import StepKind
from wesley_tui.planner.situation import Situation

__all__ = ["fill_computed"]


def fill_computed(change: FillComputed, situation: Situation) -> Iterator[Operation]:
    """Rows that have the right value are left alone; those that change meanwhile are the triggers'."""
    table, column = change.table, change.column
    exchanged = situation.shadows.has(table, column)
    live = situation.walked_table(table, exchanged=exchanged)
    key = walking_key(live)
    wanted = situation.desired_column(table, column)
    wrong = differs(f"t.{quote_ident(column)}", change.value, wanted.type if wanted is not None else "")
    backfill = backfill_rows(live, key, [(column, change.value)], wrong)
    yield Operation(
        op="backfill_sql",
        object=f"{table}.{column}",
        wave="BACKFILL",
        phase=Phase.BACKFILL,
        kind=StepKind.BACKFILL,
        prechecks=(checks.column_exists(table, column),),
        provides=(column_resource(table, column, "computed"),),
        needs=(
            table_resource(table),
            column_resource(table, column),
            column_resource(table, column, "filled"),
            column_resource(table, column, "typed"),
            *(object_resource(ref) for ref in change.triggers),
            *(() if exchanged else situation.walked_needs(table, key)),
        ),
        why=(
            f"{column} is computed from another table: triggers keep it from now on, and rows that are there already "
            "get their value once",
            "writers of the rows of one batch wait until that batch is done; nobody else waits",
        ),
        backfill=backfill,
    )
