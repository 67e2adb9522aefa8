"""Measure a server that has no history yet: read a little, sort a little, write nothing. Asked for, because it costs
the server up to four seconds of work and 64 MB of reading.

What cannot be measured without writing (rewrites, backfills) stays assumed, and says so.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.naming import qualified
from wesley_tui.planner.human import human_bytes
from wesley_tui.planner.plan import Rate
from wesley_tui.planner.rates import Rates

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from wesley_tui.catalog.snapshot import Snapshot

__all__ = ["probed_rates"]

PAGE_BYTES = 8192
_MOST_PAGES = 8192
_LEAST_PAGES = 128
"""Less than a megabyte is read too fast to tell anything."""
_SORTED_ROWS = 200_000
_PATIENCE_S = 4.0


async def probed_rates(connection: AsyncConnection[Any], snapshot: Snapshot, rates: Rates) -> Rates:
    """``rates`` with those that were only assumed measured now, as far as this role may read."""
    if rates.scan.source == "assumed":
        rates = replace(rates, scan=await _scan(connection, snapshot) or rates.scan)
    if rates.build.source == "assumed":
        rates = replace(rates, build=await _sort(connection) or rates.build)
    return rates


async def _scan(connection: AsyncConnection[Any], snapshot: Snapshot) -> Rate | None:
    """The first pages of the largest table, as they are: cached or not, like the plan's own scans."""
    tables = (name for name, size in snapshot.sizes.items() if size.main_bytes >= _LEAST_PAGES * PAGE_BYTES)
    largest = max(tables, key=lambda name: snapshot.sizes[name].main_bytes, default=None)
    if largest is None:
        return None
    pages = snapshot.sizes[largest].main_bytes // PAGE_BYTES
    pages = min(_MOST_PAGES, pages) if snapshot.major >= 14 else pages // 50
    spent = await _milliseconds(connection, _first_pages(largest, pages, snapshot.major))
    if spent is None:
        return None
    read = pages * PAGE_BYTES
    return Rate(round(read / spent, 3), "bytes/ms", f"probed: {human_bytes(read)} of {largest}")


def _first_pages(table: QName, pages: int, major: int) -> str:
    if major >= 14:  # since then a range of tids is not a filter over the whole table
        return f"SELECT count(*) FROM ONLY {qualified(table)} WHERE ctid < '({pages},0)'::tid"
    return f"SELECT count(*) FROM ONLY {qualified(table)} TABLESAMPLE SYSTEM (2) REPEATABLE (1)"


async def _sort(connection: AsyncConnection[Any]) -> Rate | None:
    """Sorting alone; writing and logging an index is counted as much again."""
    spent = await _milliseconds(
        connection,
        f"SELECT count(*) FROM (SELECT hashint4(g) AS h FROM generate_series(1, {_SORTED_ROWS}) AS g"
        " ORDER BY h OFFSET 0) AS sorted",
    )
    if spent is None:
        return None
    return Rate(round(_SORTED_ROWS / spent / 2, 3), "rows/ms", f"probed: sorting {_SORTED_ROWS} rows, doubled")


async def _milliseconds(connection: AsyncConnection[Any], statement: str) -> float | None:
    """How long the statement takes in a read-only transaction; None when it fails or takes more than two seconds."""
    import psycopg

    try:
        async with asyncio.timeout(_PATIENCE_S), connection.transaction():
            await connection.execute("SET TRANSACTION READ ONLY")
            await connection.execute("SET LOCAL statement_timeout = '2s'")
            await connection.execute("SET LOCAL lock_timeout = '200ms'")
            await connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            begun = time.perf_counter()
            await connection.execute(statement.encode())
            return max((time.perf_counter() - begun) * 1000, 0.1)
    except (psycopg.Error, TimeoutError):
        return None
