"""Do two CREATE statements make the same object?

A person writes ``CREATE FUNCTION f(x int) RETURNS int AS $$ … $$ LANGUAGE plpgsql``; the server prints
``CREATE OR REPLACE FUNCTION public.f(x integer) …`` with its own order of clauses. Both are read by PostgreSQL's
grammar, brought into one form by :mod:`wesley_tui.catalog.statement_forms` (clauses in one order, defaults left out,
names as relations), and compared as trees by :mod:`wesley_tui.catalog.expression`, which knows about types, casts and
schemas.

What no reader of text can know stays different: the columns of ``SELECT *``, ``ORDER BY 1``, defaults of operator
classes. For these there is :mod:`wesley_tui.catalog.declared`.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import Any

from pglast.parser import ParseError, parse_sql_json

from wesley_tui.catalog.expression import canonical_tree, same_tree
from wesley_tui.catalog.expression_tree import Node, read_tree
from wesley_tui.catalog.model import SqlObject
from wesley_tui.catalog.statement_forms import default_privileges, normal_form, partition_form

__all__ = [
    "canonical_object",
    "canonical_partition_bound",
    "canonical_partition_key",
    "canonical_statement",
    "parse_single",
    "same_object",
    "same_partition_bound",
    "same_partition_key",
    "same_statement",
]

_PARTITION_KEY = "CREATE TABLE t (c int) PARTITION BY {}"
_PARTITION_BOUND = "CREATE TABLE t PARTITION OF p {}"


def same_statement(a: str, b: str) -> bool:
    """True when both statements are known to mean the same; texts that are no single statement only when equal."""
    if a == b:
        return True
    first, second = _parse(a), _parse(b)
    if first is None or second is None:
        return a.strip() == b.strip()
    return same_tree(first, second)


def same_object(a: SqlObject, b: SqlObject) -> bool:
    """True when both are the same object and their statements make the same of it, whatever its comments, privileges,
    indexes and the owner of a sequence, which are compared by their own means.

    The order of the statements after the first has no meaning.
    """
    if (a.kind, a.name, a.arguments, a.relation) != (b.kind, b.name, b.arguments, b.relation):
        return False
    if a.statements == b.statements:
        return True
    if a.kind == "default privileges":
        return _privileges(a) == _privileges(b)
    if (
        not a.statements
        or len(a.statements) != len(b.statements)
        or not same_statement(a.statements[0], b.statements[0])
    ):
        return False
    left = list(b.statements[1:])
    for statement in a.statements[1:]:
        match = next((other for other in left if same_statement(statement, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def canonical_object(item: SqlObject) -> tuple[str, ...]:
    """The canonical forms of an object's statements, in an order that depends on nothing but them."""
    if item.kind == "default privileges" and (privileges := _privileges(item)) is not None:
        return tuple(" ".join(privilege) for privilege in sorted(privileges))
    canonical = [canonical_statement(statement) for statement in item.statements]
    return (*canonical[:1], *sorted(canonical[1:]))


def canonical_partition_key(text: str) -> str:
    """One text for all spellings of what stands after PARTITION BY."""
    return _canonical_clause("partspec", _PARTITION_KEY, text)


def canonical_partition_bound(text: str) -> str:
    """One text for all spellings of a partition's bound."""
    return _canonical_clause("partbound", _PARTITION_BOUND, text)


def _canonical_clause(field: str, frame: str, text: str) -> str:
    tree = _clause(field, frame.format(text))
    return text if tree is None else canonical_tree(tree)


def same_partition_key(a: str | None, b: str | None) -> bool:
    """Whether two texts after PARTITION BY (``RANGE (created_at)``) mean the same; None is none."""
    return _same_clause("partspec", _PARTITION_KEY, a, b)


def same_partition_bound(a: str | None, b: str | None) -> bool:
    """Whether two bounds (``FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')``, ``DEFAULT``) mean the same. Dates and
    timestamps are read in UTC, the time zone in which a catalog is read."""
    return _same_clause("partbound", _PARTITION_BOUND, a, b)


def _same_clause(field: str, frame: str, a: str | None, b: str | None) -> bool:
    if a is None or b is None or a == b:
        return a == b
    first, second = _clause(field, frame.format(a)), _clause(field, frame.format(b))
    return first is not None and second is not None and same_tree(first, second)


@lru_cache(maxsize=8192)
def _clause(field: str, statement: str) -> Node | None:
    parsed = parse_single(statement)
    clause = parsed.get("CreateStmt", {}).get(field) if parsed is not None else None
    if clause is None:
        return None
    try:
        return read_tree(partition_form(clause))
    except RecursionError:
        return None


@lru_cache(maxsize=8192)
def canonical_statement(text: str) -> str:
    """One text for all spellings of a statement, for fingerprints and grouping, not for execution.

    Coarser than :func:`same_statement`, as :func:`~wesley_tui.catalog.expression.canonical_expression` is; a text that
    is no single statement is its own canonical form.
    """
    tree = _parse(text)
    try:
        return text.strip() if tree is None else canonical_tree(tree)
    except RecursionError:
        return text.strip()


@lru_cache(maxsize=8192)
def _parse(text: str) -> Node | None:
    statement = parse_single(text)
    if statement is None:
        return None
    try:
        return read_tree(normal_form(statement))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def parse_single(text: str) -> dict[str, Any] | None:
    """libpg_query's JSON of the only statement in ``text``, else None."""
    try:
        (statement,) = json.loads(parse_sql_json(text))["stmts"]
    except (ParseError, ValueError, KeyError, RecursionError):
        return None
    found: dict[str, Any] = statement["stmt"]
    return found


def _privileges(item: SqlObject) -> Counter[tuple[str, ...]] | None:
    found: Counter[tuple[str, ...]] = Counter()
    for text in item.statements:
        statement = parse_single(text)
        if statement is None or "AlterDefaultPrivilegesStmt" not in statement:
            return None
        found.update(default_privileges(statement["AlterDefaultPrivilegesStmt"]))
    return found
