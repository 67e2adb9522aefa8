"""A real application through the years: from every dump to every later one, with rows that stay.

The dumps lie beside the project and need PostgreSQL 15 with contrib; without them there is nothing to test.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.catalogs import differences, read
from tests.conftest import Servers, fresh_database
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.catalog.model import Catalog, Column, Table
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.demo.server import available_binaries
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

_DUMPS = sorted((Path(__file__).parents[3] / "shared" / "schemas").glob("*/*.sql"))
_PAIRS = list(itertools.combinations(_DUMPS, 2))
_CHOSEN = _PAIRS if os.environ.get("WESLEY_SLOW") else [pair for pair in _PAIRS if pair == (_DUMPS[0], _DUMPS[-1])]

pytestmark = [
    pytest.mark.skipif(not _DUMPS, reason="no dumps beside the project"),
    pytest.mark.skipif(15 not in available_binaries(), reason="the dumps need PostgreSQL 15 with contrib"),
]

_VALUES = {
    "boolean": "true",
    "bytea": r"'\x00'",
    "date": "'2024-02-03'",
    "interval": "'1 day'",
    "json": "'{}'",
    "jsonb": "'{}'",
    "uuid": "gen_random_uuid()",
    "tsvector": "'word'",
}


def _value(column: Column, row: int, catalog: Catalog) -> str:
    kind = column.type.partition("(")[0]
    for enum in catalog.enums.values():
        if column.type == qualified(enum.name):
            return f"'{enum.labels[0]}'"
    if kind.endswith("[]"):
        return "'{}'"
    if kind in ("integer", "bigint", "smallint", "numeric", "real", "double precision"):
        return str(row)
    if kind in ("inet", "cidr"):
        return f"'10.0.0.{row}'"
    if kind.startswith("timestamp"):
        return "'2024-02-03 04:05:06'"
    if kind in ("text", "character varying", "character", "public.citext"):
        return f"'v{row}'" if kind == "text" or "(1)" not in column.type else "'v'"
    return _VALUES.get(kind, "NULL")


def _has_place_for_rows(live: Table, wanted: Table | None) -> bool:
    """Nobody can say what rows have in a new column that must have a value and has no default."""
    required = (
        column
        for column in (wanted.columns if wanted is not None else ())
        if column.not_null and column.default is None and column.identity is None and column.generated is None
    )
    return all(live.column(column.name) is not None for column in required)


def _seeded(live: Catalog, wanted: Catalog) -> list[Table]:
    """The tables that can have rows before and after: no foreign key leads to one that cannot."""
    chosen = {
        name: table
        for name, table in live.tables.items()
        if table.partition_by is None and _has_place_for_rows(table, wanted.tables.get(name))
    }
    while True:
        hanging = [
            name
            for name in chosen
            for catalog in (live, wanted)
            for key in (catalog.tables[name].foreign_keys if name in catalog.tables else ())
            if key.references not in chosen
        ]
        if not hanging:
            return list(chosen.values())
        for name in set(hanging):
            del chosen[name]


def _seed(database: str, catalog: Catalog, wanted: Catalog, rows: int = 3) -> dict[str, int]:
    """A few rows in every table that takes them; the number of rows by table."""
    counted: dict[str, int] = {}
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in _seeded(catalog, wanted):
            for row in range(1, rows + 1):
                _insert(connection, table, row, catalog)
            found = connection.execute(f"SELECT count(*) FROM {qualified(table.name)}".encode()).fetchone()
            assert found is not None
            counted[str(table.name)] = int(found[0])
    return counted


def _insert(connection: psycopg.Connection[tuple[object, ...]], table: Table, row: int, catalog: Catalog) -> None:
    columns = [column for column in table.columns if column.generated is None]
    names = ", ".join(quote_ident(column.name) for column in columns)
    values = ", ".join(_value(column, row, catalog) for column in columns)
    statement = f"INSERT INTO {qualified(table.name)} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})"
    try:
        connection.execute(statement.encode())
    except psycopg.errors.CheckViolation:
        return  # A condition that plain values do not meet: the table stays empty.


def _load(bin_directory: Path, dump: Path, database: str) -> None:
    subprocess.run([bin_directory / "psql", "-X", "-q", "-f", dump, database], check=False, capture_output=True)


@pytest.mark.parametrize(("old", "new"), _CHOSEN, ids=lambda path: path.stem)
def test_every_dump_leads_to_every_later_one(servers: Servers, old: Path, new: Path) -> None:
    server = servers.get(15)
    for database in fresh_database(server):
        _load(server.bin, new, database)
        text = emit_schema(read(database).catalog)
    wanted = compile_schema([Source("new.graphql", text)]).catalog
    for database in fresh_database(server):
        _load(server.bin, old, database)
        live = read(database).catalog
        counted = _seed(database, live, wanted)
        assert sum(count > 0 for count in counted.values()) > len(counted) / 2
        plan = plan_for(database, wanted, adopt_all=True)
        carry_out(database, plan)
        assert changes_left(database, wanted, adopt_all=True).changes == ()
        assert differences(wanted, read(database).catalog) == []
        with psycopg.connect(database) as connection:
            for name, count in counted.items():
                schema, table = name.split(".", 1)
                kept = name if name in {str(item) for item in wanted.tables} else f"wesley_retired.{table}"
                row = connection.execute(f"SELECT count(*) FROM {kept}".encode()).fetchone()
                assert row == (count,), (schema, table)
