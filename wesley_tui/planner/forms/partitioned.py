"""Indexes, keys and foreign keys of partitioned tables: partition by partition, then joined at the top.

CREATE INDEX CONCURRENTLY, ADD CONSTRAINT … USING INDEX and (before PostgreSQL 18) NOT VALID do not exist for a
partitioned table. They exist for its partitions; and what stands on every partition is taken over by the parent without
reading a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import ForeignKey, Index, PrimaryKey, QName, Table, Unique
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.diff.constraints import same_constraint, same_index
from wesley_tui.planner import checks
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    index_resource,
    name_resource,
    table_resource,
)
from wesley_tui.planner.plan import StepKind
from wesley_tui.planner.situation import Situation, clipped_name, key_resources

__all__ = [
    "add_foreign_key_by_partition",
    "add_key_by_partition",
    "below",
    "build_by_partition",
    "built_concurrently",
    "drop_whole_index",
    "is_partitioned",
]


def is_partitioned(table: QName, situation: Situation) -> bool:
    return situation.live_table(table).partition_by is not None


def _partitions(table: QName, situation: Situation) -> list[Table]:
    """All below ``table``, each after its parent."""
    found: list[Table] = []
    pending = [table]
    while pending:
        parent = pending.pop()
        members = sorted(situation.partitions.get(parent, ()))
        found += (situation.live.tables[name] for name in members)
        pending += members
    return found


def below(name: str, partition: QName) -> str:
    """What the part of a parent's index or key is called on one of its partitions."""
    return clipped_name(f"{name}_", partition.name)


def build_by_partition(table: QName, index: Index, situation: Situation) -> Iterator[Operation]:
    """ON ONLY the parent, INVALID until every partition has given it one, built CONCURRENTLY."""
    partitions = _partitions(table, situation)
    whole = QName(table.schema, index.name)
    names = {table: whole}
    shells = [ddl.create_index(table, index, only=True)]
    attached: list[str] = []
    parts: list[str] = []
    for partition in partitions:
        assert partition.partition_of is not None
        built = next((item for item in partition.indexes if item.valid and same_index(item, index)), None)
        name = QName(partition.name.schema, built.name if built is not None else below(index.name, partition.name))
        names[partition.name] = name
        part = replace(index, name=name.name, comment=None)
        if built is not None:
            pass  # an earlier run built it, and was stopped
        elif partition.partition_by is not None:
            shells.append(ddl.create_index(partition.name, part, only=True))
        else:
            parts.append(index_resource(partition.name, name.name))
            yield built_concurrently(partition.name, part)
        attached.append(ddl.attach_index(names[partition.partition_of], name))
    drop = f"DROP INDEX {qualified(whole)}"
    columns = [key.column for key in index.keys if key.column is not None] + list(index.include)
    yield Operation(
        op="join_partition_indexes",
        object=f"{table}.{index.name}",
        wave="EXPAND",
        phase=Phase.INDEX,
        statements=(*shells, *reversed(attached)),
        undo=(drop,),
        prechecks=(checks.table_exists(table), checks.relation_absent(whole)),
        postchecks=(checks.index_valid(table, index.name, unique=index.unique),),
        provides=(index_resource(table, index.name),),
        needs=(
            table_resource(table),
            *parts,
            *(column_resource(table, column) for column in columns),
            name_resource(table.schema, index.name),
        ),
        why=("the index of the parent takes over those of its partitions: no row is read",),
    )


def built_concurrently(table: QName, index: Index) -> Operation:
    """The build of an index of one table or partition, with what a build that was cut short leaves."""
    drop = f"DROP INDEX CONCURRENTLY {qualified(QName(table.schema, index.name))}"
    return Operation(
        op="add_index_concurrently",
        object=f"{table}.{index.name}",
        wave="EXPAND",
        phase=Phase.INDEX,
        kind=StepKind.AUTOCOMMIT,
        statements=(ddl.create_index(table, index, concurrently=True),),
        # A constraint that took the index over takes it along when it is undone.
        undo=(f"DROP INDEX CONCURRENTLY IF EXISTS {qualified(QName(table.schema, index.name))}",),
        prechecks=(checks.table_exists(table), checks.relation_absent(QName(table.schema, index.name))),
        postchecks=(checks.index_valid(table, index.name, unique=index.unique),),
        provides=(index_resource(table, index.name),),
        needs=(table_resource(table), name_resource(table.schema, index.name)),
        why=("CONCURRENTLY, on one partition: readers and writers go on",),
        unbounded=True,
        leftover_check=checks.index_leftover(table, index.name),
        leftover_cleanup=(drop,),
    )


