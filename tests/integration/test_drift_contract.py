"""What others change between the waves: CONTRACT does not begin, and whoever asked for it learns what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import Called, wesley
from tests.plans import accept, make_plan, transactional
from wesley_tui.executor.drift import differences, named, untouched
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.options import Digests, RunOptions
from wesley_tui.planner.plan import Plan

_SCHEMA = """
enum Mood { HAPPY SAD }
type A @table { id: BigInt! @pk w: Int @index must: String! n: BigInt mood: Mood }
type B @table { id: BigInt! @pk }
"""
_ROWS = 10_000
"""More than what would be written again in place, so that the type of ``n`` is changed by a shadow column."""


class _Pending:
    """A database with a run that waits for CONTRACT: ``v`` of ``a`` is to be retired, ``w`` was added for it, and the
    old ``n`` still rests beside the new one."""

    def __init__(self, database: str, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self.file = folder / "schema.graphql"
        self.file.write_text(_SCHEMA)
        self.run(
            "CREATE TABLE a (id bigint PRIMARY KEY, v int, must text NOT NULL, n int)",
            "CREATE TABLE unmanaged (id int)",
            f"INSERT INTO a SELECT g, g, repeat('x', 100), g FROM generate_series(1, {_ROWS}) g",
            "ANALYZE a",
        )
        applied = self.wesley("apply", self.file, "--yes")
        assert applied.code == 0, applied.err

    def run(self, *statements: str) -> list[Any]:
        with psycopg.connect(self._database, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def wesley(self, verb: str, *arguments: str | Path) -> Called:
        return wesley(verb, *arguments, "--db", self._database, state=self._folder)

    def contract(self) -> Called:
        return self.wesley("resume", "--contract", "--unsafe")

    @property
    def columns(self) -> set[str]:
        rows = self.run(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        return {row[0] for row in rows}


@pytest.fixture
def pending(database: str, tmp_path: Path) -> _Pending:
    return _Pending(database, tmp_path)


def test_contract_does_not_begin_after_changes_by_others(pending: _Pending) -> None:
    """All that differs is named; it does so until it is taken back or planned anew. A resume without CONTRACT, which
    has nothing to do, does not make it part of the plan."""
    before = pending.columns
    pending.run(
        "ALTER TABLE a DROP COLUMN w",
        "ALTER TABLE a ADD COLUMN theirs int",
        "ALTER TABLE a ALTER must DROP NOT NULL",
        "ALTER TABLE a ALTER id SET DEFAULT 7",
        "CREATE INDEX by_must ON a (must)",
        "ALTER TABLE a ADD CONSTRAINT positive CHECK (id > 0) NOT VALID",
        "GRANT SELECT ON a TO pg_monitor",
        "DROP TABLE b",
        "ALTER TYPE mood ADD VALUE 'CALM'",
    )
    refused = pending.contract()
    assert refused.code == 7, refused.err
    told = {row[0] for row in pending.run(_CHANGED)}
    assert told == {
        "column w of table public.a is gone",
        "index a_w_idx of table public.a is gone",
        "column theirs of table public.a is new",
        "column must of table public.a was changed",
        "column id of table public.a was changed",
        "index by_must of table public.a is new",
        "constraint positive of table public.a is new",
        "table public.a was changed in its grants",
        "table public.b is gone",
        "enum public.mood was changed",
    }
    for text in (*told, "No step of CONTRACT was run", "wesley plan SCHEMA"):
        assert text in refused.err
    assert "wesley resume" not in refused.err
    assert pending.columns == (before - {"w"}) | {"theirs"}

    assert pending.wesley("resume").code == 6
    assert pending.contract().code == 7
    anew = pending.wesley("apply", pending.file, "--yes", "--contract", "--unsafe")
    assert anew.code == 0, anew.err
    assert {"id", "w", "must", "n", "mood"} <= pending.columns
    assert not {"v", "theirs"} & pending.columns


_CHANGED = """
SELECT DISTINCT jsonb_array_elements_text(metrics -> 'changed') FROM wesley.migration_events
 WHERE type = 'drift.detected'
