"""What the compiler finds wrong, told relative to the definition in which it stands.

A finding of an unchanged type is kept between two compilations although the type may have moved in its file; its place
is therefore a :class:`Spot`, made into a line and a column (:mod:`wesley_tui.sdl.diagnostics`) at the very end.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Issue", "Issues", "Spot"]


class Spot(NamedTuple):
    """``part``: which of the definitions of a type (0 is ``type``, then each ``extend type``); ``at``: where in it."""

    part: int
    at: int


class Issue(NamedTuple):
    severity: Literal["error", "warning"]
    code: str
    message: str
    hint: str
    spot: Spot


class Issues(list[Issue]):
    """A list of findings with two verbs."""

    def error(self, code: str, message: str, spot: Spot, hint: str = "") -> None:
        self.append(Issue("error", code, message, hint, spot))

    def warn(self, code: str, message: str, spot: Spot, hint: str = "") -> None:
        self.append(Issue("warning", code, message, hint, spot))
