"""The memory of ``@uid``: which object had which stable identity after the last run.

A schema says ``@uid`` and never what something was called before. So after a verified run the digest of every identity
is kept beside the name of its object (``uid table public.users``, ``uid column public.users.email``) in
``wesley.declarations``; when the same identity turns up on another name, and the old name is still there and no longer
declared, that is a rename, as if ``@renamed(from:)`` had said it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName

__all__ = ["identities", "with_renames_by_uid"]

_KIND = "uid"


def identities(intent: Intent, actual: Catalog) -> dict[str, tuple[str, str]]:
    """What to remember of the identities whose objects exist in ``actual``: path → (digest of the identity, digest of
    the name)."""
    there = {*_tables(actual), *_columns(actual)}
    return {f"{_KIND} {place}": (_sha(uid), _sha(place)) for uid, place in intent.uids.items() if place in there}


def with_renames_by_uid(
    intent: Intent, actual: Catalog, desired: Catalog, declared: Mapping[str, tuple[str, str]]
) -> Intent:
    """``intent`` with the renames that remembered identities tell; what ``@renamed`` says by itself stays."""
    places: dict[str, list[str]] = {}
    for path, (digest, _) in declared.items():
        kind, _, place = path.partition(" ")
        if kind == _KIND:
            places.setdefault(digest, []).append(place)
    wanted = {place: places.get(_sha(uid), []) for uid, place in intent.uids.items()}
    if not any(wanted.values()):
        return intent
    live_tables, new_tables = _tables(actual), _tables(desired)
    tables = dict(intent.renamed_tables)
    for place, name in new_tables.items():
        if name not in actual.tables and name not in tables:
            old = [live_tables[item] for item in wanted.get(place, ()) if item in live_tables]
            gone = [item for item in old if item not in desired.tables]
            if len(gone) == 1:
                tables[name] = gone[0]
    columns = dict(intent.renamed_columns)
    live_columns = _columns(actual)
    for place, (table, column) in _columns(desired).items():
        before = actual.tables.get(tables.get(table, table))
        if before is None or before.column(column) is not None or (table, column) in columns:
            continue
        names = [live_columns[item] for item in wanted.get(place, ()) if item in live_columns]
        known = {name for owner, name in names if owner == before.name}
        left = [name for name in known if desired.tables[table].column(name) is None]
        if len(left) == 1:
            columns[table, column] = left[0]
    return dataclasses.replace(intent, renamed_tables=tables, renamed_columns=columns)


def _tables(catalog: Catalog) -> dict[str, QName]:
    return {f"table {name}": name for name in catalog.tables}


def _columns(catalog: Catalog) -> dict[str, tuple[QName, str]]:
    return {
        f"column {name}.{column.name}": (name, column.name)
        for name, table in catalog.tables.items()
        for column in table.columns
    }


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
