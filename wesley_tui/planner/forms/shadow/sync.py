"""The trigger that keeps two columns of different types alike while one takes over from the other.

Before the exchange it fills the new column from the old one at every write. A value that has no counterpart leaves the
new column NULL: it is the plan that fails then, at its proof, and not the client. After the exchange it fills the old
column, so that the way back is open: with the same value where the old type has one, else with NULL; what the undo
cannot bring back it refuses to lose.

It fires last (see ``SYNC_TRIGGER``), and always: also for rows that a replication worker writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.catalog.reading.names import SYNC_TRIGGER
from wesley_tui.planner.conversion import can_fail, reverse_template, settings_of
from wesley_tui.planner.shadows import ShadowColumn, ShadowTable
from wesley_tui.planner.situation import clipped_name

__all__ = ["Sync", "differs", "from_old", "guard", "guard_removed"]

_NO_EQUALITY = frozenset(("json", "xml", "point", "box", "polygon", "path", "lseg", "line", "circle"))
_TAG = "$wesley$"


class Sync:
    """The statements that make and remove the trigger of one table. ``tag`` names the plan."""

    def __init__(self, table: ShadowTable, tag: str) -> None:
        self._table = table
        self.trigger = f"{SYNC_TRIGGER}{tag}"
        self._function = qualified(QName("wesley", clipped_name(f"sync_{tag}_", "_".join(table.name))))

    def forward(self, *, strict: bool = False) -> tuple[str, ...]:
        """Old column → new column, under the names before the exchange; ``strict`` as in :meth:`stricter`."""
        function, *trigger = self._forward(strict)
        return (f"CREATE FUNCTION {function}", *trigger)

    def stricter(self) -> tuple[str, ...]:
        """From now on a value that the author's own expression cannot convert is refused: no rule on the table could
        say that it has none. Nobody is left who has written under the function of before, and waits to commit."""
        if not any(item.conversion.using for item in self._table.columns):
            return ()
        lock = f"LOCK TABLE {qualified(self._table.name)} IN SHARE ROW EXCLUSIVE MODE"
        return (lock, f"CREATE OR REPLACE FUNCTION {self._forward(True)[0]}")

    def as_before(self) -> tuple[str, ...]:
        """What takes :meth:`stricter` back."""
        if not any(item.conversion.using for item in self._table.columns):
            return ()
        return (f"CREATE OR REPLACE FUNCTION {self._forward(False)[0]}",)

    def _forward(self, strict: bool) -> tuple[str, ...]:
        settings: list[str] = []
        lines: list[str] = []
        for item in self._table.columns:
            settings += settings_of(item.old.type, item.new.type, using=item.conversion.using)
            assign = f"NEW.{quote_ident(item.shadow)} := {item.conversion.of('NEW')};"
            if not strict if item.conversion.using else can_fail(item.old.type, item.new.type):
                caught = "OTHERS" if item.conversion.using else "data_exception"
                assign = (
                    f"BEGIN\n    {assign}\n  EXCEPTION WHEN {caught} THEN\n"
                    f"    NEW.{quote_ident(item.shadow)} := NULL;\n  END;"
                )
            lines.append(assign)
        return self._made(lines, settings)

    def backward(self) -> tuple[str, ...]:
        """New column → old column, under the names after the exchange. Only where the value changes: a row that nobody
        touches keeps its old value, even if the conversion has cut something off it.

        An INSERT without column list still means the old column by its position: its value reaches the new one."""
        lines: list[str] = []
        settings: list[str] = []
        for item in self._table.columns:
            # For what an INSERT without column list, or a row that moves to another partition, brings.
            settings += settings_of(item.old.type, item.new.type, using=item.conversion.using)
            back = None if item.conversion.using else reverse_template(item.old.type, item.new.type)
            value = "NULL" if back is None else back.replace("{}", f"NEW.{quote_ident(item.name)}")
            # Equal is not the same: jsonb '1.0' and '1.00', interval '30 days' and '1 mon', citext 'a' and 'A'.
            own, old = f"NEW.{quote_ident(item.name)}", f"NEW.{quote_ident(item.away)}"
            changed = f"pg_catalog.record_image_ne(ROW({own}), ROW(OLD.{quote_ident(item.name)}))"
            lines.append(
                f"IF TG_OP = 'INSERT' AND {old} IS NOT NULL THEN\n    {own} := {from_old(item, self._table)};\n"
                f"  ELSIF TG_OP = 'INSERT' OR {changed} THEN\n    {old} := {value};\n  END IF;"
            )
        function, *trigger = self._made(lines, settings)
        return (f"CREATE FUNCTION {function}", *trigger)

    def _made(self, lines: Sequence[str], settings: Sequence[str]) -> tuple[str, ...]:
        body = "\n  ".join(lines)
        table = qualified(self._table.name)
        clauses = "".join(f" {text}" for text in dict.fromkeys(settings))
        return (
            f"{self._function}() RETURNS trigger LANGUAGE plpgsql{clauses} AS {_TAG}\n"
            f"BEGIN\n  {body}\n  RETURN NEW;\nEND\n{_TAG}",
            f"CREATE TRIGGER {quote_ident(self.trigger)} BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {self._function}()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {quote_ident(self.trigger)}",
        )

    def removed(self) -> tuple[str, ...]:
        return (
            f"DROP TRIGGER {quote_ident(self.trigger)} ON {qualified(self._table.name)}",
            f"DROP FUNCTION {self._function}()",
        )


def guard(table: QName, columns: Sequence[str], tag: str, moving: Sequence[str] = ()) -> tuple[str, ...]:
    """A trigger that refuses rows with a value in columns that are out of use: only an INSERT that counts columns
    instead of naming them has one. Its condition is all that other writes pay for it.

    ``moving``: what decides about the partition of a row. One that moves is inserted again, so it leaves the values
    behind that are out of use."""
    function = _guard_function(table, tag)
    values = " OR ".join(f"NEW.{quote_ident(column)} IS NOT NULL" for column in columns)
    message = f"INSERT into {table} without a column list: a column has changed its type and moved to the end"
    moves = ""
    if moving:
        named = [quote_ident(column) for column in moving]
        moved = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in named)
        emptied = " ".join(f"NEW.{quote_ident(column)} := NULL;" for column in columns)
        moves = f"  IF TG_OP = 'UPDATE' THEN\n    IF {moved} THEN {emptied} END IF;\n    RETURN NEW;\n  END IF;\n"
    return (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {_TAG}\nBEGIN\n{moves}"
        f"  RAISE EXCEPTION USING MESSAGE = {quote_literal(message)}, ERRCODE = 'object_not_in_prerequisite_state',\n"
        f"    HINT = 'Name the columns: INSERT INTO table (a, b) VALUES ...';\nEND\n{_TAG}",
        f"CREATE TRIGGER {quote_ident(SYNC_TRIGGER + tag)} BEFORE INSERT{' OR UPDATE' if moving else ''} "
        f"ON {qualified(table)} "
        f"FOR EACH ROW WHEN ({values}) EXECUTE FUNCTION {function}()",
    )


def guard_removed(table: QName, tag: str) -> tuple[str, ...]:
    return (
        f"DROP TRIGGER {quote_ident(SYNC_TRIGGER + tag)} ON {qualified(table)}",
        f"DROP FUNCTION {_guard_function(table, tag)}()",
    )


def _guard_function(table: QName, tag: str) -> str:
    return qualified(QName("wesley", clipped_name(f"guard_{tag}_", "_".join(table))))


def from_old(item: ShadowColumn, table: ShadowTable, row: str = "NEW") -> str:
    """What the conversion makes of the old column under its name after the exchange."""
    if not item.conversion.using:
        return replace(item.conversion, column=item.away).of(row)
    away = {other.name: other.away for other in table.columns}
    return item.conversion.of_row(
        row, {column.name: away.get(column.name, column.name) for column in table.live.columns}
    )


def differs(first: str, second: str, type_name: str) -> str:
    """``IS DISTINCT FROM``, through text for types that have no equality."""
    if type_name.removesuffix("[]") in _NO_EQUALITY:
        return f"{first}::text IS DISTINCT FROM {second}::text"
    return f"{first} IS DISTINCT FROM {second}"