def add_key_by_partition(
    table: QName, constraint: PrimaryKey | Unique, index: Index, situation: Situation
) -> Iterator[Operation]:
    """A key on every partition first, from an index built CONCURRENTLY; that of the parent then finds them."""
    kind = "PRIMARY KEY" if isinstance(constraint, PrimaryKey) else "UNIQUE"
    done: list[str] = []
    for partition in _partitions(table, situation):
        if partition.partition_by is not None:
            continue
        name = below(constraint.name, partition.name)
        if any(same_constraint(item, constraint) for item in partition.constraints):
            continue  # an earlier run made it, and was stopped
        if not any(item.name == name and item.valid for item in partition.indexes):
            yield replace(
                built_concurrently(partition.name, replace(index, name=name)),
                needs=(
                    table_resource(partition.name),
                    name_resource(partition.name.schema, name),
                    *(column_resource(table, column) for column in constraint.columns),
                ),
            )
        done.append(constraint_resource(partition.name, name))
        quoted = quote_ident(name)
        yield Operation(
            op="add_unique_using_index" if kind == "UNIQUE" else "add_primary_key_using_index",
            object=f"{partition.name}.{name}",
            wave="EXPAND",
            phase=Phase.KEY,
            statements=(
                f"ALTER TABLE {qualified(partition.name)} ADD CONSTRAINT {quoted} {kind} USING INDEX {quoted}"
                f"{deferral(constraint)}",
            ),
            undo=(
                f"ALTER TABLE {qualified(partition.name)} DROP CONSTRAINT IF EXISTS {quoted}",
            ),  # goes with the parent's
            prechecks=(checks.index_valid(partition.name, name, unique=True),),
            postchecks=(checks.constraint_exists(partition.name, name),),
            provides=(constraint_resource(partition.name, name),),
            needs=(
                index_resource(partition.name, name),
                *(
                    (column_resource(table, column, "not null") for column in constraint.columns)
                    if kind == "PRIMARY KEY"
                    else ()
                ),
            ),
        )
    comment = constraint.comment
    yield Operation(
        op="join_partition_keys",
        object=f"{table}.{constraint.name}",
        wave="EXPAND",
        phase=Phase.KEY,
        statements=(
            ddl.add_constraint(table, constraint),
            *((ddl.comment_on("constraint", table, constraint.name, comment),) if comment is not None else ()),
        ),
        undo=(f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(constraint.name)}",),
        prechecks=(checks.constraint_absent(table, constraint.name),),
        postchecks=(checks.constraint_exists(table, constraint.name),),
        provides=(constraint_resource(table, constraint.name),),
        needs=(
            table_resource(table),
            *done,
            name_resource(table.schema, constraint.name),
            *(column_resource(table, column) for column in constraint.columns),
            *(column_resource(table, column, "not null") for column in constraint.columns),
        ),
        why=("every partition has the key already: PostgreSQL joins them and builds nothing",),
        unbounded=True,
    )


def deferral(constraint: PrimaryKey | Unique) -> str:
    """The words that make a key deferrable, with a blank before them."""
    if not constraint.deferrable:
        return ""
    return " DEFERRABLE INITIALLY DEFERRED" if constraint.initially_deferred else " DEFERRABLE"


def add_foreign_key_by_partition(table: QName, key: ForeignKey, situation: Situation) -> Iterator[Operation]:
    """Before PostgreSQL 18: NOT VALID and proven on every partition; that of the parent then finds them valid."""
    done: list[str] = []
    needs = (
        table_resource(table),
        *(column_resource(table, column) for column in key.columns),
        *(column_resource(table, column, "filled") for column in key.columns),
        *key_resources(situation, key.references, key.referenced_columns),
    )
    for partition in _partitions(table, situation):
        if partition.partition_by is not None:
            continue
        name = below(key.name, partition.name)
        part = replace(key, name=name, comment=None, validated=True)
        made = next((item for item in partition.foreign_keys if same_constraint(item, part)), None)
        if made is not None and made.validated:
            continue  # an earlier run made it, and was stopped
        name = made.name if made is not None else name
        base = Operation(
            op="add_foreign_key_not_valid",
            object=f"{partition.name}.{name}",
            wave="EXPAND",
            phase=Phase.FOREIGN_KEY,
            statements=(ddl.add_constraint(partition.name, part, not_valid=True),),
            undo=(f"ALTER TABLE {qualified(partition.name)} DROP CONSTRAINT IF EXISTS {quote_ident(name)}",),
            prechecks=(checks.constraint_absent(partition.name, name),),
            postchecks=(checks.constraint_exists(partition.name, name),),
            provides=(constraint_resource(partition.name, name),),
            needs=needs,
            why=("NOT VALID, on one partition: existing rows are proven by a later step",),
        )
        if made is None:
            yield base
        done.append(constraint_resource(partition.name, name, "valid"))
        yield replace(
            base,
            op="validate_constraint",
            wave="VALIDATE",
            phase=Phase.PROOF,
            statements=(f"ALTER TABLE {qualified(partition.name)} VALIDATE CONSTRAINT {quote_ident(name)}",),
            undo=(),
            prechecks=(checks.constraint_exists(partition.name, name),),
            postchecks=(checks.constraint_valid(partition.name, name),),
            provides=(constraint_resource(partition.name, name, "valid"),),
            needs=(constraint_resource(partition.name, name),),
            why=("the partition is read once under SHARE UPDATE EXCLUSIVE: readers and writers go on",),
            unbounded=True,
        )
    comment = key.comment
    yield Operation(
        op="join_partition_keys",
        object=f"{table}.{key.name}",
        wave="EXPAND",
        phase=Phase.FOREIGN_KEY,
        statements=(
            ddl.add_constraint(table, replace(key, validated=True)),
            *((ddl.comment_on("constraint", table, key.name, comment),) if comment is not None else ()),
        ),
        undo=(f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(key.name)}",),
        prechecks=(checks.constraint_absent(table, key.name),),
        postchecks=(checks.constraint_valid(table, key.name),),
        provides=(constraint_resource(table, key.name), constraint_resource(table, key.name, "valid")),
        needs=(*needs, *done),
        why=("every partition has the key already, proven: PostgreSQL joins them and reads no row",),
    )


def drop_whole_index(operation: Operation, table: QName, index: Index) -> Operation:
    """DROP INDEX CONCURRENTLY does not exist for an index of a partitioned table."""
    statement = f"DROP INDEX {qualified(QName(table.schema, index.name))}"
    return replace(
        operation,
        op="drop_index",
        kind=StepKind.TRANSACTIONAL,
        statements=(statement,),
        undo=(ddl.create_index(table, index),),
        why=("it goes with those of all partitions, in a moment; queries that used it become slower",),
        leftover_check=None,
        leftover_cleanup=(),
    )
