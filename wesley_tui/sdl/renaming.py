"""Yes to a rename, written into the text: where ``@renamed(from: …)`` goes, for an editor to put it there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from wesley_tui.catalog.naming import quote_ident
from wesley_tui.sdl.strings import write_quoted

__all__ = ["Insertion", "rename_insertion"]

_IGNORED = r"(?:[\s,\ufeff]|#[^\r\n]*)*"
_NAME = r"[_A-Za-z][_0-9A-Za-z]*"
_FIELD = re.compile(rf"{_NAME}{_IGNORED}:(?:{_IGNORED}\[)*{_IGNORED}{_NAME}(?:{_IGNORED}[!\]])*")
"""A field without arguments, up to the end of its type: a column has none."""
_TYPE = re.compile(_NAME)


class Insertion(NamedTuple):
    """Text to be inserted before a character, counted from 0."""

    row: int
    column: int
    text: str


def rename_insertion(lines: Sequence[str], line: int, column: int, old: Sequence[str]) -> Insertion | None:
    """How the field or type whose name stands at ``line`` and ``column`` (from 1) says that it was called ``old``.

    ``old`` is the SQL name: of a column, of a table in the same schema, or schema and name. None when no field and no
    type stands there, as for a column that a directive makes.
    """
    text = "\n".join(lines[line - 1 :])
    start = column - 1
    field = _FIELD.match(text, start)
    found = field or _TYPE.match(text, start)
    if found is None or (field is None and not re.search(r"\btype\s+$", text[:start])):
        return None
    before = text[: found.end()]
    row = before.count("\n")
    directive = f" @renamed(from: {write_quoted('.'.join(map(quote_ident, old)))})"
    return Insertion(line - 1 + row, len(before) - (before.rfind("\n") + 1), directive)
