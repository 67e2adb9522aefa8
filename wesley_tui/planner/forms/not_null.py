"""NOT NULL on a table with rows: proven by a CHECK, so that the lock is held for a moment only.

PostgreSQL 12 and later skip the scan of SET NOT NULL when a validated CHECK says the same. The helper is dropped by a
step of its own: in one ALTER TABLE with SET NOT NULL the proof would be gone before it is looked for, and the table
would be read under ACCESS EXCLUSIVE.

Where a backfill comes before, the helper waits for its end. NOT VALID spares existing rows the proof, but not their
next UPDATE: whoever touched any other column of a row that is still NULL, a client or another backfill, would get an
error. Clients may write NULL until the helper stands; a second pass, after it, fills those rows before the proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog.model import Check, Column, QName
from wesley_tui.catalog.naming import default_name, qualified, quote_ident
from wesley_tui.diff.changes import ChangeColumnNotNull
from wesley_tui.planner import checks
from wesley_tui.planner.backfill import backfill_nulls, can_be_walked, walking_key
from wesley_tui.planner.effects.expressions import proves_not_null
from wesley_tui.planner.forms.foreign_keys import validate
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    table_resource,
)
from wesley_tui.planner.plan import StepKind
from wesley_tui.planner.situation import Situation, clipped_name

__all__ = ["change_not_null", "fill_nulls", "prove_not_null"]


def change_not_null(change: ChangeColumnNotNull, situation: Situation) -> Iterator[Operation]:
    table, name = change.table, change.column
    if situation.shadows.has(table, name):
        return  # its shadow is made as it is declared
    if not change.not_null:
        yield Operation(
            op="drop_not_null",
            object=f"{table}.{name}",
            wave="EXPAND",
            phase=Phase.COLUMN,
            statements=(f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote_ident(name)} DROP NOT NULL",),
            undo=(f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote_ident(name)} SET NOT NULL",),
            prechecks=(checks.column_exists(table, name),),
            postchecks=(checks.column_is_not_null(table, name, False),),
            needs=(
                table_resource(table),
                column_resource(table, name, "typed"),
                column_resource(table, name, "loose"),
            ),
            why=("from now on clients may find NULL in this column; the undo works as long as none was written",),
        )
        return
    wanted = situation.desired_column(table, name)
    live = situation.live_table(table)
    column = live.column(name)
    default = wanted.default if wanted is not None and wanted.identity is None else None
    fill = None
    if default is not None and column is not None and can_be_walked(live):
        fill = fill_nulls(table, column, default, situation)
        yield fill
    yield from prove_not_null(table, name, situation, fill=fill)


def fill_nulls(table: QName, column: Column, expression: str, situation: Situation) -> Operation:
    """Along a key, or by ranges of blocks; only for a table that can be walked."""
    live = situation.walked_table(table)
    key = walking_key(live)
    along = f"along {', '.join(key)}" if key is not None else "by ranges of blocks, because the table has no key"
    backfill = backfill_nulls(live, key, column.name, expression)
    return Operation(
        op="backfill_sql",
        object=f"{table}.{column.name}",
        wave="BACKFILL",
        phase=Phase.BACKFILL,
        kind=StepKind.BACKFILL,
        prechecks=(checks.column_exists(table, column.name),),
        postchecks=(),
        provides=(column_resource(table, column.name, "filled"),),
        needs=(
            table_resource(table),
            column_resource(table, column.name),
            column_resource(table, column.name, "default"),
            *situation.walked_needs(table, key),
        ),
        why=(
            f"rows whose {column.name} is NULL get {expression}, {backfill.batch_rows} at a time {along}, "
            f"each batch its own short transaction",
            "writers of the rows of one batch wait until that batch is done; nobody else waits",
        ),
        backfill=backfill,
        unbounded=False,
    )


def prove_not_null(table: QName, column: str, situation: Situation, *, fill: Operation | None) -> Iterator[Operation]:
    """Helper CHECK, its proof, SET NOT NULL, and the helper goes. ``fill``: the backfill that came before; it runs
    again once the helper stops new NULLs. Without one, NULLs are looked for before anything is done."""
    target = f"ALTER TABLE {qualified(table)}"
    quoted = quote_ident(column)
    existing = _existing_proof(table, column, situation)
    helper = existing.name if existing is not None else clipped_name("wesley_not_null_", f"{table.name}_{column}")
    if existing is None:
        yield Operation(
            op="add_check_not_valid",
            object=f"{table}.{helper}",
            wave="EXPAND" if fill is None else "VALIDATE",
            phase=Phase.CONSTRAINT,
            statements=(f"{target} ADD CONSTRAINT {quote_ident(helper)} CHECK ({quoted} IS NOT NULL) NOT VALID",),
            undo=(f"{target} DROP CONSTRAINT {quote_ident(helper)}",),
            prechecks=(
                checks.column_exists(table, column),
                checks.constraint_absent(table, helper),
                *((checks.no_nulls(table, column),) if fill is None else ()),
            ),
            postchecks=(checks.constraint_exists(table, helper),),
            provides=(constraint_resource(table, helper),),
            needs=(
                table_resource(table),
                column_resource(table, column),
                column_resource(table, column, "typed"),
                column_resource(table, column, "default"),
                column_resource(table, column, "filled"),
            ),
            why=(
                "a helper: it stops new NULLs now, and once proven it lets SET NOT NULL skip the scan",
                "from now on clients that write NULL into this column get an error",
            ),
            unbounded=fill is None,
        )
        if fill is not None:
            yield _second_pass(fill, table, column, helper)
    naming, back = _named(table, column, situation)
    if existing is None or not existing.validated:
        yield validate(
            table, helper, (column_resource(table, column, "filled"), column_resource(table, column, "swept"))
        )
    yield Operation(
        op="set_not_null",
        object=f"{table}.{column}",
        wave="VALIDATE",
        phase=Phase.NOT_NULL,
        statements=(f"{target} ALTER COLUMN {quoted} SET NOT NULL", *naming),
        undo=(*back, f"{target} ALTER COLUMN {quoted} DROP NOT NULL"),
        prechecks=(checks.constraint_valid(table, helper),),
        postchecks=(checks.column_is_not_null(table, column),),
        provides=(column_resource(table, column, "not null"),),
        needs=(
            constraint_resource(table, helper, "valid"),
            constraint_resource(table, helper),
            column_resource(table, column),
        ),
        why=(f"the CHECK {helper} proves that no row is NULL: PostgreSQL does not read the table again",),
    )
    if existing is None:
        yield Operation(
            op="drop_constraint",
            object=f"{table}.{helper}",
            wave="VALIDATE",
            phase=Phase.NOT_NULL,
            statements=(f"{target} DROP CONSTRAINT {quote_ident(helper)}",),
            undo=(f"{target} ADD CONSTRAINT {quote_ident(helper)} CHECK ({quoted} IS NOT NULL) NOT VALID",),
            prechecks=(checks.column_is_not_null(table, column), checks.constraint_exists(table, helper)),
            postchecks=(checks.constraint_absent(table, helper),),
            needs=(column_resource(table, column, "not null"),),
            why=("the helper has done its work: NOT NULL itself holds now",),
        )


def _named(table: QName, column: str, situation: Situation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """PostgreSQL 18: SET NOT NULL lets the server choose the name; and the way back."""
    wanted = situation.desired_column(table, column)
    chosen = default_name(table.name, (column,), "not_null")
    if situation.snapshot.major < 18 or wanted is None or wanted.not_null_name in (None, chosen):
        return (), ()
    rename = f"ALTER TABLE {qualified(table)} RENAME CONSTRAINT"
    own, usual = quote_ident(wanted.not_null_name or chosen), quote_ident(chosen)
    return (f"{rename} {usual} TO {own}",), (f"{rename} {own} TO {usual}",)


def _second_pass(fill: Operation, table: QName, column: str, helper: str) -> Operation:
    """In the phase of the helper: the order of positions then puts it before the helper of another column of the same
    table, which the rows that it writes might not satisfy yet."""
    return replace(
        fill,
        wave="VALIDATE",
        phase=Phase.CONSTRAINT,
        provides=(column_resource(table, column, "swept"),),
        needs=(*fill.needs, constraint_resource(table, helper)),
        why=(
            f"a second pass: clients may have written NULL into {column} behind the first one, until the helper stood",
            "rows are read in short batches along the key; only those that are still NULL are written",
        ),
    )


def _existing_proof(table: QName, column: str, situation: Situation) -> Check | None:
    """A check of the live table that says it already: the author's own, or a helper of an interrupted run."""
    proofs = [
        item
        for item in situation.live_table(table).constraints
        if isinstance(item, Check)
        and item.enforced
        and proves_not_null(item.expression, column)
        and (table, item.name) not in situation.moved
    ]
    return max(proofs, key=lambda item: item.validated, default=None)
