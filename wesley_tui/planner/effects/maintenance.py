"""VACUUM, CLUSTER, REINDEX, REFRESH, TRUNCATE, LOCK: statements that name tables and a way to treat them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wesley_tui.catalog.model import QName
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.partitions import referencing_tables
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.registry import rule
from wesley_tui.planner.effects.target import Target
from wesley_tui.planner.effects.writing import readers
from wesley_tui.planner.plan import LockMode

__all__ = ["options_of"]


def options_of(items: Any) -> dict[str, bool]:
    """Names of boolean options in parentheses, with their value; alone they mean true."""
    found = {}
    for item in items or ():
        argument = item.arg
        text = "" if argument is None else str(argument.sval or argument.ival or argument.boolval or "")
        falsy = argument is not None and text.lower() in ("false", "off", "0", "")
        found[str(item.defname).lower()] = not falsy
    return found


@rule("VacuumStmt")
def _vacuum(node: Any, context: EffectContext, tally: Tally) -> None:
    options = options_of(node.options)
    full = options.get("full", False)
    tally.in_transaction = not node.is_vacuumcmd
    mode = LockMode.AccessExclusiveLock if full else LockMode.ShareUpdateExclusiveLock
    if not node.rels:
        if not context.complete:
            tally.unknown = "every table of the database is treated, and which those are is not known"
        names: list[QName] = [table.name for table in context.tables()]
    else:
        names = []
        for item in node.rels:
            name = name_of(item.relation, context)
            names.append(name)
            table = context.table(name)
            if item.relation.inh and table is not None and (table.partition_by is not None or context.major >= 18):
                names += context.descendants(name)
            elif not node.is_vacuumcmd or options.get("analyze", False):
                # Their rows are sampled for the statistics of the whole.
                for child in context.descendants(name):
                    if not Target(child, context, tally).is_partitioned:
                        tally.lock(child, LockMode.AccessShareLock)
    for name in names:
        tally.lock(name, mode)
        if full:
            Target(name, context, tally).rewrite()
        elif node.is_vacuumcmd:
            Target(name, context, tally).scan()


@rule("ClusterStmt")
def _cluster(node: Any, context: EffectContext, tally: Tally) -> None:
    if node.relation is None:
        tally.in_transaction = False
        tally.unknown = "every table that was clustered before is rewritten, and which those are is not known"
        return
    name = name_of(node.relation, context)
    for found in (name, *(context.descendants(name) if Target(name, context, tally).is_partitioned else ())):
        tally.lock(found, LockMode.AccessExclusiveLock)
        Target(found, context, tally).rewrite()
    tally.in_transaction = not Target(name, context, tally).is_partitioned


@rule("ReindexStmt")
def _reindex(node: Any, context: EffectContext, tally: Tally) -> None:
    concurrent = options_of(node.params).get("concurrently", False)
    mode = LockMode.ShareUpdateExclusiveLock if concurrent else LockMode.ShareLock
    tally.in_transaction = not concurrent
    match node.get("kind"):
        case "REINDEX_OBJECT_INDEX":
            index = name_of(node.relation, context)
            table = context.index_table(index)
            tally.rebuilds.add(index)
            if table is None:
                tally.lock(index, LockMode.ShareUpdateExclusiveLock if concurrent else LockMode.AccessExclusiveLock)
                tally.assumes.append(f"the table of index {index} is not known: it is under {mode.name}")
                return
            _reindex_tables([table], mode, context, tally)
        case "REINDEX_OBJECT_TABLE":
            name = name_of(node.relation, context)
            if context.object("materialized view", name) is not None:
                tally.lock(name, mode)
                tally.scans.add(name)
                return
            _reindex_tables([name], mode, context, tally)
            _rebuild_all(name, context, tally)
        case "REINDEX_OBJECT_SCHEMA":
            tally.in_transaction = False
            names = [table.name for table in context.tables() if table.name.schema == node.name]
            _reindex_tables(names, mode, context, tally)
            if not context.complete:
                tally.unknown = f"every table of schema {node.name} is locked, and which those are is not known"
        case _:
            tally.in_transaction = False
            _reindex_tables([table.name for table in context.tables()], mode, context, tally)
            if not context.complete:
                tally.unknown = "every table of the database is locked, and which those are is not known"


def _rebuild_all(name: QName, context: EffectContext, tally: Tally) -> None:
    table = context.table(name)
    for index in table.indexes if table is not None else ():
        tally.rebuilds.add(QName(name.schema, index.name))


def _reindex_tables(names: Iterable[QName], mode: LockMode, context: EffectContext, tally: Tally) -> None:
    for name in names:
        target = Target(name, context, tally)
        members = (name, *(target.children if target.is_partitioned else ()))
        if target.is_partitioned:
            tally.in_transaction = False
        for member in members:
            tally.lock(member, mode)
            Target(member, context, tally).scan()


@rule("RefreshMatViewStmt")
def _refresh(node: Any, context: EffectContext, tally: Tally) -> None:
    name = name_of(node.relation, context)
    tally.lock(name, LockMode.ExclusiveLock if node.concurrent else LockMode.AccessExclusiveLock)
    if not node.concurrent:
        tally.rewrites.add(name)
    view = context.object("materialized view", name)
    if view is None:
        tally.assumes.append(f"the tables under {name} are read under AccessShareLock; which those are is not known")
        return
    if node.skipData:
        return
    for ref in view.depends_on:
        if ref.kind in ("table", "view", "materialized view"):
            schema, _, relation = ref.name.partition(".")
            for found in readers(QName(schema, relation), context):
                tally.lock(found, LockMode.AccessShareLock)
                tally.reads.add(found)
                if not context.is_view(found):
                    Target(found, context, tally).scan()


@rule("TruncateStmt")
def _truncate(node: Any, context: EffectContext, tally: Tally) -> None:
    names: dict[QName, None] = {}
    for relation in node.relations:
        name = name_of(relation, context)
        names |= dict.fromkeys((name, *(context.descendants(name) if relation.inh else ())))
    if node.behavior == "DROP_CASCADE":
        stack = list(names)
        while stack:
            for other in referencing_tables(stack.pop(), context):
                if other not in names:
                    names[other] = None
                    stack.append(other)
                    for child in context.descendants(other):
                        names[child] = None
                        stack.append(child)
        if not context.complete:
            tally.assumes.append("no table points to these with a foreign key; every one that does is emptied too")
    for name in names:
        tally.lock(name, LockMode.AccessExclusiveLock)
        if name not in context.created:
            tally.loses.append(f"all rows of {name}")


@rule("LockStmt")
def _lock(node: Any, context: EffectContext, tally: Tally) -> None:
    mode = LockMode(node.mode)
    for relation in node.relations:
        name = name_of(relation, context)
        for found in readers(name, context) if relation.inh else (name,):
            tally.lock(found, mode)
