"""What runs is hit from outside, while each kind of step is in the middle of its work: the psql child, the session, the
backend's process, the server, the program itself. Whatever it was, a resume brings the same end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Servers, fresh_database
from tests.faults.harness import TALLY, Case, seed, whole_plan
from tests.faults.zygote import Driver, Zygote
from wesley_tui.demo.server import EmbeddedServer

_SLOW = os.environ.get("WESLEY_SLOW") == "1"


def kinds(*sample: str) -> list[str]:
    """Kinds of steps to hit: a sample by default, all with ``WESLEY_SLOW=1`` (``make faults``)."""
    return list(MIDDLE) if _SLOW else list(sample)


MIDDLE = {
    "transactional": "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
    "index": "SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'",
    "detach": "SELECT pid FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE%DETACH%' AND wait_event_type = 'Lock'",
    "backfill": "SELECT (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'wesley/%/1')"
    " FROM wesley.migration_checkpoints WHERE batches > 1",
}
"""When a step of this kind is in the middle, and the process id of the session that runs it."""


def children(process: Driver) -> list[int]:
    """Process ids of the children of a driver."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == process.pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@contextmanager
def _pinned(uri: str, kind: str) -> Iterator[Callable[[], None]]:
    """A transaction that a step of this kind has to wait for, until it is let go: an index build for an old snapshot, a
    DETACH for whoever has read the table."""
    connection = psycopg.connect(uri)
    if kind == "index":
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("SELECT 1")
    elif kind == "detach":
        connection.execute("SELECT count(*) FROM public.parted")
    try:
        yield connection.close
    finally:
        connection.close()


def _hit(case: Case, kind: str, what: str, act: Callable[[Driver, int], None]) -> None:
    """Start, wait for the middle of a step of this kind, act, and resume until it is done."""
    with _pinned(case.uri, kind) as let_go, case.start("start") as process:
        try:
            case.when(MIDDLE[kind], lambda pid: act(process, pid))
            # What comes after may have to wait for that transaction too; it does not stay for ever.
            threading.Timer(0.5, let_go).start()
            code, said = case.finish(process)
        finally:
            process.kill()
    assert code in {0, 10, 1, -signal.SIGKILL}, said
    if what != "Wesley":
        TALLY.kills[what] += 1
    case.converge()
    case.assert_whole()


@pytest.fixture
def case(database: str, folder: Path, zygote: Zygote) -> Case:
    seed(database)
    return Case(database, whole_plan(database, slow=0.3), folder, zygote)


def _sql(case: Case, statement: str) -> None:
    with psycopg.connect(case.uri, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("kind", kinds("index"))
def test_the_program_is_killed(case: Case, kind: str) -> None:
    _hit(case, kind, "Wesley", lambda process, _: process.kill())


@pytest.mark.parametrize("kind", kinds("transactional", "index"))
def test_psql_is_killed(case: Case, kind: str) -> None:
    def act(process: Driver, _: int) -> None:
        for pid in children(process):
            os.kill(pid, signal.SIGKILL)

    _hit(case, kind, "psql", act)


@pytest.mark.parametrize("kind", kinds("backfill"))
def test_the_session_is_terminated(case: Case, kind: str) -> None:
    _hit(case, kind, "session", lambda _, pid: _sql(case, f"SELECT pg_terminate_backend({pid})"))


@pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
def test_the_statement_is_cancelled_by_a_stranger(case: Case) -> None:
    _hit(case, "index", "statement", lambda _, pid: _sql(case, f"SELECT pg_cancel_backend({pid})"))


@pytest.mark.parametrize("name", ["wesley/lock", "wesley/control"] if _SLOW else ["wesley/lock"])
def test_a_connection_of_the_engine_is_terminated(case: Case, name: str) -> None:
    statement = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"
    _hit(case, "backfill", name, lambda *_: _sql(case, statement))


@pytest.fixture
def own_case(folder: Path, zygote: Zygote) -> Iterator[tuple[EmbeddedServer, Case]]:
    """A case on a server of its own, which may be killed without disturbing others."""
    servers = Servers()
    try:
        server = servers.get(18)
        uri = next(fresh_database(server))
        seed(uri)
        yield server, Case(uri, whole_plan(uri, slow=0.3), folder, zygote)
    finally:
        servers.close()


@pytest.mark.parametrize("kind", kinds("transactional"))
def test_the_server_is_restarted_as_after_a_power_cut(own_case: tuple[EmbeddedServer, Case], kind: str) -> None:
    server, case = own_case

    def act(process: Driver, pid: int) -> None:
        server.stop("immediate")
        server.start()

    _hit(case, kind, "postmaster", act)


@pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
@pytest.mark.parametrize("kind", kinds("index"))
def test_the_backend_is_killed(own_case: tuple[EmbeddedServer, Case], kind: str) -> None:
    _hit(own_case[1], kind, "backend", lambda _, pid: os.kill(pid, signal.SIGKILL))
