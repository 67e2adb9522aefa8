"""Identifiers and literals, spelled exactly as PostgreSQL spells them.

PostgreSQL folds an unquoted identifier to lower case and takes some words for keywords; ``quote_ident()`` in
``ruleutils.c`` quotes an identifier unless it survives both. Names that PostgreSQL makes up itself
(``users_email_key``) follow ``makeObjectName()`` in ``indexcmds.c``; a schema that leaves a name out must arrive at the
same name as the server would, or every second plan would rename it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pglast.keywords import COL_NAME_KEYWORDS, RESERVED_KEYWORDS, TYPE_FUNC_NAME_KEYWORDS

from wesley_tui.catalog.model import QName

__all__ = [
    "MAX_IDENTIFIER_BYTES",
    "default_name",
    "is_reserved",
    "multirange_name",
    "qualified",
    "quote_ident",
    "quote_idents",
    "quote_literal",
]

MAX_IDENTIFIER_BYTES = 63
"""``NAMEDATALEN - 1``; PostgreSQL cuts longer names with no more than a NOTICE."""

_SAFE = re.compile(r"[a-z_][a-z0-9_]*")
_QUOTED_KEYWORDS = frozenset(COL_NAME_KEYWORDS) | frozenset(RESERVED_KEYWORDS) | frozenset(TYPE_FUNC_NAME_KEYWORDS)
_RESERVED = frozenset(RESERVED_KEYWORDS) | frozenset(TYPE_FUNC_NAME_KEYWORDS)


def is_reserved(word: str) -> bool:
    """True when ``word`` cannot name a table or a column without quotes (keywords of PostgreSQL 18, any case)."""
    return word.lower() in _RESERVED


def quote_ident(name: str) -> str:
    """``name`` as an SQL identifier: quoted when it needs to be, exactly as the server's ``quote_ident()`` does.

    Raises ``ValueError`` for an empty name and for one with a NUL character, which no PostgreSQL name can hold.
    """
    if _SAFE.fullmatch(name) and name not in _QUOTED_KEYWORDS:
        return name
    if not name or "\0" in name:
        raise ValueError(f"{name!r} cannot be a PostgreSQL identifier: it is empty or contains a NUL character")
    return '"' + name.replace('"', '""') + '"'


def quote_idents(names: Iterable[str]) -> str:
    """A comma-separated list of identifiers, as between the parentheses of a key: ``id, "order"``."""
    return ", ".join(quote_ident(name) for name in names)


def qualified(name: QName) -> str:
    """``schema.name``, each part quoted when it needs to be."""
    return f"{quote_ident(name.schema)}.{quote_ident(name.name)}"


def quote_literal(text: str) -> str:
    """A string constant for ``standard_conforming_strings = on``, where a backslash is an ordinary character.

    Raises ``ValueError`` for a NUL character, which PostgreSQL's ``text`` cannot hold.
    """
    if "\0" in text:
        raise ValueError(f"{text!r} cannot be a PostgreSQL string: it contains a NUL character")
    return "'" + text.replace("'", "''") + "'"


def default_name(table: str, columns: Sequence[str], suffix: str) -> str:
    """The name that PostgreSQL would choose: ``table_column_suffix``, shortened to 63 bytes.

    ``columns`` are those that PostgreSQL names the object after: none for a primary key (``suffix`` ``pkey``); the key
    columns for ``key``, ``fkey``, ``excl`` and ``idx`` (``expr`` stands for an expression); the one column that a
    check speaks of, or none when there are several, for ``check``. The longer of the two parts loses bytes first
    (``makeObjectName()``); a character is never cut in two. The server would add a number to a name that is taken;
    whoever calls this must look for that.
    """
    first = table.encode()
    second = _name_addition(columns)
    room = MAX_IDENTIFIER_BYTES - len(suffix.encode()) - 1 - (1 if columns else 0)
    length_1, length_2 = len(first), len(second)
    while length_1 + length_2 > room:
        if length_1 > length_2:
            length_1 -= 1
        else:
            length_2 -= 1
    parts = [_clip(first, length_1)]
    if columns:
        parts.append(_clip(second, length_2))
    return "_".join([*parts, suffix])


def multirange_name(range_name: str) -> str:
    """The name of the multirange type that PostgreSQL makes with a range type (``makeMultirangeTypeName()``)."""
    before, found, after = range_name.partition("range")
    if found:
        made = f"{before}multirange{after}".encode()
    else:
        made = range_name.encode()[: MAX_IDENTIFIER_BYTES - 11] + b"_multirange"
    return _clip(made, MAX_IDENTIFIER_BYTES)


def _name_addition(columns: Sequence[str]) -> bytes:
    """Column names joined by ``_``, until 64 bytes are reached (``ChooseIndexNameAddition()``)."""
    joined = b""
    for column in columns:
        joined += (b"_" if joined else b"") + column.encode()
        if len(joined) > MAX_IDENTIFIER_BYTES:
            break
    return joined


def _clip(encoded: bytes, length: int) -> str:
    return encoded[:length].decode(errors="ignore")
