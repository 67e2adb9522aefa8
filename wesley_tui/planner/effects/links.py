"""Relationships of a catalog turned round: children of a table, foreign keys that point to it, views that read it.

Made once per catalog; a statement that changes none of them carries them over (:func:`carry`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wesley_tui.catalog.model import Catalog, ForeignKey, QName, Ref, SqlObject, Table

__all__ = ["Links", "carry", "follow", "links_of", "relationships"]


@dataclass(frozen=True, slots=True)
class Links:
    children: Mapping[QName, tuple[QName, ...]] = field(default_factory=dict)
    keys_to: Mapping[QName, tuple[tuple[QName, ForeignKey], ...]] = field(default_factory=dict)
    """Keys of *other* tables."""
    users: Mapping[Ref, tuple[SqlObject, ...]] = field(default_factory=dict)
    """Objects that need what the reference names."""
    publications: tuple[SqlObject, ...] = ()
    on_relation: Mapping[QName, tuple[SqlObject, ...]] = field(default_factory=dict)
    """Triggers and rules of a table or view."""


_NOTHING = Links()
_Known = tuple[Mapping[QName, Table], Mapping[Ref, SqlObject], Links]
_cache: OrderedDict[tuple[int, int], _Known] = OrderedDict()
_CACHE_SIZE = 8


def links_of(catalog: Catalog | None) -> Links:
    if catalog is None:
        return _NOTHING
    key = (id(catalog.tables), id(catalog.objects))
    known = _cache.get(key)
    if known is None:
        known = (catalog.tables, catalog.objects, _made(catalog))
        _remember(key, known)
    return known[2]


def carry(old: Catalog, new: Catalog) -> None:
    """Say that ``new`` has the relationships of ``old``."""
    known = _cache.get((id(old.tables), id(old.objects)))
    if known is not None:
        _remember((id(new.tables), id(new.objects)), (new.tables, new.objects, known[2]))


def follow(
    old: Catalog,
    new: Catalog,
    tables: Iterable[tuple[Table | None, Table | None]] = (),
    objects: Iterable[tuple[SqlObject | None, SqlObject | None]] = (),
) -> None:
    """Say that ``new`` differs from ``old`` in these tables and objects only, each as it was and as it is: a plan has
    thousands of statements, and each concerns a few."""
    known = _cache.get((id(old.tables), id(old.objects)))
    if known is None:
        return
    links = known[2]
    for before, after in tables:
        if relationships(before) != relationships(after) or _name(before) != _name(after):
            links = _with_table(links, before, after)
    for was, now in objects:
        links = _with_object(links, was, now)
    _remember((id(new.tables), id(new.objects)), (new.tables, new.objects, links))


def _name(table: Table | None) -> QName | None:
    return table.name if table is not None else None


def _with_table(links: Links, before: Table | None, after: Table | None) -> Links:
    children, keys = dict(links.children), dict(links.keys_to)
    if before is not None:
        for parent in _parents(before):
            children[parent] = tuple(name for name in children.get(parent, ()) if name != before.name)
        for target in {key.references for key in before.foreign_keys}:
            keys[target] = tuple(pair for pair in keys.get(target, ()) if pair[0] != before.name)
    if after is not None:
        for parent in _parents(after):
            children[parent] = tuple(sorted((*children.get(parent, ()), after.name)))
        for key in after.foreign_keys:
            if key.references != after.name:
                keys[key.references] = (*keys.get(key.references, ()), (after.name, key))
    return replace(links, children=children, keys_to=keys)


def _with_object(links: Links, before: SqlObject | None, after: SqlObject | None) -> Links:
    users, on_relation, publications = dict(links.users), dict(links.on_relation), links.publications
    if before is not None:
        for ref in before.depends_on:
            users[ref] = tuple(item for item in users.get(ref, ()) if item.ref != before.ref)
        if before.relation is not None:
            there = on_relation.get(before.relation, ())
            on_relation[before.relation] = tuple(item for item in there if item.ref != before.ref)
        publications = tuple(item for item in publications if item.ref != before.ref)
    if after is not None:
        for ref in after.depends_on:
            users[ref] = (*users.get(ref, ()), after)
        if after.relation is not None:
            on_relation[after.relation] = (*on_relation.get(after.relation, ()), after)
        if after.kind == "publication":
            publications = (*publications, after)
    return replace(links, users=users, on_relation=on_relation, publications=publications)


def _parents(table: Table | None) -> tuple[QName, ...]:
    if table is None:
        return ()
    return (*table.inherits, *((table.partition_of,) if table.partition_of is not None else ()))


def relationships(table: Table | None) -> Any:
    """What of a table the links depend on; equal values need no new links."""
    if table is None:
        return ()
    keys = tuple(table.foreign_keys)
    return (keys, table.partition_of, table.inherits) if keys or table.partition_of or table.inherits else ()


def _remember(key: tuple[int, int], known: _Known) -> None:
    # The mappings are held with the links, so that their ids stay theirs.
    _cache[key] = known
    if len(_cache) > _CACHE_SIZE:
        _cache.popitem(last=False)


def _made(catalog: Catalog) -> Links:
    children: dict[QName, list[QName]] = {}
    keys: dict[QName, list[tuple[QName, ForeignKey]]] = {}
    users: dict[Ref, list[SqlObject]] = {}
    on_relation: dict[QName, list[SqlObject]] = {}
    for table in catalog.tables.values():
        if table.partition_of is not None:
            children.setdefault(table.partition_of, []).append(table.name)
        for parent in table.inherits:
            children.setdefault(parent, []).append(table.name)
        for key in table.foreign_keys:
            if key.references != table.name:
                keys.setdefault(key.references, []).append((table.name, key))
    for item in catalog.objects.values():
        for ref in item.depends_on:
            users.setdefault(ref, []).append(item)
        if item.relation is not None:
            on_relation.setdefault(item.relation, []).append(item)
    return Links(
        {name: tuple(sorted(found)) for name, found in children.items()},
        {name: tuple(found) for name, found in keys.items()},
        {ref: tuple(found) for ref, found in users.items()},
        tuple(item for item in catalog.objects.values() if item.kind == "publication"),
        {name: tuple(found) for name, found in on_relation.items()},
    )
