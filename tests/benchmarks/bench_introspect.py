"""How long reading a catalog takes, beside the floor: the same answers fetched as text and thrown away.

Run with ``pytest -s tests/benchmarks/bench_introspect.py``. Figures are medians on an open connection; the floor is
what the server and the wire need for the same message, so that the ratio says what our own work adds.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from wesley_tui.catalog.fingerprint import fingerprint
from wesley_tui.catalog.introspect import _message, _Variant, read_snapshot

_ROUNDS = 15
_TYPES = (
    *("text", "integer", "numeric(10,2)", "timestamptz", "boolean", "varchar(40)", "jsonb", "uuid", "date"),
    *("bigint", "text[]"),
)


def build(database: str, tables: int, columns: int, indexes: int) -> None:
    """``tables`` tables, each with an identity key, a check, a foreign key to its neighbour and ``indexes`` indexes."""
    with psycopg.connect(database) as connection:
        for number in range(tables):
            written = ", ".join(
                f"c{i} {_TYPES[i % len(_TYPES)]}{' NOT NULL' if i % 3 == 0 else ''}" for i in range(columns - 1)
            )
            connection.execute(
                f"CREATE TABLE t{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {written},"
                f" CHECK (c1 > 0), CHECK (c5 IN ('a', 'b')))".encode()
            )
            for i in range(indexes):
                where = " WHERE c1 > 5" if i == 2 else ""
                key = "lower(c0)" if i == 3 else f"c{i}"
                connection.execute(f"CREATE INDEX t{number}_i{i} ON t{number} ({key}){where}".encode())
            if number:
                connection.execute(f"ALTER TABLE t{number} ADD FOREIGN KEY (c9) REFERENCES t{number - 1}".encode())
            if number % 200 == 199:
                connection.commit()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE pg_catalog.pg_class, pg_catalog.pg_attribute")


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    taken = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


async def _measure(database: str) -> tuple[float, float, float]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        message = _message(_Variant(connection.info.server_version, None))

        async def floor() -> None:
            async with connection.cursor() as cursor:
                await cursor.execute(message)

        async def ours() -> object:
            return await read_snapshot(connection)

        floor_ms, ours_ms = await _median_ms(floor), await _median_ms(ours)
        catalog = (await read_snapshot(connection)).catalog

        async def digest() -> object:
            return fingerprint(catalog)

        return floor_ms, ours_ms, await _median_ms(digest)


@pytest.mark.parametrize(("tables", "columns", "indexes"), [(13, 12, 2), (200, 12, 3), (1000, 12, 5)])
def test_reading_a_catalog(database: str, tables: int, columns: int, indexes: int) -> None:
    build(database, tables, columns, indexes)
    floor_ms, ours_ms, digest_ms = asyncio.run(_measure(database))
    print(
        f"\n{tables} tables × {columns} columns × {indexes} indexes: read_snapshot {ours_ms:.1f} ms, "
        f"floor {floor_ms:.1f} ms, ratio {ours_ms / floor_ms:.2f}; fingerprint {digest_ms:.1f} ms"
    )
    assert ours_ms < 4 * floor_ms
