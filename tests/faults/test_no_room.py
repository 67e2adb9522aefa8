"""The disk is full, for real: a tablespace on a file system of a few megabytes. What was begun leaves nothing behind,
the rows are as they were, and when there is room the run goes on where it was."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.conftest import fresh_database
from tests.faults.test_network import ended, run_sql
from tests.plans import Draft, accept, backfill, concurrent_index, make_plan, transactional
from wesley_tui.demo.server import EmbeddedServer
from wesley_tui.executor import ledger
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
_OPTIONS = RunOptions(seed=1, knobs=Knobs(workers=1, blind_s=60, calm_s=1))


@dataclass(frozen=True, slots=True)
class SmallDisk:
    uri: str
    folder: Path

    def make_room(self) -> None:
        subprocess.run(["mount", "-o", "remount,size=64m", self.folder], check=True)


@pytest.fixture
def small_disk(server: EmbeddedServer) -> Iterator[SmallDisk]:
    """A database, and a tablespace ``small`` of five megabytes."""
    folder = Path(tempfile.mkdtemp(prefix="wesley-small-"))
    options = f"size=5m,mode=0700,uid={server.data.stat().st_uid}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip("file systems may not be mounted here")
    try:
        run_sql(server.uri, f"CREATE TABLESPACE small LOCATION '{folder}'")
        for uri in fresh_database(server):
            yield SmallDisk(uri, folder)
        run_sql(server.uri, "DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def _index() -> Draft:
    wave, step = concurrent_index("public.t", "a", unique=True)
    return wave, replace(step, statements=(f"{step.statements[0]} TABLESPACE small",))


_CASES: dict[str, tuple[str, int, Draft]] = {
    "index": ("pg_default", 60_000, _index()),
    "rewrite": ("small", 20_000, transactional("ALTER TABLE public.t ALTER id TYPE numeric", object="public.t")),
    "backfill": ("small", 20_000, backfill("public.t", "id", "b = a, visits = visits + 1", "t.b IS NULL")),
}
"""Where the table lies, how many rows it has, and what finds no room."""


@pytest.mark.parametrize("kind", list(_CASES) if _SLOW else ["index"])
def test_no_room(small_disk: SmallDisk, kind: str) -> None:
    uri = small_disk.uri
    tablespace, count, draft = _CASES[kind]
    run_sql(
        uri,
        f"CREATE TABLE t (id bigint, a text, b text, visits int NOT NULL DEFAULT 0) TABLESPACE {tablespace}",
        f"INSERT INTO t SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, {count}) g",
        "CREATE INDEX t_id_idx ON t (id)",
    )
    before = run_sql(uri, "SELECT count(*), sum(hashtext(id::text || a)) FROM t")
    outcome = ended(start_run(uri, plan := make_plan([draft], uri), accept(plan), _OPTIONS))
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "53100"), outcome.message
    assert "No space left on device" in outcome.message
    assert run_sql(uri, "SELECT count(*), sum(hashtext(id::text || a)) FROM t") == before
    assert run_sql(uri, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert run_sql(uri, "SELECT count(*) FROM wesley.migration_ledger WHERE status = 'succeeded'") == [(0,)]

    small_disk.make_room()
    assert ended(resume_run(uri, _OPTIONS)).status is RunStatus.COMPLETE
    assert run_sql(uri, "SELECT count(*), sum(hashtext(id::text || a)) FROM t") == before
    if kind == "backfill":
        assert run_sql(uri, "SELECT min(visits), max(visits), count(b) FROM t") == [(1, 1, count)]
    assert ledger.verify(uri) == []
