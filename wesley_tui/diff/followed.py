"""Queries after a rename of columns: the server goes on showing the column under its old name, by an alias.

``SELECT a FROM t`` is stored as numbers of columns; once ``a`` is called ``b`` it is printed as ``SELECT b AS a FROM
t``. A view that is declared like that needs nothing done to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream
from pglast.visitors import Visitor

from wesley_tui.catalog.model import QName

__all__ = ["with_columns_renamed"]


def with_columns_renamed(statement: str, columns: Mapping[QName, Mapping[str, str]]) -> str:
    """``statement``, a CREATE VIEW or CREATE MATERIALIZED VIEW over tables by their new names, with their columns
    renamed; as it is where it cannot be told which table a name belongs to (subqueries, unqualified names in joins)."""
    try:
        (raw,) = parse_sql(statement)
    except (ParseError, ValueError):
        return statement
    node: Any = raw.stmt
    query: Any = node.query if isinstance(node, ast.ViewStmt | ast.CreateTableAsStmt) else None
    if not isinstance(query, ast.SelectStmt) or query.targetList is None:
        return statement
    look = _Look()
    look(query)
    if look.nested or not look.tables:
        return statement
    known = {
        (item.alias.aliasname if item.alias is not None else item.relname): columns.get(
            QName(item.schemaname or "public", item.relname), {}
        )
        for item in look.tables
    }
    alone = next(iter(known.values())) if len(known) == 1 else {}
    named = bool(node.aliases) if isinstance(node, ast.ViewStmt) else bool(node.into.colNames)
    changed = False
    for target in query.targetList:
        old = _last_name(target.val)
        if not named and target.name is None and old is not None and _new_name(target.val, known, alone) is not None:
            target.name = old
    for reference in look.references:
        new = _new_name(reference, known, alone)
        if new is not None:
            reference.fields = (*reference.fields[:-1], ast.String(sval=new))
            changed = True
    return str(RawStream()(node)) if changed else statement


class _Look(Visitor):
    """Tables and references of a query without subqueries."""

    def __init__(self) -> None:
        self.tables: list[Any] = []
        self.references: list[Any] = []
        self.nested = False
        self._depth = 0

    def visit_SelectStmt(self, _: Any, node: Any) -> None:
        self._depth += 1
        self.nested = self.nested or self._depth > 1 or node.withClause is not None or node.larg is not None

    def visit_RangeVar(self, _: Any, node: Any) -> None:
        self.tables.append(node)

    def visit_ColumnRef(self, _: Any, node: Any) -> None:
        self.references.append(node)


def _last_name(node: Any) -> str | None:
    last = node.fields[-1] if isinstance(node, ast.ColumnRef) and node.fields else None
    return str(last.sval) if isinstance(last, ast.String) else None


def _new_name(node: Any, known: Mapping[str, Mapping[str, str]], alone: Mapping[str, str]) -> str | None:
    name = _last_name(node)
    if name is None:
        return None
    fields: Any = node.fields
    if len(fields) == 1:
        return alone.get(name)
    return known.get(fields[0].sval, {}).get(name) if len(fields) == 2 else None
