"""Forms: for every change, PostgreSQL's safe way to make it, as operations.

One module per kind of object. :func:`operations_for` dispatches on the type of the change; a new change gets a function
and a line in the table below.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from wesley_tui.catalog.model import QName, Ref, Table
from wesley_tui.diff import changes as c
from wesley_tui.planner.forms import (
    columns,
    computed,
    constraints,
    enums,
    indexes,
    leaving,
    not_null,
    objects,
    partitions,
    security,
    storage,
    tables,
    types,
)
from wesley_tui.planner.forms.members import after_leavers, between_families, leavers_of
from wesley_tui.planner.forms.shadow import left_behind, purged
from wesley_tui.planner.operations import (
    Operation,
    column_resource,
    ref_resources,
)
from wesley_tui.planner.situation import Situation

__all__ = ["operations_for"]

_Form = Callable[[Any, Situation], Iterator[Operation]]

_FORMS: Mapping[type[Any], _Form] = {
    c.AddColumn: columns.add_column,
    c.AddConstraint: constraints.add_constraint,
    c.AddEnumLabel: enums.add_label,
    c.AlterColumnType: types.alter_type,
    c.AttachPartition: partitions.attach,
    c.ChangeClustering: storage.change_clustering,
    c.ChangeColumnDefault: columns.change_default,
    c.ChangeColumnGenerated: columns.change_generated,
    c.ChangeColumnIdentity: columns.change_identity,
    c.ChangeColumnNotNull: not_null.change_not_null,
    c.ChangeColumnSetting: storage.change_column_setting,
    c.ChangeComment: tables.change_comment,
    c.ChangeEnumLabels: enums.change_labels,
    c.ChangeGrants: objects.change_grants_of,
    c.ChangeConstraintStorage: storage.change_constraint_storage,
    c.ChangeIdentityOptions: storage.change_identity_options,
    c.ChangeIndexStatistics: storage.change_index_statistics,
    c.ChangeInheritance: storage.change_inheritance,
    c.ChangeObjectComment: objects.change_object_comment,
    c.ChangePartitionBound: partitions.change_bound,
    c.ChangePolicy: security.change_policy,
    c.ChangeReplicaIdentity: storage.change_replica_identity,
    c.ChangeRowSecurity: security.change_row_security,
    c.ChangeSequenceOwner: objects.change_sequence_owner,
    c.ChangeTableOptions: tables.change_options,
    c.ChangeTablePersistence: tables.change_persistence,
    c.ChangeTableStorage: storage.change_storage,
    c.CreateEnum: enums.create_enum,
    c.CreateIndex: indexes.create_index,
    c.CreateObject: objects.create_object,
    c.CreatePolicy: security.create_policy,
    c.CreateSchema: tables.create_schema,
    c.CreateTable: tables.create_table,
    c.DetachPartition: partitions.detach,
    c.FillComputed: computed.fill_computed,
    c.DropColumn: columns.drop_column,
    c.DropConstraint: constraints.drop_constraint,
    c.DropEnum: enums.drop_enum,
    c.DropIndex: indexes.drop_index,
    c.DropObject: objects.drop_object,
    c.DropPolicy: security.drop_policy,
    c.DropTable: leaving.drop_table,
    c.RefuseChange: partitions.refuse,
    c.RenameColumn: columns.rename_column,
    c.RenameConstraint: constraints.rename_constraint,
    c.RenameEnum: enums.rename_enum,
    c.RenameEnumLabel: enums.rename_label,
    c.RenameIndex: indexes.rename_index,
    c.RenameNotNull: storage.rename_not_null,
    c.RenameTable: tables.rename_table,
    c.ReplaceConstraint: constraints.replace_constraint,
    c.ReplaceIndex: indexes.replace_index,
    c.ReplaceObject: objects.replace_object,
    c.ValidateConstraint: constraints.validate_constraint,
}


def operations_for(changes: Iterable[c.Change], situation: Situation) -> Iterator[Operation]:
    """The operations of all changes, in the order of the changes; :mod:`wesley_tui.planner.order` sorts them."""
    changes = tuple(changes)
    fresh = {item.object.ref for item in changes if isinstance(item, c.CreateObject)}
    fresh |= {item.new.ref for item in changes if isinstance(item, c.ReplaceObject)}
    yield from left_behind(situation, {item.table for item in changes if isinstance(item, c.RenameColumn)})
    yield from purged(situation)
    moved = {item.new.name: item for item in changes if isinstance(item, c.AttachPartition | c.DetachPartition)}
    heirs = {item.table for item in changes if isinstance(item, c.ChangeInheritance)}
    leavers = leavers_of(changes, situation)
    for change in changes:
        operations = _FORMS[type(change)](change, situation)
        table = getattr(change, "table", None)
        if isinstance(table, QName) and (table in moved or table in heirs):
            operations = between_families(operations, table)
        if isinstance(table, QName) and table in leavers:
            operations = after_leavers(table, change, operations, leavers[table], situation)
        if situation.shadows.parties and not isinstance(change, c.AlterColumnType):
            operations = _after_exchanges(operations, situation)
        yield from _after_what_it_names(change, operations, fresh, situation) if fresh else operations


def _after_exchanges(operations: Iterator[Operation], situation: Situation) -> Iterator[Operation]:
    """What needs a column needs it in its new type, when that comes by exchange: whatever was made on the old column
    would stay behind with it."""
    typed = {
        column_resource(table.name, item.name): column_resource(table.name, item.name, "typed")
        for party in situation.shadows.parties
        for table in party
        for item in table.columns
    }
    for operation in operations:
        late = [typed[need] for need in operation.needs if need in typed]
        yield replace(operation, needs=(*operation.needs, *late)) if late else operation


def _after_what_it_names(
    change: c.Change, operations: Iterator[Operation], fresh: Collection[Ref], situation: Situation
) -> Iterator[Operation]:
    """Parts of tables come after the routines, types and sequences of the same plan that their SQL names."""
    refs = [
        ref
        for table in _with_ancestors(getattr(change, "table", None), situation)
        for ref in table.depends_on
        if ref in fresh
    ]
    for operation in operations:
        named = [ref for ref in refs if any(_own_name(ref) in statement for statement in operation.statements)]
        yield replace(operation, needs=(*operation.needs, *ref_resources(named))) if named else operation


def _with_ancestors(name: object, situation: Situation) -> Iterator[Table]:
    """The declared table, and those that it has columns from."""
    pending, seen = [name], set[object]()
    while pending:
        current = pending.pop()
        table = situation.desired.tables.get(current) if isinstance(current, QName) else None
        if table is not None and current not in seen:
            seen.add(current)
            yield table
            pending += (*table.inherits, table.partition_of)


def _own_name(ref: Ref) -> str:
    return ref.name.partition("(")[0].rpartition(".")[2]
