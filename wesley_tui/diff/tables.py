"""Differences of one table that exists on both sides: columns, security, storage, comments.

A declared table is declared whole: a column, constraint, index or policy that the schema does not name is dropped.
Columns that an earlier plan has retired (see :data:`RETIRED`) are already gone as far as a schema is concerned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from wesley_tui.catalog.expression import same_default, same_expression
from wesley_tui.catalog.model import Column, Generated, Policy, QName, Table
from wesley_tui.catalog.naming import default_name
from wesley_tui.catalog.statement import same_partition_bound, same_partition_key
from wesley_tui.diff.changes import (
    AddColumn,
    AlterColumnType,
    AttachPartition,
    Change,
    ChangeClustering,
    ChangeColumnDefault,
    ChangeColumnGenerated,
    ChangeColumnIdentity,
    ChangeColumnNotNull,
    ChangeColumnSetting,
    ChangeComment,
    ChangeIdentityOptions,
    ChangeInheritance,
    ChangePartitionBound,
    ChangePolicy,
    ChangeReplicaIdentity,
    ChangeRowSecurity,
    ChangeTableOptions,
    ChangeTablePersistence,
    ChangeTableStorage,
    CreatePolicy,
    DetachPartition,
    DropColumn,
    DropPolicy,
    RefuseChange,
    RenameNotNull,
    RenameQuestion,
)
from wesley_tui.diff.constraints import compare_constraints, compare_indexes
from wesley_tui.diff.renames import column_questions

__all__ = ["RETIRED", "compare_table"]

RETIRED = "wesley_retired_"
"""Prefix of a column that was retired: still there with its data, and no longer part of the table's declaration."""


def compare_table(live: Table, wanted: Table, questions: list[RenameQuestion]) -> Iterator[Change]:
    """All differences of one table; likely renames of columns are appended to ``questions``."""
    if live is wanted or live == wanted:
        return
    if not same_partition_key(live.partition_by, wanted.partition_by):
        yield RefuseChange(str(wanted.name), _other_key(live, wanted))
        return
    if live.partition_of != wanted.partition_of:
        yield from _moved_partition(live, wanted)
    elif live.partition_of is not None and not same_partition_bound(live.partition_bound, wanted.partition_bound):
        yield ChangePartitionBound(live, wanted)
    name = wanted.name
    live_columns = {column.name: column for column in live.columns if not column.name.startswith(RETIRED)}
    position_of = {column.name: place for place, column in enumerate(wanted.columns)}
    added = [column for column in wanted.columns if column.name not in live_columns]
    dropped = [column for column in live_columns.values() if column.name not in position_of]
    types = {column.name: column.type for column in wanted.columns}
    if added and dropped:
        questions += column_questions(name, live, dropped, added, position_of)
    for column in wanted.columns:
        old = live_columns.get(column.name)
        if old is None:
            yield AddColumn(name, column)
        elif old != column:
            yield from _compare_column(name, old, column, types)
    for column in dropped:
        yield DropColumn(name, column)
    if live.constraints != wanted.constraints:
        yield from compare_constraints(name, live.constraints, wanted.constraints, types)
    if live.indexes != wanted.indexes:
        yield from compare_indexes(name, live.indexes, wanted.indexes, types)
    if live.policies != wanted.policies:
        yield from _compare_policies(live, wanted, types)
    flags = (live.rls_enabled, live.rls_forced)
    if flags != (wanted.rls_enabled, wanted.rls_forced):
        yield ChangeRowSecurity(name, wanted.rls_enabled, wanted.rls_forced, *flags)
    if live.options != wanted.options:
        yield ChangeTableOptions(name, live.options, wanted.options)
    if live.unlogged != wanted.unlogged:
        yield ChangeTablePersistence(name, wanted.unlogged)
    if live.tablespace != wanted.tablespace:
        yield ChangeTableStorage(name, "tablespace", live.tablespace, wanted.tablespace)
    if live.access_method != wanted.access_method:
        yield ChangeTableStorage(name, "access method", live.access_method, wanted.access_method)
    if live.inherits != wanted.inherits:
        yield ChangeInheritance(name, live.inherits, wanted.inherits)
    if live.clustered_on != wanted.clustered_on:
        yield ChangeClustering(name, live.clustered_on, wanted.clustered_on)
    if live.replica_identity != wanted.replica_identity:
        yield ChangeReplicaIdentity(name, live.replica_identity, wanted.replica_identity)
    if live.comment != wanted.comment:
        yield ChangeComment("table", name, None, live.comment, wanted.comment)


def _other_key(live: Table, wanted: Table) -> str:
    before = f"is partitioned by {live.partition_by}" if live.partition_by else "is not partitioned"
    after = f"partitioned by {wanted.partition_by}" if wanted.partition_by else "without partitions"
    return (
        f"{live.name} {before} and is declared {after}: PostgreSQL cannot change that on a table that exists; declare "
        "a new table, copy the rows, and exchange the names"
    )


