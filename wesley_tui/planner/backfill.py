"""Backfills: rows get a value batch by batch, along a key, each batch a short transaction.

A batch is a range of the key: it ends at the row that is so many rows further on, which the index tells. The rows of
the range that still need the value are updated in key order, so that two writers who keep to it cannot deadlock; where
the key is one column, in one pass over that index. An UPDATE of columns that are no key takes FOR NO KEY UPDATE: it
does not stop inserts into tables that reference this one. Rows that somebody else changed in between are looked at
again by PostgreSQL under the row lock; those that no longer need the value are left alone.

The condition stands inside a CASE, where no index can be used for it: statistics from before the column was added, or
emptied, make the planner believe that few rows are to be filled, and by an index on that column each batch would read
all that are left.
"""

from __future__ import annotations

from collections.abc import Sequence

from wesley_tui.catalog.model import Table, Unique
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.planner.plan import Backfill

__all__ = ["backfill_nulls", "backfill_rows", "can_be_walked", "walking_key"]

_FIRST = "$1::pg_catalog.jsonb IS NULL"
"""Of a batch: it is the first one of its pass."""
_FULL, _WALK = "wesley_full", "wesley_walk"
"""Names inside of a batch. No table is likely to be called so: a name without a schema, in what is assigned, would mean
these."""


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


def can_be_walked(table: Table) -> bool:
    """Whether all rows can be visited in batches: along a key, or by blocks, which only a table that is stored itself
    has."""
    return walking_key(table) is not None or table.partition_by is None


def backfill_nulls(table: Table, key: Sequence[str] | None, column: str, expression: str) -> Backfill:
    """Give ``expression`` to every row whose ``column`` is NULL."""
    target = quote_ident(column)
    return backfill_rows(table, key, [(column, expression)], f"t.{target} IS NULL")


def backfill_rows(
    table: Table, key: Sequence[str] | None, values: Sequence[tuple[str, str]], condition: str
) -> Backfill:
    """Give every row for which ``condition`` holds the ``values``, (column, expression); both speak of the row as
    ``t``. The values must make the condition false. Without a key the batches are ranges of blocks."""
    assigned = ", ".join(f"{quote_ident(column)} = {expression}" for column, expression in values)
    remaining = f"SELECT pg_catalog.count(*) FROM {qualified(table.name)} AS t WHERE {condition}"
    batch = _batch_of_blocks(table, assigned, condition) if key is None else _batch(table, key, assigned, condition)
    return Backfill(
        table=str(table.name), key=("ctid",) if key is None else tuple(key), batch_sql=batch, remaining_sql=remaining
    )


def _batch(table: Table, key: Sequence[str], assigned: str, condition: str) -> str:
    types = {item.name: item.type for item in table.columns}
    names = [quote_ident(item) for item in key]
    own = ", ".join(f"t.{item}" for item in names)
    last = ", ".join(f"($1::pg_catalog.jsonb ->> {place})::{types[item]}" for place, item in enumerate(key))
    behind = f"({_FIRST} OR ({own}) > ({last}))"
    if len(key) == 1:
        return _batch_of_range(qualified(table.name), own, behind, assigned, condition)
    return _batch_of_keys(qualified(table.name), names, behind, assigned, condition)


def _batch_of_range(name: str, own: str, behind: str, assigned: str, condition: str) -> str:
    """One pass over the index. Only a batch that is not full looks for the last row of the table: an index may end in
    rows that are long deleted and that somebody's old snapshot keeps, and every batch would read through them."""
    return (
        f"WITH {_FULL} (key) AS MATERIALIZED ("
        f"SELECT {own} FROM {name} AS t WHERE {behind} ORDER BY {own} OFFSET $2 - 1 LIMIT 1), "
        f"{_WALK} (key) AS MATERIALIZED (SELECT f.key FROM {_FULL} AS f UNION ALL "
        f"(SELECT {own} FROM {name} AS t WHERE NOT EXISTS (SELECT FROM {_FULL}) AND {behind} "
        f"ORDER BY {own} DESC LIMIT 1)), "
        f"changed AS (UPDATE {name} AS t SET {assigned} WHERE {behind} AND {own} <= (SELECT w.key FROM {_WALK} AS w) "
        f"AND CASE WHEN {condition} THEN true END RETURNING 1) "
        f"SELECT (SELECT pg_catalog.jsonb_build_array(w.key::pg_catalog.text) FROM {_WALK} AS w) AS last_key, "
        f"CASE WHEN EXISTS (SELECT FROM {_FULL}) THEN $2 "
        f"ELSE (SELECT pg_catalog.count(*) FROM {name} AS t WHERE {behind}) END AS visited, "
        "(SELECT pg_catalog.count(*) FROM changed) AS changed"
    )


