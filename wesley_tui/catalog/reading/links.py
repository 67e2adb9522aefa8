"""What ties objects together: comments, privileges, and who needs whom (``pg_depend``)."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wesley_tui.catalog.model import Enum, Grant, QName, Ref, SchemaDetails, SqlObject, Table
from wesley_tui.catalog.reading.names import Names, Oid, Rows, sorted_grants
from wesley_tui.catalog.reading.objects import FoundObject

__all__ = ["link", "read_schema_details"]

_Key = tuple[str, Oid]
"""(system catalog, oid)"""


class _Linked(NamedTuple):
    tables: dict[QName, Table]
    enums: dict[QName, Enum]
    objects: dict[Ref, SqlObject]


def link(
    rows: Rows, names: Names, tables: Mapping[Oid, Table], enums: Mapping[Oid, Enum], objects: Sequence[FoundObject]
) -> _Linked:
    """The records with comments, grants and dependencies, by name."""
    needed = _dependencies(rows, names, tables, enums, objects)
    policies: dict[Oid, dict[str, Oid]] = defaultdict(dict)
    for row in rows["policies"] or ():
        policies[row[0]][row[2]] = row[1]
    linked = []
    for catalog, oid, item in objects:
        grants = names.grants(catalog, oid)
        comment = names.comments.get((catalog, oid, 0))
        if catalog == "pg_type" and item.kind == "composite type":
            comment = names.comments.get(("pg_type", oid, 0))
        depends_on = {*item.depends_on, *needed.get((catalog, oid), ())} - {item.ref}
        if item.relation is not None:
            depends_on |= _relations(item.relation, tables, objects)
        if grants or comment is not None or depends_on:
            item = dataclasses.replace(item, grants=grants, comment=comment, depends_on=tuple(sorted(depends_on)))
        linked.append(item)
    return _Linked(
        tables={
            table.name: _linked_table(table, oid, policies.get(oid, {}), needed)
            for oid, table in sorted(tables.items(), key=lambda pair: pair[1].name)
        },
        enums={enum.name: enum for enum in enums.values()},
        objects={item.ref: item for item in sorted(linked, key=lambda item: item.ref)},
    )


def read_schema_details(rows: Rows, names: Names) -> dict[str, SchemaDetails]:
    """Comments and privileges of schemas. Everybody may use schema ``public`` from the beginning: that is left out, and
    said where it is no longer so. (One that was dropped and made again is such a schema: see ``diff.objects`` for what
    a plan makes of that.)"""
    found = {}
    for oid, schema in rows["schemas"] or ():
        grants = names.grants("pg_namespace", oid)
        if schema == "public":
            usual = Grant("public", "USAGE")
            withheld = () if usual in grants else (dataclasses.replace(usual, revoked=True),)
            grants = sorted_grants({*(item for item in grants if item != usual), *withheld})
        details = SchemaDetails(names.comments.get(("pg_namespace", oid, 0)), grants)
        if details != SchemaDetails():
            found[schema] = details
    return found


def _linked_table(table: Table, oid: Oid, policies: Mapping[str, Oid], needed: Mapping[_Key, set[Ref]]) -> Table:
    found = _others(table, needed.get(("pg_class", oid)))
    if any(("pg_policy", policy) in needed for policy in policies.values()):
        linked = tuple(
            dataclasses.replace(item, depends_on=_others(table, needed.get(("pg_policy", policies[item.name]))))
            for item in table.policies
        )
        return dataclasses.replace(table, depends_on=found, policies=linked)
    return dataclasses.replace(table, depends_on=found) if found else table


def _others(table: Table, needed: set[Ref] | None) -> tuple[Ref, ...]:
    """What is needed beside the table itself."""
    if not needed:
        return ()
    itself, column = str(table.name), f"{table.name}."
    return tuple(
        sorted(
            ref
            for ref in needed
            if ref != ("table", itself) and not (ref.kind == "column" and ref.name.startswith(column))
        )
    )


def _relations(name: QName, tables: Mapping[Oid, Table], objects: Sequence[FoundObject]) -> set[Ref]:
    found = {Ref("table", str(name)) for table in tables.values() if table.name == name}
    return found or {
        item.value.ref
        for item in objects
        if item.value.name == name and item.value.kind in ("view", "materialized view")
    }


def _dependencies(
    rows: Rows,
    names: Names,
    tables: Mapping[Oid, Table],
    enums: Mapping[Oid, Enum],
    objects: Sequence[FoundObject],
) -> dict[_Key, set[Ref]]:
    targets: dict[_Key, Ref] = {(catalog, oid): item.ref for catalog, oid, item in objects}
    targets |= {("pg_class", oid): Ref("table", str(table.name)) for oid, table in tables.items()}
    targets |= {("pg_type", oid): Ref("enum", str(enum.name)) for oid, enum in enums.items()}
    for row in rows["composite types"] or ():
        targets["pg_class", row[3]] = targets["pg_type", row[0]]
    for row in rows["range types"] or ():
        if row[8] is not None:
            targets["pg_type", row[8][0]] = targets["pg_type", row[0]]
    owners: dict[_Key, _Key] = {("pg_attrdef", oid): ("pg_class", oid) for oid in names.columns}
    owners |= {("pg_constraint", row[1]): ("pg_class", row[0]) for row in rows["constraints"] or ()}
    owners |= {("pg_class", row[1]): ("pg_class", row[0]) for row in rows["indexes"] or ()}
    owners |= {("pg_rewrite", row[0]): ("pg_class", row[1]) for row in rows["rules"] or () if row[5] is None}
    owners |= {("pg_class", row[3]): ("pg_type", row[0]) for row in rows["composite types"] or ()}
    for row in rows["domains"] or ():
        owners |= {("pg_constraint", check[0]): ("pg_type", row[0]) for check in row[7] or ()}

    needed: dict[_Key, set[Ref]] = defaultdict(set)
    for source, oid, target, target_oid, part, extension in rows["dependencies"] or ():
        owner = owners.get((source, oid), (source, oid))
        found = targets.get(("pg_extension", extension) if extension is not None else (target, target_oid))
        if found is None:
            continue
        needed[owner].add(found)
        if part and target == "pg_class" and (column := names.columns.get(target_oid, {}).get(part)) is not None:
            needed[owner].add(Ref("column", f"{found.name}.{column}"))
    return needed