def _moved_partition(live: Table, wanted: Table) -> Iterator[Change]:
    """A table that becomes a partition, stops being one, or changes its parent. Both records are whole: see
    :func:`wesley_tui.diff.family.compared`."""
    if live.partition_of is not None:
        yield DetachPartition(live, wanted)
    if wanted.partition_of is not None:
        more = [column.name for column in live.columns if wanted.column(column.name) is None]
        if more:
            yield RefuseChange(
                str(wanted.name),
                f"{wanted.name} is to become a partition of {wanted.partition_of} and has columns that that table has "
                f"not: {', '.join(more)}. PostgreSQL attaches only tables of the same columns; drop them first, or "
                "make a new partition and copy the rows",
            )
            return
        yield AttachPartition(live, wanted)


_SETTINGS: tuple[Literal["storage", "compression", "statistics", "options"], ...] = (
    "storage", "compression", "statistics", "options"
)  # fmt: skip


def _compare_column(table: QName, old: Column, new: Column, types: Mapping[str, str]) -> Iterator[Change]:
    other_rule = not _same_generation(old.generated, new.generated, types)
    if other_rule:
        yield ChangeColumnGenerated(table, old, new)
        if _is_made_anew(old.generated, new.generated):
            return
    if (old.type, old.collation) != (new.type, new.collation):
        yield AlterColumnType(table, old, new)
    if not other_rule and old.identity != new.identity:
        yield ChangeColumnIdentity(table, old, new)
    if old.identity is not None and new.identity is not None and _other_counting(table, old, new):
        yield ChangeIdentityOptions(table, old, new)
    if new.generated is None and new.identity is None and not same_default(old.default, new.default, new.type):
        yield ChangeColumnDefault(table, new.name, old.default, new.default)
    if old.not_null != new.not_null:
        yield ChangeColumnNotNull(table, new.name, new.not_null)
    elif new.not_null and new.not_null_name not in (
        # A schema that names none takes whatever name there is: a renamed column keeps the old one.
        None,
        old.not_null_name or default_name(table.name, (new.name,), "not_null"),
    ):
        yield RenameNotNull(table, new.name, old.not_null_name, new.not_null_name)
    if new.not_null and old.not_null_comment != new.not_null_comment:
        named = new.not_null_name or old.not_null_name or default_name(table.name, (new.name,), "not_null")
        yield ChangeComment("constraint", table, named, old.not_null_comment, new.not_null_comment)
    for setting in _SETTINGS:
        if getattr(old, setting) != getattr(new, setting):
            yield ChangeColumnSetting(table, setting, old, new)
    if old.comment != new.comment:
        yield ChangeComment("column", table, new.name, old.comment, new.comment)


def _other_counting(table: QName, old: Column, new: Column) -> bool:
    """Options that differ, or a sequence that is to have another name: a schema that names none takes whatever name
    there is."""
    if old.identity_options != new.identity_options:
        return True
    usual = default_name(table.name, (new.name,), "seq")
    name = old.identity_sequence.name if old.identity_sequence is not None else usual
    return new.identity_sequence is not None and new.identity_sequence.name != name


def _other_not_null_name(old: str | None, new: str | None) -> bool:
    """A name that the server chose before a table was renamed is as good as the one that it would choose now."""
    return old != new and (new is not None or not (old or "").endswith("_not_null"))


def _is_made_anew(old: Generated | None, new: Generated | None) -> bool:
    """Only a stored column can become an ordinary one; whatever else changes is dropped and added, with all it has."""
    if old is None or new is None:
        return old is None or old.kind == "virtual"
    return old.kind != new.kind


def _same_generation(old: Generated | None, new: Generated | None, types: Mapping[str, str]) -> bool:
    if old is None or new is None:
        return old is new
    return old.kind == new.kind and same_expression(old.expression, new.expression, types)


def _compare_policies(live: Table, wanted: Table, types: Mapping[str, str]) -> Iterator[Change]:
    live_by_name = {policy.name: policy for policy in live.policies}
    for new in wanted.policies:
        old = live_by_name.pop(new.name, None)
        if old is None:
            yield CreatePolicy(wanted.name, new)
            continue
        if not _same_policy(old, new, types):
            yield ChangePolicy(wanted.name, old, new)
        if old.comment != new.comment:
            yield ChangeComment("policy", wanted.name, new.name, old.comment, new.comment)
    for old in live_by_name.values():
        yield DropPolicy(wanted.name, old)


def _same_policy(old: Policy, new: Policy, types: Mapping[str, str]) -> bool:
    return (
        (old.command, old.permissive, old.roles) == (new.command, new.permissive, new.roles)
        and same_expression(old.using, new.using, types)
        and same_expression(old.check, new.check, types)
    )
