"""Where a retired object rests: under a name of its own in the schema of the retired, with all that belongs to it.

A range type brings a multirange type and constructor functions along, which PostgreSQL names after it and leaves where
they are when it is renamed: a new range type of the old name would stumble over them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pglast.stream import RawStream

from wesley_tui.catalog import ddl_lifecycle
from wesley_tui.catalog.model import QName, SqlObject
from wesley_tui.catalog.naming import multirange_name, qualified, quote_ident
from wesley_tui.planner.parse import parse_statement
from wesley_tui.planner.situation import clipped_name

__all__ = ["moved", "renamed", "type_names"]


@dataclass(frozen=True, slots=True)
class _Range:
    subtype: str
    multirange: str


def renamed(item: SqlObject, name: str) -> tuple[str, ...]:
    """``item``, and what goes by its name, is called ``name`` from now on, in the same schema."""
    statements = [f"ALTER {ddl_lifecycle.object_name(item)} RENAME TO {quote_ident(name)}"]
    if item.kind == "range type":
        schema = item.name.schema
        before, after = _range(item, item.name.name), _range(item, name)
        multirange = qualified(QName(schema, before.multirange))
        statements.append(f"ALTER TYPE {multirange} RENAME TO {quote_ident(after.multirange)}")
        now = qualified(QName(schema, name))
        for function, new in _constructors(item.name, before, now, (name, after.multirange)):
            statements.append(f"ALTER FUNCTION {function} RENAME TO {quote_ident(new)}")
    return tuple(statements)


def moved(item: SqlObject, schema: str) -> tuple[str, ...]:
    """``item`` and what belongs to it, under the names that :func:`renamed` gave them, is put into ``schema``."""
    statements = [f"ALTER {ddl_lifecycle.object_name(item)} SET SCHEMA {quote_ident(schema)}"]
    if item.kind == "range type":
        parts = _range(item, item.name.name)
        multirange = qualified(QName(item.name.schema, parts.multirange))
        statements.append(f"ALTER TYPE {multirange} SET SCHEMA {quote_ident(schema)}")
        now = qualified(QName(schema, item.name.name))
        for function, _ in _constructors(item.name, parts, now, ("", "")):
            statements.append(f"ALTER FUNCTION {function} SET SCHEMA {quote_ident(schema)}")
    return tuple(statements)


def type_names(item: SqlObject) -> tuple[str, ...]:
    """What a column's type may be spelled like, arrays aside, to be of the type or of one that belongs to it."""
    own = (qualified(item.name),)
    if item.kind != "range type":
        return own
    return (*own, qualified(QName(item.name.schema, _range(item, item.name.name).multirange)))


def _range(item: SqlObject, name: str) -> _Range:
    """What belongs to the range type while it is called ``name``: a name that its author gave the multirange type holds
    while it has its own."""
    node = parse_statement(item.statements[0])
    options: dict[str, Any] = {param.defname: param.arg for param in node.params}
    given: Any = options.get("multirange_type_name")
    if node.typeName[-1].sval == name:
        multirange = str(given.names[-1].sval) if given is not None else multirange_name(name)
    else:
        # The server's rule cuts long names, and two that rest would be called the same.
        multirange = clipped_name("multirange_", name)
    return _Range(str(RawStream()(options["subtype"])), multirange)


def _constructors(name: QName, parts: _Range, type_now: str, new: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """The functions as ALTER names them, each with the new name; ``type_now`` is what the range type is called."""
    own, many = qualified(name), qualified(QName(name.schema, parts.multirange))
    yield f"{own}({parts.subtype}, {parts.subtype})", new[0]
    yield f"{own}({parts.subtype}, {parts.subtype}, text)", new[0]
    yield f"{many}()", new[1]
    yield f"{many}({type_now})", new[1]
    yield f"{many}(VARIADIC {type_now}[])", new[1]
