"""What somebody else left half-made is finished or removed before anything is built on it, also when we die doing that;
and what is cut short at a boundary between two steps goes on from there."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.faults.harness import Case, seed, whole_plan
from tests.faults.servers import until
from tests.faults.test_network import ended, run_sql
from tests.faults.zygote import Zygote
from tests.plans import accept, concurrent_index, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import LockNotAcquired
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.run import Run

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
slow = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
_OPTIONS = RunOptions(seed=1, knobs=Knobs(workers=1, blind_s=60, calm_s=1))
_ROOT = Path(__file__).resolve().parents[2]


def _leave_half_made(uri: str) -> None:
    """An INVALID index that we want, half of one that we drop, and a DETACH that is pending."""
    run_sql(
        uri,
        "CREATE UNIQUE INDEX t_a_idx ON t (a)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('t_a_idx'::regclass, 't_visits_idx'::regclass)",
    )
    with psycopg.connect(uri) as pin, psycopg.connect(uri, autocommit=True) as other:
        pin.execute("SELECT count(*) FROM parted")
        other.execute("SET statement_timeout = '200ms'")
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            other.execute("ALTER TABLE parted DETACH PARTITION part CONCURRENTLY")
    assert run_sql(uri, "SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == [(1,)]


@pytest.mark.parametrize("point", ["", *(f"after_cleanup:{n}" for n in (1, 2, 3))] if _SLOW else ["after_cleanup:2"])
def test_what_others_left_half_made(database: str, folder: Path, zygote: Zygote, point: str) -> None:
    """On a first attempt nothing of it is ours: it is taken up all the same, and we may die right after that."""
    seed(database)
    _leave_half_made(database)
    case = Case(database, whole_plan(database), folder, zygote)
    code, said = case.run("start", point)
    assert code == (-signal.SIGKILL if point else 0), said
    case.converge()
    case.assert_whole()


@slow
def test_a_validation_that_is_cut_short_proves_nothing(database: str) -> None:
    run_sql(
        database,
        "CREATE TABLE t (id int)", "INSERT INTO t SELECT generate_series(1, 50)", "CREATE TABLE pace (s float8)",
        "INSERT INTO pace VALUES (0.05)",
        "CREATE FUNCTION slowly(int) RETURNS bool LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep((SELECT s FROM public.pace)); RETURN true; END $$",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (slowly(id)) NOT VALID",
    )  # fmt: skip
    plan = make_plan(
        [transactional("ALTER TABLE t VALIDATE CONSTRAINT c", object="public.t", statement_timeout_ms=400)], database
    )
    outcome = ended(start_run(database, plan, accept(plan), _OPTIONS))
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "57014")
    assert run_sql(database, "SELECT convalidated FROM pg_constraint WHERE conname = 'c'") == [(False,)]
    run_sql(database, "UPDATE pace SET s = 0")
    assert ended(resume_run(database, _OPTIONS)).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT convalidated FROM pg_constraint WHERE conname = 'c'") == [(True,)]


@slow
def test_whoever_waits_for_our_lock_does_not_disturb_an_index_build(database: str) -> None:
    """A waiter inside a statement would hold a snapshot that the build waits for, and the two would deadlock: the lock
    is polled, from here and never in the server."""
    run_sql(database, "CREATE TABLE t (id int, a int)", "INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g")
    plan = make_plan([concurrent_index("public.t", "a")], database)
    with psycopg.connect(database) as pin:
        pin.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        pin.execute("SELECT 1")
        run = start_run(database, plan, accept(plan), _OPTIONS)
        until(database, "SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'")
        with pytest.raises(LockNotAcquired):
            start_run(database, plan, accept(plan), RunOptions(lock_patience_s=1.6))
    assert ended(run).status is RunStatus.COMPLETE
    assert EventType.STEP_RETRY not in [event.type for event in ledger.events(database)]
    waits = re.compile(r"\bpg_advisory_(xact_)?lock(_shared)?\s*\(")
    code = [*(_ROOT / "wesley_tui" / "rails").glob("*.sql"), *(_ROOT / "wesley_tui" / "executor").glob("*.py")]
    assert [file.name for file in code if waits.search(file.read_text())] == []


@slow
def test_of_four_at_once_one_runs(database: str, folder: Path, zygote: Zygote) -> None:
    seed(database)
    case = Case(database, whole_plan(database, slow=0.1), folder, zygote)

    def begin(_: int) -> Run | None:
        with contextlib.suppress(LockNotAcquired):
            return start_run(database, case.plan, accept(case.plan, contract=True), RunOptions(lock_patience_s=0.2))
        return None

    with ThreadPoolExecutor(4) as pool:
        (run,) = [run for run in pool.map(begin, range(4)) if run is not None]
    assert ended(run).status is RunStatus.COMPLETE
    case.assert_whole()


def _after_steps(run: Run, count: int, uri: str) -> None:
    """Wait until so many steps of the run have succeeded, or it has ended."""
    query = f"SELECT count(*) FROM wesley.migration_ledger WHERE run_id = {run.run_id} AND status = 'succeeded'"
    end = time.monotonic() + 30
    while run.wait(0) is None and run_sql(uri, query)[0][0] < count:
        assert time.monotonic() < end


@slow
@pytest.mark.parametrize("count", range(8))
@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_stopped_at_every_boundary(database: str, folder: Path, zygote: Zygote, verb: str, count: int) -> None:
    """Paused or cancelled after each of the steps, again after the next one, and then resumed to the end."""
    seed(database)
    case = Case(database, whole_plan(database, slow=0.1), folder, zygote)
    run = start_run(database, case.plan, accept(case.plan, contract=True), _OPTIONS)
    for done in (count, count + 1):
        _after_steps(run, done, database)
        if verb == "pause":
            run.pause()
            until(database, "SELECT 1 FROM wesley.migration_runs WHERE status IN ('paused', 'complete')")
            run.resume()
            continue
        begun = time.monotonic()
        run.abort("enough")
        outcome = ended(run)
        assert time.monotonic() - begun < 3
        assert outcome.status in {RunStatus.CANCELLED, RunStatus.COMPLETE}, outcome.message
        if outcome.status is RunStatus.CANCELLED:
            run = resume_run(database, _OPTIONS)
    assert ended(run).status is RunStatus.COMPLETE
    case.assert_whole()
    told = [event.type for event in ledger.events(database) if event.type in _TRANSITIONS]
    for before, after in itertools.pairwise(told):
        assert after in _TRANSITIONS[before], told


_TRANSITIONS = {
    EventType.PLAN_ACCEPTED: {EventType.PLAN_PAUSED, EventType.PLAN_CANCELLED, EventType.PLAN_COMPLETE},
    EventType.PLAN_PAUSED: {EventType.PLAN_RESUMED, EventType.PLAN_CANCELLED},
    EventType.PLAN_RESUMED: {EventType.PLAN_PAUSED, EventType.PLAN_CANCELLED, EventType.PLAN_COMPLETE},
    EventType.PLAN_CANCELLED: {EventType.PLAN_RESUMED},
    EventType.PLAN_COMPLETE: set(),
}