def _batch_of_keys(name: str, names: Sequence[str], behind: str, assigned: str, condition: str) -> str:
    """Row by row, where the key has several columns. The planner knows how many rows a range of those has by the first
    of them alone: of the indexes that begin with it, it would take the smallest, and each batch would read all rows
    with the same first column, as of one tenant."""
    own = ", ".join(f"t.{item}" for item in names)
    places = [f"k{place}" for place in range(len(names))]
    same = " AND ".join(f"t.{item} = w.{place}" for item, place in zip(names, places, strict=True))
    backwards = ", ".join(f"w.{place} DESC" for place in places)
    as_text = ", ".join(f"w.{place}::pg_catalog.text" for place in places)
    return (
        f"WITH {_WALK} ({', '.join(places)}) AS MATERIALIZED ("
        f"SELECT {own} FROM {name} AS t WHERE {behind} ORDER BY {own} LIMIT $2), "
        f"changed AS (UPDATE {name} AS t SET {assigned} FROM {_WALK} AS w WHERE {same} "
        f"AND CASE WHEN {condition} THEN true END RETURNING 1) "
        f"SELECT (SELECT pg_catalog.jsonb_build_array({as_text}) FROM {_WALK} AS w ORDER BY {backwards} LIMIT 1) "
        f"AS last_key, (SELECT pg_catalog.count(*) FROM {_WALK}) AS visited, "
        "(SELECT pg_catalog.count(*) FROM changed) AS changed"
    )


def _batch_of_blocks(table: Table, assigned: str, condition: str) -> str:
    """As many blocks as hold about ``$2`` rows. Its own updates append to the table, so the walk ends behind where the
    table ended when it began; what it meets there needs nothing any more. Rows that clients move meanwhile are theirs:
    a trigger covers them, or the next pass.

    Ranges of ``ctid`` are read as such from PostgreSQL 14 on; before, every batch reads the table.
    """
    name = qualified(table.name)
    block = "('(' || {} || ',0)')::pg_catalog.tid"
    first, beyond = block.format("s.first"), block.format("s.beyond")
    within = f"t.ctid >= (SELECT {first} FROM span AS s) AND t.ctid < (SELECT {beyond} FROM span AS s)"
    return (
        "WITH walk AS MATERIALIZED (SELECT COALESCE(($1::pg_catalog.jsonb ->> 0)::bigint, 0) AS first, "
        "greatest($2::bigint / greatest(c.reltuples / greatest(c.relpages, 1), 1), 1)::bigint AS step, "
        "pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint AS blocks "
        f"FROM pg_catalog.pg_class AS c WHERE c.oid = {quote_literal(name)}::pg_catalog.regclass), "
        "span AS MATERIALIZED (SELECT w.first, least(w.first + w.step, w.blocks) AS beyond, w.blocks FROM walk AS w), "
        f"locked AS MATERIALIZED (SELECT t.ctid AS place FROM {name} AS t WHERE {within} AND {condition} "
        "FOR NO KEY UPDATE OF t), "
        f"changed AS (UPDATE {name} AS t SET {assigned} FROM locked AS l WHERE t.ctid = l.place AND {condition} "
        "RETURNING 1) "
        "SELECT (SELECT pg_catalog.jsonb_build_array(s.beyond) FROM span AS s WHERE s.first < s.blocks) AS last_key, "
        f"(SELECT least(pg_catalog.count(*), $2) FROM {name} AS t WHERE {within}) AS visited, "
        "(SELECT pg_catalog.count(*) FROM changed) AS changed"
    )
