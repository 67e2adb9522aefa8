"""1,000 transactional steps against ``psql -f`` with the same statements, each in its own transaction.

Run with ``python -m pytest -q -s tests/benchmarks/bench_executor.py``; medians of interleaved rounds on one server with
fsync on, as in production.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.plans import accept, backfill, make_plan, transactional
from wesley_tui.demo.server import EmbeddedServer
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.psql_binary import find_psql
from wesley_tui.planner.plan import Plan

_ROUNDS = 3
_STEPS = 1000
_ROWS = 300_000


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


def test_backfill(durable_server: EmbeddedServer) -> None:
    uri = _fresh(durable_server, "filled")
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.t (id bigint PRIMARY KEY, a int, b int)")
        connection.execute(f"INSERT INTO public.t SELECT g, g FROM generate_series(1, {_ROWS}) g".encode())
    took = _executed(uri, make_plan([backfill("public.t", "id", "b = a", "t.b IS NULL", batch_rows=1000)], uri))
    print(f"\nbackfill of {_ROWS} rows: {took:.2f} s, {_ROWS / took:,.0f} rows/s")
