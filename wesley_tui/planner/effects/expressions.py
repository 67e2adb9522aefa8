"""Questions about an expression: which column does it speak of, does it prove that one is not null."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pglast import ast
from pglast.parser import ParseError
from pglast.visitors import Visitor

from wesley_tui.planner.parse import parse_expression

__all__ = ["columns_in", "mentions", "proves_not_null"]


class _Columns(Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()
        self.whole_row = False

    def visit_ColumnRef(self, _: Any, node: Any) -> None:
        last = node.fields[-1]
        if isinstance(last, ast.String):
            self.names.add(str(last.sval))
        else:
            self.whole_row = True


@lru_cache(maxsize=4096)
def columns_in(expression: str) -> frozenset[str] | None:
    """Names that may be columns of the expression's table; None when it cannot be told."""
    try:
        node = parse_expression(expression)
    except (ParseError, ValueError):
        return None
    visitor = _Columns()
    visitor(node)
    return None if visitor.whole_row else frozenset(visitor.names)


def mentions(expression: str, column: str) -> bool:
    """True when the expression uses the column, or when nobody can tell."""
    names = columns_in(expression)
    return names is None or column in names


@lru_cache(maxsize=4096)
def proves_not_null(expression: str, column: str, *, alone: bool = False) -> bool:
    """True when the condition holds only for rows in which ``column`` is not null: ``column IS NOT NULL``, alone or (if
    not ``alone``) as one of several conditions that AND joins."""
    try:
        node = parse_expression(expression)
    except (ParseError, ValueError):
        return False
    return any(_is_not_null(part, column) for part in ([node] if alone else _conjuncts(node)))


def _conjuncts(node: Any) -> list[Any]:
    found, stack = [], [node]
    while stack:
        item = stack.pop()
        if type(item).__name__ == "BoolExpr" and item.boolop.name == "AND_EXPR":
            stack.extend(item.args)
        else:
            found.append(item)
    return found


def _is_not_null(node: Any, column: str) -> bool:
    return (
        type(node).__name__ == "NullTest"
        and node.nulltesttype.name == "IS_NOT_NULL"
        and type(node.arg).__name__ == "ColumnRef"
        and isinstance(node.arg.fields[-1], ast.String)
        and node.arg.fields[-1].sval == column
    )
