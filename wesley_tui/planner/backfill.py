"""Backfills: rows get a value batch by batch, along a key, each batch a short transaction.

A batch visits the next rows in key order (an index range, whatever the size of the table), locks those that still need
the value in that same order, so that two writers cannot deadlock, and updates them. The lock is FOR NO KEY UPDATE: it
does not stop inserts into tables that reference this one. Rows that somebody else changed in between are looked at
again by PostgreSQL under the row lock; those that no longer need the value are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from wesley_tui.catalog.model import Table, Unique
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.planner.plan import Backfill

__all__ = ["backfill_nulls", "walking_key"]


def walking_key(table: Table) -> tuple[str, ...] | None:
    """Columns along which all rows can be visited once: the primary key, else a unique key without NULLs; None when the
    table has neither."""
    primary = table.primary_key
    if primary is not None:
        return primary.columns
    not_null = {column.name for column in table.columns if column.not_null}
    keys = [
        item.columns for item in table.constraints if isinstance(item, Unique) and not_null.issuperset(item.columns)
    ]
    for index in table.indexes:
        plain = all(
            key.column is not None and key.opclass is None and key.collation is None and not key.descending
            and key.nulls_first is None
            for key in index.keys
        )  # fmt: skip
        columns = tuple(key.column for key in index.keys if key.column is not None)
        usable = index.unique and index.valid and index.where is None and index.method == "btree"
        if usable and plain and not_null.issuperset(columns):
            keys.append(columns)
    return min(keys, key=len, default=None)


def backfill_nulls(table: Table, key: Sequence[str], column: str, expression: str) -> Backfill:
    """Give ``expression`` to every row whose ``column`` is NULL."""
    name = qualified(table.name)
    target = quote_ident(column)
    types = {item.name: item.type for item in table.columns}
    names = [quote_ident(item) for item in key]
    own = ", ".join(f"t.{item}" for item in names)
    last = ", ".join(f"($1::pg_catalog.jsonb ->> {place})::{types[item]}" for place, item in enumerate(key))
    same_as_visited = " AND ".join(f"t.{item} = v.{item}" for item in names)
    same_as_locked = " AND ".join(f"t.{item} = l.{item}" for item in names)
    backwards = ", ".join(f"v.{item} DESC" for item in names)
    as_text = ", ".join(f"v.{item}::pg_catalog.text" for item in names)
    batch = (
        f"WITH visited AS MATERIALIZED (SELECT {own} FROM {name} AS t "
        f"WHERE $1::pg_catalog.jsonb IS NULL OR ({own}) > ({last}) ORDER BY {own} LIMIT $2), "
        f"locked AS MATERIALIZED (SELECT {own} FROM {name} AS t JOIN visited AS v ON {same_as_visited} "
        f"WHERE t.{target} IS NULL ORDER BY {own} FOR NO KEY UPDATE OF t), "
        f"changed AS (UPDATE {name} AS t SET {target} = {expression} FROM locked AS l "
        f"WHERE {same_as_locked} AND t.{target} IS NULL RETURNING 1) "
        f"SELECT (SELECT pg_catalog.jsonb_build_array({as_text}) FROM visited AS v ORDER BY {backwards} LIMIT 1) "
        "AS last_key, (SELECT pg_catalog.count(*) FROM visited) AS visited, "
        "(SELECT pg_catalog.count(*) FROM changed) AS changed"
    )
    remaining = f"SELECT pg_catalog.count(*) FROM {name} WHERE {target} IS NULL"
    return Backfill(table=str(table.name), key=tuple(key), batch_sql=batch, remaining_sql=remaining)
