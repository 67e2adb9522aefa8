"""A type name in a statement → the spelling of the catalog."""

from __future__ import annotations

from typing import Any

from wesley_tui.catalog.naming import quote_ident
from wesley_tui.catalog.types import TypeNameError, canonical_type

__all__ = ["is_serial", "printed_type", "written_type"]

_INTERNAL = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "character",
    "varchar": "character varying",
    "varbit": "bit varying",
    "timestamptz": "timestamp with time zone",
    "timetz": "time with time zone",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
}
_SERIALS = frozenset(("smallserial", "serial", "bigserial", "serial2", "serial4", "serial8"))


def is_serial(type_name: Any) -> bool:
    names = type_name["names"]
    return len(names) == 1 and names[0].sval in _SERIALS


def written_type(type_name: Any) -> str:
    """SQL text of a ``TypeName``."""
    names = [part.sval for part in type_name["names"]]
    if names[0] == "pg_catalog":
        base = _INTERNAL.get(names[-1], str(names[-1]))
    else:
        base = ".".join(quote_ident(part) for part in names)
    modifiers = [_number(item) for item in type_name.typmods or ()]
    if modifiers and names[-1] != "interval":
        head, space, tail = base.partition(" ")
        inner = f"({','.join(modifiers)})"
        base = f"{head}{inner}{space}{tail}" if head in ("timestamp", "time") else base + inner
    elif len(modifiers) == 2:
        base += f"({modifiers[1]})"
    return base + "[]" * len(type_name.arrayBounds or ())


def _number(node: Any) -> str:
    value = node.ival
    if isinstance(value, dict):
        value = value.get("ival", 0)
    return str(value if value is not None else 0)


def printed_type(type_name: Any) -> str | None:
    """As ``format_type()`` prints it; None when the name cannot be resolved from the text alone."""
    try:
        return canonical_type(written_type(type_name), {})
    except TypeNameError:
        return None
