"""The table that an ALTER TABLE speaks of, and who knows which of its subcommands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wesley_tui.catalog.model import Column, QName, Table
from wesley_tui.planner.effects.context import EffectContext
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.plan import LockMode

__all__ = ["SUBCOMMANDS", "Subcommand", "Target", "subcommand"]


class Target:
    """One table with what is known about it: the one that is named, or a child that the subcommand goes on to."""

    def __init__(
        self, name: QName, context: EffectContext, tally: Tally, *, is_child: bool = False, said_foreign: bool = False
    ) -> None:
        self.name = name
        self.context = context
        self.tally = tally
        self.is_child = is_child
        self.said_foreign = said_foreign
        self.table: Table | None = context.whole_table(name)

    @property
    def has_rows(self) -> bool:
        """A partitioned table has no storage of its own, a foreign one has it elsewhere and is trusted."""
        return not self.is_foreign and (self.table is None or self.table.partition_by is None)

    @property
    def is_foreign(self) -> bool:
        return self.said_foreign or self.context.object("foreign table", self.name) is not None

    @property
    def children(self) -> tuple[QName, ...]:
        return self.context.descendants(self.name)

    @property
    def is_partitioned(self) -> bool:
        return self.table is not None and self.table.partition_by is not None

    def lock(self, mode: LockMode) -> None:
        self.tally.lock(self.name, mode)

    def scan(self) -> None:
        if self.has_rows:
            self.tally.scans.add(self.name)

    def rewrite(self) -> None:
        if self.has_rows:
            self.tally.rewrites.add(self.name)

    def column(self, name: str) -> Column | None:
        return self.table.column(name) if self.table is not None else None

    def assume(self, sentence: str) -> None:
        """Say what is taken for granted, when the catalog cannot know better."""
        if not self.context.knows(self.name):
            self.tally.assumes.append(sentence)


Subcommand = Callable[[Any, Target], None]
SUBCOMMANDS: dict[str, tuple[Subcommand, bool]] = {}
"""By ``AlterTableType``: the function, and whether it is asked for every child too."""


def subcommand(*subtypes: str, recurses: bool = False) -> Callable[[Subcommand], Subcommand]:
    """Register a function; with ``recurses`` it is called for the table and, without ONLY, for each descendant."""

    def register(function: Subcommand) -> Subcommand:
        for subtype in subtypes:
            SUBCOMMANDS[f"AT_{subtype}"] = (function, recurses)
        return function

    return register
