"""The order in which the objects of a catalog can be made: what is needed comes before what needs it.

Dependencies are those of the records (``depends_on``, parents of tables). Foreign keys, policies, triggers and rules
are no part of it: they are added when every relation is there, which is also how circles between tables are cut.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from wesley_tui.catalog import ddl, ddl_lifecycle
from wesley_tui.catalog.ddl_grants import change_grants, grant_target
from wesley_tui.catalog.model import Catalog, Enum, QName, Ref, Table

__all__ = ["create_catalog", "creation_order", "sorted_by_needs"]

_LATE_KINDS = ("trigger", "rule", "publication", "event trigger", "default privileges", "other")
_RANKS = (
    *(
        "extension",
        "collation",
        "text search dictionary",
        "text search configuration",
        "foreign-data wrapper",
        "server",
    ),
    *("enum", "composite type", "range type", "domain", "sequence", "function", "procedure"),
    *("aggregate", "operator", "operator family", "operator class", "cast"),
    *("table", "foreign table", "view", "materialized view", "statistics"),
    *_LATE_KINDS,
)
_RANK = {kind: rank for rank, kind in enumerate(_RANKS)}


def sorted_by_needs(needs: Mapping[Ref, Collection[Ref]]) -> list[Ref]:
    """The keys of ``needs``, each after those of its values that are keys too; among those that are free to go, by
    kind and name, so that the order is stable.

    A circle is cut where its first member by kind and name is: nothing is left out, and nothing recurses.
    """
    waiting = {ref: {need for need in wanted if need in needs and need != ref} for ref, wanted in needs.items()}
    needed_by: dict[Ref, list[Ref]] = defaultdict(list)
    for ref, wanted in waiting.items():
        for need in wanted:
            needed_by[need].append(ref)
    ready = [_ranked(ref) for ref, wanted in waiting.items() if not wanted]
    heapq.heapify(ready)
    rest = sorted(map(_ranked, waiting))
    order: list[Ref] = []
    done: set[Ref] = set()
    position = 0
    while len(order) < len(waiting):
        if ready:
            ref = heapq.heappop(ready)[1]
        else:
            while rest[position][1] in done:
                position += 1
            ref = rest[position][1]
        if ref in done:
            continue
        done.add(ref)
        order.append(ref)
        for other in needed_by[ref]:
            waiting[other].discard(ref)
            if not waiting[other] and other not in done:
                heapq.heappush(ready, _ranked(other))
    return order


def creation_order(catalog: Catalog) -> list[Ref]:
    """All tables, enums and objects of a catalog; triggers, rules, publications and what else stands on finished
    relations at the end."""
    needs: dict[Ref, set[Ref]] = {Ref("enum", str(name)): set() for name in catalog.enums}
    for table in catalog.tables.values():
        parents = {Ref("table", str(parent)) for parent in (*table.inherits, table.partition_of) if parent is not None}
        needs[Ref("table", str(table.name))] = {*table.depends_on, *parents}
    late = {ref: item for ref, item in catalog.objects.items() if item.kind in _LATE_KINDS}
    needs |= {ref: set(item.depends_on) for ref, item in catalog.objects.items() if ref not in late}
    return [*sorted_by_needs(needs), *sorted_by_needs({ref: item.depends_on for ref, item in late.items()})]


def create_catalog(catalog: Catalog) -> Iterator[str]:
    """All statements that make ``catalog`` on an empty database, in order. Run them with ``check_function_bodies`` off:
    what a body of plpgsql or of an SQL string needs is known to nobody before it runs."""
    for schema in sorted(catalog.schemas - {"public"}):
        yield ddl.create_schema(schema)
    tables = {Ref("table", str(name)): table for name, table in catalog.tables.items()}
    enums = {Ref("enum", str(name)): enum for name, enum in catalog.enums.items()}
    order = creation_order(catalog)
    for ref in order:
        if ref in tables:
            yield from _table(tables[ref])
        elif ref in enums:
            yield from _enum(enums[ref])
        elif catalog.objects[ref].kind not in _LATE_KINDS:
            yield from ddl_lifecycle.create_object(catalog.objects[ref])
    for sequence in catalog.objects.values():
        if sequence.owned_by is not None:
            yield ddl_lifecycle.own_sequence(sequence.name, sequence.owned_by)
    yield from _between_tables(catalog)
    for ref in order:
        item = catalog.objects.get(ref)
        if item is not None and item.kind in _LATE_KINDS:
            yield from ddl_lifecycle.create_object(item)
    yield from _schema_details(catalog)


def _ranked(ref: Ref) -> tuple[tuple[int, str], Ref]:
    return (_RANK.get(ref.kind, len(_RANK)), ref.name), ref


def _enum(enum: Enum) -> Iterator[str]:
    yield ddl.create_enum(enum)
    yield from change_grants(grant_target(enum), (), enum.grants)
    if enum.comment is not None:
        yield ddl.comment_on("type", enum.name, None, enum.comment)


def _table(table: Table) -> Iterator[str]:
    """The table without its policies, which may read tables that come later."""
    yield from ddl.create_table(dataclasses.replace(table, policies=()))


def _between_tables(catalog: Catalog) -> Iterator[str]:
    """What ties tables to each other."""
    for table in catalog.tables.values():
        for key in table.foreign_keys:
            yield ddl.add_constraint(table.name, key)
            if key.comment is not None:
                yield ddl.comment_on("constraint", table.name, key.name, key.comment)
        for policy in table.policies:
            yield ddl.create_policy(table.name, policy)
            if policy.comment is not None:
                yield ddl.comment_on("policy", table.name, policy.name, policy.comment)


def _schema_details(catalog: Catalog) -> Iterator[str]:
    for schema, details in catalog.schema_details.items():
        yield from change_grants(grant_target(schema), (), details.grants)
        if details.comment is not None:
            yield ddl.comment_on("schema", QName(schema, ""), None, details.comment)
