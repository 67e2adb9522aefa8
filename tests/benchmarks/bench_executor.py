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
