"""GRANT and REVOKE: what leads from one set of privileges to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from wesley_tui.catalog.model import Enum, Grant, SqlObject, Table
from wesley_tui.catalog.naming import qualified, quote_ident, quote_idents

__all__ = ["change_grants", "grant_target"]

_WORDS = {
    "sequence": "SEQUENCE",
    "domain": "DOMAIN",
    "composite type": "TYPE",
    "range type": "TYPE",
    "function": "FUNCTION",
    "aggregate": "FUNCTION",
    "procedure": "PROCEDURE",
    "view": "TABLE",
    "materialized view": "TABLE",
    "foreign table": "TABLE",
    "server": "FOREIGN SERVER",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
}


def grant_target(item: Table | Enum | SqlObject | str) -> str:
    """What stands after ON: ``TABLE public.t``, ``FUNCTION public.f(integer)``, for a text ``SCHEMA name``.

    Raises ``ValueError`` for a kind of object that has no privileges.
    """
    match item:
        case str():
            return f"SCHEMA {quote_ident(item)}"
        case Table():
            return f"TABLE {qualified(item.name)}"
        case Enum():
            return f"TYPE {qualified(item.name)}"
    word = _WORDS.get(item.kind)
    if word is None:
        raise ValueError(f"{item.ref}: PostgreSQL has no privileges on a {item.kind}")
    name = qualified(item.name) if item.name.schema else quote_ident(item.name.name)
    return f"{word} {name}" + (f"({plain_arguments(item)})" if item.arguments is not None else "")


def plain_arguments(item: SqlObject) -> str:
    """The types of an aggregate's arguments as if it were a function: GRANT knows no ``*`` and no ORDER BY."""
    arguments = item.arguments or ""
    if item.kind != "aggregate":
        return arguments
    direct, _, ordered = arguments.replace("*", "").partition("ORDER BY ")
    return ", ".join(part for part in (direct.strip(), ordered) if part)


def change_grants(target: str, old: Collection[Grant], new: Collection[Grant]) -> tuple[str, ...]:
    """The statements that turn the privileges ``old`` on ``target`` (see :func:`grant_target`) into ``new``: first what
    is taken away, then what is given. A :attr:`Grant.revoked` that appears is taken away, one that goes is given."""
    before = {(item.grantee, item.column, item.privilege, item.revoked): item for item in old}
    after = {(item.grantee, item.column, item.privilege, item.revoked): item for item in new}
    gone = [item for key, item in before.items() if key not in after]
    fresh = [item for key, item in after.items() if before.get(key) != item]
    narrowed = [
        item for key, item in after.items() if not item.grantable and (known := before.get(key)) and known.grantable
    ]
    fresh = [item for item in fresh if item not in narrowed]
    taken = [item for item in gone if not item.revoked] + [item for item in fresh if item.revoked]
    given = [item for item in fresh if not item.revoked] + [item for item in gone if item.revoked]
    return (
        *(f"REVOKE {_list(items)} ON {target} FROM {_role(grantee)}" for (grantee, _), items in _grouped(taken)),
        *(
            f"REVOKE GRANT OPTION FOR {_list(items)} ON {target} FROM {_role(grantee)}"
            for (grantee, _), items in _grouped(narrowed)
        ),
        *(
            f"GRANT {_list(items)} ON {target} TO {_role(grantee)}{' WITH GRANT OPTION' if grantable else ''}"
            for (grantee, grantable), items in _grouped(given)
        ),
    )


def _grouped(grants: Iterable[Grant]) -> list[tuple[tuple[str, bool], list[Grant]]]:
    groups: dict[tuple[str, bool], list[Grant]] = defaultdict(list)
    for item in grants:
        groups[item.grantee, item.grantable].append(item)
    return sorted(groups.items())


def _list(grants: Iterable[Grant]) -> str:
    """``SELECT, UPDATE (a, b)``"""
    columns: dict[str, list[str]] = defaultdict(list)
    whole = []
    for item in sorted(grants, key=lambda grant: (grant.privilege, grant.column or "")):
        if item.column is None:
            whole.append(item.privilege)
        else:
            columns[item.privilege].append(item.column)
    return ", ".join([*whole, *(f"{privilege} ({quote_idents(names)})" for privilege, names in columns.items())])


def _role(name: str) -> str:
    return "PUBLIC" if name == "public" else quote_ident(name)
