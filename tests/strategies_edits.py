"""Neighbours of whole catalogs: what a team makes of its database in a month.

``neighbours(catalog)`` draws a catalog of the same schemas in which things of every kind were added, taken away,
changed and moved: columns, types, keys, policies, partitions, parents, views, functions. What goes takes along what
stands on it. A few draws contradict themselves; PostgreSQL says so when they are created.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from hypothesis import strategies as st

from tests.strategies import (
    Pool,
    any_check,
    any_column,
    any_default,
    any_index,
    any_policy,
    any_table,
    any_unique,
    by_name,
    comments,
    names,
    with_foreign_keys,
)
from tests.strategies_objects import KINDS, with_objects
from wesley_tui.catalog.model import Catalog, Column, QName, Ref, SqlObject, Table
from wesley_tui.catalog.naming import qualified

__all__ = ["neighbours"]

_WIDER = {
    "smallint": "integer",
    "integer": "bigint",
    "character varying(20)": "text",
    "numeric(10,2)": "numeric(12,2)",
    "real": "double precision",
    "character(3)": "text",
    "date": "timestamp(3) without time zone",
}
_REPLACED = ("function", "procedure", "aggregate", "view", "materialized view", "sequence", "domain", "composite type")


@st.composite
def neighbours(draw: st.DrawFn, catalog: Catalog, *, major: int = 15, max_edits: int = 6) -> Catalog:
    pool = _pool_of(catalog)
    for _ in range(draw(st.integers(1, max_edits))):
        edit = draw(st.sampled_from(_EDITS))
        catalog = draw(edit(catalog, pool, major))
    return catalog


def _pool_of(catalog: Catalog) -> Pool:
    """All names that are taken, in the spaces that the strategies use."""
    pool = Pool({("schema", schema) for schema in catalog.schemas})
    for table in catalog.tables.values():
        space = f"relation {table.name.schema}"
        pool.taken |= {(space, table.name.name)}
        pool.taken |= {(space, item.name) for item in (*table.constraints, *table.indexes)}
        pool.taken |= {(f"policy {table.name}", policy.name) for policy in table.policies}
    pool.taken |= {(f"relation {enum.schema}", enum.name) for enum in catalog.enums}
    for item in catalog.objects.values():
        spaces = ("relation", "function", "statistics")
        pool.taken |= {(f"{space} {item.name.schema}", item.name.name) for space in spaces}
        pool.taken |= {(f"relation {item.name.schema}", index.name) for index in item.indexes}
        pool.taken |= {(space, item.name.name) for space in ("publication", "event trigger")}
        if item.relation is not None:
            pool.taken |= {(f"rule {item.relation}", item.name.name)}
    return pool


def _without(catalog: Catalog, gone: set[Ref]) -> Catalog:
    """``catalog`` without these, and without all that stands on them."""
    tables, objects = dict(catalog.tables), dict(catalog.objects)
    while True:
        names_gone = {name for name in catalog.tables if Ref("table", str(name)) in gone}
        more = {
            ref
            for ref, item in objects.items()
            if ref not in gone
            and (
                any(need in gone for need in item.depends_on)
                or item.relation in names_gone
                or (item.owned_by is not None and item.owned_by[0] in names_gone)
            )
        }
        more |= {
            Ref("table", str(name))
            for name, table in tables.items()
            if Ref("table", str(name)) not in gone
            and (
                any(need in gone for need in table.depends_on)
                or table.partition_of in names_gone
                or any(parent in names_gone for parent in table.inherits)
            )
        }
        if not more:
            break
        gone = gone | more
    kept = {}
    for name, table in tables.items():
        if Ref("table", str(name)) not in gone:
            constraints = tuple(
                item for item in table.constraints if getattr(item, "references", None) not in names_gone
            )
            kept[name] = dataclasses.replace(table, constraints=constraints)
    return dataclasses.replace(
        catalog, tables=kept, objects={ref: item for ref, item in objects.items() if ref not in gone}
    )


def _put(catalog: Catalog, table: Table) -> Catalog:
    return dataclasses.replace(catalog, tables=dict(sorted({**catalog.tables, table.name: table}.items())))


@st.composite
def _drop(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    refs = [*(Ref("table", str(name)) for name in catalog.tables), *catalog.objects]
    return _without(catalog, {draw(st.sampled_from(refs))}) if refs else catalog


@st.composite
def _add_objects(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True))
    made: Catalog = draw(with_objects(catalog, pool, kinds, major))
    return made


@st.composite
def _add_table(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    schema = draw(st.sampled_from(sorted(catalog.schemas)))
    name = QName(schema, pool.claim(f"relation {schema}", draw(names())))
    table = draw(any_table(name, tuple(catalog.enums.values()), pool, major))
    tables = [*(item for item in catalog.tables.values() if item.partition_by is None), table]
    return _put(catalog, draw(with_foreign_keys(table, tables, pool, major)))


def _own_tables(catalog: Catalog) -> list[Table]:
    return [table for table in catalog.tables.values() if table.columns]


@st.composite
def _change_table(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    if not catalog.tables:
        return catalog
    table = catalog.tables[draw(st.sampled_from(sorted(catalog.tables)))]
    match draw(st.sampled_from(("rls", "comment", "options", "persistence"))):
        case "rls":
            table = dataclasses.replace(table, rls_enabled=not table.rls_enabled, rls_forced=draw(st.booleans()))
        case "options" if table.partition_by is None:
            table = dataclasses.replace(table, options=() if table.options else (("fillfactor", "80"),))
        case "persistence" if table.partition_by is None:
            table = dataclasses.replace(table, unlogged=not table.unlogged)
        case _:
            table = dataclasses.replace(table, comment=draw(comments()))
    return _put(catalog, table)


@st.composite
def _change_column(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    tables = _own_tables(catalog)
    if not tables:
        return catalog
    table = draw(st.sampled_from(tables))
    place = draw(st.integers(0, len(table.columns) - 1))
    column = table.columns[place]
    enums = tuple(catalog.enums.values())
    match draw(st.sampled_from(("add", "drop", "type", "default", "not null", "comment"))):
        case "add":
            local = Pool({("column", item.name) for item in _family_columns(table, catalog)})
            return _put(catalog, dataclasses.replace(table, columns=(*table.columns, draw(any_column(local, enums)))))
        case "drop" if not _is_used(table, column, catalog):
            rest = (*table.columns[:place], *table.columns[place + 1 :])
            return _put(catalog, dataclasses.replace(table, columns=rest))
        case "type" if column.type in _WIDER:
            column = dataclasses.replace(column, type=_WIDER[column.type])
        case "default" if column.generated is None and column.identity is None and "nextval" not in str(column.default):
            column = dataclasses.replace(column, default=draw(any_default(column.type, enums)))
        case "not null" if column.identity is None:
            column = dataclasses.replace(column, not_null=not column.not_null)
        case _:
            column = dataclasses.replace(column, comment=draw(comments()))
    return _put(
        catalog, dataclasses.replace(table, columns=(*table.columns[:place], column, *table.columns[place + 1 :]))
    )


def _family_columns(table: Table, catalog: Catalog) -> list[Column]:
    """Names that a new column must not have: those of parents and of children."""
    found = list(table.columns)
    for other in catalog.tables.values():
        if table.name in other.inherits or other.name in table.inherits:
            found += other.columns
    return found


def _is_used(table: Table, column: Column, catalog: Catalog) -> bool:
    rest = dataclasses.replace(table, columns=tuple(item for item in table.columns if item is not column), comment=None)
    texts = [repr(rest), *(repr(item) for item in catalog.objects.values())]
    texts += [repr(other.constraints) + repr(other.inherits) for other in catalog.tables.values() if other is not table]
    return any(re.search(rf"\b{re.escape(column.name)}\b", text) or column.name in text for text in texts)


@st.composite
def _change_parts(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    tables = _own_tables(catalog)
    if not tables:
        return catalog
    table = draw(st.sampled_from(tables))
    add = draw(st.booleans())
    match draw(st.sampled_from(("index", "check", "unique", "policy", "foreign key"))):
        case "index":
            made = draw(any_index(table.name, table.columns, pool)) if add and table.partition_by is None else None
            table = dataclasses.replace(table, indexes=by_name((made, *table.indexes)) if made else table.indexes[1:])
        case "check":
            check = draw(any_check(table.name, table.columns, pool)) if add else None
            table = dataclasses.replace(
                table, constraints=by_name((check, *table.constraints)) if check else table.constraints[1:]
            )
        case "unique" if add and table.partition_by is None:
            unique = draw(any_unique(table.name, table.columns, pool))
            table = dataclasses.replace(
                table, constraints=by_name((unique, *table.constraints)) if unique else table.constraints
            )
        case "policy":
            policy = draw(any_policy(table.name, table.columns, pool)) if add else None
            kept = (policy, *table.policies) if policy else table.policies[1:]
            table = dataclasses.replace(table, policies=tuple(sorted(kept, key=lambda item: item.name)))
        case _ if table.partition_by is None and not table.unlogged:
            table = draw(with_foreign_keys(table, _own_tables(catalog), pool, major))
        case _:
            pass
    return _put(catalog, table)


@st.composite
def _change_enum(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    if not catalog.enums:
        return catalog
    enum = catalog.enums[draw(st.sampled_from(sorted(catalog.enums)))]
    labels = list(enum.labels)
    if draw(st.booleans()):
        labels.insert(draw(st.integers(0, len(labels))), draw(st.sampled_from(("fresh", "newer", "it's new"))))
        if len(set(labels)) != len(labels):
            return catalog
    else:
        labels = list(draw(st.permutations(labels)))
    return dataclasses.replace(
        catalog, enums={**catalog.enums, enum.name: dataclasses.replace(enum, labels=(*labels,))}
    )


@st.composite
def _change_family(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    """Partitions leave and get other bounds, children leave their parents and find others."""
    members = [table for table in catalog.tables.values() if table.partition_of is not None or table.inherits]
    if not members:
        return catalog
    table = draw(st.sampled_from(members))
    if table.partition_of is None:
        parent = catalog.tables[table.inherits[0]]
        if draw(st.booleans()):
            own = {column.name for column in table.columns}
            inherited = tuple(
                dataclasses.replace(column, comment=None, identity=None)
                for column in parent.columns
                if column.name not in own and column.generated is None
            )
            table = dataclasses.replace(table, columns=(*inherited, *table.columns))
        if not table.columns:
            return catalog  # a table without columns has no place in a schema
        return _put(catalog, dataclasses.replace(table, inherits=()))
    parent = catalog.tables[table.partition_of]
    bound = table.partition_bound or ""
    if "'2025-01-01'" in bound and draw(st.booleans()):
        return _put(catalog, dataclasses.replace(table, partition_bound=bound.replace("'2025-01-01'", "'2026-01-01'")))
    if parent.partition_of is not None:
        return catalog
    free = dataclasses.replace(table, columns=parent.columns, partition_of=None, partition_bound=None)
    return _put(catalog, free)


@st.composite
def _replace_object(draw: st.DrawFn, catalog: Catalog, pool: Pool, major: int) -> Catalog:
    """Another definition under the same name."""
    items = [item for item in catalog.objects.values() if item.kind in _REPLACED]
    if not items:
        return catalog
    old = draw(st.sampled_from(items))
    empty = dataclasses.replace(catalog, objects={ref: item for ref, item in catalog.objects.items() if ref != old.ref})
    grown: Catalog = draw(with_objects(empty, pool, (old.kind,), major))
    fresh = [item for ref, item in grown.objects.items() if ref not in empty.objects and item.kind == old.kind]
    if not fresh or fresh[0].arguments != old.arguments:
        return catalog
    new = _under_name(fresh[0], old)
    return dataclasses.replace(catalog, objects=dict(sorted({**empty.objects, new.ref: new}.items())))


def _under_name(item: SqlObject, other: SqlObject) -> SqlObject:
    texts = tuple(text.replace(qualified(item.name), qualified(other.name)) for text in item.statements)
    return dataclasses.replace(item, name=other.name, statements=texts, owned_by=other.owned_by)


_Edit = Callable[[Catalog, Pool, int], st.SearchStrategy[Catalog]]
_EDITS: tuple[_Edit, ...] = (
    *(_drop, _add_objects, _add_objects, _add_table, _change_table, _change_column, _change_column, _change_column),
    *(_change_parts, _change_parts, _change_enum, _change_family, _change_family, _replace_object, _replace_object),
)
