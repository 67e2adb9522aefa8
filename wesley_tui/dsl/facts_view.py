"""What there is to say about an operation, and what it is said from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from wesley_tui.catalog.model import Catalog, Column, QName, Table
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.dsl.spelling import qname_of
from wesley_tui.dsl.template import Values
from wesley_tui.planner.effects import EffectContext
from wesley_tui.planner.plan import StepCheck

__all__ = ["Answer", "Facts", "View", "each"]


@dataclass(frozen=True, slots=True)
class Facts:
    undo: tuple[str, ...] = ()
    before: tuple[StepCheck, ...] = ()
    after: tuple[StepCheck, ...] = ()
    danger: str = ""
    """A reason for H3 that the effects of the SQL do not show."""
    leftover: StepCheck | None = None
    cleanup: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """The fields of an operation, and the catalog at its turn."""

    values: Values
    context: EffectContext
    rows: float
    """Estimated rows of the table; -1 when nobody knows."""

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def name(self, field: str) -> QName:
        return qname_of(self.values[field])

    @property
    def catalog(self) -> Catalog:
        assert self.context.catalog is not None
        return self.context.catalog

    @property
    def table(self) -> QName:
        return self.name("table")

    @property
    def record(self) -> Table:
        return self.context.whole_table(self.table) or Table(self.table)

    @property
    def column(self) -> Column | None:
        return self.record.column(self.values["column"])

    @property
    def sql(self) -> str:
        """``ALTER TABLE public.t``"""
        return f"ALTER TABLE {qualified(self.table)}"

    @property
    def column_sql(self) -> str:
        return f"{self.sql} ALTER COLUMN {quote_ident(self.values['column'])}"


Answer = Callable[[View], Facts]


def each(answer: Answer, *names: str) -> Iterator[tuple[str, Answer]]:
    return ((name, answer) for name in names)
