"""Catalogs in tests: make one on a database, read it back, say how two differ."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Collection
from typing import Any

import psycopg

from wesley_tui.catalog.ddl_lifecycle import drop_object
from wesley_tui.catalog.expression import same_default, same_expression
from wesley_tui.catalog.introspect import read_snapshot
from wesley_tui.catalog.model import Catalog, Column, ForeignKey, SqlObject
from wesley_tui.catalog.order import create_catalog as create_statements
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.catalog.statement import same_object, same_partition_bound, same_partition_key

__all__ = ["clear_database", "create_statements", "differences", "read", "run"]

_EXPRESSIONS = frozenset(("expression", "where", "using", "check"))


def run(database: str, statements: Collection[str]) -> None:
    """Run statements in one transaction, with an empty search_path and without looking into bodies of functions."""
    with psycopg.connect(database) as connection:
        connection.execute("SET search_path = ''")
        connection.execute("SET check_function_bodies = off")
        for statement in statements:
            connection.execute(statement.encode())


def clear_database(database: str) -> None:
    """Back to one empty schema ``public``."""
    with psycopg.connect(database) as connection:
        connection.execute("SET LOCAL client_min_messages = error")
        rows = connection.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall()
        for (name,) in rows:
            connection.execute(f"DROP SCHEMA {name} CASCADE".encode())
        connection.execute("CREATE SCHEMA public")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        rows = connection.execute(
            "SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication"
            " UNION ALL SELECT format('DROP EVENT TRIGGER %I', evtname) FROM pg_event_trigger"
            " UNION ALL SELECT format('DROP EXTENSION %I CASCADE', extname) FROM pg_extension WHERE oid >= 16384"
        ).fetchall()
        for (statement,) in rows:
            connection.execute(statement.encode())
    left = read(database).catalog.objects.values()
    run(database, [text for item in left if item.kind == "default privileges" for text in drop_object(item)])


def read(database: str, schemas: Collection[str] | None = None) -> Snapshot:
    """:func:`read_snapshot` for tests that are not asynchronous."""

    async def reading() -> Snapshot:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            return await read_snapshot(connection, schemas)

    return asyncio.run(reading())


def differences(expected: Any, actual: Any, where: str = "catalog") -> list[str]:
    """Where two catalogs (or records) differ, one line each; expressions are compared by meaning, columns by name."""
    if isinstance(expected, Catalog) and isinstance(actual, Catalog):
        return [
            *_differ(set(expected.schemas), set(actual.schemas), f"{where}.schemas"),
            *_mappings(expected.tables, actual.tables, "table"),
            *_mappings(expected.enums, actual.enums, "enum"),
            *_mappings(expected.objects, actual.objects, "object"),
            *_mappings(expected.schema_details, actual.schema_details, "schema"),
        ]
    if type(expected) is not type(actual):
        return [f"{where}: expected {expected!r}, found {actual!r}"]
    if isinstance(expected, tuple) and not hasattr(expected, "_fields"):
        return _sequences(expected, actual, where)
    if isinstance(expected, SqlObject) and isinstance(actual, SqlObject) and same_object(expected, actual):
        # Columns are a part of the statement, and need not be known.
        expected = dataclasses.replace(expected, statements=actual.statements, columns=actual.columns)
    if not dataclasses.is_dataclass(expected) or isinstance(expected, type):
        return _differ(expected, actual, where)
    found = []
    for field in dataclasses.fields(expected):
        if not field.compare:
            continue
        a, b = getattr(expected, field.name), getattr(actual, field.name)
        place = f"{where}.{field.name}"
        if isinstance(expected, Column) and field.name == "default":
            found += [] if same_default(a, b, expected.type) else [f"{place}: expected {a!r}, found {b!r}"]
        elif field.name in ("partition_by", "partition_bound"):
            same = same_partition_key if field.name == "partition_by" else same_partition_bound
            found += [] if same(a, b) else [f"{place}: expected {a!r}, found {b!r}"]
        elif field.name in _EXPRESSIONS:
            found += [] if same_expression(a, b) else [f"{place}: expected {a!r}, found {b!r}"]
        else:
            found += differences(a, b, place)
    return found


def _differ(expected: Any, actual: Any, where: str) -> list[str]:
    return [] if expected == actual else [f"{where}: expected {expected!r}, found {actual!r}"]


def _mappings(expected: Any, actual: Any, kind: str) -> list[str]:
    found = []
    for name in sorted({*expected, *actual}):
        if name not in expected or name not in actual:
            found.append(f"{kind} {name}: {'unexpected' if name not in expected else 'missing'}")
        else:
            found += differences(expected[name], actual[name], f"{kind} {name}")
    return found


def _sequences(expected: tuple[Any, ...], actual: tuple[Any, ...], where: str) -> list[str]:
    if expected and isinstance(expected[0], Column):
        expected, actual = (tuple(sorted(items, key=lambda column: column.name)) for items in (expected, actual))
    if len(expected) != len(actual):
        return [f"{where}: expected {expected!r}, found {actual!r}"]
    found = []
    for position, (a, b) in enumerate(zip(expected, actual, strict=True)):
        label = getattr(a, "name", position)
        found += differences(a, b, f"{where}[{label}]")
    return found


def without_foreign_keys(catalog: Catalog) -> Catalog:
    """``catalog`` with its foreign keys left out."""
    tables = {
        name: dataclasses.replace(
            table, constraints=tuple(item for item in table.constraints if not isinstance(item, ForeignKey))
        )
        for name, table in catalog.tables.items()
    }
    return dataclasses.replace(catalog, tables=tables)
