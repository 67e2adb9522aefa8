"""Schema and plan files: found, read, and written so that a crash leaves the old or the new one, never half."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wesley_tui.services.errors import InputError

if TYPE_CHECKING:
    from wesley_tui.sdl.diagnostics import Source

__all__ = ["is_plan_file", "read_bytes", "read_schema", "write_atomically"]

SCHEMA_SUFFIXES = (".graphql", ".graphqls", ".gql")


def read_schema(paths: Sequence[str]) -> tuple[Source, ...]:
    """The SDL files that ``paths`` name: files, directories (their ``*.graphql``, sorted), or ``-`` for stdin.

    Raises :class:`InputError` for what cannot be read, and ``SchemaError`` with the position for bytes that are not
    UTF-8.
    """
    from wesley_tui.sdl.source import decode_source

    sources: list[Source] = []
    for name in paths:
        if name == "-":
            sources.append(decode_source("<stdin>", sys.stdin.buffer.read()))
            continue
        path = Path(name)
        files = [path]
        if path.is_dir():
            files = sorted(item for item in path.rglob("*") if item.suffix in SCHEMA_SUFFIXES and item.is_file())
            if not files:
                raise InputError(f"{name}: no {' or '.join(SCHEMA_SUFFIXES)} file in this directory")
        sources.extend(decode_source(str(file), read_bytes(file)) for file in files)
    return tuple(sources)


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}. Nothing was planned.") from error


def is_plan_file(path: Path) -> bool:
    """Whether a file is a plan's JSON rather than SDL: no SDL document starts with a brace and a quoted name."""
    if str(path) == "-" or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"{") and head[1:].lstrip()[:1] in (b'"', b"}")


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by a complete file; the mode of an existing file is kept."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent or Path())
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}. The old file is untouched.") from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
