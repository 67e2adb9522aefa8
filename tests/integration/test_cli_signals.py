"""The command meets signals, a closed terminal and no terminal at all: what ran is cancelled or goes on, never lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import WESLEY, wesley
from tests.plans import backfill, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.asking import ask_pause
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.planner.document import plan_to_json
from wesley_tui.planner.identity import with_identity
from wesley_tui.planner.plan import Plan
from wesley_tui.services.audit import read_run, status_json
from wesley_tui.services.runs import read_fingerprint
from wesley_tui.services.target import Target

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
slow = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def until(happened: Callable[[], object], timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@dataclass
class Called:
    """A ``wesley`` on a terminal of its own, and what it has written there."""

    process: subprocess.Popen[bytes]
    master: int
    output: bytearray = field(default_factory=bytearray)

    def wait_for(self, text: str, timeout: float = 30) -> None:
        end = time.monotonic() + timeout
        while text.encode() not in self.output:
            assert time.monotonic() < end, f"not seen: {text}; the terminal shows {bytes(self.output[-2000:])!r}"
            self.read(0.1)

    def read(self, seconds: float) -> None:
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                time.sleep(0.05)

    def wait(self, timeout: float = 30) -> int:
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still running: {bytes(self.output[-2000:])!r}"
            self.read(0.05)
        self.read(0)
        return self.process.returncode


def environment(state: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "XDG_", "WESLEY_"))}
    return kept | {f"XDG_{kind}_HOME": str(state / kind.lower()) for kind in ("STATE", "CONFIG", "CACHE", "DATA")}


@contextmanager
def on_terminal(state: Path, *arguments: str | Path) -> Iterator[Called]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [WESLEY, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment(state), start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )  # fmt: skip
    os.close(slave)
    called = Called(process, master)
    try:
        yield called
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if called.master >= 0:
            os.close(called.master)


@pytest.fixture
def plan_file(database: str, tmp_path: Path) -> Path:
    """A backfill of some seconds and something after it, as a plan file."""
    run_sql(
        database, "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, visits int NOT NULL DEFAULT 0)",
        "INSERT INTO t SELECT g, g FROM generate_series(1, 3000) g",
    )  # fmt: skip
    steps = [
        backfill("public.t", "id", "b = a, visits = visits + 1", "t.b IS NULL", rows_per_second=800),
        transactional("CREATE TABLE after (id int)", object="public.t", wave="VALIDATE"),
    ]
    return written(database, make_plan(steps, database), tmp_path)


def written(uri: str, plan: Plan, folder: Path) -> Path:
    """The plan in a file that ``wesley apply`` takes, made for the database as it is."""

    async def base() -> str:
        async with await psycopg.AsyncConnection.connect(uri, autocommit=True) as connection:
            return await read_fingerprint(connection, plan.scope)

    found = asyncio.run(base())
    file = folder / "release.plan"
    file.write_text(json.dumps(plan_to_json(with_identity(replace(plan, base=found, target=found)))))
    return file


def batches(uri: str) -> bool:
    with contextlib.suppress(psycopg.errors.UndefinedTable):
        return bool(run_sql(uri, "SELECT 1 FROM wesley.migration_checkpoints WHERE batches > 1"))
    return False


def converged(uri: str, state: Path) -> None:
    """A resume does the rest, and every row was visited once."""
    resumed = wesley("resume", "--db", uri, state=state)
    assert resumed.code == 0, resumed.err
    assert run_sql(uri, "SELECT min(visits), max(visits), count(b) FROM t") == [(1, 1, 3000)]
    assert ledger.verify(uri) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"] if _SLOW else ["SIGTERM"])
def test_a_signal_ends_the_run_in_order(database: str, plan_file: Path, tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    with on_terminal(tmp_path, "apply", plan_file, "--db", database, "--yes") as called:
        until(lambda: batches(database))
        called.process.send_signal(number)
        assert called.wait() == 128 + number
        assert f"got {name}".encode() in called.output
    summary = ledger.history(database)[0]
    assert (summary.status, summary.owned) == (RunStatus.CANCELLED, False)
    left = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'wesley/%' AND datname = current_database()"
    until(lambda: not run_sql(database, left))
    told = [step["status"] for step in status_json(read_run(Target(database)))["steps"]]
    assert told == ["interrupted", "pending"], "nobody works on it, so it does not run"
    converged(database, tmp_path)


@slow
def test_a_closed_terminal_ends_the_run_in_order(database: str, plan_file: Path, tmp_path: Path) -> None:
    """Whatever is written from then on fails; the run's end is recorded all the same."""
    with on_terminal(tmp_path, "apply", plan_file, "--db", database, "--yes") as called:
        until(lambda: batches(database))
        os.close(called.master)
        called.master = -1
        called.process.send_signal(signal.SIGHUP)
        assert called.process.wait(30) == 128 + signal.SIGHUP
    assert ledger.history(database)[0].status is RunStatus.CANCELLED
    converged(database, tmp_path)


