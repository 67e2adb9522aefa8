"""The directives of the dialect, as one table: what the compiler accepts, what editors complete, what the manual says.

``directives.graphql`` (shipped with the package, for editors and validators) and ``docs/dialect.md`` are written from
it:

    python -m wesley_tui.sdl.directives

A directive is **built** (it changes the planned database), or it **informs** (clients, generated code, tests; the
database is the same with or without it). The table is in four parts: what stands on types, fields and enums
(``directives_of_types``), what ties tables together (``directives_of_relations``), who may do what
(``directives_of_security``), and what stands on the schema (``directives_of_schemas``).
"""

from __future__ import annotations

from collections.abc import Mapping

from wesley_tui.sdl.directive import Argument, Directive, Location, Status
from wesley_tui.sdl.directives_of_relations import OF_RELATIONS
from wesley_tui.sdl.directives_of_schemas import OF_SCHEMAS
from wesley_tui.sdl.directives_of_security import OF_SECURITY
from wesley_tui.sdl.directives_of_types import OF_TYPES

__all__ = [
    "ARGUMENT_SCALARS",
    "BY_NAME",
    "DIRECTIVES",
    "SCALARS",
    "Argument",
    "Directive",
    "Location",
    "Status",
    "canonical_directive",
]

SCALARS: Mapping[str, str] = {
    "ID": "uuid",
    "UUID": "uuid",
    "String": "text",
    "Int": "integer",
    "BigInt": "bigint",
    "Float": "double precision",
    "Boolean": "boolean",
    "DateTime": "timestamp with time zone",
    "Date": "date",
    "Time": "time without time zone",
    "JSON": "jsonb",
    "Decimal": "numeric",
    "Bytes": "bytea",
    "Inet": "inet",
    "CIDR": "cidr",
    "MacAddr": "macaddr",
}
"""Scalar of the dialect → canonical PostgreSQL type."""

ARGUMENT_SCALARS: Mapping[str, str] = {
    "Literal": "Any value: text, number, boolean, list, object.",
    "SqlOptions": "An object of options, or texts name=value.",
    "SortOrder": "ASC, DESC, ASC_NULLS_FIRST, DESC_NULLS_LAST; also as text.",
    "ReferentialAction": "NO_ACTION, RESTRICT, CASCADE, SET_NULL, SET_DEFAULT; also as text.",
    "MatchType": "SIMPLE or FULL; also as text.",
    "PartitionStrategy": "RANGE, LIST or HASH; also as text.",
    "CheckOption": "LOCAL or CASCADED; also as text.",
}
"""Types of arguments, for editors: no column has them."""


DIRECTIVES: tuple[Directive, ...] = (*OF_TYPES, *OF_RELATIONS, *OF_SECURITY, *OF_SCHEMAS)

BY_NAME: Mapping[str, Directive] = {directive.name: directive for directive in DIRECTIVES}

_ALIASES = {alias: directive.name for directive in DIRECTIVES for alias in directive.aliases}


def canonical_directive(name: str) -> str | None:
    """The canonical name that ``name`` is, or is an alias of (``wes_pk``, ``wesley_pk``, ``primaryKey``); else None."""
    if name in BY_NAME:
        return name
    for prefix in ("wes_", "wesley_"):
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    return name if name in BY_NAME else _ALIASES.get(name)


if __name__ == "__main__":
    from wesley_tui.sdl.publish import main

    main()
