"""SELECT, COPY and what wraps queries: tables read, rows locked. Rows that are written: :mod:`.writing`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from pglast.parser import ParseError

from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.record import RowLock, Tally
from wesley_tui.planner.effects.registry import read, rule
from wesley_tui.planner.effects.restrictions import unrestricted
from wesley_tui.planner.effects.tree import Node, parse_one, walk
from wesley_tui.planner.effects.writing import WRITES, Depth, new_rows, readers, write_rows
from wesley_tui.planner.plan import LockMode

__all__ = ["read_query"]


def _opened(name: QName, context: EffectContext, depth: Depth) -> Iterable[QName]:
    if depth == "analysed":
        return (name,)
    return readers(name, context, children=depth == "planned")


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
    """Reads under ACCESS SHARE, row locks under ROW SHARE, writes under ROW EXCLUSIVE. ``depth`` says how far it is
    taken: a definition is only analysed and opens what it names, a prepared one is rewritten and opens what is under
    views, a planned one opens partitions too, and is run."""
    ranges: list[Any] = []
    writes: list[Any] = []
    ctes: set[str] = set()
    aliases: set[int] = set()
    into: set[int] = set()
    locking: list[Any] = []
    levels: list[Any] = []
    for item in walk(node):
        if item.relname is not None:
            ranges.append(item)
        elif item.tag == "CommonTableExpr":
            ctes.add(item.ctename)
        elif item.tag == "LockingClause":
            aliases.update(id(alias) for alias in item.lockedRels or ())
        elif item.tag in WRITES:
            writes.append(item)
            if item.tag != "InsertStmt":
                levels.append(item)
        if item.tag == "SelectStmt":
            levels.append(item)
            if item.lockingClause:
                locking.append(item)
            if item.intoClause is not None:
                into.add(id(item.intoClause.rel))
    targets = {id(write.relation) for write in writes}
    locked = {key: mode for select in locking for key, mode in _rows_locked(select).items()}
    for relation in ranges:
        if id(relation) in aliases or id(relation) in into or id(relation) in targets:
            continue
        if relation.schemaname is None and relation.relname in ctes:
            continue
        name = name_of(relation, context)
        mode = locked.get(id(relation))
        alone = not relation.inh and not context.is_view(name)
        for found in _opened(name, context, "analysed" if alone else depth):
            tally.lock(found, LockMode.AccessShareLock if mode is None else LockMode.RowShareLock)
            tally.reads.add(found)
            if mode is not None and depth == "planned" and not context.is_view(found):
                tally.lock_rows(found, mode)
    for write in writes:
        write_rows(write, context, tally, depth=depth)
        if depth == "planned":
            _follow_rules(write, context, tally)
    if depth == "planned":
        _scan_unrestricted(levels, ctes, context, tally)


def _follow_rules(write: Any, context: EffectContext, tally: Tally) -> None:
    """Rules of the table that is written put their own queries beside the statement or in its place. What triggers do
    stands in code that is not read."""
    name = name_of(write.relation, context)
    event = str(write.tag).removesuffix("Stmt").upper()
    for item in context.links.on_relation.get(name, ()):
        text = item.statements[0]
        if item.kind == "trigger":
            if re.search(rf"\b(?:{event}|INSERT OR|UPDATE OR|DELETE OR)\b", text) or event == "MERGE":
                tally.assumes.append(f"trigger {item.name.name} of {name} locks nothing else; what it does is not read")
            continue
        try:
            rule_node = parse_one(text)
        except (ParseError, ValueError):
            continue
        if str(rule_node.event).removeprefix("CMD_") != event:
            continue
        inner = Tally()
        for action in rule_node.actions or ():
            # A rule may write to the table that it stands on; PostgreSQL refuses those that do so without an end.
            read_query(action, replace(context, catalog=_without_rules(context)), inner)
        for found, mode in inner.locks.items():
            if found.name not in ("old", "new"):
                tally.lock(found, mode)


def _without_rules(context: EffectContext) -> Catalog:
    assert context.catalog is not None
    return replace(
        context.catalog,
        objects={ref: item for ref, item in context.catalog.objects.items() if item.kind not in ("rule", "trigger")},
    )


_STRENGTHS = {
    "LCS_FORKEYSHARE": RowLock.KEY_SHARE,
    "LCS_FORSHARE": RowLock.SHARE,
    "LCS_FORNOKEYUPDATE": RowLock.NO_KEY_UPDATE,
    "LCS_FORUPDATE": RowLock.UPDATE,
}


def _rows_locked(select: Any) -> dict[int, RowLock]:
    """By id of the ``RangeVar``: FOR UPDATE without OF means every table of its own FROM, and those in subqueries
    there; with OF the ones that it names."""
    found: dict[int, RowLock] = {}
    own = _tables_in(select.fromClause)
    for clause in select.lockingClause:
        mode = _STRENGTHS[clause.strength]
        named = {alias.relname for alias in clause.lockedRels or ()}
        for alias, relations in own:
            if not named or alias in named:
                for relation in relations:
                    found[id(relation)] = max(mode, found.get(id(relation), mode))
    return found


def _tables_in(sources: Any) -> list[tuple[str, list[Any]]]:
    """(alias, tables) of the items of a FROM; those of a subquery go by the alias of the subquery."""
    found: list[tuple[str, list[Any]]] = []
    stack = list(sources or ())
    while stack:
        item = stack.pop()
        if item.tag == "JoinExpr":
            stack += [item.larg, item.rarg]
        elif item.tag == "RangeSubselect":
            inner = [table for _, tables in _tables_in(item.subquery.fromClause) for table in tables]
            found.append((item.alias.aliasname if item.alias is not None else "", inner))
        elif item.relname is not None:
            found.append((item.alias.aliasname if item.alias is not None else item.relname, [item]))
    return found


def _scan_unrestricted(levels: Iterable[Any], ctes: Collection[str], context: EffectContext, tally: Tally) -> None:
    """Note the tables that a query reads from end to end."""
    for relation in unrestricted(levels, context):
        if relation.schemaname is None and relation.relname in ctes:
            continue
        name = name_of(relation, context)
        for found in readers(name, context) if relation.inh or context.is_view(name) else (name,):
            table = context.table(found)
            if not context.is_view(found) and (table is None or table.partition_by is None):
                tally.scans.add(found)


@rule("CopyStmt")
def _copy(node: Any, context: EffectContext, tally: Tally) -> None:
    if node.query is not None:
        read_query(node.query, context, tally)
    elif node.is_from:
        name = name_of(node.relation, context)
        new_rows(name, None, context, tally)
    else:
        name = name_of(node.relation, context)
        tally.lock(name, LockMode.AccessShareLock)
        tally.reads.add(name)
        tally.scans.add(name)


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
        tally.writes_all.clear()
        tally.scans.clear()
        tally.row_locks.clear()


@rule("CreateTableAsStmt")
def _create_table_as(node: Any, context: EffectContext, tally: Tally) -> None:
    name = _new_name(node.into.rel, context)
    if node.if_not_exists and (context.table(name) is not None or context.object("materialized view", name)):
        read_query(node.query, context, tally, depth="analysed")
        return
    read_query(node.query, context, tally)
    tally.creates.add(name)
    if node.into.skipData:
        tally.scans.clear()
