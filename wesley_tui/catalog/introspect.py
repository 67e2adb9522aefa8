"""Read a live database: one message to the server, one consistent look at everything.

The queries are in ``introspect.sql`` (tables), ``introspect_objects.sql`` and ``introspect_definitions.sql`` (what is
kept as SQL), one per kind of object. They travel together, wrapped in a ``REPEATABLE READ READ ONLY`` transaction with
fixed settings, as a single simple-protocol message: one round trip, and every answer from the same
snapshot. :mod:`wesley_tui.catalog.assemble` makes records of the answers.

Some of PostgreSQL's printing functions open the table whose expressions they print, and so wait behind ``ACCESS
EXCLUSIVE`` (``pg_get_expr()`` with column references, ``pg_get_indexdef()``, ``pg_relation_size()``; measured on 15 to
18 by the tests), or the tables that a query reads (``pg_get_viewdef()``, ``pg_get_functiondef()`` of an SQL body).
Reading therefore runs under a short ``lock_timeout``, is tried again a few times, and then gives up with the name of
the table and of the sessions that hold it.
"""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from wesley_tui.catalog.assemble import RETIRED_SCHEMA, assemble
from wesley_tui.catalog.model import QName
from wesley_tui.catalog.snapshot import Snapshot

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["OWN_SCHEMAS", "CatalogLocked", "UnsupportedServer", "read_snapshot"]

OWN_SCHEMAS = ("wesley", RETIRED_SCHEMA)
"""The rails, and the place of retired tables: never part of a catalog."""

OLDEST_SERVER = 120000

_FILES = ("introspect.sql", "introspect_objects.sql", "introspect_definitions.sql")

_LOCK_TIMEOUTS_MS = (200, 400, 800)
"""How long each attempt waits for a lock; a reader that waits blocks nobody but those who want ACCESS EXCLUSIVE."""
_PAUSE_SECONDS = 0.1


class UnsupportedServer(Exception):
    """The server is older than PostgreSQL 12, whose catalogs Wesley does not know."""


class CatalogLocked(Exception):
    """The catalog could not be read because sessions hold ACCESS EXCLUSIVE on tables; ``holders`` says who.

    Keys are relations as ``schema.name``, values the process ids of the backends.
    """

    def __init__(self, holders: Mapping[str, tuple[int, ...]]) -> None:
        self.holders = holders
        who = "; ".join(f"{name} by backend {', '.join(map(str, pids))}" for name, pids in holders.items())
        super().__init__(
            "the catalog cannot be read: PostgreSQL prints expressions of a table only under a lock on it, and "
            f"ACCESS EXCLUSIVE is held, or waited for, on {who or 'a table that has been released meanwhile'}. Nothing "
            "was changed; wait for that session (pg_stat_activity shows what it does) and try again"
        )


class _Variant(NamedTuple):
    """What the text of the queries depends on."""

    version_num: int
    schemas: frozenset[str] | None
    sizes: bool = True
    system_identifier: bool = True
    lock_timeout_ms: int = _LOCK_TIMEOUTS_MS[0]


async def read_snapshot(connection: AsyncConnection[Any], schemas: Collection[str] | None = None) -> Snapshot:
    """Everything that ``connection``'s database holds in ``schemas`` (``None``: in all), and facts about its server.

    The connection must be idle, outside a transaction; it is left so, with its settings untouched. One round trip, as
    long as no table is locked. System schemas, temporary tables, :data:`OWN_SCHEMAS`, retired columns and objects of
    extensions are left out; objects without a record are listed in ``Catalog.unmanaged``.

    Raises :class:`CatalogLocked`, :class:`UnsupportedServer` or ``psycopg.Error``.
    """
    from psycopg import errors

    version_num = connection.info.server_version
    if version_num < OLDEST_SERVER:
        raise UnsupportedServer(
            f"the server is PostgreSQL {version_num // 10000}; Wesley reads PostgreSQL 12 and later. "
            "Nothing was changed"
        )
    variant = _Variant(version_num, None if schemas is None else frozenset(schemas))
    for attempt, lock_timeout_ms in enumerate(_LOCK_TIMEOUTS_MS):
        variant = variant._replace(lock_timeout_ms=lock_timeout_ms)
        try:
            try:
                return await _read(connection, variant)
            except errors.InsufficientPrivilege:
                variant = variant._replace(system_identifier=False)
                return await _read(connection, variant)
        except errors.LockNotAvailable:
            # A table may be locked between the look at pg_locks and the question for its size.
            variant = variant._replace(sizes=False)
            if attempt + 1 < len(_LOCK_TIMEOUTS_MS):
                await asyncio.sleep(_PAUSE_SECONDS)
    raise CatalogLocked(await _holders(connection))


