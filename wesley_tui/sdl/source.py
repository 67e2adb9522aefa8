"""What no SDL source may contain, whatever it means: control characters, broken UTF-8, more than a schema can be.

Control characters would reach terminals and comments in the database; a lone surrogate cannot be stored at all.
"""

from __future__ import annotations

import re
from pathlib import Path

from wesley_tui.sdl.diagnostics import Diagnostic, SchemaError, Source
from wesley_tui.sdl.places import Places
from wesley_tui.sdl.reader import MAX_CHARACTERS

__all__ = ["decode_source", "forbidden", "read_source"]

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST = 20


def forbidden(source: Source) -> list[tuple[int, Diagnostic]]:
    """Errors that keep ``source`` from being read at all, each with its offset; empty for nearly every source."""
    text = source.text
    if len(text) > MAX_CHARACTERS:
        message = f"{len(text):,} characters are more than a schema can have ({MAX_CHARACTERS:,}); nothing was read"
        return [(0, Diagnostic("error", "too-large", message, source.name, 0, 0, "split it into several files"))]
    result: list[tuple[int, Diagnostic]] = []
    places: Places | None = None
    for match in _FORBIDDEN.finditer(text):
        places = places or Places([source])
        _, line, column = places.position(0, match.start())
        code = ord(match[0])
        name = {0: "NUL", 0x1B: "ESC", 0x7F: "DEL"}.get(code, "")
        what = "a lone surrogate" if 0xD800 <= code <= 0xDFFF else "a control character"
        message = f"{what}, U+{code:04X}{f' ({name})' if name else ''}, has no place in a schema"
        hint = "delete it: it would reach the terminal and the comments of the database"
        result.append(
            (match.start(), Diagnostic("error", "control-character", message, source.name, line, column, hint))
        )
        if len(result) == _MOST:
            break
    return result


def decode_source(name: str, data: bytes) -> Source:
    """A source from the bytes of a file (UTF-8, with or without a byte order mark).

    Raises:
        SchemaError: the bytes are not UTF-8; says at which byte, line and column.
    """
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        good = Source(name, data[: error.start].decode("utf-8"))
        _, line, column = Places([good]).position(0, len(good.text))
        message = f"byte {error.start:,} (0x{data[error.start]:02x}) is not UTF-8: {error.reason}"
        hint = "save the file as UTF-8; nothing was read"
        raise SchemaError([Diagnostic("error", "not-utf-8", message, name, line, column, hint)]) from None


def read_source(path: str | Path) -> Source:
    """Read one SDL file; no more of it than a schema can have, which is then reported when it is compiled.

    Raises:
        SchemaError: as :func:`decode_source`.
        OSError: as for any file.
    """
    with Path(path).open("rb") as file:
        data = file.read(4 * MAX_CHARACTERS + 4)
    return decode_source(str(path), data)
