"""SELECT, INSERT, UPDATE, DELETE, MERGE, COPY and what wraps them: tables read, rows locked, keys looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from wesley_tui.catalog.model import QName, Table
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.registry import read, rule
from wesley_tui.planner.effects.tree import Node, walk
from wesley_tui.planner.plan import LockMode

__all__ = ["read_query", "readers"]

Depth = Literal["analysed", "rewritten", "planned"]

_WRITES = frozenset(("UpdateStmt", "InsertStmt", "DeleteStmt", "MergeStmt"))


def _opened(name: QName, context: EffectContext, depth: Depth) -> Iterable[QName]:
    if depth == "analysed":
        return (name,)
    return readers(name, context, children=depth == "planned")


def readers(name: QName, context: EffectContext, *, children: bool = True) -> Iterator[QName]:
    """``name`` and everything that a query of it opens: the tables under a view, partitions and children."""
    seen = {name}
    stack = [name]
    while stack:
        item = stack.pop()
        yield item
        view = context.object("view", item)
        needed = [] if view is None else [ref for ref in view.depends_on if ref.kind in _RELATIONS]
        for ref in needed:
            schema, _, relation = ref.name.partition(".")
            found = QName(schema, relation)
            if found not in seen:
                seen.add(found)
                stack.append(found)
        for child in context.descendants(item) if children else ():
            if child not in seen:
                seen.add(child)
                stack.append(child)


_RELATIONS = frozenset(("table", "view", "materialized view"))


@rule("SelectStmt", "UpdateStmt", "InsertStmt", "DeleteStmt", "MergeStmt")
def _query(node: Any, context: EffectContext, tally: Tally) -> None:
    read_query(node, context, tally)
    if node.tag == "SelectStmt" and node.intoClause is not None:
        tally.creates.add(_new_name(node.intoClause.rel, context))


def _new_name(relation: Any, context: EffectContext) -> QName:
    if relation.relpersistence == "t":
        return QName("pg_temp", relation.relname)
    return QName(relation.schemaname or (context.search_path or ("public",))[0], relation.relname)


def read_query(node: Any, context: EffectContext, tally: Tally, *, depth: Depth = "planned") -> None:
    """Reads under ACCESS SHARE, row locks under ROW SHARE, writes under ROW EXCLUSIVE; a written foreign key looks up
    its parent with FOR KEY SHARE, a deleted parent its children. ``depth`` says how far PostgreSQL takes it: a
    definition is only analysed and opens what it names, a prepared one is rewritten and opens what is under views, a
    planned one opens partitions too."""
    ranges: list[Any] = []
    writes: list[Any] = []
    ctes: set[str] = set()
    aliases: set[int] = set()
    into: set[int] = set()
    locks_rows = False
    for item in walk(node):
        if item.relname is not None:
            ranges.append(item)
        elif item.tag == "CommonTableExpr":
            ctes.add(item.ctename)
        elif item.tag == "LockingClause":
            locks_rows = True
            aliases.update(id(alias) for alias in item.lockedRels or ())
        elif item.tag in _WRITES:
            writes.append(item)
        if item.tag == "SelectStmt" and item.intoClause is not None:
            into.add(id(item.intoClause.rel))
    mode = LockMode.RowShareLock if locks_rows else LockMode.AccessShareLock
    targets = {id(write.relation) for write in writes}
    for relation in ranges:
        if id(relation) in aliases or id(relation) in into:
            continue
        if relation.schemaname is None and relation.relname in ctes and id(relation) not in targets:
            continue
        name = name_of(relation, context)
        for found in _opened(name, context, depth if relation.inh else "analysed"):
            tally.lock(found, mode)
            tally.reads.add(found)
    for write in writes:
        _write(write, context, tally)


def _write(write: Any, context: EffectContext, tally: Tally) -> None:
    name = name_of(write.relation, context)
    tally.writes.add(name)
    for found in readers(name, context) if write.relation.inh else (name,):
        tally.lock(found, LockMode.RowExclusiveLock)
    table = context.whole_table(name)
    deletes = write.tag == "DeleteStmt" or any(
        clause.commandType == "CMD_DELETE" for clause in write.mergeWhenClauses or ()
    )
    if deletes:
        tally.loses.append(f"rows of {name}")
        _deleted(name, context, tally)
    if write.tag == "DeleteStmt" or table is None:
        return
    columns = _written_columns(write, table)
    for key in table.foreign_keys:
        if columns.intersection(key.columns):
            tally.lock(key.references, LockMode.RowShareLock)
    if write.tag == "UpdateStmt":
        for other, key in context.foreign_keys_to(name):
            if columns.intersection(key.referenced_columns):
                _touch(other, key.on_update, tally)


def _deleted(name: QName, context: EffectContext, tally: Tally, seen: frozenset[QName] = frozenset()) -> None:
    """Whoever points to a deleted row is asked, or deleted or changed with it."""
    for other, key in context.foreign_keys_to(name):
        _touch(other, key.on_delete, tally)
        if key.on_delete == "cascade":
            tally.loses.append(f"rows of {other} that point to rows of {name}")
            if other not in seen:
                _deleted(other, context, tally, seen | {name, other})


def _touch(other: QName, action: str, tally: Tally) -> None:
    asks = action in ("no action", "restrict")
    tally.lock(other, LockMode.RowShareLock if asks else LockMode.RowExclusiveLock)


def _written_columns(write: Any, table: Table) -> set[str]:
    """Columns that may get a value other than NULL: those that are named, and in new rows those with a default."""
    if write.tag == "UpdateStmt":
        return {item.name for item in write.targetList or ()}
    if write.tag == "MergeStmt":
        inserts = any(clause.commandType == "CMD_INSERT" for clause in write.mergeWhenClauses or ())
        updated = {
            item.name
            for clause in write.mergeWhenClauses or ()
            if clause.commandType == "CMD_UPDATE"
            for item in clause.targetList or ()
        }
        return {column.name for column in table.columns} if inserts else updated
    named = {item.name for item in write.cols or ()}
    if not named:
        return {column.name for column in table.columns}
    return named | {column.name for column in table.columns if column.default is not None}


@rule("CopyStmt")
def _copy(node: Any, context: EffectContext, tally: Tally) -> None:
    if node.query is not None:
        read_query(node.query, context, tally)
    elif node.is_from:
        name = name_of(node.relation, context)
        tally.writes.add(name)
        for found in readers(name, context):
            tally.lock(found, LockMode.RowExclusiveLock)
        table = context.whole_table(name)
        for key in table.foreign_keys if table is not None else ():
            tally.lock(key.references, LockMode.RowShareLock)
    else:
        name = name_of(node.relation, context)
        tally.lock(name, LockMode.AccessShareLock)
        tally.reads.add(name)


@rule("ExplainStmt", "PrepareStmt", "DeclareCursorStmt")
def _wrapped(node: Any, context: EffectContext, tally: Tally) -> None:
    """Planned as it stands; what it would lose or break it does only under EXPLAIN ANALYZE."""
    if node.tag == "PrepareStmt":
        read_query(node.query, context, tally, depth="rewritten")
    else:
        read(node.query, context, tally)
    options = (
        {item.defname for item in node.options or () if isinstance(item, Node)} if node.tag == "ExplainStmt" else ()
    )
    if "analyze" not in options:
        tally.loses.clear()
        tally.breaks.clear()
        tally.writes.clear()


@rule("CreateTableAsStmt")
def _create_table_as(node: Any, context: EffectContext, tally: Tally) -> None:
    read_query(node.query, context, tally)
    tally.creates.add(_new_name(node.into.rel, context))
    if not node.into.skipData:
        views = {name for name in tally.reads if context.is_view(name)}
        for name in tally.reads - views:
            table = context.table(name)
            if table is None or table.partition_by is None:
                tally.scans.add(name)
