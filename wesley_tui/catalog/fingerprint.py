"""One number for a catalog: equal fingerprints, equal meaning.

A plan is made for one state of a database; before it runs, the database is read again and the fingerprints are
compared. What PostgreSQL's users cannot tell apart has one fingerprint: the order of columns and the names of NOT NULL
constraints and identity sequences (which stay behind when a column is renamed) are left out, expressions go through
:func:`wesley_tui.catalog.expression.canonical_expression`, statements through
:func:`wesley_tui.catalog.statement.canonical_statement`. Everything else that a record holds counts, whether an index
is valid as well.

A *scope* names objects, ``table public.users``, ``enum public.mood``, ``schema app``, ``view public.v``; with one, only
these count, and whatever else happens in the database leaves the fingerprint as it is. An object of the scope that does
not exist counts as missing.

A fingerprint says that something differs; :func:`digests` of two moments say what.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from wesley_tui.catalog.expression import canonical_expression
from wesley_tui.catalog.model import Catalog, Column, QName, SqlObject, Table
from wesley_tui.catalog.statement import (
    canonical_object,
    canonical_partition_bound,
    canonical_partition_key,
)

__all__ = ["digests", "fingerprint", "scope_of"]

_UNNAMED = frozenset(("not_null_name", "identity_sequence"))
"""Names that the server chooses and that stay behind when a table or column is renamed."""
_EXPRESSION_FIELDS = frozenset(("default", "expression", "where", "using", "check"))
_NO_DATA = "\nWITH NO DATA"
"""How :mod:`wesley_tui.catalog.ddl_objects` ends a materialized view that was never refreshed."""
_SHORT = 16
"""Hex digits of the digests that only tell two moments of one object apart."""
_PARTS = {"columns": "column", "constraints": "constraint", "indexes": "index", "policies": "policy"}
"""Fields of a table that hold parts with names."""
_SAID = {
    "rls_enabled": "row level security",
    "rls_forced": "forced row level security",
    "options": "storage parameters",
}
_FIELDS: dict[type[Any], tuple[tuple[str, Any], ...]] = {}
"""Names and defaults of the fields of each record class, which :mod:`dataclasses` would look up for every record."""


def fingerprint(catalog: Catalog, scope: Collection[str] | None = None) -> str:
    """64 hex digits: SHA-256 over the canonical JSON of every object, or of those that ``scope`` names.

    ``scope`` None means all that the catalog holds (see :func:`scope_of`); unmanaged objects never count.
    """
    wanted = frozenset(scope_of(catalog) if scope is None else scope)
    found = _found(catalog, wanted)
    described = [(key, found.get(key, [])) for key in sorted(wanted)]
    text = json.dumps(described, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def digests(catalog: Catalog, scope: Collection[str], closely: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Every object of ``scope`` that ``catalog`` holds, as in ``fingerprint``, with 16 hex digits of its digest under
    ``""``. Tables named in ``closely`` (``schema.name``) have one for each of their parts beside it, ``column v``,
    ``index i``, and for whatever else is said of them, ``its grants``. Whether a materialized view was ever refreshed
    is a matter of rows, and does not count."""
    wanted = frozenset(scope)
    catalog = dataclasses.replace(catalog, objects={ref: _refreshed(item) for ref, item in catalog.objects.items()})
    found = sorted((key, described) for key, described in _found(catalog, wanted).items() if key in wanted)
    told = {key: {"": _digest(described)[:_SHORT]} for key, described in found}
    for name, table in catalog.tables.items():
        if str(name) in closely and (key := _key("table", name)) in told:
            told[key] |= _parts(table)
    return told


def _refreshed(item: SqlObject) -> SqlObject:
    if item.kind != "materialized view" or not item.statements[0].endswith(_NO_DATA):
        return item
    return dataclasses.replace(item, statements=(item.statements[0].removesuffix(_NO_DATA), *item.statements[1:]))


def _parts(table: Table) -> Iterator[tuple[str, str]]:
    """The digests of what a table has, by what a person calls it; a table without any of a kind has none of it."""
    for name, default in _fields(Table):
        value = getattr(table, name)
        if name == "name" or value == default:
            continue
        if name in _PARTS:
            for part in value:
                yield f"{_PARTS[name]} {part.name}", _digest(_part(part))[:_SHORT]
        else:
            yield f"its {_SAID.get(name, name.replace('_', ' '))}", _digest(_describe(value))[:_SHORT]


