"""Columns: add, rename, default, identity, generated, retire or drop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl, ddl_lifecycle
from wesley_tui.catalog.identity import identity_clause
from wesley_tui.catalog.model import Check, Column, ForeignKey, QName, Ref, SqlObject, Table
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.diff.changes import (
    AddColumn,
    ChangeColumnDefault,
    ChangeColumnGenerated,
    ChangeColumnIdentity,
    DropColumn,
    RenameColumn,
)
from wesley_tui.diff.family import whole
from wesley_tui.diff.tables import RETIRED
from wesley_tui.planner import checks
from wesley_tui.planner.backfill import can_be_walked
from wesley_tui.planner.computed import is_made_anew
from wesley_tui.planner.effects.expressions import mentions
from wesley_tui.planner.forms.not_null import fill_nulls, prove_not_null
from wesley_tui.planner.forms.numbered import is_numbered_in_batches, number_in_batches, without_numbers
from wesley_tui.planner.operations import (
    TYPE_OF,
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    detached_resource,
    name_resource,
    object_resource,
    table_resource,
)
from wesley_tui.planner.shadows import uses_column
from wesley_tui.planner.situation import Situation
from wesley_tui.planner.volatility import volatile_functions

__all__ = [
    "add_column",
    "change_default",
    "change_generated",
    "change_identity",
    "drop_column",
    "rename_column",
]


_NUMBERED = frozenset(("smallint", "integer", "bigint"))
"""Types that a column with an identity may have."""


def add_column(change: AddColumn, situation: Situation) -> Iterator[Operation]:
    table, column = change.table, change.column
    volatile = volatile_functions(column.default) if column.default is not None else ()
    if column.generated is not None:
        kind = column.generated.kind
        why = (
            ("a virtual column is computed when it is read: nothing is written",)
            if kind == "virtual"
            else (
                "a stored generated column is computed for every row while the table is locked: PostgreSQL has no "
                "other way; a plain column, filled in batches and kept by a trigger, would not block",
            )
        )
        yield _add(table, column, situation, why, unbounded=True)
    elif column.identity is not None and is_numbered_in_batches(table, situation):
        yield from number_in_batches(table, column, _add(table, without_numbers(column), situation, ()), situation)
    elif column.identity is not None:
        yield _add(
            table, column, situation,
            ("an identity column numbers every row while the table is locked: PostgreSQL has no other way",),
            unbounded=True,
        )  # fmt: skip
    elif volatile:
        yield from _add_with_volatile_default(table, column, volatile, situation)
    elif column.default is not None:
        yield _add(
            table, column, situation,
            ("the default is the same for all rows: PostgreSQL notes it once and writes no row",),
        )  # fmt: skip
    elif column.not_null:
        yield from _add_required(table, column, situation)
    else:
        yield _add(table, column, situation, ("the column is nullable without a default: no row is touched",))


def _add(
    table: QName, column: Column, situation: Situation, why: tuple[str, ...], *, unbounded: bool = False
) -> Operation:
    name = quote_ident(column.name)
    comment = (ddl.comment_on("column", table, column.name, column.comment),) if column.comment is not None else ()
    return Operation(
        op="add_column",
        object=f"{table}.{column.name}",
        wave="EXPAND",
        phase=Phase.COLUMN,
        statements=(
            f"ALTER TABLE {qualified(table)} ADD COLUMN {ddl.column_definition(column)}",
            *ddl.column_settings(table, column),
            *comment,
        ),
        undo=(f"ALTER TABLE {qualified(table)} DROP COLUMN {name}",),
        prechecks=(checks.table_exists(table), checks.column_absent(table, column.name)),
        postchecks=(checks.column_has_type(table, column.name, column.type),),
        provides=(
            column_resource(table, column.name),
            column_resource(table, column.name, "filled"),
            *((column_resource(table, column.name, "not null"),) if column.not_null else ()),
        ),
        needs=(table_resource(table), *situation.type_needs(column.type), *_computed_with(table, column, situation)),
        why=why,
        unbounded=unbounded,
    )


def _add_required(table: QName, column: Column, situation: Situation) -> Iterator[Operation]:
    """NOT NULL without a default can only be added to an empty table, and to a family of empty ones: that is looked at
    before anything of the plan is done, and once more right before."""
    rows = situation.rows(table)
    family = [table, *situation.heirs_of(table)]
    staying = [name for name in family if name in situation.desired.tables and situation.belongs_to(name, table)]
    before = [situation.old_name(name) for name in staying]
    danger = ""
    if rows > 0:
        danger = (
            f"{table} has about {rows:,.0f} rows and the new column {column.name} has no value for them: the plan "
            "refuses to begin; give the field a @default, or make it nullable"
        )
    yield Operation(
        op="require_empty",
        object=f"{table}.{column.name}",
        wave="PLAN",
        phase=Phase.SCHEMA,
        prechecks=tuple(checks.table_is_empty(name, column.name) for name in before),
        provides=(f"empty {table} {column.name}",),
        why=(
            f"column {column.name} is NOT NULL without a default: PostgreSQL cannot know its value for rows that exist",
        ),
        danger=danger,
        unbounded=True,
    )
    operation = _add(
        table, column, situation,
        ("NOT NULL without a default: this works on an empty table only, which is checked first",),
    )  # fmt: skip
    yield replace(
        operation,
        prechecks=(*operation.prechecks, *(checks.table_is_empty(name, column.name) for name in staying)),
        needs=(
            *operation.needs,
            f"empty {table} {column.name}",
            *(detached_resource(name) for name in family if name not in staying),
        ),
        danger=danger,
    )


def _add_with_volatile_default(
    table: QName, column: Column, volatile: tuple[str, ...], situation: Situation
) -> Iterator[Operation]:
    """Add without default, set the default for new rows, give the old ones theirs in batches, then prove NOT NULL."""
    assert column.default is not None
    reason = f"{', '.join(volatile)} gives every row a value of its own"
    if not can_be_walked(situation.live_table(table)):
        yield replace(
            _add(table, column, situation, (f"{reason}, and {table} has no key to walk along in batches",)),
            unbounded=True,
            danger=f"every row of {table} is written while nobody can use it; a primary key would allow batches",
        )
        return
    plain = replace(column, default=None, not_null=False)
    added = _add(table, plain, situation, (f"{reason}: the column is added without it, which touches no row",))
    yield replace(added, provides=(column_resource(table, column.name),))
    yield _set_default(
        table, column.name, None, column.default,
        ("rows that are inserted from now on get their value; the ones before are filled in batches",),
        state="default",
    )  # fmt: skip
    fill = fill_nulls(table, plain, column.default, situation)
    yield fill
    if column.not_null:
        yield from prove_not_null(table, column.name, situation, fill=fill)


def change_default(change: ChangeColumnDefault, situation: Situation) -> Iterator[Operation]:
    column = situation.desired_column(change.table, change.column)
    if situation.shadows.carries_default(change.table, change.column):
        return  # the exchange gives the new column its declared default
    if change.old is not None and (change.table, change.column) in situation.shadows.direct:
        return  # so does the statement that changes the type: the old default need not fit the new one
    if column is not None and (column.identity is not None or column.generated is not None):
        return
    if _sequence_of(change.table, change.column, situation) is not None:
        return
    yield _set_default(
        change.table, change.column, change.old, change.new,
        ("a default counts for rows inserted from now on; existing rows keep their value",),
    )  # fmt: skip


def _set_default(
    table: QName, column: str, old: str | None, new: str | None, why: tuple[str, ...], state: str = "default"
) -> Operation:
    return Operation(
        op="set_default" if new is not None else "drop_default",
        object=f"{table}.{column}",
        wave="EXPAND",
        phase=Phase.COLUMN,
        statements=(_default_statement(table, column, new),),
        undo=(_default_statement(table, column, old),),
        prechecks=(checks.column_exists(table, column),),
        postchecks=(checks.column_has_default(table, column, new is not None),),
        provides=(column_resource(table, column, state),),
        needs=(table_resource(table), column_resource(table, column), column_resource(table, column, "typed")),
        why=why,
    )


def _default_statement(table: QName, column: str, default: str | None) -> str:
    action = f"SET DEFAULT {ddl.default_clause(default)}" if default is not None else "DROP DEFAULT"
    return f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote_ident(column)} {action}"


def rename_column(change: RenameColumn, _: Situation) -> Iterator[Operation]:
    def statement(old: str, new: str) -> str:
        return f"ALTER TABLE {qualified(change.table)} RENAME COLUMN {quote_ident(old)} TO {quote_ident(new)}"

    back = change.old.startswith(RETIRED)
    yield Operation(
        op="restore_column" if back else "rename_column",
        object=f"{change.table}.{change.new}",
        wave="EXPAND",
        phase=Phase.RENAME,
        statements=(statement(change.old, change.new),),
        undo=(statement(change.new, change.old),),
        prechecks=(
            checks.column_exists(change.table, change.old),
            checks.column_absent(change.table, change.new),
        ),
        postchecks=(checks.column_exists(change.table, change.new),),
        provides=(column_resource(change.table, change.new),),
        needs=(table_resource(change.table),),
        why=(
            "it was retired, and comes back with the values that it had then; rows written since have none"
            if back
            else f"the rename is immediate, but statements of clients that still say {change.old} fail from that "
            "moment on: deploy the new name at the same time",
        ),
        kept="nobody uses a retired column" if back else "",
    )


def _sequence_of(table: QName, column: str, situation: Situation) -> SqlObject | None:
    """The declared sequence that takes over from the identity of a column."""
    owned = (item for ref in sorted(situation.numbered) if (item := situation.desired.objects[ref]))
    return next((item for item in owned if item.owned_by == (table, column)), None)


def _owned_again(sequence: SqlObject) -> tuple[str, ...]:
    assert sequence.owned_by is not None
    return _numbering(sequence, *sequence.owned_by)[-2:]


def _numbering(sequence: SqlObject, table: QName, column: str) -> tuple[str, ...]:
    """It may have the name of the sequence that goes with the identity, so it is made right after that."""
    return (
        *ddl_lifecycle.create_object(sequence),
        ddl_lifecycle.own_sequence(sequence.name, sequence.owned_by),
        f"SELECT pg_catalog.setval({quote_literal(qualified(sequence.name))}, "
        f"COALESCE((SELECT pg_catalog.max({quote_ident(column)}) FROM {qualified(table)} "
        f"WHERE {quote_ident(column)} > 0), 0) + 1, false)",
    )


def change_identity(change: ChangeColumnIdentity, situation: Situation) -> Iterator[Operation]:
    """A new identity goes on after the highest number in use; the default that numbered so far makes way in the same
    statement."""
    table, old, new = change.table, change.old, change.new
    target = f"ALTER TABLE {qualified(table)}"
    name = quote_ident(new.name)
    postcheck = checks.column_is_identity(
        table, new.name, {"always": "a", "by default": "d"}.get(new.identity or "", "")
    )
    base = Operation(
        op="set_identity",
        object=f"{table}.{new.name}",
        wave="EXPAND",
        phase=Phase.NOT_NULL,
        prechecks=(checks.column_exists(table, new.name),),
        postchecks=(postcheck,),
        provides=(column_resource(table, new.name, "default"),),
        needs=(
            table_resource(table),
            column_resource(table, new.name, "typed"),
            column_resource(table, new.name, "not null"),
        ),
    )
    if new.identity is None:
        default = (_default_statement(table, new.name, new.default),) if new.default is not None else ()
        sequence = _sequence_of(table, new.name, situation)
        if new.type not in _NUMBERED and not situation.shadows.has(table, new.name):
            # PostgreSQL does not alter a column with an identity to a type that has none: it goes before.
            yield replace(
                base,
                op="drop_identity",
                phase=Phase.RENAME_PART,
                provides=(column_resource(table, new.name, "unnumbered"), column_resource(table, new.name, "loose")),
                needs=(table_resource(table),),
                statements=(f"{target} ALTER COLUMN {name} DROP IDENTITY",),
                loses=f"the sequence of {table}.{new.name} with its position",
            )
            if default:
                yield replace(base, op="set_default", phase=Phase.COLUMN, statements=default, postchecks=())
            return
        numbering = _numbering(sequence, table, new.name) if sequence is not None else ()
        yield replace(
            base,
            op="drop_identity",
            phase=Phase.COLUMN,
            provides=(
                *base.provides,
                column_resource(table, new.name, "loose"),
                *((object_resource(sequence.ref),) if sequence is not None else ()),
            ),
            needs=(table_resource(table), column_resource(table, new.name, "typed")),
            statements=(f"{target} ALTER COLUMN {name} DROP IDENTITY", *numbering, *default),
            loses="" if sequence is not None else f"the sequence of {table}.{new.name} with its position",
            kept=f"sequence {sequence.name} takes over and goes on after the highest number in use"
            if sequence is not None
            else "",
        )
    elif old.identity is None:
        drop_default = f"ALTER COLUMN {name} DROP DEFAULT, " if old.default is not None else ""
        # The old sequence first: pg_get_serial_sequence() would find it instead of the new one.
        outgoing = [
            item
            for ref in sorted(situation.outnumbered)
            if (item := situation.live.objects[ref]).owned_by == (table, new.name)
        ]
        dropped = [statement for item in outgoing for statement in ddl_lifecycle.drop_object(item)]
        remade = [
            statement for item in outgoing for statement in (*ddl_lifecycle.create_object(item), *_owned_again(item))
        ]
        numbers = f"pg_catalog.pg_get_serial_sequence({quote_literal(qualified(table))}, {quote_literal(new.name)})"
        restore = (_default_statement(table, new.name, old.default),) if old.default is not None else ()
        yield replace(
            base,
            op="add_identity",
            statements=(
                *((f"{target} ALTER COLUMN {name} DROP DEFAULT",) if dropped else ()),
                *dropped,
                f"{target} {'' if dropped else drop_default}ALTER COLUMN {name} ADD {identity_clause(new)}",
                f"SELECT pg_catalog.setval({numbers}, "
                f"COALESCE((SELECT pg_catalog.max({name}) FROM {qualified(table)} WHERE {name} > 0), 0) + 1, false)",
            ),
            undo=(f"{target} ALTER COLUMN {name} DROP IDENTITY", *remade, *restore),
            kept="the numbers go on after the highest in use" if dropped else "",
            why=("the numbers go on after the highest in use, found through the key's index",),
        )
    else:
        yield replace(
            base,
            statements=(f"{target} ALTER COLUMN {name} SET GENERATED {new.identity.upper()}",),
            undo=(f"{target} ALTER COLUMN {name} SET GENERATED {old.identity.upper()}",),
        )


def change_generated(change: ChangeColumnGenerated, situation: Situation) -> Iterator[Operation]:
    table, old, new = change.table, change.old, change.new
    live = situation.live_table(table)
    target = f"ALTER TABLE {qualified(table)}"
    name = quote_ident(new.name)
    base = Operation(
        op="set_generated",
        object=f"{table}.{new.name}",
        wave="EXPAND",
        phase=Phase.COLUMN,
        prechecks=(checks.column_exists(table, new.name),),
        postchecks=(checks.column_exists(table, new.name),),
        provides=(column_resource(table, new.name, "typed"),),
        needs=(table_resource(table), *_computed_with(table, new, situation)),
        unbounded=True,
    )
    if is_made_anew(change, live, situation.snapshot.major):
        yield _made_anew(base, change, situation)
    elif new.generated is None:
        yield replace(
            base,
            op="drop_expression",
            statements=(f"{target} ALTER COLUMN {name} DROP EXPRESSION",),
            why=("the values that are stored stay; from now on the column is an ordinary one",),
            loses=f"the rule that computes {table}.{new.name}",
            unbounded=False,
        )
    elif old.generated is not None:
        yield replace(
            base,
            statements=(f"{target} ALTER COLUMN {name} SET EXPRESSION AS ({new.generated.expression}\n)",),
            undo=(f"{target} ALTER COLUMN {name} SET EXPRESSION AS ({old.generated.expression}\n)",),
        )


def _computed_with(table: QName, column: Column, situation: Situation) -> Iterator[str]:
    """What a generated column is computed from must be there, in its new type: PostgreSQL would not alter it after."""
    wanted = situation.desired.tables.get(table)
    if column.generated is None or wanted is None:
        return
    for other in wanted.columns:
        if other.name != column.name and mentions(column.generated.expression, other.name):
            yield from (column_resource(table, other.name, state) for state in ("exists", "typed"))


def _made_anew(base: Operation, change: ChangeColumnGenerated, situation: Situation) -> Operation:
    """Dropped and added, with its settings, comment, constraints and indexes."""
    from wesley_tui.planner.aside import column_again

    table, old, new = change.table, change.old, change.new
    live = situation.live_table(table)
    ref = f"{table}.{new.name}"
    return replace(
        base,
        op="replace_column",
        statements=(
            f"ALTER TABLE {qualified(table)} DROP COLUMN {quote_ident(new.name)}",
            *column_again(live, situation.desired.tables.get(table, live), new),
        ),
        provides=(
            column_resource(table, new.name, "typed"),
            column_resource(table, new.name, "not null"),
            *_gone_along(live, new.name),
        ),
        why=("PostgreSQL cannot turn one into the other: the column is dropped, and added anew",),
        loses="" if old.generated is not None else f"the data in {ref}",
        kept="its values were computed, and are computed again" if old.generated is not None else "",
        disturbs=(Ref("column", ref), Ref(TYPE_OF, ref)),
    )


def _gone_along(table: Table, column: str) -> Iterator[str]:
    """What PostgreSQL drops with the column: keys and indexes, whose names are free then."""
    for item in (*table.constraints, *table.indexes):
        if uses_column(item, column):
            yield constraint_resource(table.name, item.name, "gone")
            if not isinstance(item, Check | ForeignKey):
                yield name_resource(table.name.schema, item.name)


def drop_column(change: DropColumn, situation: Situation) -> Iterator[Operation]:
    """Retired by default: renamed out of sight, so that inserts go on working and the data can come back."""
    table, column = change.table, change.column
    if situation.options.purge:
        yield Operation(
            op="drop_column",
            object=f"{table}.{column.name}",
            wave="CONTRACT",
            phase=Phase.DROP_COLUMN,
            statements=(f"ALTER TABLE {qualified(table)} DROP COLUMN {quote_ident(column.name)}",),
            prechecks=(checks.column_exists(table, column.name),),
            postchecks=(checks.column_absent(table, column.name),),
            provides=(column_resource(table, column.name, "gone"),),
            needs=(
                *(
                    column_resource(table, name, state)
                    for name in _computed_from(column.name, table, situation)
                    for state in ("gone", "typed")
                ),
                *_bound_by(column.name, table, situation),
                *situation.gone_before(Ref("column", f"{table}.{column.name}")),
                *(
                    object_resource(Ref("sequence", str(name)), "off")
                    for name in situation.owned.get(table, ())
                    if situation.is_left_by(name)
                ),
            ),
            why=("purge was asked for: nothing is set aside, and only a backup brings the data back",),
        )
        return
    yield _retire(table, column, situation)


def _bound_by(column: str, table: QName, situation: Situation) -> list[str]:
    """Constraints that hold the column: those the plan drops go first, so that each is dropped by its own step."""
    own = [
        constraint_resource(table, item.name, "gone")
        for item in situation.live_table(table).constraints
        if column in getattr(item, "columns", ())
    ]
    others = [
        constraint_resource(other, name, "gone")
        for other, name, columns in situation.incoming.get(table, ())
        if column in columns
    ]
    return own + others


def _computed_from(column: str, table: QName, situation: Situation) -> list[str]:
    """Generated columns that use ``column``: PostgreSQL refuses to drop it before them."""
    return [
        other.name
        for other in whole(situation.live_table(table), situation.live).columns
        if other.generated is not None and other.name != column and mentions(other.generated.expression, column)
    ]


def _retire(table: QName, column: Column, situation: Situation) -> Operation:
    target = f"ALTER TABLE {qualified(table)}"
    resting = situation.resting_column(column.name)
    filled_by_itself = column.default is not None or column.identity is not None or column.generated is not None
    loosen = column.not_null and not filled_by_itself
    rename = f"{target} RENAME COLUMN {quote_ident(column.name)} TO {quote_ident(resting)}"
    back = f"{target} RENAME COLUMN {quote_ident(resting)} TO {quote_ident(column.name)}"
    why = [f"retired, not dropped: the column stays as {resting} with its data until it is purged"]
    if loosen:
        why.append("its NOT NULL is taken off, so that inserts that no longer name it work")
    return Operation(
        op="retire_column",
        object=f"{table}.{column.name}",
        wave="CONTRACT",
        phase=Phase.DROP_COLUMN,
        statements=(
            *((f"{target} ALTER COLUMN {quote_ident(column.name)} DROP NOT NULL",) if loosen else ()),
            rename,
        ),
        undo=(back, *((f"{target} ALTER COLUMN {quote_ident(column.name)} SET NOT NULL",) if loosen else ())),
        prechecks=(checks.column_exists(table, column.name), checks.column_absent(table, resting)),
        postchecks=(checks.column_absent(table, column.name), checks.column_exists(table, resting)),
        provides=(column_resource(table, column.name, "gone"),),
        needs=tuple(_bound_by(column.name, table, situation)),
        why=tuple(why),
        retires=True,
    )
