"""Run a plan in a process of its own, kill something, resume until it is done, and check all that must hold."""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.zygote import Driver, Zygote
from tests.plans import Draft, autocommit, backfill, check, concurrent_index, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.stored import document_from_plan
from wesley_tui.planner.plan import LockMode, Plan

__all__ = ["ROWS", "TALLY", "Case", "Tally", "seed", "whole_plan"]

ROWS = 400


@dataclass
class Tally:
    """What the tests of this process have done so far."""

    kills: Counter[str] = field(default_factory=Counter)
    """By what was killed, or cut."""
    violations: list[str] = field(default_factory=list)


TALLY = Tally()


def seed(uri: str) -> None:
    """A table whose rows count how often they were visited, and a type."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.t (id bigint PRIMARY KEY, a int, b int, visits int NOT NULL DEFAULT 0)")
        connection.execute(f"INSERT INTO public.t SELECT g, g FROM generate_series(1, {ROWS}) g".encode())
        connection.execute("CREATE TYPE public.mood AS ENUM ('sad')")
        connection.execute("CREATE TABLE public.told (n int)")
        connection.execute("CREATE TABLE public.parted (id int) PARTITION BY LIST (id)")
        connection.execute("CREATE TABLE public.part PARTITION OF public.parted FOR VALUES IN (1)")
        connection.execute("INSERT INTO public.parted VALUES (1)")
        connection.execute("CREATE INDEX t_visits_idx ON public.t (visits)")


def whole_plan(uri: str, *, slow: float = 0.0) -> Plan:
    """Every kind of step; each that could happen twice leaves a trace of how often it did. ``slow``: seconds that
    statements take, so that they can be hit from outside."""
    rest = f"SELECT pg_sleep({slow})"
    return make_plan(
        [
            transactional("INSERT INTO public.told VALUES (1)", rest, "ALTER TABLE t ADD c int", object="public.t"),
            transactional("INSERT INTO public.told VALUES (2)", "CREATE TABLE public.u (id int)", object="public.u"),
            autocommit(
                "ALTER TYPE public.mood ADD VALUE 'happy'",
                object="public.mood",
                postchecks=(check("SELECT 'happy' = ANY (enum_range(NULL::public.mood)::text[])"),),
            ),
            concurrent_index("public.t", "a", unique=True),
            _detach(),
            _drop_index(),
            backfill(
                "public.t", "id", "b = a, visits = visits + 1", "t.b IS NULL", visit="true", batch_rows=100,
                rows_per_second=int(200 / slow) if slow else None,
            ),
            transactional(
                "INSERT INTO public.told VALUES (3)", rest, "ALTER TABLE public.t ALTER b SET NOT NULL",
                object="public.t", wave="VALIDATE",
            ),
        ],
        uri,
    )  # fmt: skip


def _detach() -> Draft:
    """DETACH CONCURRENTLY: cut short, the rows are gone from the parent and the rest is pending."""
    inherits = "SELECT {} FROM pg_inherits WHERE inhrelid = 'public.part'::regclass"
    return autocommit(
        "ALTER TABLE public.parted DETACH PARTITION public.part CONCURRENTLY",
        op="detach_partition_concurrently",
        object="public.parted",
        locks={"public.parted": LockMode.ShareUpdateExclusiveLock, "public.part": LockMode.AccessExclusiveLock},
        postchecks=(check(inherits.format("count(*) = 0"), "the partition is still attached"),),
        leftover_check=check(inherits.format("coalesce(bool_or(inhdetachpending), false)"), "a detach is pending"),
        leftover_cleanup=("ALTER TABLE public.parted DETACH PARTITION public.part FINALIZE",),
    )


def _drop_index() -> Draft:
    """DROP INDEX CONCURRENTLY: cut short, the index is there and invalid."""
    there = "SELECT {} (SELECT FROM pg_index WHERE indexrelid = to_regclass('public.t_visits_idx'){})"
    return autocommit(
        "DROP INDEX CONCURRENTLY public.t_visits_idx",
        op="drop_index_concurrently",
        object="public.t",
        locks={"public.t": LockMode.ShareUpdateExclusiveLock},
        postchecks=(check(there.format("NOT EXISTS", ""), "the index is still there"),),
        leftover_check=check(there.format("EXISTS", " AND NOT indisvalid"), "half of the index is still there"),
        leftover_cleanup=("DROP INDEX CONCURRENTLY IF EXISTS public.t_visits_idx",),
    )


@dataclass
class Case:
    """A plan on a database, and processes that run it."""

    uri: str
    plan: Plan
    folder: Path
    zygote: Zygote
    wrong: str = ""
    _runs: int = 0

    def start(self, verb: str, failpoint: str = "") -> Driver:
        """A driver process, running."""
        file = self.folder / "plan.json"
        file.write_text(document_from_plan(self.plan))
        environment = {"WESLEY_FAILPOINT": failpoint} if failpoint else {}
        environment |= {"WESLEY_WRONG": self.wrong} if self.wrong else {}
        self._runs += 1
        return self.zygote.start([verb, self.uri, str(file)], environment, self.folder / f"said-{self._runs}")

    def finish(self, driver: Driver) -> tuple[int, str]:
        """(exit status, what it said)."""
        status = driver.wait()
        if status == -signal.SIGKILL and not self.wrong:
            TALLY.kills["Wesley"] += 1
        return status, driver.said.read_text()

    def run(self, verb: str, failpoint: str = "") -> tuple[int, str]:
        return self.finish(self.start(verb, failpoint))

    def assert_whole(self) -> None:
        """Nothing is violated; the tally knows what was."""
        found = self.violations()
        TALLY.violations += found
        assert found == []

    def converge(self) -> None:
        """Resume until it is done, as a person would; or start, when the first attempt left no trace."""
        code, said = 0, ""
        for _ in range(4):
            last = ledger.status(self.uri)
            if last is not None and last.status is RunStatus.COMPLETE:
                return
            code, said = self.run("start" if last is None else "resume")
        raise AssertionError(f"it does not converge: {code}: {said}")

    def expected(self) -> dict[str, Any]:
        """Queries, and what they must say after a run that says it is complete."""
        return {
            "SELECT string_agg(n::text, ',' ORDER BY n) FROM told": "1,2,3",
            f"SELECT count(*) FROM t WHERE b = a AND id <= {ROWS}": ROWS,
            "SELECT min(visits) || '..' || max(visits) FROM t": "1..1",
            "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND indexname = 't_a_idx'": 1,
            "SELECT enum_range(NULL::mood)::text": "{sad,happy}",
            "SELECT count(*) FROM pg_inherits": 0,
            "SELECT count(*) FROM part": 1,
            "SELECT to_regclass('t_visits_idx') IS NULL": True,
            "SELECT attnotnull::text FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'": "true",
        }

    def violations(self) -> list[str]:
        """What is not as it must be after a run that says it is complete."""
        steps = len(list(self.plan.steps))
        expected = self.expected() | {
            "SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready": 0,
            "SELECT count(*) FROM pg_constraint WHERE NOT convalidated": 0,
            "SELECT count(*) FROM pg_inherits WHERE inhdetachpending": 0,
            "SELECT count(*) FROM pg_prepared_xacts": 0,
            "SELECT string_agg(wave, ',' ORDER BY wave) FROM wesley.migration_events WHERE type = 'wave.complete'": (
                ",".join(sorted(wave.name for wave in self.plan.waves))
            ),
            "SELECT array_agg(DISTINCT status)::text FROM wesley.migration_runs": "{complete}",
            "SELECT count(*) || '/' || count(DISTINCT step_sha) FROM wesley.migration_ledger"
            " WHERE status = 'succeeded'": f"{steps}/{steps}",
        }
        found = []
        with psycopg.connect(self.uri, autocommit=True) as connection:
            for query, value in expected.items():
                row = connection.execute(query.encode()).fetchone()
                if row is None or row[0] != value:
                    found.append(f"{query}: {row[0] if row else None!r} instead of {value!r}")
        return [*found, *ledger.verify(self.uri), *self._left_over()]

    def _left_over(self) -> list[str]:
        """Sessions of ours that are still there a few seconds after the end."""
        query = (
            "SELECT application_name || ': ' || query FROM pg_stat_activity"
            " WHERE application_name LIKE 'wesley/%' AND datname = current_database()"
        )
        end = time.monotonic() + 5
        with psycopg.connect(self.uri, autocommit=True) as connection:
            while left := [row[0] for row in connection.execute(query.encode())]:
                if time.monotonic() > end:
                    return left
                time.sleep(0.05)
        return []

    def when(self, query: str, act: Callable[[Any], None], timeout: float = 30) -> None:
        """As soon as ``query`` yields a value, do something with it."""
        end = time.monotonic() + timeout
        value = None
        with psycopg.connect(self.uri, autocommit=True) as connection:
            while value is None:
                assert time.monotonic() < end, f"never seen: {query}"
                with contextlib.suppress(psycopg.errors.UndefinedTable):
                    row = connection.execute(query.encode()).fetchone()
                    value = row[0] if row is not None else None
                time.sleep(0.005)
        act(value)
