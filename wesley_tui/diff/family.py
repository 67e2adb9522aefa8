"""Tables that enter or leave a family: what they have from their parents is told apart from what they declare.

The record of a partition or of a child by inheritance leaves out what it has from its parents. While the family stays
the same, the parents' own changes reach it, and there is nothing to compare. When it changes, the whole table counts:
what a partition had from its parent is its own once it is detached, and a table must have all that the parent has
before it is attached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Exclude,
    ForeignKey,
    Index,
    PrimaryKey,
    QName,
    Table,
    Unique,
)
from wesley_tui.catalog.naming import default_name
from wesley_tui.diff.constraints import same_constraint, same_index

__all__ = ["compared", "extra_columns", "whole"]

_Part = TypeVar("_Part", Constraint, Index)


def compared(live: Table, wanted: Table, actual: Catalog, desired: Catalog) -> tuple[Table, Table]:
    """The two records as they are to be compared: filled up with what comes from parents that only one of them has."""
    if live.partition_of != wanted.partition_of:
        before = whole(live, actual)
        after = whole(wanted, desired)
        if wanted.partition_of is not None:
            after = _with_names_of(before, after)
        return before, after
    if live.inherits or wanted.inherits:
        return _heirs(live, wanted, actual, desired)
    if live.partition_of is not None and (live.indexes or live.constraints):
        return _without_beginnings(live, wanted, actual, desired), wanted
    return live, wanted


def _without_beginnings(live: Table, wanted: Table, actual: Catalog, desired: Catalog) -> Table:
    """A partition without the indexes and keys that its parent is to get: a run that was stopped has built them there,
    the next one goes on with them."""
    assert live.partition_of is not None
    before, after = (catalog.tables.get(live.partition_of) for catalog in (actual, desired))
    if before is None or after is None:
        return live
    there, asked = whole(before, actual), whole(after, desired)
    types = {column.name: column.type for column in asked.columns}
    indexes = [item for item in asked.indexes if not any(same_index(other, item, types) for other in there.indexes)]
    keys = [
        item
        for item in asked.constraints
        if not any(same_constraint(other, item, types) for other in there.constraints) and not isinstance(item, Check)
    ]
    if not indexes and not keys:
        return live
    uniques = [item.columns for item in keys if isinstance(item, PrimaryKey | Unique)]
    return replace(
        live,
        indexes=tuple(
            item
            for item in live.indexes
            if wanted.index(item.name) is not None
            or not (
                any(same_index(item, other, types) for other in indexes)
                or (item.unique and tuple(key.column for key in item.keys) in uniques and item.where is None)
            )
        ),
        constraints=tuple(
            item
            for item in live.constraints
            if wanted.constraint(item.name) is not None
            or not any(same_constraint(item, other, types) for other in keys)
        ),
    )


def extra_columns(live: Table, parent: Table) -> list[str]:
    """Columns of ``live`` that ``parent`` has not: PostgreSQL attaches nothing that has them."""
    known = {column.name for column in parent.columns}
    return [column.name for column in live.columns if column.name not in known]


def whole(table: Table, catalog: Catalog) -> Table:
    """``table`` with all that it has from its parents, under the names that it has there."""
    parents = [*table.inherits, *((table.partition_of,) if table.partition_of is not None else ())]
    for name in parents:
        parent = catalog.tables.get(name)
        if parent is not None:
            table = _joined(table, whole(parent, catalog), with_keys=table.partition_of == name)
    return table


def _joined(table: Table, parent: Table, *, with_keys: bool) -> Table:
    own_names = {(kind, above): own for kind, own, above in table.attached}
    own_columns = {column.name for column in table.columns}
    columns = [
        replace(_passed_on(column), not_null_name=_named(table, column.name, own_names))
        for column in parent.columns
        if column.name not in own_columns
    ]
    constraints: list[Constraint] = list(table.constraints)
    taken = {item.name for item in constraints}
    for item in parent.constraints:
        if isinstance(item, Check):
            if not item.no_inherit and item.name not in taken:
                constraints.append(replace(item, comment=None))
        elif with_keys:
            kind = "foreign key" if isinstance(item, ForeignKey) else "index"
            name = own_names.get((kind, item.name)) or _chosen(table.name, item)
            constraints.append(replace(item, name=name, comment=None))
    indexes = list(table.indexes)
    if with_keys:
        for index in parent.indexes:
            name = own_names.get(("index", index.name)) or default_name(table.name.name, _shown(index), "idx")
            indexes.append(replace(index, name=name, comment=None))
    return replace(
        table,
        columns=(*columns, *table.columns),
        constraints=tuple(sorted(constraints, key=lambda item: item.name)),
        indexes=tuple(sorted(indexes, key=lambda index: index.name)),
    )


def _named(table: Table, column: str, own_names: Mapping[tuple[str, str], str]) -> str | None:
    """PostgreSQL 18: the name of a NOT NULL that came from a parent, unless the server would choose the same."""
    name = own_names.get(("not null", column))
    return None if name == default_name(table.name.name, (column,), "not_null") else name


def _passed_on(column: Column) -> Column:
    """What comes with inheritance: neither comments nor identities, nor what ANALYZE is told."""
    return replace(column, comment=None, identity=None, statistics=None, options=(), not_null_name=None)


def _chosen(table: QName, item: Constraint) -> str:
    """The name that the server would choose for a key of the partition."""
    match item:
        case PrimaryKey():
            return default_name(table.name, (), "pkey")
        case Unique():
            return default_name(table.name, item.columns, "key")
        case Exclude():
            return default_name(table.name, [key.column or "expr" for key, _ in item.elements], "excl")
        case _:
            return item.name


def _shown(index: Index) -> list[str]:
    return [key.column or "expr" for key in index.keys] + list(index.include)


def _with_names_of(live: Table, wanted: Table) -> Table:
    """``wanted`` under the names that ``live`` has for the same keys and indexes: it is attached with those."""
    types = {column.name: column.type for column in wanted.columns}
    return replace(
        wanted,
        constraints=_renamed(wanted.constraints, live.constraints, lambda a, b: same_constraint(a, b, types)),
        indexes=_renamed(wanted.indexes, live.indexes, lambda a, b: same_index(a, b, types)),
    )


def _renamed(wanted: Iterable[_Part], live: Sequence[_Part], same: Callable[[_Part, _Part], bool]) -> tuple[_Part, ...]:
    wanted = tuple(wanted)
    free = {item.name: item for item in live}
    for item in wanted:
        free.pop(item.name, None)
    found: list[_Part] = []
    for item in wanted:
        alike = next((other for other in free.values() if same(other, item)), None)
        if alike is None or any(other.name == item.name for other in live):
            found.append(item)
        else:
            del free[alike.name]
            found.append(replace(item, name=alike.name))
    return tuple(sorted(found, key=lambda item: item.name))


def _heirs(live: Table, wanted: Table, actual: Catalog, desired: Catalog) -> tuple[Table, Table]:
    staying = [parent for parent in live.inherits if parent in wanted.inherits]
    leaving = [parent for parent in live.inherits if parent not in wanted.inherits]
    joining = [parent for parent in wanted.inherits if parent not in live.inherits]
    columns = _heirs_columns(live, wanted, (actual, desired), (staying, leaving, joining))
    checks = _heirs_checks(live, wanted, (actual, desired), (staying, leaving, joining))
    return (
        replace(live, columns=columns[0], constraints=checks[0]),
        replace(wanted, columns=columns[1], constraints=checks[1]),
    )


_Sides = tuple[Catalog, Catalog]
_Parents = tuple[Sequence[QName], Sequence[QName], Sequence[QName]]
"""Those that stay, leave and join."""


def _heirs_columns(
    live: Table, wanted: Table, sides: _Sides, parents: _Parents
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Neither can a column that comes from a parent be dropped, nor one be added that came already: there is no
    statement that says whether the child declares it too."""
    staying, leaving, joining = parents
    staying_live, staying_wanted = (_columns_of(catalog, staying) for catalog in sides)
    names = {(kind, above): own for kind, own, above in live.attached}
    left = {
        name: replace(column, not_null_name=_named(live, name, names))
        for name, column in _columns_of(sides[0], leaving).items()
    }
    before = left | {column.name: column for column in live.columns}
    after = _columns_of(sides[1], joining) | {column.name: column for column in wanted.columns}
    for name, column in list(before.items()):
        if name not in after and name in staying_wanted:
            after[name] = _following(column, staying_wanted[name])
        elif name not in after and name in staying_live:
            del before[name]  # it goes where the parent's goes
    for name, column in list(after.items()):
        if name not in before and name in staying_live:
            before[name] = _following(column, staying_live[name])
        elif name not in before and name in staying_wanted:
            del after[name]  # it comes with the parent's
    return tuple(before.values()), tuple(after.values())


