"""Names in a plan: written as people say them, ``public.users``, without the folding and quoting of SQL.

A part of a name is what the catalog has, letter by letter; only one that holds a dot or a double quote, or is empty at
an end, stands in double quotes (``public."a.b"``). Without a schema, ``public`` is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

from wesley_tui.catalog.model import QName

__all__ = ["name_problem", "parts_of", "qname_of", "spelled", "spelled_parts"]

_MAX_BYTES = 63


def name_problem(name: str) -> str:
    """Why PostgreSQL has no such identifier; empty when it has."""
    if not name:
        return "a name is not empty"
    if "\x00" in name:
        return "a name holds no NUL character"
    if len(name.encode(errors="surrogatepass")) > _MAX_BYTES:
        return f"a name has at most {_MAX_BYTES} bytes: PostgreSQL would cut it off silently"
    return ""


def parts_of(text: str) -> list[str]:
    """The parts of a dotted name; raises ``ValueError``."""
    parts: list[str] = []
    position = 0
    while True:
        if text.startswith('"', position):
            part, position = _quoted(text, position)
        else:
            end = text.find(".", position)
            end = len(text) if end < 0 else end
            part, position = text[position:end], end
            if '"' in part:
                raise ValueError(f'a double quote within {part}: write the whole part in quotes, as "a""b"')
        problem = name_problem(part)
        if problem:
            raise ValueError(problem)
        parts.append(part)
        if position == len(text):
            return parts
        if text[position] != ".":
            raise ValueError(f"a dot is expected after {part!r}")
        position += 1


def _quoted(text: str, start: int) -> tuple[str, int]:
    position = start + 1
    part = ""
    while True:
        end = text.find('"', position)
        if end < 0:
            raise ValueError(f"the quotes of {text[start:]} are not closed")
        part += text[position:end]
        if not text.startswith('""', end):
            return part, end + 1
        part += '"'
        position = end + 2


def qname_of(text: str) -> QName:
    """``public.users`` or ``users``; raises ``ValueError``."""
    parts = parts_of(text)
    if len(parts) > 2:
        raise ValueError(f"{text} has {len(parts)} parts, a relation has schema and name")
    return QName(*parts) if len(parts) == 2 else QName("public", parts[0])


def spelled(name: QName) -> str:
    return spelled_parts(name)


def spelled_parts(parts: Sequence[str]) -> str:
    """The inverse of :func:`parts_of`."""
    return ".".join('"' + part.replace('"', '""') + '"' if '"' in part or "." in part else part for part in parts)
