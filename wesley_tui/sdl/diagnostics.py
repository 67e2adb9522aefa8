"""What is wrong, or could be better, in a schema, and exactly where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Source:
    """One SDL file: ``name`` is shown in messages (a path, ``<stdin>``, ``editor``)."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """``line`` and ``column`` count from 1, in characters; 0 when the whole file is meant."""

    severity: Literal["error", "warning"]
    code: str
    """A stable, kebab-case name of the rule: ``unknown-directive``, ``name-too-long`` …"""
    message: str
    """What happened and what it means, one or two sentences."""
    source: str
    line: int
    column: int
    hint: str = ""
    """What to write instead."""

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        tail = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{where}: {self.severity}: {self.message} [{self.code}]{tail}"


class SchemaError(Exception):
    """The schema cannot be compiled; nothing was planned and the database was not touched."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(item) for item in self.diagnostics))