def _following(own: Column, parents: Column) -> Column:
    """``own`` with what a child may have otherwise than its parent: all else comes with the parent's column."""
    if own.generated is not None or parents.generated is not None:
        return own
    return replace(own, default=parents.default, not_null=parents.not_null)


def _heirs_checks(
    live: Table, wanted: Table, sides: _Sides, parents: _Parents
) -> tuple[tuple[Constraint, ...], tuple[Constraint, ...]]:
    staying, leaving, joining = parents
    staying_live, staying_wanted = (_checks_of(catalog, staying) for catalog in sides)
    before: dict[str, Constraint] = _checks_of(sides[0], leaving) | {item.name: item for item in live.constraints}
    after: dict[str, Constraint] = _checks_of(sides[1], joining) | {item.name: item for item in wanted.constraints}
    for name in before.keys() - after.keys():
        if name in staying_wanted or name in staying_live:
            del before[name]
    for name in after.keys() - before.keys():
        if name in staying_live or name in staying_wanted:
            del after[name]
    return tuple(_sorted(before)), tuple(_sorted(after))


def _sorted(items: Mapping[str, Constraint]) -> Iterator[Constraint]:
    return (items[name] for name in sorted(items))


def _columns_of(catalog: Catalog, parents: Iterable[QName]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name in parents:
        parent = catalog.tables.get(name)
        for column in whole(parent, catalog).columns if parent is not None else ():
            found.setdefault(column.name, _passed_on(column))
    return found


def _checks_of(catalog: Catalog, parents: Iterable[QName]) -> dict[str, Constraint]:
    found: dict[str, Constraint] = {}
    for name in parents:
        parent = catalog.tables.get(name)
        for item in whole(parent, catalog).constraints if parent is not None else ():
            if isinstance(item, Check) and not item.no_inherit:
                found.setdefault(item.name, replace(item, comment=None))
    return found
