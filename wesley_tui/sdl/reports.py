"""Findings of a compilation, from all its parts, brought to lines and columns and into the order of the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wesley_tui.sdl.diagnostics import Diagnostic, Source
from wesley_tui.sdl.issues import Issue, Spot
from wesley_tui.sdl.places import Place, Places
from wesley_tui.sdl.syntax import Definition

__all__ = ["Parts", "Reports"]

MAX_DIAGNOSTICS = 200
Parts = Sequence[Definition]
"""The definitions of which the spots of an issue speak."""


class Reports:
    """What is wrong with a list of sources, and where each of their definitions stands."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.lines = Places(sources)
        self.places: dict[Definition, Place] = {}
        self._found: list[tuple[int, int, Diagnostic]] = []

    def place(self, definition: Definition, place: Place) -> None:
        """Note where a definition stands."""
        self.places[definition] = place

    def add(self, source: int, offset: int, diagnostic: Diagnostic) -> None:
        """Note a finding that knows its line and column itself."""
        self._found.append((source, offset, diagnostic))

    def error(self, definition: Definition, code: str, message: str, hint: str) -> None:
        """Report an error at the name of a definition."""
        self.report(Issue("error", code, message, hint, Spot(0, definition.at)), (definition,))

    def report(self, issue: Issue, parts: Parts) -> None:
        """Report an issue whose spot speaks of one of ``parts``."""
        place = self.places[parts[issue.spot.part]]
        offset = place.start + issue.spot.at
        source, line, column = self.lines.position(place.source, offset)
        found = Diagnostic(issue.severity, issue.code, issue.message, source, line, column, issue.hint)
        self._found.append((place.source, offset, found))

    def report_all(self, issues: Iterable[Issue], parts: Parts) -> None:
        """Report several issues of the same definitions."""
        for issue in issues:
            self.report(issue, parts)

    def text(self, definition: Definition) -> str:
        """``file:line:column`` of a definition, for a message."""
        return self.lines.text(self.places[definition], definition.at)

    def diagnostics(self) -> list[Diagnostic]:
        """Every finding once, in the order of the text."""
        ordered = sorted(self._found, key=lambda item: item[:2])
        return list(dict.fromkeys(diagnostic for _, _, diagnostic in ordered))

    @staticmethod
    def limited(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
        """At most MAX_DIAGNOSTICS, errors before warnings when there is no room for all."""
        if len(diagnostics) <= MAX_DIAGNOSTICS:
            return diagnostics
        errors = [item for item in diagnostics if item.severity == "error"]
        kept = errors[:MAX_DIAGNOSTICS]
        last = kept[-1]
        rest = len(diagnostics) - len(kept)
        more = Diagnostic("error", "more-diagnostics", f"and {rest:,} more", last.source, last.line, last.column)
        return [*kept, more]
