"""``docs/locks.md``, written from the forms that are measured: ``python -m tests.lock_page > docs/locks.md``."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.effect_forms import SCHEMA, forms, named
from wesley_tui.catalog.introspect import read_snapshot
from wesley_tui.catalog.model import Catalog
from wesley_tui.planner.effects import EffectContext, Effects, effects_of
from wesley_tui.planner.plan import LockMode

VERSIONS = (15, 16, 18)

_HEAD = """# Locks

What each form of statement locks, rewrites and reads: the answers of the model of effects, every one of them compared
with `pg_locks`, file nodes and read counts on PostgreSQL 15, 16 and 18 by
`tests/integration/test_effects_measured.py`. Written by `python -m tests.lock_page` from the same table
(`tests/effect_forms.py`, which also has the schema); a test keeps it current.

Names are in the schema `app`: `event` is partitioned (`event_1`, `event_2`, `event_rest` is its DEFAULT), `metric`
too, without a DEFAULT; `derived` inherits from `base`; `people` is a view of `person` and `org`, `names` one of
`people`; `person`, `child`, `note` and `event` point to `org`. Locks on system catalogs and on what is new are left
out.
"""
_SHORT = {
    LockMode.AccessShareLock: "ACCESS SHARE",
    LockMode.RowShareLock: "ROW SHARE",
    LockMode.RowExclusiveLock: "ROW EXCLUSIVE",
    LockMode.ShareUpdateExclusiveLock: "SHARE UPDATE EXCLUSIVE",
    LockMode.ShareLock: "SHARE",
    LockMode.ShareRowExclusiveLock: "SHARE ROW EXCLUSIVE",
    LockMode.ExclusiveLock: "EXCLUSIVE",
    LockMode.AccessExclusiveLock: "ACCESS EXCLUSIVE",
}


def read_catalog(uri: str) -> Catalog:
    """The catalog of the forms' schema, made in the empty database at ``uri``."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(named(SCHEMA, connection.info.dbname))

    async def read() -> Catalog:
        async with await psycopg.AsyncConnection.connect(uri) as connection:
            return (await read_snapshot(connection)).catalog

    return asyncio.run(read())


def locks_page(catalog: Catalog) -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    group = ""
    for form in forms():
        if form.group != group:
            group = form.group
            lines += [f"## {group}\n", "| statement | locks | rewrites | reads |", "|---|---|---|---|"]
        answers = {
            major: _row(effects_of(form.sql, EffectContext(major * 10000, "UTC", catalog)))
            for major in VERSIONS
            if major >= form.since
        }
        newest = answers[VERSIONS[-1]]
        statement = re.sub(r"REPLACEME_(\w+)", lambda found: found[1].lower(), form.sql).replace("|", "\\|")
        lines.append(f"| `{statement}` | {' | '.join(newest)} |")
        older = {major: row for major, row in answers.items() if row != newest}
        for row in dict.fromkeys(older.values()):
            majors = ", ".join(str(major) for major, found in older.items() if found == row)
            lines.append(f"| … on {majors} | {' | '.join(row)} |")
    return "\n".join(lines).replace("\n## ", "\n\n## ") + "\n"


def _row(effects: Effects) -> tuple[str, str, str]:
    by_mode: dict[LockMode, list[str]] = {}
    for name, mode in effects.locks.items():
        by_mode.setdefault(mode, []).append(name.removeprefix("app."))
    locks = "; ".join(f"{_SHORT[mode]} {', '.join(by_mode[mode])}" for mode in sorted(by_mode, reverse=True))
    rows: dict[str, list[str]] = {}
    for name, row_lock in effects.row_locks.items():
        rows.setdefault(row_lock.clause, []).append(name.removeprefix("app."))
    row_locks = "; ".join(
        f"rows {clause} of {', '.join(names)}" for clause, names in sorted(rows.items(), reverse=True)
    )
    locks = "; ".join(part for part in (locks, row_locks) if part)
    return (locks or "–", _names(effects.rewrites), _names(effects.scans))


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(name.removeprefix("app.") for name in names) or "–"


def _main() -> None:
    from wesley_tui.demo.server import EmbeddedServer

    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory) / "data", major=18, options={"fsync": "off"})
        server.start()
        try:
            sys.stdout.write(locks_page(read_catalog(server.uri)))
        finally:
            server.stop()


if __name__ == "__main__":
    _main()
