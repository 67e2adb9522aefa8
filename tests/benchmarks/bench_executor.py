"""1,000 transactional steps against ``psql -f`` with the same statements, each in its own transaction.

Run with ``python -m pytest -q -s tests/benchmarks/bench_executor.py``; medians of interleaved rounds on one server with
fsync on, as in production.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.plans import accept, backfill, make_plan, transactional
from wesley_tui.demo.server import EmbeddedServer
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.events import Event, EventType, RunStatus
from wesley_tui.executor.psql_binary import find_psql
from wesley_tui.executor.run import Outbox
from wesley_tui.executor.stored import document_from_plan
from wesley_tui.planner.plan import Plan

_ROUNDS = 3
_STEPS = 1000
_MANY = 3000
_ROWS = 1_000_000
_BATCH = 10_000


@pytest.fixture(scope="module")
def durable_server() -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(Path(tempfile.mkdtemp(prefix="wesley-bench-")) / "data", options={"autovacuum": "off"})
    server.start()
    yield server
    server.remove()


def _fresh(server: EmbeddedServer, name: str) -> str:
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.uri_for(name)


def _executed(uri: str, plan: Plan) -> float:
    begun = time.perf_counter()
    outcome = start_run(uri, plan, accept(plan)).wait()
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    return time.perf_counter() - begun


def _by_psql(uri: str, script: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [find_psql().path, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", script, uri],
        check=True, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    return time.perf_counter() - begun


def test_thousand_steps(durable_server: EmbeddedServer, tmp_path: Path) -> None:
    statements = {
        "CREATE TABLE": [f"CREATE TABLE public.t{n} (id int)" for n in range(_STEPS)],
        "COMMENT": [f"COMMENT ON SCHEMA public IS '{n}'" for n in range(_STEPS)],
    }
    for name, texts in statements.items():
        script = tmp_path / "plain.sql"
        script.write_text("".join(f"BEGIN;\n{text};\nCOMMIT;\n" for text in texts))
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            theirs.append(_by_psql(_fresh(durable_server, "plain"), script))
            uri = _fresh(durable_server, "steps")
            plan = make_plan([transactional(text, object=f"public.t{n}") for n, text in enumerate(texts)], uri)
            ours.append(_executed(uri, plan))
        wesley, plain = statistics.median(ours), statistics.median(theirs)
        print(f"\n{_STEPS} × {name}: Wesley {wesley:.2f} s, psql -f {plain:.2f} s, ratio {wesley / plain:.2f}")


def test_backfill(durable_server: EmbeddedServer, tmp_path: Path) -> None:
    """Unthrottled, against a bare psql loop of the same batches, and against the tightest loop there is: ranges of the
    key as literals, nothing looked up."""
    step = backfill("public.t", "id", "b = a", "t.b IS NULL")
    assert step[1].backfill is not None
    text = step[1].backfill.batch_sql.replace("$2", str(_BATCH))
    starts = range(0, _ROWS, _BATCH)
    loops = {
        "the same batches": "".join(text.replace("$1", f"""'["{n}"]'::jsonb""") + ";\n" for n in starts),
        "literal ranges": "".join(
            f"UPDATE public.t SET b = a WHERE id > {n} AND id <= {n + _BATCH} AND b IS NULL;\n" for n in starts
        ),
    }
    script = tmp_path / "bare.sql"
    times: dict[str, list[float]] = {name: [] for name in ("Wesley", *loops)}
    for _ in range(_ROUNDS):
        for name, texts in loops.items():
            script.write_text(texts)
            times[name].append(_by_psql(_with_rows(_fresh(durable_server, "bare")), script))
        uri = _with_rows(_fresh(durable_server, "filled"))
        times["Wesley"].append(_executed(uri, make_plan([step], uri)))
    speed = {name: _ROWS / statistics.median(found) for name, found in times.items()}
    for name in loops:
        print(
            f"\nbackfill of {_ROWS} rows: Wesley {speed['Wesley']:,.0f} rows/s; {name} {speed[name]:,.0f} rows/s, "
            f"ratio {speed['Wesley'] / speed[name]:.2f}"
        )


def _with_rows(uri: str) -> str:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.t (id bigint PRIMARY KEY, a int, b int)")
        connection.execute(f"INSERT INTO public.t SELECT g, g FROM generate_series(1, {_ROWS}) g".encode())
        connection.execute("VACUUM ANALYZE public.t")
        connection.execute("CHECKPOINT")
    return uri


def test_event_path() -> None:
    """From rows to the state that a screen shows: 10,000 steps, two events each, in pages as the engine reads them."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    kinds = (EventType.STEP_START, EventType.STEP_OK)
    events = [
        Event(n + 1, 1, "p", kinds[n % 2], now, "a", "", "EXPAND", f"{n // 2:064x}", {"attempt": 1, "duration_ms": 1.0})
        for n in range(20_000)
    ]
    outbox = Outbox()
    begun = time.perf_counter()
    for start in range(0, len(events), 1000):
        outbox.put(events[start : start + 1000])
        outbox.take()
    print(
        f"\nevents to the state of a screen: {len(events) / (time.perf_counter() - begun):,.0f} a second (floor 5,000)"
    )


