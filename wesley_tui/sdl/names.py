"""Names: from GraphQL's spelling to PostgreSQL's and back, and the nearest valid one for a name that is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

from wesley_tui.catalog.naming import MAX_IDENTIFIER_BYTES, is_reserved, quote_ident

__all__ = [
    "SYSTEM_COLUMNS",
    "join_name",
    "name_problem",
    "nearest",
    "reserved_word",
    "snake_case",
    "split_name",
]

SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Every table has these already (``heap.c``)."""

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Not tab and newline: PostgreSQL has such names, they can be written with an escape, and harm no terminal."""
_PART = re.compile(r'"((?:[^"]|"")+)"|([^".()\s,]+)')


@lru_cache(maxsize=65536)
def snake_case(name: str) -> str:
    """``createdAt`` → ``created_at``, ``HTTPServer`` → ``http_server``, ``userID`` → ``user_id``."""
    return name if name.islower() else _BOUNDARY.sub("_", name).lower()


@lru_cache(maxsize=65536)
def reserved_word(name: str) -> bool:
    return is_reserved(name)


@lru_cache(maxsize=65536)
def name_problem(name: str) -> tuple[str, str] | None:
    """Why PostgreSQL cannot hold this name: (code, what is wrong), or None when it can."""
    if not name:
        return "empty-name", "a name in PostgreSQL has at least one character"
    if (control := _CONTROL.search(name)) is not None:
        return "control-character", f"the name {name!r} contains the control character U+{ord(control[0]):04X}"
    if len(name) * 4 > MAX_IDENTIFIER_BYTES and (size := len(name.encode())) > MAX_IDENTIFIER_BYTES:
        return (
            "name-too-long",
            f"the name {name!r} has {size} bytes and PostgreSQL keeps {MAX_IDENTIFIER_BYTES}: it would be cut off",
        )
    return None


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that ``name`` was probably meant to be; None when none is near."""
    candidates = list(valid)
    folded = {candidate.lower(): candidate for candidate in reversed(candidates)}
    if (same := folded.get(name.lower())) is not None:
        return same
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def split_name(text: str) -> tuple[list[str], list[str] | None]:
    """``a.b`` → (["a", "b"], None); ``a."odd.name"(x, y)`` → (["a", "odd.name"], ["x", "y"]). Case is kept as written.

    Raises:
        ValueError: not of that form.
    """
    text = text.strip()
    parts, position = [], 0
    while True:
        part, position = _part(text, position)
        parts.append(part)
        if position == len(text):
            return parts, None
        if text[position] != ".":
            break
        position += 1
    if not (text[position:].lstrip().startswith("(") and text.endswith(")")):
        raise ValueError(text)
    inner = text[text.index("(", position) + 1 : -1]
    columns, position = [], 0
    while True:
        while inner[position : position + 1].isspace():
            position += 1
        part, position = _part(inner, position)
        columns.append(part)
        while inner[position : position + 1].isspace():
            position += 1
        if position == len(inner):
            return parts, columns
        if inner[position] != ",":
            raise ValueError(text)
        position += 1


def _part(text: str, position: int) -> tuple[str, int]:
    match = _PART.match(text, position)
    if match is None:
        raise ValueError(text)
    return (match[1].replace('""', '"') if match[1] is not None else match[2]), match.end()


def join_name(*parts: str) -> str:
    """The text that :func:`split_name` takes apart into ``parts``: quoted where SQL would quote."""
    return ".".join(quote_ident(part) for part in parts)
