"""What one definition may know of the others: the kinds of the types that it names, and where user types live.

Every answer is noted. An unchanged type is compiled again only when one of the answers that it got would be another one
now (see :mod:`wesley_tui.sdl.compile`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from wesley_tui.catalog.model import QName
from wesley_tui.sdl.names import nearest

__all__ = ["Environment", "TypeInfo"]


class TypeInfo(NamedTuple):
    """A type of the schema, or a scalar of the dialect."""

    kind: Literal["table", "dropped", "view", "enum", "scalar", "other"]
    sql: str = ""
    """Canonical PostgreSQL type of a scalar or an enum."""
    name: QName | None = None
    """Of a table or an enum."""
    labels: tuple[str, ...] | None = None
    by_value: tuple[tuple[str, str], ...] = ()
    """Of an enum: each GraphQL value with its label."""


class Environment(Mapping[str, QName]):
    """Answers of one compilation. As a mapping: user types by their SQL name, for ``canonical_type()``."""

    def __init__(
        self, types: Mapping[str, TypeInfo], user_types: Mapping[str, QName], directives: frozenset[str]
    ) -> None:
        self._types = types
        self._user_types = user_types
        self.declared_directives = directives
        self.answers: dict[tuple[str, str], Any] = {("directives", ""): directives}

    def type(self, name: str) -> TypeInfo | None:
        answer = self._types.get(name)
        self.answers["type", name] = answer
        return answer

    def nearest_type(self, name: str) -> str | None:
        answer = nearest(name, self._types)
        self.answers["nearest type", name] = answer
        return answer

    def still_holds(self, answers: Mapping[tuple[str, str], Any]) -> bool:
        """Would all these questions be answered the same way now?"""
        for (topic, name), answer in answers.items():
            if topic == "type":
                if self._types.get(name) != answer:
                    return False
            elif topic == "nearest type":
                if nearest(name, self._types) != answer:
                    return False
            elif topic == "user type":
                if self._user_types.get(name) != answer:
                    return False
            elif self.declared_directives != answer:
                return False
        return True

    def __getitem__(self, name: str) -> QName:
        self.answers["user type", name] = self._user_types.get(name)
        return self._user_types[name]

    def __contains__(self, name: object) -> bool:
        answer = self._user_types.get(str(name))
        self.answers["user type", str(name)] = answer
        return answer is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._user_types)

    def __len__(self) -> int:
        return len(self._user_types)
