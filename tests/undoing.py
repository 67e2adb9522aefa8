"""Undo in tests: carry out the first steps of a plan, take them back as ``wesley rollback`` would, and say what is not
as it was."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import psycopg

from tests.catalogs import clear_database, differences, read
from tests.planned import carry_out
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog
from wesley_tui.diff.compare import compare
from wesley_tui.planner.build import PlanOptions, build_plan
from wesley_tui.planner.plan import Plan, Step, Wave
from wesley_tui.services.rollback import Undo, plan_undo

__all__ = ["Journey", "contents", "there_and_back", "undo_after"]


@dataclass(frozen=True)
class Journey:
    """From one state of a database to another, each made by statements."""

    before: Sequence[str]
    after: Sequence[str]
    """Run on top of ``before`` (``fresh``: instead of it), in a scratch database: what they make is what is desired."""
    rows: Sequence[str] = ()
    """Run after ``before`` where the plan is carried out."""
    intent: Intent = field(default_factory=Intent)
    fresh: bool = False
    purge: bool = False

    def desired(self, database: str) -> Catalog:
        clear_database(database)
        _execute(database, self.after if self.fresh else [*self.before, *self.after])
        return read(database).catalog

    def begin(self, database: str) -> None:
        clear_database(database)
        _execute(database, [*self.before, *self.rows])


def _execute(database: str, statements: Collection[str]) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        for statement in statements:
            connection.execute(statement.encode())


def there_and_back(database: str, journey: Journey, *, boundaries: bool) -> Plan:
    """Carry out the plan and take it back; with ``boundaries`` also when only its first 1, 2, 3 … steps were done.

    Whatever is then not as it was must have been said: by a sentence of ``Undo.stays`` that names the object.
    """
    desired = journey.desired(database)
    journey.begin(database)
    plan = _plan(database, desired, journey)
    number = len(list(plan.steps))
    for done in range(1, number) if boundaries else ():
        undo_after(database, plan, done)
        journey.begin(database)
        plan = _plan(database, desired, journey)
    undo_after(database, plan, number)
    return plan


def undo_after(database: str, plan: Plan, done: int) -> None:
    """Carry out the first ``done`` steps on the database that the plan is for, and take them back."""
    before, rows = read(database).catalog, contents(database)
    steps = list(plan.steps)
    carry_out(database, _only(plan, steps[:done]), batch_rows=400)
    undo = plan_undo(1, plan, [step.step_sha for step in steps[:done]], read(database))
    carry_out(database, _only(undo.plan, list(undo.plan.steps)[:-1]))
    unsaid = [line for line in _changed(before, rows, database) if not _was_said(line, undo)]
    assert not unsaid, f"after {done} of {len(steps)} steps: {unsaid}; said: {undo.stays}"


def _plan(database: str, desired: Catalog, journey: Journey) -> Plan:
    snapshot = read(database)
    diff = compare(snapshot.catalog, desired, journey.intent, adopt_all=True)
    return build_plan(snapshot, desired, diff, PlanOptions(adopt_all=True, purge=journey.purge))


def _only(plan: Plan, steps: Sequence[Step]) -> Plan:
    return Plan(plan.plan_id, plan.base, plan.target, (Wave("EXPAND", tuple(steps)),))


def contents(database: str) -> dict[str, str]:
    """A digest of the rows of every table, whatever the order of rows and columns, and where sequences stand."""
    with psycopg.connect(database) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = connection.execute(
            "SELECT n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname), c.relkind"
            "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        ).fetchall()
        found = {}
        for name, quoted, kind in tables:
            query = (
                f"SELECT last_value || ' ' || is_called FROM {quoted}"
                if kind in ("S", b"S")
                else "SELECT count(*) || ' ' || coalesce(sum(hashtextextended(to_jsonb(t)::text, 0)), 0)"
                f" FROM {quoted} AS t"
            )
            row = connection.execute(query.encode()).fetchone()
            assert row is not None
            found[name] = str(row[0])
    return found


def _changed(before: Catalog, rows: dict[str, str], database: str) -> list[str]:
    now = contents(database)
    data = [
        f"rows of {name}: {rows.get(name)} → {now.get(name)}"
        for name in sorted({*rows, *now})
        if rows.get(name) != now.get(name)
    ]
    return [*differences(before, read(database).catalog), *data]


def _was_said(line: str, undo: Undo) -> bool:
    """Whether a sentence names what differs; both speak of ``schema.name``."""
    words = {word.strip("(),:;'\"[]") for text in undo.stays for word in text.split()}
    named = {word for word in words if "." in word.strip(".")}
    return any(name in line or ".".join(name.split(".")[:2]) in line for name in named)
