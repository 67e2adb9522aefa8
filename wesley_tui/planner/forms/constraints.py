"""Constraints: checks NOT VALID then proven, unique and primary keys through an index that is built concurrently.

A constraint or index whose name is wanted for another definition makes way: it is renamed first, goes on holding until
the new one stands, and is dropped last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import (
    Check,
    Constraint,
    Exclude,
    ForeignKey,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    Ref,
    Unique,
)
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.diff.changes import (
    AddConstraint,
    DropConstraint,
    RenameConstraint,
    ReplaceConstraint,
    ValidateConstraint,
)
from wesley_tui.planner import checks
from wesley_tui.planner.effects.expressions import columns_in
from wesley_tui.planner.forms.foreign_keys import add_foreign_key, validate
from wesley_tui.planner.forms.indexes import build_index
from wesley_tui.planner.forms.objects import groups_by_key
from wesley_tui.planner.forms.partitioned import add_key_by_partition, deferral, is_partitioned
from wesley_tui.planner.forms.shadow.parts import on_old_columns
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    index_resource,
    name_resource,
    object_resource,
    table_resource,
)
from wesley_tui.planner.shadows import uses_column
from wesley_tui.planner.situation import MOVED_PREFIX, Situation

__all__ = [
    "add_constraint",
    "drop_constraint",
    "rename_constraint",
    "replace_constraint",
    "validate_constraint",
]


def add_constraint(change: AddConstraint, situation: Situation) -> Iterator[Operation]:
    yield from _add(change.table, change.constraint, situation)


def _add(table: QName, constraint: Constraint, situation: Situation) -> Iterator[Operation]:
    match constraint:
        case ForeignKey():
            yield from add_foreign_key(table, constraint, situation)
        case Check():
            yield from _add_check(table, constraint)
        case PrimaryKey() | Unique():
            yield from _add_key(table, constraint, situation)
        case Exclude():
            yield _add_exclusion(table, constraint)


def _comment(table: QName, constraint: Constraint) -> tuple[str, ...]:
    if constraint.comment is None:
        return ()
    return (ddl.comment_on("constraint", table, constraint.name, constraint.comment),)


def _drop_statement(table: QName, name: str) -> str:
    return f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(name)}"


def _add_check(table: QName, check: Check) -> Iterator[Operation]:
    columns = sorted(columns_in(check.expression) or ())
    yield Operation(
        op="add_check_not_valid",
        object=f"{table}.{check.name}",
        wave="EXPAND",
        phase=Phase.CONSTRAINT,
        statements=(ddl.add_constraint(table, check, not_valid=check.enforced), *_comment(table, check)),
        undo=(_drop_statement(table, check.name),),
        prechecks=(checks.table_exists(table), checks.constraint_absent(table, check.name)),
        postchecks=(checks.constraint_exists(table, check.name),),
        provides=(constraint_resource(table, check.name),),
        needs=(table_resource(table), *(column_resource(table, column) for column in columns)),
        why=("NOT VALID: new rows are checked at once, existing ones are proven by a later step without blocking",),
    )
    if check.validated and check.enforced:
        yield validate(table, check.name, tuple(column_resource(table, column, "filled") for column in columns))


def _index_of(constraint: PrimaryKey | Unique) -> Index:
    return Index(
        constraint.name,
        tuple(IndexKey(column=column) for column in constraint.columns),
        unique=True,
        include=constraint.include,
        nulls_not_distinct=isinstance(constraint, Unique) and constraint.nulls_not_distinct,
        options=constraint.options,
        tablespace=constraint.tablespace,
    )


def _add_key(table: QName, constraint: PrimaryKey | Unique, situation: Situation) -> Iterator[Operation]:
    if is_partitioned(table, situation):
        yield from add_key_by_partition(table, constraint, _index_of(constraint), situation)
        return
    if constraint.without_overlaps:
        yield _add_temporal(table, constraint)
        return
    yield build_index(table, _index_of(constraint), situation, why="the unique index is built while writers go on")
    yield _attach_key(table, constraint, "")


def _attach_key(table: QName, constraint: PrimaryKey | Unique, drop_first: str) -> Operation:
    """ADD CONSTRAINT … USING INDEX: the index becomes the constraint's, nothing is read."""
    primary = isinstance(constraint, PrimaryKey)
    kind = "PRIMARY KEY" if primary else "UNIQUE"
    name = quote_ident(constraint.name)
    drop = f"DROP CONSTRAINT {quote_ident(drop_first)}, " if drop_first else ""
    state = tuple(column_resource(table, column, "not null") for column in constraint.columns) if primary else ()
    return Operation(
        op="add_primary_key_using_index" if primary else "add_unique_using_index",
        object=f"{table}.{constraint.name}",
        wave="EXPAND",
        phase=Phase.KEY,
        statements=(
            f"ALTER TABLE {qualified(table)} {drop}ADD CONSTRAINT {name} {kind} USING INDEX {name}"
            f"{deferral(constraint)}",
            *_comment(table, constraint),
        ),
        undo=() if drop_first else (_drop_statement(table, constraint.name),),
        prechecks=(checks.index_valid(table, constraint.name, unique=True),),
        postchecks=(checks.constraint_exists(table, constraint.name),),
        provides=(constraint_resource(table, constraint.name),),
        needs=(
            index_resource(table, constraint.name),
            *(column_resource(table, column) for column in constraint.columns),
            *state,
        ),
        why=(f"the {kind.lower()} constraint takes over an index that is there and valid: no row is read",),
    )


