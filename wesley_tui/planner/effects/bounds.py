"""The bounds of partitions, and the CHECKs that prove them.

ATTACH PARTITION reads the table unless its constraints imply the bound. Whether they do PostgreSQL proves in general;
here only the form that people write for it is recognised: one key column, compared with the constants of the bound
themselves. Anything else is taken for no proof, so the answer is then the worse one.
"""

from __future__ import annotations

import re
from typing import Any

from pglast.parser import ParseError

from wesley_tui.catalog.model import Check, Table
from wesley_tui.planner.effects.expressions import columns_in
from wesley_tui.planner.effects.tree import Node, parse_value

__all__ = ["proves_bound"]


def proves_bound(table: Table, partition_by: str | None, bound: Any) -> bool:
    """True when validated CHECKs (and NOT NULL) of ``table`` imply ``bound`` of a parent that is partitioned by
    ``partition_by`` (``RANGE (created_at)``, as ``pg_get_partkeydef()`` prints it). None: the parent is not known, and
    a column whose CHECK says the same as the bound is taken for its key."""
    if bound is None or bound.is_default:
        return False
    if partition_by is None:
        strategy = {"r": "RANGE", "l": "LIST"}.get(bound.strategy, "")
        return any(_proves(table, strategy, key, bound) for key in _columns_checked(table))
    found = re.fullmatch(r"(RANGE|LIST) \(\"?([^\"(),\s]+)\"?\)", partition_by)
    return found is not None and _proves(table, found[1], found[2], bound)


def _columns_checked(table: Table) -> set[str]:
    checks = [item.expression for item in table.constraints if isinstance(item, Check) and item.validated]
    return {name for expression in checks for name in columns_in(expression) or ()}


def _proves(table: Table, strategy: str, key: str, bound: Any) -> bool:
    facts = _facts(table, key)
    column = table.column(key)
    is_there = (column is not None and column.not_null) or ("is not null", ()) in facts
    if strategy == "LIST":
        values = frozenset(_constant(item) for item in bound.listdatums or ())
        if None in values:
            return False
        return is_there and any(kind == "in" and set(given) <= values for kind, given in facts)
    lower, upper = _limits(bound.lowerdatums), _limits(bound.upperdatums)
    if lower is None or upper is None:
        return False
    from_below = lower == "minvalue" or any(
        kind in (">=", ">") and _is_at_most(lower, given[0]) for kind, given in facts if given
    )
    to_above = upper == "maxvalue" or any(
        kind == "<" and _is_at_most(given[0], upper) for kind, given in facts if given
    )
    return is_there and from_below and to_above


def _is_at_most(one: str, other: str) -> bool:
    """As numbers, or as dates and times in ISO form, whose order is that of their letters."""
    if one == other:
        return True
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        return float(one) <= float(other)
    return bool(_ISO.fullmatch(one) and _ISO.fullmatch(other)) and one <= other


_NUMBER = re.compile(r"-?\d{1,15}(\.\d+)?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\+00)?)?")


def _limits(datums: Any) -> str | None:
    """The only value of a bound, or the word for no limit."""
    if not datums or len(datums) != 1:
        return None
    (item,) = datums
    if item.tag == "ColumnRef":
        return str(item.fields[0].sval)
    return _constant(item)


def _facts(table: Table, key: str) -> list[tuple[str, tuple[str, ...]]]:
    """What validated CHECKs say of the column: (operator, constants)."""
    facts = []
    for constraint in table.constraints:
        if not isinstance(constraint, Check) or not constraint.validated:
            continue
        try:
            stack = [parse_value(constraint.expression)]
        except (ParseError, ValueError):
            continue
        while stack:
            node = stack.pop()
            if node.tag == "BoolExpr" and node.boolop == "AND_EXPR":
                stack.extend(node.args)
            elif (fact := _fact(node, key)) is not None:
                facts.append(fact)
    return facts


def _fact(node: Any, key: str) -> tuple[str, tuple[str, ...]] | None:
    if node.tag == "NullTest" and node.nulltesttype == "IS_NOT_NULL" and _is_key(node.arg, key):
        return ("is not null", ())
    if node.tag != "A_Expr" or not _is_key(node.lexpr, key):
        return None
    operator, kind, right = node.get("name")[0].sval, node.get("kind"), node.rexpr
    if kind == "AEXPR_IN" and operator == "=":
        values = [_constant(item) for item in right]
    elif kind == "AEXPR_OP_ANY" and operator == "=" and isinstance(right, Node):
        array = right.arg if right.tag == "TypeCast" else right
        values = [_constant(item) for item in array.elements or ()] if array.tag == "A_ArrayExpr" else [None]
    elif kind == "AEXPR_OP":
        values = [_constant(right)]
        operator = "in" if operator == "=" else operator
    else:
        return None
    known = tuple(value for value in values if value is not None)
    if len(known) != len(values):
        return None
    return ("in" if kind != "AEXPR_OP" else operator, known)


def _is_key(node: Any, key: str) -> bool:
    while isinstance(node, Node) and node.tag == "TypeCast":
        node = node.arg
    return isinstance(node, Node) and node.tag == "ColumnRef" and node.fields[-1].sval == key


def _constant(node: Any) -> str | None:
    """The text of a constant, whatever it is cast to; None for what is none."""
    while isinstance(node, Node) and node.tag == "TypeCast":
        node = node.arg
    if not isinstance(node, Node) or node.isnull:
        return None
    if node.sval is not None:
        text = str(node.sval.get("sval", ""))
        return re.sub(r"^(\d{4}-\d\d-\d\d) 00:00:00(?:\+00)?$", r"\1", text)
    if node.ival is not None:
        return str(node.ival.get("ival", 0))
    if node.fval is not None:
        return str(node.fval.get("fval", ""))
    return None
