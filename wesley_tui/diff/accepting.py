"""Yes to a rename that was asked about: a text like ``public.users.mail=email`` becomes part of the intent.

    table:public.account=public.customer      or  public.account=customer
    column:public.users.mail=email            or  public.users.mail=email

Without its kind, a text means the table, or else the column, that the live database has under that name. Parts of a
name that contain dots, quotes or ``=`` are written in double quotes, as in SQL.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.diff.changes import RenameQuestion

__all__ = ["acceptance", "with_accepted"]

_PART = r'(?:"(?:[^"]|"")+"|[^".=]+)'
_TEXT = re.compile(rf"(?:(table|column):)?({_PART}(?:\.{_PART})*)=({_PART}(?:\.{_PART})*)")


def acceptance(question: RenameQuestion) -> str:
    """The text that answers ``question`` with yes."""
    table = question.relation
    if question.kind == "table":
        return f"table:{_dotted(*_two(question.old))}={_dotted(*table)}"
    return f"column:{_dotted(*table, question.old)}={_dotted(question.new)}"


def with_accepted(intent: Intent, actual: Catalog, texts: Collection[str]) -> Intent:
    """``intent`` with the renames that ``texts`` accept; one that was done already adds nothing.

    Raises ``ValueError`` for a text that is no rename.
    """
    tables, columns = dict(intent.renamed_tables), dict(intent.renamed_columns)
    for text in texts:
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no rename: write table:public.old=public.new or column:public.t.old=new")
        kind, old, new = match[1], _parts(match[2]), _parts(match[3])
        if kind is None:
            kind = "table" if len(old) == 2 else "column"
            names = QName(*old), QName(*new) if len(new) == 2 else QName(old[0], new[0])
            if kind == "table" and not any(name in actual.tables for name in names):
                raise ValueError(f"{text!r} is no rename: the database has no table {match[2]}")
        if kind == "table" and len(old) == 2 and len(new) <= 2:
            target = QName(*new) if len(new) == 2 else QName(old[0], new[0])
            tables.setdefault(target, QName(*old))
        elif kind == "column" and len(old) == 3 and len(new) in (1, 3):
            table = QName(old[0], old[1])
            table = next((after for after, before in tables.items() if before == table), table)
            columns.setdefault((table, new[-1]), old[2])
        else:
            raise ValueError(f"{text!r} is no rename: a table is schema.name, a column schema.table.column")
    return dataclasses.replace(intent, renamed_tables=tables, renamed_columns=columns)


def _parts(text: str) -> list[str]:
    found = re.findall(_PART, text)
    return [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in found]


def _two(name: str) -> tuple[str, str]:
    schema, _, rest = name.partition(".")
    return schema, rest


def _dotted(*parts: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' if re.search(r'[".=:]', part) else part for part in parts)
