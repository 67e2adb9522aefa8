"""DROP: what goes, what goes with it, and the tables at the other end of what went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wesley_tui.catalog.model import QName, Ref
from wesley_tui.planner.effects.context import EffectContext, names_in
from wesley_tui.planner.effects.dependents import drop_users
from wesley_tui.planner.effects.partitions import leave_family
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.registry import rule
from wesley_tui.planner.plan import LockMode

__all__: list[str] = []

_Drop = Callable[[list[str], Any, EffectContext, Tally], None]


@rule("DropStmt")
def _drop(node: Any, context: EffectContext, tally: Tally) -> None:
    kind = node.removeType.removeprefix("OBJECT_")
    function = _KINDS.get(kind)
    if function is None:
        tally.unknown = f"DROP {kind} is not in the model"
        return
    for item in node.objects:
        function(names_in(item), node, context, tally)


def _qualify(parts: list[str], context: EffectContext) -> QName:
    return context.resolve(parts[-2] if len(parts) > 1 else None, parts[-1])


def _cascades(node: Any) -> bool:
    return bool(node.behavior == "DROP_CASCADE")


def _table(parts: list[str], node: Any, context: EffectContext, tally: Tally) -> None:
    name = _qualify(parts, context)
    if node.missing_ok and context.is_absent(name):
        return
    _drop_table(name, context, tally, cascade=_cascades(node))
    if not context.knows(name):
        tally.assumes.append(f"no foreign key goes from or to {name}; the table at its other end would be locked")


def _drop_table(name: QName, context: EffectContext, tally: Tally, *, cascade: bool) -> None:
    table = context.whole_table(name)
    tally.lock(name, LockMode.AccessExclusiveLock)
    tally.loses.append(f"all rows of {name}")
    tally.breaks.append(f"clients that still use {name}")
    leave_family(name, context, tally)
    # What a partition has from its parent goes with the parent's own triggers, which stay.
    own = context.table(name)
    for key in own.foreign_keys if own is not None else ():
        for found in (key.references, *context.descendants(key.references)):
            tally.lock(found, LockMode.AccessExclusiveLock)
    for other, _ in context.foreign_keys_to(name):
        for found in (other, *context.descendants(other)):
            tally.lock(found, LockMode.AccessExclusiveLock)
    for above in context.ancestors(name) if cascade else ():
        for other, key in context.foreign_keys_to(above):
            for found in (*context.family(other), *context.family(above)):
                tally.lock(found, LockMode.AccessExclusiveLock)
            tally.loses.append(f"constraint {key.name} of {other}, which needs {name}")
    for item in context.objects():
        if item.owned_by is not None and item.owned_by[0] == name:
            tally.lock(item.name, LockMode.AccessExclusiveLock)
    is_partitioned = table is not None and table.partition_by is not None
    for child in context.descendants(name):
        if (is_partitioned or cascade) and child not in tally.locks:
            _drop_table(child, context, tally, cascade=cascade)
    if cascade:
        drop_users(Ref("table", str(name)), context, tally)


def _relation(kind: str) -> _Drop:
    def drop(parts: list[str], node: Any, context: EffectContext, tally: Tally) -> None:
        name = _qualify(parts, context)
        if node.missing_ok and context.complete and context.object(kind, name) is None:
            return
        tally.lock(name, LockMode.AccessExclusiveLock)
        tally.breaks.append(f"clients that still use {kind} {name}")
        if kind in ("materialized view", "sequence"):
            tally.loses.append(f"{kind} {name}")
        if _cascades(node):
            drop_users(Ref(kind, str(name)), context, tally)

    return drop


def _index(parts: list[str], node: Any, context: EffectContext, tally: Tally) -> None:
    tally.in_transaction = tally.in_transaction and not node.concurrent
    index = _qualify(parts, context)
    table = context.index_table(index)
    mode = LockMode.ShareUpdateExclusiveLock if node.concurrent else LockMode.AccessExclusiveLock
    if table is None:
        if node.missing_ok and context.complete:
            return
        tally.lock(index, mode)
        if context.catalog is None:
            tally.unknown = f"the table of index {index} is not known: it is locked"
        tally.assumes.append(f"the table of index {index} is not known: it is under {mode.name}, like the index")
        return
    tally.lock(table, mode)
    record = context.table(table)
    if record is not None and record.partition_by is not None:
        for child in context.descendants(table):
            tally.lock(child, mode)


def _on_table(mode: LockMode, lost: str) -> _Drop:
    def drop(parts: list[str], node: Any, context: EffectContext, tally: Tally) -> None:
        *table, thing = parts
        name = _qualify(table, context)
        if node.missing_ok and _is_missing(lost.partition(" ")[0], thing, name, context):
            return
        tally.lock(name, mode)
        tally.loses.append(lost.format(thing=thing, name=name))
        if lost.startswith("trigger"):
            record = context.table(name)
            if record is not None and record.partition_by is not None and context.is_row_trigger(name, thing):
                for child in context.descendants(name):
                    tally.lock(child, mode)

    return drop


def _is_missing(kind: str, thing: str, table: QName, context: EffectContext) -> bool:
    """IF EXISTS, and it does not exist."""
    if not context.complete:
        return False
    if context.is_absent(table):
        return True
    record = context.table(table)
    if kind == "policy":
        return record is not None and all(policy.name != thing for policy in record.policies)
    assert context.catalog is not None
    return Ref("trigger" if kind == "trigger" else "rule", f"{thing} ON {table}") not in context.catalog.objects


def _statistics(parts: list[str], _node: Any, context: EffectContext, tally: Tally) -> None:
    name = _qualify(parts, context)
    item = context.object("statistics", name)
    if item is None:
        tally.assumes.append(f"the table of statistics {name} is under ShareUpdateExclusiveLock; it is not known which")
        return
    for ref in item.depends_on:
        if ref.kind == "table":
            schema, _, table = ref.name.partition(".")
            tally.lock(QName(schema, table), LockMode.ShareUpdateExclusiveLock)


def _named(word: str, *kinds: str) -> _Drop:
    """Types and routines: nobody waits, unless CASCADE reaches tables."""

    def drop(parts: list[str], node: Any, context: EffectContext, tally: Tally) -> None:
        name = _qualify(parts, context)
        tally.breaks.append(f"clients that still name the {word} {name}")
        if not _cascades(node):
            return
        if not context.complete:
            tally.unknown = f"what depends on {word} {name} is dropped too, and what that is is not known"
            return
        for kind in kinds:
            refs = {Ref(kind, str(name))}
            refs |= {item.ref for item in context.objects() if item.kind == kind and item.name == name}
            for ref in refs:
                drop_users(ref, context, tally)

    return drop


def _schema(parts: list[str], node: Any, context: EffectContext, tally: Tally) -> None:
    schema = parts[-1]
    if not _cascades(node):
        return
    tally.loses.append(f"everything in schema {schema}")
    tally.breaks.append(f"clients that still use schema {schema}")
    if not context.complete:
        tally.unknown = f"every relation of schema {schema} is dropped, and which those are is not known"
    for table in list(context.tables()):
        if table.name.schema == schema:
            _drop_table(table.name, context, tally, cascade=True)
    for unmanaged in context.catalog.unmanaged if context.catalog is not None else ():
        if unmanaged.name.schema == schema and unmanaged.kind.endswith("table"):
            tally.lock(unmanaged.name, LockMode.AccessExclusiveLock)
    for item in context.objects():
        if item.name.schema == schema and item.kind in ("view", "materialized view", "sequence", "foreign table"):
            tally.lock(item.name, LockMode.AccessExclusiveLock)


def _publication(parts: list[str], _node: Any, _context: EffectContext, tally: Tally) -> None:
    tally.breaks.append(f"subscribers of publication {parts[-1]}: they fail or stand still")


def _extension(parts: list[str], node: Any, _context: EffectContext, tally: Tally) -> None:
    tally.loses.append(f"extension {parts[-1]} with every object that belongs to it")
    if _cascades(node):
        tally.unknown = f"what depends on extension {parts[-1]} is dropped too, and what that is is not known"


def _catalog_only(parts: list[str], node: Any, _context: EffectContext, tally: Tally) -> None:
    if _cascades(node):
        tally.unknown = f"what depends on {'.'.join(parts)} is dropped too, and what that is is not known"


_KINDS: dict[str, _Drop] = {
    "TABLE": _table,
    "FOREIGN_TABLE": _table,
    "VIEW": _relation("view"),
    "MATVIEW": _relation("materialized view"),
    "SEQUENCE": _relation("sequence"),
    "INDEX": _index,
    "POLICY": _on_table(
        LockMode.AccessExclusiveLock, "policy {thing} of {name}: rows are seen and written by other rules then"
    ),
    "TRIGGER": _on_table(LockMode.AccessExclusiveLock, "trigger {thing} of {name}: what it guards is not guarded then"),
    "RULE": _on_table(LockMode.AccessExclusiveLock, "rule {thing} of {name}"),
    "STATISTIC_EXT": _statistics,
    "TYPE": _named("type", "enum", "composite type", "range type", "domain"),
    "DOMAIN": _named("domain", "domain"),
    "FUNCTION": _named("function", "function"),
    "PROCEDURE": _named("procedure", "procedure"),
    "ROUTINE": _named("routine", "function", "procedure", "aggregate"),
    "AGGREGATE": _named("aggregate", "aggregate"),
    "SCHEMA": _schema,
    "PUBLICATION": _publication,
    "EXTENSION": _extension,
} | dict.fromkeys(
    (
        *("COLLATION", "CONVERSION", "OPERATOR", "OPCLASS", "OPFAMILY", "CAST", "LANGUAGE", "EVENT_TRIGGER", "FDW"),
        *("FOREIGN_SERVER", "TSCONFIGURATION", "TSDICTIONARY", "TSPARSER", "TSTEMPLATE", "TRANSFORM", "ACCESS_METHOD"),
    ),
    _catalog_only,
)
