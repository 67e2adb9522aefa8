"""What follows from the effects of a statement elsewhere: on standbys, on subscribers, in prepared statements.

Physical standbys replay every ACCESS EXCLUSIVE lock and every block that is written; logical replication sends rows and
nothing of the DDL that changed their table (manual, "Hot Standby" and "Restrictions" of logical replication).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from wesley_tui.catalog.model import PrimaryKey, QName, Ref, Unique
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.plan import LockMode

__all__ = ["add_consequences"]

_SHAPES = {
    "AT_AddColumn": "a column is added",
    "AT_DropColumn": "a column goes",
    "AT_AlterColumnType": "a column gets another type",
}
_KEYS = ("AT_DropConstraint", "AT_DropNotNull")


def add_consequences(node: Any, context: EffectContext, tally: Tally) -> None:
    """Add to ``tally`` what standbys, subscribers and prepared statements notice."""
    tally.standbys += _on_standbys(node, context, tally)
    tally.replication += _on_subscribers(node, context, tally)
    tally.notices += _in_prepared_statements(node, context)


def _old(names: Iterable[QName], context: EffectContext, tally: Tally) -> list[str]:
    """Relations that others use: neither new nor temporary."""
    return [
        str(name)
        for name in sorted(names)
        if name not in tally.creates and name not in context.created and name.schema != "pg_temp"
    ]


def _on_standbys(node: Any, context: EffectContext, tally: Tally) -> Iterator[str]:
    exclusive = [name for name, mode in tally.locks.items() if mode is LockMode.AccessExclusiveLock]
    if locked := _old(exclusive, context, tally):
        yield (
            f"the lock on {', '.join(locked)} is replayed on every standby: queries there wait for it, and replay "
            "waits for those that run, at most max_standby_streaming_delay, then cancels them"
        )
    if written := _old(tally.rewrites, context, tally):
        yield f"every block of {', '.join(written)} and of its indexes is sent to every standby, which lags until then"
    elif tally.rebuilds or node.tag in ("IndexStmt", "ReindexStmt"):
        yield "the whole index is sent to every standby"
    if node.tag == "VacuumStmt" and node.is_vacuumcmd:
        yield "row versions that it removes may cancel queries on standbys that still need them"
    elif node.tag == "CreateStmt" and node.relation.relpersistence == "u":
        yield "an unlogged table has no rows on a standby, and none after a failover"


def _on_subscribers(node: Any, context: EffectContext, tally: Tally) -> Iterator[str]:
    if context.complete and not context.links.publications:
        return
    relation = node.relation
    name = name_of(relation, context) if relation is not None and relation.relname is not None else None
    if node.tag == "TruncateStmt":
        for item in node.relations:
            emptied = _if_published(name_of(item, context), context)
            if emptied is None:
                continue
            yield f"{emptied}: subscribers empty it too, unless the publication leaves TRUNCATE out"
    elif name is None or name in tally.creates | context.created:
        return
    elif (said := _if_published(name, context)) and node.tag == "AlterTableStmt":
        yield from _of_altered(node, name, said, context)
    elif said and node.tag == "RenameStmt" and node.renameType in ("OBJECT_TABLE", "OBJECT_COLUMN"):
        yield f"{said}: subscribers match names, and stand still until they have the new one"
    elif said and node.tag in ("UpdateStmt", "DeleteStmt"):
        if name in tally.scans:
            yield f"{said}: every row that changes is sent to the subscribers, once the transaction commits"
        if _is_anonymous(name, context):
            yield f"{said}, and has no replica identity: PostgreSQL refuses every UPDATE and DELETE of it (55000)"


def _of_altered(node: Any, name: QName, said: str, context: EffectContext) -> Iterator[str]:
    for command in node.cmds:
        kind = command.subtype
        if kind == "AT_AddColumn":
            yield f"{said}: DDL is not replicated; subscribers need the column first, or they stand still"
        elif kind == "AT_DropColumn":
            yield f"{said}: DDL is not replicated; subscribers keep the column, which then must not be NOT NULL"
        elif kind == "AT_AlterColumnType":
            yield f"{said}: DDL is not replicated, nor what a rewrite changes; subscribers need the type first"
        elif kind == "AT_ReplicaIdentity":
            yield from _of_identity(command.get("def"), said)
        elif kind == "AT_SetUnLogged":
            yield f"{said}: PostgreSQL refuses to make a published table unlogged"
        elif kind in _KEYS and _identifies(command, name, context):
            yield f"{said}: without its replica identity every UPDATE and DELETE of it fails"
        elif kind in ("AT_AttachPartition", "AT_DetachPartition"):
            yield f"{said}: subscribers do not attach or detach with it"


def _of_identity(identity: Any, said: str) -> Iterator[str]:
    if identity.identity_type == "n":
        yield f"{said}: without a replica identity every UPDATE and DELETE of it fails"
    elif identity.identity_type == "f":
        yield f"{said}: with REPLICA IDENTITY FULL the whole old row is written to the WAL, and searched by subscribers"
    else:
        yield f"{said}: subscribers look up rows by the new identity, and need an index for it"


def _identifies(command: Any, name: QName, context: EffectContext) -> bool:
    """The primary key (or what takes its place) goes, as far as the catalog knows."""
    table = context.whole_table(name)
    if table is None:
        return False
    constraint = table.constraint(command.name or "")
    if command.subtype == "AT_DropConstraint":
        return (isinstance(constraint, PrimaryKey) and table.replica_identity is None) or (
            isinstance(constraint, PrimaryKey | Unique) and table.replica_identity == constraint.name
        )
    return False


def _is_anonymous(name: QName, context: EffectContext) -> bool:
    """Neither key nor replica identity tells subscribers which row is meant, as far as the catalog knows."""
    table = context.whole_table(name)
    if table is None or context.partial or table.partition_by is not None:
        return False
    key = table.primary_key
    unknown = key is None or key.deferrable
    return table.replica_identity == "nothing" or (table.replica_identity is None and unknown)


def _if_published(name: QName, context: EffectContext) -> str | None:
    """How to speak of the table: as published, as perhaps published, or not at all."""
    if context.catalog is None or context.partial:
        return f"if {name} is published"
    for item in context.links.publications:
        text = item.statements[0].upper()
        wide = "FOR ALL TABLES" in text or Ref("schema", name.schema) in item.depends_on
        if wide or Ref("table", str(name)) in item.depends_on:
            return f"{name} is published by {item.name.name}"
    return None


def _in_prepared_statements(node: Any, context: EffectContext) -> Iterator[str]:
    if node.tag == "AlterTableStmt" and node.objtype == "OBJECT_TABLE":
        name = name_of(node.relation, context)
        what = [_SHAPES[command.subtype] for command in node.cmds if command.subtype in _SHAPES]
        if what and name not in context.created:
            yield (
                f'prepared statements with SELECT * of {name} fail once with "cached plan must not change result '
                f'type", as {what[0]}; drivers prepare again, inside a transaction they cannot'
            )
    elif node.tag == "DropStmt" and node.removeType == "OBJECT_INDEX":
        yield "queries that used the index are planned anew, and may read the whole table"
