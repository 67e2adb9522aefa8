"""INSERT, UPDATE, DELETE, MERGE: rows that are written, and the rows of other tables that foreign keys ask for.

A new value of a foreign key looks up its parent with FOR KEY SHARE; a parent that goes, or gets another key, asks for
its children or takes them with it, which goes on from there. A key means the partitions of the table that it names too.
Which partitions a statement really opens depends on its values; all of them are named here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Literal

from wesley_tui.catalog.model import ForeignKey, QName, Table
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.record import RowLock, Tally
from wesley_tui.planner.effects.restrictions import is_indexed, is_key
from wesley_tui.planner.plan import LockMode

__all__ = ["WRITES", "Depth", "new_rows", "readers", "write_rows"]

Depth = Literal["analysed", "rewritten", "planned"]
"""How far PostgreSQL takes a query."""
WRITES = frozenset(("UpdateStmt", "InsertStmt", "DeleteStmt", "MergeStmt"))
_RELATIONS = frozenset(("table", "view", "materialized view"))


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


def write_rows(write: Any, context: EffectContext, tally: Tally, *, depth: Depth = "planned") -> None:
    """The effects of one INSERT, UPDATE, DELETE or MERGE on its own table and on those that keys lead to."""
    name = name_of(write.relation, context)
    if depth != "planned":
        for found in (name,) if depth == "analysed" else readers(name, context, children=False):
            tally.lock(found, LockMode.RowExclusiveLock)
        return
    actions = _actions(write)
    columns = _written_columns(write)
    if "insert" in actions:
        new_rows(name, columns if write.cols else None, context, tally)
    if actions == {"insert"}:
        return
    tally.writes.add(name)
    if write.tag == "UpdateStmt" and write.whereClause is None:
        tally.writes_all.add(name)
    targets = tuple(readers(name, context)) if write.relation.inh or context.is_view(name) else (name,)
    for found in targets:
        tally.lock(found, LockMode.RowExclusiveLock)
        if context.is_view(found):
            continue
        if "delete" in actions:
            tally.lock_rows(found, RowLock.UPDATE)
        elif columns:
            _lock_updated(found, columns, context, tally)
    if "delete" in actions:
        tally.loses.append(f"rows of {name}")
        for found in targets:
            _deleted(found, context, tally, frozenset((name,)))
    if "update" in actions:
        for found in targets:
            _checks_bound(found, context, tally)
            _updated(found, columns, context, tally, frozenset())


def _actions(write: Any) -> set[str]:
    if write.tag == "MergeStmt":
        words = {str(clause.commandType).removeprefix("CMD_").lower() for clause in write.mergeWhenClauses or ()}
        return words - {"nothing"} or {"update"}
    if write.tag == "InsertStmt":
        conflict = write.onConflictClause
        updates = conflict is not None and conflict.action == "ONCONFLICT_UPDATE"
        return {"insert", "update"} if updates else {"insert"}
    return {str(write.tag).removesuffix("Stmt").lower()}


def _written_columns(write: Any) -> set[str]:
    """Columns that existing rows get values for, and of an INSERT those that it names."""
    targets = list(write.targetList or ())
    for clause in write.mergeWhenClauses or ():
        if clause.commandType == "CMD_UPDATE":
            targets += clause.targetList or ()
    if write.onConflictClause is not None:
        targets += write.onConflictClause.targetList or ()
    return {item.name for item in (*targets, *(write.cols or ()))} - {None}


def new_rows(name: QName, named: Collection[str] | None, context: EffectContext, tally: Tally) -> None:
    """Rows that are inserted into a table or its partitions; ``named``: the columns that get a value, None means all.
    Children of plain inheritance get none."""
    tally.writes.add(name)
    targets = tuple(readers(name, context, children=False))
    for target in targets:
        for found in context.family(target):
            tally.lock(found, LockMode.RowExclusiveLock)
            table = context.whole_table(found)
            if table is None:
                continue
            columns = {column.name for column in table.columns if column.default is not None or named is None}
            _look_up_parents(table, columns | set(named or ()), context, tally)
    _checks_bound(name, context, tally)


def _checks_bound(name: QName, context: EffectContext, tally: Tally) -> None:
    """Whoever writes to a partition by its own name has the row held against the bounds of the tables above it."""
    for parent in context.ancestors(name):
        tally.lock(parent, LockMode.AccessShareLock)


def _look_up_parents(table: Table, columns: Collection[str], context: EffectContext, tally: Tally) -> None:
    for key in table.foreign_keys:
        if set(columns) & set(key.columns) and key.enforced:
            for found in context.family(key.references):
                tally.lock(found, LockMode.RowShareLock)
                tally.lock_rows(found, RowLock.KEY_SHARE)


def _lock_updated(name: QName, columns: Collection[str], context: EffectContext, tally: Tally) -> None:
    table = context.whole_table(name)
    changes_key = table is not None and is_key(table, columns)
    tally.lock_rows(name, RowLock.UPDATE if changes_key else RowLock.NO_KEY_UPDATE)


def _keys_to(name: QName, context: EffectContext) -> Iterator[tuple[QName, ForeignKey]]:
    """Foreign keys that a row of ``name`` answers to: those that name it, or a table that it is a partition of."""
    for target in (name, *context.ancestors(name)):
        yield from context.foreign_keys_to(target)
        table = context.table(target)
        for key in table.foreign_keys if table is not None else ():
            if key.references == target:
                yield target, key


_Seen = frozenset[QName]


def _deleted(name: QName, context: EffectContext, tally: Tally, seen: _Seen) -> None:
    """Whoever points to a deleted row is asked, or deleted or changed with it."""
    for other, key in _keys_to(name, context):
        if not key.enforced:
            continue
        _follow(other, key, key.on_delete, context, tally)
        if key.on_delete == "cascade":
            if other not in seen:
                tally.loses.append(f"rows of {other} that point to rows of {name}")
                for found in context.family(other):
                    _deleted(found, context, tally, seen | {name, other})
        elif key.on_delete in ("set null", "set default"):
            _updated(other, set(key.on_delete_columns or key.columns), context, tally, seen | {name, other})


def _updated(name: QName, columns: Collection[str], context: EffectContext, tally: Tally, seen: _Seen) -> None:
    """New values: of foreign keys, whose parents are looked up; of keys that others point to."""
    table = context.whole_table(name)
    if table is None:
        return
    _look_up_parents(table, columns, context, tally)
    for other, key in _keys_to(name, context):
        if not key.enforced or not set(columns) & set(key.referenced_columns):
            continue
        _follow(other, key, key.on_update, context, tally)
        if key.on_update in ("cascade", "set null", "set default") and other not in seen:
            for found in context.family(other):
                _updated(found, set(key.columns), context, tally, seen | {name, other})


def _follow(other: QName, key: ForeignKey, action: str, context: EffectContext, tally: Tally) -> None:
    """What a key does to the rows that point to a row which goes or changes; without an index on its columns each such
    row has the whole table read."""
    asks = action in ("no action", "restrict")
    for found in context.family(other):
        tally.lock(found, LockMode.RowShareLock if asks else LockMode.RowExclusiveLock)
        modes = {"cascade": RowLock.UPDATE, "no action": RowLock.KEY_SHARE, "restrict": RowLock.KEY_SHARE}
        tally.lock_rows(found, modes.get(action, RowLock.NO_KEY_UPDATE))
        table = context.whole_table(found)
        if table is not None and table.partition_by is None and not is_indexed(table, key.columns[0]):
            tally.scans.add(found)
    if asks:
        # A row that takes the place of the one that went makes it right again: PostgreSQL looks for one.
        for found in context.family(key.references):
            tally.lock(found, LockMode.RowShareLock)
