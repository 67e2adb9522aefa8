"""SQL expressions inside a schema: read by PostgreSQL's own grammar before anything is planned with them.

An expression is accepted only if it is one expression wherever it is put: between parentheses and after a keyword. That
refuses ``true) OR (true``, ``1 -- comment``, ``1; DROP TABLE x`` and ``a, b`` alike.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pglast.parser import ParseError, parse_sql_json

from wesley_tui.catalog.naming import quote_ident, quote_literal

__all__ = [
    "ExclusionKey",
    "Expression",
    "SqlError",
    "label_of",
    "parse_exclusion",
    "parse_expression",
    "parse_one",
    "walk",
]


_MAX_DEPTH = 10_000


class SqlError(ValueError):
    """The text is not SQL of the wanted kind; ``offset`` counts characters of the text, None when unknown."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        self.offset = offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Expression:
    """What the compiler wants to know of an expression."""

    text: str
    node: str
    """The grammar's word for its root: ``A_Const``, ``ColumnRef``, ``FuncCall``, ``TypeCast``, ``A_Expr`` …"""
    columns: tuple[str, ...]
    """Unqualified names that it refers to, each once, in order of appearance."""
    label: str
    """The name that PostgreSQL gives to an index key of this expression (``FigureIndexColname()``)."""
    subquery: bool


@lru_cache(maxsize=16384)
def parse_expression(text: str) -> Expression:
    """Read ``text`` as one SQL expression.

    Raises:
        SqlError: it is not one.
    """
    if not text.strip():
        raise SqlError("the expression is empty", 0)
    if "\0" in text:
        raise SqlError("SQL cannot contain the character NUL", text.index("\0"))
    tree = parse_one("SELECT (", text, ")")
    parse_one("SELECT 1 WHERE ", text, "")
    select = tree["stmts"][0]["stmt"]["SelectStmt"]
    value = select["targetList"][0]["ResTarget"]["val"]
    columns: dict[str, None] = {}
    subquery = False
    for kind, node in walk(value):
        if kind == "ColumnRef":
            fields = node["fields"]
            if "String" in fields[-1]:
                columns[fields[-1]["String"].get("sval", "")] = None
        elif kind in ("SubLink", "SelectStmt"):
            subquery = True
    try:
        label = label_of(value)[0]
    except RecursionError:
        raise SqlError("this is nested too deeply to be understood") from None
    return Expression(text, next(iter(value)), tuple(columns), label or "expr", subquery)


def parse_one(before: str, text: str, after: str) -> dict[str, Any]:
    """The parse tree of ``before + text + after``, which must be one statement.

    Raises:
        SqlError: it is none, or more than one; the offset is that in ``text``.
    """
    if "\0" in text:
        raise SqlError("SQL cannot contain the character NUL", text.index("\0"))
    try:
        result: dict[str, Any] = _decoded(parse_sql_json(before + text + after))
    except ParseError as error:
        message = str(error.args[0])
        if not text.isascii():
            # pglast takes the parser's position for bytes when it is in characters: look again in a text without such.
            error = _again(before + "".join(c if c.isascii() else "x" for c in text) + after) or error
        offset = error.args[1] - len(before) if len(error.args) > 1 and isinstance(error.args[1], int) else None
        raise SqlError(message, offset if offset is not None and 0 <= offset <= len(text) else None) from None
    statements = result.get("stmts", ())
    if not statements:
        raise SqlError("there is no statement", 0)
    if len(statements) > 1:
        start = int(statements[1].get("stmt_location", 0))
        whole = (before + text + after).encode()
        # Locations are in bytes, and start at the blanks before the statement.
        rest = whole[start:].decode()
        offset = len(whole[:start].decode()) + len(rest) - len(rest.lstrip()) - len(before)
        raise SqlError("this is more than one statement", min(max(offset, 0), len(text)))
    return result


def _decoded(document: str) -> dict[str, Any]:
    """The tree of a statement, however deep: a sum of 500 terms has 1,500 levels, and Python's limit is 1,000."""
    try:
        result: dict[str, Any] = json.loads(document)
    except RecursionError:
        limit = sys.getrecursionlimit()
        # Some 400 bytes of the stack for each level of JSON: far below what a thread has.
        sys.setrecursionlimit(max(limit, _MAX_DEPTH))
        try:
            result = json.loads(document)
        except RecursionError:
            raise SqlError("this is nested too deeply to be understood") from None
        finally:
            sys.setrecursionlimit(limit)
    return result


def _again(statement: str) -> ParseError | None:
    try:
        parse_sql_json(statement)
    except ParseError as error:
        return error
    return None


