"""The tree of a statement, light enough to lint thousands of them.

libpg_query gives its tree as JSON; :class:`Node` reads it without building a class per node. A field that PostgreSQL
leaves at its default is absent, and reads as None. The names of fields and values are those of PostgreSQL's
``parsenodes.h``: ``node.tag`` is ``AlterTableStmt``, ``node.objtype`` is ``"OBJECT_TABLE"``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pglast.parser import parse_sql_json

__all__ = ["Node", "Parsed", "parse_one", "parse_script", "parse_value", "walk"]


class Node(dict[str, Any]):
    """Fields as attributes; one that is absent is None. ``keys``, ``items`` and ``values`` are read with ``get()``."""

    __slots__ = ("tag",)
    tag: str
    """The kind of node; empty where the field alone says it (``node.relation`` is always a RangeVar)."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
    else:
        __getattr__ = dict.get


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement of a script, with its place in bytes."""

    node: Node
    start: int
    length: int
    """0 means: to the end of the script."""


def _node(fields: dict[str, Any]) -> Any:
    if len(fields) == 1:
        for name, value in fields.items():
            if name[0].isupper():
                if name == "List":
                    return value.get("items", ())
                value.tag = name
                return value
    node = Node(fields)
    node.tag = ""
    return node


def parse_script(text: str) -> list[Parsed]:
    """All statements of a script. Raises ``pglast.parser.ParseError``; ``ValueError`` when it nests too deeply."""
    try:
        document = json.loads(parse_sql_json(text), object_hook=_node)
    except RecursionError as error:
        raise ValueError("the statement nests too deeply to be read") from error
    return [
        Parsed(item["stmt"], item.get("stmt_location", 0), item.get("stmt_len", 0)) for item in document["stmts"] or ()
    ]


@lru_cache(maxsize=4096)
def parse_one(text: str) -> Node:
    """The node of the one statement in ``text``; raises as :func:`parse_script`, ``ValueError`` unless it is one."""
    parsed = parse_script(text)
    if len(parsed) != 1:
        raise ValueError(f"expected one SQL statement, found {len(parsed)}: {text[:80]!r}")
    return parsed[0].node


@lru_cache(maxsize=4096)
def parse_value(expression: str) -> Any:
    """The node of an expression; raises as :func:`parse_one`."""
    (target,) = parse_one(f"SELECT ({expression}\n)").targetList
    return target.val


def walk(value: Any) -> Iterator[Node]:
    """Every node in ``value``, itself first."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            yield item
            stack.extend(child for child in item.values() if child.__class__ in _CONTAINERS)
        elif item.__class__ in (list, tuple):
            stack.extend(item)


_CONTAINERS = (Node, list, tuple)
