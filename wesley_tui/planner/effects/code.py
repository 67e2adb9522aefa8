"""What a DO block runs: the SQL in its PL/pgSQL, read by PostgreSQL's own parser.

Branches and loops are not followed: every statement counts, as if it ran once. SQL that is put together at run time
cannot be read, unless it is one constant, or does the same to others whatever is put into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pglast.parser import ParseError, parse_plpgsql_json

from wesley_tui.catalog.naming import quote_literal
from wesley_tui.planner.effects.tree import Node, parse_script, parse_value

__all__ = ["Body", "CodeStatement", "body_of"]


@dataclass(frozen=True, slots=True)
class CodeStatement:
    node: Node
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    statements: tuple[CodeStatement, ...] = ()
    opaque: str = ""
    """Why it cannot be told what the code does; empty when it can."""


def body_of(node: Any) -> Body:
    """The statements of a ``DoStmt``."""
    arguments = {item.defname: item.arg for item in node.args or ()}
    language = arguments.get("language")
    if language is not None and str(language.sval).lower() != "plpgsql":
        return Body(opaque=f"code in {language.sval} cannot be read")
    text = arguments.get("as")
    return _read(str(text.sval)) if text is not None and text.sval is not None else Body(opaque="it has no code")


@lru_cache(maxsize=256)
def _read(code: str) -> Body:
    try:
        tree = json.loads(parse_plpgsql_json(f"DO {quote_literal(code)}"))
    except (ParseError, ValueError, RecursionError) as error:
        return Body(opaque=f"the code cannot be parsed: {error}")
    found: list[CodeStatement] = []
    for kind, item in _parts(tree):
        if kind in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
            return Body(opaque="the code ends transactions on its own")
        if kind == "PLpgSQL_stmt_call":
            return Body(opaque="what the procedures that it calls do cannot be read from outside")
        if kind in ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"):
            query = item.get("query", {}).get("PLpgSQL_expr", {}).get("query", "")
            text = _constant(query) or _alike(query)
            if not text:
                return Body(opaque="it runs SQL that is put together at run time")
        elif kind == "PLpgSQL_expr":
            mode, query = item.get("parseMode", 0), str(item.get("query", ""))
            text = query if mode == 0 else f"SELECT {query}" if mode == 2 else ""
        else:
            continue
        try:
            found += [CodeStatement(part.node, text) for part in parse_script(text)]
        except (ParseError, ValueError) as error:
            return Body(opaque=f"a part of the code cannot be parsed: {error}")
    return Body(tuple(found))


def _parts(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node of the tree by its kind, in the order of the text."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith("PLpgSQL_") and isinstance(item, dict):
                yield key, item
            yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)


def _constant(expression: str) -> str | None:
    try:
        value = parse_value(expression)
    except (ParseError, ValueError):
        return None
    return str(value.sval.sval) if isinstance(value, Node) and value.tag == "A_Const" and value.sval else None


_SPECIFIER = re.compile(r"%(.?)")
_ALIKE = frozenset(("AlterFunctionStmt",))
"""Statements of which nobody waits for any, whatever object they name."""
_WRITTEN = {"regprocedure": "a()", "int4": "1", "int8": "1", "float4": "1", "float8": "1"}
"""How a value looks that is put into a text with ``%s``, by its type: nothing else can come of it."""


def _alike(expression: str) -> str | None:
    """An example of what ``format()`` puts together, if what that does is known whatever it names."""
    try:
        value = parse_value(expression)
        if not isinstance(value, Node) or value.tag != "FuncCall" or not value.args:
            return None
        if [part.sval for part in value.funcname] not in (["format"], ["pg_catalog", "format"]):
            return None
        template, *rest = value.args
        if not isinstance(template, Node) or template.tag != "A_Const" or not template.sval:
            return None
        if re.search(r"['\"$]|--|/\*", template.sval.sval):
            return None  # inside of quotes a value could end them
        given = iter(rest)

        def written(match: re.Match[str]) -> str:
            match match[1]:
                case "%":
                    return "%"
                case "I":
                    next(given)
                    return "a"
                case "L":
                    next(given)
                    return "'a'"
                case "s":
                    schema, name = (part.sval for part in next(given).typeName.names)
                    return _WRITTEN[name if schema == "pg_catalog" else ""]
            raise ValueError(match[0])

        text = _SPECIFIER.sub(written, str(template.sval.sval))
        tags = {part.node.tag for part in parse_script(text)}
    except (ParseError, ValueError, AttributeError, KeyError, StopIteration):
        return None
    return text if tags and tags <= _ALIKE else None
