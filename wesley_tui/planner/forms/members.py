"""Partitions and children that leave their parents: what happens to them waits until they have left, and so does what
happens to the parents, as far as it would reach them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from wesley_tui.catalog.model import Check, Column, QName
from wesley_tui.diff import changes as c
from wesley_tui.planner.operations import Operation, detached_resource, shape_resource
from wesley_tui.planner.situation import Situation

__all__ = ["after_leavers", "between_families", "leavers_of"]


def between_families(operations: Iterator[Operation], table: QName) -> Iterator[Operation]:
    """Changes of a table that leaves one family and enters another: after the one, before the other."""
    for operation in operations:
        if operation.op == "set_inheritance" or shape_resource(table) in operation.provides:
            yield operation
        else:
            yield replace(
                operation,
                needs=(*operation.needs, detached_resource(table), f"check {table} gone"),
                provides=(*operation.provides, shape_resource(table)),
            )


def leavers_of(changes: Iterable[c.Change], situation: Situation) -> dict[QName, list[QName]]:
    """By table: its partitions and children, however far below, that leave it and stay in use."""
    found: dict[QName, list[QName]] = {}
    for item in changes:
        match item:
            case c.DetachPartition(old=old) if old.partition_of is not None:
                member, pending = item.new.name, [old.partition_of]
            case c.ChangeInheritance(table=member):
                pending = [parent for parent in item.old if parent not in item.new]
            case _:
                continue
        for above in pending:
            parent = situation.live.tables.get(above)
            if parent is not None:
                found.setdefault(above, []).append(member)
                pending += (*parent.inherits, *((parent.partition_of,) if parent.partition_of is not None else ()))
    return found


def after_leavers(
    table: QName, change: c.Change, operations: Iterator[Operation], leavers: Collection[QName], situation: Situation
) -> Iterator[Operation]:
    """What changes about a column or a rule of a parent reaches all members: so it waits for those that leave and keep
    theirs as it was, or have it otherwise."""
    waits: list[str] = []
    for name in leavers:
        own, parent = situation.desired.tables.get(name), situation.desired.tables.get(table)
        if own is None or parent is None:
            continue
        match change:
            case c.AlterColumnType(new=item) | c.ChangeColumnGenerated(new=item) | c.DropColumn(column=item):
                kept = _otherwise(own.column(item.name), parent.column(item.name))
            case c.ChangeColumnDefault(column=column) | c.ChangeColumnNotNull(column=column):
                kept = _otherwise(own.column(column), parent.column(column))
            case c.DropConstraint(constraint=rule) | c.ReplaceConstraint(old=rule) if isinstance(rule, Check):
                kept = own.constraint(rule.name) is not None
            case _:
                kept = False
        if kept:
            waits.append(detached_resource(name))
    for operation in operations:
        yield replace(operation, needs=(*operation.needs, *waits)) if waits else operation


def _otherwise(own: Column | None, parents: Column | None) -> bool:
    """Whether what has left its parent has the column, and not as the parent has it by then."""
    if own is None:
        return False
    return parents is None or (own.type, own.default, own.not_null, own.generated) != (
        parents.type,
        parents.default,
        parents.not_null,
        parents.generated,
    )
