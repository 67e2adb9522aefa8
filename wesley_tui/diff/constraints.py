"""Differences of constraints and indexes: first by name, then by definition.

What has the same definition under another name is renamed, which costs nothing, where a drop and an add would read the
whole table. What has the same name and another definition is replaced. A table has one primary key, so two different
ones are always a replacement, whatever their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wesley_tui.catalog.expression import same_expression
from wesley_tui.catalog.model import Check, Constraint, Exclude, ForeignKey, Index, IndexKey, PrimaryKey, QName, Unique
from wesley_tui.diff.changes import (
    AddConstraint,
    Change,
    ChangeComment,
    ChangeConstraintStorage,
    ChangeIndexStatistics,
    CreateIndex,
    DropConstraint,
    DropIndex,
    RenameConstraint,
    RenameIndex,
    ReplaceConstraint,
    ReplaceIndex,
    ValidateConstraint,
)

__all__ = ["compare_constraints", "compare_indexes", "same_constraint", "same_index"]


def compare_constraints(
    table: QName, live: Sequence[Constraint], wanted: Sequence[Constraint], types: Mapping[str, str]
) -> Iterator[Change]:
    live_by_name = {item.name: item for item in live}
    rest = list(wanted)
    old_key = next((item for item in live if isinstance(item, PrimaryKey)), None)
    new_key = next((item for item in wanted if isinstance(item, PrimaryKey)), None)
    if old_key is not None and new_key is not None:
        del live_by_name[old_key.name]
        rest.remove(new_key)
        yield from _paired(table, old_key, new_key, types)
    unmatched = []
    for new in rest:
        old = live_by_name.pop(new.name, None)
        if old is None:
            unmatched.append(new)
        else:
            yield from _paired(table, old, new, types)
    for new in unmatched:
        old = next((item for item in live_by_name.values() if same_constraint(item, new, types)), None)
        if old is None:
            yield AddConstraint(table, new)
        else:
            del live_by_name[old.name]
            yield from _paired(table, old, new, types)
    for old in live_by_name.values():
        yield DropConstraint(table, old)


def _paired(table: QName, old: Constraint, new: Constraint, types: Mapping[str, str]) -> Iterator[Change]:
    if not same_constraint(old, new, types):
        yield ReplaceConstraint(table, old, new)
        return
    if old.name != new.name:
        yield RenameConstraint(table, old.name, new.name)
    yield from _details(table, old, new)


def _details(table: QName, old: Constraint, new: Constraint) -> Iterator[Change]:
    if (
        isinstance(old, Check | ForeignKey)
        and isinstance(new, Check | ForeignKey)
        and new.validated
        and not old.validated
    ):
        yield ValidateConstraint(table, new)
    if (
        isinstance(old, PrimaryKey | Unique | Exclude)
        and isinstance(new, PrimaryKey | Unique | Exclude)
        and (old.options, old.tablespace) != (new.options, new.tablespace)
    ):
        yield ChangeConstraintStorage(table, old, new)
    if old.comment != new.comment:
        yield ChangeComment("constraint", table, new.name, old.comment, new.comment)


def same_constraint(old: Constraint, new: Constraint, types: Mapping[str, str] | None = None) -> bool:
    """The same rule, whatever its name, comment and state of validation. ``types`` of the table's columns help to read
    expressions."""
    if type(old) is not type(new):
        return False
    if isinstance(old, Check) and isinstance(new, Check):
        flags = (old.no_inherit, old.enforced)
        return flags == (new.no_inherit, new.enforced) and same_expression(old.expression, new.expression, types)
    if isinstance(old, Exclude) and isinstance(new, Exclude):
        return (
            (old.method, old.deferrable, old.initially_deferred) == (new.method, new.deferrable, new.initially_deferred)
            and [operator for _, operator in old.elements] == [operator for _, operator in new.elements]
            and _same_keys([key for key, _ in old.elements], [key for key, _ in new.elements], types)
            and same_expression(old.where, new.where, types)
        )
    if isinstance(old, ForeignKey) and isinstance(new, ForeignKey):
        return replace(old, name=new.name, comment=new.comment, validated=new.validated) == new
    if isinstance(old, PrimaryKey | Unique) and isinstance(new, PrimaryKey | Unique):
        alike = {"name": new.name, "comment": new.comment, "options": new.options, "tablespace": new.tablespace}
        return replace(old, **alike) == new  # type: ignore[arg-type]
    return False


def compare_indexes(
    table: QName, live: Sequence[Index], wanted: Sequence[Index], types: Mapping[str, str]
) -> Iterator[Change]:
    live_by_name = {index.name: index for index in live}
    unmatched = []
    for new in wanted:
        old = live_by_name.pop(new.name, None)
        if old is None:
            unmatched.append(new)
        elif not ((old.valid or not new.valid) and same_index(old, new, types)):
            yield ReplaceIndex(table, old, new)
        else:
            yield from _index_details(table, old, new)
    for new in unmatched:
        old = next((item for item in live_by_name.values() if item.valid and same_index(item, new, types)), None)
        if old is None:
            yield CreateIndex(table, new)
            continue
        del live_by_name[old.name]
        yield RenameIndex(table, old.name, new.name)
        yield from _index_details(table, old, new)
    for old in live_by_name.values():
        yield DropIndex(table, old)


def _index_details(table: QName, old: Index, new: Index) -> Iterator[Change]:
    if [key.statistics for key in old.keys] != [key.statistics for key in new.keys]:
        yield ChangeIndexStatistics(table, old, new)
    if old.comment != new.comment:
        yield ChangeComment("index", table, new.name, old.comment, new.comment)


def same_index(old: Index, new: Index, types: Mapping[str, str] | None = None) -> bool:
    """The same index, whatever its name, comment, validity and statistics targets."""
    return (
        (old.method, old.unique, old.include, old.nulls_not_distinct, old.options, old.tablespace)
        == (new.method, new.unique, new.include, new.nulls_not_distinct, new.options, new.tablespace)
        and _same_keys(old.keys, new.keys, types)
        and same_expression(old.where, new.where, types)
    )


def _same_keys(old: Sequence[IndexKey], new: Sequence[IndexKey], types: Mapping[str, str] | None) -> bool:
    return len(old) == len(new) and all(_same_key(*pair, types) for pair in zip(old, new, strict=True))


def _same_key(old: IndexKey, new: IndexKey, types: Mapping[str, str] | None) -> bool:
    return (
        (old.column, old.opclass, old.collation, old.descending)
        == (new.column, new.opclass, new.collation, new.descending)
        and _nulls_first(old) == _nulls_first(new)
        and same_expression(old.expression, new.expression, types)
    )


def _nulls_first(key: IndexKey) -> bool:
    return key.descending if key.nulls_first is None else key.nulls_first
