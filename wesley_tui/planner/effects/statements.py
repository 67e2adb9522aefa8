"""Every other statement: one function per node of libpg_query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast
from pglast.enums import ConstrType
from pglast.visitors import Visitor

from wesley_tui.catalog.model import QName, Table
from wesley_tui.planner.effects.context import EffectContext, name_of, names_in
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.plan import LockMode

__all__ = ["read"]

_Rule = Callable[[Any, EffectContext, Tally], None]
_RULES: dict[str, _Rule] = {}


def read(node: Any, context: EffectContext, tally: Tally) -> None:
    """Add the effects of ``node`` to ``tally``; without a rule for it the statement is unknown."""
    kind = type(node).__name__
    rule = _RULES.get(kind)
    if rule is None:
        tally.unknown = f"{kind.removesuffix('Stmt')} statements are not in the model"
    else:
        rule(node, context, tally)


def _rule(*kinds: str) -> Callable[[_Rule], _Rule]:
    def register(function: _Rule) -> _Rule:
        for kind in kinds:
            _RULES[kind] = function
        return function

    return register


@_rule("CreateStmt")
def _create_table(node: Any, context: EffectContext, tally: Tally) -> None:
    name = _target_name(node.relation, context)
    tally.creates.add(name)
    for parent in node.inhRelations or ():
        mode = LockMode.AccessExclusiveLock if node.partbound is not None else LockMode.ShareUpdateExclusiveLock
        tally.lock(name_of(parent, context), mode)
    for element in node.tableElts or ():
        constraints: Any = element.constraints if isinstance(element, ast.ColumnDef) else (element,)
        for constraint in constraints or ():
            if not isinstance(constraint, ast.Constraint):
                continue
            if constraint.contype == ConstrType.CONSTR_FOREIGN:
                tally.lock(name_of(constraint.pktable, context), LockMode.ShareRowExclusiveLock)
        if isinstance(element, ast.TableLikeClause):
            tally.lock(name_of(element.relation, context), LockMode.AccessShareLock)


def _target_name(relation: Any, context: EffectContext) -> QName:
    """A new table lands in the first schema of the search path."""
    schema = relation.schemaname or (context.search_path[0] if context.search_path else "public")
    return QName(schema, relation.relname)


@_rule("CreateSchemaStmt", "CreateEnumStmt")
def _nobody_waits(node: Any, context: EffectContext, tally: Tally) -> None:
    """Only catalogs are written, and nobody knows the new object yet."""


@_rule("AlterEnumStmt")
def _alter_enum(node: Any, _: EffectContext, tally: Tally) -> None:
    if node.oldVal is not None:
        name = ".".join(names_in(node.typeName))
        tally.breaks.append(f"clients that still say {node.oldVal!r} for a value of {name}")


@_rule("IndexStmt")
def _create_index(node: Any, context: EffectContext, tally: Tally) -> None:
    table = name_of(node.relation, context)
    tally.lock(table, LockMode.ShareUpdateExclusiveLock if node.concurrent else LockMode.ShareLock)
    tally.scans.add(table)
    tally.in_transaction = not node.concurrent


@_rule("DropStmt")
def _drop(node: Any, context: EffectContext, tally: Tally) -> None:
    match node.removeType.name:
        case "OBJECT_TABLE":
            for parts in node.objects:
                _drop_table(_qualify(names_in(parts), context), context, tally)
        case "OBJECT_INDEX":
            _drop_index(node, context, tally)
        case "OBJECT_POLICY":
            for parts in node.objects:
                *table, policy = names_in(parts)
                name = _qualify(table, context)
                tally.lock(name, LockMode.AccessExclusiveLock)
                tally.loses.append(f"policy {policy} of {name}: rows are seen and written by other rules then")
        case "OBJECT_TYPE":
            for item in node.objects:
                tally.breaks.append(f"clients that still name the type {'.'.join(names_in(item.names))}")
        case other:
            tally.unknown = f"DROP {other.removeprefix('OBJECT_')} is not in the model"


def _qualify(parts: list[str], context: EffectContext) -> QName:
    return context.resolve(parts[-2] if len(parts) > 1 else None, parts[-1])


def _drop_table(name: QName, context: EffectContext, tally: Tally) -> None:
    tally.lock(name, LockMode.AccessExclusiveLock)
    tally.loses.append(f"all rows of {name}")
    tally.breaks.append(f"clients that still use {name}")
    table = context.table(name)
    for key in table.foreign_keys if table is not None else ():
        tally.lock(key.references, LockMode.AccessExclusiveLock)
    for other, _ in context.foreign_keys_to(name):
        tally.lock(other, LockMode.AccessExclusiveLock)


def _drop_index(node: Any, context: EffectContext, tally: Tally) -> None:
    tally.in_transaction = not node.concurrent
    for parts in node.objects:
        names = names_in(parts)
        index = QName(names[-2] if len(names) > 1 else "public", names[-1])
        table = context.index_table(index)
        if table is None:
            tally.unknown = f"the table of index {index} is not known: it is locked"
        else:
            mode = LockMode.ShareUpdateExclusiveLock if node.concurrent else LockMode.AccessExclusiveLock
            tally.lock(table, mode)


@_rule("RenameStmt")
def _rename(node: Any, context: EffectContext, tally: Tally) -> None:
    kind = node.renameType.name
    if kind == "OBJECT_INDEX":
        return
    if kind == "OBJECT_TYPE":
        tally.breaks.append(f"clients that still name the type {'.'.join(names_in(node.object))}")
        return
    relation_kind = node.relationType.name if kind in ("OBJECT_COLUMN",) else kind
    if relation_kind not in ("OBJECT_TABLE", "OBJECT_TABCONSTRAINT", "OBJECT_POLICY"):
        tally.unknown = f"renaming a {kind.removeprefix('OBJECT_').lower()} is not in the model"
        return
    table = name_of(node.relation, context)
    tally.lock(table, LockMode.AccessExclusiveLock)
    if kind == "OBJECT_COLUMN":
        tally.breaks.append(f"clients that still use {table}.{node.subname}")
    elif kind == "OBJECT_TABLE":
        tally.breaks.append(f"clients that still use {table}")


@_rule("AlterObjectSchemaStmt")
def _set_schema(node: Any, context: EffectContext, tally: Tally) -> None:
    match node.objectType.name:
        case "OBJECT_TABLE":
            table = name_of(node.relation, context)
            tally.lock(table, LockMode.AccessExclusiveLock)
            tally.breaks.append(f"clients that still use {table}")
        case "OBJECT_TYPE":
            tally.breaks.append(f"clients that still name the type {'.'.join(names_in(node.object))}")
        case other:
            tally.unknown = f"ALTER {other.removeprefix('OBJECT_')} … SET SCHEMA is not in the model"


@_rule("CreatePolicyStmt", "AlterPolicyStmt")
def _policy(node: Any, context: EffectContext, tally: Tally) -> None:
    tally.lock(name_of(node.table, context), LockMode.AccessExclusiveLock)


@_rule("CommentStmt")
def _comment(node: Any, context: EffectContext, tally: Tally) -> None:
    """Tables and columns under SHARE UPDATE EXCLUSIVE; of the table of a constraint or policy only its name is held."""
    match node.objtype.name:
        case "OBJECT_TABLE":
            tally.lock(_qualify(names_in(node.object), context), LockMode.ShareUpdateExclusiveLock)
        case "OBJECT_COLUMN":
            tally.lock(_qualify(names_in(node.object)[:-1], context), LockMode.ShareUpdateExclusiveLock)
        case "OBJECT_TABCONSTRAINT" | "OBJECT_POLICY":
            tally.lock(_qualify(names_in(node.object)[:-1], context), LockMode.AccessShareLock)
        case "OBJECT_INDEX" | "OBJECT_TYPE" | "OBJECT_SCHEMA":
            pass
        case other:
            tally.unknown = f"COMMENT ON {other.removeprefix('OBJECT_')} is not in the model"


class _Relations(Visitor):
    def __init__(self) -> None:
        self.found: list[Any] = []
        self.ctes: set[str] = set()
        self.written: list[Any] = []
        self.locks_rows = False
        self.aliases: list[Any] = []

    def visit_RangeVar(self, _: Any, node: Any) -> None:
        self.found.append(node)

    def visit_CommonTableExpr(self, _: Any, node: Any) -> None:
        self.ctes.add(node.ctename)

    def visit_LockingClause(self, _: Any, node: Any) -> None:
        self.locks_rows = True
        self.aliases.extend(node.lockedRels or ())

    def visit_UpdateStmt(self, _: Any, node: Any) -> None:
        self.written.append(node)

    def visit_InsertStmt(self, _: Any, node: Any) -> None:
        self.written.append(node)

    def visit_DeleteStmt(self, _: Any, node: Any) -> None:
        self.written.append(node)


@_rule("SelectStmt", "UpdateStmt", "InsertStmt", "DeleteStmt")
def _query(node: Any, context: EffectContext, tally: Tally) -> None:
    """Reads under ACCESS SHARE, row locks under ROW SHARE, writes under ROW EXCLUSIVE; a written foreign key looks up
    its parent with FOR KEY SHARE."""
    relations = _Relations()
    relations(node)
    mode = LockMode.RowShareLock if relations.locks_rows else LockMode.AccessShareLock
    for relation in relations.found:
        if any(relation is alias for alias in relations.aliases):
            continue
        if relation.schemaname is not None or relation.relname not in relations.ctes:
            tally.lock(name_of(relation, context), mode)
    for write in relations.written:
        name = name_of(write.relation, context)
        tally.lock(name, LockMode.RowExclusiveLock)
        if isinstance(write, ast.DeleteStmt):
            tally.loses.append(f"rows of {name}")
            continue
        table = context.table(name)
        if table is None:
            continue
        columns = _written_columns(write, table)
        for key in table.foreign_keys:
            if columns.intersection(key.columns):
                tally.lock(key.references, LockMode.RowShareLock)


def _written_columns(write: Any, table: Table) -> set[str]:
    """Columns that may get a value other than NULL: those that are named, and in new rows those with a default."""
    if isinstance(write, ast.UpdateStmt):
        return {item.name for item in write.targetList or ()}
    named = {item.name for item in write.cols or ()}
    if not named:
        return {column.name for column in table.columns}
    return named | {column.name for column in table.columns if column.default is not None}
