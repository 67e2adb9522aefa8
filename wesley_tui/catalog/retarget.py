"""One declared catalog, in another schema: how a schema per tenant is made from one text.

Every name in schema ``old`` becomes a name in ``new``, in the records and inside their SQL. Inside SQL only qualified
names can be told from others (``public.mood``, not ``mood``); that is how the compiler writes the names of declared
types, and how an author has to write functions and types that belong to the tenant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

from pglast.parser import scan

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName, Ref
from wesley_tui.catalog.naming import quote_ident

__all__ = ["merged", "merged_intents", "retargeted", "retargeted_intent"]

_SQL_FIELDS = frozenset(
    {
        *("arguments", "check", "default", "expression", "partition_bound", "partition_by"),
        *("statements", "type", "using", "where"),
    }
)
"""Fields of records that hold SQL, as text or as a tuple of texts."""


def retargeted(catalog: Catalog, old: str, new: str) -> Catalog:
    """``catalog`` with everything of schema ``old`` in schema ``new``; other schemas stay as they are."""
    return replace(
        catalog,
        schemas=frozenset(new if name == old else name for name in catalog.schemas),
        tables={_name(name, old, new): _moved(table, old, new) for name, table in catalog.tables.items()},
        enums={_name(name, old, new): _moved(enum, old, new) for name, enum in catalog.enums.items()},
        objects={item.ref: item for item in (_moved(item, old, new) for item in catalog.objects.values())},
        schema_details={new if name == old else name: item for name, item in catalog.schema_details.items()},
    )


def retargeted_intent(intent: Intent, old: str, new: str) -> Intent:
    """``intent`` about the objects of ``new`` instead of ``old``."""
    moved = Intent(**{field.name: _key(getattr(intent, field.name), old, new) for field in fields(intent)})
    return replace(
        moved,
        conversions={key: _rewritten(text, old, new) for key, text in moved.conversions.items()},
        computed={key: _rewritten(text, old, new) for key, text in moved.computed.items()},
    )


def merged(catalogs: list[Catalog]) -> Catalog:
    """The union of catalogs that speak of different schemas; database-wide objects count once."""
    return Catalog(
        schemas=frozenset().union(*(catalog.schemas for catalog in catalogs)),
        tables={name: item for catalog in catalogs for name, item in catalog.tables.items()},
        enums={name: item for catalog in catalogs for name, item in catalog.enums.items()},
        unmanaged=tuple(sorted({item for catalog in catalogs for item in catalog.unmanaged}, key=str)),
        objects={ref: item for catalog in catalogs for ref, item in catalog.objects.items()},
        schema_details={name: item for catalog in catalogs for name, item in catalog.schema_details.items()},
    )


def merged_intents(intents: list[Intent]) -> Intent:
    """The union of intents about different schemas."""
    union: dict[str, Any] = {}
    for field in fields(Intent):
        values = [getattr(intent, field.name) for intent in intents]
        if all(isinstance(value, frozenset) for value in values):
            union[field.name] = frozenset().union(*values)
        else:
            union[field.name] = {key: item for value in values for key, item in value.items()}
    return Intent(**union)


def _moved(record: Any, old: str, new: str) -> Any:
    """``record`` with all that it holds moved; a copy is made only of what changes."""
    changed: dict[str, Any] = {}
    for field in fields(record):
        before = getattr(record, field.name)
        after = _sql(before, old, new) if field.name in _SQL_FIELDS else _value(before, old, new)
        if after != before:
            changed[field.name] = after
    return replace(record, **changed) if changed else record


def _value(value: Any, old: str, new: str) -> Any:
    if isinstance(value, QName):
        return _name(value, old, new)
    if isinstance(value, Ref):
        return Ref(value.kind, _text(value.name, old, new))
    if isinstance(value, tuple):
        return tuple(_value(item, old, new) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return _moved(value, old, new)
    return value


def _sql(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return _rewritten(value, old, new)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return tuple(_rewritten(item, old, new) for item in value)
    return _value(value, old, new)


def _rewritten(sql: str, old: str, new: str) -> str:
    """Replace the qualifier ``old.`` wherever it is a token of its own, never inside a literal or a comment."""
    if old not in sql:
        return sql
    written = {old, quote_ident(old), f'"{old}"'}
    pieces: list[str] = []
    end = 0
    for token, following in pairwise(scan(sql)):
        text = sql[token.start : token.end + 1]
        if following.name == "ASCII_46" and text in written and sql[: token.start][-1:] != ".":
            pieces += [sql[end : token.start], quote_ident(new)]
            end = token.end + 1
    return "".join([*pieces, sql[end:]])


def _name(name: QName, old: str, new: str) -> QName:
    return QName(new, name.name) if name.schema == old else name


def _text(name: str, old: str, new: str) -> str:
    """The text of a :class:`Ref`: ``public.t.c``, ``public.f(public.mood)``, ``trigger ON public.t``."""
    words = name.replace(f"({old}.", f"({new}.").replace(f", {old}.", f", {new}.").replace(f" ON {old}.", f" ON {new}.")
    return new + words[len(old) :] if words.startswith(f"{old}.") else words


def _key(value: Any, old: str, new: str) -> Any:
    if isinstance(value, QName):
        return _name(value, old, new)
    if isinstance(value, Ref):
        return Ref(value.kind, _text(value.name, old, new))
    if isinstance(value, tuple):
        return tuple(_key(item, old, new) for item in value)
    if isinstance(value, frozenset):
        return frozenset(_key(item, old, new) for item in value)
    if isinstance(value, Mapping):
        return {_key(key, old, new): _key(item, old, new) for key, item in value.items()}
    return value
