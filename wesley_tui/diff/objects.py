"""Differences of what is kept as SQL: views, routines, types, sequences, triggers … and of privileges.

Objects are matched by kind, name and arguments, and compared by what their statements mean. What nobody declared is
left alone; what goes along with a table or column that goes is not mentioned apart.

Privileges are declared per object: an object that declares none keeps those that it has, unless the whole database was
adopted. A schema that says nothing of privileges must not lock the application out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from wesley_tui.catalog.ddl_grants import grant_target
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Enum, Grant, QName, Ref, SchemaDetails, SqlObject, Table
from wesley_tui.catalog.naming import quote_ident
from wesley_tui.catalog.statement import same_object
from wesley_tui.diff.changes import (
    Change,
    ChangeComment,
    ChangeGrants,
    ChangeObjectComment,
    ChangeSequenceOwner,
    CreateObject,
    DropObject,
    ReplaceObject,
)
from wesley_tui.diff.constraints import compare_indexes

__all__ = ["OWN_SCHEMAS", "Scope", "compare_objects", "compare_relation_grants", "compare_schema_details"]

OWN_SCHEMAS = frozenset(("wesley", "wesley_retired"))
"""Schemas of Wesley itself: the rails, and what was retired. No schema declares them and no plan touches what is in
them."""

_FROM_THE_START = "standard public schema"
"""The comment that initdb gives to schema public."""

_WITHOUT_GRANTS = frozenset(
    ("extension", "trigger", "rule", "statistics", "publication", "event trigger", "default privileges", "other",
     "range type", "collation", "text search dictionary", "text search configuration", "operator", "operator family",
     "operator class", "cast")
)  # fmt: skip


class Scope:
    """What a comparison may take away."""

    def __init__(
        self, live: Catalog, desired: Catalog, intent: Intent, adopt_all: bool, named: Collection[str]
    ) -> None:
        self.live = live
        self.desired = desired
        self.intent = intent
        self.adopt_all = adopt_all
        self.named = named
        self.gone_tables = frozenset(
            name
            for name in live.tables.keys() - desired.tables.keys()
            if name.schema not in OWN_SCHEMAS
            and (name in intent.dropped_tables or (adopt_all and name.schema in named))
        )

    def drops(self, item: SqlObject) -> bool:
        """Whether an undeclared object is to go by itself."""
        if item.relation in self.gone_tables:
            return False
        if item.owned_by is not None:
            return self._is_left_behind(item)
        if item.ref in self.intent.dropped_objects:
            return True
        reachable = not item.name.schema or item.name.schema in self.named
        return self.adopt_all and reachable and not item.name.name.startswith("wesley_")

    def _is_left_behind(self, sequence: SqlObject) -> bool:
        """A sequence whose column stays, and no longer takes its numbers from it."""
        assert sequence.owned_by is not None
        table, column = sequence.owned_by
        wanted = self.desired.tables.get(table)
        found = wanted.column(column) if wanted is not None else None
        if found is None:
            return False
        used_elsewhere = any(sequence.ref in item.depends_on for item in self.desired.tables.values())
        return not used_elsewhere and sequence.name.name not in (found.default or "")


def compare_objects(scope: Scope, unmanaged: list[str]) -> Iterator[Change]:
    live, desired = scope.live.objects, scope.desired.objects
    for ref, new in sorted(desired.items()):
        old = live.get(ref)
        if old is None:
            yield CreateObject(new)
            if new.owned_by is not None:
                yield ChangeSequenceOwner(new.name, None, new.owned_by)
        elif old is not new:
            yield from _compare_object(old, new, scope, unmanaged)
    undeclared = {
        ref: item
        for ref, item in sorted(live.items())
        if ref not in desired and item.name.schema not in OWN_SCHEMAS and not _on_own(item)
    }
    leaving = {ref for ref, item in undeclared.items() if scope.drops(item)}
    leaving -= _needed_by_what_stays(scope, leaving)
    for ref, item in undeclared.items():
        if ref in leaving:
            yield DropObject(item)
        elif item.owned_by is None and item.relation not in scope.gone_tables and item.name.schema != "pg_catalog":
            unmanaged.append(str(ref))


def _needed_by_what_stays(scope: Scope, leaving: Collection[Ref]) -> set[Ref]:
    """What undeclared objects and tables that are left alone lean on: it is left alone with them."""
    live, desired = scope.live, scope.desired
    pending = [
        need
        for ref, item in live.objects.items()
        if ref not in desired.objects and ref not in leaving and item.relation not in scope.gone_tables
        for need in item.depends_on
    ]
    pending += (
        need
        for name, table in live.tables.items()
        if name not in desired.tables and name not in scope.gone_tables
        for need in table.depends_on
    )
    found: set[Ref] = set()
    while pending:
        ref = pending.pop()
        if ref in leaving and ref not in found:
            found.add(ref)
            pending += live.objects[ref].depends_on
    return found


def _on_own(item: SqlObject) -> bool:
    return item.relation is not None and item.relation.schema in OWN_SCHEMAS


def _compare_object(old: SqlObject, new: SqlObject, scope: Scope, unmanaged: list[str]) -> Iterator[Change]:
    same = same_object(old, new)
    if not same:
        yield ReplaceObject(old, new)
    if old.owned_by != new.owned_by:
        yield ChangeSequenceOwner(new.name, old.owned_by, new.owned_by)
    if old.comment != new.comment:
        yield ChangeObjectComment(new, None, old.comment, new.comment)
    before, after = dict(old.part_comments), dict(new.part_comments)
    for part in sorted(before.keys() | after.keys()):
        if before.get(part) != after.get(part) and _has_part(new, part):
            yield ChangeObjectComment(new, part, before.get(part), after.get(part))
    if new.kind not in _WITHOUT_GRANTS:
        yield from _compare_grants(grant_target(new), new.ref, old.grants, new.grants, scope, unmanaged)
    if same and old.indexes != new.indexes:
        yield from compare_indexes(new.name, old.indexes, new.indexes, {})


def _has_part(item: SqlObject, part: str) -> bool:
    """Comments go with what they speak of: columns of views, attributes of types, constraints of domains."""
    if item.kind in ("composite type", "domain"):
        return re.search(rf"(?<![\w\"]){re.escape(quote_ident(part))}(?![\w\"])", item.statements[0]) is not None
    return part in item.columns or not item.columns


def _compare_grants(
    target: str, ref: Ref, old: Sequence[Grant], new: Sequence[Grant], scope: Scope, unmanaged: list[str]
) -> Iterator[Change]:
    """Privileges of one object that exists on both sides."""
    if set(old) == set(new):
        return
    if new or scope.adopt_all:
        yield ChangeGrants(target, ref, tuple(old), tuple(new))
    else:
        unmanaged.append(f"privileges on {ref}")


def compare_relation_grants(
    old: Table | Enum, new: Table | Enum, scope: Scope, unmanaged: list[str]
) -> Iterator[Change]:
    kind = "table" if isinstance(new, Table) else "enum"
    if old.grants != new.grants:
        yield from _compare_grants(
            grant_target(new), Ref(kind, str(new.name)), old.grants, new.grants, scope, unmanaged
        )


def compare_schema_details(scope: Scope, unmanaged: list[str]) -> Iterator[Change]:
    """Comments and privileges of the schemas that ``desired`` names."""
    live: Mapping[str, SchemaDetails] = scope.live.schema_details
    for schema in sorted(scope.named):
        old = live.get(schema, SchemaDetails())
        new = scope.desired.schema_details.get(schema)
        if new is None:
            # A schema that nobody describes keeps what it has, unless the whole database was adopted.
            if scope.adopt_all and old.comment not in (None, _FROM_THE_START):
                yield ChangeComment("schema", QName(schema, ""), None, old.comment, None)
            before, after = _in_public(old.grants, ()) if schema == "public" else (old.grants, ())
            if before != after:
                yield from _compare_grants(grant_target(schema), Ref("schema", schema), before, after, scope, unmanaged)
            continue
        if old.comment != new.comment:
            yield ChangeComment("schema", QName(schema, ""), None, old.comment, new.comment)
        before, after = _in_public(old.grants, new.grants) if schema == "public" else (old.grants, new.grants)
        yield from _compare_grants(grant_target(schema), Ref("schema", schema), before, after, scope, unmanaged)


def _in_public(old: Sequence[Grant], new: Sequence[Grant]) -> tuple[tuple[Grant, ...], tuple[Grant, ...]]:
    """The live and the wanted privileges on schema ``public``, from which PUBLIC has some since the beginning: what
    PUBLIC may do there changes only where the declaration speaks of it, because naming the privileges of others must
    neither open a schema that somebody closed nor close it. USAGE, which everybody has there unless it was revoked, is
    given only where it was."""
    if not new:
        return tuple(item for item in old if item.grantee != "public"), ()
    usual = Grant("public", "USAGE")
    spoken = {item.privilege for item in new if item.grantee == "public"}
    closed = any(item.revoked for item in old)
    kept = [item for item in old if item.grantee == "public" and item.privilege not in spoken]
    wanted = {*(item for item in new if closed or item != usual), *kept}
    before = (item for item in old if not (item.revoked and usual in wanted))
    return tuple(before), tuple(sorted(wanted, key=str))