def walk(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node of a parse tree with its kind, outermost first, in order of appearance."""
    stack: list[object] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if key[:1].isupper() and isinstance(inner, dict):
                    yield key, inner
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            stack.extend(reversed(item))


_NAMED = {"A_ArrayExpr": "array", "RowExpr": "row", "CoalesceExpr": "coalesce", "GroupingFunc": "grouping"}
_VALUE_FUNCTIONS = {
    "SVFOP_CURRENT_TIME_N": "current_time",
    "SVFOP_CURRENT_TIMESTAMP_N": "current_timestamp",
    "SVFOP_LOCALTIME_N": "localtime",
    "SVFOP_LOCALTIMESTAMP_N": "localtimestamp",
}


def label_of(node: Mapping[str, Any]) -> tuple[str | None, int]:
    """``FigureColnameInternal()`` of ``parse_target.c``: a name, and how strongly it is meant (0 to 2)."""
    kind, body = next(iter(node.items()))
    if kind == "ColumnRef":
        names = [field["String"]["sval"] for field in body["fields"] if "String" in field]
        return (names[-1], 2) if names else (None, 0)
    if kind == "A_Indirection":
        names = [field["String"]["sval"] for field in body["indirection"] if "String" in field]
        return (names[-1], 2) if names else label_of(body["arg"])
    if kind == "FuncCall":
        return body["funcname"][-1]["String"]["sval"], 2
    if kind == "A_Expr" and body.get("kind") == "AEXPR_NULLIF":
        return "nullif", 2
    if kind == "CollateClause":
        return label_of(body["arg"])
    if kind == "TypeCast":
        name, strength = label_of(body["arg"])
        return (name, strength) if strength > 1 else (body["typeName"]["names"][-1]["String"]["sval"], 1)
    if kind == "CaseExpr":
        name, strength = label_of(body["defresult"]) if "defresult" in body else (None, 0)
        return (name, strength) if strength > 1 else ("case", 1)
    if kind == "MinMaxExpr":
        return ("greatest" if body.get("op") == "IS_GREATEST" else "least"), 2
    if kind == "SQLValueFunction":
        operation = str(body.get("op", ""))
        return _VALUE_FUNCTIONS.get(operation, operation.removeprefix("SVFOP_").lower()), 2
    return _NAMED.get(kind), 2 if kind in _NAMED else 0


@dataclass(frozen=True, slots=True)
class ExclusionKey:
    """One ``key WITH operator``: a column or an expression, and what was said about it."""

    column: str | None
    expression: str | None
    operator: str
    opclass: str | None
    collation: tuple[str, ...] | None
    descending: bool
    nulls_first: bool | None


@lru_cache(maxsize=1024)
def parse_exclusion(text: str) -> tuple[ExclusionKey, ...]:
    """Read ``room WITH =, during WITH &&``.

    Raises:
        SqlError: it is not a list of exclusion elements.
    """
    # Imported here: only exclusion constraints need SQL written back from a tree, and it costs 20 ms.
    from pglast import parse_sql
    from pglast.stream import RawStream

    before = "ALTER TABLE t ADD EXCLUDE USING gist ("
    parse_one(before, text, ")")
    statement: Any = parse_sql(before + text + ")")[0].stmt
    constraint = statement.cmds[0].def_
    if len(statement.cmds) != 1 or constraint.where_clause is not None or not constraint.exclusions:
        raise SqlError("this is not a list of exclusion elements")
    keys = []
    for element, operator in constraint.exclusions:
        ordering, nulls = int(element.ordering), int(element.nulls_ordering)
        keys.append(
            ExclusionKey(
                element.name,
                RawStream()(element.expr) if element.expr is not None else None,
                _operator([part.sval for part in operator]),
                _operator_class(element) if element.opclass else None,
                tuple(part.sval for part in element.collation) if element.collation else None,
                ordering == 2,
                {0: None, 1: True, 2: False}[nulls],
            )
        )
    return tuple(keys)


def _operator(parts: Sequence[str]) -> str:
    """As it stands after WITH: one with a schema in the form that the grammar wants there."""
    if len(parts) == 1 or parts[0] == "pg_catalog":
        return parts[-1]
    return f"OPERATOR({quote_ident(parts[-2])}.{parts[-1]})"


def _operator_class(element: Any) -> str:
    """Written as the catalog has it, with its parameters; ``pg_catalog`` goes without."""
    parts = [part.sval for part in element.opclass]
    name = ".".join(quote_ident(part) for part in (parts[1:] if parts[0] == "pg_catalog" else parts))
    if not element.opclassopts:
        return name
    given = []
    for option in element.opclassopts:
        value = option.arg
        shown = getattr(value, "sval", None)
        given.append(f"{option.defname}={quote_literal(str(value.ival) if shown is None else shown)}")
    return f"{name} ({', '.join(given)})"
