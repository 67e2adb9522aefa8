"""The sequence behind an identity column: what of it differs from what the server takes for granted."""

from __future__ import annotations

from wesley_tui.catalog.model import Column, QName
from wesley_tui.catalog.naming import default_name, qualified, quote_ident

__all__ = ["alter_identity", "identity_clause", "identity_options"]

_LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_WORDS = {
    "start": "START WITH",
    "increment": "INCREMENT BY",
    "min": "MINVALUE",
    "max": "MAXVALUE",
    "cache": "CACHE",
}


def identity_options(
    kind: str,
    start: int | None = None,
    increment: int = 1,
    minimum: int | None = None,
    maximum: int | None = None,
    cache: int = 1,
    cycle: bool = False,
) -> tuple[tuple[str, str], ...]:
    """The options as a record holds them: only what differs from the default of a column of this type and direction,
    ``(("start", "100"), ("cycle", "true"))``. None is the default."""
    usual = _usual(kind, increment)
    given = {"increment": increment, "min": minimum, "max": maximum, "cache": cache}
    found = {name: str(value) for name, value in given.items() if value is not None and str(value) != usual[name]}
    first = minimum if increment > 0 else maximum
    usual["start"] = usual["start"] if first is None else str(first)
    if start is not None and str(start) != usual["start"]:
        found = {"start": str(start), **found}
    if cycle:
        found["cycle"] = "true"
    return tuple(found.items())


def _usual(kind: str, increment: int) -> dict[str, str]:
    """Defaults of ``init_params()``: an ascending sequence starts at its least value, a descending one at its most."""
    largest = _LARGEST.get(kind, _LARGEST["bigint"])
    least, most = (1, largest) if increment > 0 else (-largest - 1, -1)
    start = least if increment > 0 else most
    return {"start": str(start), "increment": "1", "min": str(least), "max": str(most), "cache": "1"}


def identity_clause(column: Column) -> str:
    """``GENERATED ALWAYS AS IDENTITY (START WITH 100 CYCLE)``."""
    if column.identity is None:
        raise ValueError(f"column {column.name} is no identity column")
    parts = [f"SEQUENCE NAME {qualified(column.identity_sequence)}"] if column.identity_sequence is not None else []
    for name, value in column.identity_options:
        parts.append("CYCLE" if name == "cycle" else f"{_WORDS[name]} {value}")
    more = f" ({' '.join(parts)})" if parts else ""
    return f"GENERATED {column.identity.upper()} AS IDENTITY{more}"


def alter_identity(table: QName, old: Column, new: Column) -> tuple[str, ...]:
    """The statements that lead from the options of ``old`` to those of ``new``; the next number stays what it is."""
    before, after = _all(old), _all(new)
    actions = [f"SET {word} {after[name]}" for name, word in _WORDS.items() if after[name] != before[name]]
    if before["cycle"] != after["cycle"]:
        actions.append("SET CYCLE" if after["cycle"] else "SET NO CYCLE")
    statements = []
    if actions:
        statements.append(f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote_ident(new.name)} {' '.join(actions)}")
    if new.identity_sequence is not None:
        sequence = old.identity_sequence or QName(table.schema, default_name(table.name, (old.name,), "seq"))
        if sequence.name != new.identity_sequence.name:
            statements.append(
                f"ALTER SEQUENCE {qualified(sequence)} RENAME TO {quote_ident(new.identity_sequence.name)}"
            )
    return tuple(statements)


def _all(column: Column) -> dict[str, str]:
    options = dict(column.identity_options)
    increment = int(options.get("increment", "1"))
    usual = _usual(column.type, increment)
    usual["start"] = options.get("min" if increment > 0 else "max", usual["start"])
    return {**usual, "cycle": "", **options}
