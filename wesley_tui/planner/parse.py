"""Parsing with PostgreSQL's own grammar (libpg_query), once per text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pglast import parse_sql
from pglast.parser import split

__all__ = ["check_statement", "parse_expression", "parse_statement"]


@lru_cache(maxsize=4096)
def parse_statement(text: str) -> Any:
    """The node of the one statement in ``text``.

    Raises ``pglast.parser.ParseError`` when it is not SQL, ``ValueError`` when it is not exactly one statement.
    """
    parsed = parse_sql(text)
    if len(parsed) != 1:
        raise ValueError(f"expected one SQL statement, found {len(parsed)}: {text[:80]!r}")
    return parsed[0].stmt


def check_statement(text: str) -> None:
    """Raise as :func:`parse_statement` does; faster, because no tree is built."""
    found = len(split(text))
    if found != 1:
        raise ValueError(f"expected one SQL statement, found {found}: {text[:80]!r}")


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Any:
    """The node of an expression; raises like :func:`parse_statement`."""
    (target,) = parse_statement(f"SELECT ({text}\n)").targetList
    return target.val
