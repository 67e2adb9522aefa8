"""The real program on a terminal of its own, a real server, and a step in flight when the signal comes.

What must hold each time: the terminal is as it was, the exit status says which signal it was, nothing of ours is left
in the server, no half-made index, and ``wesley resume`` does the rest.
"""

from __future__ import annotations

import os
import shutil
import signal
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import WESLEY, wesley
from tests.tui.terminal import Terminal
from wesley_tui.executor import ledger
from wesley_tui.executor.asking import limits_of
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.ledger import RunSummary

slow = pytest.mark.skipif(os.environ.get("WESLEY_SLOW") != "1", reason="WESLEY_SLOW=1 runs it")

SCHEMA = """type T @table(name: "t") @index(fields: ["a"]) {
  id: BigInt! @pk
  a: Int
  b: Int! @default(value: "0")
}
"""
GIVEN_BACK = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l")
"""Normal screen, cursor, no mouse reports, no bracketed paste."""
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'wesley/%' AND datname = current_database()"
WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^wesley/[0-9]+/' AND state = 'active'"
    " AND wait_event_type = 'Lock' AND datname = current_database()"
)
PROGRAM = """
import sys
from wesley_tui.cli.main import main
sys.argv = ["wesley", {schema!r}, "--db", {uri!r}]
main()
"""


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def until(terminal: Terminal, happened: Callable[[], object], timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < end, f"it did not happen; the terminal shows\n{terminal.display()}"
        terminal.quiet(0.05)


@pytest.fixture
def schema(database: str, tmp_path: Path) -> Path:
    run_sql(
        database, "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int)",
        "INSERT INTO t SELECT g, g FROM generate_series(1, 5000) g",
    )  # fmt: skip
    file = tmp_path / "schema.graphql"
    file.write_text(SCHEMA)
    return file


@contextmanager
def held(uri: str, what: str) -> Iterator[None]:
    """``backfill``: somebody has locked a row. ``index build``: somebody has a snapshot that the build waits for."""
    with psycopg.connect(uri) as connection:
        if what == "backfill":
            connection.execute("SELECT FROM t WHERE id = 1 FOR UPDATE")
        else:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT count(*) FROM pg_class")
        yield


def state(folder: Path) -> dict[str, str]:
    return {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("STATE", "CONFIG", "CACHE", "DATA")}


def begin(terminal: Terminal) -> None:
    """Review, accept: as a person would."""
    terminal.wait_for("BACKFILL")
    terminal.send(b"\x12")
    terminal.wait_for("Review before execute")
    terminal.send(b"\x1b[1;5F")
    terminal.quiet(0.2)
    terminal.send(b"apply\r")


def last(uri: str) -> RunSummary:
    return ledger.history(uri)[0]


def resumable(uri: str, folder: Path, status: RunStatus = RunStatus.CANCELLED) -> None:
    summary = last(uri)
    assert (summary.status, summary.owned) == (status, False)
    assert run_sql(uri, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    resumed = wesley("resume", "--db", uri, state=folder)
    assert resumed.code == 0, resumed.err
    assert run_sql(uri, "SELECT count(*) FROM t WHERE b IS NULL") == [(0,)]
    assert ledger.verify(uri) == []


CASES = [
    pytest.param(name, what, marks=() if (name, what) == ("SIGHUP", "index build") else slow)
    for name in ("SIGTERM", "SIGHUP", "SIGINT")
    for what in ("backfill", "index build")
]


@pytest.mark.parametrize(("name", "what"), CASES)
def test_a_signal_with_a_step_in_flight(name: str, what: str, database: str, schema: Path, tmp_path: Path) -> None:
    number = signal.Signals[name]
    program = PROGRAM.format(schema=str(schema), uri=database)
    with Terminal(program, columns=100, rows=30, environment=state(tmp_path)) as terminal:
        before = termios.tcgetattr(terminal.master)
        with held(database, what):
            begin(terminal)
            until(terminal, lambda: run_sql(database, WAITS) == [(1,)])
            terminal.signal(number)
            assert terminal.wait() == 128 + number
        assert termios.tcgetattr(terminal.master) == before
        for sequence in GIVEN_BACK:
            assert sequence in terminal.output
        assert b"Go on with: wesley resume" in terminal.output[terminal.output.rindex(GIVEN_BACK[0]) :]
        until(terminal, lambda: run_sql(database, OURS) == [(0,)])
    resumable(database, tmp_path)


@slow
@pytest.mark.parametrize("what", ["backfill", "index build"])
def test_a_closed_window_with_a_step_in_flight(what: str, database: str, schema: Path, tmp_path: Path) -> None:
    """The kernel sends SIGHUP, and nothing can be written any more."""
    program = PROGRAM.format(schema=str(schema), uri=database)
    with Terminal(program, environment=state(tmp_path)) as terminal, held(database, what):
        begin(terminal)
        until(terminal, lambda: run_sql(database, WAITS) == [(1,)])
        terminal.hang_up()
        assert terminal.wait() == 128 + signal.SIGHUP
    resumable(database, tmp_path)


@slow
def test_a_killed_application_with_a_step_in_flight(database: str, schema: Path, tmp_path: Path) -> None:
    program = PROGRAM.format(schema=str(schema), uri=database)
    with Terminal(program, environment=state(tmp_path)) as terminal:
        with held(database, "backfill"):
            begin(terminal)
            until(terminal, lambda: run_sql(database, WAITS) == [(1,)])
            terminal.signal(signal.SIGKILL)
            terminal.wait()
        until(terminal, lambda: not last(database).owned)
    resumable(database, tmp_path, RunStatus.RUNNING)


@slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with job control")
def test_control_z_and_fg_with_a_step_in_flight(database: str, schema: Path, tmp_path: Path) -> None:
    shell = "import os; os.execvp('bash', ['bash', '--norc', '--noediting', '-i'])"
    environment = {**state(tmp_path), "PS1": "ready> "}
    with Terminal(shell, columns=100, rows=30, environment=environment) as terminal:
        terminal.wait_for("ready> ")
        with held(database, "backfill"):
            terminal.send(f"{WESLEY} {schema} --db '{database}'\n".encode())
            begin(terminal)
            until(terminal, lambda: run_sql(database, WAITS) == [(1,)])
            terminal.forget()
            terminal.send(b"\x1a")
            terminal.wait_for("Stopped")
            for sequence in GIVEN_BACK:
                assert sequence in terminal.output
            mode = termios.tcgetattr(terminal.master)[3]
            assert mode & termios.ICANON
            assert mode & termios.ECHO
            assert last(database).owned, "it was stopped, not ended"
        terminal.send(b"fg; echo status $?\n")
        until(terminal, lambda: "Verdict" in terminal.display())
        terminal.send(b"\r")
        until(terminal, lambda: "Verdict" not in terminal.display())
        terminal.send(b"q")
        until(terminal, lambda: "status 0" in terminal.display())
    assert last(database).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT count(*) FROM t WHERE b IS NULL") == [(0,)]


@slow
def test_a_second_terminal_follows_and_steers_a_run(database: str, schema: Path, tmp_path: Path) -> None:
    """Begun by ``wesley apply``; the terminal application attaches by itself, changes a limit, pauses and leaves."""
    program = PROGRAM.format(schema=str(schema), uri=database)

    def told(kind: EventType) -> bool:
        return any(event.type is kind for event in ledger.events(database))

    with ExitStack() as row:
        row.enter_context(held(database, "backfill"))
        begun = wesley("apply", schema, "--db", database, "--yes", "--detach", state=tmp_path)
        assert begun.code == 0, begun.err
        with Terminal(program, columns=120, rows=40, environment=state(tmp_path)) as terminal:
            terminal.wait_for("running elsewhere")
            terminal.send(b"t")
            terminal.wait_for("Limits of run 1")
            terminal.send(b"1234\r")
            until(terminal, lambda: limits_of(database, 1).rows_per_second == 1234)
            until(terminal, lambda: told(EventType.GOVERNOR_CHANGED))
            terminal.send(b"p")
            terminal.wait_for("Pause the run?")
            terminal.send(b"p")
            row.close()
            until(terminal, lambda: last(database).status is RunStatus.PAUSED)
            terminal.wait_for("paused elsewhere")
            terminal.send(b"q")
            assert terminal.wait() == 0
            assert b"goes on in the process that executes it" in terminal.output
    assert last(database).owned
    wesley("cancel", "--db", database, state=tmp_path)
    resumable(database, tmp_path)


@slow
def test_a_run_is_taken_back_in_the_terminal_application(database: str, schema: Path, tmp_path: Path) -> None:
    program = PROGRAM.format(schema=str(schema), uri=database)
    done = wesley("apply", schema, "--db", database, "--yes", state=tmp_path)
    assert done.code == 0, done.err
    with Terminal(program, environment=state(tmp_path)) as terminal:
        terminal.wait_for("Nothing to do")
        terminal.send(b"\x1bOR")
        terminal.quiet(0.3)
        terminal.send(b"u")
        terminal.wait_for("taking run 1 back")
        terminal.send(b"\x1b[1;5F")
        terminal.quiet(0.2)
        terminal.send(b"rollback\r")
        terminal.wait_for("Verdict")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
    assert [run.status for run in ledger.history(database)] == [RunStatus.COMPLETE, RunStatus.ROLLED_BACK]
    assert run_sql(database, "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 't_a%'") == [(0,)]
