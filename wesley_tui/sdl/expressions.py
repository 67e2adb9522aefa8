"""SQL in arguments of directives, checked, with errors at the character of the SDL where the SQL goes wrong."""

from __future__ import annotations

from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.sqltext import SqlError, parse_expression
from wesley_tui.sdl.strings import offset_in_source
from wesley_tui.sdl.usage import Use

__all__ = ["checked", "checked_text", "sql_spot"]


def checked(use: Use, argument: str, issues: Issues) -> str | None:
    """The text of ``argument`` if it is one SQL expression; None, with an error, when it is not; None when absent."""
    text: str | None = use.get(argument)
    return None if text is None else checked_text(text, use, argument, issues)


def checked_text(text: str, use: Use, argument: str, issues: Issues, item: int | None = None) -> str | None:
    """The same for a text at hand; ``item`` is its position when the argument is a list."""
    try:
        parse_expression(text)
    except SqlError as error:
        issues.error(
            "wrong-sql",
            f"@{use.name}({argument}:) is not an SQL expression: {error}",
            sql_spot(use, argument, error.offset, item),
            "nothing was planned; PostgreSQL's grammar reads it as the text between the quotes",
        )
        return None
    return text.strip()


def sql_spot(use: Use, argument: str, offset: int | None, item: int | None = None) -> Spot:
    """Where in the SDL the character ``offset`` of this SQL text stands; its start when that cannot be told."""
    value = use.values[argument]
    if item is not None and value.kind == "list":
        value = value.value[item]
    if offset is not None and value.kind == "string":
        inside = 1 + offset if value.raw else offset_in_source(value.written, offset)
        return Spot(use.spot.part, value.at + inside)
    return Spot(use.spot.part, value.at)
