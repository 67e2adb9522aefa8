"""The records of changes of type by shadow column: which columns change together, and what is made again for them.

Columns of one table change together, and so do the two ends of a foreign key: they are one *party*, and either all of
it is made by shadow columns or nothing. :mod:`wesley_tui.planner.forms.shadow.choice` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wesley_tui.catalog.model import Check, Column, Constraint, Exclude, ForeignKey, Index, QName, Table
from wesley_tui.planner.conversion import Conversion
from wesley_tui.planner.effects.expressions import mentions

__all__ = ["ShadowColumn", "ShadowTable", "Shadows", "uses_column"]


@dataclass(frozen=True, slots=True)
class ShadowColumn:
    """One column on its way from one type to another."""

    old: Column
    """As it is live, under its new name."""
    new: Column
    """As it is declared."""
    shadow: str
    """The name of the new column until the exchange."""
    away: str
    """The name of the old column from the exchange on."""
    conversion: Conversion

    @property
    def name(self) -> str:
        return self.old.name


@dataclass(frozen=True, slots=True)
class ShadowTable:
    """A table with columns that change by shadow, and what on it is made again for them."""

    live: Table
    """Constraints and indexes under the names that the plan gives them before anything else."""
    columns: tuple[ShadowColumn, ...]
    keeps_identity: frozenset[str] = frozenset()
    """Columns whose identity changes too: the exchange carries the old one over, and a later step changes it."""
    leaving: frozenset[str] = frozenset()
    """Constraints and indexes that the plan drops or replaces: they are not made again."""

    @property
    def name(self) -> QName:
        return self.live.name

    @property
    def shadow_names(self) -> dict[str, str]:
        """Column → its shadow."""
        return {item.name: item.shadow for item in self.columns}


@dataclass(frozen=True, slots=True)
class Shadows:
    """What :func:`wesley_tui.planner.forms.shadow.choice.shadows_of` found."""

    parties: tuple[tuple[ShadowTable, ...], ...] = ()
    """Tables that are exchanged in one transaction, sorted by name."""
    direct: Mapping[tuple[QName, str], str] = field(default_factory=dict)
    """(table, column) → why its type is changed in place."""
    small: frozenset[tuple[QName, str]] = frozenset()
    """Those of them that are, because their tables are small."""

    def party_of(self, table: QName, column: str) -> tuple[ShadowTable, ...]:
        """The party that the column belongs to; empty when it is changed in place."""
        for party in self.parties:
            for member in party:
                if member.name == table and column in member.shadow_names:
                    return party
        return ()

    def carries_default(self, table: QName, column: str) -> bool:
        """Whether the exchange sets the declared default, and not that of before."""
        return any(
            member.name == table and column not in member.keeps_identity for member in self.party_of(table, column)
        )

    def has(self, table: QName, column: str) -> bool:
        return bool(self.party_of(table, column))


def uses_column(part: Constraint | Index, column: str) -> bool:
    """Whether a constraint or index of a table stands on the column, as key or inside an expression."""
    match part:
        case Check():
            return mentions(part.expression, column)
        case ForeignKey():
            return column in part.columns
        case Exclude():
            texts = [part.where, *(key.expression for key, _ in part.elements)]
            plain = any(key.column == column for key, _ in part.elements)
        case Index():
            texts = [part.where, *(key.expression for key in part.keys)]
            plain = column in part.include or any(key.column == column for key in part.keys)
        case _:
            return column in (*part.columns, *part.include)
    return plain or any(mentions(text, column) for text in texts if text is not None)
