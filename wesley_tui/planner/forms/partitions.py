"""Partitions: attached under SHARE UPDATE EXCLUSIVE, detached concurrently where PostgreSQL can.

CREATE TABLE … PARTITION OF and a plain DETACH take ACCESS EXCLUSIVE on the parent. A table that is made by itself and
attached does not. ATTACH reads the partition, and the DEFAULT partition of its parent, under ACCESS EXCLUSIVE, unless a
valid CHECK says what the bound says: so such checks are added NOT VALID first, proven while readers and writers go on,
and dropped when the partition is attached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Check, ForeignKey, QName, Table
from wesley_tui.catalog.naming import default_name, qualified, quote_ident, quote_literal
from wesley_tui.diff.changes import AttachPartition, ChangePartitionBound, DetachPartition, RefuseChange
from wesley_tui.diff.constraints import same_constraint, same_index
from wesley_tui.planner import checks
from wesley_tui.planner.bounds import bound_condition, key_columns, may_overlap
from wesley_tui.planner.forms.foreign_keys import validate
from wesley_tui.planner.forms.partitioned import below
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    detached_resource,
    index_resource,
    shape_resource,
    table_resource,
)
from wesley_tui.planner.plan import StepCheck, StepKind
from wesley_tui.planner.situation import Situation, clipped_name

_NOT_DECLARED_HERE = "it came with the parent, of which the table is no member any more, and nobody declared it here"
_NEW_THERE = "the parent has had it since this plan only"

__all__ = [
    "attach",
    "bound_taken_by",
    "came_along",
    "change_bound",
    "detach",
    "detached",
    "parts_of_parent",
    "prove_default",
    "refuse",
    "resting_columns",
]


def attach(change: AttachPartition, situation: Situation) -> Iterator[Operation]:
    table = change.new
    parent, bound = table.partition_of, table.partition_bound
    assert parent is not None
    assert bound is not None
    own_resting = [item.column.name for item in situation.snapshot.resting_columns if item.table == table.name]
    if own_resting and change.old.partition_of is None:
        yield from refuse(
            RefuseChange(
                str(table.name),
                f"{table.name} still has the retired columns {', '.join(own_resting)}, and PostgreSQL attaches only "
                f"tables with the columns of {parent}: drop them first",
            ),
            situation,
        )
        return
    condition = bound_condition(_key_of(parent, situation), bound)
    needs: list[str] = []
    away: list[Operation] = []
    if condition is not None:
        helper = clipped_name("wesley_bound_", table.name.name)
        columns = key_columns(_key_of(parent, situation))
        needs.append(constraint_resource(table.name, helper, "valid"))
        here = tuple(column_resource(table.name, column, state) for column in columns for state in ("exists", "typed"))
        yield from _helper(
            table.name,
            helper,
            condition,
            (table_resource(table.name), *detached_if_moved(change), *here),
            f"a helper: it says what the bound says, so that ATTACH need not read {table.name} under its lock",
        )
        away.append(_without(table.name, helper, table.name))
    for operation in prove_default(table, situation):
        if operation.op == "drop_constraint":
            away.append(operation)
            continue
        needs += (item for item in operation.provides if item.endswith(" valid"))
        yield operation
    resting = resting_columns(parent, situation)
    yield Operation(
        op="attach_partition",
        object=str(table.name),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=(
            *(f"ALTER TABLE {qualified(table.name)} ADD COLUMN {name} {kind}" for name, kind in resting),
            ddl.attach_partition(table),
        ),
        undo=(
            ddl.detach_partition(table),
            *(f"ALTER TABLE {qualified(table.name)} DROP COLUMN {name}" for name, _ in resting),
        ),
        prechecks=(checks.table_exists(table.name), checks.table_exists(parent)),
        provides=(f"partition {table.name}",),
        needs=(
            table_resource(table.name),
            *parts_of_parent(parent, situation),
            *detached_if_moved(change),
            shape_resource(table.name),
            *bound_taken_by(table, situation),
            *needs,
        ),
        why=(
            (f"the valid CHECK spares it the reading of {table.name}",)
            if condition is not None
            else (f"every row of {table.name} is looked at, to prove that it lies within the bound",)
        ),
        unbounded=True,
        proven=tuple(dict.fromkeys(operation.object.rpartition(".")[0] for operation in away)),
    )
    yield from away


def detached_if_moved(change: AttachPartition) -> tuple[str, ...]:
    return (detached_resource(change.new.name),) if change.old.partition_of is not None else ()


def parts_of_parent(parent: QName, situation: Situation, *, settled: bool = True) -> Iterator[str]:
    """What the parent has by then, a partition that is attached must have, or gets by itself. ``settled``: what the
    parent is to lose is gone too."""
    yield table_resource(parent)
    wanted = situation.desired.tables.get(parent)
    if wanted is None:
        return
    for column in wanted.columns:
        yield from (column_resource(parent, column.name, state) for state in ("exists", "typed", "not null"))
    yield from (index_resource(parent, index.name) for index in wanted.indexes)
    yield from (constraint_resource(parent, item.name) for item in wanted.constraints)
    for column in situation.live_table(parent).columns if settled else ():
        if wanted.column(column.name) is None:
            yield column_resource(parent, column.name, "gone")


def bound_taken_by(table: Table, situation: Situation) -> Iterator[str]:
    """Live partitions of the same parent that take what ``table`` is to take, as far as they leave or get another
    bound."""
    for name in situation.partitions.get(table.partition_of or table.name, ()):
        other = situation.live.tables[name]
        if name != table.name and may_overlap(other.partition_bound or "DEFAULT", table.partition_bound or "DEFAULT"):
            yield detached_resource(name)


def prove_default(table: Table, situation: Situation) -> Iterator[Operation]:
    """A CHECK on the DEFAULT partition that stays: none of its rows belongs to ``table``. Added, proven, and dropped
    once ``table`` is a partition."""
    parent, bound = table.partition_of, table.partition_bound
    assert parent is not None
    condition = bound_condition(_key_of(parent, situation), bound or "DEFAULT")
    default = next(
        (
            name
            for name in situation.partitions.get(parent, ())
            if (other := situation.desired.tables.get(name)) is not None
            and other.partition_of == parent
            and situation.live.tables[name].partition_bound == "DEFAULT" == other.partition_bound
        ),
        None,
    )
    if condition is None or default is None:
        return
    helper = clipped_name("wesley_default_", table.name.name)
    columns = key_columns(_key_of(parent, situation))
    none_there = StepCheck(
        f"{default} holds rows that belong to {table.name}: move them out of it first, then run again",
        f"SELECT NOT EXISTS (SELECT 1 FROM {qualified(default)} WHERE {condition})",
    )
    for operation in _helper(
        default,
        helper,
        f"NOT ({condition})",
        (table_resource(default), *(column_resource(parent, column) for column in columns)),
        f"a helper: ATTACH need not read the DEFAULT partition {default} under its lock; rows that belong to "
        f"{table.name} find no place until it is attached, a few steps later",
    ):
        add = operation.op != "validate_constraint"
        # Late: from this check on until the partition is attached, such rows are refused.
        yield (
            replace(operation, wave="VALIDATE", prechecks=(*operation.prechecks, none_there), unbounded=True)
            if add
            else operation
        )
    yield _without(default, helper, table.name)


def _helper(table: QName, name: str, condition: str, needs: tuple[str, ...], why: str) -> Iterator[Operation]:
    target = f"ALTER TABLE {qualified(table)}"
    yield Operation(
        op="add_check_not_valid",
        object=f"{table}.{name}",
        wave="EXPAND",
        phase=Phase.CONSTRAINT,
        statements=(f"{target} ADD CONSTRAINT {quote_ident(name)} CHECK ({condition}) NOT VALID",),
        undo=(f"{target} DROP CONSTRAINT IF EXISTS {quote_ident(name)}",),
        prechecks=(checks.table_exists(table), checks.constraint_absent(table, name)),
        postchecks=(checks.constraint_exists(table, name),),
        provides=(constraint_resource(table, name),),
        needs=needs,
        why=(why,),
    )
    yield validate(table, name)


def _without(table: QName, name: str, partition: QName) -> Operation:
    return Operation(
        op="drop_constraint",
        object=f"{table}.{name}",
        wave="VALIDATE",
        phase=Phase.PRIVILEGE,
        statements=(f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(name)}",),
        prechecks=(checks.constraint_exists(table, name),),
        postchecks=(checks.constraint_absent(table, name),),
        needs=(f"partition {partition}",),
        why=("the helper has done its work: the bound itself holds now",),
        kept="the bound says the same",
    )


def _key_of(parent: QName, situation: Situation) -> str:
    wanted = situation.desired.tables.get(parent)
    key = wanted.partition_by if wanted is not None else situation.live_table(parent).partition_by
    assert key is not None
    return key


def resting_columns(parent: QName, situation: Situation) -> list[tuple[str, str]]:
    """Columns of ``parent`` that no schema declares any more: retired before, or by this plan, which comes first."""
    found = [
        (quote_ident(item.column.name), item.column.type)
        for item in situation.snapshot.resting_columns
        if item.table == situation.old_name(parent)
    ]
    wanted = situation.desired.tables.get(parent)
    if wanted is not None and not situation.options.purge:
        for column in situation.live_table(parent).columns:
            if wanted.column(column.name) is None:
                found.append((quote_ident(situation.resting_column(column.name)), column.type))
    return found


def detach(change: DetachPartition, situation: Situation) -> Iterator[Operation]:
    assert change.old.partition_of is not None
    yield from detached(change.old, situation)
    yield from came_along(change.old.name, (change.old.partition_of,), situation)


def detached(table: Table, situation: Situation) -> Iterator[Operation]:
    """CONCURRENTLY waits for whoever uses the parent instead of locking them out; PostgreSQL refuses it while the
    parent has a DEFAULT partition. It leaves a CHECK behind, which is dropped."""
    parent = table.partition_of
    assert parent is not None
    siblings = (situation.live.tables[name] for name in situation.partitions.get(parent, ()))
    has_default = any(item.partition_bound == "DEFAULT" for item in siblings)
    base = Operation(
        op="detach_partition",
        object=str(table.name),
        wave="CONTRACT",
        phase=Phase.DROP_TRIGGER,
        statements=(ddl.detach_partition(table),),
        undo=(ddl.attach_partition(table),),
        prechecks=(
            _is_partition(table, "", f"{table.name} is no partition of {parent}; read the database and plan again"),
        ),
        postchecks=(_is_free(table),),
        provides=(detached_resource(table.name),),
        needs=(table_resource(table.name),),
        danger=f"queries of {parent} no longer see the rows of {table.name}",
        why=("the rows stay, in a table of its own",),
    )
    if situation.snapshot.major < 14 or has_default:
        reason = "the parent has a DEFAULT partition" if has_default else "this server is older than PostgreSQL 14"
        yield replace(base, why=(*base.why, f"not CONCURRENTLY: {reason}"))
        return
    left_check_away = _left_check_away(table, situation)
    yield replace(
        base,
        op="detach_partition_concurrently",
        kind=StepKind.AUTOCOMMIT,
        statements=(ddl.detach_partition(table, concurrently=True),),
        undo=(*base.undo, *left_check_away.statements),
        why=(*base.why, "CONCURRENTLY: readers and writers of the parent go on"),
        unbounded=True,
        leftover_check=_is_partition(
            table,
            " AND h.inhdetachpending",
            f"a DETACH of {table.name} did not finish: its rows are in no table that is queried",
        ),
        leftover_cleanup=(f"{ddl.detach_partition(table)} FINALIZE",),
    )
    yield left_check_away


def _left_check_away(table: Table, situation: Situation) -> Operation:
    """DETACH CONCURRENTLY adds a CHECK that says what the bound said (``DetachAddConstraintIfNeeded()``), under a name
    that the server chooses, unless there is one that says it already."""
    columns: list[str] = []
    above: Table | None = table
    while above is not None and above.partition_of is not None:
        above = situation.live.tables.get(above.partition_of)
        if above is not None and above.partition_by is not None:
            columns += key_columns(above.partition_by)
    different = tuple(dict.fromkeys(columns))
    chosen = default_name(table.name.name, different if len(different) == 1 else (), "check")
    taken = {
        item.name
        for other in situation.snapshot.catalog.tables.values()
        if other.name.schema == table.name.schema
        for item in other.constraints
    }
    name, number = chosen, 0
    while name in taken:
        number += 1
        name = default_name(table.name.name, different if len(different) == 1 else (), f"check{number}")
    return Operation(
        op="drop_constraint",
        object=f"{table.name}.{name}",
        wave="CONTRACT",
        phase=Phase.DROP_CONSTRAINT,
        statements=(f"ALTER TABLE {qualified(table.name)} DROP CONSTRAINT IF EXISTS {quote_ident(name)}",),
        prechecks=(_is_free(table),),
        postchecks=(checks.constraint_absent(table.name, name),),
        provides=(shape_resource(table.name), f"check {table.name} gone"),
        needs=(detached_resource(table.name),),
        why=("DETACH CONCURRENTLY has left a CHECK that repeats the bound; nobody declared it",),
        kept="it only repeats what the bound said",
    )


def _is_partition(table: Table, condition: str, message: str) -> StepCheck:
    return StepCheck(message, f"SELECT EXISTS ({_link(table, condition)})")


def _is_free(table: Table) -> StepCheck:
    message = f"{table.name} is still a partition of {table.partition_of}; read the database and plan again"
    return StepCheck(message, f"SELECT NOT EXISTS ({_link(table, '')})")


def _link(table: Table, condition: str) -> str:
    parent = table.partition_of
    assert parent is not None
    return (
        "SELECT 1 FROM pg_catalog.pg_inherits AS h "
        "JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_class AS p ON p.oid = h.inhparent "
        "JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace "
        f"WHERE n.nspname = {quote_literal(table.name.schema)} AND c.relname = {quote_literal(table.name.name)} "
        f"AND pn.nspname = {quote_literal(parent.schema)} AND p.relname = {quote_literal(parent.name)}{condition}"
    )


def came_along(table: QName, parents: Iterable[QName], situation: Situation) -> Iterator[Operation]:
    """Columns, indexes and rules that the plan adds to a parent come to all its members, also to one that leaves it at
    the end of the plan and is not to have them."""
    added = {
        column.name
        for parent in parents
        if (wanted := situation.desired.tables.get(parent)) is not None and parent not in situation.created
        for column in wanted.columns
        if situation.live_table(parent).column(column.name) is None
    }
    own = situation.desired.tables.get(table)
    surplus = sorted(name for name in added if own is None or own.column(name) is None)
    if surplus:
        yield Operation(
            op="drop_column",
            object=f"{table}.{', '.join(surplus)}",
            wave="CONTRACT",
            phase=Phase.DROP_COLUMN,
            statements=tuple(
                f"ALTER TABLE {qualified(table)} DROP COLUMN IF EXISTS {quote_ident(name)}" for name in surplus
            ),
            provides=(shape_resource(table),),
            needs=(detached_resource(table),),
            why=(_NOT_DECLARED_HERE,),
            kept=_NEW_THERE,
        )
    parts = [part for parent in parents for part in _new_parts(table, parent, situation)]
    if parts:
        yield Operation(
            op="drop_constraint",
            object=f"{table}.{', '.join(name for name, _ in parts)}",
            wave="CONTRACT",
            phase=Phase.DROP_CONSTRAINT,
            statements=tuple(statement for _, statement in parts),
            provides=(shape_resource(table),),
            needs=(detached_resource(table),),
            why=(_NOT_DECLARED_HERE,),
            kept=_NEW_THERE,
        )


def _new_parts(table: QName, parent: QName, situation: Situation) -> Iterator[tuple[str, str]]:
    """Names of indexes, keys and checks that the plan adds to ``parent`` and that reach ``table``, each with the
    statement that takes it off."""
    live, wanted = situation.live_table(parent), situation.desired.tables.get(parent)
    own, now = situation.desired.tables.get(table), situation.live_table(table)
    if wanted is None or own is None or parent in situation.created:
        return
    partition = now.partition_of == parent
    types = {column.name: column.type for column in wanted.columns}
    for item in wanted.constraints:
        passed_on = not item.no_inherit if isinstance(item, Check) else partition
        if not passed_on or any(same_constraint(other, item, types) for other in live.constraints):
            continue
        by_partition = not isinstance(item, Check) and not (
            isinstance(item, ForeignKey) and situation.snapshot.major >= 18
        )
        name = below(item.name, table) if by_partition else item.name
        if own.constraint(name) is None and now.constraint(name) is None:
            yield name, f"ALTER TABLE {qualified(table)} DROP CONSTRAINT IF EXISTS {quote_ident(name)}"
    for index in wanted.indexes if partition else ():
        name = below(index.name, table)
        there = any(same_index(other, index, types) for other in (*live.indexes, *now.indexes))
        if not there and own.index(name) is None:
            yield name, f"DROP INDEX IF EXISTS {qualified(QName(table.schema, name))}"


def change_bound(change: ChangePartitionBound, situation: Situation) -> Iterator[Operation]:
    old, new = change.old, change.new
    parent = new.partition_of
    assert parent is not None
    yield Operation(
        op="change_partition_bound",
        object=str(new.name),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=(ddl.detach_partition(old), ddl.attach_partition(new)),
        undo=(ddl.detach_partition(new), ddl.attach_partition(old)),
        prechecks=(checks.table_exists(new.name), checks.table_exists(parent)),
        provides=(f"partition {new.name}", detached_resource(new.name)),
        needs=(table_resource(new.name), *parts_of_parent(parent, situation), *bound_taken_by(new, situation)),
        why=("detached and attached again in one transaction: a row outside of the new bound undoes it",),
        kept="it is a partition again at the end of the same transaction",
        unbounded=True,
    )


def refuse(change: RefuseChange, _: Situation) -> Iterator[Operation]:
    """A step that never starts: the plan says why, and goes no further."""
    yield Operation(
        op="refuse",
        object=change.object,
        wave="PLAN",
        phase=Phase.SCHEMA,
        prechecks=(StepCheck(change.why, "SELECT false"),),
        danger=change.why,
    )
