"""What clients notice while a plan runs: against no migration at all, and against the same changes made naively.

Clients read, write and insert, each in short transactions, while a plan adds an index, a column that is filled and made
NOT NULL, a foreign key and a check. Beside it the same result by plain DDL. Printed: transactions, errors, and the
p50, p99 and longest stall of a transaction. ``WESLEY_BENCH_ROWS`` sets the size of the table (default 1,000,000).

Run with ``python -m pytest -q -s tests/benchmarks/bench_zero_downtime.py``.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.plans import accept, backfill, concurrent_index, make_plan, transactional
from wesley_tui.demo.server import EmbeddedServer
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.planner.plan import LockMode, Plan, Step, WaveName

_ROWS = int(os.environ.get("WESLEY_BENCH_ROWS", "1000000"))
_CLIENTS = 4
_THINK_S = 0.005
# One entry is one transaction, as migration tools send it: on its own, SET NOT NULL fails on rows that clients add.
_NAIVE = (
    "CREATE INDEX t_a_idx ON public.t (a)",
    "ALTER TABLE public.t ADD COLUMN b bigint; UPDATE public.t SET b = a;"
    " ALTER TABLE public.t ALTER COLUMN b SET NOT NULL, ALTER COLUMN b SET DEFAULT 0",
    "ALTER TABLE public.t ADD CONSTRAINT t_owner_fkey FOREIGN KEY (owner) REFERENCES public.owners",
    "ALTER TABLE public.t ADD CONSTRAINT t_a_positive CHECK (a > 0)",
    "ALTER TABLE public.t ALTER COLUMN small TYPE bigint",
)


def client(uri: str, seed: int, over: Any, told: Any) -> None:
    """Work until told to stop, in a process of its own; then tell how long each transaction took, and what failed."""
    random_ = random.Random(seed)
    stalls_ms: list[float] = []
    errors: list[str] = []
    with psycopg.connect(uri, autocommit=True, prepare_threshold=None) as connection:
        while not over.wait(_THINK_S):
            row = random_.randint(1, _ROWS)
            begun = time.perf_counter()
            try:
                with connection.transaction():
                    connection.execute("SELECT a FROM public.t WHERE id = %s", (row,))
                    connection.execute("UPDATE public.t SET hits = hits + 1 WHERE id = %s", (row,))
                    connection.execute("INSERT INTO public.t (a, owner) VALUES (%s, %s)", (row, row % 100 + 1))
            except psycopg.Error as error:
                errors.append(str(error).splitlines()[0])
            stalls_ms.append((time.perf_counter() - begun) * 1000)
    told.put((stalls_ms, errors))


@dataclass
class Load:
    """Clients, each a process of its own, and what they noticed."""

    uri: str
    stalls_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        context = multiprocessing.get_context("spawn")
        over, told = context.Event(), context.Queue()
        clients = [context.Process(target=client, args=(self.uri, seed, over, told)) for seed in range(_CLIENTS)]
        for process in clients:
            process.start()
        try:
            yield
        finally:
            over.set()
            for _ in clients:
                stalls_ms, errors = told.get(timeout=60)
                self.stalls_ms += stalls_ms
                self.errors += errors
            for process in clients:
                process.join(10)

    def percentile(self, share: float) -> float:
        return sorted(self.stalls_ms)[int((len(self.stalls_ms) - 1) * share)]

    def line(self, name: str, seconds: float) -> str:
        return (
            f"{name:<22} {seconds:>8.1f} {len(self.stalls_ms):>9} {len(self.errors):>7} {self.percentile(0.5):>8.1f} "
            f"{self.percentile(0.99):>8.1f} {self.percentile(1):>11.1f}"
        )


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(Path(tempfile.mkdtemp(prefix="wesley-bench-")) / "data")
    server.start()
    yield server
    server.remove()


def _fresh(server: EmbeddedServer) -> str:
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS served WITH (FORCE)")
        connection.execute("CREATE DATABASE served")
    uri = server.uri_for("served")
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.owners (id int PRIMARY KEY)")
        connection.execute("INSERT INTO public.owners SELECT generate_series(1, 100)")
        connection.execute(
            "CREATE TABLE public.t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a int NOT NULL,"
            " owner int NOT NULL, small int, hits int NOT NULL DEFAULT 0)"
        )
        connection.execute(
            "INSERT INTO public.t (a, owner, small) SELECT g, g % 100 + 1, g"
            f" FROM generate_series(1, {_ROWS}) g".encode()
        )
        connection.execute("VACUUM ANALYZE public.t")
        connection.execute("CHECKPOINT")
    return uri


def _plan(uri: str) -> Plan:
    """The safe form of what :data:`_NAIVE` does. New rows get their value by a default that a trigger sets; ``small``
    becomes bigint by a shadow column that is swapped in."""
    table = {"public.t": LockMode.AccessExclusiveLock}
    share = {"public.t": LockMode.ShareUpdateExclusiveLock}

    def ddl(
        *texts: str, wave: WaveName = "EXPAND", locks: dict[str, LockMode] = table, timeout: int = 30_000
    ) -> tuple[WaveName, Step]:
        return transactional(*texts, object="public.t", wave=wave, locks=locks, statement_timeout_ms=timeout)

    both = {**table, "public.owners": LockMode.ShareRowExclusiveLock}
    drafts = [
        concurrent_index("public.t", "a"),
        ddl("ALTER TABLE public.t ADD COLUMN b bigint, ADD COLUMN small_new bigint"),
        ddl(
            "CREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN NEW.b := NEW.a; NEW.small_new := NEW.small; RETURN NEW; END$$",
            "CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.fill()",
        ),
        backfill("public.t", "id", "b = a, small_new = small", "t.b IS NULL", wave="EXPAND"),
        ddl("ALTER TABLE public.t ADD CONSTRAINT b_set CHECK (b IS NOT NULL) NOT VALID", wave="VALIDATE"),
        ddl("ALTER TABLE public.t VALIDATE CONSTRAINT b_set", wave="VALIDATE", locks=share, timeout=0),
        ddl("ALTER TABLE public.t ALTER COLUMN b SET NOT NULL", wave="VALIDATE"),
        ddl("ALTER TABLE public.t DROP CONSTRAINT b_set", wave="VALIDATE"),
        ddl(
            "ALTER TABLE public.t ADD CONSTRAINT t_owner_fkey FOREIGN KEY (owner) REFERENCES public.owners NOT VALID",
            wave="VALIDATE", locks=both,
        ),
        ddl("ALTER TABLE public.t VALIDATE CONSTRAINT t_owner_fkey", wave="VALIDATE", locks=share, timeout=0),
        ddl("ALTER TABLE public.t ADD CONSTRAINT t_a_positive CHECK (a > 0) NOT VALID", wave="VALIDATE"),
        ddl("ALTER TABLE public.t VALIDATE CONSTRAINT t_a_positive", wave="VALIDATE", locks=share, timeout=0),
        ddl(
            "ALTER TABLE public.t ALTER COLUMN b SET DEFAULT 0", "DROP TRIGGER fill ON public.t",
            "ALTER TABLE public.t DROP COLUMN small",
            "ALTER TABLE public.t RENAME small_new TO small", wave="VALIDATE",
        ),
    ]  # fmt: skip
    return make_plan(drafts, uri)


def _measured(uri: str, work: Callable[[], None]) -> tuple[Load, float]:
    load = Load(uri)
    with load.running():
        time.sleep(2)
        begun = time.perf_counter()
        work()
        seconds = time.perf_counter() - begun
    return load, seconds


def test_clients_beside_a_migration(server: EmbeddedServer) -> None:
    uri = _fresh(server)
    safe = _plan(uri)

    def migrate() -> None:
        outcome = start_run(uri, safe, accept(safe)).wait()
        assert outcome is not None
        assert outcome.status is RunStatus.COMPLETE, outcome.message

    migrated, took = _measured(uri, migrate)
    uri = _fresh(server)
    quiet, quiet_took = _measured(uri, lambda: time.sleep(min(took, 20)))
    uri = _fresh(server)

    def naively() -> None:
        with psycopg.connect(uri, autocommit=True) as connection:
            for statement in _NAIVE:
                connection.execute(statement.encode())

    naive, naive_took = _measured(uri, naively)
    uri = _fresh(server)
    gentle = _plan(uri)

    def hurried() -> None:
        """As fast as it goes, with no regard for clients: what a plain loop of batches does to them."""
        options = RunOptions(knobs=Knobs(busy_share=100, busy_batch_ms=30))
        outcome = start_run(uri, gentle, accept(gentle), options).wait()
        assert outcome is not None
        assert outcome.status is RunStatus.COMPLETE, outcome.message

    loop, loop_took = _measured(uri, hurried)
    print(f"\n{_ROWS:,} rows, {_CLIENTS} clients; stalls of a client's transaction in ms")
    print(f"{'':<22} {'seconds':>8} {'commits':>9} {'errors':>7} {'p50':>8} {'p99':>8} {'longest':>11}")
    print(quiet.line("no migration", quiet_took))
    print(migrated.line("Wesley", took))
    print(loop.line("Wesley, busy_share 100", loop_took))
    print(naive.line("naive DDL", naive_took))
    print(f"p99 beside Wesley: {migrated.percentile(0.99) / quiet.percentile(0.99):.2f} × without a migration")
    assert migrated.errors == []