def test_a_terminal_that_has_stopped_reading_keeps_nobody_from_ending_the_run(
    database: str, plan_file: Path, tmp_path: Path
) -> None:
    """As after Ctrl+S: every write to the terminal blocks, the run goes on, and a signal is heard all the same."""
    with on_terminal(tmp_path, "apply", plan_file, "--db", database, "--yes") as called:
        called.wait_for("plan.accepted")
        slave = os.open(os.readlink(f"/proc/{called.process.pid}/fd/1"), os.O_RDWR | os.O_NOCTTY)
        termios.tcflow(slave, termios.TCOOFF)
        done = "SELECT 1 FROM wesley.migration_checkpoints WHERE batches > 8"
        until(lambda: run_sql(database, done))
        called.process.send_signal(signal.SIGTERM)
        until(lambda: ledger.history(database)[0].status is RunStatus.CANCELLED)
        termios.tcflow(slave, termios.TCOON)
        assert called.wait() == 128 + signal.SIGTERM
        os.close(slave)


@slow
def test_what_reads_the_progress_may_go_away(database: str, plan_file: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [WESLEY, "apply", plan_file, "--db", database, "--yes"],
        stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, env=environment(tmp_path),
    )  # fmt: skip
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    assert process.wait(60) == 0
    assert ledger.history(database)[0].status is RunStatus.COMPLETE


@slow
def test_a_command_that_was_stopped_goes_on_where_it_was(database: str, plan_file: Path, tmp_path: Path) -> None:
    """As by Ctrl+Z, which the kernel does not let through to a process without a shell."""
    with on_terminal(tmp_path, "apply", plan_file, "--db", database, "--yes") as called:
        until(lambda: batches(database))
        called.process.send_signal(signal.SIGSTOP)
        until(lambda: " T " in Path(f"/proc/{called.process.pid}/stat").read_text())
        idle = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'wesley/%'"
            " AND datname = current_database() AND state <> 'idle'"
        )
        until(lambda: run_sql(database, idle) == [(0,)])
        called.process.send_signal(signal.SIGCONT)
        assert called.wait() == 0
    assert run_sql(database, "SELECT min(visits), max(visits), count(b) FROM t") == [(1, 1, 3000)]


def test_a_detached_run_needs_no_terminal(database: str, plan_file: Path, tmp_path: Path) -> None:
    with on_terminal(tmp_path, "apply", plan_file, "--db", database, "--yes", "--detach", "--json") as called:
        assert called.wait() == 0
        told = json.loads(called.output[called.output.index(b"{") :])
    assert (told["run_id"], told["plan_id"]) == (1, json.loads(plan_file.read_text())["plan_id"])
    log = Path(told["log"])
    assert log.is_relative_to(tmp_path / "state")
    assert log.stat().st_mode & 0o777 == 0o600
    assert os.getsid(told["pid"]) != os.getsid(0)
    os.kill(told["pid"], signal.SIGHUP)
    attached = wesley("attach", "--db", database, "--run", "1", state=tmp_path)
    assert attached.code == 0, attached.err
    assert "plan.complete" in attached.out
    until(lambda: "Run 1 of plan" in log.read_text())
    assert "step.ok" in log.read_text()
    assert run_sql(database, "SELECT min(visits), max(visits), count(b) FROM t") == [(1, 1, 3000)]