def _add_exclusion(table: QName, constraint: Exclude) -> Operation:
    return Operation(
        op="add_exclusion",
        object=f"{table}.{constraint.name}",
        wave="EXPAND",
        phase=Phase.KEY,
        statements=(ddl.add_constraint(table, constraint), *_comment(table, constraint)),
        undo=(_drop_statement(table, constraint.name),),
        prechecks=(checks.table_exists(table), checks.constraint_absent(table, constraint.name)),
        postchecks=(checks.constraint_exists(table, constraint.name),),
        provides=(constraint_resource(table, constraint.name),),
        needs=(
            table_resource(table),
            *(column_resource(table, key.column) for key, _ in constraint.elements if key.column is not None),
            name_resource(table.schema, constraint.name),
        ),
        why=(
            "PostgreSQL has no way to add an exclusion constraint without blocking: neither NOT VALID nor USING INDEX "
            "exist for it; run it in a quiet hour",
        ),
        unbounded=True,
    )


def _add_temporal(table: QName, constraint: PrimaryKey | Unique) -> Operation:
    state = column_resource(table, constraint.columns[0], "not null")
    return Operation(
        op="add_temporal_key",
        object=f"{table}.{constraint.name}",
        wave="EXPAND",
        phase=Phase.KEY,
        statements=(ddl.add_constraint(table, constraint), *_comment(table, constraint)),
        undo=(_drop_statement(table, constraint.name),),
        prechecks=(checks.table_exists(table), checks.constraint_absent(table, constraint.name)),
        postchecks=(checks.constraint_exists(table, constraint.name),),
        provides=(constraint_resource(table, constraint.name),),
        needs=(
            table_resource(table),
            *(column_resource(table, column) for column in constraint.columns),
            *((state,) if isinstance(constraint, PrimaryKey) else ()),
            name_resource(table.schema, constraint.name),
        ),
        why=("PostgreSQL has no USING INDEX for a key WITHOUT OVERLAPS: its index is built while writers wait",),
        unbounded=True,
    )


def validate_constraint(change: ValidateConstraint, _: Situation) -> Iterator[Operation]:
    yield validate(change.table, change.constraint.name)


def rename_constraint(change: RenameConstraint, _: Situation) -> Iterator[Operation]:
    renamed = _rename(change.table, change.old, change.new, Phase.RENAME_PART)
    yield replace(renamed, needs=(*renamed.needs, name_resource(change.table.schema, change.new)))