def _found(catalog: Catalog, wanted: Collection[str]) -> Mapping[str, list[Any]]:
    """What is described, by the names of :func:`scope_of`; schemas that are not wanted as well."""
    # A list under each key: two names that contain dots may read the same.
    found: dict[str, list[Any]] = defaultdict(list)
    for schema in sorted(catalog.schemas):
        found[_key("schema", schema)].append(schema)
    for schema, details in sorted(catalog.schema_details.items()):
        found[_key("schema", schema)].append(_describe(details))
    for ref, item in sorted(catalog.objects.items()):
        if (key := str(ref)) in wanted:
            found[key].append(_object_digest(item))
    for name, table in sorted(catalog.tables.items()):
        if (key := _key("table", name)) in wanted:
            found[key].append(_table_digest(table))
    for name, enum in sorted(catalog.enums.items()):
        if (key := _key("enum", name)) in wanted:
            found[key].append(_describe(enum))
    return found


def scope_of(catalog: Catalog) -> tuple[str, ...]:
    """The names of all managed objects, sorted: ``enum schema.name``, ``schema name``, ``table schema.name``,
    and for everything else the kind and the name of its :class:`~wesley_tui.catalog.model.Ref`."""
    return tuple(
        sorted(
            (
                *(_key("schema", name) for name in catalog.schemas),
                *(_key("table", name) for name in catalog.tables),
                *(_key("enum", name) for name in catalog.enums),
                *(str(ref) for ref in catalog.objects),
            )
        )
    )


def _key(kind: str, name: str | QName) -> str:
    return f"{kind} {name}"


_KNOWN_TABLES: dict[int, tuple[Table, str]] = {}
_MOST_TABLES = 20_000


def _table_digest(table: Table) -> str:
    """A table as the SHA-256 of its text, remembered by the identity of its record: a snapshot is compared with every
    keystroke, and an unchanged table stays the same record from one compilation to the next. The record is kept with
    its digest, so that its ``id`` cannot come to mean another one."""
    known = _KNOWN_TABLES.get(id(table))
    if known is not None and known[0] is table:
        return known[1]
    digest = _digest(_describe_table(table))
    if len(_KNOWN_TABLES) >= _MOST_TABLES:
        _KNOWN_TABLES.clear()
    _KNOWN_TABLES[id(table)] = (table, digest)
    return digest


def _describe_table(table: Table) -> Any:
    columns = tuple(sorted(table.columns, key=_column_name))
    key, bound = table.partition_by, table.partition_bound
    if key is not None:
        key = canonical_partition_key(key)
    if bound is not None:
        bound = canonical_partition_bound(bound)
    return _describe(dataclasses.replace(table, columns=columns, partition_by=key, partition_bound=bound))


@lru_cache(maxsize=4096)
def _object_digest(item: SqlObject) -> str:
    """An object as the SHA-256 of its text: what its statements make, and what is beside them. The output columns of a
    view are in its statement."""
    return _digest(_describe(dataclasses.replace(item, statements=canonical_object(item), columns=())))


def _digest(described: Any) -> str:
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _column_name(column: Column) -> str:
    return column.name


def _describe(record: Any) -> Any:
    """A record as JSON: the name of its class, and its fields that differ from their defaults (so that a field that is
    added to a record later leaves the fingerprints of catalogs without it alone)."""
    if record is None or isinstance(record, str | int):
        return record
    if isinstance(record, tuple):
        return [_part(item) if hasattr(item, "__dataclass_fields__") else _describe(item) for item in record]
    described: dict[str, Any] = {"": type(record).__name__}
    for name, default in _fields(type(record)):
        value = getattr(record, name)
        if value == default:
            continue
        if isinstance(value, str):
            described[name] = canonical_expression(value) if name in _EXPRESSION_FIELDS else value
        else:
            described[name] = _describe(value)
    return described


@lru_cache(maxsize=65536)
def _part(record: Any) -> str:
    """A column, constraint, index … of a table as text. Two catalogs that are compared share nearly all of them."""
    return json.dumps(_describe(record), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _fields(record_type: type[Any]) -> tuple[tuple[str, Any], ...]:
    known = _FIELDS.get(record_type)
    if known is None:
        known = tuple((field.name, field.default) for field in dataclasses.fields(record_type) if _counts(field))
        _FIELDS[record_type] = known
    return known


def _counts(field: dataclasses.Field[Any]) -> bool:
    return field.compare and field.name not in _UNNAMED