@slow
def test_a_detached_run_ends_in_order_and_says_why_it_cannot_begin(
    database: str, plan_file: Path, tmp_path: Path
) -> None:
    begun = wesley("apply", plan_file, "--db", database, "--yes", "--detach", state=tmp_path)
    assert begun.code == 0, begun.err
    assert "wesley attach --run 1" in begun.out
    pid = int(begun.out.split("process ")[1].split(";")[0])
    assert ask_pause(database, None, "").status is RunStatus.PAUSED
    second = wesley("apply", plan_file, "--db", database, "--yes", "--detach", state=tmp_path)
    assert (second.code, "another migration is running" in second.err) == (5, True), second.err
    os.kill(pid, signal.SIGTERM)
    until(lambda: ledger.history(database)[0].status is RunStatus.CANCELLED)
    resumed = wesley("resume", "--db", database, "--detach", state=tmp_path)
    assert resumed.code == 0, resumed.err
    until(lambda: ledger.history(database)[0].status is RunStatus.COMPLETE)
    over = wesley("resume", "--db", database, "--detach", "--json", state=tmp_path)
    assert (over.code, over.json["error"]["name"]) == (1, "failed")


def test_keys_steer_a_run_from_a_second_terminal(database: str, plan_file: Path, tmp_path: Path) -> None:
    begun = wesley("apply", plan_file, "--db", database, "--yes", "--detach", state=tmp_path)
    assert begun.code == 0, begun.err
    with on_terminal(tmp_path, "attach", "--db", database) as called:
        before = termios.tcgetattr(called.master)
        called.wait_for("p pauses the run")
        until(lambda: not termios.tcgetattr(called.master)[3] & termios.ICANON)
        os.write(called.master, b"p")
        called.wait_for("plan.paused")
        os.write(called.master, b"r")
        called.wait_for("plan.resumed")
        os.write(called.master, b"cn")
        called.wait_for("cancel the run?")
        os.write(called.master, b"cy")
        called.wait_for("plan.cancelled")
        assert called.wait() == 9
        assert termios.tcgetattr(called.master)[3] == before[3]
    assert ledger.history(database)[0].status is RunStatus.CANCELLED
    converged(database, tmp_path)


@slow
def test_who_may_not_steer_only_watches(database: str, plan_file: Path, tmp_path: Path) -> None:
    begun = wesley("apply", plan_file, "--db", database, "--yes", "--detach", state=tmp_path)
    assert begun.code == 0, begun.err
    run_sql(
        database, "DROP ROLE IF EXISTS looker", "CREATE ROLE looker LOGIN", "GRANT USAGE ON SCHEMA wesley TO looker",
        "GRANT SELECT ON ALL TABLES IN SCHEMA wesley TO looker",
    )  # fmt: skip
    try:
        with on_terminal(tmp_path, "attach", "--db", database.replace("postgres@", "looker@")) as called:
            called.wait_for("watching only")
            refused = wesley("pause", "--db", database.replace("postgres@", "looker@"), state=tmp_path)
            assert refused.code == 6
            assert "may watch runs, but not steer them" in refused.err
            assert "GRANT INSERT ON wesley.migration_commands" in refused.err
            os.write(called.master, b"cy")
            assert called.wait() == 0
        kinds = [event.type for event in ledger.events(database)]
        assert EventType.PLAN_CANCELLED not in kinds
    finally:
        run_sql(database, "DROP OWNED BY looker CASCADE", "DROP ROLE looker")


@slow
def test_an_attached_terminal_is_given_back_after_a_signal(database: str, plan_file: Path, tmp_path: Path) -> None:
    begun = wesley("apply", plan_file, "--db", database, "--yes", "--detach", state=tmp_path)
    assert begun.code == 0, begun.err
    with on_terminal(tmp_path, "attach", "--db", database) as called:
        before = termios.tcgetattr(called.master)
        called.wait_for("p pauses the run")
        until(lambda: not termios.tcgetattr(called.master)[3] & termios.ICANON)
        called.process.send_signal(signal.SIGTERM)
        assert called.wait() == 128 + signal.SIGTERM
        assert termios.tcgetattr(called.master)[3] == before[3]
    until(lambda: ledger.history(database)[0].status is RunStatus.COMPLETE)