def _rename(table: QName, old: str, new: str, phase: Phase, why: str = "") -> Operation:
    def statement(before: str, after: str) -> str:
        return f"ALTER TABLE {qualified(table)} RENAME CONSTRAINT {quote_ident(before)} TO {quote_ident(after)}"

    return Operation(
        op="rename_constraint",
        object=f"{table}.{new}",
        wave="EXPAND",
        phase=phase,
        statements=(statement(old, new),),
        undo=(statement(new, old),),
        prechecks=(checks.constraint_exists(table, old), checks.constraint_absent(table, new)),
        postchecks=(checks.constraint_exists(table, new),),
        provides=(constraint_resource(table, new), name_resource(table.schema, old)),
        needs=(table_resource(table),),
        why=(why,) if why else (),
    )


def replace_constraint(change: ReplaceConstraint, situation: Situation) -> Iterator[Operation]:
    """The new one is in force before the old one goes; only a primary key, of which a table has one, is exchanged in
    one statement."""
    old, new, table = change.old, change.new, change.table
    if (table, old.name) in situation.keys_aside or situation.goes_along(table, old):
        for operation in _add(table, new, situation):
            yield replace(operation, needs=(*operation.needs, constraint_resource(table, old.name, "gone")))
        return
    if _hinders_type(table, old, situation):
        yield _drop_early(table, old, situation)
        for operation in _add(table, new, situation):
            yield replace(operation, needs=(*operation.needs, constraint_resource(table, old.name, "gone")))
        return
    away = situation.current_name(table, old.name)
    if away != old.name:
        yield _rename(
            table, old.name, away, Phase.MOVE_AWAY, "the old definition makes way and holds until the new one stands"
        )
    if isinstance(new, PrimaryKey):
        if new.without_overlaps or is_partitioned(table, situation):
            exchange = _exchange_at_once(table, new, away)
        else:
            yield build_index(table, _index_of(new), situation, why="the unique index is built while writers go on")
            exchange = _attach_key(table, new, away)
        yield replace(
            exchange,
            op="replace_primary_key",
            wave="CONTRACT",
            phase=Phase.DROP_CONSTRAINT,
            undo=_exchange_back(table, old, away, new, situation),
            prechecks=(*exchange.prechecks, checks.constraint_exists(table, away)),
            provides=(
                *exchange.provides,
                *_freed(table, replace(old, name=away)),
                constraint_resource(table, old.name, "gone"),
            ),
            needs=(*exchange.needs, *_leaning(table, old, situation)),
            danger=f"the primary key {old.name} of {table} is dropped: {', '.join(old.columns)} is no longer unique"
            if isinstance(old, PrimaryKey)
            else "",
        )
        return
    yield from _add(table, new, situation)
    stands = (
        constraint_resource(table, new.name, "valid")
        if isinstance(new, Check | ForeignKey) and new.validated and new.enforced
        else constraint_resource(table, new.name)
    )
    drop = _drop(table, replace(old, name=away), situation)
    yield replace(
        drop,
        provides=(*drop.provides, constraint_resource(table, old.name, "gone")),
        needs=(stands,),
        kept=f"{new.name} holds in its new definition",
    )


def _exchange_at_once(table: QName, new: PrimaryKey, away: str) -> Operation:
    """The new key, where no index can be built for it beforehand."""
    added = _add_temporal(table, new)
    return replace(
        added,
        statements=(
            f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(away)}, {_added(new)}",
            *_comment(table, new),
        ),
        needs=(
            *added.needs,
            *(column_resource(table, column, state) for column in new.columns for state in ("not null", "typed")),
        ),
        why=("its index can only be built by the statement that makes it the key, while nobody uses the table",),
    )


def _added(key: PrimaryKey) -> str:
    return f"ADD CONSTRAINT {quote_ident(key.name)} {ddl.constraint_definition(key)}"


def _hinders_type(table: QName, constraint: Constraint, situation: Situation) -> bool:
    """A rule over a column whose type is changed in place: PostgreSQL would try to carry it over to the new type."""
    return isinstance(constraint, Check) and any(
        name == table and uses_column(constraint, column) for name, column in situation.shadows.direct
    )


