"""Differences of one table that exists on both sides: columns, security, storage, comments.

A declared table is declared whole: a column, constraint, index or policy that the schema does not name is dropped.
Columns that an earlier plan has retired (see :data:`RETIRED`) are already gone as far as a schema is concerned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wesley_tui.catalog.expression import same_default, same_expression
from wesley_tui.catalog.model import Column, Generated, Policy, QName, Table
from wesley_tui.diff.changes import (
    AddColumn,
    AlterColumnType,
    Change,
    ChangeColumnDefault,
    ChangeColumnGenerated,
    ChangeColumnIdentity,
    ChangeColumnNotNull,
    ChangeComment,
    ChangePolicy,
    ChangeRowSecurity,
    ChangeTableOptions,
    ChangeTablePersistence,
    CreatePolicy,
    DropColumn,
    DropPolicy,
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
    if live.comment != wanted.comment:
        yield ChangeComment("table", name, None, live.comment, wanted.comment)


def _compare_column(table: QName, old: Column, new: Column, types: Mapping[str, str]) -> Iterator[Change]:
    if (old.type, old.collation) != (new.type, new.collation):
        yield AlterColumnType(table, old, new)
    if not _same_generation(old.generated, new.generated, types):
        yield ChangeColumnGenerated(table, old, new)
    elif old.identity != new.identity:
        yield ChangeColumnIdentity(table, old, new)
    if not same_default(old.default, new.default, new.type):
        yield ChangeColumnDefault(table, new.name, old.default, new.default)
    if old.not_null != new.not_null:
        yield ChangeColumnNotNull(table, new.name, new.not_null)
    if old.comment != new.comment:
        yield ChangeComment("column", table, new.name, old.comment, new.comment)


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
