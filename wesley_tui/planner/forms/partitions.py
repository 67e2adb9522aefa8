"""Partitions: attached under SHARE UPDATE EXCLUSIVE, detached concurrently where PostgreSQL can.

CREATE TABLE … PARTITION OF and a plain DETACH take ACCESS EXCLUSIVE on the parent. A table that is made by itself and
attached does not, and a valid check that says what the bound says spares ATTACH its scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.diff.changes import AttachPartition, ChangePartitionBound, DetachPartition, RefuseChange
from wesley_tui.planner import checks
from wesley_tui.planner.operations import Operation, Phase, table_resource
from wesley_tui.planner.plan import StepCheck
from wesley_tui.planner.situation import Situation

__all__ = ["attach", "change_bound", "detach", "refuse"]


def attach(change: AttachPartition, _: Situation) -> Iterator[Operation]:
    table = change.new
    assert table.partition_of is not None
    yield Operation(
        op="attach_partition",
        object=str(table.name),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=(ddl.attach_partition(table),),
        undo=(ddl.detach_partition(table),),
        prechecks=(checks.table_exists(table.name), checks.table_exists(table.partition_of)),
        provides=(f"partition {table.name}",),
        needs=(table_resource(table.name), table_resource(table.partition_of)),
        why=(
            f"every row of {table.name} is looked at, to prove that it lies within the bound; a valid CHECK that says "
            "the same would spare that",
        ),
        unbounded=True,
    )


def detach(change: DetachPartition, _: Situation) -> Iterator[Operation]:
    table = change.old
    assert table.partition_of is not None
    yield Operation(
        op="detach_partition",
        object=str(table.name),
        wave="CONTRACT",
        phase=Phase.DROP_TRIGGER,
        statements=(ddl.detach_partition(table),),
        undo=(ddl.attach_partition(table),),
        prechecks=(checks.table_exists(table.name),),
        needs=(table_resource(table.name),),
        danger=f"queries of {table.partition_of} no longer see the rows of {table.name}",
        why=("the rows stay, in a table of its own",),
    )


def change_bound(change: ChangePartitionBound, situation: Situation) -> Iterator[Operation]:
    old, new = change.old, change.new
    (operation,) = attach(AttachPartition(old, new), situation)
    yield replace(
        operation,
        op="change_partition_bound",
        statements=(ddl.detach_partition(old), ddl.attach_partition(new)),
        undo=(ddl.detach_partition(new), ddl.attach_partition(old)),
        why=("detached and attached again in one transaction: a row outside of the new bound undoes it",),
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
