"""The law of convergence, for two catalogs: A becomes B, B becomes A, no row is lost that both have a place for, and
the second plan is empty.

The target of each direction is what the other database really holds, read from it; or what ``wesley pull`` writes about
it, compiled again. Rows are seeded before: only those that both databases accept, so that no rule of the other side
can refuse them. What the other side has no table for must rest in ``wesley_retired``, unless it was purged.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from tests.catalogs import clear_database, create_statements, differences, read, run
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.catalog.model import Catalog, Column, QName, Table
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.diff.tables import RETIRED
from wesley_tui.planner.document import plan_from_json, plan_to_json
from wesley_tui.planner.plan import Plan
from wesley_tui.planner.situation import RETIRED_SCHEMA
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

__all__ = ["Refused", "converge", "made"]

_ROWS = 4
_VALUES: Mapping[str, tuple[str, ...]] = {
    "integer": ("1", "2", "3", "4"),
    "bigint": ("1", "2", "3", "4"),
    "smallint": ("3", "4", "5", "6"),
    "text": ("'abcd'", "'a123'", "'x'", "'it''s'"),
    "character varying(20)": ("'a'", "'b'", "'draft'", "'abcd'"),
    "character(3)": ("'abc'", "'xyz'"),
    "boolean": ("true", "false"),
    "numeric(10,2)": ("1.25", "2.00", "0.75", "7"),
    "double precision": ("0.5", "1", "0.25"),
    "real": ("1.5", "2.5"),
    "date": ("'2024-02-03'", "'2024-05-06'", "'2025-01-01'"),
    "timestamp with time zone": ("'2024-02-03 00:00:00+00'", "'2025-02-03 00:00:00+00'"),
    "timestamp(3) without time zone": ("'2024-02-03 00:00:00'",),
    "interval": ("'2 months'", "'1 day'"),
    "uuid": tuple(f"'0000000{digit}-0000-0000-0000-000000000000'" for digit in range(1, 5)),
    "jsonb": ("'{}'", "'[1]'"),
    "text[]": ("'{a}'", "'{}'", "'{b,c}'"),
    "integer[]": ("'{1,2}'", "'{}'"),
    "inet": ("'10.0.0.1'",),
    "bytea": ("'\\x01'",),
    "int4range": ("'[1,2)'", "'[2,3)'", "'[5,9)'"),
    "tsrange": ("'[2024-01-01,2024-02-01)'",),
    "point": ("'(1,1)'",),
}


class Refused(Exception):
    """The plan says by itself that PostgreSQL has no way, and stops before anything happens."""


@dataclass(frozen=True)
class _Rows:
    """What a table held: the columns that survive, and the rows as text."""

    columns: tuple[str, ...]
    values: Counter[tuple[str | None, ...]]


def made(database: str, catalog: Catalog) -> bool:
    """Make the database be ``catalog``; False when PostgreSQL does not take it (a draw that contradicts itself)."""
    clear_database(database)
    try:
        run(database, list(create_statements(catalog)))
    except psycopg.Error:
        return False
    return True


def converge(source: str, target: str, *, purge: bool = False, through_sdl: bool = False) -> Plan:
    """Seed rows, and make the database ``source`` what the database ``target`` is. Returns the plan.

    Raises ``Refused`` for a plan that refuses, ``AssertionError`` when the law does not hold.
    """
    before, after = read(source).catalog, read(target).catalog
    _seed(source, target, before, after)
    kept = _rows(source, before, after)
    lost = sum(
        _count(source, table)
        for table in _leaves(before)
        if table.name not in after.tables and table.name.schema in after.schemas
    )
    desired = _declared(after) if through_sdl else after
    plan = plan_for(source, desired, adopt_all=True, purge=purge)
    refused = [step.object for step in plan.steps if step.op in ("refuse", "require_replica_identity")]
    if refused:
        raise Refused(refused)
    assert plan_from_json(plan_to_json(plan)) == plan
    carry_out(source, plan)
    left = changes_left(source, desired, adopt_all=True).changes
    assert left == (), f"still differs: {left}"
    assert plan_for(source, desired, adopt_all=True, purge=purge).waves == (), "the second plan is not empty"
    found = _unnamed(_as_inherited(_within(read(source).catalog, after.schemas), after), after)
    different = differences(after, found)
    assert different == [], f"the catalogs differ: {different}"
    for name, rows in kept.items():
        now = _values(source, name, rows.columns)
        assert now == rows.values, f"rows of {name}: {rows.values - now} lost, {now - rows.values} new"
    resting = 0 if purge else _resting_rows(source)
    assert purge or resting == lost, f"{lost} rows were retired, {resting} rest"
    return plan


def _declared(catalog: Catalog) -> Catalog:
    """What a pulled schema says."""
    return compile_schema([Source("pulled.graphql", emit_schema(catalog))]).catalog


def _within(catalog: Catalog, schemas: Collection[str]) -> Catalog:
    """What lies in ``schemas``: without what was retired, and without those that a plan leaves alone because its target
    does not name them."""

    def named(name: QName) -> bool:
        return name.schema in schemas or not name.schema

    return Catalog(
        schemas=catalog.schemas & set(schemas),
        tables={name: table for name, table in catalog.tables.items() if named(name)},
        enums={name: enum for name, enum in catalog.enums.items() if named(name)},
        objects={
            ref: item
            for ref, item in catalog.objects.items()
            if named(item.name)
            and (item.relation is None or named(item.relation))
            # The sequence of a retired column rests with it, under its own name.
            and not (item.owned_by is not None and item.owned_by[1].startswith(RETIRED))
        },
        schema_details={name: item for name, item in catalog.schema_details.items() if name in schemas},
    )


def _as_inherited(found: Catalog, expected: Catalog) -> Catalog:
    """Children without what they declare beside their parents, where ``expected`` has it from the parents alone: no
    statement takes such a declaration back."""
    tables = dict(found.tables)
    for name, table in found.tables.items():
        wanted = expected.tables.get(name)
        if wanted is None or not wanted.inherits:
            continue
        inherited = _columns(wanted, expected)
        columns = tuple(
            column
            for column in table.columns
            if wanted.column(column.name) is not None
            or column.name not in inherited
            or (column.type, column.not_null) != (inherited[column.name].type, inherited[column.name].not_null)
        )
        constraints = tuple(
            item
            for item in table.constraints
            if wanted.constraint(item.name) is not None
            or not any(parent.constraint(item.name) for parent in _ancestors(wanted, expected))
        )
        tables[name] = replace(table, columns=columns, constraints=constraints)
    return replace(found, tables=tables)


def _unnamed(found: Catalog, expected: Catalog) -> Catalog:
    """A NOT NULL that ``expected`` gives no name has whatever name it got from the parent that its table has left."""
    tables = dict(found.tables)
    for name, wanted in expected.tables.items():
        if name in tables:
            columns = tuple(
                replace(column, not_null_name=None)
                if (other := wanted.column(column.name)) is not None and other.not_null_name is None
                else column
                for column in tables[name].columns
            )
            tables[name] = replace(tables[name], columns=columns)
    return replace(found, tables=tables)


def _ancestors(table: Table, catalog: Catalog) -> Iterator[Table]:
    for name in table.inherits:
        yield catalog.tables[name]
        yield from _ancestors(catalog.tables[name], catalog)


def _leaves(catalog: Catalog) -> Iterator[Table]:
    return (table for table in catalog.tables.values() if table.partition_by is None)


def _columns(table: Table, catalog: Catalog) -> dict[str, Column]:
    """All columns of a table, those of its parents included."""
    found: dict[str, Column] = {}
    for parent in (*table.inherits, *((table.partition_of,) if table.partition_of is not None else ())):
        if parent in catalog.tables:
            found |= _columns(catalog.tables[parent], catalog)
    return found | {column.name: column for column in table.columns}


def _shared(table: QName, before: Catalog, after: Catalog) -> list[str]:
    """Columns that a table has on both sides, of one type, with values of their own."""
    first, second = (_columns(catalog.tables[table], catalog) for catalog in (before, after))
    return [
        name
        for name, column in first.items()
        if name in second
        and column.type == second[name].type
        and column.generated is None
        and second[name].generated is None
    ]


def _seed(source: str, target: str, before: Catalog, after: Catalog) -> None:
    """Rows that both databases take. Twice over the tables: a foreign key may point to a later one."""
    with psycopg.connect(source) as first, psycopg.connect(target) as second:
        # One transaction: now() as a default is one value, as it is when the plan adds such a column.
        for _, table in itertools.product(range(2), list(_leaves(before))):
            columns = [item for item in _columns(table, before).values() if item.generated is None]
            there = _columns(after.tables[table.name], after) if table.name in after.tables else {}
            if table.name in after.tables and after.tables[table.name].partition_by is not None:
                continue
            for number in range(_ROWS):
                row = {column.name: _value(column, number, before) for column in columns if column.identity is None}
                with first.transaction() as outer:
                    if not _insert(first, table.name, row):
                        raise psycopg.Rollback(outer)
                    with second.transaction() as inner:
                        taken = table.name not in after.tables or _insert(
                            second,
                            table.name,
                            {name: text for name, text in row.items() if name in there and not there[name].generated},
                        )
                        if not taken:
                            raise psycopg.Rollback(inner)
                    if not taken:
                        raise psycopg.Rollback(outer)


def _insert(connection: psycopg.Connection[Any], table: QName, row: Mapping[str, str]) -> bool:
    names, values = ", ".join(map(quote_ident, row)), ", ".join(row.values())
    text = f"({names}) VALUES ({values})" if row else "DEFAULT VALUES"
    try:
        with connection.transaction():
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            done = connection.execute(f"INSERT INTO {qualified(table)} {text}".encode())
            return done.rowcount == 1
    except psycopg.Error:
        return False


def _value(column: Column, number: int, catalog: Catalog) -> str:
    values = _VALUES.get(column.type)
    if values is None:
        enum = next((item for item in catalog.enums.values() if qualified(item.name) == column.type), None)
        if enum is not None:
            return "'" + enum.labels[number % len(enum.labels)].replace("'", "''") + "'"
        return "DEFAULT"
    if column.not_null or number % 3:
        return values[number % len(values)]
    return "NULL"


def _rows(source: str, before: Catalog, after: Catalog) -> dict[QName, _Rows]:
    found = {}
    for table in _leaves(before):
        if table.name in after.tables and after.tables[table.name].partition_by is None:
            columns = tuple(_shared(table.name, before, after))
            found[table.name] = _Rows(columns, _values(source, table.name, columns))
    return found


def _values(database: str, table: QName, columns: tuple[str, ...]) -> Counter[tuple[str | None, ...]]:
    shown = ", ".join(f"{quote_ident(column)}::text" for column in columns)
    with psycopg.connect(database) as connection:
        return Counter(connection.execute(f"SELECT {shown} FROM ONLY {qualified(table)}".encode()).fetchall())


def _count(database: str, table: Table) -> int:
    return sum(_values(database, table.name, ()).values())


def _resting_rows(database: str) -> int:
    with psycopg.connect(database) as connection:
        names = connection.execute(
            "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' "
            f"AND relnamespace = to_regnamespace('{RETIRED_SCHEMA}')"
        ).fetchall()
        total = 0
        for (name,) in names:
            row = connection.execute(f"SELECT count(*) FROM ONLY {RETIRED_SCHEMA}.{name}".encode()).fetchone()
            assert row is not None
            total += row[0]
    return total
