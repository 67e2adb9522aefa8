"""Questions about an expression: which column does it speak of, does it prove that one is not null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from pglast.parser import ParseError

from wesley_tui.planner.effects.tree import parse_value, walk
from wesley_tui.planner.volatility import is_volatile_function

__all__ = ["columns_in", "mentions", "proves_not_null", "volatile_calls"]


@lru_cache(maxsize=4096)
def columns_in(expression: str) -> frozenset[str] | None:
    """Names that may be columns of the expression's table; None when it cannot be told."""
    try:
        node = parse_value(expression)
    except (ParseError, ValueError):
        return None
    names = set()
    for item in walk(node):
        if item.tag == "ColumnRef":
            last = item.fields[-1]
            if "sval" not in last:
                return None
            names.add(str(last.sval))
    return frozenset(names)


def mentions(expression: str, column: str) -> bool:
    """True when the expression uses the column, or when nobody can tell."""
    names = columns_in(expression)
    return names is None or column in names


@lru_cache(maxsize=4096)
def proves_not_null(expression: str, column: str, *, alone: bool = False) -> bool:
    """True when the condition holds only for rows in which ``column`` is not null: ``column IS NOT NULL``, alone or (if
    not ``alone``) as one of several conditions that AND joins."""
    try:
        node = parse_value(expression)
    except (ParseError, ValueError):
        return False
    return any(_is_not_null(part, column) for part in ([node] if alone else _conjuncts(node)))


def _conjuncts(node: Any) -> list[Any]:
    found, stack = [], [node]
    while stack:
        item = stack.pop()
        if item.tag == "BoolExpr" and item.boolop == "AND_EXPR":
            stack.extend(item.args)
        else:
            found.append(item)
    return found


def _is_not_null(node: Any, column: str) -> bool:
    return bool(
        node.tag == "NullTest"
        and node.nulltesttype == "IS_NOT_NULL"
        and node.arg.tag == "ColumnRef"
        and node.arg.fields[-1].sval == column
    )


def volatile_calls(node: Any, is_stable: Callable[[Sequence[str]], bool] | None = None) -> list[str]:
    """What may give every row another value: functions that are not known to be stable, and subqueries.
    ``is_stable``: asked for functions that PostgreSQL does not bring."""
    found = []
    for item in walk(node):
        if item.tag == "FuncCall":
            names = [part.sval for part in item.funcname]
            if is_volatile_function(names) and not (is_stable is not None and is_stable(names)):
                found.append(".".join(names))
        elif item.tag == "SubLink":
            found.append("a subquery")
    return found