def _drop_early(table: QName, constraint: Constraint, situation: Situation) -> Operation:
    drop = _drop(table, constraint, situation)
    return replace(
        drop,
        wave="EXPAND",
        phase=Phase.RENAME_PART,
        provides=(*drop.provides, constraint_resource(table, constraint.name, "gone")),
        why=("it goes before the type of its column changes: PostgreSQL would carry it over to the new type, or fail",),
    )


def _exchange_back(table: QName, old: Constraint, away: str, new: PrimaryKey, situation: Situation) -> tuple[str, ...]:
    """The old primary key under the name it had made way to; its index is built while writers go on, where it can."""
    if not isinstance(old, PrimaryKey):
        return ()
    alter = f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(new.name)}"
    before = replace(old, name=away)
    if is_partitioned(table, situation) or old.without_overlaps:
        return (f"{alter}, {_added(before)}",)
    index = quote_ident(away)
    return (
        ddl.create_index(table, _index_of(before), concurrently=True),
        f"{alter}, ADD CONSTRAINT {index} PRIMARY KEY USING INDEX {index}{deferral(old)}",
    )


def drop_constraint(change: DropConstraint, situation: Situation) -> Iterator[Operation]:
    table, constraint = change.table, change.constraint
    if (table, constraint.name) in situation.keys_aside:
        return  # the step that changes the type of its column takes it off: it could not stand on the new one
    if situation.goes_along(table, constraint):
        return
    if _hinders_type(table, constraint, situation):
        yield _drop_early(table, constraint, situation)
        return
    away = situation.current_name(table, constraint.name)
    if away != constraint.name:
        yield _rename(table, constraint.name, away, Phase.MOVE_AWAY, "its name is wanted for something else")
    drop = _drop(table, replace(constraint, name=away), situation, _leaning(table, constraint, situation))
    yield replace(
        drop,
        provides=(*drop.provides, constraint_resource(table, constraint.name, "gone")),
        kept="an earlier plan has replaced it, and was left before its last wave"
        if constraint.name.startswith(MOVED_PREFIX)
        else "",
    )


def _leaning(table: QName, constraint: Constraint, situation: Situation) -> tuple[str, ...]:
    """Foreign keys that lean on a key must be gone before it: PostgreSQL refuses the drop otherwise. So must views that
    group by a primary key."""
    if not isinstance(constraint, PrimaryKey | Unique):
        return ()
    keys = (
        constraint_resource(other, name, "gone")
        for other, name, columns in situation.incoming.get(table, ())
        if columns == set(constraint.columns)
    )
    if isinstance(constraint, Unique):
        return tuple(keys)
    grouping = [
        ref
        for ref in situation.standing_on.get(Ref("table", str(table)), ())
        if groups_by_key(situation.live.objects[ref])
    ]
    return (*keys, *(object_resource(ref, state) for ref in grouping for state in ("gone", "off")))


def _drop(table: QName, constraint: Constraint, situation: Situation, needs: tuple[str, ...] = ()) -> Operation:
    before = on_old_columns(table, constraint, situation)
    return Operation(
        op="drop_constraint",
        object=f"{table}.{constraint.name}",
        wave="CONTRACT",
        phase=Phase.DROP_FOREIGN_KEY if isinstance(constraint, ForeignKey) else Phase.DROP_CONSTRAINT,
        statements=(_drop_statement(table, constraint.name),),
        undo=(ddl.add_constraint(table, before), *_comment(table, before)),
        prechecks=(checks.constraint_exists(table, constraint.name),),
        postchecks=(checks.constraint_absent(table, constraint.name),),
        provides=_freed(table, constraint),
        needs=needs,
    )


def _freed(table: QName, constraint: Constraint) -> tuple[str, ...]:
    """What the drop of a constraint lets others do: take its name, make the columns of a primary key nullable."""
    names = () if isinstance(constraint, Check | ForeignKey) else (name_resource(table.schema, constraint.name),)
    loose = constraint.columns if isinstance(constraint, PrimaryKey) else ()
    return (*names, *(column_resource(table, column, "loose") for column in loose))