"""


def test_what_is_no_change_does_not_stop_it(pending: _Pending) -> None:
    """What was put back, rows, statistics, indexes built again, what is not of the plan, and what Wesley has hidden."""
    assert any(name.startswith("wesley_old_") for name in pending.columns)
    pending.run("ALTER TABLE a ALTER must DROP NOT NULL")
    refused = pending.contract()
    assert refused.code == 7
    assert "column must of table public.a was changed" in refused.err
    pending.run(
        "ALTER TABLE a ALTER must SET NOT NULL",
        "INSERT INTO a (id, must) SELECT g, 'y' FROM generate_series(-2000, -1) g",
        "UPDATE a SET w = v WHERE id < 100",
        "VACUUM (ANALYZE, FREEZE) a",
        "REINDEX TABLE CONCURRENTLY a",
        "ALTER TABLE unmanaged ADD n int",
        "CREATE TABLE more_of_theirs (id int)",
    )
    done = pending.contract()
    assert done.code == 0, done.err
    assert pending.columns == {"id", "w", "must", "n", "mood"} | {
        name for name in pending.columns if name.startswith("wesley_retired_")
    }
    assert pending.wesley("verify").code == 0


def _two_waves(database: str) -> Plan:
    return make_plan(
        [
            transactional("CREATE TABLE t (id int, old int)", object="public.t"),
            transactional("ALTER TABLE t DROP old", object="public.t", wave="CONTRACT"),
        ],
        database,
    )


def _same(_: Plan) -> Digests:
    return {"table public.t": {"": "0123456789abcdef"}}


def _unreadable(_: Plan) -> Digests:
    raise OSError("ACCESS EXCLUSIVE is held on public.t")


def test_contract_does_not_begin_unseen(database: str) -> None:
    plan = _two_waves(database)
    begun = start_run(database, plan, accept(plan), RunOptions(digests=_same)).wait(30)
    assert begun is not None
    assert begun.status is RunStatus.CONTRACT_PENDING
    token = accept(plan, contract=True)
    refused = resume_run(database, RunOptions(token=token, digests=_unreadable)).wait(30)
    assert refused is not None
    assert (refused.status, refused.exit_code) == (RunStatus.FAILED, 1)
    assert "ACCESS EXCLUSIVE is held on public.t. No step of CONTRACT was run" in refused.message
    done = resume_run(database, RunOptions(token=token, digests=_same)).wait(30)
    assert done is not None
    assert done.status is RunStatus.COMPLETE, done.message


@pytest.mark.parametrize("reading", [None, _unreadable], ids=["an earlier version", "an unreadable catalog"])
def test_a_run_that_kept_nothing_goes_by_its_prechecks(database: str, reading: Any) -> None:
    plan = _two_waves(database)
    begun = start_run(database, plan, accept(plan), RunOptions(digests=reading)).wait(30)
    assert begun is not None
    assert begun.status is RunStatus.CONTRACT_PENDING, begun.message
    done = resume_run(database, RunOptions(token=accept(plan, contract=True), digests=_same)).wait(30)
    assert done is not None
    assert done.status is RunStatus.COMPLETE, done.message


def test_once_contract_has_changed_the_catalog_nothing_is_compared(database: str) -> None:
    plan = make_plan(
        [
            transactional("CREATE TABLE t (id int, old int)", object="public.t"),
            transactional("ALTER TABLE t DROP old", object="public.t", wave="CONTRACT"),
            transactional("ALTER TABLE gone DROP old", object="public.gone", wave="CONTRACT"),
        ],
        database,
    )
    start_run(database, plan, accept(plan), RunOptions(digests=_same)).wait(30)
    token = accept(plan, contract=True)
    failed = resume_run(database, RunOptions(token=token, digests=_same)).wait(30)
    assert failed is not None
    assert failed.sqlstate == "42P01"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE gone (old int)")
    done = resume_run(database, RunOptions(token=token, digests=lambda _: {})).wait(30)
    assert done is not None
    assert done.status is RunStatus.COMPLETE, done.message


def test_a_step_that_was_rolled_back_has_changed_nothing(database: str) -> None:
    steps = _two_waves(database).waves[1].steps
    shas = {steps[0].step_sha}
    assert untouched(steps, set(), shas)
    assert not untouched(steps, shas, shas)


def test_many_differences_are_cut_short() -> None:
    found = differences({}, {f"table public.t{number:02}": {"": "0"} for number in range(13)})
    assert named(found).startswith("table public.t00 is new; ")
    assert named(found).endswith("; table public.t09 is new; and 3 more")