_BY_COMMAND = """
import sys; from pathlib import Path; from tests.plans import accept
from wesley_tui.cli.run_report import print_event
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.stored import plan_from_document
from wesley_tui.services.runs import follow
plan = plan_from_document(Path(sys.argv[2]).read_text())
follow(start_run(sys.argv[1], plan, accept(plan)), print_event(plan))
"""
_BY_APPLICATION = """
import sys; from pathlib import Path; from tests.plans import accept
from tests.tui.fakes import FakeWorkbench
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.stored import plan_from_document
from wesley_tui.tui.app import WesleyApp
from wesley_tui.tui.messages import RunStarted
plan = plan_from_document(Path(sys.argv[2]).read_text())
app = WesleyApp(FakeWorkbench(plan), [("schema.graphql", "")])

def start():
    app.screen.post_message(RunStarted(plan, start_run(sys.argv[1], plan, accept(plan))))

app.call_later(lambda: app.set_timer(2.0, start))
app.run()
"""


@pytest.mark.parametrize("program", [_BY_COMMAND, _BY_APPLICATION], ids=["command", "application"])
def test_terminal_that_does_not_read(durable_server: EmbeddedServer, tmp_path: Path, program: str) -> None:
    """How long the steps take on a terminal that reads, and on one that reads nothing until they are done."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(_ROUNDS):
        for reads, found in seconds.items():
            uri = _fresh(durable_server, "unread")
            drafts = [transactional(f"CREATE TABLE public.t{n} (id int)", object=f"public.t{n}") for n in range(_MANY)]
            file = tmp_path / "plan.json"
            file.write_text(document_from_plan(make_plan(drafts, uri)))
            found.append(_on_terminal(uri, file, program, reads=reads))
    read, unread = statistics.median(seconds[True]), statistics.median(seconds[False])
    print(
        f"\n{_MANY} steps; terminal reads: {read:.2f} s, does not read: {unread:.2f} s, ratio {unread / read:.2f} "
        f"(at most 1.05); each {seconds[True]} and {seconds[False]}"
    )


def _on_terminal(uri: str, file: Path, program: str, *, reads: bool) -> float:
    """Seconds between the first and the last event of the run's steps, by the server's clock."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", program, uri, str(file)], stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    try:
        with psycopg.connect(uri, autocommit=True) as connection:
            end = time.monotonic() + 120
            while not _is_complete(connection):
                assert time.monotonic() < end, "the run did not end"
                while reads and select.select([master], [], [], 0.05)[0]:
                    data = os.read(master, 65536)
                    os.write(master, b"\x1b[0n" * data.count(b"\x1b[5n"))  # the answer that paces the frames
                time.sleep(0.05)
            row = connection.execute(
                "SELECT EXTRACT(epoch FROM max(time) - min(time))::float8 FROM wesley.migration_events"
                " WHERE type LIKE 'step.%'"
            ).fetchone()
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert row is not None
    return round(float(row[0]), 2)


def _is_complete(connection: psycopg.Connection[Any]) -> bool:
    with contextlib.suppress(psycopg.errors.UndefinedTable):
        row = connection.execute("SELECT count(*) FROM wesley.migration_events WHERE type = 'plan.complete'").fetchone()
        return row == (1,)
    return False