async def _read(connection: AsyncConnection[Any], variant: _Variant) -> Snapshot:
    from psycopg.pq import TransactionStatus
    from psycopg.rows import tuple_row

    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise RuntimeError("read_snapshot() needs an idle connection: this one is inside a transaction")
    was_autocommit = connection.autocommit
    await connection.set_autocommit(True)
    answers: list[Any] = []
    try:
        async with connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(_message(variant))
            with _collector_paused():
                while True:
                    if cursor.description is not None:
                        (row,) = await cursor.fetchall()
                        answers.append(row[0])
                    if not cursor.nextset():
                        break
    finally:
        if not connection.closed:
            await connection.rollback()
            await connection.set_autocommit(was_autocommit)
    with _collector_paused():
        return assemble(dict(zip(_queries(), answers, strict=True)))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from searching, again and again, through hundreds of thousands of new objects none of
    which is garbage: for 1,000 tables that took longer than making the records."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


async def _holders(connection: AsyncConnection[Any]) -> dict[str, tuple[int, ...]]:
    async with connection.cursor() as cursor:
        await cursor.execute(
            "SELECT n.nspname, c.relname, array_agg(DISTINCT l.pid)"
            "  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p')"
            "   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
        rows = await cursor.fetchall()
    if not connection.autocommit:
        await connection.rollback()
    return {str(QName(schema, name)): tuple(pids) for schema, name, pids in rows}


@lru_cache(maxsize=1)
def _queries() -> dict[str, str]:
    """The statements of the ``.sql`` files by name, in order; comments are for people and stay here."""
    folder = resources.files(__package__)
    text = "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in _FILES)
    sections = re.split(r"^-- name: (.+)$", text, flags=re.MULTILINE)[1:]
    return {
        name: re.sub(r"^--.*\n", "", body, flags=re.MULTILINE).strip()
        for name, body in zip(sections[::2], sections[1::2], strict=True)
    }


@lru_cache(maxsize=32)
def _message(variant: _Variant) -> bytes:
    """All statements of one reading, as one text for the simple query protocol."""
    facts, *others = (_fill(query, variant) for query in _queries().values())
    settings = {
        "search_path": "''",
        "lock_timeout": f"'{variant.lock_timeout_ms}ms'",
        "statement_timeout": "'60s'",
        "TimeZone": "'UTC'",
        "DateStyle": "'ISO, YMD'",
        "IntervalStyle": "'postgres'",
        "bytea_output": "'hex'",
        "extra_float_digits": "1",
        "quote_all_identifiers": "off",
        "jit": "off",
    }
    return ";\n".join(
        [
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            facts,  # before the settings: it reports the session's own TimeZone
            *(f"SET LOCAL {name} = {value}" for name, value in settings.items()),
            *others,
            "COMMIT",
        ]
    ).encode()


def _fill(query: str, variant: _Variant) -> str:
    """Replace ``{words}`` by what they stand for on this version of the server."""
    version_num = variant.version_num

    def since(major: int, expression: str, otherwise: str) -> str:
        return expression if version_num >= major * 10000 else otherwise

    words = {
        "schemas": _schema_condition(variant.schemas),
        "own_schemas": ", ".join(f"'{schema}'" for schema in OWN_SCHEMAS),
        "table": "c.relkind IN ('r', 'p') AND c.reloftype = 0",
        "indexed": "(c.relkind IN ('r', 'p') AND c.reloftype = 0 OR c.relkind = 'm')",
        "system_identifier": (
            "(SELECT system_identifier::text FROM pg_control_system())" if variant.system_identifier else "''"
        ),
        "main_bytes": (
            "CASE WHEN locked.relation IS NULL THEN pg_relation_size(c.oid) END" if variant.sizes else "NULL"
        ),
        # Since 18 a NOT NULL can be NOT VALID, and attnotnull is true all the same.
        "not_null": since(
            18,
            "a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint v WHERE v.contype = 'n'"
            " AND v.conrelid = a.attrelid AND v.conkey[1] = a.attnum AND NOT v.convalidated)",
            "a.attnotnull",
        ),
        "delete_columns": since(15, "k.confdelsetcols", "NULL::smallint[]"),
        "nulls_not_distinct": since(15, "i.indnullsnotdistinct", "false"),
        "enforced": since(18, "k.conenforced", "true"),
        "period": since(18, "k.conperiod", "false"),
        "not_null_names": since(
            18,
            "SELECT json_agg(json_build_array("
            "k.conrelid, k.conkey[1], k.conname, n.nspname, c.relname, a.attname, k.convalidated,"
            " obj_description(k.oid, 'pg_constraint')))"
            " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
            f" WHERE k.contype = 'n' AND k.conislocal AND {_schema_condition(variant.schemas)}"
            " AND (k.conname <> c.relname || '_' || a.attname || '_not_null' OR NOT k.convalidated"
            " OR obj_description(k.oid, 'pg_constraint') IS NOT NULL)",
            "SELECT NULL::json",
        ),
        "deterministic": since(12, "c.collisdeterministic", "true"),
        "collation_locale": since(
            17,
            "c.colllocale",
            since(15, "c.colliculocale", "CASE WHEN c.collprovider = 'i' THEN c.collcollate::text END"),
        ),
        "collation_rules": since(16, "c.collicurules", "NULL"),
        "compression": since(14, "a.attcompression", "''"),
        "detach_pending": since(14, "h.inhdetachpending", "false"),
        "multirange": since(
            14,
            "(SELECT json_build_array(m.oid, mn.nspname, m.typname) FROM pg_type m"
            " JOIN pg_namespace mn ON mn.oid = m.typnamespace WHERE m.oid = r.rngmultitypid)",
            "NULL",
        ),
        "trigger_parent": since(13, "t.tgparentid", "0"),
        "statistics_target": since(13, "s.stxstattarget", "NULL"),
        "publication_root": since(13, "p.pubviaroot", "false"),
        "publication_generated": since(18, "p.pubgencols", "'n'"),
        "publication_columns": since(
            15,
            "(SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a"
            " WHERE a.attrelid = m.prrelid AND a.attnum = ANY (m.prattrs))",
            "NULL",
        ),
        "publication_filter": since(15, "pg_get_expr(m.prqual, m.prrelid)", "NULL"),
        "publication_schemas": since(
            15,
            "(SELECT json_agg(sn.nspname ORDER BY sn.nspname) FROM pg_publication_namespace m"
            " JOIN pg_namespace sn ON sn.oid = m.pnnspid WHERE m.pnpubid = p.oid)",
            "NULL",
        ),
    }

    def replace(match: re.Match[str]) -> str:
        word, _, argument = match[1].partition(" ")
        if word == "not_extension":
            catalog, oid = argument.split()
            return (
                "NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'"
                f" AND e.classid = 'pg_catalog.{catalog}'::regclass AND e.objid = {oid})"
            )
        return words[word]

    return re.sub(r"\{([a-z_. ]+)\}", replace, query)


def _schema_condition(schemas: frozenset[str] | None) -> str:
    """What is retired is read in any case; ``assemble`` keeps it apart."""
    own = ", ".join(f"'{schema}'" for schema in OWN_SCHEMAS if schema != RETIRED_SCHEMA)
    condition = rf"n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', {own})"
    if schemas is None:
        return condition
    schemas = schemas | {RETIRED_SCHEMA}
    # Hexadecimal, so that the text means the same under any setting of standard_conforming_strings.
    names = [f"convert_from(decode('{schema.encode().hex()}', 'hex'), 'UTF8')" for schema in sorted(schemas)]
    return f"{condition} AND n.nspname = ANY (ARRAY[{', '.join(names)}]::name[])"
