"""Very much of something: notices, rows, steps. Memory stays bounded, time grows in proportion."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest

from tests.faults.servers import until
from tests.faults.test_network import ended, run_sql
from tests.plans import accept, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
pytestmark = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
_OPTIONS = RunOptions(seed=1, knobs=Knobs(workers=1, blind_s=60, calm_s=1))


def _peak_kb(pid: int) -> int:
    """Largest resident memory that a process has had."""
    (line,) = (row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1])


def _psql_children() -> list[int]:
    """Process ids of the psql children of this process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name, _, fields = (entry / "stat").read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue
            if name == "psql" and int(fields.split()[1]) == os.getpid():
                found.append(int(entry.name))
    return found


def test_a_million_notices_and_a_result_of_300_megabytes(database: str) -> None:
    plan = make_plan(
        [
            transactional(
                "DO $$ BEGIN FOR i IN 1..1000000 LOOP RAISE NOTICE 'notice %', i; END LOOP; END $$",
                "SELECT repeat('x', 1000) FROM generate_series(1, 300000)",
                "SELECT pg_sleep(1)",
                statement_timeout_ms=120_000,
            )
        ],
        database,
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = start_run(database, plan, accept(plan), _OPTIONS)
    until(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'", timeout=100)
    (psql,) = _psql_children()
    assert _peak_kb(psql) < 30_000
    assert ended(run).status is RunStatus.COMPLETE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_ten_thousand_steps(database: str) -> None:
    """A plan ten times as long takes about ten times as long, and what is done of it is skipped in no time."""
    took = {}
    for count in (1_000, 10_000):
        steps = [
            transactional(f"SELECT {n}", object=f"public.o{n % 7}", wave="EXPAND" if n < count - 1 else "VALIDATE")
            for n in range(count - 1)
        ]
        last = transactional(f"INSERT INTO later VALUES ({count})", object="public.later", wave="VALIDATE")
        plan = make_plan([*steps, last], database)
        run_sql(database, "DROP TABLE IF EXISTS later")
        begun = time.perf_counter()
        outcome = start_run(database, plan, accept(plan), _OPTIONS).wait(240)
        took[count] = time.perf_counter() - begun
        assert outcome is not None
        assert outcome.sqlstate == "42P01", outcome.message
        run_sql(database, "CREATE TABLE later (n int)")
        begun = time.perf_counter()
        assert ended(resume_run(database, _OPTIONS)).status is RunStatus.COMPLETE
        resumed = time.perf_counter() - begun
        print(f"{count} steps: {took[count]:.1f} s, then resumed in {resumed:.1f} s")
    assert took[10_000] <= 15 * took[1_000]
    assert resumed < 5
    assert ledger.verify(database) == []


def test_a_plan_of_a_hundred_megabytes(database: str) -> None:
    text = "x" * 100_000
    steps = [transactional(f"SELECT '{text}', {n}", object=f"public.o{n % 7}") for n in range(1000)]
    plan = make_plan(steps, database)
    outcome = start_run(database, plan, accept(plan), _OPTIONS).wait(240)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
