"""ALTER TABLE, parents: ATTACH and DETACH PARTITION, INHERIT. And what a new or dropped partition does to its family.

The DEFAULT partition is the one that people forget: whoever adds a partition has it read, under ACCESS EXCLUSIVE, to
prove that it holds no row of the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wesley_tui.catalog.model import ForeignKey, QName, Table
from wesley_tui.planner.effects.bounds import proves_bound
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.target import Target, subcommand
from wesley_tui.planner.plan import LockMode

__all__ = ["join_family", "leave_family", "referencing_tables"]


def join_family(parent: QName, context: EffectContext, tally: Tally, *, default: bool) -> None:
    """A partition is added to ``parent``: what that does to the DEFAULT partition, when there is one."""
    other = context.default_partition(parent)
    if other is None:
        if not default and not context.knows(parent):
            tally.assumes.append(f"{parent} has no DEFAULT partition; it would be locked and read")
        return
    for name in (other, *context.descendants(other)):
        tally.lock(name, LockMode.AccessExclusiveLock)
        Target(name, context, tally).scan()


def leave_family(name: QName, context: EffectContext, tally: Tally) -> None:
    """A partition is dropped: its parent and the DEFAULT partition are locked, for a moment."""
    table = context.table(name)
    if table is None or table.partition_of is None:
        return
    tally.lock(table.partition_of, LockMode.AccessExclusiveLock)
    other = context.default_partition(table.partition_of)
    if other is not None:
        tally.lock(other, LockMode.AccessExclusiveLock)


@subcommand("AttachPartition")
def _attach(command: Any, target: Target) -> None:
    partition = command.get("def")
    child = name_of(partition.name, target.context)
    context, tally = target.context, target.tally
    target.lock(LockMode.ShareUpdateExclusiveLock)
    is_default = bool(partition.bound is not None and partition.bound.is_default)
    for name in (child, *context.descendants(child)):
        tally.lock(name, LockMode.AccessExclusiveLock)
        whole = context.whole_table(name)
        # A parent that is a partition itself has bounds above it that are to be proven too.
        is_root = target.table is not None and target.table.partition_of is None
        parent_key = target.table.partition_by if target.table is not None and is_root else None
        knows_parent = context.knows(target.name)
        if (
            whole is None
            or (parent_key is None and knows_parent)
            or not proves_bound(whole, parent_key, partition.bound)
        ):
            Target(name, context, tally).scan()
        elif not knows_parent:
            tally.assumes.append(f"the CHECK on {name} speaks of the key by which {target.name} is partitioned")
    join_family(target.name, context, tally, default=is_default)
    for above in context.ancestors(target.name):
        tally.lock(above, LockMode.AccessShareLock)
    table = context.whole_table(child)
    for key in target.table.foreign_keys if target.table is not None else ():
        # A key of the partition's own that says the same is taken over, and need not be proven; its triggers go.
        is_there = _has_key(table, key)
        for found in context.family(key.references):
            tally.lock(found, LockMode.AccessExclusiveLock if is_there else LockMode.ShareRowExclusiveLock)
            if not is_there:
                Target(found, context, tally).scan()
    for referencing in referencing_tables(target.name, context):
        tally.lock(referencing, LockMode.ShareRowExclusiveLock)


def referencing_tables(name: QName, context: EffectContext) -> Iterator[QName]:
    """Tables with a foreign key to ``name`` or to a table that it is a partition of."""
    for target in (name, *context.ancestors(name)):
        for other, _ in context.foreign_keys_to(target):
            yield other


def _has_key(table: Table | None, key: ForeignKey) -> bool:
    return table is not None and any(
        replace(own, name=key.name, comment=key.comment) == key for own in table.foreign_keys
    )


@subcommand("DetachPartition")
def _detach(command: Any, target: Target) -> None:
    partition = command.get("def")
    child = name_of(partition.name, target.context)
    context, tally = target.context, target.tally
    if partition.concurrent:
        target.lock(LockMode.ShareUpdateExclusiveLock)
        tally.lock(child, LockMode.AccessExclusiveLock)
        tally.in_transaction = False
        tally.breaks.append(
            f"queries of {target.name}: the rows of {child} vanish from it at once, before the command ends"
        )
        return
    target.lock(LockMode.AccessExclusiveLock)
    for found in (child, *context.descendants(child)):
        tally.lock(found, LockMode.AccessExclusiveLock)
    tally.breaks.append(f"queries of {target.name} that expect the rows of {child}")
    other = context.default_partition(target.name)
    if other is not None and other != child:
        tally.lock(other, LockMode.AccessExclusiveLock)
    elif not context.knows(target.name):
        tally.assumes.append(f"{target.name} has no DEFAULT partition; it would be locked too")
    for key in target.table.foreign_keys if target.table is not None else ():
        for found in context.family(key.references):
            tally.lock(found, LockMode.ShareRowExclusiveLock)
    # No row may point to the rows that leave: those that could are read.
    for referencing in referencing_tables(target.name, context):
        tally.lock(referencing, LockMode.AccessExclusiveLock)
        for found in context.family(referencing):
            Target(found, context, tally).scan()


@subcommand("DetachPartitionFinalize")
def _finalize(command: Any, target: Target) -> None:
    target.lock(LockMode.ShareUpdateExclusiveLock)
    target.tally.lock(name_of(command.get("def").name, target.context), LockMode.AccessExclusiveLock)


@subcommand("AddInherit")
def _inherit(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    parent = name_of(command.get("def"), target.context)
    target.tally.lock(parent, LockMode.ShareUpdateExclusiveLock)
    target.tally.breaks.append(f"queries of {parent}: they see the rows of {target.name} too")


@subcommand("DropInherit")
def _no_inherit(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    parent = name_of(command.get("def"), target.context)
    target.tally.lock(parent, LockMode.AccessShareLock)
    target.tally.breaks.append(f"queries of {parent}: they do not see the rows of {target.name} any more")
