"""RENAME, SET SCHEMA, OWNER TO, COMMENT ON, GRANT: a name, a place, a word or a right changes, and no row."""

from __future__ import annotations

from typing import Any

from wesley_tui.catalog.model import Check, QName
from wesley_tui.planner.effects.context import EffectContext, name_of, names_in
from wesley_tui.planner.effects.dependents import typed_tables
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.registry import rule
from wesley_tui.planner.effects.tree import Node
from wesley_tui.planner.plan import LockMode

__all__: list[str] = []

_RELATIONS = {
    "OBJECT_TABLE": "table",
    "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SEQUENCE": "sequence",
}
_NAMED = {
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_ROUTINE": "routine",
    "OBJECT_AGGREGATE": "aggregate",
}


def _qualify(parts: list[str], context: EffectContext) -> QName:
    return context.resolve(parts[-2] if len(parts) > 1 else None, parts[-1])


def _family(name: QName, recurses: bool, context: EffectContext) -> tuple[QName, ...]:
    return (name, *(context.descendants(name) if recurses else ()))


@rule("RenameStmt")
def _rename(node: Any, context: EffectContext, tally: Tally) -> None:
    kind = node.renameType
    if node.missing_ok and node.relation is not None and context.is_absent(name_of(node.relation, context)):
        return
    if kind in _RELATIONS or (kind == "OBJECT_INDEX" and context.table(name_of(node.relation, context)) is not None):
        name = name_of(node.relation, context)
        if kind == "OBJECT_TABLE" and context.index_table(name) is not None:
            tally.assumes.append(f"{name} is an index: readers of its table wait, which ALTER INDEX would spare them")
        tally.lock(name, LockMode.AccessExclusiveLock)
        tally.breaks.append(f"clients that still use {name}")
    elif kind == "OBJECT_INDEX":
        # The index alone, and not against readers or writers: what ALTER TABLE … RENAME of an index does not spare.
        tally.lock(name_of(node.relation, context), LockMode.ShareUpdateExclusiveLock)
    elif kind == "OBJECT_COLUMN":
        name = name_of(node.relation, context)
        for found in _family(name, bool(node.relation.inh), context):
            tally.lock(found, LockMode.AccessExclusiveLock)
        tally.breaks.append(f"clients that still use {name}.{node.subname}")
    elif kind == "OBJECT_TABCONSTRAINT":
        name = name_of(node.relation, context)
        table = context.table(name)
        constraint = table.constraint(node.subname) if table is not None else None
        recurses = isinstance(constraint, Check) and not constraint.no_inherit and bool(node.relation.inh)
        for found in _family(name, recurses, context):
            tally.lock(found, LockMode.AccessExclusiveLock)
    elif kind in ("OBJECT_POLICY", "OBJECT_RULE", "OBJECT_TRIGGER"):
        name = name_of(node.relation, context)
        table = context.table(name)
        recurses = kind == "OBJECT_TRIGGER" and table is not None and table.partition_by is not None
        for found in _family(name, recurses, context):
            tally.lock(found, LockMode.AccessExclusiveLock)
    elif kind == "OBJECT_ATTRIBUTE":
        name = name_of(node.relation, context)
        tally.breaks.append(f"clients that still use attribute {node.subname} of type {name}")
        if node.behavior == "DROP_CASCADE":
            for table_name in typed_tables(context):
                tally.lock(table_name, LockMode.AccessExclusiveLock)
    elif kind in _NAMED:
        tally.breaks.append(f"clients that still name the {_NAMED[kind]} {'.'.join(names_in(node.object))}")
    elif kind in ("OBJECT_SCHEMA", "OBJECT_DATABASE", "OBJECT_ROLE"):
        tally.breaks.append(f"clients that still name the {kind.removeprefix('OBJECT_').lower()} {node.subname}")


@rule("AlterObjectSchemaStmt")
def _set_schema(node: Any, context: EffectContext, tally: Tally) -> None:
    kind = node.objectType
    if kind in _RELATIONS:
        name = name_of(node.relation, context)
        if node.missing_ok and context.is_absent(name):
            return
        tally.lock(name, LockMode.AccessExclusiveLock)
        tally.breaks.append(f"clients that still use {name}")
        for item in context.objects():
            if item.owned_by is not None and item.owned_by[0] == name:
                tally.lock(item.name, LockMode.AccessExclusiveLock)
    elif kind in _NAMED:
        tally.breaks.append(f"clients that still name the {_NAMED[kind]} {'.'.join(names_in(node.object))}")
    elif kind == "OBJECT_EXTENSION":
        tally.breaks.append("clients that name objects of the extension with their schema")


@rule("AlterOwnerStmt")
def _owner(node: Any, context: EffectContext, tally: Tally) -> None:
    """Of what is no relation: those are altered like tables."""


@rule("CommentStmt", "SecLabelStmt")
def _comment(node: Any, context: EffectContext, tally: Tally) -> None:
    """Relations and columns under SHARE UPDATE EXCLUSIVE; of what hangs on a table, the table's name is held."""
    kind = node.objtype
    if kind in _RELATIONS:
        tally.lock(_qualify(names_in(node.object), context), LockMode.ShareUpdateExclusiveLock)
    elif kind == "OBJECT_COLUMN":
        tally.lock(_qualify(names_in(node.object)[:-1], context), LockMode.ShareUpdateExclusiveLock)
    elif kind in ("OBJECT_TABCONSTRAINT", "OBJECT_POLICY", "OBJECT_TRIGGER", "OBJECT_RULE"):
        tally.lock(_qualify(names_in(node.object)[:-1], context), LockMode.AccessShareLock)


@rule("GrantStmt")
def _grant(node: Any, context: EffectContext, tally: Tally) -> None:
    """The names of tables are held since PostgreSQL 18."""
    if context.major >= 18 and node.targtype == "ACL_TARGET_OBJECT" and node.objtype == "OBJECT_TABLE":
        for relation in node.objects:
            tally.lock(name_of(relation, context), LockMode.AccessShareLock)
    if not node.is_grant and not _is_new(node, context):
        who = ", ".join(role.rolename or "PUBLIC" for role in node.grantees)
        tally.breaks.append(f"clients that log in as {who} and use what is revoked")


def _is_new(node: Any, context: EffectContext) -> bool:
    """All that the REVOKE speaks of was made by the same script: nobody uses it yet."""
    for item in node.objects or ():
        if isinstance(item, Node) and item.relname is not None:
            name = name_of(item, context)
        else:
            parts = names_in(item)
            if not parts:
                return False
            name = _qualify(parts, context)
        if name not in context.created:
            return False
    return bool(node.objects)
